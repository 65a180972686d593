"""Bills of one vendor with the same single doubt, approved together in a real Odoo: over the API, and by keyboard."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from inference.invoice import Reading
from inference.readers import Recipient
from tests.integration.axe import violations
from tests.integration.browser import open_page, served
from tests.integration.odoo_server import MailedFile, OdooDatabase
from tests.integration.settling import BILL, Desk, Settler, make_desk, read
from tests.samples import company
from tests.samples.bill import Line
from tests.samples.collection import other_account
from tests.samples.designs import render

BILLS = 5


def unsure(data: bytes, name: str, recipient: Recipient) -> Reading:
    """The document as it is read, by a reader that is not sure of its number."""
    found = read(data, name, recipient)
    fields = {**found.fields, "invoice_number": replace(found.fields["invoice_number"], confidence=0.62)}
    return replace(found, fields=fields)


def of_one_vendor(today: date) -> Iterator[tuple[str, bytes]]:
    """File names and PDFs of a vendor whom Odoo knows, with its own account."""
    for at in range(BILLS):
        day = today - timedelta(days=3 + 8 * at)
        line = Line(
            f"Fracht Hamburg–Berlin, {at + 3} Paletten",
            Decimal(at + 3),
            "C62",
            Decimal("104.00"),
            Decimal(19),
        )
        seller = company.vendor("fuhrwerk")
        due = day + timedelta(days=seller.payment_days)
        bill = replace(
            other_account(today), number=f"FL-26-{7100 + 13 * at}", seller=seller, lines=(line,), notes=(),
            issue_date=day, due_date=due,
        )  # fmt: skip
        yield f"{bill.number}.pdf", render(bill)


@pytest.fixture
def desk(database: OdooDatabase, tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(database, tmp_path, shadow=0, reads=unsure)
    yield made
    made.erp.close()
    made.ledger.close()


@pytest.fixture
def jobs(desk: Desk) -> Iterator[dict[int, int]]:
    """The Jobs in review, by the record of their bill; the bills are gone afterwards."""
    today = datetime.now().astimezone().date()
    bills = [
        desk.odoo.draft_bill(MailedFile(file, "application/pdf", pdf)) for file, pdf in of_one_vendor(today)
    ]
    found = desk.work_all()
    yield {number: found[number].id for number in bills}
    desk.odoo.call(BILL, "unlink", bills)


def in_odoo(desk: Desk, record: int) -> dict[str, Any]:
    [row] = desk.odoo.find(
        BILL, [["id", "=", record]], ["ref", "amount_total", "invoice_line_ids", "invoice_date"]
    )
    return row


def approvals(desk: Desk, record: int) -> list[str]:
    domain = [["model", "=", BILL], ["res_id", "=", record], ["body", "ilike", "Approved by"]]
    return [row["body"] for row in desk.odoo.find("mail.message", domain, ["body"])]


def test_five_bills_are_approved_and_one_changed_meanwhile_is_told(desk: Desk, jobs: dict[int, int]) -> None:
    person, (changed, *others) = desk.settler(), jobs
    seen = shown(person, list(jobs.values()))
    assert [(one["fits"], one["doubt"]["target"]) for one in seen["bills"]] == [(True, "ref")] * BILLS, seen
    desk.odoo.call(BILL, "write", [changed], {"ref": "entered by hand"})
    bills = [{"id": one["id"], "version": one["version"]} for one in seen["bills"]]
    body = {"key": uuid.uuid4().hex, "group": seen["group"], "bills": bills}
    for _ in range(2):
        answer = person.send("POST", "/reviews/approve", body)
        assert answer.status_code == 200, answer.text
        told = {one["id"]: one for one in answer.json()["bills"]}
        assert told[jobs[changed]]["error"] == "conflict"
        assert [change["now"] for change in told[jobs[changed]]["changes"]] == ["entered by hand"]
        assert [told[jobs[record]]["outcome"] for record in others] == ["filled"] * (BILLS - 1)
    assert in_odoo(desk, changed)["invoice_line_ids"] == []
    assert approvals(desk, changed) == []
    for one, record in zip(seen["bills"][1:], others, strict=True):
        found = in_odoo(desk, record)
        assert found["ref"] == one["number"]
        assert len(found["invoice_line_ids"]) == 1
        [note] = approvals(desk, record)
        assert "Approved together" in note


def test_a_group_is_looked_at_and_approved_by_keyboard(
    desk: Desk, jobs: dict[int, int], browser: Browser
) -> None:
    with served(desk.fresh_deps()) as address:
        for page in open_page(browser, address):
            page.goto("/reviews")
            page.keyboard.press("j")
            page.keyboard.press("Shift+X")
            expect(page.locator("tr.picked")).to_have_count(BILLS)
            page.keyboard.press("x")
            expect(page.locator("tr.picked")).to_have_count(BILLS - 1)
            page.keyboard.press("a")
            dialog = page.get_by_role("dialog", name="Approve together")
            expect(dialog.locator("tbody tr")).to_have_count(BILLS - 1)
            expect(dialog.locator(".cut.shown")).to_have_count(BILLS - 1)
            expect(dialog.get_by_role("status")).to_contain_text(
                "only this is not sure in each: Bill reference"
            )
            assert violations(page) == []
            assert all(not approvals(desk, record) for record in jobs)
            page.keyboard.press("Escape")
            expect(dialog).to_have_count(0)
            assert all(not approvals(desk, record) for record in jobs)
            page.keyboard.press("j")
            page.keyboard.press("a")
            expect(dialog.get_by_role("button", name=f"Approve {BILLS} bills")).to_be_focused()
            page.keyboard.press("Enter")
            expect(dialog.get_by_role("status")).to_have_text(f"{BILLS} bills approved.")
            expect(dialog.get_by_role("button", name="Close")).to_be_focused()
            page.keyboard.press("Enter")
            expect(page.locator("a[data-row]")).to_have_count(0)
    assert [len(approvals(desk, record)) for record in jobs] == [1] * BILLS


def shown(person: Settler, ids: list[int]) -> dict[str, Any]:
    return person.get("/reviews/approve?" + "&".join(f"id={number}" for number in ids))
