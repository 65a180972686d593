"""A filling is taken back: the draft as it was before, where nobody touched it since."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connector import notes
from connector.erp.port import Effect
from connector.errors import ConflictError, OutcomeUnknown, RetriableError, SkippableError
from connector.ledger.records import EffectRecord
from connector.ledger.settling import NotInReview
from connector.ledger.states import JobState
from connector.settling.conclude import conclude, take_up
from connector.settling.snapshot import changes, record_as_json, record_from_json
from connector.settling.verdicts import WEB, Conflicting, Settled, applied, effect_key

if TYPE_CHECKING:
    from connector.erp.port import Erp
    from connector.settling.desk import SettlingDesk
    from connector.settling.person import Person
    from mappings.erp_data import Record, RecordLine, Scalar

UNDONE = "The filling was taken back by {name}."


def take_back(desk: SettlingDesk, job_id: int, key: str, person: Person, own: Erp | None = None) -> Settled:
    """Undo the last fill of a document in one Effect; it is in review then, with the draft that it had.

    Raises NotInReview where it is not filled, Conflicting where somebody touched the record since, ClaimedByOther, and
    errors of `connector.errors`; the same `key` again writes nothing twice.
    """
    settling = desk.settling
    job = settling.job(job_id)
    if job is None:
        raise KeyError(job_id)
    own_key = effect_key(desk, job, "undo", key)
    pipeline = desk.pipelines.get(job.backend)
    if pipeline is None:
        raise SkippableError(f"{job.backend} is not configured any more.", "no_backend")
    if (known := settling.effect(own_key)) is not None:
        if known.status == "done":
            return Settled("undone", job.state)
        if job.state != JobState.APPLYING or not (job.lease_owner or "").startswith(WEB):
            raise RetriableError("Vouch is finding out whether Odoo carried it out. Ask again soon.")
        concluded = take_up(pipeline, settling, job, known)
        if concluded.state is JobState.IN_REVIEW:
            return Settled("undone", concluded.state)
        job = settling.job(job_id) or job
    fill = settling.last_fill(job_id)
    if job.state != JobState.FILLED or fill is None or "record" not in fill.body.get("result", {}):
        raise NotInReview(job.state)
    before, filled = (record_from_json(fill.body["before"]), record_from_json(fill.body["result"]["record"]))
    now = pipeline.erp.record(job.model, job.record_id)
    if not now.is_draft or now.write_date != filled.write_date:
        found = changes(filled, now)
        raise Conflicting(
            "The record was changed in Odoo since it was filled; it stays as it is.", found, None
        )
    effect = Effect(
        key=own_key,
        model=job.model,
        record_id=job.record_id,
        expected_write_date=now.write_date,
        values=dict(_values(before, now, fill.body.get("values", {}))),
        lines=tuple(_lines(before, now)),
        removed_lines=tuple(line.id for line in now.lines if line.id not in {one.id for one in before.lines}),
        note=notes.settled(person.name, "undo", ()),
        activity=notes.to_do(
            (UNDONE.format(name=person.name),), pipeline.review_url(job.id), pipeline.reviewer_id()
        ),
    )
    intended = EffectRecord(
        key=own_key,
        model=effect.model,
        record_id=effect.record_id,
        leads_to=JobState.IN_REVIEW,
        reason="undone",
        message=UNDONE.format(name=person.name),
        body={
            "verdict": "undo",
            "actor": person.login,
            "name": person.name,
            "reason": UNDONE.format(name=person.name),
            "note": effect.note,
            "paper": {},
            "reasons": [],
            "activities": list(now.activity_ids),
            "undoes": fill.key,
            "was": record_as_json(now),
            "summary": {"title": now.display_name, "company_id": now.company_id},
        },
    )
    lease = pipeline.longest_request + timedelta(seconds=60)
    held = settling.begin(job_id, intended, person.login, f"{WEB}:{uuid.uuid4().hex[:12]}", lease)
    try:
        with pipeline.unsure.sending(effect.key):
            after = applied(pipeline.erp, own, effect)
    except OutcomeUnknown:
        raise
    except BaseException as error:
        settling.abandon(held, intended, str(error) or type(error).__name__, JobState.FILLED)
        if isinstance(error, ConflictError):
            raise Conflicting(str(error), (), None) from None
        raise
    conclude(pipeline, settling, held, intended, after)
    pipeline.data.mark_stale()
    return Settled("undone", JobState.IN_REVIEW)


def _values(before: Record, now: Record, written: Mapping[str, Any]) -> Iterator[tuple[str, Scalar]]:
    """What the fill wrote and what Odoo computed from it, as they were before."""
    for name in {**dict.fromkeys(written), **before.values}:
        if name in before.values and before.values[name] != now.values.get(name):
            yield name, before.values[name]


def _lines(before: Record, now: Record) -> Iterator[Mapping[str, Scalar]]:
    """The record's own lines as they were: those that changed, and those that were taken away."""
    present = {line.id: line for line in now.lines}
    quantity = "quantity" if before.model == "account.move" else "product_qty"
    for line in before.lines:
        if line.id not in present:
            yield _line(line, quantity)
        elif present[line.id] != line:
            yield {"id": line.id} | _line(line, quantity)


def _line(line: RecordLine, quantity: str) -> dict[str, Scalar]:
    values: dict[str, Scalar] = {
        "name": line.name,
        "product_id": line.product_id,
        quantity: line.quantity,
        "price_unit": line.price_unit,
        "discount": line.discount,
        "tax_ids": line.tax_ids,
    }
    booked = {"account_id": line.account_id} if line.account_id else {}
    ordered = {"purchase_line_id": line.purchase_line_id} if line.purchase_line_id else {}
    return values | booked | ordered
