"""Who is asking, and what they may see and change."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from fastapi import HTTPException, Request

from connector.errors import AwayError
from connector.ledger.sessions import Lifetime, Sessions
from connector.ledger.tokens import Tokens
from connector.review.lockout import Lockout, network
from connector.review.own_keys import OwnKeys
from connector.review.rates import Rates
from connector.review.security import API, HOOKS, SAFE_METHODS, FormTokens, cookie_name
from connector.settling.person import NOBODY, Person

if TYPE_CHECKING:
    from connector.erp.people import People
    from connector.erp.port import Erp
    from connector.ledger.records import Job
    from connector.ledger.sessions import SessionRecord
    from connector.review.deps import ReviewDeps

HEADER_NAME = "x-vouch-token"
OPENAPI = f"{API}openapi.json"
OPEN_PATHS = frozenset({"/sign-in", "/sign-out", "/language", "/healthz", "/readyz"})
"""What is answered to everybody."""
PAGE_IMAGE = re.compile(r"/documents/\d+/pages/\d+\.webp")
LOCAL_CLIENTS = frozenset({"127.0.0.1", "::1"})


class SignedOut(Exception):
    """Nobody is signed in, or no longer."""


class Access:
    """Tells who a request comes from."""

    def __init__(self, deps: ReviewDeps, forms: FormTokens) -> None:
        self._forms, self._sign_in = forms, deps.sign_in
        lifetime = deps.sign_in.lifetime if deps.sign_in else Lifetime()
        self.sessions = Sessions(deps.ledger.engine, lifetime, deps.clock)
        self.tokens = Tokens(deps.ledger.engine, deps.clock)
        self.lockout = Lockout(deps.ledger.engine, deps.clock)
        self.own_keys = OwnKeys(lifetime.longest, deps.clock)
        self.rates = Rates(deps.requests_per_minute, deps.clock)

    @property
    def people(self) -> Mapping[str, People]:
        """Who lets people in, by Backend; none where there is no sign-in."""
        return self._sign_in.people if self._sign_in else {}

    def admit(self, request: Request) -> None:
        """Find out who asks, before anything is answered.

        Raises SignedOut, or HTTPException: 403 where a token is not for this, 429 for too many requests.
        """
        path = request.url.path
        if path in OPEN_PATHS or path.startswith(HOOKS):
            self._count(("address", network(address_of(request))))
            return
        person = self.known(request)
        if person is None and path == "/metrics" and is_local(request):
            return
        if person is None:
            self._count(("address", network(address_of(request))))
            raise SignedOut
        self._count((person.backend, person.login))
        may = person.scopes is None or path == OPENAPI or scope_of(request.method, path) in person.scopes
        if not may:
            raise HTTPException(403, "not_in_scope")
        request.state.person = person

    def known(self, request: Request) -> Person | None:
        """Who is signed in or shows a token, or None. Where there is a token, it alone counts."""
        admitted: Person | None = getattr(request.state, "person", None)
        if admitted is not None:
            return admitted
        if "authorization" in request.headers:
            return self._program(request)
        if self._sign_in is None:
            return NOBODY
        found = self.sessions.find(request.cookies.get(cookie_name(request), ""))
        if found is None or found.backend not in self._sign_in.people or not self._stands(found):
            return None
        companies = frozenset(found.companies) or None
        return Person(found.login, found.name, found.backend, companies, found.user_id)

    def insider(self, request: Request) -> bool:
        """Whether somebody may be told how the service is: who is signed in, and programs on this machine."""
        return is_local(request) or self.known(request) is not None

    def person(self, request: Request) -> Person:
        """Who reads. Raises SignedOut."""
        person = self.known(request)
        if person is None:
            raise SignedOut
        return person

    def writer(self, request: Request) -> Person:
        """Who changes something. Raises HTTPException 403 unless the request carries this browser's token.

        A program's API token is enough: no browser sends one by itself.
        """
        person = self.person(request)
        if person.scopes is None:
            self._forms.require(request, request.headers.get(HEADER_NAME, ""))
        return person

    def erp_of(self, person: Person) -> Erp | None:
        """The Backend as that person, where they gave an API key of their own; else None, and Vouch's login writes."""
        if person.user_id is None or person.backend is None:
            return None
        return self.own_keys.of((person.backend, person.user_id))

    def leave(self, request: Request, *, everywhere: bool = False) -> None:
        """Sign whoever asks out, here or `everywhere`, and forget their key."""
        found = self.sessions.find(self._forms.held(request))
        if found is None:
            return
        self.own_keys.give_up((found.backend, found.user_id))
        if everywhere:
            self.sessions.end_all(found.backend, found.user_id, f"person:{found.login}")
        else:
            self.sessions.end(self._forms.held(request))

    def job(self, request: Request, job: Job | None) -> Job:
        """The document, for whom it may concern. Raises HTTPException 404: those of others do not exist."""
        if job is None or not self.person(request).sees_job(job):
            raise HTTPException(404, "no_such_page")
        return job

    def _program(self, request: Request) -> Person | None:
        kind, _, token = request.headers["authorization"].partition(" ")
        found = self.tokens.find(token.strip()) if kind.lower() == "bearer" else None
        if found is None:
            return None
        if found.expires_at:
            request.state.token_expires = found.expires_at
        return Person(
            f"token:{found.name}",
            f"API token {found.name}",
            found.backend,
            frozenset(found.companies) or None,
            scopes=frozenset(found.scopes),
        )

    def _count(self, caller: Hashable) -> None:
        if wait := self.rates.take(caller):
            raise HTTPException(429, "too_many", {"Retry-After": str(math.ceil(wait))})

    def _stands(self, found: SessionRecord) -> bool:
        """Whether the person still has in Odoo what they signed in with; ends all their sessions where not."""
        if not self.sessions.is_due(found):
            return True
        try:
            rights = self.people[found.backend].rights(found.user_id)
        except AwayError:
            # Odoo cannot be asked, and nothing can be written there either.
            return True
        if rights != found.rights:
            self.sessions.end_all(found.backend, found.user_id)
            self.own_keys.give_up((found.backend, found.user_id))
            return False
        self.sessions.checked(found)
        return True


def scope_of(method: str, path: str) -> str | None:
    """What a token must be for to make this request; None where no token will do."""
    reads = method in SAFE_METHODS
    if path == "/metrics":
        return "metrics:read"
    if PAGE_IMAGE.fullmatch(path):
        return "reviews:read"
    if not path.startswith(API):
        return None
    if (method, path) == ("POST", f"{API}documents") or path.startswith(f"{API}uploads/"):
        return "documents:write"
    if path.startswith(f"{API}insight"):
        return "insight:read" if reads else "reviews:write"
    return "reviews:read" if reads else "reviews:write"


def address_of(request: Request) -> str:
    """The caller's address, by what the server or a proxy it believes says."""
    return request.client.host if request.client else ""


def is_local(request: Request) -> bool:
    """Whether the caller is a program on this machine."""
    return address_of(request) in LOCAL_CLIENTS
