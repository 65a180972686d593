"""A real Chromium. VOUCH_TEST_BROWSER names another one, or is `none` to leave the tests of the screens out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

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


def sign_in(page: Page, address: str, login: str = "accountant", password: str = "accountant") -> None:
    """Sign in to Vouch at `address` as a person does, and land on its first page."""
    page.goto(f"{address}/sign-in")
    page.fill("input[name=login]", login)
    page.fill("input[name=secret]", password)
    page.press("input[name=secret]", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
