"""Every document that was seen, the bill page of each, and sending one through again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

from fastapi import APIRouter, Form, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from connector.ledger.overview import Overview
from connector.ledger.states import RETRIABLE, JobState
from connector.review.bill import bill_of
from connector.review.pages import Paper
from connector.review.sought import FromQuery, query_of, sight_of
from inference.errors import DocumentError

if TYPE_CHECKING:
    from connector.ledger.records import Story
    from connector.review.deps import ReviewDeps
    from connector.review.pages import PageImages
    from connector.review.screen import Screen

ROWS = 100
# Of the texts, those that the scripts of the bill page speak.
SCRIPTED = (
    "answers.",
    "bill.",
    "check.",
    "claim.",
    "column.total",
    "conflict.",
    "done.",
    "group.",
    "level.",
    "lines.",
    "orders.",
    "settle.",
    "total.",
    "totals.",
    "vendor.",
    "verdict.",
    "viewer.",
)
STATES: dict[str, frozenset[JobState]] = {
    "filled": frozenset({JobState.FILLED}),
    "in_review": frozenset({JobState.IN_REVIEW}),
    "waiting": frozenset({JobState.QUEUED, JobState.RUNNING, JobState.APPLYING}),
    "skipped": frozenset({JobState.SKIPPED}),
    "failed": frozenset({JobState.FAILED}),
}
JobId = Annotated[int, Path(ge=1, le=2**31 - 1)]


def make_router(deps: ReviewDeps, screen: Screen, images: PageImages) -> APIRouter:
    """`/documents`, `/documents/{id}`, its page images and its retry."""
    router = APIRouter()
    overview = Overview(deps.ledger.engine)

    def story_of(request: Request, job_id: int) -> Story:
        story = deps.ledger.story(job_id)
        screen.access.job(request, story.job if story else None)
        return cast("Story", story)

    @router.get("/documents", response_class=HTMLResponse)
    def all_documents(
        request: Request,
        state: str = "",
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        if state and state not in STATES:
            raise HTTPException(404, "no_such_page")
        sight = sight_of(screen.access.person(request), deps)
        counts = overview.counts(sight)
        shown = {name: sum(counts[one] for one in states) for name, states in STATES.items()}
        total = shown[state] if state else sum(shown.values())
        return screen.render(
            request,
            "documents/list.html",
            jobs=overview.jobs(sight, STATES[state] if state else None, ROWS, ROWS * (page - 1)),
            counts=shown,
            state=state,
            page=page,
            pages=max(1, -(-total // ROWS)),
            many_backends=len(deps.backends) > 1,
            group_of=group_of,
        )

    @router.get("/documents/{job_id}", response_class=HTMLResponse)
    def bill(request: Request, job_id: JobId, sought: FromQuery, read: bool = False) -> HTMLResponse:
        story = story_of(request, job_id)
        sha256 = story.job.document_sha256
        return screen.render(
            request,
            "documents/settle.html" if _is_open(story) and not read else "documents/bill.html",
            texts=screen.language(request).scripted(SCRIPTED),
            story=story,
            job=story.job,
            bill=bill_of(story, screen.language(request), deps.sure),
            paper=images.paper(sha256) if sha256 else Paper(problem="gone"),
            group=group_of(story.job.state),
            retriable=story.job.state in RETRIABLE,
            is_open=_is_open(story),
            query=query_of(sought),
        )

    @router.get("/documents/{job_id}/pages/{number}.webp")
    def page_image(
        request: Request, job_id: JobId, number: Annotated[int, Path(ge=1, le=10_000)]
    ) -> Response:
        sha256 = story_of(request, job_id).job.document_sha256
        try:
            picture = images.picture(sha256, number) if sha256 else None
        except DocumentError as error:
            raise HTTPException(422, str(error)) from error
        if picture is None:
            raise HTTPException(404, "no_such_page")
        return Response(picture, media_type="image/webp")

    @router.post("/documents/{job_id}/retry")
    def retry(request: Request, job_id: JobId, token: Annotated[str, Form(max_length=100)]) -> Response:
        screen.tokens.require(request, token)
        if story_of(request, job_id).job.state not in RETRIABLE:
            raise HTTPException(409, "not_retriable")
        deps.ledger.retry(screen.access.person(request).name, RETRIABLE, [job_id])
        return RedirectResponse(f"/documents/{job_id}", 303)

    return router


def _is_open(story: Story) -> bool:
    """Whether a person is asked: the screen to settle the bill, which without scripts shows what was read."""
    return story.job.state == JobState.IN_REVIEW and story.review is not None and not story.review.settled_at


def group_of(state: str) -> str:
    """The group of the filter that a state belongs to."""
    return next(name for name, states in STATES.items() if state in states)
