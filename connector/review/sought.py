"""What of the queue a request looks at: it travels in the address, so that the bill page knows the list one came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from connector.ledger.queue import Group, Sight, Sought

if TYPE_CHECKING:
    from connector.review.deps import ReviewDeps
    from connector.settling.person import Person

Value = Annotated[str, Query(max_length=200)]


def sought_of(
    topic: Value = "",
    vendor: Value = "",
    amount: Value = "",
    age: Value = "",
    company: Value = "",
    assignee: Value = "",
    q: Value = "",
    backend: Annotated[str, Query(max_length=64)] = "",
) -> Sought:
    """Read from the query string."""
    given = zip(Group, (topic, vendor, amount, age, company, assignee), strict=True)
    return Sought({group: value for group, value in given if value}, q.strip(), backend)


FromQuery = Annotated[Sought, Depends(sought_of)]


def query_of(sought: Sought, **changed: str | None) -> str:
    """The query string of a look at the queue, from `?` on, with some of it changed; empty where it is the whole queue."""
    parts: dict[str, str | None] = {group.value: value for group, value in sought.groups.items()}
    parts |= {"q": sought.words, "backend": sought.backend} | changed
    query = urlencode({name: value for name, value in parts.items() if value})
    return f"?{query}" if query else ""


def sight_of(person: Person, deps: ReviewDeps) -> Sight:
    """What a person may see of the queue."""
    return Sight(tuple(name for name in deps.backends if person.sees(name, None)), person.companies)
