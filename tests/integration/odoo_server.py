"""A real Odoo for tests: fixtures, and a person's and a mail server's way of putting documents into it.

`odoo_server` starts or reuses the development Odoo of `deploy.odoo`; `odoo_database` is a fresh copy of its template.
VOUCH_TEST_ODOO_URL, _DATABASE, _LOGIN, _PASSWORD, _API_KEY (and _ADMIN_LOGIN, _ADMIN_PASSWORD, by default the
same user) point the tests at another Odoo, whose database they then change. VOUCH_TEST_ODOO=none skips them.
"""

import base64
import itertools
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

import httpx
import pytest

from deploy.odoo.failure import OdooSetupError
from deploy.odoo.installation import Installation
from deploy.odoo.places import ADMIN_LOGIN, ADMIN_PASSWORD

_ENVIRONMENT = "VOUCH_TEST_ODOO_"
BILLS_ADDRESS = "bills@kestrel.example"


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


@dataclass(frozen=True)
class MailedFile:
    """An attachment of a mail: its name, media type such as `application/pdf`, and bytes."""

    name: str
    media_type: str
    content: bytes


class Odoo:
    """The administrator's hands on a database, over JSON-RPC."""

    def __init__(self, database: OdooDatabase, login: str | None = None, password: str | None = None) -> None:
        self.database = database
        self._password = password or database.admin_password
        self._numbers = itertools.count(1)
        credentials: list[Any] = [database.database, login or database.admin_login, self._password, {}]
        self.uid: int = self._rpc("common", "authenticate", credentials)
        if not self.uid:
            raise AssertionError(f"Odoo refuses {login or database.admin_login} on {database.database}")

    def call(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a public model method; AssertionError with Odoo's own message when it fails."""
        words = [self.database.database, self.uid, self._password, model, method, list(args), kwargs]
        return self._rpc("object", "execute_kw", words)

    def find(self, model: str, domain: Sequence[Any], fields: Sequence[str]) -> list[dict[str, Any]]:
        """All matching records by id."""
        return self.call(model, "search_read", list(domain), fields=list(fields), order="id")

    def mail_bill(self, sender: str, subject: str, *files: MailedFile) -> list[int]:
        """Deliver a mail to the purchase journal's alias, and return the ids of the draft bills it made."""
        before = self.call("account.move", "search", [], order="id desc", limit=1)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, BILLS_ADDRESS, subject
        message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">"))
        message.set_content("Please find the invoice attached.\n")
        for file in files:
            main, _, sub = file.media_type.partition("/")
            message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
        self.call("mail.thread", "message_process", False, message.as_bytes().decode("ascii"))
        return self.call("account.move", "search", [["id", ">", max(before, default=0)]], order="id")

    def draft_bill(self, *files: MailedFile, move_type: str = "in_invoice", **values: Any) -> int:
        """A draft bill as a person makes it, with the files attached; the id of the `account.move`."""
        return self._draft("account.move", {"move_type": move_type, **values}, files)

    def draft_order(self, partner_id: int, *files: MailedFile, **values: Any) -> int:
        """A draft purchase order of the vendor, with the files attached; its id."""
        return self._draft("purchase.order", {"partner_id": partner_id, **values}, files)

    def attach(self, model: str, record_id: int, file: MailedFile) -> int:
        """Attach a file to a record as the upload button does; the id of the `ir.attachment`."""
        values = {"name": file.name, "mimetype": file.media_type, "res_model": model, "res_id": record_id}
        return self.call(
            "ir.attachment", "create", {**values, "datas": base64.b64encode(file.content).decode()}
        )

    def _draft(self, model: str, values: dict[str, Any], files: Sequence[MailedFile]) -> int:
        record_id: int = self.call(model, "create", values)
        for file in files:
            self.attach(model, record_id, file)
        return record_id

    def _rpc(self, service: str, method: str, args: list[Any]) -> Any:
        body = {"service": service, "method": method, "args": args}
        request = {"jsonrpc": "2.0", "method": "call", "id": next(self._numbers), "params": body}
        answer = (
            httpx.post(f"{self.database.url}/jsonrpc", json=request, timeout=120).raise_for_status().json()
        )
        if "error" in answer:
            data = answer["error"].get("data", {})
            raise AssertionError(
                f"Odoo: {data.get('message') or answer['error']['message']}\n{data.get('debug', '')}"
            )
        return answer.get("result")


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


@pytest.fixture
def odoo_database(odoo_server: Installation | OdooDatabase) -> Iterator[OdooDatabase]:
    """A fresh database for one test, dropped afterwards (or the one database of another Odoo)."""
    if isinstance(odoo_server, OdooDatabase):
        yield odoo_server
        return
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield cloned(odoo_server, name)
    odoo_server.drop(name)


def cloned(installation: Installation, name: str) -> OdooDatabase:
    """A copy of the template under `name`; the caller drops it."""
    key = installation.clone(name).read_text()
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
