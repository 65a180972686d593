"""A credit note is settled as a refund and a bill as a bill, whatever the record was made as."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.erp.port import BILL
from connector.ledger.records import Job
from connector.ledger.settling import Settling
from tests.integration.odoo_server import OdooDatabase
from tests.integration.settling import Desk, Settler, make_desk


@pytest.fixture
def desk(database: OdooDatabase, tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(database, tmp_path, posting=True)
    yield made
    made.close()


def state(desk: Desk, job: Job) -> str:
    found = Settling(desk.ledger.engine).job(job.id)
    assert found is not None
    return found.state


def test_a_credit_note_is_never_approved_as_a_bill(desk: Desk, person: Settler) -> None:
    job = desk.in_review("credit_note_mail")
    seen = person.get(f"/reviews/{job.id}")
    [question] = [one for one in seen["questions"] if one["id"] == "document_type"]
    assert (question["barred"], question["becomes"]) == (True, "refund")
    answer = person.decide(seen, "approve")
    assert (answer.status_code, answer.json()["error"]) == (409, "unanswered")
    assert [check["id"] for check in answer.json()["checks"]] == ["document_type"]
    assert desk.record(job, "invoice_line_ids")["invoice_line_ids"] == []
    answer = person.decide(seen, "switch_kind")
    assert (answer.status_code, answer.json()["outcome"]) == (200, "moved"), answer.text
    assert state(desk, job) == "queued"
    again = desk.work(job.record_id)
    found = desk.record(job, "move_type", "amount_total", "invoice_line_ids")
    assert found["move_type"] == "in_refund"
    if again.state == "in_review":
        bill = person.get(f"/reviews/{job.id}")
        assert "document_type" not in [one["id"] for one in bill["questions"]]
        assert person.decide(bill, "approve").json()["outcome"] == "filled"
        found = desk.record(job, "move_type", "amount_total", "invoice_line_ids")
    assert (found["move_type"], bool(found["invoice_line_ids"])) == ("in_refund", True)
    assert found["amount_total"] > 0
    assert len([note for note in desk.notes(job) if "Kind of the record" in note]) == 1


def test_a_kind_changed_in_odoo_is_read_again_there(desk: Desk, person: Settler) -> None:
    job = desk.in_review("credit_note_mail")
    desk.odoo.call(BILL, "action_switch_move_type", [job.record_id])
    seen = person.send("POST", f"/reviews/{job.id}/take-over", {}).json()
    assert "document_type" not in [one["id"] for one in seen["questions"]]
    assert person.decide(seen, "approve").json()["outcome"] == "filled"
    assert desk.record(job, "move_type")["move_type"] == "in_refund"


def test_a_bill_is_never_approved_as_a_refund(desk: Desk, person: Settler) -> None:
    job = desk.in_review("look_alike", move_type="in_refund")
    seen = person.get(f"/reviews/{job.id}")
    [question] = [one for one in seen["questions"] if one["id"] == "document_type"]
    assert (question["barred"], question["becomes"]) == (True, "bill")
    assert "switch_kind" in seen["verdicts"]
    # It is no question that can be answered, in the draft or with the verdict.
    answered = person.draft(job.id, {"answer": "document_type"})
    assert answered["edits"] == []
    assert person.decide(answered, "approve").status_code == 409
    assert person.decide(answered, "approve_and_post").status_code == 409
    assert person.decide(answered, "switch_kind").json()["outcome"] == "moved"
    assert desk.to_do(job) == []
    again = desk.work(job.record_id)
    assert again.state == "in_review", again.message
    bill = person.get(f"/reviews/{job.id}")
    assert "document_type" not in [one["id"] for one in bill["questions"]]
    assert "switch_kind" not in bill["verdicts"]
    assert person.decide(bill, "switch_kind").status_code == 422
    assert person.decide(bill, "approve_and_post").json()["outcome"] == "posted"
    found = desk.record(job, "move_type", "state", "name", "amount_total", "journal_id")
    assert (found["move_type"], found["state"]) == ("in_invoice", "posted")
    assert found["name"].startswith("BILL/")
    assert f"{found['amount_total']:.2f}" == bill["totals"]["total"]["paper"]
    assert len([note for note in desk.notes(job) if "Kind of the record" in note]) == 1
    desk.odoo.call(BILL, "button_draft", [job.record_id])
    desk.odoo.call(BILL, "unlink", [job.record_id])


def test_a_record_with_lines_is_switched_in_odoo_only(desk: Desk, person: Settler) -> None:
    line = {"name": "By hand", "quantity": 1, "price_unit": 10}
    job = desk.in_review("look_alike", move_type="in_refund", invoice_line_ids=[(0, 0, line)])
    seen = person.get(f"/reviews/{job.id}")
    assert "switch_kind" not in seen["verdicts"]
    refused = person.decide(seen, "switch_kind")
    assert refused.status_code == 422
    assert "Switch into invoice/credit note" in refused.json()["message"]
    assert desk.record(job, "move_type")["move_type"] == "in_refund"
    assert state(desk, job) == "in_review"
