"""Vouch's API key on a real Odoo: when it ends, renewed where Odoo allows it, killed at every step."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connector.bootstrap import connection
from connector.erp import keys
from connector.erp.odoo import OdooErp
from connector.erp.people import OdooPeople
from connector.erp.transport import open_session
from connector.erp.wire import Connection
from connector.errors import AccessError
from connector.ledger.key_ends import KeyEnds
from connector.ledger.migrate import open_ledger
from connector.renewal import KeyKeeper, fingerprint
from connector.settings import Settings
from deploy.odoo.installation import Installation
from deploy.odoo.postgres import Cluster
from tests.integration.odoo_server import Odoo, OdooDatabase
from tests.integration.private_odoo import private_odoo

PARAMETER = [{"key": keys.PARAMETER, "value": "True"}]
SPENT = timedelta(days=85)
LEFT = timedelta(days=5)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def renewing(development_odoo: Installation) -> Iterator[OdooDatabase]:
    """An Odoo whose users may renew their keys; the installed one is of before that."""
    with private_odoo(development_odoo, "renewable_keys") as made:
        Odoo(made).call("ir.config_parameter", "create", PARAMETER)
        yield made


class House:
    """Vouch's own place: settings with a key file, a ledger, and what looks after the key."""

    def __init__(self, odoo: OdooDatabase, folder: Path, installation: Installation, **more: Any) -> None:
        self.odoo, self.file, self.installation = odoo, folder / "keys" / "main.key", installation
        self.file.parent.mkdir(mode=0o700, exist_ok=True)
        self.ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
        self.ends = KeyEnds(self.ledger.engine)
        backend = {
            "url": odoo.url,
            "database": odoo.database,
            "login": odoo.login,
            "api_key_file": str(self.file),
            "rotate_key": True,
            **more,
        }
        self.settings = Settings(backends={"main": backend}, data_dir=folder)  # type: ignore[arg-type]
        self.give(odoo.api_key)

    def give(self, key: str) -> None:
        self.file.unlink(missing_ok=True)
        self.file.touch(mode=0o600)
        self.file.write_text(f"{key}\n")

    @property
    def key(self) -> str:
        return self.file.read_text().strip()

    def near_its_end(self, spent: timedelta = SPENT, left: timedelta = LEFT) -> None:
        """All keys of Vouch's user were made long ago and end soon."""
        now = datetime.now(UTC).replace(tzinfo=None)
        Cluster(self.installation.places).ask(
            f"UPDATE res_users_apikeys SET create_date = '{now - spent}', expiration_date = '{now + left}'",
            self.odoo.database,
        )

    def erp(self) -> OdooErp:
        return OdooErp(connection("main", self.settings.backends["main"], self.settings))

    def look(self, erp: OdooErp | None = None) -> None:
        opened = erp or self.erp()
        try:
            KeyKeeper(opened, self.settings.backends["main"], self.ends).look()
        finally:
            if erp is None:
                opened.close()

    def opens(self, key: str) -> bool:
        try:
            open_session(Connection("main", self.odoo.url, self.odoo.database, SecretStr(key))).close()
        except AccessError:
            return False
        return True

    def close(self) -> None:
        self.ledger.close()


@pytest.fixture
def house(renewing: OdooDatabase, tmp_path: Path, development_odoo: Installation) -> Iterator[House]:
    with closing(House(renewing, tmp_path, development_odoo)) as made:
        # A key of this test's own: what the ones before left is forgotten.
        with closing(open_session(connection_of(renewing))) as session:
            made.give(
                keys.generate(session, renewing.api_key, "test", datetime.now(UTC) + timedelta(days=80))
            )
        Cluster(development_odoo.places).ask(
            f"DELETE FROM res_users_apikeys WHERE index NOT IN ('{made.key[:8]}', '{renewing.api_key[:8]}')",
            renewing.database,
        )
        yield made
        Cluster(development_odoo.places).ask(
            "UPDATE res_users_apikeys SET expiration_date = NULL", renewing.database
        )


def connection_of(odoo: OdooDatabase) -> Connection:
    return Connection("main", odoo.url, odoo.database, SecretStr(odoo.api_key))


def test_a_key_near_its_end_is_renewed_and_the_old_one_revoked(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    old = house.key
    house.near_its_end()
    with closing(house.erp()) as running, closing(house.erp()) as other:
        assert other.session.rows("res.users", [], ["login"])
        house.look(running)
        new = house.key
        assert new != old
        assert house.opens(new)
        assert not house.opens(old)
        assert stat.S_IMODE(house.file.stat().st_mode) == 0o600
        assert [file.name for file in house.file.parent.iterdir()] == ["main.key"]
        kept = house.ends.of("main")
        assert kept is not None
        assert kept.ends_at is not None
        assert (kept.exact, kept.message, kept.fingerprint) == (True, "", fingerprint(new))
        assert timedelta(days=89) < kept.ends_at - datetime.now(UTC) < timedelta(days=90)
        # Who was at work with the old key goes on with the new one, also another process.
        for one in (running, other):
            assert one.session.rows("res.users", [], ["login"])
        # Another key of the same user that ends soon does not make it be renewed again.
        house.look(running)
        assert house.key == new
    said = capsys.readouterr()
    assert "renewed" in said.err + said.out
    for secret in (old, new):
        assert secret not in said.err + said.out
        assert secret.encode() not in (house.file.parents[1] / "ledger.db").read_bytes()


def test_a_key_that_lives_on_is_left_alone(house: House) -> None:
    before = house.key
    house.look()
    assert house.key == before


EVENTS: tuple[tuple[Any, str], ...] = (
    (keys, "generate"),
    (keys, "revoke"),
    (os, "write"),
    (os, "replace"),
    (os, "fsync"),
    (Path, "unlink"),
)


def watched(monkeypatch: pytest.MonkeyPatch, at: Callable[[], None]) -> None:
    """Call `at` before and after everything that changes something."""

    def around(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            at()
            done = real(*args, **named)
            at()
            return done

        return call

    for owner, name in EVENTS:
        monkeypatch.setattr(owner, name, around(getattr(owner, name)))


def test_killed_anywhere_the_key_in_its_file_is_good_and_the_next_look_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = 0

    def count() -> None:
        nonlocal moments
        moments += 1

    house.near_its_end()
    with monkeypatch.context() as patch:
        watched(patch, count)
        house.look()
    assert moments >= 16
    step = 1 if os.environ.get("VOUCH_TEST_FULL") else 4
    for moment in range(0, moments, step):
        start = house.key
        house.near_its_end()
        passed = 0

        def kill(last: int = moment) -> None:
            nonlocal passed
            passed += 1
            if passed > last:
                raise Killed

        house.ends.keep("main", None, "")
        with monkeypatch.context() as patch, suppress(Killed):
            watched(patch, kill)
            house.look()
        assert house.opens(house.key), moment
        house.near_its_end()
        house.ends.keep("main", None, "")
        house.look()
        assert house.key != start, moment
        assert house.opens(house.key), moment
        assert not house.opens(start), moment
        assert [file.name for file in house.file.parent.iterdir()] == ["main.key"]
        assert stat.S_IMODE(house.file.stat().st_mode) == 0o600
        # Keys that were made and never kept are known to nobody, and end by themselves.
        Cluster(house.installation.places).ask(
            f"DELETE FROM res_users_apikeys WHERE index NOT IN ('{house.key[:8]}', '{house.odoo.api_key[:8]}')",
            house.odoo.database,
        )


def test_a_key_half_written_is_not_taken(house: House) -> None:
    start = house.key
    house.file.with_name("main.key.new").write_text(start[:17])
    house.near_its_end(left=timedelta(days=60))
    house.look()
    assert house.key == start
    assert [file.name for file in house.file.parent.iterdir()] == ["main.key"]


def test_a_key_file_that_cannot_be_replaced_makes_no_key(house: House) -> None:
    real = house.file.with_name("real")
    house.file.rename(real)
    house.file.symlink_to(real)
    house.near_its_end()
    house.look()
    kept = house.ends.of("main")
    assert kept is not None
    assert "cannot be replaced by a renewed key" in kept.message
    assert house.opens(real.read_text().strip())


def test_where_odoo_forbids_it_the_way_out_is_named(house: House, renewing: OdooDatabase) -> None:
    odoo, before = Odoo(renewing), house.key
    [parameter] = odoo.call("ir.config_parameter", "search", [["key", "=", keys.PARAMETER]])
    odoo.call("ir.config_parameter", "write", [parameter], {"value": "False"})
    try:
        house.near_its_end()
        house.look()
    finally:
        odoo.call("ir.config_parameter", "write", [parameter], {"value": "True"})
    kept = house.ends.of("main")
    assert kept is not None
    assert f"set the system parameter {keys.PARAMETER} to True" in kept.message
    assert (house.key, house.opens(before)) == (before, True)


def test_an_odoo_of_before_says_so_and_the_end_is_known(
    odoo_database: OdooDatabase, tmp_path: Path, development_odoo: Installation
) -> None:
    """Odoo 19.0 as it was first released: only a person who types the password makes and removes keys."""
    with closing(House(odoo_database, tmp_path, development_odoo)) as house:
        house.near_its_end()
        house.look()
        kept = house.ends.of("main")
        assert kept is not None
        assert kept.ends_at is not None
        assert abs(kept.ends_at - datetime.now(UTC) - LEFT) < timedelta(hours=1)
        assert "This Odoo cannot renew keys" in kept.message
        assert house.opens(house.key)
        with closing(house.erp()) as erp:
            expires = erp.capabilities().key_expires
            assert expires is not None
            assert abs(expires - kept.ends_at) < timedelta(seconds=2)
            # A reviewer who comes with a key of their own is told when it ends.
            admitted = OdooPeople(erp).admit(odoo_database.login, odoo_database.api_key)
            assert admitted.key_ends == expires
            assert OdooPeople(erp).admit(odoo_database.login, odoo_database.password).key_ends is None
            made = erp.session.write(
                "res.users.apikeys.description",
                "create",
                args={"vals_list": [{"name": "x", "duration": "30"}]},
            )
            answer = erp.session.write("res.users.apikeys.description", "make_key", made)
            assert answer["res_model"] == "res.users.identitycheck"
