"""Every route, as whoever should not get in there: strangers, other companies' people, programs, other sites; and its headers."""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from fastapi.testclient import TestClient
from sqlalchemy import event

from connector.ledger.tokens import SCOPES, Tokens
from connector.review.access import OPEN_PATHS, OPENAPI, scope_of
from connector.review.security import API, HEADERS, HOOKS, SAFE_METHODS
from connector.review.server import server_config
from tests.review_ledger import Desk, fill
from tests.unit.test_sign_in import Office, client_of, own, sign_in, token_of

if TYPE_CHECKING:
    from httpx import Response

BODIES: Mapping[str, object] = {
    "/draft": {"edits": []},
    "/verdict": {"verdict": "skip", "version": "0", "key": "00000000-0000-4000-8000-000000000000"},
    "/undo": {"key": "00000000-0000-4000-8000-000000000000"},
    "/assignee": {"ids": [1], "to": "me"},
    "/shadow": {"backend": "main", "vendor_id": 7, "on": True},
    "/vendors": {"backend": "main", "company": 1, "values": {"name": "Nordwind"}},
}
FORMS: Mapping[str, Mapping[str, str]] = {
    "/sign-in": {"backend": "main", "login": "anna", "secret": "wrong"},
    "/language": {"code": "en"},
    "/you/key": {"key": "0" * 40},
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = fill(tmp_path)
    with desk.ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE job SET company_id = 1")
        connection.exec_driver_sql("UPDATE review SET company_id = 1")
    return desk


@pytest.fixture
def office() -> Office:
    office = Office()
    office.employ("anna")
    office.employ("ben", companies=frozenset({2}))
    return office


@pytest.fixture
def client(desk: Desk, office: Office) -> TestClient:
    return client_of(desk, office)


def places(client: TestClient, job: int) -> list[tuple[str, str]]:
    """Every method and path that is served, about a document of the backend main."""
    values = {"job_id": str(job), "number": "1", "model": "res.partner", "table": "fields", "backend": "main"}
    found = [
        (method, re.sub(r"{(\w+)(?::\w+)?}", lambda m: values[m[1]], route.path))
        for router in client.app.routes  # type: ignore[attr-defined]
        for route in getattr(getattr(router, "original_router", None), "routes", ())
        for method in sorted(route.methods - {"HEAD"})
    ]
    assert len(found) >= 40
    return found


def ask(
    client: TestClient, method: str, path: str, token: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """A request as the screens or a program send it."""
    told = own(client) | ({"X-Vouch-Token": token} if token else {}) | dict(headers or {})
    if method in SAFE_METHODS:
        return client.request(method, path, headers=told)
    if path.startswith(API):
        body = next((body for end, body in BODIES.items() if path.endswith(end)), {})
        return client.request(method, path, headers=told, json=body)
    form = {**FORMS.get(path, {}), **({"token": token} if token else {})}
    return client.request(
        method, path, headers=told | {"Content-Length": "0"} if not form else told, data=form
    )


def contents(desk: Desk) -> str:
    """All that the ledger holds, but for when sessions and tokens were last used."""
    with desk.ledger.engine.connect() as connection:
        lines = connection.connection.driver_connection.iterdump()  # type: ignore[union-attr]
        return "\n".join(line for line in lines if not re.match(r'INSERT INTO "?(session|token)"?', line))


def test_no_token_opens_more_than_its_scope(client: TestClient, desk: Desk) -> None:
    tokens = Tokens(desk.ledger.engine, desk.clock)
    made = {scope: tokens.make(scope.replace(":", "-"), "main", [scope]) for scope in SCOPES}
    opened = dict.fromkeys(SCOPES, 0)
    for method, path in places(client, desk.ids["review1"]):
        if path in OPEN_PATHS or path.startswith(HOOKS):
            continue
        needed = scope_of(method, path)
        for scope, token in made.items():
            answer = ask(client, method, path, headers={"Authorization": f"Bearer {token}"})
            denied = answer.status_code == 403 and (
                not path.startswith(API) or answer.json()["error"] == "not_in_scope"
            )
            if not path.startswith(API) and method not in SAFE_METHODS:
                # Forms are for browsers alone.
                assert answer.status_code == 403, (method, path)
                continue
            assert denied == (scope != needed and path != OPENAPI), (method, path, scope, answer.status_code)
            opened[scope] += not denied
    assert min(count for scope, count in opened.items() if scope != "hooks:write") >= 1
    # What is in Odoo's automation rule opens nothing but the description and the call itself.
    assert opened["hooks:write"] == 1


def test_an_ended_a_revoked_and_a_made_up_token_open_nothing(client: TestClient, desk: Desk) -> None:
    tokens = Tokens(desk.ledger.engine, desk.clock)
    ended = tokens.make("ended", "main", SCOPES, lifetime=timedelta(days=1))
    revoked = tokens.make("revoked", "main", SCOPES)
    desk.clock.move(days=1)
    tokens.revoke("revoked")
    before = contents(desk)
    for method, path in places(client, desk.ids["review1"]):
        if path in OPEN_PATHS:
            continue
        for token in (ended, revoked, "vouch_" + "x" * 43, "", f"{ended}\x00"):
            answer = ask(client, method, path, headers={"Authorization": f"Bearer {token}"})
            if path.startswith(API):
                assert answer.status_code == 401, (method, path)
            elif path == "/metrics":
                assert answer.status_code in (200, 303)
            else:
                assert answer.status_code in (303, 403), (method, path)
    assert contents(desk) == before


@pytest.mark.parametrize("kind", ["person", "program"])
def test_the_documents_of_another_odoo_do_not_exist(desk: Desk, office: Office, kind: str) -> None:
    """Neither shown, nor changed, nor told apart from those that are not there."""
    client = client_of(desk, office)
    headers: dict[str, str] = {}
    if kind == "person":
        branch = client.app.router.dependencies[0].dependency.__self__.people["branch"]  # type: ignore[attr-defined]
        branch.employ("dora")
        assert sign_in(client, "dora", backend="branch").status_code == 303
        token = token_of(client, "/you")
    else:
        token = ""
        made = Tokens(desk.ledger.engine, desk.clock).make("theirs", "branch", SCOPES)
        headers["Authorization"] = f"Bearer {made}"
    before, job, seen = contents(desk), desk.ids["review1"], 0
    for method, path in places(client, job):
        if path in OPEN_PATHS or path.startswith((HOOKS, "/you")):
            continue
        answer = ask(client, method, path, token, headers)
        assert "Nordwind" not in answer.text, (method, path)
        if f"/{job}" in path:
            seen += 1
            absent = ask(client, method, path.replace(f"/{job}", "/99999", 1), token, headers)
            assert {absent.status_code, answer.status_code} <= {403, 404}, (method, path)
            assert absent.status_code == answer.status_code, (method, path)
    assert seen >= 12
    assert contents(desk) == before


@pytest.mark.parametrize(
    "hostile",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-Vouch-Token": ""},
        {"X-Vouch-Token": "0" * 64},
    ],
    ids=lambda hostile: "-".join(hostile.items().__iter__().__next__()),
)
def test_nothing_is_changed_for_another_site_or_without_the_sessions_token(
    client: TestClient, desk: Desk, hostile: dict[str, str]
) -> None:
    sign_in(client)
    token = hostile.get("X-Vouch-Token", token_of(client, "/you"))
    before, tried = contents(desk), 0
    for method, path in places(client, desk.ids["review1"]):
        if method in SAFE_METHODS or path.startswith(HOOKS):
            continue
        answer = ask(client, method, path, token, hostile)
        assert answer.status_code in (403, 422), (method, path, answer.status_code)
        tried += 1
    assert tried >= 14
    assert contents(desk) == before
    assert client.get("/reviews").status_code == 200


def answers(client: TestClient, desk: Desk) -> Iterator[tuple[str, Response]]:
    """Answers of every kind that there is."""
    job = desk.ids["review1"]
    for method, path in places(client, job):
        yield f"{method} {path} of a stranger", ask(client, method, path)
    sign_in(client)
    token = token_of(client, "/you")
    for method, path in places(client, job):
        if path != "/sign-out":
            yield f"{method} {path}", ask(client, method, path, token)
    for path in (
        "/static/vouch.css",
        "/static/keys.js",
        "/static/vouch.svg",
        "/static/none",
        "/static/../app.py",
    ):
        yield path, client.get(path)
    etag = client.get("/reviews").headers.get("etag", "")
    yield "not changed", client.get("/reviews", headers={"If-None-Match": etag})
    yield "method", client.request("PATCH", "/reviews", headers=own(client) | {"Content-Length": "0"})
    yield "nothing there", client.get("/nothing/there")
    yield (
        "no length",
        client.request("POST", "/language", headers=own(client) | {"Transfer-Encoding": "chunked"}),
    )
    yield "too long", client.post("/language", content=b"x" * 70_000, headers=own(client))
    yield "other host", client.get("/reviews", headers={"Host": "evil.example"})
    yield "other origin", client.post("/language", headers={"Origin": "https://evil.example"})


def test_without_a_company_one_chooses_among_ones_own(desk: Desk, office: Office) -> None:
    """Vouch's login sees more companies than who asks."""
    asked: list[object] = []

    class Odoo:
        def search(self, _model: str, _text: str, companies: object, *_: object) -> tuple[()]:
            asked.append(companies)
            return ()

    for login, own_ones in (("anna", None), ("ben", {2})):
        client = client_of(desk, office, erp=lambda name: Odoo() if name == "main" else None)
        sign_in(client, login)
        for model in ("account.tax", "res.company", "account.move"):
            assert client.get(f"/api/v1/choices/{model}?backend=main").status_code == 200
        assert asked == [own_ones] * 3
        asked.clear()
    assert client.get("/api/v1/choices/account.tax?backend=main&company=1").status_code == 404
    assert client.get("/api/v1/choices/account.tax?backend=main&company=2").status_code == 200
    assert asked == [(2,)]


def test_the_mark_of_a_list_is_another_one_with_other_rights(desk: Desk, office: Office) -> None:
    office.employ("ann")
    marks: set[str] = set()
    for companies in (None, frozenset({1}), frozenset({2})):
        office.employ("ann", companies=companies)
        client = client_of(desk, office)
        sign_in(client, "ann")
        marks.add(client.get("/api/v1/reviews").headers["etag"])
    assert len(marks) == 3


def test_over_https_every_cookie_is_for_https_alone(desk: Desk, office: Office) -> None:
    client = client_of(desk, office, base_url="https://vouch.example")
    told = client.post("/language", data={"code": "en", "token": token_of(client)}, headers=own(client))
    assert told.status_code == 303
    for cookie in (
        *told.headers.get_list("set-cookie"),
        *client.get("/sign-in").headers.get_list("set-cookie"),
    ):
        assert "Secure" in cookie, cookie


def test_why_the_ledger_is_away_is_not_for_strangers(desk: Desk, office: Office) -> None:
    """What its database says names it, its address and its login."""
    app = client_of(desk, office).app
    desk.ledger.engine.dispose()
    event.listen(desk.ledger.engine, "do_connect", _refused)
    try:
        for path in ("/reviews", "/api/v1/reviews", "/documents/1"):
            near, far = (
                TestClient(
                    app,
                    base_url="http://127.0.0.1:8170",
                    client=(place, 50000),
                    raise_server_exceptions=False,
                )
                for place in ("127.0.0.1", "203.0.113.7")
            )
            headers = {"Authorization": "Bearer vouch_x"}
            inside, outside = near.get(path, headers=headers), far.get(path, headers=headers)
            assert (inside.status_code, outside.status_code) == (503, 503)
            assert "10.1.2.3" in inside.text
            assert "10.1.2.3" not in outside.text
            assert "ledger" in outside.text
    finally:
        event.remove(desk.ledger.engine, "do_connect", _refused)


def _refused(*_: object) -> None:
    raise sqlite3.OperationalError('connection to server at "10.1.2.3" failed: password of "vouch" is wrong')


def test_every_answer_is_hardened(client: TestClient, desk: Desk) -> None:
    kinds, statuses = set[str](), set[int]()
    for what, answer in answers(client, desk):
        for name, value in HEADERS.items():
            assert answer.headers.get(name) == value, (what, name)
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        for cookie in answer.headers.get_list("set-cookie"):
            assert "httponly" in cookie.lower(), what
            assert "samesite=" in cookie.lower(), what
            assert "domain=" not in cookie.lower(), what
        kinds.add(answer.headers.get("content-type", "").partition(";")[0])
        statuses.add(answer.status_code)
    assert {
        "text/html",
        "application/json",
        "image/webp",
        "text/csv",
        "text/css",
        "image/svg+xml",
        "",
    } <= kinds
    assert {200, 303, 304, 400, 401, 403, 404, 405, 411, 413, 422} <= statuses


def test_the_content_policy_lets_no_foreign_or_inline_script_run() -> None:
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert not re.search(r"unsafe|\*|data:|blob:|https?:", HEADERS["Content-Security-Policy"])
    for template in (Path(__file__).parents[2] / "connector" / "review" / "templates").rglob("*.html"):
        said = template.read_text("utf-8")
        assert not re.search(
            r"\son\w+=|\sstyle=|<script(?![^>]*src=)(?![^>]*application/json)|javascript:", said
        ), template
        assert "| safe" not in said, template


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "vouch.example.evil.example", "evil.example:8170", ""]
)
def test_another_host_is_answered_nothing(client: TestClient, desk: Desk, host: str) -> None:
    for method, path in places(client, desk.ids["review1"]):
        answer = ask(client, method, path, headers={"Host": host, "Origin": f"http://{host}"})
        assert answer.status_code == 400, (method, path)
        assert "evil" not in answer.text


def test_whoever_signs_out_everywhere_is_out_on_every_machine(desk: Desk, office: Office) -> None:
    here, there, other = (client_of(desk, office) for _ in range(3))
    sign_in(here)
    sign_in(there)
    sign_in(other, "ben")
    form = {"token": token_of(here, "/you"), "everywhere": "1"}
    answer = here.post("/sign-out", data=form, headers=own(here))
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert here.get("/reviews").status_code == there.get("/reviews").status_code == 303
    assert other.get("/reviews").status_code == 200
    # Without the wish the others go on.
    sign_in(here)
    sign_in(there)
    here.post("/sign-out", data={"token": token_of(here, "/you")}, headers=own(here))
    assert here.get("/reviews").status_code == 303
    assert there.get("/reviews").status_code == 200


# -- how requests are framed --------------------------------------------------------------------------------------------


@pytest.fixture
def served(desk: Desk, office: Office) -> Iterator[int]:
    app = client_of(desk, office).app
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(server_config(app))  # type: ignore[arg-type]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(60)


def raw(port: int, head: str, body: bytes = b"") -> list[int]:
    """The statuses that a server answers to bytes, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        connection.shutdown(socket.SHUT_WR)
        said = b""
        while part := connection.recv(65536):
            said += part
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+)", said)]


POST = "POST /language HTTP/1.1\nHost: 127.0.0.1\nOrigin: http://127.0.0.1\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (POST + "Content-Length: 5\nTransfer-Encoding: chunked\n\n", b"0\r\n\r\n" + SMUGGLED),
        (POST + "Transfer-Encoding: chunked\nContent-Length: 5\n\n", b"0\r\n\r\n" + SMUGGLED),
        (POST + "Transfer-Encoding: chunked\n\n", b"ffffff\r\n" + b"x" * 100),
        (POST + "Transfer-Encoding: identity\nContent-Length: 5\n\n", b"x" * 5),
        (POST + "Content-Length: 5\nContent-Length: 6\n\n", b"x" * 5 + SMUGGLED),
        (POST + "Content-Length: +5\n\n", b"x" * 5),
        (POST + "Content-Length : 5\n\n", b"x" * 5),
        ("GET /healthz HTTP/1.1\nHost: 127.0.0.1\nHost: evil.example\n\n", b""),
        ("GET /healthz HTTP/1.1\nHost: 127.0.0.1\nX: " + "a" * 20_000 + "\n\n", b""),
        ("GET /healthz HTTP/9.9\nHost: 127.0.0.1\n\n", b""),
        ("GET http://evil.example/ HTTP/1.1\nHost: evil.example\n\n", b""),
    ],
)
def test_a_request_that_may_be_read_in_two_ways_is_refused(served: int, head: str, body: bytes) -> None:
    """RFC 9112, 6.1 and 11.2: where a proxy and Vouch could disagree about where it ends, it is not taken."""
    statuses = raw(served, head, body)
    # Some of it is not worth an answer: the connection ends.
    assert statuses[:1] in ([], [400], [411], [431], [501]), statuses
    # What stood behind it is not taken for a request of its own.
    assert 200 not in statuses
