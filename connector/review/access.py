"""Who is asking, and what they may see and change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import Request

    from connector.review.security import FormTokens

HEADER_NAME = "x-vouch-token"


@dataclass(frozen=True, slots=True)
class Person:
    """A reviewer. `backend` and `companies` are those they may see; None is all of them."""

    login: str
    name: str
    backend: str | None = None
    companies: frozenset[int] | None = None

    def sees(self, backend: str, company_id: int | None) -> bool:
        """Whether documents of that company in that Backend are theirs to see; without a company, of the Backend."""
        if self.backend not in (None, backend):
            return False
        return company_id is None or self.companies is None or company_id in self.companies


class Access:
    """Tells who a request comes from."""

    def __init__(self, tokens: FormTokens) -> None:
        self._tokens = tokens

    def person(self, request: Request) -> Person:  # noqa: ARG002
        """Who reads."""
        return Person("review page", "review page")

    def writer(self, request: Request) -> Person:
        """Who changes something. Raises HTTPException 403 unless the request carries this browser's token."""
        self._tokens.require(request, request.headers.get(HEADER_NAME, ""))
        return self.person(request)
