"""Headers of every answer, and the refusal of requests that another site made in the person's name.

What stands between a hostile web page in the same browser and the ledger is here: the Host header, the Origin of writes,
and a token in every form.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
from fastapi import HTTPException, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
COOKIE = "vouch"
COOKIE_LENGTH = 43
# A path of ours: browsers read `//` and `/\` as another host, and drop tabs and line breaks before they look.
INSIDE = re.compile(r"/(?![/\\])[\x21-\x7e]*")
LARGEST_FORM = 64 * 1024
LARGEST_JSON = 1024 * 1024
SLOWEST_SECONDS = 20.0
SLOWEST = 50_000
"""Bytes a second."""
API = "/api/v1/"
HOOKS = "/api/v1/hooks/"
DOCUMENTS = "/api/v1/documents"
HSTS = "max-age=31536000"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# `same-origin` and not `no-referrer`: with the latter browsers send `Origin: null` with our own forms.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def harden(headers: MutableHeaders) -> None:
    """Set the headers that every answer carries; what a route has set itself stays."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)


class SecurityMiddleware:
    """Hardens every answer; refuses writes that another site sent, and bodies that are too large or come too slowly."""

    def __init__(self, app: ASGIApp, largest_document: int) -> None:
        self.app, self._largest_document = app, largest_document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403, 411 or 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                harden(headers)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", HSTS)
                if expires := scope.get("state", {}).get("token_expires"):
                    headers["Vouch-Token-Expires"] = f"{expires:%Y-%m-%d}"
            await send(message)

        headers = Headers(scope=scope)
        refusal = None
        if scope["method"] not in SAFE_METHODS:
            # No browser sends an API token or a signature by itself, and programs are of no origin.
            path: str = scope["path"]
            by_program = path.startswith(HOOKS) or (path.startswith(API) and "authorization" in headers)
            refusal = (None if by_program else _foreign(headers)) or _too_large(
                headers, self._largest(scope["path"])
            )
        await (refusal or self.app)(scope, _in_time(receive, headers), send_hardened)

    def _largest(self, path: str) -> int:
        if path == DOCUMENTS:
            return self._largest_document + LARGEST_FORM
        return LARGEST_JSON if path.startswith(API) else LARGEST_FORM


def _in_time(receive: Receive, headers: Headers) -> Receive:
    """`receive` that gives a body up where it comes slower than `SLOWEST`, so that none holds a place for ever."""
    length = headers.get("content-length", "")
    allowed = SLOWEST_SECONDS + (int(length) / SLOWEST if length.isdecimal() else 0)
    deadline: float | None = None
    whole = False

    async def receive_in_time() -> Message:
        nonlocal deadline, whole
        if whole:
            # What comes now is the end of the connection, which may take as long as it likes.
            return await receive()
        deadline = deadline or anyio.current_time() + allowed
        try:
            with anyio.fail_after(max(0.0, deadline - anyio.current_time())):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "too_slow", {"Connection": "close"}) from None
        whole = not message.get("more_body", False)
        return message

    return receive_in_time


def _foreign(headers: Headers) -> Response | None:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return PlainTextResponse("Another site sent this request; it was refused.", 403)
    # A browser names the origin of every POST, so a write without one comes from no page of ours.
    origin = urlsplit(headers.get("origin", ""))
    if origin.scheme not in ("http", "https") or origin.netloc != headers.get("host"):
        return PlainTextResponse("The request does not come from a page of Vouch; it was refused.", 403)
    return None


def _too_large(headers: Headers, largest: int) -> Response | None:
    length = headers.get("content-length", "")
    # A length beside chunks is not that of the body (RFC 9112, 6.3).
    if not (length.isascii() and length.isdecimal()) or "transfer-encoding" in headers:
        return PlainTextResponse("The request does not say how long it is.", 411, {"Connection": "close"})
    return PlainTextResponse("The request is too large.", 413) if int(length) > largest else None


class FormTokens:
    """Tokens of forms and scripts: what the browser's cookie holds, signed with itself (HMAC, RFC 2104).

    The cookie is out of reach of scripts, and before and after signing in another one, so a token belongs to one
    session, and to no other after it. Nothing is kept here: an open page outlives a restart.
    See OWASP, Cross-Site Request Forgery Prevention Cheat Sheet.
    """

    def issue(self, request: Request) -> tuple[str, str]:
        """The value of the cookie (kept, or a new one) and the token for the forms of this page."""
        value = self.held(request) or secrets.token_urlsafe(32)
        return value, _signed(value)

    def held(self, request: Request) -> str:
        """What the browser holds; empty where it is not one of ours."""
        value = request.cookies.get(cookie_name(request), "")
        return value if len(value) == COOKIE_LENGTH else ""

    def give(self, request: Request, response: Response, value: str) -> None:
        """Let the browser hold a value until it is closed.

        `Lax`, since links in Odoo lead here; writes need the token besides.
        """
        response.set_cookie(
            cookie_name(request), value, httponly=True, samesite="lax", secure=is_https(request), path="/"
        )

    def take(self, request: Request, response: Response) -> None:
        """Let the browser forget it."""
        response.delete_cookie(
            cookie_name(request), httponly=True, samesite="lax", secure=is_https(request), path="/"
        )

    def require(self, request: Request, token: str) -> None:
        """Raise HTTPException 403 unless `token` was issued for this browser."""
        value = self.held(request)
        if not value or not hmac.compare_digest(_signed(value).encode(), token.encode()):
            raise HTTPException(403, "stale_form")


def is_https(request: Request) -> bool:
    """Whether the person's browser speaks TLS, by what the server or a proxy it believes says."""
    return request.url.scheme == "https"


def cookie_name(request: Request) -> str:
    """`__Host-` lets only this host set it, over TLS (RFC 6265bis)."""
    return f"__Host-{COOKIE}" if is_https(request) else COOKIE


def inside(path: str) -> bool:
    """Whether a path to lead a browser to is one of ours."""
    return INSIDE.fullmatch(path) is not None


def _signed(value: str) -> str:
    return hmac.new(value.encode(), b"vouch form", hashlib.sha256).hexdigest()
