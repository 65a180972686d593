"""Documents that programs bring: each becomes a draft bill in the ERP, and is then read like any other."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Header, HTTPException, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from connector.erp.port import BILL
from connector.ledger.uploads import Sent, UploadState
from connector.review.security import API
from inference.errors import DocumentError

if TYPE_CHECKING:
    from connector.ledger.uploads import UploadRecord
    from connector.review.deps import ReviewDeps
    from connector.review.screen import Screen
    from connector.settling.person import Person

AT_ONCE = 6
"""So many documents are in memory at a time."""
LONGEST_NAME = 255


class UploadedBill(BaseModel):
    """The bill in the ERP."""

    model: str
    id: int
    url: str | None


class UploadStatus(BaseModel):
    """Where an upload is: `state` is `waiting`, `sending`, `done` or `refused`; `document` is its number in Vouch once read."""

    id: int
    state: Literal["waiting", "sending", "done", "refused"]
    record: UploadedBill | None
    document: int | None
    document_state: str | None
    message: str
    follow: str


def make_router(deps: ReviewDeps, screen: Screen) -> APIRouter:
    """`POST /api/v1/documents` and `/api/v1/uploads/{id}`."""
    router = APIRouter(prefix="/api/v1", tags=["documents"])
    places = anyio.Semaphore(AT_ONCE)

    def status(upload: UploadRecord) -> UploadStatus:
        job = deps.uploads.kept.job(upload) if deps.uploads else None
        record = (
            UploadedBill(
                model=BILL,
                id=upload.record_id,
                url=deps.record_url(upload.backend, BILL, upload.record_id),
            )
            if upload.record_id
            else None
        )
        return UploadStatus(
            id=upload.id,
            state=UploadState(upload.state).value,
            record=record,
            document=job.id if job else None,
            document_state=job.state if job else None,
            message=upload.message,
            follow=f"{API}uploads/{upload.id}",
        )

    def take(sent: Sent, data: bytes) -> JSONResponse:
        if deps.uploads is None:
            raise HTTPException(503, {"error": "away", "message": "This server takes no documents."})
        try:
            deps.sandbox.open(data, sent.name)
        except DocumentError as error:
            raise HTTPException(422, {"error": "unreadable", "message": str(error)}) from error
        deps.documents.put(data)
        try:
            upload = deps.uploads.take(sent)
        except ValueError:
            message = "This Idempotency-Key was used for another document: use a new one."
            raise HTTPException(422, {"error": "key_reused", "message": message}) from None
        found = status(upload)
        code = {"done": 201, "refused": 422}.get(found.state, 202)
        body: dict[str, Any] = found.model_dump()
        if code == 422:
            body = {"error": "refused", **body}
        return JSONResponse(body, code, {"Location": found.follow})

    @router.post(
        "/documents",
        status_code=201,
        response_model=UploadStatus,
        responses={202: {"model": UploadStatus, "description": "Kept; Odoo is away and it is sent later."}},
        openapi_extra=_BODY,
        summary="Make a draft bill of a document",
    )
    async def bring(
        request: Request,
        name: Annotated[str, Query(max_length=LONGEST_NAME, description="File name, for a raw body.")] = "",
        backend: Annotated[str | None, Query(max_length=64)] = None,
        company: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        type: Annotated[Literal["in_invoice", "in_refund"], Query()] = "in_invoice",  # noqa: A002
        idempotency_key: Annotated[str, Header(max_length=255)] = "",
    ) -> JSONResponse:
        person = screen.access.writer(request)
        where, whose = _backend_of(person, backend, list(deps.backends)), _company_of(person, company)
        async with places:
            named, data = await _document(request, name, deps.max_upload_bytes)
            sha256 = hashlib.sha256(data).hexdigest()
            asked = _hash([where, whose, type, named, sha256])
            sent = Sent(
                where,
                person.login[:128],
                _hash(["key", idempotency_key]) if idempotency_key else asked,
                asked,
                named,
                sha256,
                type,
                whose,
            )
            return await run_in_threadpool(take, sent, data)

    @router.get("/uploads/{number}", summary="Where an upload is")
    def follow(request: Request, number: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> UploadStatus:
        person = screen.access.person(request)
        upload = deps.uploads.kept.get(number) if deps.uploads else None
        if upload is None or upload.actor != person.login[:128] or not person.sees(upload.backend, None):
            raise HTTPException(404, "no_such_page")
        return status(upload)

    return router


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


async def _document(request: Request, name: str, largest: int) -> tuple[str, bytes]:
    """Name and bytes of the one document in the body. Raises HTTPException 413 or 422."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=0) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise HTTPException(422, {"error": "malformed", "message": "The form has no part “file”."})
            data, name = await file.read(largest + 1), name or file.filename or ""
    else:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > largest:
                break
        data = bytes(body)
    if len(data) > largest:
        message = f"The document is larger than {largest >> 20} MB (reading.max_megabytes)."
        raise HTTPException(413, {"error": "too_large", "message": message})
    # A path, or what cannot be seen, in a name helps nobody.
    plain = "".join(char for char in name.replace("\\", "/").rpartition("/")[2] if char.isprintable()).strip()
    if not plain or not data:
        message = "The document has no name: give ?name=bill.pdf." if data else "The document is empty."
        raise HTTPException(422, {"error": "malformed", "message": message})
    return plain[-LONGEST_NAME:], data


def _backend_of(person: Person, asked: str | None, known: list[str]) -> str:
    where = asked or person.backend or (known[0] if len(known) == 1 else None)
    if where is None:
        raise HTTPException(422, {"error": "malformed", "message": f"Say ?backend=: {', '.join(known)}."})
    if where not in known or not person.sees(where, None):
        raise HTTPException(404, "no_such_page")
    return where


def _company_of(person: Person, asked: int | None) -> int | None:
    if asked is None and person.companies is not None:
        if len(person.companies) == 1:
            return next(iter(person.companies))
        ids = ", ".join(str(one) for one in sorted(person.companies))
        raise HTTPException(422, {"error": "malformed", "message": f"Say ?company=: one of {ids}."})
    if asked is not None and person.companies is not None and asked not in person.companies:
        raise HTTPException(404, "no_such_page")
    return asked


def _hash(node: list[Any]) -> str:
    return hashlib.sha256(json.dumps(node).encode()).hexdigest()
