"""Programs at the API: tokens and their scopes, rates, documents brought in, and calls from Odoo."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from typer.testing import CliRunner

from connector.cli import app as command
from connector.errors import AwayError, SkippableError
from connector.ledger.migrate import open_ledger
from connector.ledger.tokens import SCOPES, Tokens
from connector.ledger.uploads import Sent, UploadLog, UploadState
from connector.review.access import scope_of
from connector.review.app import create_app
from connector.review.deps import SignIn
from connector.review.rates import Rates
from connector.review.server import server_config
from connector.uploads import Uploads
from tests.review_ledger import Clock, Desk, draw_bill, fill

if TYPE_CHECKING:
    from connector.erp.port import Upload

ADDRESS = "http://127.0.0.1:8170"
PATIENCE = timedelta(seconds=30)


@dataclass
class Books:
    """The part of an ERP that takes documents. `plan` says how the next calls go; the real one is in tests/integration."""

    plan: list[str] = field(default_factory=list)
    bills: list[tuple[str, str]] = field(default_factory=list)

    def upload(self, uploads: Sequence[Upload]) -> tuple[int, ...]:
        how = self.plan.pop(0) if self.plan else "good"
        if how == "away":
            raise AwayError("Odoo cannot be reached.")
        if how == "refused":
            raise SkippableError("Odoo refused account.move.create: no journal", "refused")
        self.bills.append((uploads[0].mark, uploads[0].name))
        if how == "lost":
            raise AwayError("It is not known whether Odoo carried it out.")
        return (len(self.bills),)

    def uploaded(self, mark: str) -> int | None:
        if self.plan and self.plan[0] == "away":
            self.plan.pop(0)
            raise AwayError("Odoo cannot be reached.")
        return next((at for at, (known, _) in enumerate(self.bills, 1) if known == mark), None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return fill(tmp_path)


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def polled() -> list[str]:
    return []


@pytest.fixture
def client(desk: Desk, books: Books, polled: list[str]) -> TestClient:
    return client_of(desk, books, polled)


def client_of(desk: Desk, books: Books, polled: list[str], **changed: object) -> TestClient:
    uploads = Uploads(
        UploadLog(desk.ledger.engine, desk.clock),
        desk.documents,
        {"main": books},  # type: ignore[dict-item]
        polled.append,
        PATIENCE,
    )
    deps = replace(
        desk.deps,
        registry=CollectorRegistry(),
        sign_in=SignIn({}),
        uploads=uploads,
        poll_soon=polled.append,
        max_upload_bytes=1 << 20,
        **changed,  # type: ignore[arg-type]
    )
    return TestClient(
        create_app(deps), base_url=ADDRESS, follow_redirects=False, raise_server_exceptions=False
    )


def bearer(desk: Desk, *scopes: str, name: str = "program", **changed: object) -> dict[str, str]:
    token = Tokens(desk.ledger.engine, desk.clock).make(name, "main", scopes, **changed)  # type: ignore[arg-type]
    return {"Authorization": f"Bearer {token}"}


PDF = draw_bill("Nordwind", "RE-1", "119.00", "EUR")


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_does_what_its_scopes_say_and_nothing_else(client: TestClient, desk: Desk) -> None:
    tried = {
        ("GET", "/api/v1/documents/13/pages/1/words"): "reviews:read",
        ("GET", "/documents/13/pages/1.webp"): "reviews:read",
        ("POST", "/api/v1/vendors"): "reviews:write",
        ("POST", "/api/v1/documents"): "documents:write",
        ("GET", "/api/v1/uploads/1"): "documents:write",
        ("GET", "/metrics"): "metrics:read",
        ("GET", "/reviews"): None,
        ("POST", "/language"): None,
        ("POST", "/documents/13/retry"): None,
    }
    for scope in SCOPES:
        headers = bearer(desk, scope, name=scope.replace(":", "-"))
        for (method, path), needed in tried.items():
            status = client.request(method, path, headers=headers | {"Content-Length": "0"}).status_code
            if path == "/language" or scope == needed:
                assert status not in (401, 303) or path == "/language", (scope, path)
                assert scope != needed or status != 403, (scope, path)
            else:
                assert status == 403, (scope, method, path)


def test_a_token_is_shown_once_kept_hashed_and_ends(client: TestClient, desk: Desk) -> None:
    headers = bearer(desk, "reviews:read", lifetime=timedelta(days=30))
    path = "/api/v1/documents/1/pages/1/words"
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["vouch-token-expires"] == f"{desk.clock() + timedelta(days=30):%Y-%m-%d}"
    with desk.ledger.engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM token")).all())
    assert headers["Authorization"].split()[1] not in kept
    desk.clock.move(days=30)
    assert client.get(path, headers=headers).status_code == 401
    other = bearer(desk, "reviews:read", name="other")
    assert client.get(path, headers=other).status_code == 200
    assert Tokens(desk.ledger.engine).revoke("other")
    assert client.get(path, headers=other).status_code == 401


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer vouch_", "Bearer x", "Basic dm91Y2g6eA==", "Bearer \xff", "Bearer " + "v" * 5000],
)
def test_what_is_no_token_opens_nothing(client: TestClient, value: str) -> None:
    answer = client.get(
        "/api/v1/documents/13/pages/1/words", headers={"Authorization": value.encode("latin-1")}
    )  # type: ignore[dict-item]
    assert (answer.status_code, answer.json()["error"]) == (401, "signed_out")


def test_a_token_of_one_company_does_not_see_the_others_documents(client: TestClient, desk: Desk) -> None:
    headers = bearer(desk, "reviews:read", companies=[7])
    for number in range(1, 17):
        assert client.get(f"/documents/{number}/pages/1.webp", headers=headers).status_code == 404
        words = f"/api/v1/documents/{number}/pages/1/words"
        assert client.get(words, headers=headers).status_code == 404


def test_every_scope_is_that_of_some_route() -> None:
    needed = {
        scope_of(method, path)
        for method, path in (
            ("GET", "/metrics"),
            ("GET", "/api/v1/reviews"),
            ("POST", "/api/v1/reviews/1/verdict"),
            ("POST", "/api/v1/documents"),
            ("GET", "/api/v1/insight"),
        )
    }
    assert needed | {"hooks:write"} == set(SCOPES)


def test_the_command_makes_lists_and_revokes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "VOUCH_DATA_DIR": str(tmp_path),
        "VOUCH_BACKENDS__MAIN__URL": "http://127.0.0.1:9",
        "VOUCH_BACKENDS__MAIN__DATABASE": "x",
        "VOUCH_BACKENDS__MAIN__API_KEY": "0" * 40,
    }.items():
        monkeypatch.setenv(name, value)
    runner = CliRunner()
    made = runner.invoke(command, ["token", "create", "erp", "--scope", "documents:write", "--json"])
    token = json.loads(made.stdout)["token"]
    assert re.fullmatch(r"vouch_[\w-]{43}", token)
    shown = json.loads(runner.invoke(command, ["token", "list", "--json"]).stdout)["tokens"]
    assert [(one["name"], one["scopes"]) for one in shown] == [("erp", ["documents:write"])]
    assert token not in str(shown)
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    tokens = Tokens(ledger.engine)
    assert tokens.find(token)
    assert runner.invoke(command, ["token", "revoke", "erp"]).exit_code == 0
    assert tokens.find(token) is None
    ledger.close()
    for wrong in (
        ["create", "x y", "--scope", "reviews:read"],
        ["create", "x", "--scope", "all"],
        ["revoke", "x"],
    ):
        assert runner.invoke(command, ["token", *wrong]).exit_code != 0


def test_the_description_is_of_the_api_and_needs_a_token(client: TestClient, desk: Desk) -> None:
    assert client.get("/api/v1/openapi.json").status_code == 401
    schema = client.get("/api/v1/openapi.json", headers=bearer(desk, "insight:read")).json()
    served = {
        re.sub(r"{(\w+):\w+}", r"{\1}", route.path)
        for router in client.app.routes  # type: ignore[attr-defined]
        for route in getattr(getattr(router, "original_router", None), "routes", ())
        if route.path.startswith("/api/v1/") and route.include_in_schema
    }
    assert set(schema["paths"]) == served
    for path, node in schema["paths"].items():
        for method, operation in node.items():
            assert {"token": []} in operation["security"], (method, path)
            assert operation["responses"]["401"]["content"]["application/json"]
            assert any(code.startswith("2") for code in operation["responses"])


# -- rates ------------------------------------------------------------------------------------------------------------


def test_too_many_requests_are_told_when_to_come_again(desk: Desk, books: Books) -> None:
    client = client_of(desk, books, [], requests_per_minute=60)
    headers = bearer(desk, "reviews:read")
    path = "/api/v1/documents/999/pages/1/words"
    seen = [client.get(path, headers=headers).status_code for _ in range(61)]
    assert seen == [404] * 60 + [429]
    refused = client.get(path, headers=headers)
    assert refused.json()["error"] == "too_many"
    assert refused.headers["retry-after"] == "1"
    # Others go on, and so does this one after a second.
    assert client.get(path, headers=bearer(desk, "reviews:read", name="other")).status_code == 404
    desk.clock.move(seconds=1)
    assert client.get(path, headers=headers).status_code == 404


@given(st.lists(st.floats(0, 30), max_size=300))
def test_a_rate_is_never_exceeded(pauses: list[float]) -> None:
    clock = Clock()
    rates, let = Rates(60, clock), list[float]()
    for pause in pauses:
        clock.move(seconds=pause)
        if not rates.take("x"):
            let.append(clock().timestamp())
    for start in let:
        assert sum(start <= at < start + 60 for at in let) <= 121


def test_rates_take_bounded_memory() -> None:
    rates = Rates(60, Clock(), most=10)
    for number in range(1000):
        rates.take(number)
    assert len(rates._left) == 10


# -- documents --------------------------------------------------------------------------------------------------------


def test_a_document_becomes_a_bill_once(
    client: TestClient, desk: Desk, books: Books, polled: list[str]
) -> None:
    headers = bearer(desk, "documents:write") | {"Idempotency-Key": "order-1"}
    first = client.post("/api/v1/documents?name=RE-1.pdf", content=PDF, headers=headers)
    assert first.status_code == 201, first.text
    body = first.json()
    assert body["state"] == "done"
    assert body["record"] == {
        "model": "account.move",
        "id": 1,
        "url": "http://127.0.0.1:9/main/account.move/1",
    }
    assert polled == ["main"]
    again = client.post("/api/v1/documents?name=RE-1.pdf", content=PDF, headers=headers)
    assert (again.status_code, again.json()["id"]) == (201, body["id"])
    assert len(books.bills) == 1
    assert client.get(first.headers["location"], headers=headers).json() == body
    other = client.post("/api/v1/documents?name=RE-2.pdf", content=PDF, headers=headers)
    assert (other.status_code, other.json()["error"]) == (422, "key_reused")
    # Another sender's key of the same name is another.
    foreign = bearer(desk, "documents:write", name="other") | {"Idempotency-Key": "order-1"}
    assert (
        client.post("/api/v1/documents?name=RE-1.pdf", content=PDF, headers=foreign).json()["record"]["id"]
        == 2
    )
    assert client.get(first.headers["location"], headers=foreign).status_code == 404


def test_without_a_key_the_same_document_is_the_same(client: TestClient, desk: Desk, books: Books) -> None:
    headers = bearer(desk, "documents:write")
    files = {"file": ("C:\\scans\\RE-1.pdf", PDF, "application/pdf")}
    first = client.post("/api/v1/documents", files=files, headers=headers)
    second = client.post("/api/v1/documents?name=RE-1.pdf", content=PDF, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] == second.json()["id"]
    assert [name for _, name in books.bills] == ["RE-1.pdf"]


def test_while_odoo_is_away_a_document_is_kept_and_sent_later(
    client: TestClient, desk: Desk, books: Books, polled: list[str]
) -> None:
    books.plan = ["lost"]
    headers = bearer(desk, "documents:write") | {"Idempotency-Key": "1"}
    first = client.post("/api/v1/documents?name=a.pdf", content=PDF, headers=headers)
    assert (first.status_code, first.json()["state"]) == (202, "waiting")
    # Asked again at once it is not tried again: whether it happened is known only later.
    assert client.post("/api/v1/documents?name=a.pdf", content=PDF, headers=headers).status_code == 202
    desk.clock.move(seconds=PATIENCE.total_seconds() + 1)
    _uploads(client).sweep()
    answer = client.get(first.headers["location"], headers=headers).json()
    assert (answer["state"], answer["record"]["id"]) == ("done", 1)
    assert len(books.bills) == 1
    assert polled == ["main"]


def test_what_odoo_refuses_is_said(client: TestClient, desk: Desk, books: Books) -> None:
    books.plan = ["refused"]
    headers = bearer(desk, "documents:write")
    answer = client.post("/api/v1/documents?name=a.pdf", content=PDF, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (422, "refused")
    assert "no journal" in answer.json()["message"]


@pytest.mark.parametrize(
    ("content", "query", "status", "error"),
    [
        (b"", "?name=a.pdf", 422, "malformed"),
        (PDF, "", 422, "malformed"),
        (b"%PDF-1.7\n truncated", "?name=a.pdf", 422, "unreadable"),
        (b"MZ\x90 program", "?name=a.exe", 422, "unreadable"),
        (PDF, "?name=a.pdf&type=entry", 422, "malformed"),
        (PDF, "?name=a.pdf&backend=other", 404, "no_such_page"),
        (b"x" * ((1 << 20) + 1), "?name=a.pdf", 413, "too_large"),
    ],
)
def test_documents_that_cannot_be_taken(
    client: TestClient, desk: Desk, books: Books, content: bytes, query: str, status: int, error: str
) -> None:
    answer = client.post(
        f"/api/v1/documents{query}", content=content, headers=bearer(desk, "documents:write")
    )
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert books.bills == []


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["good", "away", "lost", "refused", "crash"]), max_size=8), st.integers(1, 3))
def test_nothing_is_lost_and_nothing_made_twice(
    tmp_path_factory: pytest.TempPathFactory, plan: list[str], senders: int
) -> None:
    """Whatever the ERP does and wherever the process dies, in the end there is one bill, or a refusal."""
    folder = tmp_path_factory.mktemp("uploads")
    ledger, clock = open_ledger(f"sqlite:///{folder / 'ledger.db'}"), Clock()
    documents = fill_store(folder)
    crashes = plan.count("crash")
    books = Books([how for how in plan if how != "crash"])
    log = UploadLog(ledger.engine, clock)
    sent = Sent("main", "token:x", "k", "r", "a.pdf", documents.put(PDF), "in_invoice", None)
    uploads = Uploads(log, documents, {"main": books}, lambda _: None, PATIENCE)  # type: ignore[dict-item]
    for _ in range(senders):
        uploads.take(sent)
    for _ in range(crashes):
        # A process that took it in hand and was killed.
        log.begin(1, PATIENCE)
    for _ in range(30):
        clock.move(hours=2)
        uploads.sweep()
    kept = log.get(1)
    assert kept
    assert log.get(2) is None
    assert kept.state in (UploadState.DONE, UploadState.REFUSED)
    assert len(books.bills) == (1 if kept.state == UploadState.DONE else 0)
    ledger.close()


def fill_store(folder: Path):
    from connector.ledger.documents import DocumentStore

    return DocumentStore(folder / "documents")


def _uploads(client: TestClient) -> Uploads:
    for router in client.app.routes:  # type: ignore[attr-defined]
        for route in getattr(getattr(router, "original_router", None), "routes", ()):
            if route.path == "/api/v1/uploads/{number}":
                cells = dict(
                    zip(route.endpoint.__code__.co_freevars, route.endpoint.__closure__, strict=True)
                )
                return cells["deps"].cell_contents.uploads
    raise AssertionError


# -- calls from Odoo --------------------------------------------------------------------------------------------------

HOOK = "/api/v1/hooks/odoo/main"


def signed(desk: Desk, token: str, name: str, body: bytes, **changed: str) -> dict[str, str]:
    given = {"timestamp": str(int(desk.clock().timestamp())), "nonce": "0123456789abcdef", **changed}
    key = hashlib.sha256(token.encode()).hexdigest()
    said = f"{given['timestamp']}.{given['nonce']}.".encode() + body
    signature = "sha256=" + hmac.new(key.encode(), said, hashlib.sha256).hexdigest()
    return {
        f"X-Vouch-{part.title()}": value
        for part, value in {"key": name, "signature": signature, **given}.items()
    }


def test_a_call_with_its_token_asks_for_a_poll(client: TestClient, desk: Desk, polled: list[str]) -> None:
    token = Tokens(desk.ledger.engine, desk.clock).make("odoo", "main", ["hooks:write"])
    body = {"_model": "account.move", "_id": 1}
    assert client.post(HOOK, json=body, headers={"Authorization": f"Bearer {token}"}).json() == {
        "polling": True
    }
    assert client.post(HOOK, json=body, auth=("vouch", token)).status_code == 202
    assert polled == ["main", "main"]


def test_calls_that_do_not_know_the_secret_ask_for_nothing(
    client: TestClient, desk: Desk, polled: list[str]
) -> None:
    tokens = Tokens(desk.ledger.engine, desk.clock)
    token, other = tokens.make("odoo", "main", ["hooks:write"]), tokens.make("r", "main", ["reviews:read"])
    assert client.post(HOOK, json={}).status_code == 401
    assert client.post(HOOK, json={}, auth=("vouch", "wrong")).status_code == 401
    assert client.post(HOOK, json={}, headers={"Authorization": "Basic /w=="}).status_code == 401
    assert client.post(HOOK, json={}, auth=("vouch", other)).status_code == 403
    assert client.post("/api/v1/hooks/odoo/branch", json={}, auth=("vouch", token)).status_code == 403
    assert polled == []


def test_a_signed_call_is_taken_once_and_only_now(client: TestClient, desk: Desk, polled: list[str]) -> None:
    token = Tokens(desk.ledger.engine, desk.clock).make("odoo", "main", ["hooks:write"])
    body = b'{"_id": 1}'
    good = signed(desk, token, "odoo", body)
    assert client.post(HOOK, content=body, headers=good).status_code == 202
    assert client.post(HOOK, content=body, headers=good).status_code == 401
    now = int(desk.clock().timestamp())
    for wrong in (
        signed(desk, token + "x", "odoo", body, nonce="another-nonce-1"),
        signed(desk, token, "odoo", b"other", nonce="another-nonce-2"),
        signed(desk, token, "other", body, nonce="another-nonce-3"),
        signed(desk, token, "odoo", body, nonce="another-nonce-4", timestamp=str(now - 301)),
        signed(desk, token, "odoo", body, nonce="another-nonce-5", timestamp=str(now + 301)),
        signed(desk, token, "odoo", body, nonce="short"),
        signed(desk, token, "odoo", body, nonce="another-nonce-6") | {"X-Vouch-Timestamp": str(now + 1)},
    ):
        assert client.post(HOOK, content=body, headers=wrong).status_code == 401
    assert polled == ["main"]
    # What is forgotten is too old to be taken again.
    desk.clock.move(minutes=11)
    assert client.post(HOOK, content=body, headers=good).status_code == 401
    assert client.post(HOOK, content=body, headers=signed(desk, token, "odoo", body)).status_code == 202


# -- slow callers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def served(desk: Desk, books: Books, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("connector.review.security.SLOWEST_SECONDS", 0.5)
    monkeypatch.setattr("connector.review.server.HEAD_SECONDS", 0.5)
    app = client_of(desk, books, []).app
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(server_config(app))  # type: ignore[arg-type]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def test_a_head_that_drips_is_closed(served: str) -> None:
    host, port = served.removeprefix("http://").split(":")
    for begun in (b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /healthz HT", b"GET /heal"):
        with socket.create_connection((host, int(port)), timeout=20) as slow:
            slow.sendall(begun)
            started = time.monotonic()
            while slow.recv(4096):
                pass
            assert time.monotonic() - started < 15


def test_requests_on_one_connection_are_not_cut_off(served: str) -> None:
    with httpx.Client(base_url=served) as client:
        for pause in (0, 0.7, 0.7):
            time.sleep(pause)
            assert client.get("/healthz").json() == {"alive": True}


def test_a_body_that_drips_is_given_up(served: str, desk: Desk) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x"
            time.sleep(0.2)

    headers = bearer(desk, "documents:write") | {"Content-Length": "100"}
    started = time.monotonic()
    try:
        answer = httpx.post(
            f"{served}/api/v1/documents?name=a.pdf", content=drip(), headers=headers, timeout=30
        )
        assert answer.status_code == 408
    except httpx.TransportError:
        # The server closed the connection while we still sent.
        pass
    assert time.monotonic() - started < 15
