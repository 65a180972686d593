"""Odoo says that there is something new: its Backend is polled at once. Nothing in the call is believed or kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

if TYPE_CHECKING:
    from connector.ledger.tokens import TokenRecord, Tokens
    from connector.review.deps import ReviewDeps
    from connector.review.screen import Screen

SCOPE = "hooks:write"
WINDOW = timedelta(minutes=5)
"""A signed call may be so far from our time."""
LONGEST_NONCE = 128


class Asked(BaseModel):
    """That the Backend is looked at soon."""

    polling: bool


def make_router(deps: ReviewDeps, screen: Screen) -> APIRouter:
    """`POST /api/v1/hooks/odoo/{backend}`."""
    router = APIRouter(prefix="/api/v1/hooks", tags=["hooks"])

    @router.post("/odoo/{backend}", status_code=202, summary="There is something new in Odoo")
    async def changed(request: Request, backend: Annotated[str, Path(max_length=64)]) -> Asked:
        body = await request.body()
        token = await run_in_threadpool(_caller, screen.access.tokens, deps, request, body)
        if token is None:
            raise HTTPException(
                401, {"error": "signed_out", "message": "The token or the signature is not good."}
            )
        if token.backend != backend or SCOPE not in token.scopes or backend not in deps.backends:
            raise HTTPException(403, "not_in_scope")
        deps.poll_soon(backend)
        return Asked(polling=True)

    return router


def _caller(tokens: Tokens, deps: ReviewDeps, request: Request, body: bytes) -> TokenRecord | None:
    """The token that the call shows, as Bearer or as Basic password, or that it is signed with."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return tokens.find(given.strip())
    if kind.lower() == "basic":
        return tokens.find(_password(given))
    return _signer(tokens, deps, request, body)


def _password(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _signer(tokens: Tokens, deps: ReviewDeps, request: Request, body: bytes) -> TokenRecord | None:
    """The token named by `X-Vouch-Key`, where the call is signed with it, of now, and came for the first time.

    The signature is HMAC-SHA256 over `TIMESTAMP.NONCE.BODY`, its key the SHA-256 (hex) of the token.
    """
    name, timestamp, nonce, signature = (
        request.headers.get(f"x-vouch-{part}", "") for part in ("key", "timestamp", "nonce", "signature")
    )
    token = tokens.named(name) if name else None
    if (
        token is None
        or not timestamp.isdecimal()
        or len(timestamp) > 12
        or not 8 <= len(nonce) <= LONGEST_NONCE
    ):
        return None
    if abs(deps.clock().timestamp() - int(timestamp)) > WINDOW.total_seconds():
        return None
    signed = f"{timestamp}.{nonce}.".encode() + body
    expected = hmac.new(token.hash.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.removeprefix("sha256=").encode()):
        return None
    return token if tokens.first_time(f"{name}.{nonce}", 2 * WINDOW) else None
