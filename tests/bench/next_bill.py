"""The next bill in a real Chromium: from the key to the bill with the picture of its page, over 100,000 documents.

`n` goes on to the next bill; *Skip* settles one first (with an ERP that answers at once), over a small ledger of its own.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.bench.crowd import DOCUMENTS
from tests.bench.served import served
from tests.integration.browser import FLAGS

ROUNDS, SMALL, TARGET_MS = 20, 2_000, 300
SHOWN = """before => new Promise(done => {
  const start = performance.now();
  BEGIN
  const look = () => {
    const picture = document.querySelector("#paper img");
    const there = location.pathname !== before && document.querySelector("#settle.shown") && picture?.complete && picture.naturalWidth
      && picture.src.includes(location.pathname + "/");
    if (there) done(performance.now() - start); else requestAnimationFrame(look);
  };
  look();
})"""
WAYS = {
    "n, the next bill": 'document.querySelector("#next").click();',
    "Skip": 'document.querySelector("#verdicts > button").click();',
}


def times(page: Page, url: str, way: str, first: int, rounds: int) -> list[float]:
    """Milliseconds from the key to the next bill, in a row of bills."""
    page.goto(f"{url}/documents/{first}")
    found: list[float] = []
    for _ in range(rounds):
        page.wait_for_selector("#settle.shown")
        # A person looks at a bill for seconds, in which the next one comes.
        page.wait_for_load_state("networkidle")
        script = SHOWN.replace("BEGIN", WAYS[way])
        found.append(page.evaluate(script, page.evaluate("location.pathname")))
    return found


def report(first: int) -> None:
    """Print both; `first` is a bill of the crowd to begin with."""
    path = shutil.which("chromium")
    if path is None:
        print("next bill: there is no Chromium")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        with served(DOCUMENTS, signed_in=False) as server:
            tell("n, the next bill", times(browser.new_page(), server.url, "n, the next bill", first, ROUNDS))
        with (
            tempfile.TemporaryDirectory() as folder,
            served(SMALL, Path(folder), signed_in=False) as server,
        ):
            page = browser.new_page()
            page.goto(f"{server.url}/reviews")
            number = page.locator("tr[data-id]").first.get_attribute("data-id")
            tell("Skip", times(page, server.url, "Skip", int(number or 0), ROUNDS))
        browser.close()


def tell(name: str, found: Sequence[float]) -> None:
    """Print median and 95th percentile."""
    high = statistics.quantiles(found, n=20)[-1]
    over = "" if high <= TARGET_MS else f"   over {TARGET_MS}"
    print(
        f"in the browser: {name}: p50 {statistics.median(found):.0f} ms, p95 {high:.0f} ms{over}", flush=True
    )
