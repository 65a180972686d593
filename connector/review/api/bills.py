"""One bill in review: the form, the person's draft, and taking over what changed in the ERP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from connector.errors import RetriableError, SkippableError, VouchError
from connector.ledger.queue import Queue, Sought
from connector.ledger.settling import ClaimedByOther, NotInReview
from connector.review.api.shown import Surroundings, bill_json, conflict_json
from connector.review.sought import FromQuery, sight_of
from connector.settling.answers import Unanswered
from connector.settling.draft import UnfitEdit, conventions_of_locale
from connector.settling.edits import DraftBody, VerdictBody
from connector.settling.together import Unfit
from connector.settling.undoing import take_back
from connector.settling.verdicts import Conflicting, Stale, decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.review.deps import ReviewDeps
    from connector.review.pages import PageImages
    from connector.review.screen import Screen
    from connector.settling.desk import SettlingDesk
    from connector.settling.person import Person
    from connector.settling.pointing import Words
    from connector.settling.verdicts import Admit, Settled
    from connector.settling.work import Work

JobId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class UndoBody(BaseModel):
    """The wish to take a filling back; `key` is the same when it is sent again."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, StringConstraints(min_length=8, max_length=64)]


class Nothing(BaseModel):
    """An empty body."""

    model_config = ConfigDict(extra="forbid")


def make_router(deps: ReviewDeps, screen: Screen, images: PageImages) -> APIRouter:
    """`/api/v1/reviews/{id}`, its draft, and `take-over`."""
    router = APIRouter(prefix="/api/v1")
    shows = BillScreen(deps, screen, images)
    desk = deps.desk

    @router.get("/reviews/{job_id}")
    def bill(request: Request, job_id: JobId, sought: FromQuery) -> Any:
        person = screen.access.person(request)
        shows.admit(request, job_id)
        return shows.answer(request, person, lambda: shows.bill(request, desk.work(job_id), person, sought))

    @router.put("/reviews/{job_id}/draft")
    def draft(request: Request, job_id: JobId, body: DraftBody, sought: FromQuery) -> Any:
        person = screen.access.writer(request)
        shows.admit(request, job_id)
        own = conventions_of_locale(screen.language(request).locale)

        def kept() -> dict[str, Any]:
            return shows.bill(request, desk.draft(job_id, body.edits, person, own), person, sought)

        return shows.answer(request, person, kept)

    @router.post("/reviews/{job_id}/take-over")
    def take_over(request: Request, job_id: JobId, _body: Nothing, sought: FromQuery) -> Any:
        person = screen.access.writer(request)
        shows.admit(request, job_id)

        def taken_over() -> dict[str, Any]:
            return shows.bill(request, desk.take_over(job_id, person), person, sought)

        return shows.answer(request, person, taken_over)

    @router.post("/reviews/{job_id}/verdict")
    def verdict(request: Request, job_id: JobId, body: VerdictBody, sought: FromQuery) -> Any:
        person = screen.access.writer(request)
        shows.admit(request, job_id)
        return shows.answer(request, person, lambda: shows.settle(request, job_id, body, person, sought))

    @router.post("/documents/{job_id}/undo")
    def undo(request: Request, job_id: JobId, body: UndoBody) -> Any:
        person = screen.access.writer(request)
        shows.admit(request, job_id)

        def undone() -> dict[str, Any]:
            settled = take_back(desk, job_id, body.key, person, screen.access.erp_of(person))
            message = screen.language(request).say(settled.message)
            return {"outcome": settled.outcome, "state": settled.state, "message": message}

        return shows.answer(request, person, undone)

    return router


class BillScreen:
    """Answers with a bill as this request's person sees it."""

    def __init__(self, deps: ReviewDeps, screen: Screen, images: PageImages) -> None:
        self._deps, self._screen, self._images = deps, screen, images

    @property
    def desk(self) -> SettlingDesk:
        """Where bills are settled."""
        return self._deps.desk

    def admit(self, request: Request, job_id: int) -> None:
        """Raise HTTPException 404 for documents that are not this person's to see."""
        self._screen.access.job(request, self.desk.settling.job(job_id))

    def bill(self, request: Request, work: Work, person: Person, sought: Sought) -> dict[str, Any]:
        """The bill as JSON."""
        return bill_json(work, self.around(request, work, person, sought))

    def around(
        self,
        request: Request,
        work: Work,
        person: Person,
        sought: Sought | None = None,
        *,
        pages: bool = True,
    ) -> Surroundings:
        """What the JSON needs besides the bill; the sizes of its pages only where they are asked for."""
        job = work.case.job
        language = self._screen.language(request)
        sha256 = job.document_sha256
        return Surroundings(
            language=language,
            login=person.login,
            now=self._deps.clock(),
            record_url=self._deps.record_url(job.backend, job.model, job.record_id),
            pages=self._images.paper(sha256).sizes if sha256 and pages else (),
            next=self.next(job.id, person, sought) if sought else None,
            posting=self._deps.posting,
            say=language.say,
        )

    def settle(
        self, request: Request, job_id: int, body: VerdictBody, person: Person, sought: Sought
    ) -> dict[str, Any]:
        """Carry a verdict out; what became of it, and the bill to go on with."""
        settled = self.decide(job_id, body, person)
        job = self.desk.settling.job(job_id)
        if job is None:
            raise KeyError(job_id)
        url = self._deps.record_url(job.backend, job.model, job.record_id)
        return {
            "outcome": settled.outcome,
            "state": settled.state,
            "message": self._screen.language(request).say(settled.message),
            "record": {"model": job.model, "id": job.record_id, "url": url},
            "next": self.next(job_id, person, sought),
        }

    def decide(
        self, job_id: int, body: VerdictBody, person: Person, admit: Admit = lambda _: None
    ) -> Settled:
        """Carry a verdict out; `admit` is asked first whether the bill may be decided on so."""
        own, part = self._screen.access.erp_of(person), self._deps.sandbox.part
        words = self._words(job_id)
        return decide(self.desk, job_id, body, person, self._deps.documents, part, own, words, admit)

    def answer(self, request: Request, person: Person, made: Callable[[], Any]) -> Any:
        """What was asked for, or what stands against it, in the person's language."""
        try:
            return made()
        except KeyError:
            raise HTTPException(404, "no_such_page") from None
        except Exception as error:
            told = self.refused(request, person, error)
            if told is None:
                raise
            return JSONResponse({"error": told.code, "message": told.message, **told.more}, told.status)

    def refused(self, request: Request, person: Person, error: Exception) -> Refused | None:
        """The refusal that an error of settling is told as, in the person's language; None for a defect."""
        told = _refused(error, self._screen.language(request).say)
        if told and isinstance(error, Conflicting) and error.work:
            around = self.around(request, error.work, person, pages=False)
            told.more["changes"] = conflict_json(error.work, around, error.found)["changes"]
        return told

    def _words(self, job_id: int) -> Words:
        job = self.desk.settling.job(job_id)
        sha256 = job.document_sha256 if job else None
        return lambda page: self._images.words(sha256, page) if sha256 else None

    def next(self, job_id: int, person: Person, sought: Sought) -> int | None:
        """The bill to go on with, of the list that the person came from."""
        queue = Queue(self._deps.ledger.engine, self._deps.clock)
        return queue.next(sight_of(person, self._deps), sought, job_id)


@dataclass(frozen=True, slots=True)
class Refused:
    """What stands against a wish, as the API says it."""

    status: int
    code: str
    message: str
    more: dict[str, Any] = field(default_factory=dict[str, Any])


def _refused(error: Exception, say: Callable[[str], str]) -> Refused | None:
    match error:
        case Stale():
            return Refused(409, "stale", say(str(error)))
        case Conflicting():
            return Refused(409, "conflict", say(str(error)), {"changes": []})
        case Unanswered():
            asked = [
                {"id": one.id, "message": " ".join(say(said) for said in one.messages)}
                for one in error.questions
            ]
            message = " ".join([say("Answer first:"), *(one["message"] for one in asked)])
            return Refused(409, "unanswered", message, {"checks": asked})
        case NotInReview():
            return Refused(404, "settled", say(str(error)))
        case ClaimedByOther():
            return Refused(409, "claimed", say(str(error)))
        case UnfitEdit():
            return Refused(422, error.code, say(str(error)), {"target": error.target})
        case Unfit():
            return Refused(422, "unfit", say(str(error)))
        case RetriableError():
            return Refused(503, "away", say(str(error)))
        case SkippableError():
            return Refused(422, error.reason, say(str(error)))
        case VouchError():
            return Refused(502, "erp", say(str(error)))
        case _:
            return None
