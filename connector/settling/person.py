"""Who settles bills, and which of them they see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.ledger.records import Job


@dataclass(frozen=True, slots=True)
class Person:
    """A reviewer. `backend` and `companies` are those they may see; None is all of them.

    `user_id` is theirs in Odoo, None where there is no sign-in, and for a program with an API token: that has `scopes`.
    """

    login: str
    name: str
    backend: str | None = None
    companies: frozenset[int] | None = None
    user_id: int | None = None
    scopes: frozenset[str] | None = None

    def sees(self, backend: str, company_id: int | None) -> bool:
        """Whether documents of that company in that Backend are theirs to see; without a company, of the Backend."""
        if self.backend not in (None, backend):
            return False
        return company_id is None or self.companies is None or company_id in self.companies

    def sees_job(self, job: Job) -> bool:
        """Whether the document is theirs to see; one whose company is not known yet only with all companies."""
        known = job.company_id is not None or self.companies is None
        return known and self.sees(job.backend, job.company_id)


NOBODY = Person("review page", "review page")
"""Who works where there is no sign-in."""
