"""Many documents in figures: per field, per set, lines, document types, calibration, time.

Every share carries what it was counted on, and its Wilson interval (Wilson 1927, JASA 22:209): what chance allows,
95 times in 100, if the values were drawn from documents like these.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from inference.evaluation.outcome import Verdict

if TYPE_CHECKING:
    from inference.evaluation.outcome import Outcome, Value

BINS = 10
MOST_ERROR = 0.01
"""The share of wrong values that `coverage` allows."""

Z95 = 1.959964


class Share(NamedTuple):
    """`hits` of `n`."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        """0–1; 0 where nothing was counted."""
        return self.hits / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; 0–1 where nothing was counted."""
        if not self.n:
            return 0.0, 1.0
        square = Z95 * Z95 / self.n
        middle = (self.value + square / 2) / (1 + square)
        reach = Z95 * math.sqrt(self.value * (1 - self.value) / self.n + square / (4 * self.n)) / (1 + square)
        # At the ends the bounds are exact; elsewhere rounding must not push them past what was counted.
        low = 0.0 if self.hits == 0 else min(self.value, middle - reach)
        high = 1.0 if self.hits == self.n else max(self.value, middle + reach)
        return low, high

    def as_json(self) -> dict[str, Any]:
        """`{"value","n","low","high"}`."""
        low, high = self.interval
        return {"value": round(self.value, 4), "n": self.n, "low": round(low, 4), "high": round(high, 4)}


@dataclass(frozen=True, slots=True)
class Counts:
    """Values by what became of them."""

    right: int = 0
    wrong: int = 0
    missing: int = 0

    @classmethod
    def of(cls, values: Iterable[Value]) -> Counts:
        """Counted."""
        found = Counter(value.verdict for value in values)
        return cls(found[Verdict.RIGHT], found[Verdict.WRONG], found[Verdict.MISSING])

    @property
    def n(self) -> int:
        """Values in the truth."""
        return self.right + self.wrong + self.missing

    @property
    def accuracy(self) -> Share:
        """Right of those on the pages."""
        return Share(self.right, self.n)

    @property
    def precision(self) -> Share:
        """Right of those that were read."""
        return Share(self.right, self.right + self.wrong)

    def as_json(self) -> dict[str, Any]:
        """Counts and both shares."""
        return {
            "n": self.n,
            "right": self.right,
            "wrong": self.wrong,
            "missing": self.missing,
            "accuracy": self.accuracy.as_json(),
            "precision": self.precision.as_json(),
        }


@dataclass(frozen=True, slots=True)
class LineFigures:
    """Lines over several documents. `exact` counts documents with every line right and none too many."""

    precision: Share
    recall: Share
    exact: Share

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> LineFigures:
        """Over the documents whose truth has lines."""
        counts = [outcome.lines for outcome in outcomes if outcome.lines]
        right = sum(count.right for count in counts)
        return cls(
            Share(right, sum(count.given for count in counts)),
            Share(right, sum(count.truth for count in counts)),
            Share(sum(count.exact for count in counts), len(counts)),
        )

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision.n + self.recall.n
        return 2 * self.recall.hits / both if both else 0.0

    def as_json(self) -> dict[str, Any]:
        """All four figures."""
        return {
            "f1": round(self.f1, 4),
            "precision": self.precision.as_json(),
            "recall": self.recall.as_json(),
            "exact": self.exact.as_json(),
        }


class Bin(NamedTuple):
    """Values of like confidence: the mean of it, and how many were right."""

    confidence: float
    right: Share


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether confidence means what it says, over the header values that were read and have truth.

    `ece`: the mean distance of confidence and share of right values, over `bins` of equal counts. `coverage`: the
    largest share of the values on the pages, taken by falling confidence, of which at most 1 % are wrong, and
    `threshold` the confidence where it ends. `curve`: points (share of the values on the pages, share of wrong ones).
    """

    n: int
    ece: float
    coverage: Share
    threshold: float | None
    bins: tuple[Bin, ...]
    curve: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, values: Sequence[Value]) -> Calibration:
        """Over header values in the order of the documents; equal confidences stay in that order."""
        sure = [(v.confidence, v.verdict is Verdict.RIGHT) for v in values if v.confidence is not None]
        sure.sort(key=lambda one: -one[0])
        curve: list[tuple[float, float]] = []
        wrong, covered = 0, 0
        for place, (_, right) in enumerate(sure, 1):
            wrong += not right
            if wrong <= MOST_ERROR * place:
                covered = place
            curve.append((place / len(values), wrong / place))
        bins = tuple(_bins(sure))
        distance = sum(abs(one.confidence * one.right.n - one.right.hits) for one in bins)
        threshold = sure[covered - 1][0] if covered else None
        return cls(
            len(sure),
            distance / len(sure) if sure else 0.0,
            Share(covered, len(values)),
            threshold,
            bins,
            tuple(curve),
        )

    def as_json(self) -> dict[str, Any]:
        """Without the curve, which the documents' values give again."""
        return {
            "n": self.n,
            "ece": round(self.ece, 4),
            "coverage_at_1pct_error": self.coverage.as_json(),
            "threshold": self.threshold,
            "bins": [
                {"confidence": round(one.confidence, 4)} | one.right.as_json() | {"right": one.right.hits}
                for one in self.bins
            ],
        }


def _bins(sure: Sequence[tuple[float, bool]]) -> Iterable[Bin]:
    size = max(1, len(sure) // BINS)
    for start in range(0, len(sure), size):
        group = sure[start : start + size]
        yield Bin(
            statistics.fmean(confidence for confidence, _ in group),
            Share(sum(right for _, right in group), len(group)),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures over some documents. `header` and `calibration` count the values of `HEADER_SCORED`, `fields` each
    one by its name; `clean` and `core_clean` count the documents with header truth."""

    documents: int
    failed: int
    header: Counts
    clean: Share
    core_clean: Share
    fields: Mapping[str, Counts]
    lines: LineFigures
    type: Counts
    confusion: Mapping[tuple[str, str], int]
    calibration: Calibration
    mean_ms: float
    median_ms: float

    def as_json(self) -> dict[str, Any]:
        """See docs/eval.md. `confusion` is a list of `{"truth","given","n"}`; nothing read is an empty `given`."""
        confusion = [{"truth": t, "given": g, "n": n} for (t, g), n in sorted(self.confusion.items())]
        return {
            "documents": self.documents,
            "failed": self.failed,
            "header": self.header.as_json()
            | {"clean": self.clean.as_json(), "core_clean": self.core_clean.as_json()},
            "fields": {name: counts.as_json() for name, counts in self.fields.items()},
            "lines": self.lines.as_json(),
            "document_type": self.type.as_json() | {"confusion": confusion},
            "calibration": self.calibration.as_json(),
            "time_ms": {"mean": round(self.mean_ms, 1), "median": round(self.median_ms, 1)},
        }


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """The figures over these documents."""
    values = [value for outcome in outcomes for value in outcome.values]
    by_name: dict[str, list[Value]] = {}
    for value in values:
        by_name.setdefault(value.name, []).append(value)
    header = [value for outcome in outcomes for value in outcome.header]
    headed = [outcome for outcome in outcomes if outcome.header]
    types = [outcome.type for outcome in outcomes if outcome.type]
    times = [outcome.milliseconds for outcome in outcomes if not outcome.failure]
    return Figures(
        documents=len(outcomes),
        failed=sum(outcome.failure is not None for outcome in outcomes),
        header=Counts.of(header),
        clean=Share(sum(outcome.clean for outcome in headed), len(headed)),
        core_clean=Share(sum(outcome.core_clean for outcome in headed), len(headed)),
        fields={name: Counts.of(group) for name, group in by_name.items()},
        lines=LineFigures.of(outcomes),
        type=Counts.of(types),
        confusion=Counter((value.truth, value.given or "") for value in types),
        calibration=Calibration.of(header),
        mean_ms=statistics.fmean(times) if times else 0.0,
        median_ms=statistics.median(times) if times else 0.0,
    )


def by_set(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """The documents of each set, sets in alphabetical order."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.set, []).append(outcome)
    return dict(sorted(groups.items()))
