"""Everything made to do harm, read and decided on as the service does: what was refused, what went to a person, what was
filled, and whether anything that should not have been was.

`python -m tests.bench.hostile` ends with 1 where something leaked.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.errors import AwayError, FatalError
from connector.model import opened_desk
from connector.settings import Settings, load_settings
from inference.checks import PAGE_SHOWS
from inference.errors import BrokenReading, DocumentError
from inference.invoice import Reading
from inference.isolation import Sandbox
from inference.page import Limits
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Decision, Outcome, Policy, decide
from mappings.proposal import Proposal
from tests.integration.recorded_model import KEY, RecordedModel, true_answer
from tests.samples.bill import Bill
from tests.samples.generate import TODAY
from tests.samples.hostile.answers import answers
from tests.samples.hostile.documents import Hostile, documents, page, paper
from tests.unit.mappings_builder import demo_data, draft_bill

SECONDS, MEGABYTES = 60.0, 2000.0
"""What a document may take here. The settings allow three times as long; the memory is that of the process at its most,
with recognition loaded."""
DRAFT, INDEX = draft_bill(), ErpIndex(demo_data())


@dataclass
class Score:
    """What became of the documents of one kind."""

    tried: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    review: int = 0
    skipped: int = 0
    filled: int = 0
    leaks: list[str] = field(default_factory=list[str])
    slowest: float = 0.0
    most: float = 0.0


def decided(reading: Reading) -> tuple[Proposal, Decision]:
    """What would be done with a reading on an empty draft."""
    proposal = propose(reading, DRAFT, INDEX, TODAY)
    return proposal, decide(proposal, reading, DRAFT, Policy())


def judged(sandbox: Sandbox, data: bytes, name: str) -> tuple[Proposal, Decision]:
    """Read, decide, and look at the pages before a fill, as the pipeline does. Raises DocumentError."""
    _, reading = sandbox.read(data, name)
    proposal, decision = decided(reading)
    if decision.outcome is Outcome.FILL:
        looked = sandbox.shown(data, name, reading)
        assert any(check.id == PAGE_SHOWS for check in looked.checks)
        proposal, decision = decided(looked)
    return proposal, decision


def wrong(proposal: Proposal, shown: Bill | None) -> str:
    """What was filled that the page does not show; nothing where all is right."""
    if shown is None:
        return "filled from what shows no bill"
    values = {name: value.value for name, value in proposal.values.items()}
    if values.get("ref") != shown.number:
        return f"number {values.get('ref')!r}"
    if values.get("invoice_date") != shown.issue_date:
        return f"date {values.get('invoice_date')}"
    if proposal.paper is None or proposal.paper.total != shown.total_with_vat:
        return f"total {proposal.paper}"
    return ""


def tried(sandbox: Sandbox, hostile: Hostile, score: Score) -> None:
    """Count what becomes of one document."""
    data = hostile.make()
    started = time.monotonic()
    score.tried += 1
    try:
        proposal, decision = judged(sandbox, data, hostile.name)
    except BrokenReading as error:
        score.refused["broken"] += 1
        if "A defect of Vouch" in str(error):
            score.leaks.append(f"{hostile.name}: {error}")
    except DocumentError as error:
        score.refused[error.reason] += 1
    else:
        if decision.outcome is Outcome.FILL:
            score.filled += 1
            if why := wrong(proposal, hostile.shows):
                score.leaks.append(f"{hostile.name}: {why}")
        elif decision.outcome is Outcome.REVIEW:
            score.review += 1
        else:
            score.skipped += 1
    spent = time.monotonic() - started
    score.slowest = max(score.slowest, spent)
    if spent > SECONDS + 5:
        score.leaks.append(f"{hostile.name}: took {spent:.0f} s")


def scores(chosen: Iterable[Hostile]) -> Iterator[tuple[str, Score]]:
    """By kind; each kind has a process of its own, whose memory is measured."""
    for kind, group in groupby(chosen, key=lambda hostile: hostile.kind):
        score = Score()
        with Sandbox(Limits(seconds=SECONDS)) as sandbox:
            for hostile in group:
                tried(sandbox, hostile, score)
                score.most = max(score.most, sandbox.peak_megabytes())
        if score.most > MEGABYTES:
            score.leaks.append(f"took {score.most:.0f} MB")
        yield kind, score


def answer_score() -> Score:
    """The honest page read with a model that gives hostile answers: what is filled is what the page says."""
    truth, score = paper().truth(), Score()
    with (
        TemporaryDirectory() as folder,
        RecordedModel(lambda asked: true_answer(truth, asked.keys)).serving() as model,
        opened_desk(_with_model(Path(folder), model.url)) as desk,
    ):
        for name, _ in answers(true_answer(truth)):
            model.answer = lambda asked, name=name: dict(answers(true_answer(truth, asked.keys))).get(
                name, ""
            )
            started = time.monotonic()
            score.tried += 1
            try:
                _, reading = desk.read(page(), "honest.pdf")
            except (DocumentError, AwayError, FatalError) as error:
                score.refused[type(error).__name__] += 1
                continue
            proposal, decision = decided(reading)
            score.slowest = max(score.slowest, time.monotonic() - started)
            if decision.outcome is Outcome.FILL:
                score.filled += 1
                if why := wrong(proposal, paper()):
                    score.leaks.append(f"{name}: {why}")
            else:
                score.review += 1
    return score


def _with_model(folder: Path, url: str) -> Settings:
    (folder / "key").write_text(KEY)
    (folder / "key").chmod(0o600)
    lines = [
        f'data_dir = "{folder}/data"',
        "[vlm]",
        f'url = "{url}"',
        f'api_key_file = "{folder}/key"',
        "answers_megabytes = 0",
    ]
    (folder / "vouch.toml").write_text("\n".join(lines))
    return load_settings(folder / "vouch.toml")


def rows() -> Iterator[tuple[str, Score]]:
    """The documents by kind, then the answers."""
    yield from scores(documents())
    yield "answers of a model", answer_score()


def main() -> int:
    """Print the table; 1 where anything leaked."""
    with Sandbox(Limits(seconds=SECONDS)) as sandbox:
        proposal, decision = judged(sandbox, page(), "honest.pdf")
        if decision.outcome is not Outcome.FILL or wrong(proposal, paper()):
            print(f"The honest bill is not filled: {decision.reasons}")
            return 1
    print(
        f"{'kind':34}{'tried':>6}{'refused':>9}{'review':>8}{'skipped':>9}{'filled':>8}{'leaks':>7}{'slowest':>9}{'peak':>9}"
    )
    leaks: list[str] = []
    total = Score()
    for kind, one in rows():
        refused = one.refused.total()
        print(
            f"{kind:34}{one.tried:6}{refused:9}{one.review:8}{one.skipped:9}{one.filled:8}{len(one.leaks):7}"
            f"{one.slowest:7.1f} s{one.most:6.0f} MB",
            flush=True,
        )
        leaks += one.leaks
        total.tried, total.review, total.skipped = (
            total.tried + one.tried,
            total.review + one.review,
            total.skipped + one.skipped,
        )
        total.filled, total.refused = total.filled + one.filled, total.refused + one.refused
    print(
        f"{'all':34}{total.tried:6}{total.refused.total():9}{total.review:8}{total.skipped:9}{total.filled:8}{len(leaks):7}"
    )
    print("refused as " + ", ".join(f"{reason} ({count})" for reason, count in total.refused.most_common()))
    for leak in leaks:
        print(f"LEAK {leak}")
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
