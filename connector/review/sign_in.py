"""Signing in with a user of Odoo's, and out again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import anyio
import structlog
from fastapi import APIRouter, Form, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from connector.erp.people import NotAllowed, SecondFactorAsked
from connector.errors import AccessError, VouchError
from connector.review.access import address_of
from connector.review.security import inside

if TYPE_CHECKING:
    from connector.erp.people import Admitted
    from connector.review.screen import Screen

AT_ONCE = 4
"""So many people are asked about at a time: a flood of tries must not take Odoo's workers."""
REFUSAL_SECONDS = 1.0
"""Refusals take whole steps of so long: how quick Odoo was would tell whether the login is known."""

log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Refused:
    """Why somebody was not let in: HTTP status, the text's key, and seconds to wait."""

    status: int
    key: str
    seconds: int = 0


def sign_in_address(back: str) -> str:
    """Where to sign in and be led back from."""
    return f"/sign-in?back={quote(back, safe='/')}" if inside(back) and back != "/" else "/sign-in"


def make_router(screen: Screen) -> APIRouter:
    """`/sign-in` and `/sign-out`."""
    router = APIRouter()
    turns = anyio.Semaphore(AT_ONCE)
    access = screen.access
    lockout = access.lockout

    def form(request: Request, back: str, refused: Refused | None = None, login: str = "") -> Response:
        response = screen.render(
            request,
            "sign_in/form.html",
            refused.status if refused else 200,
            backends=list(access.people),
            back=back,
            refused=refused,
            login=login,
        )
        if refused and refused.seconds:
            response.headers["Retry-After"] = str(refused.seconds)
        return response

    def attempt(request: Request, backend: str, login: str, secret: SecretStr) -> Admitted | Refused:
        address = address_of(request)
        wait = lockout.begin(backend, login, address)
        if wait:
            return Refused(429, "wait", math.ceil(wait.total_seconds()))
        try:
            admitted = access.people[backend].admit(login, secret.get_secret_value())
        except SecondFactorAsked:
            lockout.forgive(backend, login, address)
            log.warning("sign-in wants an API key", backend=backend, login=login)
            return Refused(403, "second_factor")
        except NotAllowed:
            lockout.forgive(backend, login, address)
            log.warning("sign-in not allowed", backend=backend, login=login)
            return Refused(403, "not_allowed")
        except AccessError:
            log.warning("sign-in refused", backend=backend, address=address)
            return Refused(401, "refused")
        except VouchError as error:
            lockout.forgive(backend, login, address)
            log.error("sign-in failed", backend=backend, cause=str(error))
            return Refused(503, "away")
        lockout.forgive(backend, login, address)
        log.info("signed in", backend=backend, login=admitted.login)
        return admitted

    @router.get("/sign-in")
    def ask(request: Request, back: Annotated[str, Query(max_length=500)] = "/") -> Response:
        if access.known(request):
            return RedirectResponse(_onward(back), 303)
        return form(request, back)

    @router.post("/sign-in")
    async def sign_in(
        request: Request,
        login: Annotated[str, Form(max_length=256)],
        secret: Annotated[SecretStr, Form(max_length=256)],
        token: Annotated[str, Form(max_length=100)],
        backend: Annotated[str, Form(max_length=64)],
        back: Annotated[str, Form(max_length=500)] = "/",
    ) -> Response:
        screen.tokens.require(request, token)
        started = anyio.current_time()
        if backend not in access.people:
            return RedirectResponse("/sign-in", 303)
        async with turns:
            outcome = await run_in_threadpool(attempt, request, backend, login.strip(), secret)
        if isinstance(outcome, Refused):
            if outcome.status == 401:
                took = anyio.current_time() - started
                await anyio.sleep(math.ceil(took / REFUSAL_SECONDS) * REFUSAL_SECONDS - took)
            return await run_in_threadpool(form, request, back, outcome, login)
        response = RedirectResponse(_onward(back), 303)
        await run_in_threadpool(_begin, request, response, backend, outcome)
        return response

    def _begin(request: Request, response: Response, backend: str, person: Admitted) -> None:
        # A new value: what the browser held before, whoever put it there, opens nothing.
        access.leave(request)
        screen.tokens.give(request, response, access.sessions.open(backend, person))

    @router.post("/sign-out")
    def sign_out(
        request: Request,
        token: Annotated[str, Form(max_length=100)],
        everywhere: Annotated[bool, Form()] = False,
    ) -> Response:
        screen.tokens.require(request, token)
        access.leave(request, everywhere=everywhere)
        response = RedirectResponse("/sign-in", 303)
        screen.tokens.take(request, response)
        return response

    return router


def _onward(back: str) -> str:
    return back if inside(back) and not back.startswith(("/sign-", "/api/")) else "/"
