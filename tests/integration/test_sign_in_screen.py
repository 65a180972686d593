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
