"""One real service given documents made to do harm: it stays up, fills nothing that no page shows, and what the documents
say runs nowhere: not in its pages in a real Chromium, not in the notes of a real Odoo."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import html as lxml_html
from playwright.sync_api import Browser, Request

from deploy.odoo.administrator import Administrator, MailedFile
from deploy.odoo.installation import Installation
from tests.acceptance.command import settings_for, wait_for
from tests.integration.browser import PATIENCE, sign_in
from tests.integration.odoo_server import cloned
from tests.samples.designs import render
from tests.samples.hostile.documents import ACTIONS, PLACES, bombs_of_pdf, e_invoice, paper
from tests.samples.hostile.lies import LIES
from tests.samples.hostile.texts import DISGUISES, FORMULAS, LINES, MARKUP, ORDERS, TEMPLATES

PDF, XML = "application/pdf", "application/xml"
# Odoo's own columns take no NUL.
NAMES = [
    text.replace("\0", "")
    for text in (*MARKUP[:4], *FORMULAS[:2], *LINES[:7], *DISGUISES[6:7], *TEMPLATES[:2])
]
SAID = (*MARKUP[:4], FORMULAS[1])
HIDDEN = ("covered words", "invisible words")


def delivered() -> dict[str, MailedFile]:
    """Hostile documents under hostile names; the honest one, which comes last, is what the service must still read."""
    found: dict[str, MailedFile] = {}
    for number, text in enumerate(SAID):
        found[f"said {number}"] = MailedFile(f"{NAMES[number]}.xml", XML, e_invoice(text))
    for name in HIDDEN:
        found[name] = MailedFile(f"{NAMES[0]}.pdf", PDF, LIES[name]())
    found["script"] = MailedFile("=1+1.pdf", PDF, ACTIONS["script.pdf"]())
    found["order"] = MailedFile(f"{ORDERS[0]}.pdf", PDF, PLACES["in plain sight"](ORDERS[0]))
    found["bomb"] = MailedFile(f"{NAMES[6]}.pdf", PDF, bombs_of_pdf()["a form that draws itself twice.pdf"]())
    return found


@dataclass
class Attacked:
    """The service after it has seen everything."""

    url: str
    odoo: Administrator
    bills: dict[str, int]
    environment: dict[str, str]
    states: dict[int, dict[str, Any]]
    rss: int
    process: subprocess.Popen[bytes]
    log: Path


@pytest.fixture(scope="module")
def attacked(development_odoo: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("hostile")
    database = cloned(development_odoo, f"test_{uuid.uuid4().hex[:12]}")
    odoo = Administrator(database.url, database.database)
    bills = {name: odoo.draft_bill(file) for name, file in delivered().items()}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    environment = {
        **settings_for(database, "json2", folder / "data"),
        "VOUCH_WEB__PORT": str(port),
        "VOUCH_LOG_LEVEL": "info",
        "VOUCH_LOG_FORMAT": "json",
        "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": "2",
        "VOUCH_BACKENDS__MAIN__SCHEDULE__JITTER_SECONDS": "0",
    }
    log = folder / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector.cli", "run"],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        settled = wait_for(lambda: _settled(folder / "data", process, len(bills)), 900)
        yield Attacked(
            f"http://127.0.0.1:{port}", odoo, bills, environment, settled, _rss(process.pid), process, log
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)


def _settled(data: Path, process: subprocess.Popen[bytes], count: int) -> dict[int, dict[str, Any]] | None:
    """The documents by record, once that many have come to an end."""
    assert process.poll() is None
    if not (data / "ledger.db").exists():
        return None
    with closing(sqlite3.connect(f"file:{data}/ledger.db?mode=ro", uri=True)) as ledger:
        ledger.row_factory = sqlite3.Row
        try:
            found = [dict(row) for row in ledger.execute("select * from job")]
        except sqlite3.OperationalError:
            return None  # its tables are being made
    ended = {one["record_id"]: one for one in found if one["state"] not in ("queued", "running", "applying")}
    return ended if len(ended) == count else None


def _rss(pid: int) -> int:
    """Megabytes in memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) >> 10 if found else 0


def test_nothing_is_filled_that_no_page_shows(attacked: Attacked) -> None:
    for name, number in attacked.bills.items():
        outcome = attacked.states[number]
        [bill] = attacked.odoo.find("account.move", [["id", "=", number]], ["ref", "amount_total"])
        if outcome["state"] == "filled":
            assert name in ("order", "script"), (name, outcome)
            assert bill == {
                "id": number,
                "ref": paper().number,
                "amount_total": float(paper().total_with_vat),
            }
        else:
            assert outcome["state"] in ("in_review", "skipped", "failed"), (name, outcome)
    for name in HIDDEN:
        assert attacked.states[attacked.bills[name]]["state"] == "in_review", name
    assert "does not show" in attacked.states[attacked.bills["invisible words"]]["message"]


def test_notes_and_to_dos_in_odoo_hold_words_only(attacked: Attacked) -> None:
    """Paragraphs and the small print of the key; whatever a document says is text in them."""
    domain = [["model", "=", "account.move"], ["res_id", "in", list(attacked.bills.values())]]
    notes = attacked.odoo.find("mail.message", [*domain, ["body", "ilike", "Vouch"]], ["body"])
    domain = [["res_model", "=", "account.move"], ["res_id", "in", list(attacked.bills.values())]]
    to_dos = attacked.odoo.find("mail.activity", domain, ["note", "summary"])
    assert len(notes) >= len(attacked.bills) - 2
    for body in [one["body"] for one in notes] + [one["note"] for one in to_dos]:
        tree = lxml_html.fragment_fromstring(body, create_parent="div")
        tags = {element.tag for element in tree.iter()} - {"div"}
        # Odoo makes links of the addresses that it knows.
        assert tags <= {"p", "small", "a", "br"}, body
        assert all(set(element.attrib) <= {"href", "target", "rel"} for element in tree.iter()), body
        assert not any(element.get("href", "").startswith("javascript") for element in tree.iter())
    assert not any("\n" in one["summary"] for one in to_dos)


def test_nothing_runs_in_a_real_browser(attacked: Attacked, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    page, wrong = context.new_page(), list[str]()
    context.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective + ' ' + e.sample))"
    )
    page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda message: message.type in ("error", "warning") and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("popup", lambda popup: wrong.append(f"popup {popup.url}"))
    page.on("download", lambda file: wrong.append(f"download {file.url}"))
    page.on("request", lambda request: _elsewhere(request, attacked.url) and wrong.append(request.url))
    sign_in(page, attacked.url)
    jobs = [one["id"] for one in attacked.states.values()]
    paths = ["/reviews", "/documents", "/insight", *(f"/documents/{job}" for job in jobs)]
    paths += [f"/documents/{job}/history" for job in jobs[:6]]
    for path in paths:
        assert page.goto(attacked.url + path), path
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hacked") is None, path
        assert (
            page.evaluate("document.querySelectorAll('iframe, object, embed, base, meta[http-equiv]').length")
            == 0
        )
        assert (
            page.evaluate("document.querySelectorAll('[onerror], [onload], a[href^=javascript]').length") == 0
        )
        assert urlsplit(page.url).path == path
    context.close()
    assert wrong == []


def _elsewhere(request: Request, url: str) -> bool:
    return not request.url.startswith((url, "data:", "blob:"))


def test_every_event_is_one_line_and_the_service_reads_on(attacked: Attacked) -> None:
    """The honest bill that comes after all of them is filled, by a process that has not grown."""
    bill = replace(paper(), number="BLH-26-8820", lines=paper().lines[:1])
    honest = attacked.odoo.draft_bill(MailedFile("honest.pdf", PDF, render(bill)))
    data = Path(attacked.environment["VOUCH_DATA_DIR"])
    states = wait_for(lambda: _settled(data, attacked.process, len(attacked.bills) + 1), 300)
    assert states[honest]["state"] == "filled", states[honest]
    assert httpx.get(f"{attacked.url}/healthz").is_success
    assert _rss(attacked.process.pid) < attacked.rss + 60
    for line in attacked.log.read_text().splitlines():
        if line.startswith("{"):
            assert json.loads(line)["event"]
        else:
            assert not any(word in line for word in ("<script", "evil", "X-Evil", "hacked"))
