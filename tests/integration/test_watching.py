"""What people do in Odoo with a bill in review is known here with the next round."""

from __future__ import annotations

import time

from connector.erp.port import BILL
from connector.ledger.queue import Queue, Sight, Sought
from connector.ledger.settling import Settling
from mappings.memory import Kind
from tests.integration.odoo_server import MailedFile
from tests.integration.settling import Desk
from tests.samples.bad import encrypted_pdf


def ended(desk: Desk, job_id: int) -> tuple[str, str]:
    desk.pipeline.discover()
    found = Settling(desk.ledger.engine).job(job_id)
    assert found is not None
    return found.state, found.reason


def test_bills_cancelled_deleted_changed_or_marked_done_in_odoo(desk: Desk) -> None:
    jobs = [desk.in_review(name) for name in ("look_alike", "english", "multi_page", "french")]
    cancelled, deleted, done, changed = jobs
    assert ended(desk, changed.id) == ("in_review", "doubtful")
    assert desk.settler().get(f"/reviews/{changed.id}")["conflict"] is None
    desk.odoo.call(BILL, "button_cancel", [cancelled.record_id])
    desk.odoo.call(BILL, "unlink", [deleted.record_id])
    [to_do] = desk.to_do(done)
    desk.odoo.call("mail.activity", "action_feedback", [to_do["id"]], feedback="Seen")
    time.sleep(1.1)  # Odoo gives times to the second
    desk.odoo.call(BILL, "write", [changed.record_id], {"ref": "PERSON"})
    assert ended(desk, cancelled.id) == ("skipped", "cancel")
    assert ended(desk, deleted.id) == ("skipped", "gone")
    assert ended(desk, done.id) == ("skipped", "activity_done")
    assert desk.to_do(cancelled) == []
    assert ended(desk, changed.id) == ("in_review", "doubtful")
    found = desk.settler().get(f"/reviews/{changed.id}")["conflict"]["changes"]
    assert [(one["field"], one["now"]) for one in found if one["field"] == "ref"] == [("ref", "PERSON")]
    # What was seen once is not read again with every round: only so many are read in one.
    [watched] = [one for one in Settling(desk.ledger.engine).watched("main") if one.job_id == changed.id]
    assert watched.stamp == desk.erp.record(BILL, changed.record_id).write_date


def test_what_cannot_be_read_is_settled_in_odoo_too(desk: Desk) -> None:
    locked = MailedFile("locked.pdf", "application/pdf", encrypted_pdf())
    jobs = [desk.work(desk.odoo.draft_bill(locked)) for _ in range(3)]
    waiting = Queue(desk.ledger.engine)
    everything = Sight(("main",), None)
    assert [(job.state, job.reason) for job in jobs] == [("failed", "encrypted")] * 3
    assert waiting.count(everything, Sought()) == 3
    cancelled, done, still = jobs
    desk.odoo.call(BILL, "button_cancel", [cancelled.record_id])
    [to_do] = desk.to_do(done)
    desk.odoo.call("mail.activity", "action_feedback", [to_do["id"]], feedback="Entered by hand")
    assert ended(desk, cancelled.id) == ("skipped", "cancel")
    assert desk.to_do(cancelled) == []
    assert ended(desk, done.id) == ("skipped", "activity_done")
    assert ended(desk, still.id) == ("failed", "encrypted")
    assert len(desk.to_do(still)) == 1
    assert waiting.count(everything, Sought()) == 1


def test_a_bill_posted_in_odoo_closes_its_review_and_is_learned_from(desk: Desk) -> None:
    job, person = desk.in_review("look_alike"), desk.settler()
    seen = person.get(f"/reviews/{job.id}")
    assert person.decide(seen, "question", question="Whose is it?").json()["outcome"] == "asked"
    assert len(desk.to_do(job)) == 2
    value = {field["target"]: field["value"] for field in seen["fields"]}
    cell = {one["target"]: one["value"] for one in seen["lines"][0]["cells"]}
    [account] = desk.odoo.find(
        "account.account",
        [["account_type", "=", "expense"], ["id", "!=", cell["lines.l1.account_id"]]],
        ["id"],
    )[:1]
    line = {
        "name": cell["lines.l1.name"],
        "quantity": float(cell["lines.l1.quantity"]),
        "price_unit": float(cell["lines.l1.price_unit"]),
        "tax_ids": [(6, 0, cell["lines.l1.tax_ids"])],
        "account_id": account["id"],
    }
    by_hand = {name: value[name] for name in ("partner_id", "ref", "invoice_date")}
    desk.odoo.call(BILL, "write", [job.record_id], {**by_hand, "invoice_line_ids": [(0, 0, line)]})
    desk.odoo.call(BILL, "action_post", [job.record_id])
    desk.pipeline.discover()
    assert ended(desk, job.id) == ("skipped", "posted")
    assert desk.to_do(job) == []
    assert desk.settler().client.get(f"/api/v1/reviews/{job.id}").status_code == 404
    assert desk.pipeline.learn() == 1
    assert desk.pipeline.learn() == 0
    taught = desk.pipeline.judge.learning.lessons("main")
    accounts = [one for one in taught if one.subject.kind is Kind.ACCOUNT]
    assert (account["id"],) in [one.value for one in accounts], accounts
