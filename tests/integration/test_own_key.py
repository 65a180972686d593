"""A reviewer gives an API key of their own on `/you`: what they approve is theirs in Odoo, until they forget the key."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from connector.erp.people import OdooPeople
from connector.erp.port import BILL
from connector.ledger.records import Job
from connector.review.app import create_app
from connector.review.deps import SignIn
from tests.integration.odoo_server import OdooDatabase
from tests.integration.settling import BASE, Desk, Settler

LOGIN = "accountant"


class Accountant:
    """The accountant at Odoo's own web client, who makes an API key and takes it back."""

    def __init__(self, database: OdooDatabase) -> None:
        self._web = httpx.Client(base_url=database.url, timeout=120)
        self._ask("/web/session/authenticate", db=database.database, login=LOGIN, password=LOGIN)

    def key(self) -> str:
        """A new key, as Odoo makes it for who gives their password."""
        wizard = self._call("res.users.apikeys.description", "create", {"name": "Vouch", "duration": "1"})
        asked = self._call("res.users.apikeys.description", "make_key", [wizard])
        password = {"password": LOGIN}
        made = self._call("res.users.identitycheck", "run_check", [asked["res_id"]], context=password)
        return made["context"]["default_key"]

    def take_back(self) -> None:
        """No key is good any more."""
        self._call("res.users.apikeys", "remove", self._call("res.users.apikeys", "search", []))

    def close(self) -> None:
        """Go."""
        self._web.close()

    def _call(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("/web/dataset/call_kw", model=model, method=method, args=args, kwargs=kwargs)

    def _ask(self, path: str, **params: Any) -> Any:
        body = {"jsonrpc": "2.0", "method": "call", "params": params}
        answer = self._web.post(path, json=body).raise_for_status().json()
        assert "error" not in answer, answer
        return answer["result"]


@pytest.fixture
def accountant(database: OdooDatabase) -> Iterator[Accountant]:
    made = Accountant(database)
    yield made
    made.close()


def sent(client: TestClient, page: str, path: str, **form: str) -> int:
    """The status of a form that was filled in on a page and sent."""
    found = re.search(r'name="token" value="(\w+)"', client.get(page).text)
    assert found
    headers = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}
    answer = client.post(path, data={"token": found[1], **form}, headers=headers, follow_redirects=False)
    return answer.status_code


def author(desk: Desk, job: Job) -> str:
    """Whose the last note of the person's is in Odoo."""
    domain = [["model", "=", BILL], ["res_id", "=", job.record_id], ["body", "ilike", "by "]]
    notes = desk.odoo.find("mail.message", domain, ["create_uid", "body"])
    mine = [note for note in notes if "Approved by" in note["body"] or "Taken back" in note["body"]]
    return desk.odoo.find("res.users", [["id", "=", mine[-1]["create_uid"][0]]], ["login"])[0]["login"]


def test_what_is_written_is_theirs_until_the_key_is_forgotten(
    desk: Desk, database: OdooDatabase, accountant: Accountant
) -> None:
    people = SignIn({"main": OdooPeople(desk.erp)})
    client = TestClient(create_app(replace(desk.fresh_deps(), sign_in=people)), base_url=BASE)
    assert sent(client, "/sign-in", "/sign-in", backend="main", login=LOGIN, secret=LOGIN) == 303
    person, job, key = Settler(client), desk.in_review(), accountant.key()
    assert sent(client, "/you", "/you/key", key=LOGIN) == 422
    assert sent(client, "/you", "/you/key", key=database.api_key) == 422  # Vouch's own
    assert sent(client, "/you", "/you/key", key=key) == 303
    assert person.decide(person.get(f"/reviews/{job.id}"), "approve").json()["outcome"] == "filled"
    assert author(desk, job) == LOGIN
    undone = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
    assert undone.json().get("outcome") == "undone", undone.text
    assert author(desk, job) == LOGIN
    # A key that Odoo takes back writes nothing more, and Vouch's login does not step in.
    accountant.take_back()
    seen = person.get(f"/reviews/{job.id}")
    refused = person.decide(seen, "approve")
    assert (refused.status_code, refused.json()["error"]) == (422, "own_key"), refused.text
    assert desk.record(job, "invoice_line_ids")["invoice_line_ids"] == []
    assert sent(client, "/you", "/you/key/forget") == 303
    assert person.decide(seen, "approve").json()["outcome"] == "filled"
    assert author(desk, job) == database.login
    assert len([note for note in desk.notes(job) if "Approved by" in note]) == 2
