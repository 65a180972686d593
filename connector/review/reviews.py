"""The queue: what waits for a person, the longest waiting first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

if TYPE_CHECKING:
    from connector.ledger.records import Review
    from connector.review.deps import ReviewDeps
    from connector.review.language import Language
    from connector.review.screen import Screen

MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One Review as the queue shows it; `amount` is written in the reader's language."""

    review: Review
    amount: str
    first_reason: str
    more_reasons: int


def make_router(deps: ReviewDeps, screen: Screen) -> APIRouter:
    """`/reviews`."""
    router = APIRouter()

    @router.get("/reviews", response_class=HTMLResponse)
    def queue(request: Request) -> HTMLResponse:
        language = screen.language(request)
        count, _ = deps.ledger.open_reviews()
        rows = [_row(review, language) for review in deps.ledger.reviews(MOST_ROWS)]
        return screen.render(
            request, "reviews/list.html", rows=rows, count=count, many_backends=len(deps.backends) > 1
        )

    return router


def _row(review: Review, language: Language) -> QueueRow:
    first, *more = review.reasons or [""]
    return QueueRow(review, _amount(review, language), first, len(more))


def _amount(review: Review, language: Language) -> str:
    try:
        return language.amount(Decimal(review.amount), review.currency)
    except InvalidOperation:
        # What was read is not a number: the person sees it as it was kept.
        return review.amount
