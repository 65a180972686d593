"""Doubtful bills settled in a real Chromium: by keyboard alone, by clicks on the page, in Chinese, without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.acceptance.bill_screen import (
    LAPTOP,
    TABLET,
    Office,
    answer_all,
    check_all,
    desk,
    doubts,
    is_claim,
    open_bill,
    saved,
    settle_by_enter,
    word,
)
from tests.integration.axe import violations


@pytest.fixture
def page(browser: Browser, office: Office) -> Iterator[Page]:
    yield from desk(browser, office)


def test_a_click_fills_the_field_and_a_box_joins_its_words(page: Page, office: Office) -> None:
    file = "FL-26-6000.pdf"
    open_bill(page, file)
    number = page.get_by_label("Bill reference", exact=True)
    issued = number.input_value()
    assert issued == "FL-26-6000"
    number.focus()
    expect(page.locator("rect.lit")).to_have_count(1)
    page.mouse.click(*word(page, "Lüneburg"))
    expect(number).to_have_value("Lüneburg")
    saved(page)
    page.keyboard.press("Control+z")
    expect(number).to_have_value(issued)
    page.keyboard.press("Control+Shift+z")
    expect(number).to_have_value("Lüneburg")
    x, y = word(page, "Fuhrwerk")
    page.mouse.move(x - 60, y - 12)
    page.mouse.down()
    page.mouse.move(x + 220, y + 12, steps=4)
    page.mouse.up()
    expect(number).to_have_value(re.compile("^Fuhrwerk Logistik"))
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(number).to_have_value(issued)


def test_a_draft_outlives_the_page_and_its_totals_follow(page: Page, office: Office) -> None:
    open_bill(page, "FL-26-6001.pdf")
    quantity = page.get_by_label("Quantity, line 1")
    before = page.locator("td.col-net").first.inner_text()
    quantity.fill("1.000,5")
    page.keyboard.press("Enter")
    saved(page)
    expect(page.locator("td.col-net").first).not_to_have_text(before)
    expect(page.locator(".totals .weak").first).to_be_visible()
    page.reload()
    expect(page.get_by_label("Quantity, line 1")).to_have_value("1,000.5")
    page.get_by_label("Due date", exact=True).fill("soon")
    page.keyboard.press("Enter")
    expect(page.locator(".refused")).to_contain_text("“soon” is not a date")
    page.keyboard.press("Escape")
    page.get_by_label("Quantity, line 1").focus()
    lines = page.locator(".grid tbody tr")
    count = lines.count()
    page.keyboard.press("Alt+Enter")
    expect(lines).to_have_count(count + 1)
    page.keyboard.press("Alt+Delete")
    expect(lines).to_have_count(count)


def test_a_change_in_odoo_meanwhile_is_shown_and_not_written_over(page: Page, office: Office) -> None:
    file = "FL-26-6002.pdf"
    open_bill(page, file)
    office.odoo.call("account.move", "write", [office.bills[file]], {"ref": "HAND 4711"})
    check_all(page)
    page.keyboard.press("Control+Enter")
    shown = page.locator(".conflict")
    expect(shown).to_contain_text("HAND 4711")
    assert office.bill(file)["ref"] == "HAND 4711"
    assert office.bill(file)["invoice_line_ids"] == []
    page.get_by_role("button", name="Take over Odoo's values and go on").click()
    expect(shown).to_have_count(0)
    expect(page.get_by_label("Bill reference", exact=True)).to_have_value("HAND 4711")


def covered(page: Page, above: str, below: str) -> bool:
    """Whether one element is drawn over another."""
    return page.evaluate(
        """names => {
            const [one, other] = names.map((name) => document.querySelector(name).getBoundingClientRect());
            return one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;
        }""",
        [above, below],
    )


def test_what_nobody_looked_at_is_not_approved(page: Page, office: Office) -> None:
    file = "FL-26-6007.pdf"
    open_bill(page, file)
    address, asked = page.url, page.locator(".answers li.open .answer")
    expect(asked).to_have_count(1)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for _ in range(2):
        page.keyboard.press("Control+Enter")
        expect(page.locator(".toast")).to_contain_text("Not approved")
        assert not covered(page, ".toast", ".verdicts .left")
        expect(page.locator("#announce")).to_contain_text("bank account")
        expect(asked).to_be_focused()
    # The question is about the bank account: the empty field does not ask the same again.
    left = doubts(page)
    assert left == 1
    page.keyboard.press("Enter")
    expect(asked).to_have_count(0)
    assert doubts(page) == left - 1
    saved(page)
    page.reload()
    expect(page.locator("#settle.shown")).to_be_visible()
    expect(asked).to_have_count(0)
    assert doubts(page) == left - 1
    page.locator(".answers .answer").click()
    expect(asked).to_have_count(1)
    assert (page.url, sent) == (address, [])
    assert office.bill(file)["invoice_line_ids"] == []
    open_bill(page, "26-0504.pdf")
    answer_all(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("Not approved")
    focused = page.locator("#fields input:focus, #lines input:focus")
    expect(focused).to_have_count(1)
    assert sent == []


def test_an_answer_lost_on_the_way_writes_nothing_twice(page: Page, office: Office) -> None:
    file = "FL-26-6003.pdf"
    open_bill(page, file)
    sent: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        sent.append(route.request.post_data_json["key"])
        if len(sent) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/verdict", lose_the_first_answer)
    check_all(page)
    address = page.url
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("Approved")
    page.wait_for_url(lambda url: url != address)
    assert len(sent) == 2
    assert len(set(sent)) == 1
    assert len([note for note in office.notes(file) if "approved" in note.lower()]) == 1
    assert len(office.bill(file)["invoice_line_ids"]) > 0


def sign_in_again(page: Page, address: str) -> None:
    """From the form that the screen led to, back to where it was."""
    page.wait_for_url("**/sign-in?back=*")
    page.fill("input[name=login]", "accountant")
    page.fill("input[name=secret]", "accountant")
    page.press("input[name=secret]", "Enter")
    page.wait_for_url(address)
    expect(page.locator("#settle.shown")).to_be_visible()


def renew_the_claim(page: Page) -> None:
    """What the screen asks by itself every few minutes, now."""
    with page.expect_response(is_claim):
        page.clock.run_for(150_000)


@pytest.mark.parametrize("first", ["the person", "the screen"])
def test_who_is_signed_out_comes_back_to_the_same_bill_with_the_draft(
    page: Page, office: Office, first: str
) -> None:
    page.clock.install()
    open_bill(page, "FL-26-6004.pdf")
    address, reference = page.url, page.get_by_label("Payment reference", exact=True)
    text = f"RF 4711 {first}"
    page.context.clear_cookies()
    if first == "the screen":
        renew_the_claim(page)
        expect(page.locator("#signed-out")).to_be_visible()
    reference.fill(text)
    page.keyboard.press("Enter")
    sign_in_again(page, address)
    expect(reference).to_have_value(text)
    saved(page)
    expect(page.locator("#signed-out")).to_be_hidden()


def test_what_is_being_typed_outlives_the_session(page: Page, office: Office) -> None:
    page.clock.install()
    open_bill(page, "FL-26-6004.pdf")
    address, reference = page.url, page.get_by_label("Payment reference", exact=True)
    page.context.clear_cookies()
    reference.fill("half a thou")
    renew_the_claim(page)
    bar = page.locator("#signed-out")
    expect(bar).to_be_visible()
    assert page.url == address
    expect(reference).to_be_focused()
    page.keyboard.type("ght")
    bar.get_by_role("button").click()
    sign_in_again(page, address)
    expect(reference).to_be_focused()
    expect(reference).to_have_value("half a thought")
    page.keyboard.press("Escape")
    expect(reference).not_to_have_value("half a thought")
    vendor = page.get_by_label("Vendor", exact=True)
    vendor.fill("Fuhrw")
    page.context.clear_cookies()
    renew_the_claim(page)
    bar.get_by_role("button").click()
    sign_in_again(page, address)
    expect(vendor).to_have_value("Fuhrw")
    expect(page.get_by_role("option", name=re.compile("Fuhrwerk")).first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Send back with a question").click()
    question = page.get_by_role("dialog").get_by_role("textbox")
    question.fill("Who ordered this?")
    page.context.clear_cookies()
    page.keyboard.press("Control+Enter")
    sign_in_again(page, address)
    expect(question).to_have_value("Who ordered this?")


def test_a_new_vendor_is_made_with_the_keyboard(page: Page, office: Office) -> None:
    file = "26-0500.pdf"
    open_bill(page, file)
    vendor = page.get_by_label("Vendor", exact=True)
    answer_all(page)
    expect(vendor).to_be_focused()
    page.keyboard.press("1")
    dialog = page.get_by_role("dialog", name="New vendor")
    name = dialog.get_by_label("Name", exact=True).input_value()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(vendor).to_have_value(name)
    [made] = office.odoo.find("res.partner", [["name", "=", name]], ["supplier_rank", "bank_ids"])
    assert made["bank_ids"] == []
    saved(page)
    settle_by_enter(page)
    assert office.bill(file)["partner_id"][0] == made["id"]


def test_a_second_person_sees_who_has_the_bill(page: Page, browser: Browser, office: Office) -> None:
    file = "FL-26-6005.pdf"
    open_bill(page, file)
    expect(page.locator(".taken")).to_have_count(0)
    for other in desk(browser, office, login="admin"):
        open_bill(other, file)
        expect(other.locator(".taken")).to_contain_text("has this bill open")
        other.get_by_label("Payment reference", exact=True).fill("mine")
        other.keyboard.press("Enter")
        expect(other.locator(".verdicts .saved.wrong")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Payment reference", exact=True)).to_have_value("")


def test_two_people_see_each_others_work_and_a_fill_is_taken_back(
    page: Page, browser: Browser, office: Office
) -> None:
    file = "FL-26-6006.pdf"
    for other in desk(browser, office, login="admin"):
        other.goto("/reviews")
        row, rows = other.locator("tr", has_text=file), other.locator("a[data-row]")
        waiting = rows.count()
        open_bill(page, file)
        number = page.url.rpartition("/")[2]
        # The queue asks every ten seconds; nobody loads it anew.
        expect(row.locator(".who")).not_to_have_text("", timeout=60_000)
        check_all(page)
        page.keyboard.press("Control+Enter")
        page.wait_for_url(lambda url, bill=number: not url.partition("?")[0].endswith(f"/{bill}"))
        assert office.bill(file)["invoice_line_ids"]
        expect(rows).to_have_count(waiting - 1, timeout=60_000)
        page.goto(f"/documents/{number}/history")
        undo, dialog = page.locator("#undo"), page.get_by_role("dialog", name="Take this fill back?")
        undo.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        assert office.bill(file)["invoice_line_ids"]
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Fill taken back in Odoo")).to_be_visible()
        expect(undo).to_have_count(0)
        assert office.bill(file)["invoice_line_ids"] == []
        assert any("taken back by" in note for note in office.notes(file))
        expect(rows).to_have_count(waiting, timeout=60_000)


ENGLISH = {"the", "is", "are", "of", "not", "no", "was", "has", "have", "with", "this", "that", "which", "and", "by", "on", "from", "for", "what", "line", "lines", "none", "bill", "vendor", "document", "approve"}  # fmt: skip
"""Words that a sentence or a button in English would have."""


def test_no_english_is_left_in_chinese(browser: Browser, office: Office) -> None:
    for page in desk(browser, office, locale="zh-CN"):
        open_bill(page, "FL-26-6005.pdf")
        number = page.url.rpartition("/")[2]
        for path in ("/reviews", f"/documents/{number}", f"/documents/{number}?read=1", f"/documents/{number}/history", "/documents", "/insight", "/you"):  # fmt: skip
            page.goto(path)
            if path == f"/documents/{number}":
                expect(page.locator("#fields .field").first).to_be_visible()
            page.keyboard.press("e")
            # The note in Odoo is written in English; the page's own words and its picture are the document's.
            left = page.evaluate(
                """() => {
                  for (const one of document.querySelectorAll("blockquote, code, kbd, .words, .languages")) one.remove();
                  const labels = [...document.querySelectorAll("[aria-label], [title], [placeholder]")]
                    .flatMap(one => ["aria-label", "title", "placeholder"].map(name => one.getAttribute(name) ?? ""));
                  return [document.body.innerText, document.title, ...labels].join("\\n");
                }"""
            )
            english = [
                line
                for line in left.splitlines()
                if ENGLISH & set(re.findall(r"(?<![\w-])[a-z]+(?![\w-])", line))
            ]
            assert english == [], path


def test_the_screen_in_chinese(browser: Browser, office: Office) -> None:
    for page in desk(browser, office, locale="zh-CN"):
        open_bill(page, "FL-26-6005.pdf")
        expect(page.get_by_role("button", name="批准", exact=False).last).to_be_visible()
        expect(page.get_by_label("账单参考号", exact=True)).to_have_value("FL-26-6005")
        expect(page.locator("#side")).not_to_contain_text(re.compile("settle\\.|lines\\.|totals\\."))


@pytest.mark.parametrize("size", [LAPTOP, TABLET, {"width": 1920, "height": 1080}])
def test_the_page_and_the_verdict_are_in_view_on_every_screen(page: Page, size: Any) -> None:
    page.set_viewport_size(size)
    open_bill(page, "FL-26-6005.pdf")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    for shown in (page.locator(".sheet").first, page.get_by_role("button", name="Approve").first):
        expect(shown).to_be_in_viewport()
    expect(page.locator("#fields .field").last).to_be_attached()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barriers(browser: Browser, office: Office, scheme: Any) -> None:
    for page in desk(browser, office, color_scheme=scheme):
        page.goto("/reviews")
        assert violations(page) == []
        open_bill(page, "FL-26-6005.pdf")
        expect(page.locator(".words span").first).to_be_attached()
        assert violations(page) == []
        page.keyboard.press("?")
        assert violations(page) == []
        page.goto("/you")
        assert violations(page) == []
        page.context.clear_cookies()
        page.goto("/sign-in")
        assert violations(page) == []


def test_a_batch_of_twenty_is_settled_by_keyboard_alone(page: Page, office: Office) -> None:
    page.goto("/reviews")
    waiting = page.locator("a[data-row]").count()
    assert waiting >= 20
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/*")
    before = dict[str, int]()
    for _ in range(20):
        expect(page.locator("#settle.shown")).to_be_visible()
        file = page.locator("#file").inner_text()
        before[file] = approvals(office, file)
        answer_all(page)
        if (
            page.evaluate(
                "document.activeElement.closest('[data-target=partner_id]')?.querySelector('input').value"
            )
            == ""
        ):
            page.keyboard.press("1")
            page.get_by_role("dialog", name="New vendor").wait_for()
            page.keyboard.press("Enter")
            page.get_by_role("dialog").wait_for(state="detached")
            saved(page)
        settle_by_enter(page)
    page.goto("/reviews")
    expect(page.locator("a[data-row]")).to_have_count(waiting - 20)
    assert len(before) == 20
    for file, earlier in before.items():
        bill = office.bill(file)
        assert bill["invoice_line_ids"]
        assert bill["activity_ids"] == []
        assert approvals(office, file) == earlier + 1


def approvals(office: Office, file: str) -> int:
    """How many notes in Odoo say that the bill was approved."""
    return len([note for note in office.notes(file) if "approved" in note.lower()])
