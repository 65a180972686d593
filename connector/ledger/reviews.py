"""Opening and closing the Review of a Job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connector.ledger.records import Job, Review, ReviewSummary


def close_review(session: Session, job: Job, verdict: str, actor: str, now: datetime) -> None:
    """Settle the Job's Review where it is open."""
    session.execute(
        update(Review)
        .where(Review.job_id == job.id, Review.settled_at.is_(None))
        .values(settled_at=now, verdict=verdict, actor=actor)
    )


def open_review(
    session: Session, job: Job, summary: ReviewSummary, reasons: Sequence[str], now: datetime
) -> None:
    """Open the Job's Review, anew where it had one."""
    review = session.scalar(select(Review).where(Review.job_id == job.id)) or Review(job_id=job.id)
    review.title, review.vendor = summary.title, summary.vendor
    review.amount, review.currency = summary.amount, summary.currency
    review.reasons, review.opened_at = list(reasons), now
    review.settled_at, review.verdict, review.actor = None, "", ""
    session.add(review)
