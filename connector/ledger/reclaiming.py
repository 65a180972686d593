"""What the ledger holds for written, and Jobs that begin anew because the ERP was restored and shows nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from connector.ledger.jobs import move
from connector.ledger.records import EffectRecord, Job, Mark
from connector.ledger.reviews import close_review
from connector.ledger.states import JobState
from connector.ledger.store import utc_now

if TYPE_CHECKING:
    from sqlalchemy import Engine

WENT_BACK = "erp_went_back"
MESSAGE = "Odoo does not show any more what Vouch had written: its database was restored. The document is read anew."


@dataclass(frozen=True, slots=True)
class Written:
    """A Job whose last Effect left a note with that key on the record."""

    job_id: int
    model: str
    record_id: int
    key: str


class Reclaiming:
    """The Jobs of one ledger that end in something written. Each call is a transaction of its own."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock

    def written(self, backend: str) -> tuple[Written, ...]:
        """Every filled Job and every one in review, with its last Effect that left a note."""
        chosen = (
            select(Job.id, Job.model, Job.record_id, EffectRecord.key, EffectRecord.body)
            .join(EffectRecord, EffectRecord.job_id == Job.id)
            .where(
                Job.backend == backend,
                Job.state.in_((JobState.FILLED, JobState.IN_REVIEW)),
                EffectRecord.status == "done",
                EffectRecord.model == Job.model,
                EffectRecord.record_id == Job.record_id,
            )
            .order_by(EffectRecord.id)
        )
        found: dict[int, Written] = {}
        with Session(self._engine.execution_options(read_only=True)) as session, session.begin():
            for job_id, model, record_id, key, body in session.execute(chosen):
                if not body.get("posting"):
                    found[job_id] = Written(job_id, model, record_id, key)
        return tuple(found.values())

    def forget_marks(self, job_ids: Collection[int]) -> None:
        """What these Jobs' documents are known by counts no more: their records are gone."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(Mark).where(Mark.job_id.in_(job_ids)))

    def begin_again(self, job_ids: Collection[int]) -> int:
        """Put these Jobs into the queue with Effects of their own, their Reviews closed; how many."""
        now, count = self._clock(), 0
        with Session(self._engine) as session, session.begin():
            chosen = select(Job).where(
                Job.id.in_(job_ids), Job.state.in_((JobState.FILLED, JobState.IN_REVIEW))
            )
            for job in session.scalars(chosen.with_for_update(of=Job)):
                job.generation += 1
                job.crashes = job.delays = 0
                close_review(session, job, WENT_BACK, "vouch", now)
                move(
                    session,
                    job,
                    JobState.QUEUED,
                    now,
                    reason=WENT_BACK,
                    message=MESSAGE,
                    actor="vouch",
                    not_before=now,
                )
                count += 1
        return count
