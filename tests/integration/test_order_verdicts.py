"""Purchase orders are settled like bills: approved in one write, and taken back."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from connector.erp.port import ORDER
from connector.ledger.records import Job
from tests.integration.settling import Desk, Settler

HEADER = ("partner_ref", "partner_id", "amount_total", "state", "order_line")
LINE = ["name", "product_id", "product_qty", "price_unit"]


def lines(desk: Desk, job: Job) -> list[dict[str, Any]]:
    return desk.odoo.find("purchase.order.line", [["order_id", "=", job.record_id]], LINE)


def undo(person: Settler, job: Job) -> dict[str, Any]:
    answer = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("has_lines", [False, True])
def test_an_order_is_approved_and_taken_back(desk: Desk, person: Settler, has_lines: bool) -> None:
    line = {"name": "What we asked for", "product_qty": 2, "price_unit": 11.5}
    job = desk.order_in_review("quotation", **({"order_line": [(0, 0, line)]} if has_lines else {}))
    was = desk.record(job, *HEADER), lines(desk, job)
    seen = person.get(f"/reviews/{job.id}")
    assert seen["verdicts"] == ["approve", "question", "skip"]
    key = seen["lines"][0]["key"]
    changed = person.draft(
        job.id,
        {"target": "partner_ref", "value": "OFFER/9"},
        {"target": f"lines.{key}.product_qty", "value": "7"},
        {"target": f"lines.{key}.price_unit", "value": "12.25"},
    )
    answer = person.decide(changed, "approve")
    assert (answer.status_code, answer.json().get("outcome")) == (200, "filled"), answer.text
    found = desk.record(job, *HEADER)
    assert (found["partner_ref"], found["state"]) == ("OFFER/9", "draft")
    ordered = lines(desk, job)
    assert len(ordered) == len(seen["lines"])
    assert (ordered[0]["product_qty"], Decimal(str(ordered[0]["price_unit"]))) == (7, Decimal("12.25"))
    assert len([note for note in desk.notes(job) if "Approved by" in note]) == 1
    assert desk.to_do(job) == []
    assert undo(person, job)["outcome"] == "undone"
    assert (desk.record(job, *HEADER), lines(desk, job)) == was
    again = person.get(f"/reviews/{job.id}")
    assert again["edits"] == changed["edits"]
    assert len(desk.to_do(job)) == 1
    assert person.decide(again, "approve").json()["outcome"] == "filled"
    desk.odoo.call(ORDER, "write", [job.record_id], {"partner_ref": "TOUCHED"})
    refused = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
    assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
    assert desk.record(job, "partner_ref")["partner_ref"] == "TOUCHED"


def test_an_order_cancelled_in_odoo_leaves_the_queue_and_a_confirmed_one_stays(desk: Desk) -> None:
    job = desk.order_in_review("quotation")

    def now() -> tuple[str, str]:
        desk.pipeline.discover()
        story = desk.ledger.story(job.id)
        assert story is not None
        return story.job.state, story.job.reason

    desk.odoo.call(ORDER, "button_confirm", [job.record_id])
    assert now() == ("in_review", "doubtful")
    desk.odoo.call(ORDER, "button_cancel", [job.record_id])
    assert now() == ("skipped", "cancel")
    assert desk.to_do(job) == []
