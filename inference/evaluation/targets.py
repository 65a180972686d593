"""Targets: the least (or most) that a measure must reach over some sets, from a TOML file.

[[target]]
name = "Invoice totals"            # optional, shown to people
measure = "total_with_vat.accuracy"
sets = ["suppliers", "receipts"]   # optional, else all
least = 0.95                       # or most = 0.04
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from inference.evaluation.figures import Figures, Share, figures
from inference.invoice import HEADER

if TYPE_CHECKING:
    from pathlib import Path

    from inference.evaluation.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure's value, what it was counted on, and its interval where it is a share."""

    value: float
    n: int
    interval: tuple[float, float] | None = None

    @classmethod
    def of(cls, share: Share) -> Measured:
        """A share."""
        return cls(share.value, share.n, share.interval)


MEASURES: Mapping[str, Callable[[Figures], Measured]] = MappingProxyType(
    {
        "header.accuracy": lambda f: Measured.of(f.header.accuracy),
        "header.precision": lambda f: Measured.of(f.header.precision),
        "header.clean": lambda f: Measured.of(f.clean),
        "header.core_clean": lambda f: Measured.of(f.core_clean),
        "lines.f1": lambda f: Measured(f.lines.f1, f.lines.recall.n),
        "lines.precision": lambda f: Measured.of(f.lines.precision),
        "lines.recall": lambda f: Measured.of(f.lines.recall),
        "lines.exact": lambda f: Measured.of(f.lines.exact),
        "document_type.accuracy": lambda f: Measured.of(f.type.accuracy),
        "calibration.ece": lambda f: Measured(f.calibration.ece, f.calibration.n),
        "calibration.coverage": lambda f: Measured.of(f.calibration.coverage),
    }
)
"""What can be asked for, beside `FIELD.accuracy` and `FIELD.precision`."""


class TargetsError(Exception):
    """The targets cannot be understood. The message names the file and the key."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a measure over some sets (all where empty). `most` turns the bound around."""

    measure: str
    bound: float
    most: bool = False
    sets: tuple[str, ...] = ()
    name: str = ""

    def met(self, value: float) -> bool:
        """Whether that value keeps the bound."""
        return value <= self.bound if self.most else value >= self.bound


@dataclass(frozen=True, slots=True)
class Reached:
    """A Target and what was reached; `measured` is None where these sets had nothing to measure."""

    target: Target
    measured: Measured | None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where nothing was measured."""
        return None if self.measured is None else self.target.met(self.measured.value)

    def as_json(self) -> dict[str, Any]:
        """`{"name","measure","sets","least"|"most","value","n","met"}`."""
        target = self.target
        return {
            "name": target.name,
            "measure": target.measure,
            "sets": list(target.sets),
            "most" if target.most else "least": target.bound,
            "value": round(self.measured.value, 4) if self.measured else None,
            "n": self.measured.n if self.measured else 0,
            "met": self.met,
        }


def read_targets(file: Path) -> list[Target]:
    """The targets in a file. Raises TargetsError."""
    try:
        node = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise TargetsError(f"{file}: cannot be opened: {error.strerror}.") from error
    except ValueError as error:
        raise TargetsError(f"{file}: is not TOML: {error}.") from error
    entries = node.get("target")
    if not isinstance(entries, list) or not entries:
        raise TargetsError(f"{file}: has no [[target]].")
    try:
        return [_target(entry) for entry in cast("list[Mapping[str, object]]", entries)]
    except TargetsError as error:
        raise TargetsError(f"{file}: {error}") from None


def reached(targets: Sequence[Target], outcomes: Sequence[Outcome]) -> list[Reached]:
    """What these documents reached of each target."""
    return [Reached(target, _measured(target, outcomes)) for target in targets]


def _measured(target: Target, outcomes: Sequence[Outcome]) -> Measured | None:
    chosen = [outcome for outcome in outcomes if not target.sets or outcome.set in target.sets]
    found = figures(chosen)
    if measure := MEASURES.get(target.measure):
        measured = measure(found)
    else:
        name, _, kind = target.measure.rpartition(".")
        counts = found.type if name == "document_type" else found.fields.get(name)
        if counts is None:
            return None
        measured = Measured.of(counts.precision if kind == "precision" else counts.accuracy)
    return measured if measured.n else None


def _target(entry: Mapping[str, object]) -> Target:
    measure, name = str(entry.get("measure", "")), str(entry.get("name", ""))
    field, _, kind = measure.rpartition(".")
    if measure not in MEASURES and not (field in HEADER and kind in ("accuracy", "precision")):
        known = ", ".join(MEASURES)
        raise TargetsError(
            f"there is no measure “{measure}”. Choose {known}, FIELD.accuracy or FIELD.precision."
        )
    bounds = [key for key in ("least", "most") if key in entry]
    if len(bounds) != 1 or not isinstance(bound := entry[bounds[0]], int | float):
        raise TargetsError(f"{measure} needs either “least” or “most”, a number.")
    sets = entry.get("sets", [])
    if not isinstance(sets, list):
        raise TargetsError(f"{measure}: “sets” must be a list of names.")
    if unknown := entry.keys() - {"name", "measure", "sets", "least", "most"}:
        raise TargetsError(f"{measure}: unknown key “{', '.join(sorted(unknown))}”.")
    return Target(
        measure, float(bound), bounds[0] == "most", tuple(map(str, cast("list[object]", sets))), name
    )
