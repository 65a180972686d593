"""What the ledger says of its own work: how much was filled, how right it was, what it cost people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Engine, case, exists, func, literal, or_, select, true
from sqlalchemy.orm import Session

from connector.ledger.learning import NEWEST
from connector.ledger.records import Job, Review, ShadowRecord, VerdictRecord
from connector.ledger.states import JobState
from mappings.budget import Trial


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which documents: of a Backend, since a moment (None: ever), of these companies (None: all)."""

    backend: str
    since: datetime | None = None
    companies: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """Documents decided on a day, and how many of them were filled without a person ever being asked."""

    day: date
    decided: int
    filled: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A posted bill: the values that had been proposed for it, and those that people posted otherwise."""

    proposed: frozenset[str]
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Settled:
    """A Review that a person settled, and the seconds they worked on it."""

    day: date
    seconds: int


@dataclass(frozen=True, slots=True)
class Effort:
    """The Reviews of a vendor's bills; `seconds` are those of the `measured` ones."""

    vendor: str
    reviews: int
    measured: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Tally:
    """A vendor's posted bills, and whether it is in shadow mode; `chosen`: by a person."""

    vendor_id: int
    vendor: str
    bills: int
    would_fill: int
    wrong: int
    is_on: bool
    chosen: bool


class Insights:
    """Aggregates over a ledger. Each call is one short transaction that reads. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def days(self, scope: Scope) -> list[Day]:
        """By day, oldest first. A document once in review counts as asked about on the day the Review was opened."""
        moment = func.coalesce(Review.opened_at, Job.updated_at)
        asked = Review.id.is_not(None)
        day = func.date(moment)
        chosen = (
            select(day, func.count(), func.sum(case((asked, 0), else_=1)))
            .select_from(Job)
            .outerjoin(Review, Review.job_id == Job.id)
            .where(*_of_jobs(scope), or_(asked, Job.state == JobState.FILLED))
            .group_by(day)
            .order_by(day)
        )
        if scope.since:
            # A Review is opened by a change of its Job: the second condition leaves none out, and has an index.
            chosen = chosen.where(moment >= scope.since, Job.updated_at >= scope.since)
        with self._read() as session:
            return [Day(_date(when), count, filled) for when, count, filled in session.execute(chosen)]

    def judged(self, scope: Scope) -> list[Judged]:
        """The newest posted bills whose proposed values are known, `NEWEST` at most."""
        chosen = (
            select(VerdictRecord.proposed, VerdictRecord.wrong, VerdictRecord.changed)
            .join(Job, Job.id == VerdictRecord.job_id)
            .where(*_of_jobs(scope), *_since(VerdictRecord.at, scope), VerdictRecord.proposed.is_not(None))
            .order_by(VerdictRecord.at.desc(), VerdictRecord.id.desc())
            .limit(NEWEST)
        )
        with self._read() as session:
            return [
                Judged(frozenset(proposed or ()), frozenset((*wrong, *changed)))
                for proposed, wrong, changed in session.execute(chosen)
            ]

    def trials(self, scope: Scope) -> list[Trial]:
        """The newest posted bills that only confidence decided, `NEWEST` at most: the evidence of the error budget."""
        chosen = (
            select(VerdictRecord.score, VerdictRecord.right)
            .join(Job, Job.id == VerdictRecord.job_id)
            .where(*_of_jobs(scope), *_since(VerdictRecord.at, scope), VerdictRecord.score > 0)
            .order_by(VerdictRecord.at.desc(), VerdictRecord.id.desc())
            .limit(NEWEST)
        )
        with self._read() as session:
            return [Trial(score, right) for score, right in session.execute(chosen)]

    def settled(self, scope: Scope) -> list[Settled]:
        """Reviews settled by people whose time was measured, oldest first."""
        day = func.date(Review.settled_at)
        chosen = (
            select(day, Review.seconds)
            .join(Job, Job.id == Review.job_id)
            .where(*_of_jobs(scope), *_since(Review.settled_at, scope), Review.seconds > 0)
            .order_by(Review.settled_at)
        )
        with self._read() as session:
            return [Settled(_date(when), seconds or 0) for when, seconds in session.execute(chosen)]

    def topics(self, scope: Scope) -> tuple[int, list[tuple[str, int]]]:
        """How many Reviews were opened, and of how many each topic was a reason, the most frequent first."""
        mine = (*_of_jobs(scope), *_since(Review.opened_at, scope))
        each = _each_topic(self._engine.dialect.name)
        topic = each.c.value
        counted = (
            select(topic, func.count())
            .select_from(Review)
            .join(Job, Job.id == Review.job_id)
            .join(each, true())
            .where(*mine)
            .group_by(topic)
            .order_by(func.count().desc(), topic)
        )
        total = select(func.count()).select_from(Review).join(Job, Job.id == Review.job_id).where(*mine)
        with self._read() as session:
            found = [(str(name), count) for name, count in session.execute(counted)]
            return session.scalar(total) or 0, found

    def efforts(self, scope: Scope) -> list[Effort]:
        """Vendors by the time that their Reviews took, then by how many there were."""
        reviews, seconds = func.count(), func.coalesce(func.sum(Review.seconds), 0)
        chosen = (
            select(Review.vendor, reviews, func.count(Review.seconds), seconds)
            .join(Job, Job.id == Review.job_id)
            .where(*_of_jobs(scope), *_since(Review.opened_at, scope), Review.vendor != "")
            .group_by(Review.vendor)
            .order_by(seconds.desc(), reviews.desc(), Review.vendor)
        )
        with self._read() as session:
            return [Effort(*row) for row in session.execute(chosen)]

    def tallies(self, scope: Scope, first: int) -> list[Tally]:
        """Where vendors stand, those with most posted bills first; `first` is the setting for new ones."""
        mine = [VerdictRecord.backend == scope.backend, VerdictRecord.vendor_id != 0]
        if scope.companies is not None:
            of_them = select(Job.id).where(Job.company_id.in_(scope.companies))
            mine.append(VerdictRecord.job_id.in_(of_them))
        wrong = case((VerdictRecord.would_fill & ~VerdictRecord.right, 1), else_=0)
        counts = (
            select(
                VerdictRecord.vendor_id,
                func.count().label("bills"),
                func.sum(case((VerdictRecord.would_fill, 1), else_=0)).label("would_fill"),
                func.sum(wrong).label("wrong"),
                func.max(VerdictRecord.id).label("last"),
            )
            .where(*mine)
            .group_by(VerdictRecord.vendor_id)
            .subquery()
        )
        # The name is that of the last bill: the counts themselves come from an index.
        counted = select(
            counts.c.vendor_id, VerdictRecord.vendor, counts.c.bills, counts.c.would_fill, counts.c.wrong
        ).join(VerdictRecord, VerdictRecord.id == counts.c.last)
        # A vendor's newest ones come in order from the index, so that no other is looked at.
        newest = (
            select(VerdictRecord.would_fill, VerdictRecord.right)
            .where(*mine, VerdictRecord.vendor_id == counts.c.vendor_id)
            .order_by(VerdictRecord.at.desc(), VerdictRecord.id.desc())
            .limit(first)
            .correlate(counts)
            .subquery()
        )
        is_wrong = select(literal(1)).select_from(newest).where(newest.c.would_fill, ~newest.c.right)
        spoilt = select(counts.c.vendor_id).where(counts.c.wrong > 0, exists(is_wrong))
        with self._read() as session:
            rows = session.execute(counted).all()
            bad = set(session.scalars(spoilt)) if first else set[int]()
            switches = {
                one.vendor_id: one
                for one in session.scalars(select(ShadowRecord).where(ShadowRecord.backend == scope.backend))
            }
        found = [
            _tally(row, switches.pop(row[0], None), is_new=row[2] < first, spoilt=row[0] in bad)
            for row in rows
        ]
        if scope.companies is None:
            # Vendors that were switched before any of their bills was posted.
            found += [Tally(one.vendor_id, one.vendor, 0, 0, 0, one.is_on, True) for one in switches.values()]
        return sorted(found, key=lambda one: (-one.bills, one.vendor.casefold(), one.vendor_id))

    def _read(self) -> Session:
        return Session(self._engine.execution_options(read_only=True))


def _each_topic(dialect: str) -> Any:
    """A Review's topics as rows: a table function of the database's own."""
    each = func.json_array_elements_text if dialect == "postgresql" else func.json_each
    return each(Review.topics).table_valued("value", name="each_topic")


def _of_jobs(scope: Scope) -> Sequence[ColumnElement[bool]]:
    mine = [Job.backend == scope.backend]
    return mine if scope.companies is None else [*mine, Job.company_id.in_(scope.companies)]


def _since(moment: Any, scope: Scope) -> Sequence[ColumnElement[bool]]:
    return [] if scope.since is None else [moment >= scope.since]


def _tally(row: Any, switch: ShadowRecord | None, *, is_new: bool, spoilt: bool) -> Tally:
    vendor_id, vendor, bills, would_fill, wrong = row
    is_on = switch.is_on if switch else is_new or spoilt
    return Tally(vendor_id, vendor, bills, would_fill, wrong, is_on, switch is not None)


@lru_cache(4096)
def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
