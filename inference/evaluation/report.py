"""The run as one HTML file that an accountant can read: no scripts, nothing fetched, everything escaped."""

from __future__ import annotations

import heapq
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from inference.evaluation.charts import reliability, risk_coverage
from inference.evaluation.figures import MOST_ERROR, Share, by_set, figures
from inference.evaluation.outcome import Outcome, Value, Verdict
from inference.evaluation.places import place
from inference.evaluation.truth import FIELD_NAMES, HEADER_SCORED
from inference.invoice import HEADER

if TYPE_CHECKING:
    from inference.evaluation.compare import Comparison
    from inference.evaluation.figures import Counts
    from inference.evaluation.record import Record
    from inference.evaluation.run import Scored
    from inference.evaluation.targets import Reached

MOST_PICTURES, MOST_MISTAKES, MOST_CHANGES, MOST_DOCUMENTS, MOST_FAILURES = 60, 400, 300, 25, 200
LONGEST_VALUE = 160
_Key = tuple[str, str, str]
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong value, the document it was read from and the place on its page; no place is empty."""

    outcome: Outcome
    value: Value
    place: Markup


@dataclass(slots=True)
class Gallery:
    """The pages of the surest mistakes; so many of them that the report stays small."""

    _kept: list[tuple[float, int, _Key, bytes]] = field(default_factory=list[tuple[float, int, _Key, bytes]])
    _seen: int = 0

    def add(self, scored: Scored) -> None:
        """Keep a document's pages as long as no surer mistakes need the room."""
        sure = {value.name: value.confidence or 0.0 for value in _values(scored.outcome)}
        for name, page in scored.pages.items():
            self._seen += 1
            key = (scored.outcome.set, scored.outcome.id, name)
            heapq.heappush(self._kept, (sure[name], -self._seen, key, page))
            if len(self._kept) > MOST_PICTURES:
                heapq.heappop(self._kept)

    def pages(self) -> dict[_Key, bytes]:
        """The pages (WebP) by set, document and name of the value."""
        return {key: page for _, _, key, page in self._kept}


def render_report(
    record: Record, targets: Sequence[Reached], comparison: Comparison | None, gallery: Gallery
) -> str:
    """The HTML document."""
    found = figures(record.outcomes)
    mistakes = _mistakes(record.outcomes, gallery.pages())
    pictured = [mistake for mistake in mistakes if mistake.place]
    return _environment().get_template("report.html").render(
        record=record,
        finished=datetime.fromisoformat(record.finished),
        found=found,
        fields=_fields(found.fields),
        sets={name: figures(group) for name, group in by_set(record.outcomes).items()},
        targets=targets,
        comparison=comparison,
        confusion=_confusion(found.confusion),
        reliability=reliability(found.calibration),
        risk=risk_coverage(found.calibration, MOST_ERROR),
        kinds=_times(record.outcomes),
        slowest=sorted(record.outcomes, key=lambda one: -one.milliseconds)[:8],
        worst=_worst(record.outcomes),
        failed=[outcome for outcome in record.outcomes if outcome.failure],
        pictured=pictured,
        mistakes=[mistake for mistake in mistakes if not mistake.place],
        unused=sorted({label for outcome in record.outcomes for label in outcome.unused}),
        limits={"mistakes": MOST_MISTAKES, "changes": MOST_CHANGES, "failures": MOST_FAILURES},
    )  # fmt: skip


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": _percent,
        "share": _share,
        "interval": _interval,
        "whole": _whole,
        "words": _words,
        "short": _short,
        "seconds": _seconds,
        "points": _points,
    }
    return environment


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _share(share: Share) -> str:
    return f"{share.value:.1%}" if share.n else "–"


def _whole(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f}"


def _points(difference: float) -> str:
    return f"{difference * 100:+.1f}".replace("-", "−")


def _interval(share: Share) -> str:
    low, high = share.interval
    return f"{low * 100:.1f}–{high * 100:.1f}" if share.n else ""


def _words(name: str) -> str:
    """A name of the vocabulary as people write it: `total_without_vat` as “Total without VAT”."""
    said = {"vat": "VAT", "bic": "BIC", "ece": "error"}
    words = " ".join(said.get(word, word) for word in re.split(r"[_.]", name))
    return words[:1].upper() + words[1:]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def _values(outcome: Outcome) -> tuple[Value, ...]:
    return (*outcome.values, outcome.type) if outcome.type else outcome.values


def _fields(counts: Mapping[str, Counts]) -> dict[str, dict[str, Counts]]:
    """Those that the header counts, and the others, each in the order of the vocabulary."""
    order = [*FIELD_NAMES.values(), *HEADER]
    names = sorted(counts, key=order.index)
    return {
        "header": {name: counts[name] for name in names if name in HEADER_SCORED},
        "others": {name: counts[name] for name in names if name not in HEADER_SCORED},
    }


def _mistakes(outcomes: Sequence[Outcome], pages: Mapping[_Key, bytes]) -> list[Mistake]:
    """All wrong values, the surest first."""
    found = [
        Mistake(outcome, value, _place(value, pages.get((outcome.set, outcome.id, value.name))))
        for outcome in outcomes
        for value in _values(outcome)
        if value.verdict is Verdict.WRONG
    ]
    return sorted(found, key=lambda mistake: -(mistake.value.confidence or 0.0))


def _place(value: Value, page: bytes | None) -> Markup:
    proof = value.evidence
    return place(page, proof.box) if page and proof and proof.box else Markup()


def _worst(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The documents with the most to mend: wrong values count double, for they look right."""
    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        wrong = [value for value in _values(outcome) if value.verdict is Verdict.WRONG]
        missing = [value for value in _values(outcome) if value.verdict is Verdict.MISSING]
        lines = outcome.lines
        lost = lines.truth + lines.given - 2 * lines.right if lines else 0
        if outcome.failure is None and (wrong or missing or lost):
            weight = 2 * len(wrong) + len(missing) + min(lost, 6) / 2
            rows.append({"outcome": outcome, "wrong": wrong, "missing": missing, "weight": weight})
    return sorted(rows, key=lambda row: -row["weight"])[:MOST_DOCUMENTS]


def _confusion(counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Rows by the true type, columns by the type read, largest first."""
    wanted: dict[str, int] = {}
    given: dict[str, int] = {}
    for (truth, read), n in counts.items():
        wanted[truth] = wanted.get(truth, 0) + n
        given[read] = given.get(read, 0) + n
    rows = sorted(wanted, key=lambda name: -wanted[name])
    columns = [name for name in rows if name in given]
    columns += sorted(
        (name for name in given if name not in wanted), key=lambda name: (name == "", -given[name])
    )
    return {"rows": rows, "columns": columns, "counts": counts, "totals": wanted}


def _times(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Per kind of document: how many, and seconds per document."""
    groups: dict[str, list[float]] = {}
    for outcome in outcomes:
        if not outcome.failure:
            groups.setdefault(outcome.kind, []).append(outcome.milliseconds)
    return [
        {"kind": kind, "n": len(times), "median": statistics.median(times), "mean": statistics.fmean(times)}
        for kind, times in sorted(groups.items())
    ]
