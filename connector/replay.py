"""The regression sentinel: posted bills read again, and both Readings held against what people posted."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import inference
from connector.ledger.judged import is_right
from inference.invoice import HEADER, value_as_json

if TYPE_CHECKING:
    from connector.settings import Settings
    from inference.invoice import Reading

CHANCE = 0.05
"""A fall that chance alone explains at least so often is none."""
LEAST_VALUES = 20
_NOTHING = 1e-9
_DEVIATIONS = 1.645
"""Of a mean that is above zero by chance in `CHANCE` of all cases (normal distribution)."""


def identity_of(settings: Settings, reader: str = "") -> str:
    """What reads: version and content of the readers, which one is asked for, and the model; another one is unproven."""
    chosen = reader or settings.reading.reader
    asked = f"vouch {version('vouch')} ({_content()}) {chosen}"
    if chosen in ("auto", "vlm") and settings.vlm.url is not None:
        asked += f" {settings.vlm.profile}/{settings.vlm.model or settings.vlm.profile}"
        asked += " with a second look" if settings.vlm.second_look else ""
    return asked[:200]


@cache
def _content() -> str:
    """A hash of everything in `inference`: code, prompts, words and weights."""
    found = hashlib.sha256()
    root = Path(inference.__file__).parent
    for file in sorted(root.rglob("*")):
        if file.suffix in (".py", ".toml", ".json"):
            found.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return found.hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Read:
    """What a Reading says of a Term: how sure, and whether it is what people posted."""

    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class Twice:
    """A value that people posted, as it was read then and is read now; None where it was not read."""

    document: int
    term: str
    then: Read | None
    now: Read | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How two ways of reading compare over the same bills. `sure_wrong` are values at or above the dial that are wrong;
    `brier` is the mean squared error of the confidences of values that both have. `faults` says what fell."""

    bills: int
    values: int
    right_then: int
    right_now: int
    better: tuple[str, ...]
    worse: tuple[str, ...]
    sure_wrong_then: int
    sure_wrong_now: int
    brier_then: float
    brier_now: float
    faults: tuple[str, ...]


def twice(
    document: int,
    then: Reading,
    now: Reading | None,
    standing_then: dict[str, str],
    standing_now: dict[str, str],
) -> Iterator[Twice]:
    """Both Readings of a document, by Term. `standing_…` is what the posted bill says of each Reading's values."""
    for term in sorted({*standing_then, *standing_now}):
        first = _read(then, term, standing_then.get(term) or standing_now[term])
        second = _read(now, term, standing_now.get(term) or standing_then[term]) if now else None
        yield Twice(document, term, first, second)


def _read(reading: Reading, term: str, standing: str) -> Read | None:
    found = reading.get(term)
    if found is None or term not in HEADER:
        return None
    return Read(found.confidence, is_right(term, value_as_json(found.value), standing))


def outcome_of(values: Sequence[Twice], dial: float) -> Outcome:
    """What got better and worse, and whether by more than chance. `dial` is from where on a value counts as sure."""
    better = [one for one in values if _right(one.now) and not _right(one.then)]
    worse = [one for one in values if _right(one.then) and not _right(one.now)]
    pairs = [(one.then, one.now) for one in values if one.then and one.now]
    sure_then, sure_now = (
        _sure_wrong((one.then for one in values), dial),
        _sure_wrong((one.now for one in values), dial),
    )
    rises = [_error(now) - _error(then) for then, now in pairs]
    faults: list[str] = []
    if _by_chance(len(worse), len(better)) < CHANCE:
        faults.append(
            f"{len(worse)} values are wrong that were right, and only {len(better)} the other way round."
        )
    if sure_now > sure_then:
        faults.append(f"{sure_now} values are sure and wrong; there were {sure_then}.")
    if len(rises) >= LEAST_VALUES and fmean(rises) > max(
        _DEVIATIONS * stdev(rises) / math.sqrt(len(rises)), _NOTHING
    ):
        faults.append("Confidences fit worse than before: what is said to be sure is right less often.")
    return Outcome(
        bills=len({one.document for one in values}),
        values=len(values),
        right_then=sum(_right(one.then) for one in values),
        right_now=sum(_right(one.now) for one in values),
        better=_named(better),
        worse=_named(worse),
        sure_wrong_then=sure_then,
        sure_wrong_now=sure_now,
        brier_then=fmean(_error(then) for then, _ in pairs) if pairs else 0.0,
        brier_now=fmean(_error(now) for _, now in pairs) if pairs else 0.0,
        faults=tuple(faults),
    )


def _right(read: Read | None) -> bool:
    return read is not None and read.right


def _error(read: Read) -> float:
    return (read.confidence - read.right) ** 2


def _sure_wrong(reads: Iterable[Read | None], dial: float) -> int:
    return sum(1 for one in reads if one and not one.right and one.confidence >= dial)


def _named(values: Iterable[Twice]) -> tuple[str, ...]:
    return tuple(f"document {one.document}: {one.term}" for one in values)


def _by_chance(worse: int, better: int) -> float:
    """How probable so many falls or more are where either way is as likely: the sign test."""
    count = worse + better
    return sum(math.comb(count, at) for at in range(worse, count + 1)) / 2**count if worse > better else 1.0
