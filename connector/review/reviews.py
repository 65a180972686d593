"""The queue: what waits for a person, grouped, searched and paged, and who is at it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from connector.ledger.queue import NONE, Counted, Group, Queue, Sought, Stamp
from connector.review.counts import Counts
from connector.review.sought import FromQuery, query_of, sight_of

if TYPE_CHECKING:
    from connector.ledger.queue import Claim, Place
    from connector.ledger.records import Review
    from connector.review.deps import ReviewDeps
    from connector.review.language import Language
    from connector.review.screen import Screen
    from connector.settling.person import Person

ROWS, TOPICS = 50, 2
# Of the texts, those that the scripts of the queue speak.
SCRIPTED = ("level.", "settle.failed", "settle.offline", "settle.sign", "together.")
FRESH = 600
"""So many seconds a shown age may be old."""

JobId = Annotated[int, Path(ge=1, le=2**31 - 1)]
After = Annotated[str, Query(max_length=60)]
By = Annotated[Group, Query(alias="group")]


class Nothing(BaseModel):
    """A body that says nothing."""

    model_config = ConfigDict(extra="forbid")


class Assignment(BaseModel):
    """Who is to do these documents: whoever asks, or nobody."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(min_length=1, max_length=500)
    to: Literal["me", "nobody"]


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One Review as the queue shows it, in the reader's language. `by` is who has it open, `mine`: oneself; `topics` are
    the first, `more` what is left of them. `alike` is the same for bills of one vendor and company for the same reasons."""

    review: Review
    amount: str
    topics: tuple[str, ...]
    more: tuple[str, ...]
    reason: str
    by: str
    mine: bool
    alike: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group in the rail: its name, its count, the look that chooses it (or gives it up, where `chosen`)."""

    name: str
    count: int
    query: str
    chosen: bool


def make_router(deps: ReviewDeps, screen: Screen) -> APIRouter:
    """`/reviews`, `/api/v1/reviews`, claims and assignees."""
    router = APIRouter()
    queue = Queue(deps.ledger.engine, deps.clock)
    counts = Counts(queue)

    @router.get("/reviews", response_class=HTMLResponse)
    def page(request: Request, sought: FromQuery, by: By = Group.TOPIC, after: After = "") -> Response:
        person, language = screen.access.person(request), screen.language(request)
        stamp = queue.stamp()
        tag = _tag(stamp, person, language, deps.clock())
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        sight = sight_of(person, deps)
        found = queue.page(sight, sought, _place(after), ROWS + 1)
        groups = counts.groups(stamp, sight, sought, by)
        here: dict[str, str | None] = {"group": by.value} if by is not Group.TOPIC else {}

        def look(**changed: str | None) -> str:
            return query_of(sought, **{**here, **changed})

        answer = screen.render(
            request,
            "reviews/list.html",
            rows=[_row(review, person, language, deps.clock()) for review in found[:ROWS]],
            count=counts.count(stamp, sight, sought),
            all_of_them=counts.count(stamp, sight, Sought()),
            sought=sought,
            by=by,
            kinds=list(Group),
            groups=[_group_row(one, by, sought, here, language) for one in groups],
            chosen=[
                (_name_of(group, value, queue, sight, language), look(**{group.value: None}))
                for group, value in sought.groups.items()
            ],
            query=query_of(sought),
            query_for=look,
            older=_cursor(found[ROWS - 1]) if len(found) > ROWS else "",
            paged=bool(after),
            texts=language.scripted(SCRIPTED),
            many_backends=len(deps.backends) > 1,
            many_companies=len({review.company_id for review in found}) > 1,
        )  # fmt: skip
        answer.headers["ETag"] = tag
        return answer

    @router.get("/api/v1/reviews")
    def as_json(request: Request, sought: FromQuery, by: By = Group.TOPIC, after: After = "") -> Response:
        person, language = screen.access.person(request), screen.language(request)
        stamp = queue.stamp()
        tag = _tag(stamp, person, language, deps.clock())
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        sight = sight_of(person, deps)
        found = queue.page(sight, sought, _place(after), ROWS + 1)
        node = {
            "count": counts.count(stamp, sight, sought),
            "group": by.value,
            "groups": [
                {"value": one.value, "name": _name(by, one, language), "count": one.count}
                for one in counts.groups(stamp, sight, sought, by)
            ],
            "reviews": [_node(review, person, deps) for review in found[:ROWS]],
            "after": _cursor(found[ROWS - 1]) if len(found) > ROWS else None,
        }
        return JSONResponse(node, headers={"ETag": tag})

    @router.put("/api/v1/reviews/{job_id}/claim")
    def claim(request: Request, job_id: JobId, _body: Nothing) -> JSONResponse:
        person = screen.access.writer(request)
        _require_open(queue, deps, person, job_id)
        held = queue.claim(job_id, person.login, person.name)
        if held is None:
            raise HTTPException(404, "no_such_page")
        if held.login != person.login:
            raise _taken(held, screen.language(request))
        return JSONResponse({"by": held.name, "mine": True, "until": held.until.isoformat()})

    @router.delete("/api/v1/reviews/{job_id}/claim")
    def release(request: Request, job_id: JobId, _body: Nothing) -> JSONResponse:
        person = screen.access.writer(request)
        screen.access.job(request, deps.desk.settling.job(job_id))
        if held := queue.release(job_id, person.login):
            raise _taken(held, screen.language(request))
        return JSONResponse({})

    @router.put("/api/v1/reviews/assignee")
    def assign(request: Request, asked: Assignment) -> JSONResponse:
        person = screen.access.writer(request)
        known = [review.job_id for review in queue.open(sight_of(person, deps), asked.ids)]
        to = (person.login, person.name) if asked.to == "me" else ("", "")
        return JSONResponse({"assigned": queue.assign(known, *to)})

    return router


def _require_open(queue: Queue, deps: ReviewDeps, person: Person, job_id: int) -> None:
    """Raise HTTPException 404 unless that document is in review and theirs to see."""
    if not queue.open(sight_of(person, deps), [job_id]):
        raise HTTPException(404, "no_such_page")


def _taken(held: Claim, language: Language) -> HTTPException:
    """That somebody else has the review open."""
    said = language.t("claim.taken", name=held.name)
    return HTTPException(409, {"error": "claimed", "message": said, "by": held.name})


def _tag(stamp: Stamp, person: Person, language: Language, now: datetime) -> str:
    """The ETag: another one whenever the queue has changed, for another person or other rights, or where the ages are too old."""
    companies = sorted(person.companies) if person.companies is not None else None
    told = (
        f"{stamp} {person.backend} {person.login} {companies} {language.code} {int(now.timestamp()) // FRESH}"
    )
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:24]}"'


def _cursor(review: Review) -> str:
    return f"{review.opened_at.astimezone(UTC).isoformat()}/{review.id}"


def _place(after: str) -> Place | None:
    """Raises HTTPException 404 for a cursor that is none of ours."""
    if not after:
        return None
    opened, _, number = after.partition("/")
    try:
        at, job = datetime.fromisoformat(opened), int(number)
    except ValueError as error:
        raise HTTPException(404, "no_such_page") from error
    if at.tzinfo is None or not 0 <= job < 2**31:
        raise HTTPException(404, "no_such_page")
    return at, job


def _row(review: Review, person: Person, language: Language, now: datetime) -> QueueRow:
    held = bool(review.claimed_by) and review.claimed_until is not None and review.claimed_until >= now
    topics = tuple(dict.fromkeys(language.topic(topic) for topic in review.topics))
    reason = language.say(review.reasons[0]) if review.reasons else ""
    by = review.claimed_name if held else ""
    amount, mine = amount_of(review, language), review.claimed_by == person.login
    kind = f"{review.job.backend}|{review.company_id}|{review.vendor}|{review.topics}"
    alike = hashlib.sha256(kind.encode()).hexdigest()[:16]
    return QueueRow(review, amount, topics[:TOPICS], topics[TOPICS:], reason, by, mine, alike)


def _node(review: Review, person: Person, deps: ReviewDeps) -> dict[str, Any]:
    held = (
        bool(review.claimed_by) and review.claimed_until is not None and review.claimed_until >= deps.clock()
    )
    job = review.job
    until = review.claimed_until.isoformat() if review.claimed_until else None
    return {
        "id": review.job_id,
        "backend": job.backend,
        "company": {"id": review.company_id, "name": review.company} if review.company_id else None,
        "title": review.title,
        "file": job.attachment.name,
        "vendor": review.vendor,
        "number": review.number,
        "amount": review.amount,
        "currency": review.currency,
        "topics": review.topics,
        "reasons": review.reasons,
        "opened_at": review.opened_at.isoformat(),
        "assignee": {"login": review.assignee, "name": review.assignee_name} if review.assignee else None,
        "claim": {"by": review.claimed_name, "mine": review.claimed_by == person.login, "until": until}
        if held
        else None,
        "record": {
            "model": job.model,
            "id": job.record_id,
            "url": deps.record_url(job.backend, job.model, job.record_id),
        },
    }


def _name(by: Group, one: Counted, language: Language) -> str:
    """What people call a group."""
    if one.value == NONE:
        return language.t(f"queue.none.{by}")
    match by:
        case Group.TOPIC:
            return language.topic(one.value)
        case Group.AMOUNT:
            return language.t(f"queue.amount.{one.value}")
        case Group.AGE:
            return language.t(f"queue.age.{one.value}")
        case Group.COMPANY | Group.ASSIGNEE:
            return one.name or one.value
        case Group.VENDOR:
            return one.value


def _name_of(group: Group, value: str, queue: Queue, sight: Any, language: Language) -> str:
    """The name of a group that is chosen: of a company or a person as they are called."""
    if group in (Group.COMPANY, Group.ASSIGNEE):
        known = queue.groups(sight, Sought({group: value}), group)
        return next((_name(group, one, language) for one in known if one.value == value), value)
    known_band = value == NONE or f"queue.{group}.{value}" in language.texts
    if group in (Group.AMOUNT, Group.AGE) and not known_band:
        return value
    return _name(group, Counted(value, "", 0), language)


def _group_row(
    one: Counted, by: Group, sought: Sought, here: dict[str, str | None], language: Language
) -> GroupRow:
    chosen = sought.groups.get(by) == one.value
    change = {by.value: None if chosen else one.value}
    return GroupRow(_name(by, one, language), one.count, query_of(sought, **here, **change), chosen)


def amount_of(review: Review, language: Language) -> str:
    """The amount as the reader writes it; as it was kept, where it is no number."""
    try:
        return language.amount(Decimal(review.amount), review.currency)
    except InvalidOperation:
        return review.amount
