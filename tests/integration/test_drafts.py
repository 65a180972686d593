"""The form of a bill in review and a person's draft of it, over a real Odoo."""

from __future__ import annotations

from typing import Any

from tests.integration.settling import SAMPLES, Desk, Settler


def field(bill: dict[str, Any], target: str) -> dict[str, Any]:
    cells = [*bill["fields"], *(cell for line in bill["lines"] for cell in line["cells"])]
    return next(cell for cell in cells if cell["target"] == target)


def test_the_form_has_everything_that_a_bill_needs(desk: Desk, person: Settler) -> None:
    job = desk.in_review()
    truth = SAMPLES["look_alike"].truth["fields"]
    bill = person.get(f"/reviews/{job.id}")
    assert field(bill, "ref")["value"] == truth["invoice_number"]
    assert field(bill, "invoice_date")["value"] == truth["issue_date"]
    assert field(bill, "partner_id")["shown"]
    assert bill["lines"]
    assert bill["totals"]["total"]["paper"] == bill["totals"]["total"]["odoo"] == truth["total_with_vat"]
    assert {"partner_bank_id", "payment_reference", "total_with_vat"} <= {
        one["target"] for one in bill["fields"]
    }
    assert bill["company"]["name"]
    assert not [one["target"] for one in bill["fields"] if one["doubtful"]]
    assert bill["record"]["url"]
    assert person.get(f"/reviews/{job.id}")["version"] == bill["version"]


def test_an_edited_line_moves_the_totals_and_a_vendor_the_rest(desk: Desk, person: Settler) -> None:
    job = desk.in_review()
    before = person.get(f"/reviews/{job.id}")
    price = field(before, "lines.l1.price_unit")["value"]
    after = person.draft(job.id, {"target": "lines.l1.price_unit", "value": "1000000"})
    assert after["version"] != before["version"]
    assert after["totals"]["total"]["odoo"] != before["totals"]["total"]["odoo"]
    assert field(after, "lines.l1.price_unit")["level"] == "person"
    assert "totals" in [check["id"] for check in after["checks"] if check["status"] == "fail"]
    back = person.draft(job.id, {"target": "lines.l1.price_unit", "value": price})
    assert back["totals"] == before["totals"]
    [other] = desk.odoo.find(
        "res.partner",
        [["supplier_rank", ">", 0], ["id", "!=", field(before, "partner_id")["value"]]],
        ["name"],
    )[:1]
    moved = person.draft(
        job.id,
        {"target": "partner_id", "value": other["id"]},
        {"target": "ref", "value": "MINE-1"},
    )
    assert field(moved, "partner_id")["shown"] == other["name"]
    assert field(moved, "ref")["value"] == "MINE-1"
    assert person.draft(job.id)["version"] == before["version"]
