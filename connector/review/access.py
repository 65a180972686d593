"""Who is asking, and what they may see and change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import HTTPException, Request

from connector.errors import AwayError
from connector.ledger.sessions import Lifetime, Sessions
from connector.review.security import FormTokens, cookie_name

if TYPE_CHECKING:
    from connector.erp.people import People
    from connector.ledger.records import Job
    from connector.ledger.sessions import SessionRecord
    from connector.review.deps import ReviewDeps

HEADER_NAME = "x-vouch-token"
OPEN_PATHS = frozenset({"/sign-in", "/sign-out", "/language", "/healthz", "/readyz", "/metrics"})
"""What is answered to everybody."""


class SignedOut(Exception):
    """Nobody is signed in, or no longer."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """That people must sign in: who lets them in, by Backend, and how long that lasts."""

    people: Mapping[str, People]
    lifetime: Lifetime = field(default_factory=Lifetime)


@dataclass(frozen=True, slots=True)
class Person:
    """A reviewer. `backend` and `companies` are those they may see; None is all of them.

    `user_id` is theirs in Odoo, None where there is no sign-in.
    """

    login: str
    name: str
    backend: str | None = None
    companies: frozenset[int] | None = None
    user_id: int | None = None

    def sees(self, backend: str, company_id: int | None) -> bool:
        """Whether documents of that company in that Backend are theirs to see; without a company, of the Backend."""
        if self.backend not in (None, backend):
            return False
        return company_id is None or self.companies is None or company_id in self.companies

    def sees_job(self, job: Job) -> bool:
        """Whether the document is theirs to see; one whose company is not known yet only with all companies."""
        company_id: int | None = getattr(job, "company_id", None)
        return self.sees(job.backend, company_id) and (company_id is not None or self.companies is None)


NOBODY = Person("review page", "review page")
"""Who works where there is no sign-in."""


class Access:
    """Tells who a request comes from."""

    def __init__(self, deps: ReviewDeps, tokens: FormTokens) -> None:
        self._tokens, self._sign_in = tokens, deps.sign_in
        lifetime = deps.sign_in.lifetime if deps.sign_in else Lifetime()
        self.sessions = Sessions(deps.ledger.engine, lifetime, deps.clock)

    @property
    def people(self) -> Mapping[str, People]:
        """Who lets people in, by Backend; none where there is no sign-in."""
        return self._sign_in.people if self._sign_in else {}

    def admit(self, request: Request) -> None:
        """Find out who asks, before anything is answered. Raises SignedOut."""
        if request.url.path in OPEN_PATHS:
            return
        person = self.known(request)
        if person is None:
            raise SignedOut
        request.state.person = person

    def known(self, request: Request) -> Person | None:
        """Who is signed in, or None."""
        if self._sign_in is None:
            return NOBODY
        admitted: Person | None = getattr(request.state, "person", None)
        if admitted is not None:
            return admitted
        found = self.sessions.find(request.cookies.get(cookie_name(request), ""))
        if found is None or found.backend not in self._sign_in.people or not self._stands(found):
            return None
        companies = frozenset(found.companies) or None
        return Person(found.login, found.name, found.backend, companies, found.user_id)

    def person(self, request: Request) -> Person:
        """Who reads. Raises SignedOut."""
        person = self.known(request)
        if person is None:
            raise SignedOut
        return person

    def writer(self, request: Request) -> Person:
        """Who changes something. Raises HTTPException 403 unless the request carries this browser's token."""
        self._tokens.require(request, request.headers.get(HEADER_NAME, ""))
        return self.person(request)

    def job(self, request: Request, job: Job | None) -> Job:
        """The document, for whom it may concern. Raises HTTPException 404: those of others do not exist."""
        if job is None or not self.person(request).sees_job(job):
            raise HTTPException(404, "no_such_page")
        return job

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
            return False
        self.sessions.checked(found)
        return True
