"""A real Chromium. VOUCH_TEST_BROWSER names another one, or is `none` to leave the tests of the screens out."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from connector.review.app import create_app
from connector.review.deps import ReviewDeps

LAPTOP = {"width": 1366, "height": 768}
BROWSER = os.environ.get("VOUCH_TEST_BROWSER", "")
PATIENCE = 60_000
"""So many milliseconds a test waits for what must come: a busy machine is slow."""

expect.set_options(timeout=PATIENCE)

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    """One Chromium for all tests; a missing one is a failure that says how to get it."""
    if BROWSER == "none":
        pytest.skip("VOUCH_TEST_BROWSER=none")
    path = BROWSER or shutil.which("chromium")
    if not path or not os.path.exists(path):
        pytest.fail(
            "There is no Chromium. Install it (apt-get install chromium), name one in VOUCH_TEST_BROWSER, "
            "or set VOUCH_TEST_BROWSER=none to leave the browser tests out."
        )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        yield started
        started.close()


@contextmanager
def served(deps: ReviewDeps) -> Generator[str]:
    """The app, served as `vouch run` serves it; its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(deps), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def open_page(browser: Browser, address: str, **options: object) -> Generator[Page]:
    """A laptop's page; whatever the browser complains about fails the test."""
    context = browser.new_context(base_url=address, viewport=LAPTOP, **options)  # type: ignore[arg-type]
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    context.on(
        "response", lambda answer: answer.status < 400 or complaints.append(f"{answer.url}: {answer.status}")
    )
    yield page
    context.close()
    assert complaints == [], complaints


def sign_in(page: Page, address: str, login: str = "accountant", password: str = "accountant") -> None:
    """Sign in to Vouch at `address` as a person does, and land on its first page."""
    page.goto(f"{address}/sign-in")
    page.fill("input[name=login]", login)
    page.fill("input[name=secret]", password)
    page.press("input[name=secret]", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
