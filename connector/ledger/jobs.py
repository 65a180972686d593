"""One Job's way through its states: every change is recorded with who made it."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.metadata import version

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from connector.ledger.records import Attempt, Job, Transition
from connector.ledger.states import HELD, JobState, require_transition

CRASHED = "crashed"
TELLING = "tell"
"""The step in which a person is told that the document was set aside."""
VERSION = version("vouch")

MOST_DEFECTS = 8
"""So often a Job is tried again after a defect of ours that left an Effect unknown: it is looked up first then."""
LONGEST_PAUSE = timedelta(minutes=15)
"""A Job is never put off for longer: one that is due later was put off before the clock was put back."""


class LeaseLost(Exception):
    """The Job is no longer this worker's: whatever it still wanted to record is for the next one to find out."""


def move(
    session: Session,
    job: Job,
    after: JobState,
    now: datetime,
    *,
    reason: str = "",
    message: str = "",
    actor: str = "",
    not_before: datetime | None = None,
) -> None:
    """Bring a Job into another state. Raises IllegalTransition where that may not follow."""
    before = JobState(job.state)
    require_transition(before, after)
    session.add(
        Transition(
            job_id=job.id,
            before=before,
            after=after,
            reason=reason,
            message=message,
            actor=actor or job.lease_owner or "vouch",
            at=now,
        )
    )
    job.state, job.reason, job.message, job.updated_at = after, reason, message, now
    job.not_before = not_before or job.not_before
    if after not in HELD:
        job.lease_owner = job.lease_until = None


def is_due(now: datetime) -> ColumnElement[bool]:
    """Which Jobs may be taken."""
    put_back = Job.not_before > now + LONGEST_PAUSE
    return and_(Job.state == JobState.QUEUED, or_(Job.not_before <= now, put_back))


def may_join(session: Session, job: Job, worker: str) -> bool:
    """Whether the Job may be worked on beside those that the worker has in hand: one that brought a worker down is worked
    on alone, so that no other is blamed for it."""
    ours = select(Job.crashes).where(Job.lease_owner == worker, Job.state.in_(HELD))
    in_hand = session.scalars(ours).all()
    return not in_hand or not (job.crashes or any(in_hand))


def pause_after(delays: int) -> timedelta:
    """How long a Job waits that was put off so often before."""
    return min(timedelta(seconds=15 * 2 ** min(delays, 10)), LONGEST_PAUSE)


def held_job(session: Session, job: Job) -> Job:
    """The Job as it is kept. Raises LeaseLost where its worker was taken for gone and it went to another."""
    kept = session.get_one(Job, job.id, with_for_update={"of": Job})
    if kept.state not in HELD or kept.lease_owner != job.lease_owner:
        raise LeaseLost(f"Job {job.id} was taken from {job.lease_owner}: it was not heard of for too long.")
    return kept


def running_attempt(session: Session, job: Job) -> Attempt:
    """The Job's last Attempt."""
    latest = select(Attempt).where(Attempt.job_id == job.id).order_by(Attempt.id.desc()).limit(1)
    return session.scalars(latest).one()


def end_attempt(session: Session, job: Job, outcome: str, error: str, now: datetime) -> None:
    """Say how the Job's last Attempt ended."""
    attempt = running_attempt(session, job)
    attempt.outcome, attempt.error, attempt.ended_at = outcome, error, now


def why_set_aside(session: Session, job: Job) -> str:
    """Why a Job that brought its worker down too often is not tried again, and what to do."""
    ended = (
        select(Attempt.step)
        .where(Attempt.job_id == job.id, Attempt.outcome == CRASHED, Attempt.step != TELLING)
        .order_by(Attempt.id.desc())
        .limit(1)
    )
    return (
        f"Work on this document ended the program {job.crashes} times, the last time in the step "
        f"“{session.scalar(ended)}” of Vouch {VERSION}. It was set aside; `vouch status` shows its attempts, `vouch retry` "
        "tries again."
    )
