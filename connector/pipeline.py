"""The story of a document: discover → fetch → read → match → decide → apply.

Each step is recorded in the ledger before the next begins, so that a process that dies anywhere leaves a Job which
another can take up: an Effect whose outcome is unknown is looked up in the ERP before anything else is tried.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import structlog
from structlog.typing import FilteringBoundLogger

from connector import notes
from connector.erp.port import Attachment, Effect
from connector.errors import (
    AwayError,
    ConflictError,
    FailsError,
    RetriableError,
    SkippableError,
    UnreadableError,
    VouchError,
)
from connector.held_data import HeldData
from connector.judgement import Judge
from connector.learn import School
from connector.ledger.jobs import CRASHED, MOST_DEFECTS, TELLING, VERSION, LeaseLost
from connector.ledger.judged import JudgedValues
from connector.ledger.learning import Learning
from connector.ledger.marks import SAME
from connector.ledger.own_secret import seal_of
from connector.ledger.progress import Progress
from connector.ledger.records import EffectRecord, ReviewSummary
from connector.ledger.settling import Settling
from connector.ledger.states import JobState
from connector.ledger.tries import broken_off
from connector.printed import differences, printed
from connector.recipient import recipient
from connector.reclaim import reclaim
from connector.recognition import ASK, ASKED, FILL, FILLED, effect_key, recognised
from connector.settling.conclude import outcome_of, take_up
from connector.settling.snapshot import record_as_json
from connector.settling.together import harmless
from connector.settling.watching import look
from connector.unsure import Unsure
from inference.checks import PAGE_SHOWS
from inference.errors import DocumentError, UnsupportedDocument
from inference.invoice import Reading
from inference.readers import Recipient
from mappings.case import SeenDocument
from mappings.duplicates import identity_marks
from mappings.policy import Outcome
from mappings.proposal import scalar_as_json

if TYPE_CHECKING:
    from connector.erp.port import Erp
    from connector.judgement import Judged, Knowledge, Owner
    from connector.ledger.documents import DocumentStore
    from connector.ledger.records import Job
    from connector.ledger.store import Ledger
    from mappings.erp_data import Record

Read = Callable[[bytes, str, Recipient], Reading]
Look = Callable[[bytes, str, Reading], Reading]
"""The Reading with the Check whether the pages show what it says; see `inference.shown`."""
# Why there is nothing left to read; a newer content comes with the next poll.
GONE = "gone"
log: FilteringBoundLogger = structlog.get_logger()


def local_today() -> date:
    """Today where the accountants are."""
    return datetime.now().astimezone().date()


class Pipeline:
    """The documents of one Backend. `work` may run in several threads at once."""

    def __init__(
        self,
        erp: Erp,
        ledger: Ledger,
        documents: DocumentStore,
        read: Read,
        look_again: Look,
        owner: Owner,
        review_url: Callable[[int], str],
        reviewer: str = "",
        longest_request: timedelta = timedelta(seconds=150),
        today: Callable[[], date] = local_today,
    ) -> None:
        self.erp, self.ledger, self.documents = erp, ledger, documents
        self._read_document, self._look_again, self.today = read, look_again, today
        self.judge = Judge(erp.backend, Learning(ledger.engine), owner)
        self.review_url, self._reviewer = review_url, reviewer
        self.longest_request, self.unsure = longest_request, Unsure(ledger.engine, longest_request)
        self.data = HeldData(erp)
        self._known: tuple[int, Knowledge] | None = None
        self._asked = set[int]()
        # Matching and writing go one at a time, so that the second of two equal bills sees the first.
        self._turn = threading.Lock()

    def close(self) -> None:
        """End what goes on in the background; before the ERP is closed."""
        self.data.close()

    def discover(self) -> int:
        """Poll once; the number of attachments not seen before. The next match sees fresh ERP data."""
        try:
            self.erp.field_map()
            poll = self.erp.discover(
                self.ledger.cursor(self.erp.backend), Progress(self.ledger, self.erp.backend)
            )
        except VouchError as error:
            self.ledger.poll_failed(self.erp.backend, str(error))
            raise
        new = reclaim(self.erp, self.ledger.engine) if poll.went_back else 0
        new += self.ledger.remember(self.erp.backend, poll)
        if new:
            log.info("attachments found", backend=self.erp.backend, new=new)
        look(self.erp, Settling(self.ledger.engine))
        self.data.mark_stale()
        return new

    def learn(self) -> int:
        """Learn from the bills that people posted since the last time; how many. The next match knows of them."""
        self.data.mark_stale()  # who posted a bill may have made its vendor first
        school = School(
            self.erp,
            self.ledger,
            self.judge.learning,
            JudgedValues(self.ledger.engine),
            self.data.fresh,
            self.today(),
        )
        count = school.learn()
        if count:
            self._known = None
        return count

    def work(self, job: Job) -> JobState:
        """Take one claimed Job as far as it goes; the state it ended in. Raises only what concerns other Jobs too."""
        try:
            return self._work(job)
        except LeaseLost as error:
            log.warning("lease lost", job=job.id, cause=str(error))
            return JobState.RUNNING
        except AwayError as error:
            self.ledger.postpone(job, str(error))
            raise
        except (RetriableError, ConflictError) as error:
            due = self.ledger.postpone(job, str(error))
            log.warning("later", job=job.id, due=due.isoformat(timespec="seconds"), cause=str(error))
            return JobState.QUEUED
        except SkippableError as error:
            state = JobState.SKIPPED if error.reason == GONE else JobState.FAILED
            return self._finish(job, state, error.reason, str(error))
        except VouchError as error:
            # Not this document's fault: it waits until a person has mended the settings or the rights.
            self.ledger.postpone(job, str(error))
            raise
        except Exception as error:
            log.exception("defect", job=job.id)
            message = f"A defect of Vouch: {type(error).__name__}: {error}"
            if job.delays < MOST_DEFECTS and self.ledger.unsettled_effect(job) is not None:
                self.ledger.postpone(job, message)
                return JobState.QUEUED
            return self._finish(job, JobState.FAILED, "defect", message)

    def _work(self, job: Job) -> JobState:
        if (settled := self._settle_unknown(job)) is not None:
            return settled
        if (filled := self._recognise(job)) is not None:
            return filled
        if why := self.ledger.set_aside(job):
            self.ledger.step(job, TELLING)
            return self._tell(job, CRASHED, f"{job.attachment.name} was set aside: {why}", why)
        self.ledger.step(job, "fetch")
        try:
            data = self._fetch(job)
            self.ledger.step(job, "read")
            reading = self._read_document(data, job.attachment.name, self._recipient())
            while (done := self._act_on(job, data, reading)) is None:
                self.ledger.step(job, "read")
                reading = self._look_again(data, job.attachment.name, reading)
            return done
        except FailsError as error:
            # The model server is well: after so many tries it is this document that it fails in.
            if broken_off(self.ledger.engine, job, str(error)) < MOST_DEFECTS:
                raise
            return self._tell(job, "model", f"{job.attachment.name} cannot be read: {error}", str(error))
        except UnsupportedDocument as error:
            return self._skip(job, error.reason, str(error))
        except (DocumentError, UnreadableError) as error:
            reason = f"{job.attachment.name} cannot be read: {error}"
            return self._tell(job, error.reason, reason, str(error))

    def _act_on(self, job: Job, data: bytes, reading: Reading) -> JobState | None:
        """Match, decide and carry out. Nothing is done, and None given, where the document is sure enough to be filled, or
        but for one value, and its pages were not looked at again yet."""
        with self._turn:
            self.ledger.step(job, "match")
            judged = self._judged(job, reading, self._seen(job, data, reading))
            decision = judged.decision
            writes = decision.outcome is Outcome.FILL or decision.held or decision.write
            # Of bills approved together a person looks at one value only.
            writes = writes or harmless(decision.topics)
            if writes and not any(check.id == PAGE_SHOWS for check in reading.checks):
                return None
            reading_id = self.ledger.keep_reading(job, reading.reader, VERSION, reading.as_json())
            self.ledger.keep_proposal(
                job, reading_id, judged.proposal.as_json(), decision, judged.record.company_id
            )
            self.ledger.step(job, "apply")
            return self._carry_out(job, judged)

    # -- the steps ------------------------------------------------------------------------------------------------

    def _settle_unknown(self, job: Job) -> JobState | None:
        effect = self.ledger.unsettled_effect(job)
        if effect is None:
            return None
        if "verdict" in effect.body:
            return take_up(self, Settling(self.ledger.engine), job, effect).state
        if not self.erp.happened(_from_record(effect)):
            self.unsure.require_over(effect)
            self.ledger.void(job, effect, "not found in the ERP after an interruption")
            return None
        body = effect.body
        written = self.erp.record(effect.model, effect.record_id) if body["paper"] else None
        if written and (wrong := differences(body["paper"], written)):
            self.ledger.carried_out(job, effect, wrong)
            return None
        summary = ReviewSummary(**body["review"]) if body.get("review") else None
        written = written or self.erp.record(effect.model, effect.record_id)
        result = outcome_of(written, body.get("activities", ())) | {"found_after_interruption": True}
        self.ledger.settle(job, effect, summary, body["reasons"], result)
        return JobState(effect.leads_to)

    def _recognise(self, job: Job) -> JobState | None:
        """What Odoo's notes say of this Job that the ledger may not know any more: it was filled, or asked about."""
        self._asked.discard(job.id)
        sealed = seal_of(self.ledger.engine).holds
        found = recognised(job, self.erp.noted(job.model, job.record_id, sealed))
        if found is None or not self.ledger.resume(job, found.key, found.generation):
            return None
        if found.asked:
            self._asked.add(job.id)
            return None
        record = self.erp.record(job.model, job.record_id)
        again = Effect(found.key, job.model, job.record_id, record.write_date)
        intended = self._intend(job, again, record, JobState.FILLED, "filled", None, (FILLED,), {})
        self._settle(job, intended, record, None, ())
        return JobState.FILLED

    def _fetch(self, job: Job) -> bytes:
        kept = self.documents.get(job.document_sha256) if job.document_sha256 else None
        if kept is not None:
            return kept
        seen = job.attachment
        data = self.erp.download(
            Attachment(
                seen.backend,
                seen.erp_id,
                seen.checksum,
                seen.name,
                seen.mimetype,
                seen.size,
                seen.model,
                seen.record_id,
                seen.created_at,
                seen.is_main,
            )
        )
        # Odoo's checksum is the SHA-1 of the content (ir.attachment).
        if seen.checksum and hashlib.sha1(data, usedforsecurity=False).hexdigest() != seen.checksum:
            raise UnreadableError(
                f"Odoo's file store does not have {seen.name} as it was attached. Attach the file again.",
                "damaged",
            )
        self.ledger.keep_document(job, self.documents.put(data))
        return data

    def _seen(self, job: Job, data: bytes, reading: Reading) -> tuple[SeenDocument, ...]:
        """Earlier documents that are this one again, whatever their names."""
        marks = identity_marks(reading) | {"file": hashlib.sha256(data).hexdigest()}
        found = self.ledger.known_again(job, marks)
        return tuple(SeenDocument(one.record_id, one.name, SAME[one.kind]) for one in found)

    def _judged(self, job: Job, reading: Reading, seen: tuple[SeenDocument, ...]) -> Judged:
        record = self.erp.record(job.model, job.record_id)
        fields = self.erp.field_map()
        with self.data.fresh() as index:
            return self.judge.judge(reading, record, index, self.today(), self.knowledge(), seen, fields)

    def knowledge(self) -> Knowledge:
        """What was learned, as of this round."""
        if self._known is None or self._known[0] != self.data.round:
            self._known = self.data.round, self.judge.knowledge()
        return self._known[1]

    def forget(self) -> None:
        """What is known of the ledger's Lessons is read anew for the next match."""
        self._known = None

    def _carry_out(self, job: Job, judged: Judged) -> JobState:
        decision = judged.decision
        if decision.outcome is Outcome.SKIP:
            return self._skip(job, "not_ours", " ".join(decision.reasons))
        try:
            if decision.outcome is Outcome.FILL and job.id not in self._asked:
                return self._fill(job, judged)
            return self._ask(
                job, judged.record, decision.reasons or (ASKED,), self._summary(judged), _header(judged)
            )
        except SkippableError as error:
            if error.reason == GONE:
                raise
            reasons = (str(error), *decision.reasons)
            record = self.erp.record(job.model, job.record_id)
            if not record.is_draft:
                return self._skip(job, "posted", f"{record.called} is no longer a draft.")
            return self._ask(job, record, reasons, self._summary(judged, "refused"), {})

    def _fill(self, job: Job, judged: Judged) -> JobState:
        proposal = judged.proposal
        effect = Effect(
            key=effect_key(job, FILL),
            model=job.model,
            record_id=job.record_id,
            expected_write_date=judged.record.write_date,
            values={name: found.value for name, found in proposal.values.items()},
            lines=tuple({name: found.value for name, found in line.items()} for line in proposal.lines),
            vat={group: Decimal(str(found.value)) for group, found in proposal.vat.items()},
            note=notes.filled(job.attachment.name, judged.reading, proposal),
            done=Settling(self.ledger.engine).to_dos(job.id),
        )
        paper = printed(proposal)
        intended = self._intend(
            job, effect, judged.record, JobState.FILLED, "filled", None, judged.decision.reasons, paper
        )
        after = self._write(job, effect, intended)
        if wrong := differences(paper, after):
            self.ledger.carried_out(job, intended, wrong)
            return self._ask(job, after, (wrong,), self._summary(judged, "odoo_totals"), {})
        self._settle(job, intended, after, None, ())
        self.data.remember(after, effect.lines)
        return JobState.FILLED

    def _ask(
        self,
        job: Job,
        record: Record,
        reasons: tuple[str, ...],
        summary: ReviewSummary,
        values: Mapping[str, Any],
        leads_to: JobState = JobState.IN_REVIEW,
        reason: str = "doubtful",
    ) -> JobState:
        effect = Effect(
            key=effect_key(job, ASK),
            model=job.model,
            record_id=job.record_id,
            expected_write_date=record.write_date,
            values=values,
            note=notes.left_to_person(job.attachment.name, reasons),
            activity=notes.to_do(reasons, self.review_url(job.id), self.reviewer_id()),
            # Asked anew, it is one to-do again.
            done=Settling(self.ledger.engine).to_dos(job.id, questions=False),
        )
        intended = self._intend(job, effect, record, leads_to, reason, summary, reasons, {})
        asked = job.id in self._asked
        after = self.erp.record(job.model, job.record_id) if asked else self._write(job, effect, intended)
        self._settle(job, intended, after, summary, reasons)
        return leads_to

    def reviewer_id(self) -> int | None:
        """The person who gets the to-dos; None leaves it to the record."""
        return self.erp.user_id(self._reviewer) if self._reviewer else None

    def _intend(
        self,
        job: Job,
        effect: Effect,
        before: Record,
        leads_to: JobState,
        reason: str,
        summary: ReviewSummary | None,
        reasons: tuple[str, ...],
        paper: Mapping[str, str],
    ) -> EffectRecord:
        """Record an Effect, its RPC and what the record must add up to, before anything is sent."""
        intended = EffectRecord(
            key=effect.key,
            model=effect.model,
            record_id=effect.record_id,
            leads_to=leads_to,
            reason=reason,
            message=" ".join(reasons),
            body={
                "values": {name: scalar_as_json(value) for name, value in effect.values.items()},
                "lines": [
                    {name: scalar_as_json(value) for name, value in line.items()} for line in effect.lines
                ],
                "vat": {str(group): str(amount) for group, amount in effect.vat.items()},
                "note": effect.note,
                "reasons": list(reasons),
                "review": _plain_summary(summary),
                "paper": dict(paper),
                "activities": list(before.activity_ids),
            }
            | ({"before": record_as_json(before)} if effect.values or effect.lines else {}),
        )
        self.ledger.intend(job, intended)
        return intended

    def _write(self, job: Job, effect: Effect, intended: EffectRecord) -> Record:
        """The one RPC of an Effect. Raises SkippableError (nothing was written) and RetriableError (not known)."""
        try:
            with self.unsure.sending(effect.key):
                return self.erp.apply(effect)
        except SkippableError as error:
            self.ledger.void(job, intended, str(error))
            raise

    def _settle(
        self,
        job: Job,
        intended: EffectRecord,
        after: Record,
        summary: ReviewSummary | None,
        reasons: tuple[str, ...],
    ) -> None:
        result = outcome_of(after, intended.body["activities"])
        self.ledger.settle(job, intended, summary, reasons, result)
        log.info(intended.leads_to, job=job.id, record=after.display_name, total=str(after.amount_total))

    def _tell(self, job: Job, why: str, reason: str, message: str) -> JobState:
        """A document that nothing can be made of is failed, and a person is told while its record is a draft."""
        record = self.erp.record(job.model, job.record_id)
        if not record.is_draft:
            return self._finish(job, JobState.FAILED, why, message)
        summary = ReviewSummary(record.display_name, company_id=record.company_id, topics=("unreadable",))
        with self._turn:
            return self._ask(job, record, (reason,), summary, {}, JobState.FAILED, why)

    def _skip(self, job: Job, reason: str, message: str) -> JobState:
        """A document that is no work for anybody: what was asked about it before is done."""
        if done := Settling(self.ledger.engine).to_dos(job.id):
            self.erp.mark_done(done)
        return self._finish(job, JobState.SKIPPED, reason, message)

    def _finish(self, job: Job, state: JobState, reason: str, message: str) -> JobState:
        self.ledger.finish(job, state, reason, message)
        log.info(str(state), job=job.id, document=job.attachment.name, reason=message)
        return state

    def _summary(self, judged: Judged, *first: str) -> ReviewSummary:
        """What the queue shows; `first` are topics before those of the Decision."""
        reading, total = judged.reading, judged.reading.amount("total_with_vat")
        with self.data.latest() as index:
            company = index.companies.get(judged.record.company_id)
        return ReviewSummary(
            title=judged.record.display_name,
            vendor=reading.text("seller_name") or "",
            amount=format(total, "f") if total is not None else "",
            currency=reading.text("currency") or "",
            company_id=judged.record.company_id,
            company=company.name if company else "",
            topics=(*first, *judged.decision.topics),
            number=reading.text("invoice_number") or reading.text("order_number") or "",
        )

    def _recipient(self) -> Recipient:
        with self.data.fresh() as index:
            return recipient(index, self.knowledge().memory)


def _header(judged: Judged) -> dict[str, Any]:
    values = judged.proposal.values
    return {name: values[name].value for name in judged.decision.write}


def _from_record(effect: EffectRecord) -> Effect:
    return Effect(effect.key, effect.model, effect.record_id, "")


def _plain_summary(summary: ReviewSummary | None) -> dict[str, Any] | None:
    return dataclasses.asdict(summary) if summary else None
