"""A person's verdict on a bill, carried out in the ERP as one Effect."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from structlog.typing import FilteringBoundLogger

from connector import notes
from connector.erp.port import BILL, Effect, Upload
from connector.errors import (
    AccessError,
    ConflictError,
    OutcomeUnknown,
    RetriableError,
    SkippableError,
    VouchError,
)
from connector.ledger.own_secret import seal_of
from connector.ledger.records import EffectRecord
from connector.ledger.states import JobState
from connector.recognition import APPROVE, UNDO, person_key
from connector.settling.answers import MAKE_REFUND, other_kind, require_answers
from connector.settling.approval import Approved, Incomplete, approved
from connector.settling.conclude import APPROVALS, Concluded, conclude, differences, outcome_of, take_up
from connector.settling.draft import UnfitEdit
from connector.settling.edits import Accept, SetValue
from connector.settling.pointing import Words, labels
from connector.settling.snapshot import Change, changes, record_as_json
from mappings.proposal import scalar_as_json

if TYPE_CHECKING:
    from connector.erp.port import Erp
    from connector.ledger.documents import DocumentStore
    from connector.ledger.records import Job
    from connector.settling.desk import SettlingDesk
    from connector.settling.edits import VerdictBody
    from connector.settling.person import Person
    from connector.settling.work import Work
    from connector.settling.working import WorkingBackend
    from mappings.erp_data import Record, Scalar

Pages = Callable[[bytes, int, int], bytes]
"""The pages `first` to `last` (from 1) of a document as a document of their own."""

Admit = Callable[["Work"], object]
"""Raises what stands against deciding on a bill as it is."""

WEB = "web"
log: FilteringBoundLogger = structlog.get_logger()


class Stale(Exception):
    """The bill is not as the person saw it."""


class Conflicting(Exception):
    """The record was changed in the ERP since it was read."""

    def __init__(self, message: str, found: Sequence[Change], work: Work | None) -> None:
        super().__init__(message)
        self.found, self.work = tuple(found), work


class OwnKeyRefused(SkippableError):
    """Odoo did not take what a person wrote with an API key of their own."""

    def __init__(self, cause: AccessError) -> None:
        text = f"Odoo refused your own API key, and nothing was written. Give a new one, or forget it, under your name. {cause}"
        super().__init__(text, "own_key")


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a verdict: `filled`, `posted`, `skipped`, `asked`, `moved`, or `open` with the reason."""

    outcome: str
    state: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A verdict with all that carrying it out needs. `to_dos` are all that were made for the bill: they end with it."""

    work: Work
    pipeline: WorkingBackend
    person: Person
    body: VerdictBody
    key: str
    to_dos: tuple[int, ...]
    own: Erp | None = None
    words: Words = lambda _: None

    @property
    def erp(self) -> Erp:
        """The ERP as the person where they gave a key of their own, else as Vouch's login."""
        return self.own or self.pipeline.erp


def decide(
    desk: SettlingDesk,
    job_id: int,
    body: VerdictBody,
    person: Person,
    documents: DocumentStore,
    pages: Pages,
    own: Erp | None = None,
    words: Words = lambda _: None,
    admit: Admit = lambda _: None,
) -> Settled:
    """Carry a verdict out. The same `key` again gives the same outcome, and writes nothing twice. `own` is the ERP as
    the person, where they gave an API key of their own; `words` are those of the document's pages; `admit` is asked
    about the bill as the person saw it, before anything is written.

    Raises Stale, Conflicting, Unanswered, NotInReview, ClaimedByOther and UnfitEdit, and errors of `connector.errors`: after a
    RetriableError nothing is lost, and the same may be asked again.
    """
    job = desk.settling.job(job_id)
    if job is None:
        raise KeyError(job_id)
    key = effect_key(desk, job, body.verdict, body.key)
    if (before := _again(desk, job_id, key)) is not None:
        return before
    work = desk.work(job_id)
    if work.version != body.version:
        raise Stale("The bill was changed since you saw it: look at it again.")
    admit(work)
    pipeline = desk.pipelines.get(work.case.job.backend)
    if pipeline is None:
        raise SkippableError(f"{work.case.job.backend} is not configured any more.", "no_backend")
    wish = _Wish(work, pipeline, person, body, key, desk.settling.to_dos(job_id), own, words)
    if body.verdict in APPROVALS:
        return _approve(desk, wish)
    if body.verdict == "split":
        _divide(wish, documents, pages)
    return _send(desk, wish, *_other(wish))


def effect_key(desk: SettlingDesk, job: Job, verdict: str, key: str) -> str:
    """The Effect's key for a person's wish; what fills the record or takes that back is known again by it."""
    wish = f"{verdict}|{key}"
    if verdict in APPROVALS or verdict == UNDO:
        kind, seal = (UNDO if verdict == UNDO else APPROVE), seal_of(desk.ledger.engine)
        return person_key(job, kind, wish, seal)
    return hashlib.sha256(f"{job.id}|{wish}".encode()).hexdigest()[:32]


def _again(desk: SettlingDesk, job_id: int, key: str) -> Settled | None:
    """What became of the same wish before; None where there was none, or nothing came of it."""
    settling = desk.settling
    effect, job = settling.effect(key), settling.job(job_id)
    if effect is None or job is None:
        return None
    following = settling.effect(_following(key))
    unsettled = next((one for one in (effect, following) if one and one.status == "intended"), None)
    if unsettled is None:
        last = following or effect
        message = str(last.body.get("open") or last.body.get("result", {}).get("message") or "")
        state = JobState.IN_REVIEW if last.body.get("open") else JobState(last.leads_to)
        return _settled(last.body, Concluded(state, message), JobState(last.leads_to))
    if job.state != JobState.APPLYING or not (job.lease_owner or "").startswith(WEB):
        raise RetriableError("Vouch is finding out whether Odoo carried it out. Ask again soon.")
    concluded = take_up(desk.pipelines[job.backend], settling, job, unsettled)
    if settling.effect(unsettled.key) is None:
        return None  # nothing came of it
    return _settled(unsettled.body, concluded, JobState(unsettled.leads_to))


def _settled(body: Mapping[str, Any], concluded: Concluded, leads_to: JobState) -> Settled:
    verdict = str(body["verdict"])
    if verdict in APPROVALS and concluded.state is JobState.IN_REVIEW:
        return Settled("open", concluded.state, concluded.message)
    if body.get("posting") and not concluded.message:
        return Settled("posted", leads_to)
    names = {"question": "asked", "wrong_company": "moved", "switch_kind": "moved"} | dict.fromkeys(
        APPROVALS, "filled"
    )
    return Settled(names.get(verdict, "skipped"), leads_to, concluded.message)


# -- approving ------------------------------------------------------------------------------------------------------------


def _approve(desk: SettlingDesk, wish: _Wish) -> Settled:
    work, person = wish.work, wish.person
    if work.record is None:
        raise Stale("The record has to be read again first: take it over from Odoo.")
    if work.conflict:
        raise Conflicting("The record was changed in Odoo since it was read.", work.conflict, work)
    if work.folded.form.unfit:
        target = work.folded.form.unfit[0]
        raise UnfitEdit(target, f"{target} is not there any more: take this change back.")
    require_answers(work.folded, work.record, wish.body.acknowledged)
    posting = wish.body.verdict == "approve_and_post"
    if posting and not (desk.posting and work.case.job.model == BILL):
        raise SkippableError("Posting is not allowed here: see web.allow_posting.", "not_allowed")
    try:
        made = approved(work)
    except Incomplete as error:
        raise UnfitEdit(error.target, str(error), "incomplete") from None
    effect = Effect(
        key=wish.key,
        model=work.record.model,
        record_id=work.record.id,
        expected_write_date=work.record.write_date,
        values=made.values,
        lines=made.lines,
        vat=made.vat,
        note=notes.settled(person.name, wish.body.verdict, made.told, wish.body.reason),
        removed_lines=made.removed,
        done=wish.to_dos,
    )
    return _send(desk, wish, effect, JobState.FILLED, "filled", made)


def _send(
    desk: SettlingDesk,
    wish: _Wish,
    effect: Effect,
    leads_to: JobState,
    reason: str,
    made: Approved | None = None,
) -> Settled:
    """Record the Effect, send it, and record what came of it."""
    work, settling, pipeline = wish.work, desk.settling, wish.pipeline
    verdict = wish.body.verdict
    intended = _intended(wish, effect, leads_to, reason, made)
    lease = pipeline.longest_request + timedelta(seconds=60)
    job = settling.begin(
        work.case.job.id, intended, wish.person.login, f"{WEB}:{uuid.uuid4().hex[:12]}", lease
    )
    try:
        with pipeline.unsure.sending(effect.key):
            after = applied(pipeline.erp, wish.own, effect)
    except OutcomeUnknown:
        # Whether it happened is found out by the next who asks, or by a worker.
        raise
    except ConflictError as error:
        settling.abandon(job, intended, str(error))
        raise _conflict(desk, wish, str(error)) from None
    except BaseException as error:
        settling.abandon(job, intended, str(error) or type(error).__name__)
        if isinstance(error, SkippableError) and error.reason == "gone":
            settling.settled_in_erp(job.id, "gone", str(error))
        raise
    if verdict == "approve_and_post" and made is not None:
        return _post(desk, wish, job, intended, after)
    concluded = conclude(pipeline, settling, job, intended, after)
    if concluded.state is JobState.FILLED:
        pipeline.data.remember(after, made.lines if made else ())
    log.info("settled", job=job.id, verdict=verdict, state=str(concluded.state), person=wish.person.login)
    return _settled(intended.body, concluded, leads_to)


def applied(erp: Erp, own: Erp | None, effect: Effect) -> Record:
    """Write as the person where they gave a key. Raises OwnKeyRefused, and errors of `connector.errors`."""
    if own is None:
        return erp.apply(effect)
    try:
        return own.apply(effect)
    except AccessError as error:
        raise OwnKeyRefused(error) from error


def _intended(
    wish: _Wish, effect: Effect, leads_to: JobState, reason: str, made: Approved | None
) -> EffectRecord:
    work, body = wish.work, wish.body
    writes = bool(effect.values or effect.lines or effect.removed_lines)
    return EffectRecord(
        key=effect.key,
        model=effect.model,
        record_id=effect.record_id,
        leads_to=leads_to,
        reason=reason,
        message=body.reason,
        body={
            "verdict": body.verdict,
            "actor": wish.person.login,
            "name": wish.person.name,
            "reason": body.reason,
            "question": body.question,
            "values": {name: scalar_as_json(value) for name, value in effect.values.items()},
            "lines": [{name: scalar_as_json(value) for name, value in line.items()} for line in effect.lines],
            "removed": list(effect.removed_lines),
            "vat": {str(group): str(amount) for group, amount in effect.vat.items()},
            "note": effect.note,
            "reasons": [],
            "paper": dict(made.totals) if made else {},
            "expected": dict(made.expected) if made else {},
            "corrections": list(made.corrections) if made else [],
            "standing": _standing(work) if made else {},
            "pointed": labels(work, made, wish.words) if made else {},
            "activities": list(work.record.activity_ids) if work.record else [],
        }
        | ({"before": record_as_json(work.record)} if writes and work.record else {}),
    )


def _standing(work: Work) -> dict[str, str]:
    """What a person put or accepted, by header Term, besides what the record tells."""
    found: dict[str, str] = {}
    for edit in work.edits:
        target = (
            edit.target if isinstance(edit, SetValue) else edit.accept if isinstance(edit, Accept) else ""
        )
        cell = work.folded.form.header.get(target)
        if cell and cell.term and cell.kind in ("text", "date", "amount"):
            found[cell.term] = str(cell.value or "")
    return found


def _conflict(desk: SettlingDesk, wish: _Wish, message: str) -> Exception:
    """What changed in the ERP, kept with the Review so that everybody sees it."""
    job = wish.work.case.job
    now = wish.pipeline.erp.record(job.model, job.record_id)
    desk.settling.saw(job.id, record_as_json(now))
    found = changes(wish.work.record, now) if wish.work.record else ()
    return Conflicting(message, found, wish.work)


# -- posting -----------------------------------------------------------------------------------------------------------------


def _following(key: str) -> str:
    return hashlib.sha256(f"{key}|post".encode()).hexdigest()[:32]


def _post(desk: SettlingDesk, wish: _Wish, job: Job, intended: EffectRecord, after: Record) -> Settled:
    """Post what was filled, once it was read back as approved: an Effect of its own."""
    settling, pipeline = desk.settling, wish.pipeline
    if differences(intended.body, after):
        return _settled(intended.body, conclude(pipeline, settling, job, intended, after), JobState.FILLED)
    kept = ("verdict", "actor", "name", "reason", "corrections", "standing", "pointed", "before")
    following = EffectRecord(
        key=_following(intended.key),
        model=intended.model,
        record_id=intended.record_id,
        leads_to=JobState.FILLED,
        reason="posted",
        message=intended.message,
        body={name: intended.body[name] for name in kept if name in intended.body}
        | {"posting": True, "paper": {}, "reasons": []},
    )
    settling.go_on(job, intended, outcome_of(after, intended.body["activities"]), following)
    refused = ""
    try:
        posted = wish.erp.post(intended.record_id)
    except OutcomeUnknown:
        raise
    except VouchError as error:
        refused, posted = f"It was filled, but not posted: {error}", after
    following.body = {**following.body, "refused": refused}
    concluded = conclude(pipeline, settling, job, following, posted)
    return _settled(following.body, concluded, JobState.FILLED)


# -- the other verdicts --------------------------------------------------------------------------------------------------------


def _other(wish: _Wish) -> tuple[Effect, JobState, str]:
    body, job = wish.body, wish.work.case.job
    told: list[str] = []
    if body.verdict == "question":
        return _question(wish)
    if body.verdict == "wrong_company":
        return _move(wish)
    if body.verdict == "switch_kind":
        return _switch(wish)
    if body.verdict == "duplicate":
        if body.duplicate_of is None or body.duplicate_of == job.record_id:
            raise UnfitEdit("duplicate_of", "Say of which bill it is the duplicate.")
        other = wish.pipeline.erp.record(BILL, body.duplicate_of)
        if not wish.person.sees(job.backend, other.company_id):
            raise UnfitEdit("duplicate_of", "Say of which bill it is the duplicate.")
        told = [f"It is {other.display_name} (id {other.id})."]
    if body.verdict == "split":
        told = [f"Pages {first}–{last}" for first, last in body.ranges]
    note = notes.settled(wish.person.name, body.verdict, told, body.reason)
    effect = Effect(wish.key, job.model, job.record_id, "", note=note, done=wish.to_dos)
    return effect, JobState.SKIPPED, body.verdict


def _question(wish: _Wish) -> tuple[Effect, JobState, str]:
    body, job, record = wish.body, wish.work.case.job, wish.work.record
    text = body.question.strip() or body.reason.strip()
    if not text:
        raise UnfitEdit("question", "Write the question.")
    user = record.responsible_id if record else None
    activity = notes.question(wish.person.name, text, wish.pipeline.review_url(job.id), user)
    note = notes.settled(wish.person.name, "question", [text])
    effect = Effect(wish.key, job.model, job.record_id, "", note=note, activity=activity)
    return effect, JobState.IN_REVIEW, "question"


def _move(wish: _Wish) -> tuple[Effect, JobState, str]:
    """The draft goes to the other company as it is, and is read anew there."""
    body, job, record = wish.body, wish.work.case.job, wish.work.record
    companies = wish.pipeline.erp.capabilities().companies
    # A bill does not get where who moves it may not look.
    theirs = wish.person.sees(job.backend, body.company_id)
    if body.company_id is None or body.company_id not in companies or not theirs or record is None:
        raise UnfitEdit("company_id", "Choose one of your companies that Vouch works for.")
    if body.company_id == record.company_id:
        raise UnfitEdit("company_id", "The bill is in this company already.")
    with wish.pipeline.data.latest() as index:
        journals = [one.id for one in index.data.journals if one.company_id == body.company_id]
    if not journals:
        raise UnfitEdit("company_id", "The company has no purchase journal in Odoo.")
    note = notes.settled(wish.person.name, "wrong_company", [], body.reason)
    effect = Effect(
        wish.key,
        job.model,
        job.record_id,
        record.write_date,
        values={"company_id": body.company_id, "journal_id": min(journals)},
        note=note,
        done=wish.to_dos,
    )
    return effect, JobState.QUEUED, "wrong_company"


def _switch(wish: _Wish) -> tuple[Effect, JobState, str]:
    """The draft becomes what the document is, a bill or a refund, and is read anew."""
    job, record, work = wish.work.case.job, wish.work.record, wish.work
    message = other_kind(work.folded, record)
    if not message or record is None:
        raise UnfitEdit("switch_kind", "The document and the record are of one kind.")
    if record.lines:
        # Odoo also turns the signs of lines that are there; only its own action knows all of them.
        raise UnfitEdit("switch_kind", message)
    kind = "in_refund" if message == MAKE_REFUND else "in_invoice"
    note = notes.settled(wish.person.name, "switch_kind", [], wish.body.reason)
    effect = Effect(
        wish.key,
        job.model,
        job.record_id,
        record.write_date,
        values={"name": None, "move_type": kind, **_currency(record)},
        note=note,
        done=wish.to_dos,
    )
    return effect, JobState.QUEUED, "switch_kind"


def _currency(record: Record) -> dict[str, Scalar]:
    """The currency as it is, which Odoo would choose anew for the other journal; as its own action keeps it."""
    currency = record.values.get("currency_id")
    return {"currency_id": currency} if currency else {}


def _divide(wish: _Wish, documents: DocumentStore, pages: Pages) -> None:
    """Make a draft bill for each range of pages, all at once; the same ranges again make none twice."""
    body, job = wish.body, wish.work.case.job
    _require_ranges(body.ranges)
    data = documents.get(job.document_sha256) if job.document_sha256 else None
    if data is None:
        raise SkippableError("The document is not kept here any more: split it in Odoo.", "gone")
    stem = job.attachment.name.rpartition(".")[0] or job.attachment.name
    uploads = [
        Upload(f"{stem} ({first}-{last}).pdf", pages(data, first, last)) for first, last in body.ranges
    ]
    identity = f"{job.id}|{job.generation}|{body.ranges}"
    key = hashlib.sha256(identity.encode()).hexdigest()[:32]
    note = notes.settled(wish.person.name, "split", [f"From {job.attachment.name}"], body.reason)
    made = wish.erp.divide(job.record_id, uploads, key, note)
    log.info("split", job=job.id, bills=made)


def _require_ranges(ranges: Sequence[tuple[int, int]]) -> None:
    if len(ranges) < 2:
        raise UnfitEdit("ranges", "Name the pages of two bills at least.")
    before = 0
    for first, last in ranges:
        if not before < first <= last:
            raise UnfitEdit("ranges", "The ranges must follow each other, without overlap.")
        before = last
