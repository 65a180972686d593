"""Documents whose reading people approved: what may teach a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, or_, select
from sqlalchemy.orm import Session

from connector.ledger.records import CorrectionRecord, Job, ReadingRecord, Review, VerdictRecord

Place = tuple[int, tuple[float, float, float, float]]
APPROVALS = ("approve", "approve_and_post")


@dataclass(frozen=True, slots=True)
class Approved:
    """A document and its last Reading (`body` as JSON). `corrected` are the Terms that people put right, each with the
    page and box where they found the value, None where they typed it. `is_sure` says that people posted no other values
    than those that were proposed, or approved."""

    job_id: int
    backend: str
    name: str
    sha256: str
    reader: str
    body: Mapping[str, Any]
    corrected: Mapping[str, Place | None]
    vendor: str
    is_sure: bool


def approved(engine: Engine, since: datetime | None) -> Iterator[Approved]:
    """Documents that people approved here or posted in the ERP, in the order of their Jobs, from a moment on."""
    latest = (
        select(func.max(ReadingRecord.id))
        .where(ReadingRecord.job_id == Job.id)
        .correlate(Job)
        .scalar_subquery()
    )
    judged_at = func.coalesce(VerdictRecord.at, Review.settled_at)
    chosen = (
        select(Job, ReadingRecord, Review, VerdictRecord)
        .join(ReadingRecord, ReadingRecord.id == latest)
        .outerjoin(Review, Review.job_id == Job.id)
        .outerjoin(VerdictRecord, VerdictRecord.job_id == Job.id)
        .where(
            Job.document_sha256.is_not(None),
            or_(Review.verdict.in_(APPROVALS), VerdictRecord.id.is_not(None)),
        )
        .order_by(Job.id)
    )
    if since is not None:
        chosen = chosen.where(judged_at >= since)
    with Session(engine.execution_options(read_only=True)) as session:
        for row in session.execute(chosen).unique():
            job, reading = row[0], row[1]
            review: Review | None = row[2]
            verdict: Any = row[3]
            corrections = session.scalars(
                select(CorrectionRecord)
                .where(CorrectionRecord.job_id == job.id)
                .order_by(CorrectionRecord.id)
            )
            yield Approved(
                job.id,
                job.backend,
                job.attachment.name,
                job.document_sha256 or "",
                reading.reader,
                reading.body,
                {one.term or one.target: _place(one) for one in corrections},
                verdict.vendor if verdict else review.vendor if review else "",
                verdict is None or verdict.right,
            )


def _place(correction: CorrectionRecord) -> Place | None:
    if correction.page is None or correction.box is None or len(correction.box) != 4:
        return None
    x0, y0, x1, y1 = correction.box
    return correction.page, (x0, y0, x1, y1)
