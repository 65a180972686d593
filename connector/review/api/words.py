"""The words of a page with their places, so that a person can select and take them over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request

from inference.errors import DocumentError

if TYPE_CHECKING:
    from connector.review.deps import ReviewDeps
    from connector.review.pages import PageImages
    from connector.review.screen import Screen


def make_router(deps: ReviewDeps, screen: Screen, images: PageImages) -> APIRouter:
    """`/api/v1/documents/{id}/pages/{n}/words`."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/documents/{job_id}/pages/{number}/words")
    def words(
        request: Request,
        job_id: Annotated[int, Path(ge=1, le=2**31 - 1)],
        number: Annotated[int, Path(ge=1, le=10_000)],
    ) -> list[dict[str, Any]]:
        story = deps.ledger.story(job_id)
        sha256 = screen.access.job(request, story.job if story else None).document_sha256
        try:
            found = images.words(sha256, number) if sha256 else None
        except DocumentError as error:
            raise HTTPException(422, str(error)) from error
        if found is None:
            raise HTTPException(404, "no_such_page")
        return [
            {"text": token.text, "box": [round(side, 5) for side in token.box]}
            for token in found
            if token.text.strip()
        ]

    return router
