"""What a person sees after a round: the queue and the page of a doubtful bill here, the filled bill in Odoo.

VOUCH_TEST_PICTURES names a folder to leave the pictures in, for the README.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.command import web
from tests.acceptance.round import SAMPLES, Round
from tests.integration.browser import PATIENCE, sign_in

SCREEN = {"width": 1440, "height": 900}


@pytest.fixture
def queue(done: Round) -> Iterator[str]:
    """`vouch web` over the round's ledger."""
    with web(done.environment) as url:
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SCREEN, locale="en-GB")
    # Odoo's first page after a start takes its time.
    context.set_default_timeout(2 * PATIENCE)
    yield context.new_page()
    context.close()


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("VOUCH_TEST_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_the_queue_shows_each_doubtful_bill_and_its_page(done: Round, queue: str, page: Page) -> None:
    sign_in(page, queue)
    page.goto(f"{queue}/reviews")
    picture(page, "queue")
    sample, outcome = SAMPLES["changed_account"], done.outcome("changed_account")
    asked = [document for document in done.answer["documents"] if document["state"] == "in_review"]
    for document in asked:
        expect(page.get_by_text(document["name"])).to_have_count(
            sum(1 for other in asked if other["name"] == document["name"])
        )
    page.goto(f"{queue}/documents/{outcome['document']}")
    expect(page.get_by_text(sample.truth["fields"]["payment_account"]).first).to_be_visible()
    expect(page.get_by_text(sample.truth["vendor"]).first).to_be_visible()
    image = page.locator("img").first
    expect(image).to_be_visible()
    image.evaluate("image => image.decode()")
    picture(page, "review")


def test_the_filled_bill_is_there_in_odoo(done: Round, page: Page) -> None:
    sample, bill = SAMPLES["german_discounts"], done.bill("german_discounts")
    url = done.environment["VOUCH_BACKENDS__MAIN__URL"]
    page.goto(f"{url}/web/login?db={done.environment['VOUCH_BACKENDS__MAIN__DATABASE']}")
    page.fill("input[name=login]", "accountant")
    page.fill("input[name=password]", "accountant")
    page.press("input[name=password]", "Enter")
    page.wait_for_selector(".o_main_navbar")
    page.goto(f"{url}/odoo/account.move/{bill['id']}")
    page.wait_for_selector(".o_form_view")
    vendor = page.locator("[name=partner_id] input").first
    expect(vendor).to_have_value(sample.truth["vendor"])
    expect(page.locator("[name=ref] input")).to_have_value(sample.truth["fields"]["invoice_number"])
    expect(page.locator(".o_field_x2many .o_data_row")).to_have_count(len(sample.truth["lines"]))
    expect(page.locator(".o-mail-Message").filter(has_text="Vouch filled this").first).to_be_visible()
    picture(page, "odoo")
