"""Documents known again: the same file, the same pages, the same e-invoice on another record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from connector.ledger.records import Job, Mark
from connector.ledger.states import JobState

LONGEST = 128
SAME = {"file": "the same content", "page_image": "the same pages", "e_invoice": "the same e-invoice number"}
"""What two documents with the same mark have in common, by its kind."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An earlier Job whose document has the same mark of that `kind`."""

    kind: str
    record_id: int
    name: str


def keep(session: Session, job: Job, marks: Mapping[str, str]) -> None:
    """Replace what is kept of a Job's document."""
    session.execute(delete(Mark).where(Mark.job_id == job.id))
    session.add_all(Mark(job_id=job.id, kind=kind, value=value[:LONGEST]) for kind, value in marks.items())


def sightings(session: Session, job: Job, marks: Mapping[str, str]) -> tuple[Sighting, ...]:
    """Earlier Jobs on other records of that model whose documents were filled or asked about, oldest first."""
    if not marks:
        return ()
    same = or_(*(and_(Mark.kind == kind, Mark.value == value[:LONGEST]) for kind, value in marks.items()))
    found = session.execute(
        select(Mark.kind, Job)
        .join(Job, Job.id == Mark.job_id)
        .where(
            same,
            Job.id < job.id,
            Job.backend == job.backend,
            Job.model == job.model,
            Job.record_id != job.record_id,
            Job.state.in_((JobState.FILLED, JobState.IN_REVIEW)),
        )
        .order_by(Job.id)
    )
    return tuple(Sighting(kind, earlier.record_id, earlier.attachment.name) for kind, earlier in found)
