"""Programs against the real command and the real Odoo: a document brought in is a bill, and Odoo's call has it read at once."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from connector.erp.odoo import OdooErp
from connector.erp.port import Upload
from connector.erp.wire import Connection
from tests.acceptance.command import settings_for, start, vouch, wait_for
from tests.integration.odoo_server import Odoo, OdooDatabase
from tests.samples.generate import samples

SAMPLE = next(sample for sample in samples() if sample.name == "german_discounts")
HOURS = 3600


@dataclass(frozen=True)
class Served:
    """A running `vouch run` that polls of itself once in hours only."""

    odoo: Odoo
    address: str
    environment: dict[str, str]

    def token(self, *scopes: str) -> str:
        asked = [word for scope in scopes for word in ("--scope", scope)]
        made = vouch(
            self.environment, "token", "create", "-".join(scopes).replace(":", "."), *asked, "--json"
        )
        assert made.returncode == 0, made.stderr
        return json.loads(made.stdout)["token"]


@pytest.fixture(params=["json2", "jsonrpc"])
def served(request: pytest.FixtureRequest, odoo_database: OdooDatabase, tmp_path: Path) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    environment = {
        **settings_for(odoo_database, request.param, tmp_path),
        "VOUCH_WEB__PORT": str(port),
        "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": str(10 * HOURS),
    }
    process = start(environment, "run")
    address = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            return httpx.get(f"{address}/readyz", timeout=30).is_success
        except httpx.TransportError:
            return False

    try:
        wait_for(ready, 120)
        yield Served(Odoo(odoo_database), address, environment)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()


def test_a_document_brought_by_a_program_is_a_bill_and_is_read(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.token('documents:write')}", "Idempotency-Key": "42"}
    url = f"{served.address}/api/v1/documents?name={SAMPLE.filename}"
    first = httpx.post(url, content=SAMPLE.data, headers=headers, timeout=120)
    assert first.status_code == 201, first.text
    again = httpx.post(url, content=SAMPLE.data, headers=headers, timeout=120)
    assert again.json()["record"] == first.json()["record"]
    number = first.json()["record"]["id"]
    [bill] = served.odoo.find(
        "account.move", [["id", "=", number]], ["state", "move_type", "message_main_attachment_id"]
    )
    assert (bill["state"], bill["move_type"]) == ("draft", "in_invoice")
    assert bill["message_main_attachment_id"]

    def read() -> dict[str, Any] | None:
        found = httpx.get(served.address + first.json()["follow"], headers=headers, timeout=30).json()
        return found if found["document_state"] in ("filled", "in_review") else None

    assert wait_for(read, 120)["record"]["id"] == number
    found = served.odoo.find(
        "ir.attachment", [["res_model", "=", "account.move"], ["name", "=", SAMPLE.filename]], ["res_id"]
    )
    assert [one["res_id"] for one in found] == [number]


def test_the_mark_finds_the_bill_again(odoo_database: OdooDatabase) -> None:
    settings = Connection(
        "main",
        odoo_database.url,
        odoo_database.database,
        SecretStr(odoo_database.api_key),
        odoo_database.login,
    )
    erp = OdooErp(settings)
    try:
        assert erp.uploaded("0" * 32) is None
        [number] = erp.upload([Upload("a.pdf", SAMPLE.data, mark="1" * 32)])
        assert erp.uploaded("1" * 32) == number
        assert erp.uploaded("2" * 32) is None
    finally:
        erp.close()


def test_odoos_automation_rule_has_a_bill_read_within_seconds(served: Served) -> None:
    odoo = served.odoo
    [module] = odoo.find("ir.module.module", [["name", "=", "base_automation"]], ["state"])
    if module["state"] != "installed":
        odoo.call("ir.module.module", "button_immediate_install", [module["id"]])
    token = served.token("hooks:write")
    host = served.address.removeprefix("http://")
    [model] = odoo.find("ir.model", [["model", "=", "ir.attachment"]], ["id"])
    action = {
        "name": "Tell Vouch",
        "model_id": model["id"],
        "state": "webhook",
        "webhook_url": f"http://vouch:{token}@{host}/api/v1/hooks/odoo/main",
    }
    rule = {
        "name": "Tell Vouch of documents on bills",
        "model_id": model["id"],
        "trigger": "on_create_or_write",
        "filter_domain": "[('res_model', '=', 'account.move')]",
        "action_server_ids": [[0, 0, action]],
    }
    odoo.call("base.automation", "create", rule)
    headers = {"Authorization": f"Bearer {served.token('metrics:read')}"}

    def seen() -> bool:
        figures = httpx.get(f"{served.address}/metrics", headers=headers, timeout=30).text
        return any(
            line.startswith("vouch_jobs{") and not line.endswith(" 0.0") for line in figures.splitlines()
        )

    assert not seen()
    from tests.integration.odoo_server import MailedFile

    started = time.monotonic()
    odoo.draft_bill(MailedFile(SAMPLE.filename, "application/pdf", SAMPLE.data))
    wait_for(seen, 60)
    # The schedule would have found it after hours.
    assert time.monotonic() - started < 60
