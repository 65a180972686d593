"""A folder read and scored, each document in a sandbox, several side by side."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING

from inference.errors import DamagedDocument, DocumentError, OversizedDocument
from inference.evaluation.folder import legible
from inference.evaluation.outcome import Outcome, Value, Verdict, score_document
from inference.evaluation.truth import Truth, read_truth
from inference.isolation import Sandbox
from inference.page import Limits
from inference.readers.vlm.desk import VisionDesk
from inference.vllm.errors import ModelSlow

if TYPE_CHECKING:
    from pathlib import Path

    from inference.evaluation.folder import Case
    from inference.invoice import Reading
    from inference.isolation import Opened
    from inference.readers.vlm.reader import VisionReader

# More of one document would hide the others.
PICTURES_PER_DOCUMENT = 3
LONG_SIDE, MOST_BYTES = 1100, 60_000
# One name for all: a sandbox that is asked for a page of the same document need not open it again.
NAME = "document"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a folder is read: by which reader, in how many processes, within which limits.

    `predictions` is a folder that gets each Reading as `<set>/<id>.json`; `pictures` asks for the pages of what is wrong;
    `vision` reads beside the layout reader.
    """

    reader: str = "auto"
    jobs: int = 1
    limits: Limits = field(default_factory=Limits)
    predictions: Path | None = None
    pictures: bool = False
    vision: VisionReader | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A document's Outcome, and the pages (WebP) on which its surest wrong values were seen, by name of the value."""

    outcome: Outcome
    pages: dict[str, bytes] = field(default_factory=dict[str, bytes])


def run(cases: Sequence[Case], plan: Plan) -> Generator[tuple[int, Scored]]:
    """Each case's position and result, as they are done. A document that cannot be read has a failure, and stops
    no other one; closing the generator leaves out those not begun.

    Raises TruthError before anything is read, ReaderUnavailable where no process can be started, ModelAway and
    ModelMisconfigured where the model server gives no answers: figures without them would be another reader's.
    """
    truths = [read_truth(case.truth) for case in cases]
    jobs = max(1, min(plan.jobs, len(cases)))
    desks: SimpleQueue[Sandbox] = SimpleQueue()
    with ExitStack() as stack:
        for _ in range(jobs):
            desks.put(stack.enter_context(Sandbox(plan.limits, plan.reader)))
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        futures = {
            pool.submit(_at_a_desk, desks, case, truth, plan): place
            for place, (case, truth) in enumerate(zip(cases, truths, strict=True))
        }
        try:
            for future in as_completed(list(futures)):
                # Forgotten at once, so that the pictures of thousands of documents do not pile up.
                yield futures.pop(future), future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _at_a_desk(desks: SimpleQueue[Sandbox], case: Case, truth: Truth, plan: Plan) -> Scored:
    desk = desks.get()
    try:
        return _score(desk, case, truth, plan)
    finally:
        desks.put(desk)


def _score(desk: Sandbox, case: Case, truth: Truth, plan: Plan) -> Scored:
    desk.start()
    opened, reading, failure = None, None, None
    started = time.perf_counter()
    try:
        data = _bytes(case.document, plan.limits)
        reads = VisionDesk(desk, plan.vision) if plan.vision else desk
        opened, reading = reads.read(data, NAME)
    except DocumentError as error:
        data, failure = b"", (error.reason, str(error))
    except ModelSlow as error:
        data, failure = b"", ("slow", str(error))
    spent = (time.perf_counter() - started) * 1000
    outcome = replace(
        score_document(truth, reading, name=case.id, group=case.set),
        file=legible(case.document.name),
        milliseconds=spent,
        failure=failure,
    )
    if opened is None or reading is None:
        return Scored(outcome)
    if plan.predictions:
        _keep(opened, reading, case, plan.predictions)
    outcome = replace(outcome, kind=opened.origin, pages=len(opened.sizes))
    return Scored(outcome, dict(_pages(desk, data, outcome)) if plan.pictures else {})


def _bytes(file: Path, limits: Limits) -> bytes:
    try:
        if file.stat().st_size > limits.megabytes * 1e6:
            raise OversizedDocument(f"The file is larger than {limits.megabytes:g} MB. Raise the limit.")
        return file.read_bytes()
    except OSError as error:
        raise DamagedDocument(f"The file cannot be opened: {error.strerror}. Check its rights.") from error


def _keep(opened: Opened, reading: Reading, case: Case, folder: Path) -> None:
    head = {
        "name": legible(case.document.name),
        "sha256": opened.sha256,
        "mime": opened.mime,
        "pages": len(opened.sizes),
        "kind": opened.origin,
    }
    file = folder / case.set / f"{case.id}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    node = {"document": head} | reading.as_json()
    content = json.dumps(node, ensure_ascii=False, indent=1) + "\n"
    file.write_text(content, encoding="utf-8", errors="backslashreplace")


def _pages(desk: Sandbox, data: bytes, outcome: Outcome) -> Generator[tuple[str, bytes]]:
    """The pages of the wrong values that have a place on one, the surest first."""
    values = [*outcome.values, *([outcome.type] if outcome.type else [])]
    wrong = [value for value in values if value.verdict is Verdict.WRONG]
    wrong.sort(key=lambda value: -(value.confidence or 0))
    for value in wrong[:PICTURES_PER_DOCUMENT]:
        if picture := _page(desk, data, value):
            yield value.name, picture


def _page(desk: Sandbox, data: bytes, value: Value) -> bytes | None:
    proof = value.evidence
    if proof is None or proof.box is None or proof.page is None:
        return None
    try:
        return desk.picture(data, proof.page, LONG_SIDE, MOST_BYTES)
    except DocumentError:  # The values are known all the same; the report shows them without the page.
        return None
