"""Signing in: who gets in, what a session is worth, and what is tried against it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector.erp.people import Admitted, NotAllowed, SecondFactorAsked
from connector.errors import AccessError, AwayError, SettingsError
from connector.ledger.key_ends import KeyEnds
from connector.ledger.sessions import SessionRecord
from connector.ledger.states import JobState
from connector.review.access import OPEN_PATHS, Access
from connector.review.app import create_app
from connector.review.deps import SignIn
from connector.review.lockout import BY_LOGIN
from connector.settings import load_settings
from tests.review_ledger import Desk, fill

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

ADDRESS = "http://127.0.0.1:8170"
SECRET = "correct horse battery staple"


@dataclass
class Desktop:
    """An ERP as one person."""

    closed: bool = False

    def close(self) -> None:
        self.closed = True


@dataclass
class Office:
    """The people of an Odoo, as `connector.erp.people.People` shows them; the real ones are in tests/integration."""

    people: dict[str, Admitted] = field(default_factory=dict)
    away: bool = False
    asked: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    made: list[Desktop] = field(default_factory=list)
    second_factor: set[str] = field(default_factory=set)

    def employ(self, login: str, **changed: object) -> None:
        number = len(self.people) + 6
        self.people[login] = replace(
            Admitted(number, login, login.title(), None, "0" * 64),
            **changed,  # type: ignore[arg-type]
        )

    def admit(self, login: str, secret: str) -> Admitted:
        self.asked.append(login)
        if self.away:
            raise AwayError("Odoo cannot be reached.")
        if login not in self.people or secret not in (SECRET, self.keys.get(login)):
            raise AccessError("Odoo does not accept the API key, or login and password.")
        if login in self.second_factor and secret == SECRET:
            raise SecondFactorAsked("Odoo asks for a second factor.")
        if self.people[login].rights == "":
            raise NotAllowed("This person may not edit bills in Odoo.")
        return self.people[login]

    def rights(self, user_id: int) -> str | None:
        if self.away:
            raise AwayError("Odoo cannot be reached.")
        return next((one.rights for one in self.people.values() if one.user_id == user_id), None)

    def erp(self, login: str, key: str) -> Desktop:
        assert self.keys[login] == key
        self.made.append(Desktop())
        return self.made[-1]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return fill(tmp_path)


@pytest.fixture
def office() -> Office:
    office = Office()
    office.employ("anna")
    office.employ("ben", companies=frozenset({2}))
    office.employ("clara", rights="")
    return office


@pytest.fixture
def client(desk: Desk, office: Office) -> TestClient:
    return client_of(desk, office)


def client_of(desk: Desk, office: Office, base_url: str = ADDRESS, **changed: object) -> TestClient:
    people = {"main": office, "branch": Office()}
    deps = replace(
        desk.deps,
        registry=CollectorRegistry(),
        sign_in=SignIn(people),  # type: ignore[arg-type]
        hosts=("vouch.example",),
        **changed,  # type: ignore[arg-type]
    )
    return TestClient(
        create_app(deps), base_url=base_url, follow_redirects=False, raise_server_exceptions=False
    )


def own(client: TestClient) -> dict[str, str]:
    return {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}


def token_of(client: TestClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', client.get(path).text)
    assert found
    return found[1]


def sign_in(client: TestClient, login: str = "anna", secret: str = SECRET, **changed: str):
    form = {"backend": "main", "login": login, "secret": secret, "back": "/", **changed}
    return client.post("/sign-in", data={"token": token_of(client), **form}, headers=own(client))


def is_in(client: TestClient) -> bool:
    return client.get("/reviews").status_code == 200


# -- getting in -------------------------------------------------------------------------------------------------------


def test_whoever_odoo_knows_gets_in_and_out_again(client: TestClient) -> None:
    answer = sign_in(client, back="/documents/13")
    assert (answer.status_code, answer.headers["location"]) == (303, "/documents/13")
    html = client.get("/documents/13").text
    assert "Anna" in html
    token = token_of(client, "/reviews")
    answer = client.post("/sign-out", data={"token": token}, headers=own(client))
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert not is_in(client)


def test_nothing_but_the_open_paths_is_answered_to_strangers(client: TestClient, desk: Desk) -> None:
    routes: list[APIRoute] = [
        route
        for router in client.app.routes  # type: ignore[attr-defined]
        for route in getattr(getattr(router, "original_router", None), "routes", ())
    ]
    assert len(routes) > 10
    for route in routes:
        path = re.sub(r"{job_id}", "1", re.sub(r"{number}", "1", route.path))
        for method in route.methods - {"HEAD"}:
            if path in OPEN_PATHS or path.startswith("/api/v1/hooks/"):
                continue
            path = re.sub(r"{\w+}", "x", path)
            answer = client.request(
                method, path, headers=own(client) | {"Content-Length": "0", "X-Vouch-Token": "0" * 64}
            )
            if path.startswith("/api/"):
                assert answer.status_code == 401, path
                assert answer.json()["error"] == "signed_out"
            else:
                assert answer.status_code == 303, path
                assert answer.headers["location"].startswith("/sign-in")
    assert {path for path in OPEN_PATHS if "job" in path} == set()
    assert _state(desk, desk.ids["failed"]) == JobState.FAILED


def test_the_way_back_is_kept_and_stays_inside(client: TestClient) -> None:
    answer = client.get("/documents?state=failed")
    assert answer.headers["location"] == "/sign-in?back=/documents%3Fstate%3Dfailed"
    assert 'name="back" value="/documents?state=failed"' in client.get(answer.headers["location"]).text
    for back in (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/sign-out",
        "/\t/evil.example",
    ):
        assert sign_in(client, back=back).headers["location"] == "/"
        client.cookies.clear()


def test_failures_look_alike_and_take_whole_seconds(client: TestClient) -> None:
    seen = []
    for login, secret in (("anna", "wrong"), ("nobody", SECRET), ("anna", "0" * 40)):
        token, started = token_of(client), time.monotonic()
        form = {"backend": "main", "login": login, "secret": secret, "token": token}
        answer = client.post("/sign-in", data=form, headers=own(client))
        seen.append((answer.status_code, answer.text.replace(login, "LOGIN")))
        assert time.monotonic() - started >= 1
        assert secret not in answer.text
    assert seen[0][0] == 401
    assert len(set(seen)) == 1
    assert not is_in(client)


def test_those_without_the_right_are_told_so(client: TestClient) -> None:
    answer = sign_in(client, "clara")
    assert answer.status_code == 403
    assert "You may not edit bills in Odoo" in answer.text
    assert not is_in(client)


def test_those_with_a_second_factor_are_told_to_take_a_key(client: TestClient, office: Office) -> None:
    office.second_factor.add("anna")
    for _ in range(BY_LOGIN.free + 1):
        answer = sign_in(client)
        assert answer.status_code == 403
    assert "Make an API key in Odoo" in answer.text
    assert "second factor, which" not in sign_in(client, secret="wrong").text
    assert not is_in(client)


def test_an_odoo_that_is_away_lets_nobody_in_and_counts_no_failure(
    client: TestClient, office: Office
) -> None:
    office.away = True
    for _ in range(BY_LOGIN.free + 3):
        assert sign_in(client).status_code == 503
    office.away = False
    assert sign_in(client).status_code == 303


def test_an_unknown_backend_is_no_way_in(client: TestClient) -> None:
    assert sign_in(client, backend="other").headers["location"] == "/sign-in"
    assert sign_in(client, backend="branch").status_code == 401


# -- sessions ---------------------------------------------------------------------------------------------------------


def test_signing_in_gives_another_cookie_and_the_old_one_opens_nothing(
    client: TestClient, desk: Desk, office: Office
) -> None:
    token_of(client)
    planted = client.cookies["vouch"]
    assert sign_in(client).status_code == 303
    assert client.cookies["vouch"] != planted
    thief = client_of(desk, office)
    thief.cookies.set("vouch", planted)
    assert not is_in(thief)
    # Signing in again ends the session before.
    before = client.cookies["vouch"]
    token = token_of(client, "/reviews")
    form = {"backend": "main", "login": "anna", "secret": SECRET, "token": token}
    assert client.post("/sign-in", data=form, headers=own(client)).status_code == 303
    thief.cookies.set("vouch", before)
    assert not is_in(thief)
    assert is_in(client)


def test_the_ledger_does_not_hold_what_opens_a_session(client: TestClient, desk: Desk) -> None:
    sign_in(client)
    cookie = client.cookies["vouch"]
    with Session(desk.ledger.engine) as session:
        [kept] = session.scalars(select(SessionRecord))
    assert cookie not in {str(value) for value in vars(kept).values()}
    other = TestClient(client.app, base_url=ADDRESS, follow_redirects=False, cookies={"vouch": kept.id})
    assert not is_in(other)


def test_a_session_ends_when_it_is_idle_and_at_last_in_any_case(client: TestClient, desk: Desk) -> None:
    sign_in(client)
    desk.clock.move(minutes=59)
    assert is_in(client)
    desk.clock.move(minutes=61)
    assert not is_in(client)
    sign_in(client)
    for _ in range(13):
        desk.clock.move(minutes=55)
        assert is_in(client)
    desk.clock.move(minutes=55)
    assert not is_in(client)


def test_a_restart_signs_nobody_out_and_open_pages_stay_good(
    client: TestClient, desk: Desk, office: Office
) -> None:
    sign_in(client)
    token = token_of(client, "/documents/13")
    again = client_of(desk, office)
    again.cookies.update(client.cookies)
    answer = again.post(f"/documents/{desk.ids['failed']}/retry", data={"token": token}, headers=own(again))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/documents/")
    story = desk.ledger.story(desk.ids["failed"])
    assert story
    assert story.transitions[-1].actor == "Anna"


def test_a_token_is_good_for_its_session_only(client: TestClient, desk: Desk, office: Office) -> None:
    before = token_of(client)
    sign_in(client)
    job = desk.ids["failed"]
    other = client_of(desk, office)
    sign_in(other)
    for token in (before, token_of(other, "/documents/13"), ""):
        answer = client.post(f"/documents/{job}/retry", data={"token": token}, headers=own(client))
        assert answer.status_code in (403, 422)
    assert _state(desk, job) == JobState.FAILED


@pytest.mark.parametrize("change", [{"rights": "1" * 64}, None])
def test_who_lost_their_rights_in_odoo_is_out_everywhere_within_minutes(
    client: TestClient, desk: Desk, office: Office, change: dict[str, str] | None
) -> None:
    second = client_of(desk, office)
    sign_in(client)
    sign_in(second)
    if change:
        office.people["anna"] = replace(office.people["anna"], **change)
    else:
        del office.people["anna"]
    desk.clock.move(minutes=4)
    assert is_in(client)
    desk.clock.move(minutes=1)
    assert not is_in(client)
    assert not is_in(second)


def test_while_odoo_is_away_sessions_go_on(client: TestClient, desk: Desk, office: Office) -> None:
    sign_in(client)
    office.away = True
    desk.clock.move(minutes=10)
    assert is_in(client)


def test_over_https_the_cookie_is_for_this_host_and_tls_only(desk: Desk, office: Office) -> None:
    client = client_of(desk, office, "https://vouch.example")
    answer = sign_in(client)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-vouch=")
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= {p.strip().lower() for p in cookie.split(";")}
    assert "domain" not in cookie.lower()
    page = client.get("/reviews")
    assert page.status_code == 200
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in client_of(desk, office).get("/sign-in").headers


# -- a key of one's own ------------------------------------------------------------------------------------------------


KEY = "0123456789abcdef" * 2 + "01234567"


def test_a_key_of_ones_own_is_kept_in_memory_until_one_leaves(
    client: TestClient, desk: Desk, office: Office
) -> None:
    sign_in(client)
    access, request = _access(client), _request(client)
    person = access.known(request)
    assert person
    assert access.erp_of(person) is None

    def give(key: str, path: str = "/you/key"):
        form = {"token": token_of(client, "/you"), "key": key}
        return client.post(path, data=form, headers=own(client))

    assert give(SECRET).status_code == 422
    assert give("f" * 40).status_code == 422
    office.keys["anna"] = KEY
    answer = give(KEY)
    assert (answer.status_code, answer.headers["location"]) == (303, "/you")
    assert "with your own API key" in client.get("/you").text
    assert access.erp_of(person) == office.made[0]
    with desk.ledger.engine.connect() as connection:
        dump = "".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert KEY not in dump
    give("", "/you/key/forget")
    assert access.erp_of(person) is None
    assert office.made[0].closed
    give(KEY)
    client.post("/sign-out", data={"token": token_of(client, "/you")}, headers=own(client))
    assert access.erp_of(person) is None
    sign_in(client)
    give(KEY)
    office.people["anna"] = replace(office.people["anna"], rights="1" * 64)
    desk.clock.move(minutes=5)
    assert not is_in(client)
    assert access.erp_of(person) is None
    assert all(one.closed for one in office.made)


def test_a_key_that_ends_soon_is_announced_on_every_page(
    client: TestClient, desk: Desk, office: Office
) -> None:
    ends, kept = desk.clock() + timedelta(days=9), KeyEnds(desk.ledger.engine, desk.clock)
    kept.keep("branch", ends, "")
    sign_in(client)
    assert 'class="notice"' not in client.get("/reviews").text
    kept.keep("main", ends + timedelta(days=6), "")
    assert 'class="notice"' not in client.get("/reviews").text
    kept.keep("main", ends, "")
    said = f"works in Odoo (main) ends on {ends:%Y-%m-%d}"
    for path in ("/reviews", "/documents", "/documents/13", "/insight", "/you"):
        assert said in client.get(path).text, path
    assert said not in client_of(desk, office).get("/sign-in").text
    office.keys["anna"] = KEY
    office.people["anna"] = replace(office.people["anna"], key_ends=ends - timedelta(days=1))
    form = {"token": token_of(client, "/you"), "key": KEY}
    assert client.post("/you/key", data=form, headers=own(client)).status_code == 303
    assert f"Your own API key ends on {ends - timedelta(days=1):%Y-%m-%d}" in client.get("/reviews").text
    figure = r'^vouch_key_ends_timestamp_seconds{backend="main"} (.*)$'
    [at] = re.findall(figure, client.get("/metrics").text, re.MULTILINE)
    assert float(at) == ends.timestamp()


def _access(client: TestClient) -> Access:
    dependency = client.app.router.dependencies[0].dependency  # type: ignore[attr-defined]
    return dependency.__self__


def _request(client: TestClient) -> Request:
    cookie = f"vouch={client.cookies['vouch']}".encode()
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": "/",
            "query_string": b"",
            "headers": [(b"cookie", cookie), (b"host", b"127.0.0.1:8170")],
        }
    )


# -- whose documents --------------------------------------------------------------------------------------------------


def test_people_of_another_backend_see_nothing(desk: Desk) -> None:
    office = Office()
    office.employ("dora")
    deps = replace(
        desk.deps,
        registry=CollectorRegistry(),
        sign_in=SignIn({"branch": office}),  # type: ignore[dict-item]
    )
    client = TestClient(create_app(deps), base_url=ADDRESS, follow_redirects=False)
    assert sign_in(client, "dora", backend="branch").status_code == 303
    for path in ("/reviews", "/documents"):
        page = client.get(path)
        assert page.status_code == 200
        assert "Nordwind" not in page.text
        assert "data-row" not in page.text
    for number in range(1, 17):
        assert client.get(f"/documents/{number}").status_code == 404
        assert client.get(f"/documents/{number}/pages/1.webp").status_code == 404
    job = desk.ids["failed"]
    token = token_of(client, "/reviews")
    answer = client.post(f"/documents/{job}/retry", data={"token": token}, headers=own(client))
    assert answer.status_code == 404
    assert _state(desk, job) == JobState.FAILED


BODIES: dict[str, object] = {
    "/draft": {"edits": []},
    "/verdict": {"verdict": "skip", "version": "0", "key": "00000000-0000-4000-8000-000000000000"},
}


def test_documents_of_other_companies_answer_like_those_that_do_not_exist(desk: Desk, office: Office) -> None:
    with desk.ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE job SET company_id = 1")
        connection.exec_driver_sql("UPDATE review SET company_id = 1")
    office.employ("emma", companies=frozenset({1}))
    stranger, insider = client_of(desk, office), client_of(desk, office)
    sign_in(stranger, "ben")
    sign_in(insider, "emma")
    tokens = {client: token_of(client, "/you") for client in (stranger, insider)}

    def ask(client: TestClient, method: str, path: str) -> tuple[int, str]:
        headers = own(client) | {"X-Vouch-Token": tokens[client]}
        body = next((body for end, body in BODIES.items() if path.endswith(end)), {})
        if method == "GET":
            answer = client.get(path, headers=headers)
        elif path.startswith("/api/"):
            answer = client.request(method, path, headers=headers, json=body)
        else:
            answer = client.request(method, path, headers=headers, data={"token": tokens[client]})
        return answer.status_code, re.sub(r"[0-9a-f]{64}", "TOKEN", answer.text).replace("99999", "1")

    places = {
        (method, route.path)
        for router in stranger.app.routes  # type: ignore[attr-defined]
        for route in getattr(getattr(router, "original_router", None), "routes", ())
        if "{job_id" in route.path
        for method in route.methods - {"HEAD"}
    }
    assert len(places) >= 8
    seen = 0
    for method, path in sorted(places):
        others, none = (
            re.sub(r"{job_id(:\w+)?}", number, path).replace("{number}", "1") for number in ("1", "99999")
        )
        assert ask(stranger, method, others) == ask(stranger, method, none), (method, path)
        if method == "GET":
            seen += ask(insider, method, others)[0] == 200
    assert seen >= 3
    assert _state(desk, 1) == JobState.IN_REVIEW


# -- guessing ---------------------------------------------------------------------------------------------------------


def test_after_five_failures_each_try_waits_longer(
    client: TestClient, desk: Desk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.review.sign_in.REFUSAL_SECONDS", 0.001)
    for _ in range(BY_LOGIN.free):
        assert sign_in(client, secret="wrong").status_code == 401
    waits = []
    for _ in range(5):
        answer = sign_in(client)
        assert answer.status_code == 429
        waits.append(int(answer.headers["retry-after"]))
        desk.clock.move(seconds=waits[-1])
        assert sign_in(client, secret="wrong").status_code == 401
    assert waits == [1, 2, 4, 8, 16]
    asked = len(office.asked)
    assert sign_in(client).status_code == 429
    assert len(office.asked) == asked
    desk.clock.move(seconds=32)
    assert sign_in(client).status_code == 303


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"VOUCH_WEB__HOST": "0.0.0.0"}, "url is needed"),
        ({"VOUCH_WEB__HOST": "0.0.0.0", "VOUCH_WEB__SIGN_IN": "false"}, "this machine only"),
        ({"VOUCH_WEB__URL": "vouch.example"}, "must be like https://"),
    ],
)
def test_a_server_for_others_asks_for_sign_in_and_its_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said):
        load_settings()


def test_the_address_people_use_is_a_host_that_is_answered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOUCH_WEB__URL", "https://vouch.example/")
    web = load_settings().web
    assert (web.hosts, web.url, web.sign_in) == (("vouch.example",), "https://vouch.example", True)


def _state(desk: Desk, job: int) -> str:
    story = desk.ledger.story(job)
    assert story
    return story.job.state
