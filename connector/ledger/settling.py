"""What the ledger keeps while a person settles a Review: the draft, the verdict's Effects, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from connector.ledger.jobs import end_attempt, held_job, move
from connector.ledger.marks import Sighting, sightings
from connector.ledger.records import (
    Attempt,
    CorrectionRecord,
    DraftRecord,
    EffectRecord,
    Job,
    Mark,
    ProposalRecord,
    ReadingRecord,
    Review,
)
from connector.ledger.reviews import close_review
from connector.ledger.states import JobState
from connector.ledger.store import utc_now

NAME = 128
ASKING = frozenset({JobState.IN_REVIEW, JobState.FAILED})
"""In these a person may have been asked: of what cannot be read, whether they enter it by hand."""
Node = Mapping[str, Any]


_NOW: Mapping[str, str] = {
    "queued": "The document is not in review any more: it waits to be read again.",
    "running": "The document is not in review any more: it is being read.",
    "applying": "The document is not in review any more: it is being written to Odoo.",
    "filled": "The document is not in review any more: it is filled.",
    "in_review": "The document is in review, so there is no filling to take back.",
    "skipped": "The document is not in review any more: it is settled.",
    "failed": "The document is not in review any more: it failed, and its page says why.",
    "posted": "The record in Odoo is posted.",
    "cancel": "The record in Odoo is cancelled.",
}
"""What is said of the states of a document, and of a record in the ERP that is no draft."""


class NotInReview(Exception):
    """The document waits for no person: it is settled, or Vouch is at it; `state` is its own or that of its record."""

    def __init__(self, state: str) -> None:
        super().__init__(_NOW.get(state, "The record in Odoo is no longer a draft."))


class ClaimedByOther(Exception):
    """Another person, or Vouch itself, works on the record."""


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Everything that is kept about a document in review. `record` is the ERP record as it was read for it, `seen` as
    it was found changed since."""

    job: Job
    review: Review
    record: Node | None
    seen: Node | None
    proposal: Node
    reading: Node | None
    reading_id: int | None
    edits: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """A Review that is open, and the record to look at in the ERP. `stamp` is the record's when it was read."""

    job_id: int
    model: str
    record_id: int
    activity_id: int | None
    stamp: str


class Settling:
    """The settling of Reviews in a ledger. Safe to share between threads: each call is a transaction of its own."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock

    # -- looking --------------------------------------------------------------------------------------------------------

    def case(self, job_id: int) -> OpenCase | None:
        """The document with its open Review; None where there is no such document or no Review is open."""
        chosen = (
            select(Review)
            .where(Review.job_id == job_id, Review.settled_at.is_(None))
            .options(undefer(Review.record), undefer(Review.seen))
        )
        with self._read() as session:
            review = session.scalar(chosen)
            if review is None:
                return None
            latest = (
                select(ProposalRecord, ReadingRecord)
                .join(ReadingRecord, ReadingRecord.id == ProposalRecord.reading_id)
                .where(ProposalRecord.job_id == job_id)
                .order_by(ProposalRecord.id.desc())
                .limit(1)
            )
            row = session.execute(latest).first()
            draft = session.get(DraftRecord, job_id)
            return OpenCase(
                job=review.job,
                review=review,
                record=review.record,
                seen=review.seen,
                proposal=row[0].body if row else {},
                reading=row[1].body if row else None,
                reading_id=row[1].id if row else None,
                edits=tuple(draft.edits) if draft else (),
            )

    def effect(self, key: str) -> EffectRecord | None:
        """The Effect with that key, whatever became of it."""
        with self._read() as session:
            return session.scalar(select(EffectRecord).where(EffectRecord.key == key))

    def sightings(self, job: Job) -> tuple[Sighting, ...]:
        """Earlier documents that are the same one by what it is."""
        with self._read() as session:
            kept = session.scalars(select(Mark).where(Mark.job_id == job.id))
            return sightings(session, job, {mark.kind: mark.value for mark in kept})

    def job(self, job_id: int) -> Job | None:
        """The Job of that id."""
        with self._read() as session:
            return session.get(Job, job_id)

    def last_fill(self, job_id: int) -> EffectRecord | None:
        """The Effect that filled the document's record last."""
        chosen = (
            select(EffectRecord)
            .where(
                EffectRecord.job_id == job_id,
                EffectRecord.status == "done",
                EffectRecord.leads_to == JobState.FILLED,
            )
            .order_by(EffectRecord.id.desc())
        )
        with self._read() as session:
            return next((one for one in session.scalars(chosen) if "before" in one.body), None)

    def to_dos(self, job_id: int, *, questions: bool = True) -> tuple[int, ...]:
        """Every to-do that was ever made in the ERP for the document: what it asks a person and, unless left out,
        the questions that people sent back."""
        made = EffectRecord.body["result"]["activity_id"].as_integer()
        chosen = (
            select(made).where(EffectRecord.job_id == job_id, made.is_not(None)).order_by(EffectRecord.id)
        )
        if not questions:
            chosen = chosen.where(EffectRecord.body["verdict"].as_string().is_(None))
        with self._read() as session:
            return tuple(session.scalars(chosen))

    def counts(self) -> dict[str, int]:
        """How many Reviews were settled, by verdict."""
        settled = select(Review.verdict, func.count()).where(Review.settled_at.is_not(None))
        with self._read() as session:
            rows = session.execute(settled.group_by(Review.verdict))
            return {verdict: int(count) for verdict, count in rows}

    def watched(self, backend: str) -> list[Watched]:
        """All open Reviews of a Backend."""
        chosen = (
            select(Review)
            .join(Job, Job.id == Review.job_id)
            .where(Review.settled_at.is_(None), Job.backend == backend, Job.state.in_(ASKING))
            .options(undefer(Review.record), undefer(Review.seen))
        )
        with self._read() as session:
            return [
                Watched(
                    one.job_id,
                    one.job.model,
                    one.job.record_id,
                    one.activity_id,
                    str((one.seen or one.record or {}).get("write_date", "")),
                )
                for one in session.scalars(chosen)
            ]

    # -- a person's draft -----------------------------------------------------------------------------------------------

    def save_draft(self, job_id: int, edits: Sequence[Node], actor: str) -> None:
        """Keep a person's edits in place of those before. Raises NotInReview and ClaimedByOther."""
        with self._write() as session:
            self._require_open(session, job_id, actor)
            session.merge(
                DraftRecord(
                    job_id=job_id, edits=[dict(edit) for edit in edits], actor=actor, at=self._clock()
                )
            )

    def take_over(
        self, job_id: int, record: Node, reading_id: int | None, body: Node, edits: Sequence[Node], actor: str
    ) -> None:
        """The review goes on with the record as it is now, and with a Proposal (of that Reading) made for it."""
        with self._write() as session:
            review = self._require_open(session, job_id, actor)
            review.record, review.seen = dict(record), None
            session.merge(
                DraftRecord(
                    job_id=job_id, edits=[dict(edit) for edit in edits], actor=actor, at=self._clock()
                )
            )
            if reading_id is not None:
                session.add(
                    ProposalRecord(
                        job_id=job_id,
                        reading_id=reading_id,
                        body=dict(body),
                        outcome="review",
                        reasons=list(review.reasons),
                        at=self._clock(),
                    )
                )

    def draft(self, job_id: int) -> list[Node]:
        """A person's edits as they are kept."""
        with self._read() as session:
            draft = session.get(DraftRecord, job_id)
            return list(draft.edits) if draft else []

    # -- the verdict's Effects --------------------------------------------------------------------------------------------

    def begin(self, job_id: int, effect: EffectRecord, actor: str, owner: str, lease: timedelta) -> Job:
        """Record a person's Effect before its RPC; the Job is `applying` and held by `owner` from here on.

        Raises NotInReview where no person is asked any more (for an undo: where it is not filled), and ClaimedByOther.
        """
        now = self._clock()
        undoing = effect.body.get("verdict") == "undo"
        try:
            with self._write() as session:
                if undoing:
                    job = session.get_one(Job, job_id, with_for_update={"of": Job})
                    if job.state != JobState.FILLED:
                        raise NotInReview(job.state)
                else:
                    self._require_open(session, job_id, actor)
                    job = session.get_one(Job, job_id, with_for_update={"of": Job})
                move(session, job, JobState.APPLYING, now, reason=effect.reason, actor=actor)
                job.lease_owner, job.lease_until = owner, now + lease
                session.add(Attempt(job_id=job_id, worker=owner, step="settle", started_at=now))
                effect.job_id, effect.at, effect.status = job_id, now, "intended"
                session.add(effect)
        except IntegrityError:
            raise ClaimedByOther("Vouch works on another document of this record. Try again soon.") from None
        return job

    def abandon(self, job: Job, effect: EffectRecord, why: str, back: JobState = JobState.IN_REVIEW) -> None:
        """The Effect is known not to have happened: its key is free, and the Review waits on as it was."""
        now = self._clock()
        with self._write() as session:
            kept = session.get_one(EffectRecord, effect.id)
            kept.status, kept.settled_at = "void", now
            kept.body = {**kept.body, "void": why}
            kept.key = f"void-{kept.id}"
            held = held_job(session, job)
            end_attempt(session, held, "failed", why, now)
            move(session, held, back, now, reason="void", message=why, actor=_actor(kept))

    def go_on(self, job: Job, effect: EffectRecord, result: Node, following: EffectRecord) -> None:
        """The Effect happened, and the next one of the same verdict is recorded before its RPC."""
        now = self._clock()
        with self._write() as session:
            self._done(session, effect, result, now)
            held_job(session, job)
            following.job_id, following.at, following.status = job.id, now, "intended"
            session.add(following)

    def stay_open(
        self,
        job: Job,
        effect: EffectRecord,
        result: Node,
        reason: str,
        topic: str = "",
        edits: Sequence[Node] | None = None,
    ) -> None:
        """The Effect happened, and the Review stays open: with `reason` in front where there is one, for the record as
        it is now; `edits` are what still holds of the draft, None where all of it does."""
        now = self._clock()
        with self._write() as session:
            kept = self._done(session, effect, result, now)
            kept.body = {**kept.body, "open": reason}
            held = held_job(session, job)
            end_attempt(session, held, "done", "", now)
            move(
                session,
                held,
                JobState.IN_REVIEW,
                now,
                reason=kept.reason,
                message=reason or kept.message,
                actor=_actor(kept),
            )
            review = session.scalars(select(Review).where(Review.job_id == job.id)).one()
            review.record = dict(result["record"]) if "record" in result else review.record
            review.seen = None
            if edits is not None:
                _redraft(session, job.id, edits)
            if reason:
                review.reasons = [reason, *(one for one in review.reasons if one != reason)]
                review.topics = [topic, *(one for one in review.topics if one != topic)]
            if question := kept.body.get("question"):
                review.asked_at, review.question = now, str(question)

    def close(self, job: Job, effect: EffectRecord, result: Node) -> None:
        """The Effect happened and ends the Review: verdict, corrections and the Job's state in one transaction."""
        now = self._clock()
        with self._write() as session:
            kept = self._done(session, effect, result, now)
            held = held_job(session, job)
            end_attempt(session, held, "done", "", now)
            actor = _actor(kept)
            after = JobState(kept.leads_to)
            if after is JobState.QUEUED:
                held.generation += 1
            move(
                session,
                held,
                after,
                now,
                reason=kept.reason,
                message=kept.message,
                actor=actor,
                not_before=now,
            )
            review = session.scalars(select(Review).where(Review.job_id == job.id)).one()
            if review.claimed_at is not None and review.claimed_by:
                review.seconds = (review.seconds or 0) + max(
                    0, round((now - review.claimed_at).total_seconds())
                )
            close_review(session, held, str(kept.body["verdict"]), actor, now)
            session.execute(delete(CorrectionRecord).where(CorrectionRecord.job_id == job.id))
            session.add_all(
                CorrectionRecord(job_id=job.id, actor=actor, at=now, **one)
                for one in kept.body.get("corrections", ())
            )

    def reopen(
        self, job: Job, effect: EffectRecord, result: Node, reason: str, title: str, edits: Sequence[Node]
    ) -> None:
        """An undo happened: the document is in review again, with what still fits of the draft that it had."""
        now = self._clock()
        with self._write() as session:
            kept = self._done(session, effect, result, now)
            held = held_job(session, job)
            end_attempt(session, held, "done", "", now)
            move(
                session,
                held,
                JobState.IN_REVIEW,
                now,
                reason=kept.reason,
                message=kept.message,
                actor=_actor(kept),
            )
            review = session.scalar(select(Review).where(Review.job_id == job.id))
            review = review or Review(job_id=job.id, **kept.body.get("summary", {"title": title}))
            review.reasons, review.topics = [reason], ["undone"]
            review.opened_at, review.settled_at, review.verdict, review.actor = now, None, "", ""
            review.claimed_by = review.claimed_name = ""
            review.claimed_at = review.claimed_until = review.seconds = None
            review.record, review.seen = dict(result["record"]), None
            review.activity_id = result.get("activity_id")
            session.add(review)
            _redraft(session, job.id, edits)
            session.execute(delete(CorrectionRecord).where(CorrectionRecord.job_id == job.id))

    # -- what happened in the ERP -------------------------------------------------------------------------------------------

    def saw(self, job_id: int, record: Node) -> None:
        """The record was changed in the ERP since it was read."""
        with self._write() as session:
            review = session.scalar(
                select(Review).where(Review.job_id == job_id, Review.settled_at.is_(None))
            )
            if review is not None:
                review.seen = dict(record)

    def settled_in_erp(self, job_id: int, verdict: str, message: str) -> bool:
        """The Review was settled in the ERP itself (`posted`, `cancelled`, `gone`, `activity_done`); False where none was
        open."""
        now = self._clock()
        with self._write() as session:
            job = session.get_one(Job, job_id, with_for_update={"of": Job})
            is_open = select(Review.id).where(Review.job_id == job_id, Review.settled_at.is_(None))
            if job.state not in ASKING or session.scalar(is_open) is None:
                return False
            move(session, job, JobState.SKIPPED, now, reason=verdict, message=message)
            close_review(session, job, verdict, "", now)
            return True

    # -- inside ---------------------------------------------------------------------------------------------------------------

    def _require_open(self, session: Session, job_id: int, actor: str) -> Review:
        """The open Review, which nobody else has claimed."""
        job = session.get_one(Job, job_id, with_for_update={"of": Job})
        review = session.scalar(select(Review).where(Review.job_id == job_id, Review.settled_at.is_(None)))
        if review is None or job.state != JobState.IN_REVIEW:
            raise NotInReview(job.state)
        claimed = review.claimed_until is not None and review.claimed_until > self._clock()
        if claimed and review.claimed_by not in ("", actor):
            raise ClaimedByOther(f"{review.claimed_name or review.claimed_by} works on this bill.")
        return review

    def _done(self, session: Session, effect: EffectRecord, result: Node, now: datetime) -> EffectRecord:
        kept = session.get_one(EffectRecord, effect.id)
        kept.status, kept.settled_at = "done", now
        kept.body = {**kept.body, "result": dict(result)}
        return kept

    @contextmanager
    def _write(self) -> Generator[Session]:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def _read(self) -> Generator[Session]:
        with (
            Session(self._engine.execution_options(read_only=True), expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session


def _redraft(session: Session, job_id: int, edits: Sequence[Node]) -> None:
    """Other edits in a draft, where there is one."""
    if (draft := session.get(DraftRecord, job_id)) is not None:
        draft.edits = [dict(edit) for edit in edits]


def _actor(effect: EffectRecord) -> str:
    return str(effect.body.get("actor", ""))[:NAME]
