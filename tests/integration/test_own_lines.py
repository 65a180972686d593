"""A bill that has lines already: a person changes, removes and adds lines, and can take all of it back."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from connector.erp.port import BILL, Effect
from connector.errors import OutcomeUnknown
from connector.ledger.records import Job
from tests.integration.settling import Desk, answered

LINE = ["name", "quantity", "price_unit", "account_id", "tax_ids"]


def lines(desk: Desk, job: Job) -> list[dict[str, Any]]:
    domain = [["move_id", "=", job.record_id], ["display_type", "=", "product"]]
    return desk.odoo.find("account.move.line", domain, LINE)


def test_lines_of_the_record_are_changed_removed_and_added(desk: Desk) -> None:
    by_hand = [
        {"name": name, "quantity": n, "price_unit": price} for name, n, price in (("A", 1, 10), ("B", 2, 20))
    ]
    [vendor] = desk.odoo.find("res.partner", [["supplier_rank", ">", 0]], ["id"])[:1]
    own = {"partner_id": vendor["id"], "ref": "BY HAND", "invoice_date": "2026-01-02"}
    job = desk.in_review(**own, invoice_line_ids=[(0, 0, line) for line in by_hand])
    person = desk.settler()
    was = lines(desk, job)
    first, second = (line["id"] for line in was)
    seen = person.get(f"/reviews/{job.id}")
    assert [line["key"] for line in seen["lines"]] == [f"r{first}", f"r{second}"]
    edits = [
        {"target": f"lines.r{first}.quantity", "value": "3"},
        {"remove_line": f"r{second}"},
        {"add_line": "l1", "after": f"r{first}"},
        {"target": "lines.l1.name", "value": "C"},
        {"target": "lines.l1.price_unit", "value": "7.5"},
        {"target": "lines.l1.account_id", "value": was[0]["account_id"][0]},
        {"target": "lines.l1.tax_ids", "value": []},
    ]
    changed = person.draft(job.id, *edits)
    assert [line["key"] for line in changed["lines"]] == [f"r{first}", "l1"]
    approved = person.decide(changed, "approve")
    assert approved.json().get("outcome") == "filled", approved.text
    now = lines(desk, job)
    assert [(line["name"], line["quantity"], line["price_unit"]) for line in now] == [
        ("A", 3, 10),
        ("C", 1, 7.5),
    ]
    assert now[0] == was[0] | {"quantity": 3.0}
    assert now[1]["tax_ids"] == []
    total = desk.record(job, "amount_total")["amount_total"]
    assert Decimal(str(total)) == Decimal(changed["totals"]["total"]["odoo"])
    undone = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
    assert undone.json().get("outcome") == "undone", undone.text
    back = lines(desk, job)
    assert back[0] == was[0]
    assert back[1] | {"id": second} == was[1]
    # The draft is there again, but for the line that is another one by now.
    again = person.get(f"/reviews/{job.id}")
    assert again["edits"] == [edit for edit in edits if "remove_line" not in edit]
    assert [line["key"] for line in again["lines"]] == [f"r{first}", "l1", f"r{back[1]['id']}"]
    mended = person.draft(job.id, *again["edits"], {"remove_line": f"r{back[1]['id']}"})
    assert person.decide(mended, "approve").json().get("outcome") == "filled"
    assert [line["name"] for line in lines(desk, job)] == ["A", "C"]


def test_what_was_written_under_other_totals_is_not_added_again(desk: Desk) -> None:
    def meanwhile(_: Effect) -> None:
        [line] = [one for one in lines(desk, job) if one["name"] == "Added"]
        change = {"invoice_line_ids": [(1, line["id"], {"price_unit": 3})]}
        desk.odoo.call(BILL, "write", [job.record_id], change)
        raise OutcomeUnknown("the answer was lost")

    job, person = desk.in_review(), desk.settler()
    seen = person.get(f"/reviews/{job.id}")
    cell = {one["target"]: one["value"] for one in seen["lines"][0]["cells"]}
    changed = person.draft(
        job.id,
        {"target": "ref", "value": "MINE/11"},
        {"add_line": "l9", "after": "l1"},
        {"target": "lines.l9.name", "value": "Added"},
        {"target": "lines.l9.price_unit", "value": "2"},
        {"target": "lines.l9.account_id", "value": cell["lines.l1.account_id"]},
        {"target": "lines.l9.tax_ids", "value": cell["lines.l1.tax_ids"]},
    )
    desk.erp.after = [meanwhile]
    body = {"verdict": "approve", "version": changed["version"], "key": uuid.uuid4().hex}
    assert person.send("POST", f"/reviews/{job.id}/verdict", body | answered(changed)).status_code == 503
    again = person.send("POST", f"/reviews/{job.id}/verdict", body | answered(changed)).json()
    assert again["outcome"] == "open", again
    bill = person.get(f"/reviews/{job.id}")
    assert bill["edits"] == [{"target": "ref", "value": "MINE/11"}]
    written = lines(desk, job)
    assert [line["id"] for line in bill["lines"]] == [line["id"] for line in written]
    approved = person.decide(bill, "approve")
    assert approved.json().get("outcome") == "filled", approved.text
    assert lines(desk, job) == written
    assert desk.record(job, "ref")["ref"] == "MINE/11"
