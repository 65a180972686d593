"""A real Odoo for tests: fixtures, and a person's and a mail server's way of putting documents into it.

`odoo_server` starts or reuses the development Odoo of `deploy.odoo`; `odoo_database` and `database` are fresh copies of its template,
for a test and for a module.
VOUCH_TEST_ODOO_URL, _DATABASE, _LOGIN, _PASSWORD, _API_KEY (and _ADMIN_LOGIN, _ADMIN_PASSWORD, by default the
same user) point the tests of the adapter and of the settings at another Odoo, whose database they then change; tests that
need the sample company are skipped there. VOUCH_TEST_ODOO=none skips them.
"""

import os
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from deploy.odoo.administrator import Administrator, MailedFile
from deploy.odoo.failure import OdooSetupError
from deploy.odoo.installation import Installation
from deploy.odoo.places import ADMIN_LOGIN, ADMIN_PASSWORD

__all__ = [
    "MailedFile",
    "Odoo",
    "OdooDatabase",
    "cloned",
    "database",
    "development_odoo",
    "odoo_database",
    "odoo_server",
]

_ENVIRONMENT = "VOUCH_TEST_ODOO_"


@dataclass(frozen=True)
class OdooDatabase:
    """One database and its accounts: the connector's own user, and an administrator for the test's side."""

    url: str
    database: str
    login: str
    password: str
    api_key: str
    admin_login: str
    admin_password: str


class Odoo(Administrator):
    """The administrator's hands on a test's database, or another user's."""

    def __init__(self, database: OdooDatabase, login: str | None = None, password: str | None = None) -> None:
        super().__init__(
            database.url,
            database.database,
            login or database.admin_login,
            password or database.admin_password,
        )


@pytest.fixture(scope="session")
def odoo_server() -> Iterator[Installation | OdooDatabase]:
    """The running development Odoo, stopped at the end if it was started here; or the database of another Odoo."""
    if os.environ.get("VOUCH_TEST_ODOO") == "none":
        pytest.skip("VOUCH_TEST_ODOO=none")
    if os.environ.get(_ENVIRONMENT + "URL"):
        yield _other_odoo()
        return
    try:
        installation = Installation()
        ran_before = installation.state().server is not None
        installation.start()
    except OdooSetupError as error:
        pytest.fail(f"no Odoo to test with: {error}", pytrace=False)
    yield installation
    if not ran_before:
        installation.stop()


@pytest.fixture(scope="session")
def development_odoo(odoo_server: Installation | OdooDatabase) -> Installation:
    """The development Odoo: for tests that need its sample company, or databases of their own."""
    if isinstance(odoo_server, OdooDatabase):
        pytest.skip("needs the sample company and fresh databases of the development Odoo")
    return odoo_server


@pytest.fixture
def odoo_database(odoo_server: Installation | OdooDatabase) -> Iterator[OdooDatabase]:
    """A fresh database for one test, dropped afterwards (or the one database of another Odoo)."""
    with _copy(odoo_server) as made:
        yield made


@pytest.fixture(scope="module")
def database(odoo_server: Installation | OdooDatabase) -> Iterator[OdooDatabase]:
    """A fresh database for the tests of a module, which do not disturb each other (or that of another Odoo)."""
    with _copy(odoo_server) as made:
        yield made


@contextmanager
def _copy(server: Installation | OdooDatabase) -> Generator[OdooDatabase]:
    if isinstance(server, OdooDatabase):
        yield server
        return
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield cloned(server, name)
    server.drop(name)


def cloned(installation: Installation, name: str, *, charts: bool = False) -> OdooDatabase:
    """A copy of the template under `name` (with `charts` of the one with many charts); the caller drops it."""
    key = installation.clone(name, charts=charts).read_text()
    return OdooDatabase(installation.places.url, name, "vouch", "vouch", key, ADMIN_LOGIN, ADMIN_PASSWORD)


def _other_odoo() -> OdooDatabase:
    def given(name: str, default: str | None = None) -> str:
        value = os.environ.get(_ENVIRONMENT + name) or default
        if value is None:
            pytest.fail(
                f"{_ENVIRONMENT}URL is set but {_ENVIRONMENT}{name} is not: set it too", pytrace=False
            )
        return value

    login, password = given("LOGIN"), given("PASSWORD")
    return OdooDatabase(
        url=given("URL").rstrip("/"),
        database=given("DATABASE"),
        login=login,
        password=password,
        api_key=given("API_KEY"),
        admin_login=given("ADMIN_LOGIN", login),
        admin_password=given("ADMIN_PASSWORD", password),
    )
