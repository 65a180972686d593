"""Headers of every answer, and the refusal of requests that another site made in the person's name.

There is no sign-in: the server listens on loopback only. What stands between a hostile web page in the same
browser and the ledger is therefore here: the Host header, the Origin of writes and a token in every form.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
CSRF_COOKIE = "vouch_csrf"
LARGEST_FORM = 64 * 1024
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
    """Hardens every answer; refuses writes that another site sent, and bodies larger than any form of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403, 411 or 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                harden(MutableHeaders(scope=message))
            await send(message)

        refusal = None if scope["method"] in SAFE_METHODS else _refusal(Headers(scope=scope))
        await (refusal or self.app)(scope, receive, send_hardened)


def _refusal(headers: Headers) -> Response | None:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return PlainTextResponse("Another site sent this request; it was refused.", 403)
    # A browser names the origin of every POST, so a write without one comes from no page of ours.
    origin = urlsplit(headers.get("origin", ""))
    if origin.scheme not in ("http", "https") or origin.netloc != headers.get("host"):
        return PlainTextResponse("The request does not come from a page of Vouch; it was refused.", 403)
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return PlainTextResponse("The request does not say how long it is.", 411)
    return PlainTextResponse("The request is too large.", 413) if int(length) > LARGEST_FORM else None


class FormTokens:
    """Signed double-submit tokens (OWASP, Cross-Site Request Forgery Prevention Cheat Sheet).

    The cookie holds a random value and the form its HMAC under a key that never leaves this process: whoever can
    plant a cookie still cannot make the token. After a restart an open page has to be loaded again.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, request: Request) -> tuple[str, str]:
        """The value of the cookie (kept, or a new one) and the token for the forms of this page."""
        value = request.cookies.get(CSRF_COOKIE, "")
        if len(value) != 43:
            value = secrets.token_urlsafe(32)
        return value, self._sign(value)

    def require(self, request: Request, token: str) -> None:
        """Raise HTTPException 403 unless `token` was issued for this browser."""
        value = request.cookies.get(CSRF_COOKIE, "")
        if not value or not hmac.compare_digest(self._sign(value).encode(), token.encode()):
            raise HTTPException(403, "stale_form")

    def _sign(self, value: str) -> str:
        return hmac.new(self._key, value.encode(), hashlib.sha256).hexdigest()
