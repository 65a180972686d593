"""Who you are here, and your own API key."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import SecretStr

from connector.errors import AccessError, VouchError
from connector.review.access import address_of

if TYPE_CHECKING:
    from connector.review.screen import Screen
    from connector.settling.person import Person

API_KEY = re.compile(r"[0-9a-f]{40}")
"""Odoo's keys are of this form; passwords are not, and are not kept."""


def make_router(screen: Screen) -> APIRouter:
    """`/you` and its key."""
    router = APIRouter()
    access = screen.access

    def page(
        request: Request, person: Person, status: int = 200, problem: str = "", seconds: int = 0
    ) -> HTMLResponse:
        return screen.render(
            request,
            "you/page.html",
            status,
            me=person,
            has_key=access.erp_of(person) is not None,
            problem=problem,
            seconds=seconds,
        )

    def signed_in(request: Request) -> tuple[Person, str, int]:
        person = access.person(request)
        if person.user_id is None or person.backend is None:
            raise HTTPException(404, "no_such_page")
        return person, person.backend, person.user_id

    @router.get("/you")
    def you(request: Request) -> HTMLResponse:
        return page(request, signed_in(request)[0])

    @router.post("/you/key")
    def keep(
        request: Request,
        key: Annotated[SecretStr, Form(max_length=256)],
        token: Annotated[str, Form(max_length=100)],
    ) -> Response:
        screen.tokens.require(request, token)
        person, backend, user_id = signed_in(request)
        secret, people = key.get_secret_value().strip(), access.people[backend]
        if not API_KEY.fullmatch(secret):
            return page(request, person, 422, "no_key")
        wait = access.lockout.begin(backend, person.login, address_of(request))
        if wait:
            return page(request, person, 429, "wait", math.ceil(wait.total_seconds()))
        try:
            admitted = people.admit(person.login, secret)
        except AccessError:
            return page(request, person, 422, "not_yours")
        except VouchError:
            access.lockout.forgive(backend, person.login, address_of(request))
            return page(request, person, 503, "away")
        access.lockout.forgive(backend, person.login, address_of(request))
        if admitted.user_id != user_id:
            return page(request, person, 422, "not_yours")
        access.own_keys.keep((backend, user_id), people.erp(person.login, secret), admitted.key_ends)
        return RedirectResponse("/you", 303)

    @router.post("/you/key/forget")
    def forget(request: Request, token: Annotated[str, Form(max_length=100)]) -> Response:
        screen.tokens.require(request, token)
        _, backend, user_id = signed_in(request)
        access.own_keys.give_up((backend, user_id))
        return RedirectResponse("/you", 303)

    return router
