"""A person's Effect is known to have happened: the Review ends or stays open, and what there is to learn is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import structlog
from structlog.typing import FilteringBoundLogger

from connector.erp.port import BILL, Effect
from connector.errors import RetriableError, SkippableError, VouchError
from connector.ledger.judged import JudgedValues
from connector.ledger.settling import Settling
from connector.ledger.states import JobState
from connector.settling.edits import as_json, once_taken_back, once_written, parsed
from connector.settling.pointing import lessons
from connector.settling.snapshot import record_as_json
from inference.invoice import Reading
from mappings.lessons import compare
from mappings.memory import Memory
from mappings.proposal import scalar_as_json

if TYPE_CHECKING:
    from connector.ledger.records import EffectRecord, Job
    from connector.settling.working import WorkingBackend
    from mappings.erp_data import Record

APPROVALS = frozenset({"approve", "approve_and_post"})
log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Concluded:
    """How a verdict ended: the Job's state, and the reason where the Review stays open."""

    state: JobState
    message: str = ""


def outcome_of(after: Record, activities: Sequence[int]) -> dict[str, Any]:
    """What came of an Effect, for the ledger: totals, the record as it is now, and the to-do that it made."""
    made = max(set(after.activity_ids) - set(activities), default=None)
    return {
        "untaxed": str(after.amount_untaxed),
        "tax": str(after.amount_tax),
        "total": str(after.amount_total),
        "record": record_as_json(after),
        "activity_id": made,
    }


def conclude(
    pipeline: WorkingBackend, settling: Settling, job: Job, effect: EffectRecord, after: Record
) -> Concluded:
    """Record that a person's Effect happened. `after` is the record as Odoo has it now."""
    body = effect.body
    verdict, result = str(body["verdict"]), outcome_of(after, body.get("activities", ()))
    if body.get("posting"):
        return _concluded_posting(pipeline, settling, job, effect, after, result)
    if verdict in APPROVALS:
        if wrong := differences(body, after):
            kept = once_written(parsed(settling.draft(job.id)))
            draft = [as_json(edit) for edit in kept]
            settling.stay_open(job, effect, result, wrong, "odoo_totals", draft)
            return Concluded(JobState.IN_REVIEW, wrong)
        settling.close(job, effect, result)
        learn(pipeline, job, after, body)
        return Concluded(JobState.FILLED)
    if verdict == "undo":
        kept = once_taken_back(parsed(settling.draft(job.id)), {line.id for line in after.lines})
        draft = [as_json(edit) for edit in kept]
        settling.reopen(job, effect, result, str(body["reason"]), after.display_name, draft)
        pipeline.judge.learning.unlearn(job.backend, str(job.id))
        pipeline.forget()
        return Concluded(JobState.IN_REVIEW)
    if JobState(effect.leads_to) is JobState.IN_REVIEW:
        settling.stay_open(job, effect, result, "")
        return Concluded(JobState.IN_REVIEW)
    settling.close(job, effect, result)
    return Concluded(JobState(effect.leads_to))


def _concluded_posting(
    pipeline: WorkingBackend,
    settling: Settling,
    job: Job,
    effect: EffectRecord,
    after: Record,
    result: Mapping[str, Any],
) -> Concluded:
    body = effect.body
    message = (
        "" if after.state == "posted" else str(body.get("refused") or "It was filled, but is not posted.")
    )
    settling.close(job, effect, {**result, "message": message})
    learn(pipeline, job, after, body)
    return Concluded(JobState.FILLED, message)


def take_up(pipeline: WorkingBackend, settling: Settling, job: Job, effect: EffectRecord) -> Concluded:
    """Settle a person's Effect of which it is not known whether it happened.

    Raises RetriableError while Odoo may still be at it. What did not happen leaves the Review open, the draft as it was.
    """
    body = effect.body
    happened = _happened(pipeline, effect)
    if not happened:
        pipeline.unsure.require_over(effect)
    if body.get("posting") or happened:
        after = pipeline.erp.record(job.model, job.record_id)
        return conclude(pipeline, settling, job, effect, after)
    why = "The write was interrupted before Odoo carried it out; nothing was written."
    back = JobState.FILLED if body["verdict"] == "undo" else JobState.IN_REVIEW
    settling.abandon(job, effect, why, back)
    return Concluded(back, why)


def _happened(pipeline: WorkingBackend, effect: EffectRecord) -> bool:
    if effect.body.get("posting"):
        return pipeline.erp.record(effect.model, effect.record_id).state == "posted"
    return pipeline.erp.happened(Effect(effect.key, effect.model, effect.record_id, ""))


def differences(body: Mapping[str, Any], after: Record) -> str:
    """A sentence where the record is not what the person saw when they approved; empty where it is."""
    shown = {"untaxed": after.amount_untaxed, "tax": after.amount_tax, "total": after.amount_total}
    wrong = [
        f"Odoo computed {name} {shown[name]}, approved was {amount}."
        for name, amount in body.get("paper", {}).items()
        if Decimal(amount) != shown[name]
    ]
    for name, value in body.get("expected", {}).items():
        if name in after.values and not _same(value, scalar_as_json(after.values[name])):
            wrong.append(f"Odoo has {scalar_as_json(after.values[name])} as {name}, approved was {value}.")
    return " ".join(wrong)


def _same(wanted: Any, present: Any) -> bool:
    if isinstance(wanted, str) and isinstance(present, str):
        return wanted.strip() == present.strip() or _number(wanted) == _number(present) is not None
    return wanted == present or (wanted in (None, "") and present in (None, ""))


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def learn(pipeline: WorkingBackend, job: Job, after: Record, body: Mapping[str, Any]) -> None:
    """Learn from what a person approved, as from a posted bill; the same bill posted later replaces these Lessons.

    `body` is that of the Effect: who approved, `standing` by Term what they put or left that the record does not tell,
    `pointed` by Term what stands beside the place on the page where they pointed.
    """
    kept = pipeline.judge.learning.kept(job.id) if job.model == BILL else None
    if kept is None:
        return
    try:
        reading = Reading.from_json(kept.reading)
        memory = Memory(pipeline.judge.learning.lessons(job.backend))
        with pipeline.data.latest() as index:
            found = compare(kept.body, reading, after, index, str(job.id), pipeline.today(), memory)
            pointed = body.get("pointed", {})
            places = tuple(lessons(pointed, after, index, str(job.id), pipeline.today()))
    except (RetriableError, SkippableError) as error:
        log.warning("not learned", job=job.id, cause=str(error))
        return
    except VouchError as error:
        log.error("not learned", job=job.id, cause=str(error))
        return
    pipeline.judge.learning.teach(job.backend, (*found.lessons, *places))
    JudgedValues(pipeline.ledger.engine).keep(
        job.id, {**found.standing, **body.get("standing", {})}, str(body["actor"])
    )
    pipeline.forget()
