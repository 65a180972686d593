"""The figures of the insight page, each with the number of documents it was counted on. Nothing here is estimated."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from inference.evaluation.figures import Share
from mappings.budget import STEPS, Proof, prove, upper_bound

if TYPE_CHECKING:
    from connector.judgement import Owner
    from connector.ledger.insight import Day, Effort, Insights, Judged, Scope, Settled, Tally
    from mappings.budget import Trial

ENOUGH = 20
"""A share of fewer documents is not drawn."""

ENOUGH_TIMES = 10
"""A median of fewer times is not shown."""

BINS = 8

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one figure, for the page, its plot, JSON and CSV; `n` is what they were counted on."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    n: int

    def as_json(self) -> dict[str, Any]:
        """`{"n","rows":[{column: value}]}`."""
        return {"n": self.n, "rows": [dict(zip(self.columns, row, strict=True)) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Saved:
    """Hours that nobody had to spend. `filled` documents were filled without a person. `by_review`: had each of those
    been a Review of the measured median time. `by_hand`: against the minutes that the owner says a bill takes by hand,
    also for the `reviewed` ones, less the time that their Reviews took. None where there is nothing to tell it by."""

    filled: int
    reviewed: int
    by_review: float | None
    by_hand: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything on the insight page. `budget` and `confidence` are the owner's, `floor` the dial."""

    since: datetime | None
    until: datetime
    straight: Share
    wrong: Share
    wrong_bound: float
    median_seconds: float | None
    p90_seconds: float | None
    saved: Saved
    floor: float
    budget: float | None
    confidence: float
    proof: Proof | None
    tables: Mapping[str, Table]

    def as_json(self) -> dict[str, Any]:
        """As `GET /api/v1/insight` answers."""
        proof = self.proof
        return {
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat(),
            "straight_through": self.straight.as_json(),
            "wrong_among_sure": self.wrong.as_json() | {"bound": round(self.wrong_bound, 4)},
            "review_seconds": {
                "n": self.tables["review_time"].n,
                "median": self.median_seconds,
                "p90": self.p90_seconds,
            },
            "hours_saved": {
                "filled": self.saved.filled,
                "reviewed": self.saved.reviewed,
                "against_median_review": self.saved.by_review,
                "against_entry_by_hand": self.saved.by_hand,
            },
            "error_budget": {
                "allowed": self.budget,
                "confidence": self.confidence,
                "threshold": proof.threshold if proof else None,
            },
            "tables": {name: table.as_json() for name, table in self.tables.items()},
        }


def measure(ledger: Insights, scope: Scope, owner: Owner, by_hand: float | None, now: datetime) -> Measured:
    """Ask the ledger. `by_hand` are the owner's minutes for entering a bill by hand, None where not set."""
    days, trials, settled = ledger.days(scope), ledger.trials(scope), ledger.settled(scope)
    reviews, topics = ledger.topics(scope)
    floor = owner.policy.fill_confidence
    straight = Share(sum(day.filled for day in days), sum(day.decided for day in days))
    sure = [trial for trial in trials if trial.score >= floor]
    wrong = Share(sum(not trial.right for trial in sure), len(sure))
    seconds = sorted(one.seconds for one in settled)
    enough = len(seconds) >= ENOUGH_TIMES
    median = statistics.median(seconds) if enough else None
    tables = (
        _straight_through(days),
        _fields(ledger.judged(scope)),
        _reliability(trials),
        _budget(trials, owner),
        _review_time(settled),
        _topics(topics, reviews),
        _vendors(ledger.efforts(scope)),
        _shadow(ledger.tallies(scope, owner.shadow_bills)),
    )
    return Measured(
        since=scope.since,
        until=now,
        straight=straight,
        wrong=wrong,
        wrong_bound=upper_bound(wrong.hits, wrong.n, owner.budget_confidence),
        median_seconds=median,
        p90_seconds=_quantile(seconds, 0.9) if enough else None,
        saved=_saved(straight.hits, seconds, median, by_hand),
        floor=floor,
        budget=owner.error_budget,
        confidence=owner.budget_confidence,
        proof=prove(trials, owner.error_budget, owner.budget_confidence, floor)
        if owner.error_budget
        else None,
        tables={table.name: table for table in tables},
    )


def _saved(filled: int, seconds: Sequence[int], median: float | None, by_hand: float | None) -> Saved:
    by_review = round(filled * median / 3600, 2) if median is not None else None
    if by_hand is None:
        return Saved(filled, len(seconds), by_review, None)
    spent = sum(seconds) / 3600
    return Saved(filled, len(seconds), by_review, round((filled + len(seconds)) * by_hand / 60 - spent, 2))


def _quantile(ordered: Sequence[int], share: float) -> float:
    """The smallest value that at least that share of the values does not exceed."""
    return float(ordered[max(0, math.ceil(len(ordered) * share) - 1)])


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _straight_through(days: Iterable[Day]) -> Table:
    weeks: dict[date, Share] = {}
    for day in days:
        known = weeks.get(_monday(day.day), Share(0, 0))
        weeks[_monday(day.day)] = Share(known.hits + day.filled, known.n + day.decided)
    rows = tuple((week.isoformat(), share.n, share.hits, *_share(share)) for week, share in weeks.items())
    columns = ("week", "decided", "filled", "share", "low", "high")
    return Table("straight_through", columns, rows, sum(share.n for share in weeks.values()))


def _fields(bills: Sequence[Judged]) -> Table:
    names = sorted({name for bill in bills for name in bill.proposed})
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        judged = [bill for bill in bills if name in bill.proposed]
        share = Share(sum(name not in bill.changed for bill in judged), len(judged))
        rows.append((name, share.n, share.hits, *_share(share)))
    rows.sort(key=lambda row: (row[3], row[0]))
    return Table(
        "fields", ("field", "judged", "as_proposed", "share", "low", "high"), tuple(rows), len(bills)
    )


def _reliability(trials: Sequence[Trial]) -> Table:
    """Bins of equal counts by falling confidence; equal confidences are never parted."""
    ordered = sorted(trials, key=lambda one: -one.score)
    size = max(ENOUGH, -(-len(ordered) // BINS))
    bins: list[list[Trial]] = []
    for trial in ordered:
        if not bins or (len(bins[-1]) >= size and bins[-1][-1].score != trial.score):
            bins.append([])
        bins[-1].append(trial)
    if len(bins) > 1 and len(bins[-1]) < ENOUGH:
        bins[-2].extend(bins.pop())
    rows = tuple(
        (
            round(statistics.fmean(one.score for one in group), 4),
            len(group),
            sum(one.right for one in group),
            *_share(Share(sum(one.right for one in group), len(group))),
        )
        for group in bins
    )
    return Table("reliability", ("confidence", "bills", "right", "share", "low", "high"), rows, len(ordered))


def _budget(trials: Sequence[Trial], owner: Owner) -> Table:
    floor = owner.policy.fill_confidence
    rows: list[tuple[Cell, ...]] = []
    for step in sorted({floor, *(step for step in STEPS if step > floor)}):
        fitting = [trial for trial in trials if trial.score >= step]
        wrong = Share(sum(not trial.right for trial in fitting), len(fitting))
        bound = upper_bound(wrong.hits, wrong.n, owner.budget_confidence)
        rows.append((step, wrong.n, wrong.hits, round(wrong.value, 4), round(bound, 4)))
    return Table("budget", ("threshold", "bills", "wrong", "share", "bound"), tuple(rows), len(trials))


def _review_time(settled: Sequence[Settled]) -> Table:
    weeks: dict[date, list[int]] = {}
    for one in settled:
        weeks.setdefault(_monday(one.day), []).append(one.seconds)
    rows = tuple(
        (week.isoformat(), len(found), float(statistics.median(found)), _quantile(sorted(found), 0.9))
        for week, found in weeks.items()
    )
    return Table("review_time", ("week", "reviews", "median_seconds", "p90_seconds"), rows, len(settled))


def _topics(found: Sequence[tuple[str, int]], reviews: int) -> Table:
    rows = tuple((topic, count, round(count / reviews, 4)) for topic, count in found if reviews)
    return Table("topics", ("topic", "reviews", "share"), rows, reviews)


def _vendors(efforts: Sequence[Effort]) -> Table:
    rows = tuple((one.vendor, one.reviews, one.measured, round(one.seconds / 60, 1)) for one in efforts)
    return Table(
        "vendors", ("vendor", "reviews", "measured", "minutes"), rows, sum(e.reviews for e in efforts)
    )


def _shadow(tallies: Sequence[Tally]) -> Table:
    rows = tuple(
        (one.vendor, one.vendor_id, one.bills, one.would_fill, one.wrong, int(one.is_on), int(one.chosen))
        for one in tallies
    )
    columns = ("vendor", "vendor_id", "bills", "would_fill", "wrong", "shadow", "chosen")
    return Table("shadow", columns, rows, sum(one.bills for one in tallies))


def _share(share: Share) -> tuple[float, float, float]:
    low, high = share.interval
    return round(share.value, 4), round(low, 4), round(high, 4)
