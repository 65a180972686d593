"""Bills of one vendor with the same single doubt, approved together once a person has seen that one value of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from connector.erp.port import BILL
from connector.errors import RetriableError
from connector.ledger.settling import ClaimedByOther, NotInReview
from connector.ledger.states import JobState
from connector.settling.answers import questions
from connector.settling.fold import fold
from connector.settling.verdicts import Conflicting
from connector.settling.work import at_hand
from inference.checks import PAGE_SHOWS
from inference.invoice import Status
from mappings.folding import alnum

if TYPE_CHECKING:
    from datetime import datetime

    from connector.settling.desk import SettlingDesk
    from connector.settling.fold import Folded
    from connector.settling.form import Cell
    from connector.settling.work import Work

MOST = 50
"""So many bills are approved together at most."""

HARMLESS = MappingProxyType(
    {
        f"low_confidence:{name}": name
        for name in ("ref", "invoice_date", "invoice_date_due", "payment_reference")
    }
)
"""The topics that a look at one value settles, and the value. Not `held_back`: such a bill proves whether its vendor's
may be filled unseen, so every value of it is looked at."""

NOT_HARMLESS = "What is doubtful here is looked at on the bill itself."
MORE_DOUBTS = "More than one thing is doubtful: look at the bill itself."
TWICE = "Two of these bills have the same number: look at each of them."

OTHER_GROUP = "It is of another vendor or company, or something else is doubtful there."


class Unfit(Exception):
    """This bill has to be looked at by itself."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """A bill that may be approved with the others of its `group`; `doubt` is the one value to look at."""

    work: Work
    doubt: Cell
    group: str


def harmless(topics: Iterable[str]) -> str:
    """The one topic, where a look at one value settles it; else empty."""
    found = list(topics)
    return found[0] if len(found) == 1 and found[0] in HARMLESS else ""


def fitting(desk: SettlingDesk, work: Work, login: str, now: datetime) -> Fitting:
    """The bill, as one that `login` may approve together with others.

    It is proposed anew on what is known now, and has to come out the same. Raises Unfit, NotInReview, ClaimedByOther,
    Conflicting, and RetriableError where the ERP's data cannot be had.
    """
    review, job, form = work.case.review, work.case.job, work.folded.form
    if job.state != JobState.IN_REVIEW:
        raise NotInReview(job.state)
    if review.claimed_until and review.claimed_until > now and review.claimed_by not in ("", login):
        raise ClaimedByOther(f"{review.claimed_name or review.claimed_by} works on this bill.")
    if work.conflict:
        raise Conflicting("The record was changed in Odoo since it was read.", work.conflict, work)
    if job.model != BILL or work.record is None:
        raise Unfit(NOT_HARMLESS)
    if work.edits:
        raise Unfit("Somebody has begun to change this bill: look at it by itself.")
    topic = harmless(review.topics)
    if not topic:
        raise Unfit(MORE_DOUBTS if len(review.topics) > 1 else NOT_HARMLESS)
    reading = work.ground.reading
    if reading is None or not any(check.id == PAGE_SHOWS for check in reading.checks):
        raise Unfit("What its pages show was not compared with their text: look at the bill itself.")
    doubt = form.header[HARMLESS[topic]]
    _require_only(doubt.target, work.folded, work)
    if not doubt.evidence or doubt.value in (None, ""):
        raise Unfit("The doubtful value has no place on the page: look at the bill itself.")
    _require_the_same_again(desk, doubt.target, work)
    vendor = form.header["partner_id"].value
    told = f"{job.backend}|{work.record.company_id}|{vendor}|{topic}"
    return Fitting(work, doubt, hashlib.sha256(told.encode()).hexdigest()[:16])


def twice(found: Mapping[int, Fitting]) -> Iterator[int]:
    """Those of the bills that bear another one's number."""
    numbers: dict[str, list[int]] = {}
    for job_id, one in found.items():
        numbers.setdefault(alnum(str(one.work.folded.form.header["ref"].value or "")), []).append(job_id)
    for same in numbers.values():
        if len(same) > 1:
            yield from same


def _require_only(target: str, folded: Folded, work: Work) -> None:
    """Raise Unfit where anything else than that value is doubtful."""
    if questions(folded, work.record) or any(check.status is Status.FAIL for check in folded.checks):
        raise Unfit(NOT_HARMLESS)
    unsure = {cell.target for cell in folded.form.cells() if cell.doubtful}
    # What is proposed and not shown has nothing but its confidence to be judged by.
    proposed = folded.body.get("values", {})
    hidden = [*proposed.items(), *(("vat", node) for node in folded.vat.values())]
    unsure |= {name for name, node in hidden if node["confidence"] < work.ground.sure}
    if unsure - {target}:
        raise Unfit(MORE_DOUBTS)


def _require_the_same_again(desk: SettlingDesk, target: str, work: Work) -> None:
    """Raise Unfit where what became known since would have the bill otherwise: a bill with its number, a lesson."""
    ground = work.ground
    with at_hand(desk.pipelines.get(work.case.job.backend)) as index:
        if index is None or ground.propose is None or ground.reading is None:
            raise RetriableError("Odoo's data cannot be had now: nothing was written. Try again later.")
        vendor = work.folded.form.header["partner_id"].value
        proposal = ground.propose(ground.reading, None)
        again = fold(replace(ground, body=proposal.as_json()), ())
    _require_only(target, again, work)
    before, now = (
        {cell.target: cell.value for cell in folded.form.cells()} for folded in (work.folded, again)
    )
    if before != now or not isinstance(vendor, int):
        raise Unfit("It would be proposed otherwise by now: look at the bill itself.")
