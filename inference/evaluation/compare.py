"""Two runs over the same documents: what got better and worse, and whether chance explains what fell.

The rule of the gate: the documents that both runs have are drawn again, as many as there are, with replacement, a
thousand times, the same ones for both runs (paired bootstrap, Efron and Tibshirani 1993, chapter 16; a document is
drawn as a whole, because the values on one page go wrong together). A measure fell beyond chance when it is lower than
before in at least 97.5 % of these draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from inference.evaluation.figures import BINS, Counts
from inference.evaluation.outcome import Outcome, Value, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS = 1000
CERTAIN = 0.975
_SEED = 20260101
_RANK = {Verdict.WRONG: 0, Verdict.MISSING: 1, Verdict.RIGHT: 2}


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is right now and was not, or missing now and was wrong (`better`); or the other way round."""

    id: str
    set: str
    old: Value
    new: Value

    @property
    def better(self) -> bool:
        """Right beats missing, and missing beats wrong."""
        return _RANK[self.new.verdict] > _RANK[self.old.verdict]

    def as_json(self) -> dict[str, Any]:
        """`{"id","set","better","old","new"}`."""
        return {
            "id": self.id,
            "set": self.set,
            "better": self.better,
            "old": self.old.as_json(),
            "new": self.new.as_json(),
        }


@dataclass(frozen=True, slots=True)
class LineChange:
    """A document whose number of right lines, or of lines read, changed."""

    id: str
    set: str
    old: tuple[int, int, int]
    new: tuple[int, int, int]

    @property
    def better(self) -> bool:
        """More right ones less those too many."""
        return 2 * self.new[2] - self.new[1] > 2 * self.old[2] - self.old[1]

    def as_json(self) -> dict[str, Any]:
        """`{"id","set","better","old","new"}`, the latter each as truth, given, right."""
        keys = ("truth", "given", "right")
        return {
            "id": self.id,
            "set": self.set,
            "better": self.better,
            "old": dict(zip(keys, self.old, strict=True)),
            "new": dict(zip(keys, self.new, strict=True)),
        }


@dataclass(frozen=True, slots=True)
class Shift:
    """A measure before and after; `low` and `high` bound the difference in 95 % of the draws, `fell` is the gate."""

    measure: str
    old: float
    new: float
    low: float
    high: float
    fell: bool

    def as_json(self) -> dict[str, Any]:
        """`{"measure","old","new","low","high","fell"}`."""
        numbers = {"old": self.old, "new": self.new, "low": self.low, "high": self.high}
        return {
            "measure": self.measure,
            **{name: round(number, 4) for name, number in numbers.items()},
            "fell": self.fell,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """`common` documents are compared; those that only one run has are named. `fields` has old and new counts."""

    common: int
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    shifts: tuple[Shift, ...]
    fields: Mapping[str, tuple[Counts, Counts]]
    values: tuple[Change, ...]
    lines: tuple[LineChange, ...]

    @property
    def fell(self) -> list[str]:
        """The measures that fell beyond what chance explains."""
        return [shift.measure for shift in self.shifts if shift.fell]

    def as_json(self) -> dict[str, Any]:
        """See docs/eval.md."""
        return {
            "documents": self.common,
            "only_old": list(self.only_old),
            "only_new": list(self.only_new),
            "measures": [shift.as_json() for shift in self.shifts],
            "fields": {
                name: {"old": old.as_json(), "new": new.as_json()} for name, (old, new) in self.fields.items()
            },
            "values": [change.as_json() for change in self.values],
            "lines": [change.as_json() for change in self.lines],
        }


def compare(old: Sequence[Outcome], new: Sequence[Outcome]) -> Comparison:
    """What changed from the old run to the new, over the documents in both."""
    before = {(outcome.set, outcome.id): outcome for outcome in old}
    after = {(outcome.set, outcome.id): outcome for outcome in new}
    common = [key for key in after if key in before]
    pairs = [(before[key], after[key]) for key in common]
    return Comparison(
        len(common),
        tuple("/".join(key) for key in before if key not in after),
        tuple("/".join(key) for key in after if key not in before),
        tuple(_shifts(pairs)),
        _fields(pairs),
        tuple(change for pair in pairs for change in _changes(*pair)),
        tuple(change for pair in pairs for change in _line_changes(*pair)),
    )


def _changes(old: Outcome, new: Outcome) -> list[Change]:
    before = {value.name: value for value in _all(old)}
    pairs = [(before[value.name], value) for value in _all(new) if value.name in before]
    return [Change(new.id, new.set, one, other) for one, other in pairs if one.verdict != other.verdict]


def _line_changes(old: Outcome, new: Outcome) -> list[LineChange]:
    if not old.lines or not new.lines or old.lines == new.lines:
        return []
    one, other = old.lines, new.lines
    return [
        LineChange(
            new.id, new.set, (one.truth, one.given, one.right), (other.truth, other.given, other.right)
        )
    ]


def _all(outcome: Outcome) -> tuple[Value, ...]:
    return (*outcome.values, outcome.type) if outcome.type else outcome.values


def _fields(pairs: Sequence[tuple[Outcome, Outcome]]) -> dict[str, tuple[Counts, Counts]]:
    names = dict.fromkeys(value.name for pair in pairs for outcome in pair for value in _all(outcome))
    return {name: (_counts(pairs, 0, name), _counts(pairs, 1, name)) for name in names}


def _counts(pairs: Sequence[tuple[Outcome, Outcome]], side: int, name: str) -> Counts:
    return Counts.of(value for pair in pairs for value in _all(pair[side]) if value.name == name)


class _Tally:
    """A run as arrays, so that a thousand draws of documents take a moment."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        counts = [Counts.of(outcome.header) for outcome in outcomes]
        lines = [outcome.lines for outcome in outcomes]
        self.right = np.array([count.right for count in counts], float)
        self.given = np.array([count.right + count.wrong for count in counts], float)
        self.n = np.array([count.n for count in counts], float)
        self.line_hits = np.array([line.right if line else 0 for line in lines], float)
        self.line_both = np.array([line.truth + line.given if line else 0 for line in lines], float)
        sure = [
            (value.confidence, value.verdict is Verdict.RIGHT, place)
            for place, outcome in enumerate(outcomes)
            for value in outcome.header
            if value.confidence is not None
        ]
        sure.sort(key=lambda one: -one[0])
        self.confidence = np.array([one[0] for one in sure], float)
        self.hit = np.array([one[1] for one in sure], float)
        self.document = np.array([one[2] for one in sure], int)

    def ece(self, draw: NDArray[np.int64]) -> float:
        """As `Calibration.ece`, each document counted as often as it was drawn."""
        times = draw[self.document]
        gap = np.repeat(self.confidence - self.hit, times)
        if not len(gap):
            return 0.0
        edges = np.arange(0, len(gap), max(1, len(gap) // BINS))
        return float(np.abs(np.add.reduceat(gap, edges)).sum() / len(gap))


def _ratio(hits: NDArray[np.float64], n: NDArray[np.float64], draw: NDArray[np.int64]) -> float:
    total = float(n @ draw)
    return float(hits @ draw) / total if total else 0.0


_MEASURES: Mapping[str, Callable[[_Tally, NDArray[np.int64]], float]] = MappingProxyType(
    {
        "header.accuracy": lambda run, draw: _ratio(run.right, run.n, draw),
        "header.precision": lambda run, draw: _ratio(run.right, run.given, draw),
        "lines.f1": lambda run, draw: 2 * _ratio(run.line_hits, run.line_both, draw),
        "calibration.ece": lambda run, draw: run.ece(draw),
    }
)
_LESS_IS_BETTER = frozenset({"calibration.ece"})


def _shifts(pairs: Sequence[tuple[Outcome, Outcome]]) -> list[Shift]:
    if not pairs:
        return []
    old, new = _Tally([pair[0] for pair in pairs]), _Tally([pair[1] for pair in pairs])
    size = len(pairs)
    once = np.ones(size, np.int64)
    chance = np.random.default_rng(_SEED)
    draws = [np.bincount(chance.integers(0, size, size), minlength=size) for _ in range(DRAWS)]
    shifts: list[Shift] = []
    for name, measure in _MEASURES.items():
        moved = np.array([measure(new, draw) - measure(old, draw) for draw in draws])
        worse = moved > 0 if name in _LESS_IS_BETTER else moved < 0
        low, high = (float(bound) for bound in np.quantile(moved, (0.025, 0.975)))
        before, after = measure(old, once), measure(new, once)
        shifts.append(Shift(name, before, after, low, high, bool(worse.mean() >= CERTAIN)))
    return shifts
