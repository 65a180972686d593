"""Records of the ERP to choose from, and a new vendor made on one click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connector.erp.search import MOST, SEARCHABLE
from connector.errors import RetriableError, SkippableError, VouchError

if TYPE_CHECKING:
    from connector.erp.port import Choice, Erp
    from connector.review.deps import ReviewDeps
    from connector.review.screen import Screen
    from connector.settling.person import Person

Text = Annotated[str, StringConstraints(max_length=300)]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]


class NewVendorBody(BaseModel):
    """A vendor to create: fields of `res.partner` as the person left them, never bank details."""

    model_config = ConfigDict(extra="forbid")

    backend: Annotated[str, StringConstraints(max_length=64)]
    company: Id | None = None
    values: Annotated[
        dict[Annotated[str, StringConstraints(max_length=40)], Text | bool], Field(max_length=20)
    ]


def make_router(deps: ReviewDeps, screen: Screen) -> APIRouter:
    """`/api/v1/choices/{model}` and `/api/v1/vendors`."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/choices/{model}")
    def choices(
        request: Request,
        model: Annotated[str, Path(max_length=64)],
        backend: Annotated[str, Query(max_length=64)],
        q: Annotated[str, Query(max_length=100)] = "",
        company: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        vendor: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    ) -> Any:
        person = screen.access.person(request)
        erp = _erp(deps, person, backend, company)
        if model not in SEARCHABLE:
            raise HTTPException(404, "no_such_page")
        # Without a company, of all that the person may see, and not of all that Vouch may.
        companies = person.companies if company is None else (company,)
        try:
            return [_node(choice) for choice in erp.search(model, q, companies, vendor, MOST)]
        except VouchError as error:
            return _refusal(error)

    @router.post("/vendors")
    def create_vendor(request: Request, body: NewVendorBody) -> Any:
        erp = _erp(deps, screen.access.writer(request), body.backend, body.company)
        try:
            return _node(erp.create_vendor(body.values, body.company))
        except VouchError as error:
            return _refusal(error)

    return router


def _erp(deps: ReviewDeps, person: Person, backend: str, company: int | None) -> Erp:
    """The Backend's ERP, for those who may see it and the company."""
    erp = deps.erp(backend) if person.sees(backend, company) else None
    if erp is None:
        raise HTTPException(404, "no_such_page")
    return erp


def _node(choice: Choice) -> dict[str, Any]:
    return {"id": choice.id, "name": choice.name, "detail": choice.detail}


def _refusal(error: VouchError) -> JSONResponse:
    """What the ERP said, as the API tells it."""
    if isinstance(error, RetriableError):
        return JSONResponse({"error": "away", "message": str(error)}, 503)
    status, code = (422, error.reason) if isinstance(error, SkippableError) else (502, "erp")
    return JSONResponse({"error": code, "message": str(error)}, status)
