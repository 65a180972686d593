"""Opening and closing the Review of a Job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from connector.ledger.audit import Deed, audit
from connector.ledger.records import DraftRecord, Job, Review, ReviewSummary


def close_review(session: Session, job: Job, verdict: str, actor: str, now: datetime) -> None:
    """Settle the Job's Review where it is open."""
    closed = session.scalars(
        update(Review)
        .where(Review.job_id == job.id, Review.settled_at.is_(None))
        .values(settled_at=now, verdict=verdict, actor=actor)
        .returning(Review.id)
    ).all()
    if closed:
        audit(session, Deed("review.settled", f"document {job.id}", actor, {"verdict": verdict}))


def open_review(
    session: Session,
    job: Job,
    summary: ReviewSummary,
    reasons: Sequence[str],
    now: datetime,
    result: Mapping[str, Any],
) -> None:
    """Open the Job's Review, anew where it had one. `result` has the record as Odoo gave it back (`record`), and the
    to-do made there (`activity_id`)."""
    review = session.scalar(select(Review).where(Review.job_id == job.id)) or Review(job_id=job.id)
    review.title, review.vendor = summary.title, summary.vendor
    review.amount, review.currency = summary.amount, summary.currency
    review.company_id, review.company, review.topics = (
        summary.company_id,
        summary.company,
        list(summary.topics),
    )
    review.topic, review.worth = next(iter(summary.topics), ""), _number(summary.amount)
    review.number, review.assignee, review.assignee_name = summary.number, "", ""
    job.company_id = summary.company_id or job.company_id
    review.reasons, review.opened_at = list(reasons), now
    review.settled_at, review.verdict, review.actor = None, "", ""
    review.claimed_by, review.claimed_name, review.claimed_at, review.claimed_until = "", "", None, None
    review.seconds, review.asked_at, review.question = None, None, ""
    review.record, review.seen, review.activity_id = result.get("record"), None, result.get("activity_id")
    session.execute(delete(DraftRecord).where(DraftRecord.job_id == job.id))
    session.add(review)


def _number(amount: str) -> float | None:
    """For bands and order only; the amount itself stays as it was read."""
    try:
        number = Decimal(amount)
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() else None
