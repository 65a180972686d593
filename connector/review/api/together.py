"""Bills of one vendor with the same single doubt: what would be written of each, and approving them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from connector.errors import AwayError
from connector.ledger.queue import Queue
from connector.review.api.bills import BillScreen
from connector.review.api.shown import summary_json
from connector.settling.edits import VerdictBody
from connector.settling.together import MOST, OTHER_GROUP, TWICE, Fitting, Unfit, fitting, twice

if TYPE_CHECKING:
    from connector.review.deps import ReviewDeps
    from connector.review.pages import PageImages
    from connector.review.screen import Screen
    from connector.settling.person import Person
    from connector.settling.verdicts import Settled
    from connector.settling.work import Work

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
NOT_TRIED = "Odoo does not answer: this bill was not tried. Ask again."


class SeenBill(BaseModel):
    """A bill as the person saw it."""

    model_config = ConfigDict(extra="forbid")

    id: Id
    version: Annotated[str, StringConstraints(max_length=64)]


class ApproveBody(BaseModel):
    """Bills to approve together, as `GET /api/v1/reviews/approve` gave them: all of one `group`. `key` is the same when
    the same wish is sent again."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, StringConstraints(min_length=8, max_length=64)]
    group: Annotated[str, StringConstraints(max_length=64)]
    bills: list[SeenBill] = Field(min_length=1, max_length=MOST)

    @field_validator("bills")
    @classmethod
    def _each_once(cls, bills: list[SeenBill]) -> list[SeenBill]:
        if len({bill.id for bill in bills}) < len(bills):
            raise ValueError("a bill is named twice")
        return bills


def make_router(deps: ReviewDeps, screen: Screen, images: PageImages) -> APIRouter:
    """`/api/v1/reviews/approve`: the preview, and the approval. To be asked before `/api/v1/reviews/{id}`."""
    router = APIRouter(prefix="/api/v1")
    shows = _Together(deps, screen, images)

    @router.get("/reviews/approve")
    def preview(
        request: Request,
        ids: Annotated[list[Id], Query(alias="id", min_length=1, max_length=MOST)],
    ) -> JSONResponse:
        return JSONResponse(shows.preview(request, list(dict.fromkeys(ids)), screen.access.person(request)))

    @router.post("/reviews/approve")
    def approve(request: Request, body: ApproveBody) -> JSONResponse:
        person = screen.access.writer(request)
        return JSONResponse({"bills": shows.approve(request, body, person)})

    return router


class _Together:
    def __init__(self, deps: ReviewDeps, screen: Screen, images: PageImages) -> None:
        self._deps, self._screen = deps, screen
        self._bills = BillScreen(deps, screen, images)
        self._queue = Queue(deps.ledger.engine, deps.clock)

    def preview(self, request: Request, ids: list[int], person: Person) -> dict[str, Any]:
        """What would be written of each bill, or why it has to be looked at by itself. All that fit are of one group:
        that of the first."""
        found: dict[int, Fitting] = {}
        told: dict[int, dict[str, Any]] = {}
        for job_id in ids:
            try:
                self._bills.admit(request, job_id)
                work = self._bills.desk.work(job_id)
                told[job_id] = self._named(work)
                one = fitting(self._bills.desk, work, person.login, self._deps.clock())
                if found and one.group != next(iter(found.values())).group:
                    raise Unfit(OTHER_GROUP)
                found[job_id] = one
            except Exception as error:
                told[job_id] = told.get(job_id, {}) | self._refusal(request, error, person)
        for job_id in set(twice(found)):
            del found[job_id]
            told[job_id] |= self._refusal(request, Unfit(TWICE), person)
        for job_id, one in found.items():
            around = self._bills.around(request, one.work, person, pages=False)
            told[job_id] |= summary_json(one.work, around, one.doubt.target)
        return {
            "group": next(iter(found.values())).group if found else None,
            "bills": [{"id": job_id, "fits": job_id in found, **told[job_id]} for job_id in ids],
        }

    def approve(self, request: Request, body: ApproveBody, person: Person) -> list[dict[str, Any]]:
        """Approve one bill after the other; what became of each. Where Odoo does not answer, the others are not tried."""
        say = self._screen.language(request).say
        told: list[dict[str, Any]] = []
        away = False
        for bill in body.bills:
            if away:
                told.append({"id": bill.id, "outcome": "refused", "error": "away", "message": say(NOT_TRIED)})
                continue
            try:
                self._bills.admit(request, bill.id)
                settled = self._approve(bill, body, person)
                node = {"outcome": settled.outcome, "state": settled.state, "message": say(settled.message)}
                told.append({"id": bill.id, **node})
            except Exception as error:
                away = isinstance(error, AwayError)
                refusal = self._refusal(request, error, person)
                told.append({"id": bill.id, "outcome": "refused", **refusal})
        return told

    def _approve(self, bill: SeenBill, body: ApproveBody, person: Person) -> Settled:
        desk = self._bills.desk

        def admit(work: Work) -> None:
            one = fitting(desk, work, person.login, self._deps.clock())
            if one.group != body.group:
                raise Unfit(OTHER_GROUP)
            # The time of one bill among many was not measured: an older claim must not stand for it.
            self._queue.release(bill.id, person.login)

        reason = "Approved together with other bills of the vendor, after a look at the one doubtful value."
        wish = VerdictBody(verdict="approve", version=bill.version, key=body.key, reason=reason)
        return self._bills.decide(bill.id, wish, person, admit)

    def _named(self, work: Work) -> dict[str, Any]:
        review, job = work.case.review, work.case.job
        return {"title": review.title, "file": job.attachment.name, "vendor": review.vendor}

    def _refusal(self, request: Request, error: Exception, person: Person) -> dict[str, Any]:
        """Why not, in the person's language. Raises the error where it is a defect."""
        if isinstance(error, KeyError) or (isinstance(error, HTTPException) and error.status_code == 404):
            message = self._screen.language(request).t("error.no_such_page")
            return {"error": "no_such_page", "message": message}
        told = self._bills.refused(request, person, error)
        if told is None:
            raise error
        return {"error": told.code, "message": told.message, **told.more}
