"""The queue: open Reviews found, counted and paged for 100,000 documents; claims and assignees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, case, func, label, literal, or_, select, update
from sqlalchemy.orm import Session, contains_eager

from connector.ledger.records import Job, Review, SeenAttachment
from connector.ledger.store import utc_now
from inference.numbers import parse_number

LEASE = timedelta(minutes=5)
"""A claim that nobody renews ends after so long."""
AHEAD = LEASE + timedelta(minutes=1)
"""A claim that holds for longer was made before the clock was put back, and holds no more."""

AMOUNTS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"100": (0, 100), "1000": (100, 1_000), "10000": (1_000, 10_000), "more": (10_000, float("inf"))}
)
"""Bands by the amount's size in its own currency, from (included) to (excluded)."""

AGES: Mapping[str, tuple[timedelta, timedelta]] = MappingProxyType(
    {
        "day": (timedelta(0), timedelta(days=1)),
        "days": (timedelta(days=1), timedelta(days=3)),
        "week": (timedelta(days=3), timedelta(days=7)),
        "month": (timedelta(days=7), timedelta(days=30)),
        "older": (timedelta(days=30), timedelta(days=36_500)),
    }
)
"""Bands by how long a Review has waited."""

NONE = "-"
"""The group of what has no vendor, company, amount, topic or assignee."""

MOST_GROUPS = 60
Place = tuple[datetime, int]
"""Where a Review stands in the queue: when it was opened, and its id."""


class Group(StrEnum):
    """By what the queue is grouped."""

    TOPIC = "topic"
    VENDOR = "vendor"
    AMOUNT = "amount"
    AGE = "age"
    COMPANY = "company"
    ASSIGNEE = "assignee"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a person may see: Backends, and companies (None: all)."""

    backends: tuple[str, ...]
    companies: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """What of the queue is looked at: a group's value by `Group` (`NONE` for what has none), words, one Backend."""

    groups: Mapping[Group, str] = field(default_factory=dict[Group, str])
    words: str = ""
    backend: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """A group, what people call it where that is not its value, and how many Reviews it has."""

    value: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes with the queue: `reviews` with those that are open and whose they are, `claims` with who is at them."""

    reviews: str
    claims: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Who works on a Review, and until when that holds unless renewed."""

    login: str
    name: str
    until: datetime


class Queue:
    """Reads and claims open Reviews. Each call is one short transaction. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock

    # -- looking --------------------------------------------------------------------------------------------------------

    def page(self, sight: Sight, sought: Sought, after: Place | None, limit: int) -> list[Review]:
        """Reviews with their Jobs, the longest waiting first, from behind a place on."""
        chosen = self._chosen(select(Review), sight, sought).options(contains_eager(Review.job).contains_eager(Job.attachment))  # fmt: skip
        if after is not None:
            opened, number = after
            chosen = chosen.where(
                Review.opened_at >= opened, or_(Review.opened_at > opened, Review.id > number)
            )
        with self._read() as session:
            return list(session.scalars(chosen.order_by(Review.opened_at, Review.id).limit(limit)))

    def count(self, sight: Sight, sought: Sought) -> int:
        """How many there are."""
        with self._read() as session:
            return session.scalar(self._found(select(func.count(Review.id)), sight, sought)) or 0

    def groups(self, sight: Sight, sought: Sought, by: Group) -> list[Counted]:
        """The groups of the queue and their counts, whatever group of that kind is chosen; the largest first, bands in
        their order."""
        others = {group: value for group, value in sought.groups.items() if group is not by}
        column, name = self._value(by)
        value = label("grouped", column)
        chosen = self._found(
            select(value, name, func.count(Review.id)), sight, Sought(others, sought.words, sought.backend)
        )
        if by not in (Group.AMOUNT, Group.AGE):
            chosen = chosen.order_by(func.count(Review.id).desc(), value).limit(MOST_GROUPS)
        with self._read() as session:
            rows = [tuple(row) for row in session.execute(chosen.group_by(value))]
        found = [
            Counted(NONE if row[0] in (None, "") else str(row[0]), str(row[1] or ""), int(row[2]))
            for row in rows
        ]
        bands = [*AMOUNTS, NONE] if by is Group.AMOUNT else [*AGES]
        return (
            sorted(found, key=lambda one: bands.index(one.value))
            if by in (Group.AMOUNT, Group.AGE)
            else found
        )

    def next(self, sight: Sight, sought: Sought, job_id: int) -> int | None:
        """The Job whose Review comes after that Job's, from the start again behind the last; None where there is no
        other. One that somebody else has claimed is passed over."""
        return self._beside(sight, sought, job_id, forward=True)

    def previous(self, sight: Sight, sought: Sought, job_id: int) -> int | None:
        """The Job whose Review comes before that Job's; None where it is the first."""
        return self._beside(sight, sought, job_id, forward=False)

    def place(self, sight: Sight, sought: Sought, job_id: int) -> int | None:
        """How many Reviews come before that Job's; None where it is not among them."""
        with self._read() as session:
            mine = session.scalar(self._chosen(select(Review), sight, sought).where(Review.job_id == job_id))
            if mine is None:
                return None
            before = self._chosen(select(func.count(Review.id)), sight, sought).where(_before(_place(mine)))
            return session.scalar(before) or 0

    def open(self, sight: Sight, job_ids: Sequence[int]) -> list[Review]:
        """Those of these Jobs' Reviews that are open and may be seen."""
        chosen = self._chosen(select(Review), sight, Sought()).where(Review.job_id.in_(job_ids))
        with self._read() as session:
            return list(
                session.scalars(chosen.options(contains_eager(Review.job).contains_eager(Job.attachment)))
            )

    def stamp(self) -> Stamp:
        """Changes whenever the queue may have: Reviews opened, settled, claimed or assigned."""
        # Of the open ones only: what is settled is no longer among them.
        told = (
            select(
                Review.assignee,
                func.count(Review.id),
                func.max(Review.opened_at),
                func.sum(Review.id),
                func.max(Review.claimed_at),
                func.sum(case((Review.claimed_until > self._clock(), 1), else_=0)),
            )
            .where(Review.settled_at.is_(None))
            .group_by(Review.assignee)
            .order_by(Review.assignee)
        )
        with self._read() as session:
            rows = session.execute(told).all()
        return Stamp(repr([tuple(row[:4]) for row in rows]), repr([tuple(row[4:]) for row in rows]))

    # -- claims and assignees ---------------------------------------------------------------------------------------------

    def claim(self, job_id: int, login: str, name: str) -> Claim | None:
        """Take or keep the Review for a person: the Claim that then holds, theirs or another's; None where it is not open.

        The taking is one UPDATE with its condition, so of two who ask at once one gets it. `claimed_at` stays where
        the person has it already.
        """
        now = self._clock()
        until = now + LEASE
        mine = and_(Review.claimed_by == login, Review.claimed_until >= now)
        free = or_(
            Review.claimed_by == "",
            Review.claimed_until.is_(None),
            Review.claimed_until < now,
            Review.claimed_until > now + AHEAD,
        )
        taken = (
            update(Review)
            .where(Review.job_id == job_id, Review.settled_at.is_(None), or_(mine, free))
            .values(
                claimed_by=login,
                claimed_name=name,
                claimed_until=until,
                claimed_at=case((mine, Review.claimed_at), else_=now),
            )
            .execution_options(synchronize_session=False)
        )
        with Session(self._engine) as session, session.begin():
            session.execute(taken)
            kept = session.scalar(select(Review).where(Review.job_id == job_id, Review.settled_at.is_(None)))
            if kept is None or kept.claimed_until is None:
                return None
            return Claim(kept.claimed_by, kept.claimed_name, kept.claimed_until)

    def release(self, job_id: int, login: str) -> Claim | None:
        """Give a person's claim back; another's stays, and is answered."""
        now = self._clock()
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(Review)
                .where(Review.job_id == job_id, Review.claimed_by == login, Review.settled_at.is_(None))
                .values(claimed_by="", claimed_name="", claimed_at=None, claimed_until=None)
            )
            held = select(Review).where(
                Review.job_id == job_id,
                Review.settled_at.is_(None),
                Review.claimed_by != "",
                Review.claimed_until >= now,
            )
            kept = session.scalar(held)
            if kept is None or kept.claimed_until is None:
                return None
            return Claim(kept.claimed_by, kept.claimed_name, kept.claimed_until)

    def assign(self, job_ids: Sequence[int], login: str, name: str) -> int:
        """Say who is to do open Reviews (empty: nobody); how many."""
        with Session(self._engine) as session, session.begin():
            changed = session.execute(
                update(Review)
                .where(Review.job_id.in_(job_ids), Review.settled_at.is_(None))
                .values(assignee=login, assignee_name=name)
                .returning(Review.id)
            )
            return len(changed.all())

    # -- inside -----------------------------------------------------------------------------------------------------------

    def _beside(self, sight: Sight, sought: Sought, job_id: int, *, forward: bool) -> int | None:
        with self._read() as session:
            here = session.scalar(select(Review).where(Review.job_id == job_id))
            chosen = self._chosen(select(Review.job_id), sight, sought).where(Review.job_id != job_id)
            if not forward:
                if here is None:
                    return None
                return session.scalar(
                    chosen.where(_before(_place(here)))
                    .order_by(Review.opened_at.desc(), Review.id.desc())
                    .limit(1)
                )
            now = self._clock()
            others = and_(Review.claimed_by != "", Review.claimed_until.between(now, now + AHEAD))
            if here is not None and here.claimed_by:
                others = and_(others, Review.claimed_by != here.claimed_by)
            first = chosen.where(~others).order_by(Review.opened_at, Review.id).limit(1)
            behind = first.where(~_before(_place(here))) if here else first
            return session.scalar(behind) or session.scalar(first)

    def _chosen(self, chosen: Any, sight: Sight, sought: Sought) -> Any:
        """Open Reviews that may be seen and are sought, with their attachments."""
        return self._found(chosen, sight, sought, attachments=True)

    def _found(self, chosen: Any, sight: Sight, sought: Sought, *, attachments: bool = False) -> Any:
        """The same, with attachments only where they are asked for or words are looked for in their names."""
        chosen = chosen.join(Job, Job.id == Review.job_id).where(
            Review.settled_at.is_(None), Job.backend.in_(sight.backends)
        )
        if attachments or sought.words.strip():
            chosen = chosen.join(SeenAttachment, SeenAttachment.id == Job.attachment_id)
        if sight.companies is not None:
            chosen = chosen.where(Review.company_id.in_(sight.companies))
        if sought.backend:
            chosen = chosen.where(Job.backend == sought.backend)
        for group, value in sought.groups.items():
            chosen = chosen.where(self._is(group, value))
        for word in sought.words.split():
            chosen = chosen.where(_has(word))
        return chosen

    def _value(self, by: Group) -> tuple[Any, Any]:
        """The column or expression of a group, and what people call it."""
        match by:
            case Group.TOPIC:
                return Review.topic, func.max(Review.topic)
            case Group.VENDOR:
                return Review.vendor, func.max(Review.vendor)
            case Group.COMPANY:
                return Review.company_id, func.max(Review.company)
            case Group.ASSIGNEE:
                return Review.assignee, func.max(Review.assignee_name)
            case Group.AMOUNT:
                size = func.abs(Review.worth)
                bands = [(size < most, name) for name, (_, most) in AMOUNTS.items() if name != "more"]
                value = case((Review.worth.is_(None), None), *bands, else_="more")
                return value, literal("")
            case Group.AGE:
                now = self._clock()
                bands = [(Review.opened_at > now - most, name) for name, (_, most) in AGES.items()]
                return case(*bands, else_="older"), literal("")

    def _is(self, group: Group, value: str) -> ColumnElement[bool]:
        match group:
            case Group.COMPANY:
                return Review.company_id == int(value) if value.isdecimal() else Review.company_id.is_(None)
            case Group.AMOUNT:
                if value not in AMOUNTS:
                    return Review.worth.is_(None)
                least, most = AMOUNTS[value]
                size = func.abs(Review.worth)
                return size >= least if value == "more" else and_(size >= least, size < most)
            case Group.AGE:
                least, most = AGES.get(value, AGES["older"])
                now = self._clock()
                return and_(Review.opened_at <= now - least, Review.opened_at > now - most)
            case Group.TOPIC:
                return Review.topic == ("" if value == NONE else value)
            case Group.VENDOR:
                return Review.vendor == ("" if value == NONE else value)
            case Group.ASSIGNEE:
                return Review.assignee == ("" if value == NONE else value)

    def _read(self) -> Session:
        return Session(self._engine.execution_options(read_only=True), expire_on_commit=False)


def _place(review: Review) -> Place:
    return review.opened_at, review.id


def _before(place: Place) -> ColumnElement[bool]:
    opened, number = place
    return or_(Review.opened_at < opened, and_(Review.opened_at == opened, Review.id < number))


def _has(word: str) -> ColumnElement[bool]:
    """Whether vendor, number, title, file or amount of a Review has a word; letters in either case, as the database
    knows them."""
    columns = (Review.vendor, Review.number, Review.title, SeenAttachment.name)
    found: list[ColumnElement[bool]] = [column.icontains(word, autoescape=True) for column in columns]
    number = parse_number(word)
    if number is not None:
        found.append(func.abs(Review.worth) == float(abs(number.value)))
    return or_(*found)
