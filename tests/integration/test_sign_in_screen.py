"""Signing in in a real Chromium: the form by keyboard, and back to where one was when the session ends meanwhile."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, expect
from prometheus_client import CollectorRegistry

from connector.review.app import create_app
from connector.review.deps import SignIn
from connector.review.server import server_config
from tests.integration.browser import PATIENCE, sign_in
from tests.review_ledger import Desk, fill
from tests.unit.test_sign_in import SECRET, Office


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return fill(tmp_path)


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    office = Office()
    office.employ("anna")
    deps = replace(
        desk.deps,
        registry=CollectorRegistry(),
        sign_in=SignIn({"main": office, "branch": Office()}),  # type: ignore[dict-item]
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(server_config(create_app(deps)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_by_keyboard_in_and_back_after_the_session_ended(browser: Browser, address: str, desk: Desk) -> None:
    context = browser.new_context(base_url=address, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/documents?state=failed")
    expect(page).to_have_url(f"{address}/sign-in?back=/documents%3Fstate%3Dfailed")
    # The login has the focus; the backend was chosen before it.
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type(SECRET)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/documents?state=failed")
    cookie = next(one for one in context.cookies() if one["name"] == "vouch")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert page.evaluate("document.cookie") == ""
    desk.clock.move(hours=2)
    answer = page.evaluate("fetch('/api/v1/reviews').then(async (a) => [a.status, (await a.json()).error])")
    assert answer == [401, "signed_out"]
    page.reload()
    expect(page).to_have_url(f"{address}/sign-in?back=/documents%3Fstate%3Dfailed")
    page.fill("input[name=login]", "anna")
    page.fill("input[name=secret]", SECRET)
    page.press("input[name=secret]", "Enter")
    expect(page).to_have_url(f"{address}/documents?state=failed")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{address}/sign-in")
    # The page before is not to be had from the browser's memory.
    page.go_back()
    expect(page.get_by_label("Login")).to_be_visible()
    sign_in(page, address, "anna", SECRET)
    expect(page).to_have_url(f"{address}/reviews")
    context.close()


def test_the_queue_says_that_the_session_has_ended(browser: Browser, address: str, desk: Desk) -> None:
    context = browser.new_context(base_url=address, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.clock.install()
    sign_in(page, address, "anna", SECRET)
    expect(page).to_have_url(f"{address}/reviews")
    rows, bar = page.locator("tr[data-id]"), page.locator("#signed-out")
    before = rows.count()
    page.clock.run_for(11_000)
    expect(bar).to_be_hidden()
    session = context.cookies()
    context.clear_cookies()
    page.clock.run_for(11_000)
    expect(bar).to_contain_text("You are signed out")
    assert (rows.count(), page.url) == (before, f"{address}/reviews")
    # Signed in in another window, it goes on by itself.
    context.add_cookies(session)  # type: ignore[arg-type]
    page.clock.run_for(11_000)
    expect(bar).to_be_hidden()
    context.clear_cookies()
    page.clock.run_for(11_000)
    bar.get_by_role("button", name="Sign in again").click()
    expect(page).to_have_url(f"{address}/sign-in?back=%2Freviews")
    context.close()


LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
"""What the browser says when a person comes back to the window: the queue looks what is new."""


def test_a_list_that_was_not_shown_is_asked_for_again(browser: Browser, address: str, desk: Desk) -> None:
    """What arrives while a person types in the search is dropped; what breaks off on the way is no error of the script."""
    context = browser.new_context(base_url=address, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_in(page, address, "anna", SECRET)
    expect(page).to_have_url(f"{address}/reviews")
    gone = desk.ids["review1"]
    row = page.locator(f'tr[data-id="{gone}"]')
    expect(row).to_have_count(1)
    page.focus("#q")
    assert desk.deps.desk.settling.settled_in_erp(gone, "posted", "It is posted.")
    with page.expect_response("**/reviews"):
        page.evaluate(LOOK)
    page.evaluate(
        "const real = window.fetch; window.fetch = async (...asked) => {"
        " window.fetch = real; const answer = await real(...asked); answer.text = () => Promise.reject(new TypeError('gone'));"
        " document.documentElement.dataset.broken = 'yes'; return answer; }; null"
    )
    page.evaluate(LOOK)
    expect(page.locator("html")).to_have_attribute("data-broken", "yes")
    page.evaluate("document.activeElement.blur()")
    page.evaluate(LOOK)
    expect(row).to_have_count(0)
    assert errors == []
    context.close()


def test_an_answer_that_comes_late_does_not_count(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    sign_in(page, address, "anna", SECRET)
    expect(page).to_have_url(f"{address}/reviews")
    page.evaluate(
        "const real = window.fetch; window.fetch = async (...asked) => {"
        " window.fetch = real; const answer = await real(...asked); document.documentElement.dataset.held = 'yes';"
        " await new Promise((done) => { window.release = done; }); return answer; }; null"
    )
    page.evaluate(LOOK)
    expect(page.locator("html")).to_have_attribute("data-held", "yes")
    context.clear_cookies()
    page.evaluate(LOOK)
    bar = page.locator("#signed-out")
    expect(bar).to_be_visible()
    # What the answer does happens before the next question to the browser.
    page.evaluate("window.release()")
    page.evaluate("fetch('/healthz').then((answer) => answer.text())")
    assert bar.is_visible()
    context.close()
