"""Odoo goes away in the middle of the work: nothing is lost, and it goes on when Odoo is back."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.odoo.administrator import Administrator, MailedFile
from tests.acceptance.command import settings_for, start, vouch, wait_for
from tests.integration.odoo_server import OdooDatabase
from tests.samples.generate import samples

pytestmark = pytest.mark.usefixtures("development_odoo")

SAMPLES = {sample.name: sample for sample in samples()}
BILLS = ("look_alike", "order_billed", "english", "changed_account")


class Line:
    """A TCP line to Odoo that can be cut, and be silent: then what is sent into it is never answered."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (str(parts.hostname), parts.port or 80)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._whole, self._sound = threading.Event(), threading.Event()
        self.requests = 0
        # After so many requests with this in their first bytes, the answer is lost and the line is cut.
        self.fatal, self.before_fatal = b"", 0
        self._losing = False
        self.mend()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def cut(self) -> None:
        self._whole.clear()
        for end in tuple(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def silence(self) -> None:
        self._sound.clear()

    def mend(self) -> None:
        self.fatal, self._losing = b"", False
        self._whole.set()
        self._sound.set()

    def close(self) -> None:
        self.mend()
        self.cut()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if not self._whole.is_set():
                near.close()
                continue
            far = socket.create_connection(self._target)
            self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(
                    target=self._pass, args=(source, target, source is near), daemon=True
                ).start()

    def _pass(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        with closing(source), closing(target):
            try:
                while data := source.recv(1 << 16):
                    self._sound.wait()
                    if asks:
                        self._count(data)
                    elif self._losing:
                        self.cut()
                        return
                    target.sendall(data)
            except OSError:
                pass
            self._open -= {source, target}

    def _count(self, data: bytes) -> None:
        self.requests += data.startswith(b"POST ")
        if self.fatal and self.fatal in data[:100]:
            self.before_fatal -= 1
            self._losing = self.before_fatal < 0


@pytest.fixture
def line(odoo_database: OdooDatabase) -> Iterator[Line]:
    found = Line(odoo_database.url)
    yield found
    found.close()


@pytest.fixture
def environment(odoo_database: OdooDatabase, line: Line, tmp_path: Path) -> dict[str, str]:
    return settings_for(odoo_database, "json2", tmp_path / "data") | {
        "VOUCH_BACKENDS__MAIN__URL": line.url,
        "VOUCH_BACKENDS__MAIN__TIMEOUT_SECONDS": "2",
        "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": "1",
        "VOUCH_BACKENDS__MAIN__SCHEDULE__JITTER_SECONDS": "0",
        "VOUCH_WEB__ENABLED": "false",
    }


@pytest.fixture
def odoo(odoo_database: OdooDatabase) -> Administrator:
    return Administrator(
        odoo_database.url, odoo_database.database, odoo_database.admin_login, odoo_database.admin_password
    )


def deliver(odoo: Administrator) -> list[int]:
    chosen = [SAMPLES[name] for name in BILLS]
    return [odoo.draft_bill(MailedFile(one.filename, one.mimetype, one.data)) for one in chosen]


def documents(environment: dict[str, str]) -> dict[str, int]:
    found: dict[str, int] = json.loads(vouch(environment, "status", "--json").stdout)["documents"]
    return found


def settled(environment: dict[str, str]) -> bool:
    found = documents(environment)
    return found["filled"] + found["in_review"] == len(BILLS)


def assert_each_has_one_note(odoo: Administrator, bills: list[int]) -> None:
    domain = [["model", "=", "account.move"], ["res_id", "in", bills], ["body", "ilike", "<small>Vouch"]]
    noted = [message["res_id"] for message in odoo.find("mail.message", domain, ["res_id"])]
    assert sorted(noted) == sorted(bills)


@pytest.mark.parametrize(
    ("fatal", "before"),
    [
        ("fields_get", 3),
        ("ir.attachment/search_read", 4),
        ("account.move/web_save", 0),
        ("account.move/web_save", 2),
    ],
)
def test_a_round_in_which_odoo_goes_away_ends_and_the_next_goes_on(
    environment: dict[str, str], odoo: Administrator, line: Line, fatal: str, before: int
) -> None:
    bills = deliver(odoo)
    line.fatal, line.before_fatal = fatal.encode(), before
    ran = vouch(environment, "sync", "--once", "--json")
    assert ran.returncode == 5, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    line.mend()

    def again() -> bool:
        vouch(environment, "retry")
        assert vouch(environment, "sync", "--once").returncode in (0, 5)
        return settled(environment)

    wait_for(again)
    assert_each_has_one_note(odoo, bills)


def test_the_service_waits_for_an_odoo_that_does_not_answer(
    environment: dict[str, str], odoo: Administrator, line: Line
) -> None:
    process = start(environment, "run")
    try:
        wait_for(lambda: line.requests > 20)
        bills = deliver(odoo)
        wait_for(lambda: sum(documents(environment).values()) == len(BILLS) or None)
        line.silence()
        wait_for(lambda: documents(environment)["queued"], 120)
        line.cut()
        line.mend()
        wait_for(lambda: settled(environment), 180)
        assert_each_has_one_note(odoo, bills)
        line.silence()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
    finally:
        process.kill()
        process.communicate()
