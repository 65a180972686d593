"""The whole story of a document, from the attachment to what was learned from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector.ledger.records import CorrectionRecord, JudgedRecord, LessonRecord, Story, VerdictRecord
from connector.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class History:
    """A Story with what people made of it: corrections, the Verdict on the Proposal, Lessons, judged values."""

    story: Story
    corrections: tuple[CorrectionRecord, ...]
    verdict: VerdictRecord | None
    lessons: tuple[LessonRecord, ...]
    judged: tuple[JudgedRecord, ...]


def history_of(ledger: Ledger, job_id: int) -> History | None:
    """All that the ledger keeps about a Job, or None when there is no such Job."""
    story = ledger.story(job_id)
    if story is None:
        return None
    with Session(ledger.engine.execution_options(read_only=True), expire_on_commit=False) as session:

        def rows(record: type[Any], *where: Any) -> tuple[Any, ...]:
            return tuple(session.scalars(select(record).where(*where).order_by(record.id)))

        readings = [reading.id for reading in story.readings]
        # Lessons name their document by its Job.
        lessons = (LessonRecord.backend == story.job.backend, LessonRecord.document == str(job_id))
        return History(
            story,
            rows(CorrectionRecord, CorrectionRecord.job_id == job_id),
            session.scalar(select(VerdictRecord).where(VerdictRecord.job_id == job_id)),
            rows(LessonRecord, *lessons),
            rows(JudgedRecord, JudgedRecord.reading_id.in_(readings)),
        )
