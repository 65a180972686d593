"""What a network, a proxy or a busy Odoo can do to a call, played by a small HTTP server on this machine."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from connector.erp import transport, wire
from connector.erp.odoo import OdooErp
from connector.erp.transport import Session, open_session
from connector.erp.wire import Connection
from connector.errors import (
    AccessError,
    ConflictError,
    FatalError,
    RetriableError,
    SettingsError,
    SkippableError,
)

KEY = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Answer:
    """What the server sends: `cut` bytes less than it announced, after `wait` seconds, `drip` seconds a byte."""

    status: int = 200
    body: bytes = b"[]"
    headers: tuple[tuple[str, str], ...] = ()
    cut: int = 0
    wait: float = 0.0
    drip: float = 0.0


def odoo_error(status: int, name: str, message: str) -> Answer:
    return Answer(
        status, json.dumps({"name": name, "message": message, "debug": "Traceback " + KEY}).encode()
    )


@dataclass
class Server:
    """Answers the calls in order, and the last one for ever; `seen` are the paths that were asked."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    echoes: bool = True
    date: str | None = None
    version: Answer = Answer(body=b'{"version": "19.0", "version_info": [19, 0, 0, "final", 0, ""]}')
    context: Answer = Answer(body=b'{"uid": 7}')

    def next(self, path: str) -> Answer:
        if path.endswith("/web/version"):
            return self.version
        if path.endswith("/context_get"):
            return self.context
        self.seen.append(path)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # the client gave up on us: what some tests are about
                super().handle()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(timestamp) if state.date is None else state.date

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = state.next(self.path)
            if self.path == "/jsonrpc" and state.echoes:
                number = b'"id": %d' % json.loads(asked)["id"]
                answer = replace(answer, body=answer.body.replace(b'"id": 1', number, 1))
            time.sleep(answer.wait)
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            for byte in answer.body if answer.drip else b"":
                time.sleep(answer.drip)
                self.wfile.write(bytes([byte]))
            if not answer.drip:
                self.wfile.write(answer.body[: len(answer.body) - answer.cut])
            if answer.cut:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    played = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{played.server_address[1]}"
    thread = threading.Thread(target=played.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    played.shutdown()
    thread.join()
    played.server_close()


def connection(server: Server, **changes: Any) -> Connection:
    given: dict[str, Any] = {"url": server.url, "secret": SecretStr(KEY), "timeout": 2.0}
    return Connection(name="books", database="db", **(given | changes))


@pytest.fixture
def session(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setattr(transport, "_FIRST_PAUSE", 0.01)
    found = open_session(connection(server, longest_request=0.001))
    yield found
    found.close()


def read(session: Session) -> Any:
    return session.rows("account.move", [], ["id"])


def write(session: Session) -> Any:
    return session.write("account.move", "write", [1], {"vals": {}})


BUSY = odoo_error(500, "psycopg2.errors.SerializationFailure", "could not serialize access")
# What Odoo 19 answers while its PostgreSQL is away, and a proxy while Odoo is.
NO_DATABASE = Answer(404, b"<!DOCTYPE html><h1>Not Found</h1><p>No database is selected")
MAINTENANCE = Answer(200, b"<!doctype html><p>We are back soon")
LOST = odoo_error(500, "psycopg2.errors.AdminShutdown", "terminating connection due to administrator command")
PASSING = [
    Answer(502, b"<html>Bad Gateway</html>"),
    Answer(503, b"later"),
    Answer(429, b"too many"),
    Answer(504, b""),
    Answer(500, b"Internal Server Error"),
    BUSY,
    odoo_error(500, "psycopg2.OperationalError", "server closed the connection unexpectedly"),
    odoo_error(500, "psycopg2.errors.AdminShutdown", "terminating connection due to administrator command"),
    odoo_error(500, "psycopg2.errors.CannotConnectNow", "the database system is starting up"),
    odoo_error(500, "psycopg2.errors.UndefinedColumn", "column account_move.new_field does not exist"),
    odoo_error(500, "psycopg2.errors.FeatureNotSupported", "cached plan must not change result type"),
    NO_DATABASE,
    MAINTENANCE,
    Answer(body=b'[{"id": 1}]', cut=4),
    Answer(body=b'[{"id": 1'),
    Answer(body=b"plain words"),
]


@pytest.mark.parametrize("trouble", PASSING, ids=lambda answer: f"{answer.status}-{answer.body[:12]!r}")
def test_a_read_is_tried_again_and_a_write_is_not(server: Server, session: Session, trouble: Answer) -> None:
    server.answers = [trouble, trouble, Answer(body=b'[{"id": 1}]')]
    assert read(session) == [{"id": 1}]
    assert len(server.seen) == 3

    server.answers, server.seen = [trouble], []
    with pytest.raises(RetriableError):
        read(session)
    assert len(server.seen) == 3

    server.answers, server.seen = [trouble], []
    with pytest.raises(RetriableError):
        write(session)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("answer", "open_outcome"),
    [
        (Answer(502, b"x"), True),
        (Answer(504, b"x"), True),
        (Answer(body=b"[1", cut=1), True),
        (Answer(body=b"tru"), True),
        (Answer(wait=3.0), True),
        # PostgreSQL may end in the moment of the commit.
        (LOST, True),
        (NO_DATABASE, True),
        (MAINTENANCE, True),
        (Answer(503, b"x"), False),
        (odoo_error(500, "psycopg2.errors.CannotConnectNow", "the database system is starting up"), False),
        (Answer(429, b"x"), False),
        (BUSY, False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_write_says_whether_its_outcome_is_open(
    server: Server, session: Session, answer: Answer, open_outcome: bool
) -> None:
    server.answers = [answer]
    with pytest.raises(RetriableError) as trouble:
        write(session)
    assert ("not known whether Odoo carried out account.move.write" in str(trouble.value)) is open_outcome


LASTING = [
    (
        odoo_error(403, "odoo.exceptions.AccessError", "You are not allowed"),
        AccessError,
        "account.move.*Accountant",
    ),
    (odoo_error(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey"), AccessError, "API key"),
    (
        odoo_error(404, "werkzeug.exceptions.NotFound", "the model 'account.move' does not exist"),
        FatalError,
        "no model",
    ),
    (odoo_error(404, "odoo.exceptions.MissingError", "Record does not exist"), SkippableError, "gone"),
    (
        odoo_error(422, "odoo.exceptions.UserError", "You cannot modify … on a posted move"),
        ConflictError,
        "posted",
    ),
    (
        odoo_error(422, "odoo.exceptions.ValidationError", "The date is locked"),
        SkippableError,
        "date is locked",
    ),
    (
        Answer(301, b"", (("location", "https://odoo.example/json/2?token=1"),)),
        SettingsError,
        "https://odoo.example",
    ),
    (Answer(413, b""), SkippableError, "limit"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), LASTING, ids=lambda value: str(value)[:40])
def test_what_no_second_try_mends_is_named_at_once(
    server: Server, session: Session, answer: Answer, kind: type[Exception], words: str
) -> None:
    server.answers = [answer]
    with pytest.raises(kind, match=words) as trouble:
        read(session)
    assert not isinstance(trouble.value, RetriableError)
    assert len(server.seen) == 1
    assert KEY not in str(trouble.value)
    assert trouble.value.__cause__ is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (NO_DATABASE, "database db at the moment: its PostgreSQL is away, or .* updated.*again.*dbfilter"),
        (MAINTENANCE, "web page.*maintenance.*again.*check the address"),
        (Answer(503, b"<html>"), "not available at the moment"),
        (LOST, "database was not available .*administrator command"),
        (
            odoo_error(500, "psycopg2.errors.UndefinedColumn", "column x does not exist"),
            "an app is being updated.*again.*log",
        ),
    ],
    ids=["no database", "page", "503", "lost", "update"],
)
def test_maintenance_is_told_with_cause_and_remedy(
    server: Server, session: Session, answer: Answer, words: str
) -> None:
    server.answers = [answer]
    with pytest.raises(RetriableError, match=words):
        read(session)


def test_an_odoo_that_never_let_us_in_may_be_set_up_wrong(server: Server) -> None:
    server.answers = [Answer()]
    server.context = NO_DATABASE
    with pytest.raises(SettingsError, match=r"has no database db.*PostgreSQL.*dbfilter"):
        open_session(connection(server))
    server.context = MAINTENANCE
    with pytest.raises(SettingsError, match="web page"):
        open_session(connection(server))


def test_no_call_goes_where_no_setting_leads(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the variables of the service would see every document and the key."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    found = wire.Wire(connection(server))
    try:
        assert found.get("/web/version")[0] == 200
    finally:
        found.close()


def test_an_answer_over_the_limit_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_MEGABYTE", 1024)
    limited = open_session(connection(server))
    server.answers = [Answer(body=b'"' + b"x" * (200 * 1024) + b'"')]
    with pytest.raises(FatalError, match="max_attachment_megabytes"):
        read(limited)
    limited.close()


def test_a_server_that_drips_is_given_up(server: Server, session: Session) -> None:
    server.answers = [Answer(body=b'"' + b"x" * 200 + b'"', drip=0.05)]
    hurried = open_session(connection(server, timeout=0.2, longest_request=0.2))
    with pytest.raises(RetriableError, match="too slow"):
        write(hurried)
    hurried.close()


def test_a_path_before_odoo_is_kept(server: Server) -> None:
    server.answers = [Answer()]
    behind = open_session(connection(server, url=server.url + "/erp/"))
    read(behind)
    behind.close()
    assert server.seen == ["/erp/json/2/account.move/search_read"]


def test_json_rpc_errors_mean_the_same(server: Server) -> None:
    def reply(content: dict[str, Any]) -> Answer:
        return Answer(body=json.dumps({"jsonrpc": "2.0", "id": 1, **content}).encode())

    def error(name: str, message: str) -> Answer:
        data = {"name": name, "message": message, "debug": KEY}
        return reply({"error": {"code": 200, "message": "Odoo Server Error", "data": data}})

    server.answers = [reply({"result": 7}), error("odoo.exceptions.AccessError", "no")]
    found = open_session(connection(server, login="vouch", protocol="jsonrpc"))
    assert found.user_id == 7
    with pytest.raises(AccessError, match=r"account\.move"):
        read(found)
    server.answers = [error("odoo.exceptions.AccessDenied", "Access Denied")]
    with pytest.raises(AccessError, match="API key"):
        read(found)
    server.answers = [error("psycopg2.errors.SerializationFailure", "x"), reply({"result": [{"id": 3}]})]
    assert read(found) == [{"id": 3}]
    found.close()


def test_a_login_whose_answer_was_lost_is_tried_again(server: Server) -> None:
    body = b'{"jsonrpc": "2.0", "id": 1, "result": 7}'
    server.answers = [Answer(body=body, cut=9), Answer(503), Answer(body=body)]
    found = open_session(connection(server, login="vouch", protocol="jsonrpc"))
    assert (found.user_id, server.seen) == (7, ["/jsonrpc"] * 3)
    found.close()


def test_an_answer_to_another_question_is_not_taken(server: Server) -> None:
    server.echoes = False
    server.answers = [Answer(body=b'{"jsonrpc": "2.0", "id": 0, "result": 7}')]
    with pytest.raises(RetriableError, match="another question"):
        open_session(connection(server, login="vouch", protocol="jsonrpc"))


@pytest.mark.parametrize(
    "body",
    [
        b"7",
        b"null",
        b"[1, 2]",
        b'[{"name": "no number"}]',
        b'[{"id": 1}]',
        b'[{"id": NaN, "name": ""}]',
        b'[{"id": true, "name": ""}]',
        b'[{"id": ' + b"9" * 100_000 + b', "name": ""}]',
        b"[" * 100_000 + b"]" * 100_000,
        b"\xff\xfe",
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
def test_an_answer_of_another_form_is_no_answer(session: Session, server: Server, body: bytes) -> None:
    server.answers = [Answer(body=body)]
    with pytest.raises(RetriableError):
        session.rows("res.partner", [], ["name"])


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (Answer(body=b"<html>Hello</html>"), "web page|not an Odoo|as Odoo does"),
        (Answer(body=b'{"name": "another server"}'), "as Odoo does"),
        (Answer(404, b"nothing"), "not an Odoo"),
    ],
    ids=["page", "json", "404"],
)
def test_what_is_not_odoo_is_told(server: Server, version: Answer, words: str) -> None:
    server.version = version
    server.answers = [version]
    with pytest.raises(SettingsError, match=words):
        open_session(connection(server))


@pytest.mark.parametrize(
    ("version", "protocol"), [("[19, 0]", "json2"), ('["saas~19", 1]', "json2"), ("[18, 0]", "jsonrpc")]
)
def test_the_protocol_follows_the_version(server: Server, version: str, protocol: str) -> None:
    server.version = Answer(body=f'{{"version": "x", "version_info": {version}}}'.encode())
    server.answers = [Answer(body=b'{"jsonrpc": "2.0", "id": 1, "result": 7}')]
    found = open_session(connection(server, login="vouch"))
    assert (found.protocol, found.user_id) == (protocol, 7)
    found.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Connection("books", "ftp://odoo.example", "db", SecretStr("x")),
        lambda: Connection("books", "odoo.example", "db", SecretStr("x")),
        lambda: Connection("books", "https://me:secret@odoo.example", "db", SecretStr("x")),
        lambda: Connection("books", "https://odoo.example", "db", SecretStr("x"), protocol="xmlrpc"),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused_without_a_call(make: Callable[[], Connection]) -> None:
    with pytest.raises(SettingsError) as refused:
        make()
    assert "secret" not in str(refused.value)


def test_somebody_else_never_gets_in_with_the_secret_of_our_file() -> None:
    ours = Connection(
        "main", "http://127.0.0.1", "db", "vouch", SecretStr("old"), reread=lambda: SecretStr("from the file")
    )
    assert ours.current().secret.get_secret_value() == "from the file"
    theirs = ours.of("admin", SecretStr("their password"), wire.JSONRPC)
    assert theirs.current() == theirs
    assert (theirs.login, theirs.secret.get_secret_value()) == ("admin", "their password")


@pytest.mark.parametrize(
    ("said", "known"),
    [("Sat, 01 Feb 2031 12:00:00 GMT", True), ("", False), ("yesterday", False), ("Sat, 01 Feb", False)],
)
def test_odoos_time_is_asked_anew_and_not_made_up(server: Server, said: str, known: bool) -> None:
    erp = OdooErp(connection(server))
    ours = erp.clock()
    assert ours
    assert abs(ours - datetime.now(UTC)) < timedelta(minutes=5)
    server.date = said
    theirs = erp.clock()
    assert (theirs is not None) == known
    assert theirs is None or abs(theirs - datetime(2031, 2, 1, 12, tzinfo=UTC)) < timedelta(minutes=5)
    erp.close()
