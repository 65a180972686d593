"""What earlier tries left behind: how often one broke off for the same reason, and when a write was sent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from connector.ledger.records import Attempt, EffectRecord
from connector.ledger.store import utc_now

if TYPE_CHECKING:
    from connector.ledger.records import Job


def broken_off(engine: Engine, job: Job, error: str) -> int:
    """How many Attempts of the Job ended with that error."""
    told = select(func.count(Attempt.id)).where(Attempt.job_id == job.id, Attempt.error == error)
    with Session(engine.execution_options(read_only=True)) as session:
        return session.scalar(told) or 0


def sent_at(engine: Engine, effect: EffectRecord) -> datetime:
    """When the Effect was recorded; now, from now on, where the clock was put back since."""
    now = utc_now()
    if effect.at > now:
        with Session(engine) as session, session.begin():
            session.execute(update(EffectRecord).where(EffectRecord.id == effect.id).values(at=now))
        effect.at = now
    return effect.at
