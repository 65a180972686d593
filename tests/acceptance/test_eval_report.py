"""The command `vouch eval` as a user runs it, and its report as an accountant sees it in a real browser.

VOUCH_TEST_PICTURES names a folder to leave the pictures in.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.command import vouch, wait_for
from tests.samples.generate import samples

HOSTILE = "<img src=x onerror=document.title='taken'>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bills whose truth is wrong in places, in one document on purpose with markup in it; one file is damaged."""
    folder = tmp_path_factory.mktemp("eval") / "suppliers"
    chosen = {one.name: one for one in samples()}
    for name in ("english", "german_discounts", "french", "credit_note_mail", "facturx"):
        place = folder / "bills" / name
        place.mkdir(parents=True)
        (place / "doc.pdf").write_bytes(chosen[name].data)
        truth = chosen[name].as_json()
        if name in ("english", "french"):
            truth = truth | {"fields": dict(truth["fields"])}
            truth["fields"] |= {"total_with_vat": "1.23", "seller_name": HOSTILE, "issue_date": "1999-12-31"}
        (place / "truth.json").write_text(json.dumps(truth), "utf-8")
    (folder / "bills" / "french" / "doc.pdf").write_bytes(b"%PDF-1.4")
    (folder / "targets.toml").write_text(
        '[[target]]\nname = "Totals"\nmeasure = "total_with_vat.accuracy"\nleast = 0.99\n'
    )
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> Path:
    """The report of a run that is compared with an older one, which had read one document less."""
    first, second, page = folder / "first.json", folder / "second.json", folder / "report.html"
    done = vouch({}, "eval", str(folder), "--json", str(first))
    assert done.returncode == 0, done.stderr
    old = json.loads(first.read_text("utf-8"))
    old["documents"][0]["fields"][0] |= {"verdict": "wrong", "given": HOSTILE, "confidence": 0.97}
    first.write_text(json.dumps(old), "utf-8")
    done = vouch({}, "eval", str(folder), "--json", str(second), "--html", str(page), "--compare", str(first))
    assert done.returncode == 0, done.stderr
    assert "target" in done.stdout
    return page


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme=request.param, offline=True
    )
    shown = context.new_page()
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(report.as_uri())
    yield shown
    assert [url for url in asked if not url.startswith(("data:", report.as_uri()))] == []
    if pictures := os.environ.get("VOUCH_TEST_PICTURES"):
        shown.screenshot(path=str(Path(pictures) / f"eval-{request.param}.png"), full_page=True)
    context.close()


def test_the_report_says_what_was_read_and_what_was_not(page: Page) -> None:
    assert page.title() == "suppliers: how well it is read"
    headings = page.locator("h2, h3").all_inner_texts()
    assert {"Targets", "Better and worse than before", "Fields", "Confidence", "Mistakes", "Not read"} <= set(
        headings
    )
    assert page.get_by_role("row", name="bills / french damaged").count() == 1
    assert page.get_by_text("✗ missed").is_visible()
    assert page.get_by_role("img", name="Reliability diagram").is_visible()


def test_mistakes_show_their_place_and_markup_of_documents_stays_text(page: Page) -> None:
    pictures = page.locator(".card svg image")
    assert pictures.count() >= 2
    for number in range(pictures.count()):
        breadth = pictures.nth(number).evaluate(
            "async shown => { const i = new Image(); i.src = shown.href.baseVal; await i.decode(); return i.naturalWidth }"
        )
        assert breadth == float(pictures.nth(number).get_attribute("width") or 0) > 300
    surest = page.locator(".card h3 .quiet").all_inner_texts()
    assert surest == sorted(surest, key=lambda text: -float(text.split("%")[0]))
    assert page.get_by_text(HOSTILE).first.is_visible()
    assert page.title() != "taken"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_runs_over_the_edge(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_missed_target_closes_the_gate(folder: Path, report: Path) -> None:
    done = vouch({}, "eval", str(folder), "--gate")
    assert done.returncode == 7
    assert "Totals" in done.stderr


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    english = next(one for one in samples() if one.name == "english")
    for number in range(40):
        place = tmp_path / "many" / f"{number:02}"
        place.mkdir(parents=True)
        (place / "doc.pdf").write_bytes(english.data)
        (place / "truth.json").write_text(json.dumps(english.as_json()), "utf-8")
    out, read = tmp_path / "run.json", tmp_path / "read"
    command = [sys.executable, "-m", "connector.cli", "eval", str(tmp_path / "many"), "--jobs", "1"]
    process = subprocess.Popen(
        [*command, "--json", str(out), "--predictions", str(read)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    wait_for(lambda: len(list(read.rglob("*.json"))) >= 3, 120)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    run = json.loads(out.read_text("utf-8"))
    assert 1 <= len(run["documents"]) < run["planned"] == 40
