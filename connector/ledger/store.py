"""The ledger's store: short transactions over the records, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, false, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from connector.erp.port import Attachment, Poll, SyncCursor
from connector.ledger.attachments import Kept, parts, take_in
from connector.ledger.engine import make_engine
from connector.ledger.jobs import (
    end_attempt,
    held_job,
    is_due,
    may_join,
    move,
    pause_after,
    running_attempt,
    why_set_aside,
)
from connector.ledger.marks import Sighting, keep, sightings
from connector.ledger.records import (
    Attempt,
    Cursor,
    EffectRecord,
    Job,
    ProposalRecord,
    ReadingRecord,
    Review,
    ReviewSummary,
    Story,
    Transition,
)
from connector.ledger.reviews import close_review, open_review
from connector.ledger.states import FINAL, HELD, JobState

if TYPE_CHECKING:
    from mappings.policy import Decision

LEASE = timedelta(seconds=60)
MAX_CRASHES = 3
"""A document that ended its worker so often is not read again: a person is told."""
MAX_TELLINGS = 4
"""And where telling ends the worker too, nobody is after so many tries; `retry` finds out what came of the last."""


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Ledger:
    """All access to the ledger. Safe to share between threads: each call is a transaction of its own."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self.engine, self._clock, self._kept = engine, clock, Kept()

    @classmethod
    def connect(cls, url: str, clock: Callable[[], datetime] = utc_now) -> Ledger:
        """Open a ledger whose schema is up to date (see `migrate.upgrade`)."""
        return cls(make_engine(url), clock)

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    # -- discovery ----------------------------------------------------------------------------------------------

    def cursor(self, backend: str) -> SyncCursor:
        """How far that Backend has been polled."""
        with self._read() as session:
            kept = session.get(Cursor, backend)
            return SyncCursor(kept.since, kept.last_id) if kept else SyncCursor()

    def remember(self, backend: str, poll: Poll) -> int:
        """Keep what a poll found; the number of attachments not seen before.

        In short transactions, that nobody has to wait for a large poll, the cursor in the last one: what was not kept before
        is found again.
        """
        new, found, later = 0, self._kept.fresh(backend, poll), list[Attachment]()
        for part, last in parts(found):
            cursor = poll.cursor if last else None
            try:
                new += self._remember(backend, part, cursor, later)
            except IntegrityError:
                # Another process remembered one of them in the same moment: now they are known.
                new += self._remember(backend, part, cursor, later)
        self._kept.keep(backend, poll, later)
        return new

    def _remember(
        self, backend: str, found: Sequence[Attachment], cursor: SyncCursor | None, later: list[Attachment]
    ) -> int:
        now = self._clock()
        with self._write() as session:
            new = take_in(session, backend, found, now, later)
            poll = _poll_of(session, backend)
            poll.progress_at = now
            if cursor:
                poll.since, poll.last_id, poll.polled_at, poll.error = cursor.since, cursor.last_id, now, ""
        return new

    def poll_goes_on(self, backend: str) -> None:
        """The poll under way has got further."""
        with self._write() as session:
            _poll_of(session, backend).progress_at = self._clock()

    def poll_failed(self, backend: str, error: str) -> None:
        """Keep the reason of a failed poll; the cursor stays where it is."""
        with self._write() as session:
            poll = _poll_of(session, backend)
            poll.error, poll.progress_at = error, None

    def polls(self) -> tuple[Cursor, ...]:
        """The last poll of every Backend."""
        with self._read() as session:
            return tuple(session.scalars(select(Cursor).order_by(Cursor.backend)))

    # -- jobs ---------------------------------------------------------------------------------------------------

    def claim(self, worker: str, backends: Sequence[str]) -> Job | None:
        """Take the next due Job of these Backends whose record nobody else works on; None also while `may_join` says no."""
        now, other = self._clock(), aliased(Job)
        held = (
            select(other.id)
            .where(
                other.backend == Job.backend,
                other.model == Job.model,
                other.record_id == Job.record_id,
                other.state.in_(HELD),
            )
            .exists()
        )
        due = (
            select(Job)
            .where(is_due(now), Job.backend.in_(backends), ~held)
            .order_by(Job.priority, Job.not_before, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=Job)
        )
        while True:
            try:
                with self._write() as session:
                    job = session.scalar(due)
                    if job is None or not may_join(session, job, worker):
                        return None
                    job.lease_owner, job.lease_until = worker, now + LEASE
                    move(session, job, JobState.RUNNING, self._clock(), actor=worker)
                    session.add(Attempt(job_id=job.id, worker=worker, step="claim", started_at=now))
                    return job
            except IntegrityError:
                # Another process took a Job of the same record in this moment: it is seen as held from now on.
                continue

    def renew(self, worker: str, job_ids: Iterable[int]) -> None:
        """Prolong this worker's leases of the Jobs that it really has in hand."""
        with self._write() as session:
            session.execute(
                update(Job)
                .where(Job.lease_owner == worker, Job.state.in_(HELD), Job.id.in_(list(job_ids)))
                .values(lease_until=self._clock() + LEASE)
            )

    def recover(self, abandoned: Callable[[str], bool]) -> int:
        """Put back Jobs whose lease ran out or whose worker is known to be gone; how many.

        A Job that has brought its worker down MAX_CRASHES times comes back to be told of (see `set_aside`), and is failed
        where that brings it down as well.
        """
        now, found = self._clock(), 0
        held = select(Job).where(Job.state.in_(HELD)).with_for_update(skip_locked=True, of=Job)
        with self._write() as session:
            for job in session.scalars(held):
                if job.lease_until and job.lease_until >= now and not abandoned(job.lease_owner or ""):
                    # One that runs for longer is from before the clock was put back.
                    job.lease_until = min(job.lease_until, now + LEASE)
                    continue
                found += 1
                job.crashes += 1
                end_attempt(session, job, "crashed", f"worker {job.lease_owner} went away", now)
                if job.crashes >= MAX_CRASHES + MAX_TELLINGS:
                    move(
                        session,
                        job,
                        JobState.FAILED,
                        now,
                        reason="crashed",
                        message=why_set_aside(session, job),
                    )
                else:
                    move(session, job, JobState.QUEUED, self._clock(), reason="crashed", not_before=now)
        return found

    def set_aside(self, job: Job) -> str:
        """Why the Job is not to be tried again but told of; empty where it may be tried."""
        if job.crashes < MAX_CRASHES:
            return ""
        with self._read() as session:
            return why_set_aside(session, job)

    def step(self, job: Job, name: str) -> None:
        """Note which step the running attempt has begun."""
        with self._write() as session:
            running_attempt(session, held_job(session, job)).step = name

    def postpone(self, job: Job, error: str) -> datetime:
        """Back into the queue after an error that passes: 15 s, doubling up to 15 minutes. Returns when."""
        now = self._clock()
        with self._write() as session:
            job = held_job(session, job)
            due = now + pause_after(job.delays)
            job.delays += 1
            end_attempt(session, job, "later", error, now)
            move(session, job, JobState.QUEUED, self._clock(), reason="later", message=error, not_before=due)
        return due

    def finish(self, job: Job, state: JobState, reason: str, message: str) -> None:
        """End a Job without an Effect: skipped or failed."""
        now = self._clock()
        with self._write() as session:
            job = held_job(session, job)
            end_attempt(session, job, "done", "", now)
            move(session, job, state, self._clock(), reason=reason, message=message)

    def retry(
        self,
        actor: str,
        states: Iterable[JobState] = (JobState.FAILED,),
        job_ids: Sequence[int] | None = None,
        now_due: bool = True,
    ) -> int:
        """Send Jobs through the pipeline again; how many. Waiting Jobs become due at once where `now_due`."""
        now, count = self._clock(), 0
        with self._write() as session:
            chosen = select(Job).where(Job.state.in_([*states, JobState.QUEUED]))
            if job_ids is not None:
                chosen = chosen.where(Job.id.in_(job_ids))
            for job in session.scalars(chosen):
                if job.state == JobState.QUEUED:
                    count += now_due and job.not_before > now
                    job.not_before = min(job.not_before, now) if now_due else job.not_before
                    continue
                job.generation += 1
                job.crashes = job.delays = 0
                move(
                    session, job, JobState.QUEUED, self._clock(), reason="retry", actor=actor, not_before=now
                )
                close_review(session, job, "retried", actor, now)
                count += 1
        return count

    def settled_by_person(self, job_id: int, message: str) -> bool:
        """A person settled a document in review in the ERP itself: its Review is closed. False where none was open."""
        with self._write() as session:
            job = session.get_one(Job, job_id, with_for_update={"of": Job})
            if job.state != JobState.IN_REVIEW:
                return False
            move(session, job, JobState.SKIPPED, self._clock(), reason="posted", message=message)
            close_review(session, job, "posted", "", self._clock())
            return True

    # -- what was read, proposed and written ----------------------------------------------------------------------

    def keep_document(self, job: Job, sha256: str) -> None:
        """Remember which content the Job is about."""
        with self._write() as session:
            held_job(session, job).document_sha256 = sha256

    def keep_reading(self, job: Job, reader: str, version: str, body: Mapping[str, Any]) -> int:
        """Keep a Reading; its id."""
        kept = ReadingRecord(job_id=job.id, reader=reader, version=version, body=dict(body), at=self._clock())
        with self._write() as session:
            session.add(kept)
            session.flush()
            return kept.id

    def known_again(self, job: Job, marks: Mapping[str, str]) -> tuple[Sighting, ...]:
        """Keep what the Job's document is known by, by kind, and find earlier documents that are the same."""
        with self._write() as session:
            keep(session, job, marks)
            return sightings(session, job, marks)

    def keep_proposal(
        self,
        job: Job,
        reading_id: int,
        body: Mapping[str, Any],
        decision: Decision,
        company: int | None = None,
    ) -> int:
        """Keep a Proposal, the Decision on it and whose company it is; its id."""
        kept = ProposalRecord(
            job_id=job.id,
            reading_id=reading_id,
            body=dict(body),
            outcome=decision.outcome,
            reasons=list(decision.reasons),
            at=self._clock(),
            score=decision.score,
            held=decision.held,
        )
        with self._write() as session:
            session.add(kept)
            session.execute(update(Job).where(Job.id == job.id).values(company_id=company))
            session.flush()
            return kept.id

    def unsettled_effect(self, job: Job) -> EffectRecord | None:
        """An Effect of this Job of which it is not known whether it happened."""
        with self._read() as session:
            return session.scalar(
                select(EffectRecord).where(EffectRecord.job_id == job.id, EffectRecord.status == "intended")
            )

    def resume(self, job: Job, key: str, generation: int) -> bool:
        """Go on with the generation that the ERP shows of a Job by an Effect's key; False where the ledger has that."""
        with self._write() as session:
            if known := session.scalar(select(EffectRecord.id).where(EffectRecord.key == key)) is None:
                job.generation = held_job(session, job).generation = generation
            return known

    def intend(self, job: Job, effect: EffectRecord) -> None:
        """Record an Effect before its RPC; the Job is `applying` from here on."""
        with self._write() as session:
            effect.job_id, effect.at, effect.status = job.id, self._clock(), "intended"
            session.add(effect)
            move(session, held_job(session, job), JobState.APPLYING, self._clock())

    def void(self, job: Job, effect: EffectRecord, why: str) -> None:
        """Record that an Effect is known not to have happened; its key is free for the next try."""
        with self._write() as session:
            kept = session.get_one(EffectRecord, effect.id)
            kept.status, kept.settled_at = "void", self._clock()
            kept.body = {**kept.body, "void": why}
            kept.key = f"void-{kept.id}"
            self._go_on(session, job, "void", why)

    def carried_out(self, job: Job, effect: EffectRecord, why: str) -> None:
        """Record that an Effect happened but does not end the Job: it goes on `running`."""
        with self._write() as session:
            kept = session.get_one(EffectRecord, effect.id)
            kept.status, kept.settled_at = "done", self._clock()
            self._go_on(session, job, "continued", why)

    def settle(
        self,
        job: Job,
        effect: EffectRecord,
        review: ReviewSummary | None,
        reasons: Sequence[str] = (),
        result: Mapping[str, Any] | None = None,
    ) -> None:
        """The Effect happened: it is done, the Job in the state it leads to, the Review open, in one transaction."""
        now = self._clock()
        with self._write() as session:
            kept = session.get_one(EffectRecord, effect.id)
            kept.status, kept.settled_at = "done", now
            kept.body = {**kept.body, "result": dict(result)} if result else kept.body
            job = held_job(session, job)
            end_attempt(session, job, "done", "", now)
            actor = str(kept.body.get("actor", ""))
            after = JobState(kept.leads_to)
            move(session, job, after, now, reason=kept.reason, message=kept.message, actor=actor)
            if review is not None:
                open_review(session, job, review, reasons, now, result or {})

    # -- looking ------------------------------------------------------------------------------------------------

    def counts(self) -> dict[JobState, int]:
        """How many Jobs stand in each state."""
        with self._read() as session:
            rows = session.execute(select(Job.state, func.count()).group_by(Job.state))
            found = {JobState(state): count for state, count in rows}
        return {state: found.get(state, 0) for state in JobState}

    def jobs(
        self, states: Iterable[JobState] | None = None, limit: int = 100, skip: int = 0
    ) -> tuple[Job, ...]:
        """Jobs with their attachments, the one changed last first."""
        chosen = select(Job).order_by(Job.updated_at.desc(), Job.id.desc()).limit(limit).offset(skip)
        if states is not None:
            chosen = chosen.where(Job.state.in_(list(states)))
        with self._read() as session:
            return tuple(session.scalars(chosen))

    def pending(self, backends: Sequence[str]) -> tuple[int, datetime | None]:
        """How many Jobs are not in a final state, and when the next one is due."""
        with self._read() as session:
            count, due = session.execute(
                select(func.count(), func.min(Job.not_before)).where(
                    Job.backend.in_(backends), Job.state.not_in(FINAL)
                )
            ).one()
            return count, due

    def reviews(self, limit: int = 500) -> tuple[Review, ...]:
        """The open Reviews with their Jobs, oldest first."""
        with self._read() as session:
            return tuple(
                session.scalars(
                    select(Review).where(Review.settled_at.is_(None)).order_by(Review.opened_at).limit(limit)
                )
            )

    def open_reviews(self) -> tuple[int, datetime | None]:
        """How many Reviews are open, and when the oldest of them was opened."""
        with self._read() as session:
            count, oldest = session.execute(
                select(func.count(), func.min(Review.opened_at)).where(Review.settled_at.is_(None))
            ).one()
            return count, oldest

    def require_writable(self) -> None:
        """Raise LedgerAway when the ledger cannot be written now."""
        with self._write() as session:
            session.execute(update(Cursor).where(false()).values(error=Cursor.error))

    def story(self, job_id: int) -> Story | None:
        """All that happened to one Job, or None when there is no such Job."""
        with self._read() as session:
            job = session.get(Job, job_id)
            if job is None:
                return None

            def rows(record: type[Any]) -> tuple[Any, ...]:
                return tuple(
                    session.scalars(select(record).where(record.job_id == job_id).order_by(record.id))
                )

            return Story(
                job,
                rows(Transition),
                rows(Attempt),
                rows(ReadingRecord),
                rows(ProposalRecord),
                rows(EffectRecord),
                session.scalar(select(Review).where(Review.job_id == job_id)),
            )

    @contextmanager
    def _write(self) -> Generator[Session]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def _read(self) -> Generator[Session]:
        with (
            Session(self.engine.execution_options(read_only=True), expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def _go_on(self, session: Session, job: Job, reason: str, message: str) -> None:
        """Back to `running`, where an Effect of an earlier attempt has not left it there."""
        held = held_job(session, job)
        if held.state == JobState.APPLYING:
            move(session, held, JobState.RUNNING, self._clock(), reason=reason, message=message)


def _poll_of(session: Session, backend: str) -> Cursor:
    poll = session.get(Cursor, backend)
    if poll is None:
        session.add(poll := Cursor(backend=backend, last_id=0))
    return poll
