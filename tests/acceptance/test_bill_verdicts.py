"""Every way in which a bill ends, in a real Chromium on a real Odoo."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.acceptance.bill_screen import Office, check_all, desk, open_bill, settle_by_enter
from tests.acceptance.doubtful import CREDIT_NOTE, TWO_IN_ONE


@pytest.fixture
def page(browser: Browser, office: Office) -> Iterator[Page]:
    yield from desk(browser, office)


def choose_verdict(page: Page, name: str) -> Locator:
    """Choose another verdict from the menu; the dialog that asks what it needs to know."""
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=name).click()
    dialog = page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()
    return dialog


def choose_record(page: Page, dialog: Locator, text: str) -> None:
    """Search for a record in the dialog's picker, and take the first."""
    box = dialog.get_by_role("combobox")
    box.fill(text)
    expect(page.get_by_role("option", selected=True)).to_contain_text(text)
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile(re.escape(text)))


def settled(page: Page, told: str) -> None:
    """Wait until the bill at hand is settled, and the next one is there."""
    # What was said last stays there for screen readers, longer than it is shown.
    expect(page.locator("#announce")).to_contain_text(told)
    expect(page.locator("#settle.shown")).to_be_visible()


def test_the_other_verdicts_from_the_menu(page: Page, office: Office) -> None:
    open_bill(page, "FL-26-6008.pdf")
    choose_verdict(page, "Not a bill").get_by_role("textbox").fill("A delivery note")
    page.keyboard.press("Control+Enter")
    settled(page, "Put aside as not a bill")
    assert "A delivery note" in office.notes("FL-26-6008.pdf")[-1]

    open_bill(page, "FL-26-6009.pdf")
    other = office.odoo.find("account.move", [["state", "=", "posted"], ["ref", "!=", False]], ["ref"])[0]
    dialog = choose_verdict(page, "Duplicate")
    page.keyboard.press("Enter")  # nothing is chosen yet
    expect(dialog).to_be_visible()
    choose_record(page, dialog, other["ref"])
    dialog.get_by_role("button", name="Duplicate").click()
    settled(page, "Marked as a duplicate")
    assert f"id {other['id']}" in office.notes("FL-26-6009.pdf")[-1]

    open_bill(page, "FL-26-6010.pdf")
    choose_verdict(page, "Send back with a question").get_by_role("textbox").fill("Who ordered this?")
    page.keyboard.press("Control+Enter")
    settled(page, "Question sent")
    assert "Who ordered this?" in office.notes("FL-26-6010.pdf")[-1]
    assert office.bill("FL-26-6010.pdf")["activity_ids"]

    open_bill(page, "FL-26-6011.pdf")
    dialog = choose_verdict(page, "Wrong company")
    choose_record(page, dialog, "Second Inc")
    dialog.get_by_role("button", name="Wrong company").click()
    settled(page, "another company")
    assert office.company("FL-26-6011.pdf") == "Second Inc"
    for file in ("FL-26-6008.pdf", "FL-26-6009.pdf", "FL-26-6011.pdf"):
        page.goto("/reviews")
        expect(page.locator("tr", has_text=file)).to_have_count(0)


def test_a_document_is_split_on_the_strip_of_its_pages(page: Page, office: Office) -> None:
    open_bill(page, TWO_IN_ONE)
    before = {row["id"] for row in office.odoo.find("account.move", [], ["id"])}
    dialog = choose_verdict(page, "Split")
    split = dialog.get_by_role("button", name="Split")
    cut = dialog.get_by_role("button", name="A new bill begins on page 2")
    # Where the next one begins was found already.
    expect(cut).to_have_attribute("aria-pressed", "true")
    expect(dialog.get_by_role("status")).to_contain_text("2 bills: pages 1, 2")
    cut.click()
    expect(dialog.get_by_role("status")).to_contain_text("at least one place")
    split.click()
    expect(dialog).to_be_visible()
    cut.click()
    split.click()
    settled(page, "Split")
    made = sorted({row["id"] for row in office.odoo.find("account.move", [], ["id"])} - before)
    files = office.odoo.find(
        "ir.attachment", [["res_model", "=", "account.move"], ["res_id", "in", made]], ["name"]
    )
    assert len(made) == len(files) == 2


def test_a_credit_note_becomes_a_refund_where_it_cannot_be_a_bill(page: Page, office: Office) -> None:
    file = CREDIT_NOTE
    open_bill(page, file)
    page.keyboard.press("Control+Enter")
    make = page.get_by_role("button", name="Make it a refund")
    expect(make).to_be_focused()
    assert office.bill(file)["move_type"] == "in_invoice"
    page.keyboard.press("Enter")
    settled(page, "Its kind was changed")
    assert office.bill(file)["move_type"] == "in_refund"


def test_approved_and_posted_and_an_approval_taken_back_at_once(page: Page, office: Office) -> None:
    file = "FL-26-6012.pdf"
    open_bill(page, file)
    check_all(page)
    page.get_by_role("button", name="Approve and post").click()
    settled(page, "Approved and posted")
    assert office.bill(file)["state"] == "posted"

    file = "FL-26-6013.pdf"
    open_bill(page, file)
    address = page.url
    page.get_by_label("Payment reference", exact=True).fill("RF 18")
    page.keyboard.press("Enter")
    check_all(page)
    page.keyboard.press("Enter")
    undo = page.locator(".toast").get_by_role("button", name="Undo")
    undo.hover()
    page.wait_for_url(lambda url: url != address)
    assert office.bill(file)["invoice_line_ids"]
    undo.click()
    page.wait_for_url(address)
    expect(page.locator("#settle.shown")).to_be_visible()
    expect(page.locator("#notes")).to_contain_text("taken back by")
    expect(page.get_by_label("Payment reference", exact=True)).to_have_value("RF 18")
    assert office.bill(file)["invoice_line_ids"] == []
    settle_by_enter(page)
    assert office.bill(file)["invoice_line_ids"]
