"""Vouch at work on a real Odoo's doubtful bills, and what a person does with one in a browser."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from deploy.odoo.administrator import Administrator, MailedFile
from deploy.odoo.installation import Installation
from tests.acceptance.command import settings_for, vouch, web
from tests.acceptance.doubtful import doubtful_bills
from tests.integration.browser import PATIENCE, sign_in
from tests.integration.odoo_server import cloned
from tests.integration.settling import second_company

LAPTOP = {"width": 1366, "height": 768}
TABLET = {"width": 820, "height": 1180}


@dataclass
class Office:
    """Vouch at work on a database of doubtful bills."""

    url: str
    odoo: Administrator
    bills: dict[str, int]

    def bill(self, file: str) -> dict[str, Any]:
        names = [
            "state",
            "partner_id",
            "ref",
            "invoice_date",
            "invoice_line_ids",
            "amount_total",
            "activity_ids",
            "move_type",
        ]
        return self.odoo.find("account.move", [["id", "=", self.bills[file]]], names)[0]

    def company(self, file: str) -> str:
        """The company that the bill is in."""
        companies = [one["id"] for one in self.odoo.find("res.company", [], ["id"])]
        there = {"allowed_company_ids": companies}
        [found] = self.odoo.call("account.move", "read", [self.bills[file]], ["company_id"], context=there)
        return found["company_id"][1]

    def notes(self, file: str) -> list[str]:
        domain = [
            ["model", "=", "account.move"],
            ["res_id", "=", self.bills[file]],
            ["body", "ilike", "vouch"],
        ]
        return [note["body"] for note in self.odoo.find("mail.message", domain, ["body"])]


@pytest.fixture(scope="module")
def office(development_odoo: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    database = cloned(development_odoo, f"test_{uuid.uuid4().hex[:12]}")
    odoo = Administrator(database.url, database.database)
    odoo.grant(database.login, "base.group_partner_manager")
    today = datetime.now().astimezone().date()
    bills = {
        file: odoo.draft_bill(MailedFile(file, "application/pdf", pdf)) for file, pdf in doubtful_bills(today)
    }
    second_company(database, "accountant")
    environment = settings_for(database, "json2", tmp_path_factory.mktemp("data"))
    environment["VOUCH_WEB__ALLOW_POSTING"] = "true"
    ran = vouch(environment, "sync", "--once", "--json")
    assert ran.returncode == 0, ran.stderr
    with web(environment) as url:
        yield Office(url, odoo, bills)
    development_odoo.drop(database.database)


def desk(browser: Browser, office: Office, login: str = "accountant", **options: Any) -> Iterator[Page]:
    """A signed-in person's page; an error of a script fails the test."""
    context = browser.new_context(base_url=office.url, **({"viewport": LAPTOP, "locale": "en-GB"} | options))
    context.set_default_timeout(PATIENCE)
    page, complaints = context.new_page(), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, office.url, login, login)
    yield page
    context.close()
    assert complaints == [], complaints


def is_claim(answer: Response) -> bool:
    """Whether it answers to who wants to have a bill."""
    return answer.request.method == "PUT" and answer.url.endswith("/claim")


def open_bill(page: Page, file: str) -> None:
    """Open the bill of that file from the queue, and have it."""
    page.goto("/reviews")
    address = page.locator("tr", has_text=file).locator("a[data-row]").get_attribute("href")
    assert address
    with page.expect_response(is_claim):
        page.goto(address)
    expect(page.locator("#file")).to_have_text(file)
    expect(page.locator("#settle.shown")).to_be_visible()


def doubts(page: Page) -> int:
    """How many values are to check."""
    found = re.match(r"\d+", page.locator(".verdicts .left").inner_text())
    return int(found[0]) if found else 0


def saved(page: Page) -> None:
    """Wait until the draft is kept."""
    expect(page.locator(".verdicts .saved")).to_have_text("Saved")


def word(page: Page, text: str) -> tuple[float, float]:
    """The middle of a word of the page, once it stands still."""
    found = page.locator(".words span", has_text=re.compile(rf"^{re.escape(text)}\s*$")).first
    found.hover()
    box = found.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def answer_all(page: Page) -> None:
    """Say of everything asked of the whole document that it was looked at."""
    for _ in range(10):
        if not page.evaluate("document.activeElement.matches('.answers li.open .answer')"):
            return
        page.keyboard.press("Enter")
    raise AssertionError("it asks without an end")


def check_all(page: Page) -> None:
    """Answer and accept one after the other, until nothing is left to check and the verdict has the focus."""
    ready = page.locator(".verdicts .left.ready")
    for _ in range(40):
        if ready.count():
            saved(page)
            # What was saved can make other values doubtful.
            if ready.count():
                expect(page.locator(".verdicts .primary")).to_be_focused()
                return
        page.keyboard.press("Enter")
    raise AssertionError(f"something is left to check: {page.locator('.verdicts .left').inner_text()}")


def settle_by_enter(page: Page) -> None:
    """Accept what is doubtful, one after the other, and approve the bill; the next one is shown then."""
    address = page.url
    check_all(page)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != address)
