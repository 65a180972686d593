"""The one place where what goes wrong between us and Odoo becomes an error of `connector.errors`.

Names come from Odoo's `serialize_exception` (the same over JSON-2 and JSON-RPC); texts are cut and never carry
a secret, a traceback or the request.
"""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass

import httpx

from connector.errors import (
    AccessError,
    AwayError,
    ConflictError,
    FatalError,
    RetriableError,
    SettingsError,
    SkippableError,
    VouchError,
)

_BUSY_STATUS = {429: "answers that there are too many requests", 503: "is not available at the moment"}
_LOST_STATUS = {
    500: "failed",
    502: "is not reachable behind its proxy",
    504: "did not answer its proxy in time",
}
_BUSY_NAMES = (
    "SerializationFailure",
    "DeadlockDetected",
    "LockNotAvailable",
    "ConcurrencyError",
    "LockError",
)
# PostgreSQL's error classes by psycopg's names, https://www.postgresql.org/docs/current/errcodes-appendix.html
_FULL_NAMES = (
    "PoolError",
    "QueryCanceled",
    "CannotConnectNow",
    "TooManyConnections",
    "InsufficientResources",
    "DiskFull",
    "OutOfMemory",
    "ReadOnlySqlTransaction",
)
_LOST_NAMES = (
    "OperationalError",
    "InterfaceError",
    "AdminShutdown",
    "CrashShutdown",
    "DatabaseDropped",
    "ConnectionException",
    "ConnectionFailure",
    "ConnectionDoesNotExist",
    "IdleInTransactionSessionTimeout",
)
_UNFIT_NAMES = ("UndefinedColumn", "UndefinedTable", "UndefinedFunction")
_REFUSALS = ("UserError", "ValidationError", "RedirectWarning", "Warning")

# The role that grants a right, in the words of Odoo's user form.
_ROLE = {
    "account.": "Accounting / Invoicing (Accountant in Odoo Enterprise)",
    "res.partner.bank": "Accounting / Invoicing (Accountant in Odoo Enterprise)",
    "purchase.": "Purchase / User",
    "product.": "Purchase / User",
    "ir.attachment": "Accounting / Invoicing (Accountant in Odoo Enterprise): an attachment needs the rights of its record",
}


class OutcomeUnknownError(AwayError):
    """The request may have reached Odoo, and no usable answer came back."""


class WrongCredentials(AccessError):
    """The key or password is not accepted; nothing was done."""


class NotThere(SettingsError):
    """There is no such page: no Odoo, none of this version, or no such database."""


class WebPage(SettingsError):
    """A page for people where an answer should be."""


class NoModelError(FatalError):
    """The model is not there: its module is not installed."""


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, for the error's words."""

    model: str
    method: str
    writing: bool = False

    def __str__(self) -> str:
        return f"{self.model}.{self.method}"


class ServerFault(Exception):
    """An error that Odoo reported: HTTP status, exception name and message as it gave them."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(f"{name}: {shorten(message)}")
        self.status = status
        self.name = name
        self.message = message


def role_for(model: str) -> str:
    """The Odoo role that grants the rights on a model."""
    for prefix, role in _ROLE.items():
        if model.startswith(prefix):
            return role
    return "Internal User"


def shorten(text: str, limit: int = 300) -> str:
    """The text on one line, at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def from_server(fault: ServerFault, call: Call) -> VouchError:
    """Our error for one that Odoo reported. The transaction was rolled back and nothing was written, but where the database
    was lost: that may have been in the moment of the commit."""
    kind, text = fault.name.rpartition(".")[2], shorten(fault.message)
    if kind == "AccessDenied" or fault.status == 401:
        return wrong_credentials()
    if (fault.status == 404 and "the model" in text) or (kind == "UserError" and "doesn't exist" in text):
        return NoModelError(f"This Odoo has no model {call.model}: install the app that brings it")
    if kind == "AccessError":
        return AccessError(
            f"Odoo does not let this user do {call}: {text.rstrip('.')}. "
            f"Give the user the role {role_for(call.model)}, or ask the administrator"
        )
    if kind == "MissingError":
        return SkippableError(f"The record is gone from Odoo ({call})", "gone")
    if kind in _BUSY_NAMES or "could not serialize access" in text:
        return RetriableError(f"Odoo was busy with the same record ({call}); nothing was written, try again")
    if database := _missing_database(text):
        return SettingsError(f"Odoo has no database {database}: check the name, and Odoo's dbfilter")
    if kind in _FULL_NAMES:
        return RetriableError(f"Odoo's database was not available ({call}): {text}")
    if kind in _LOST_NAMES:
        lost = f"Odoo's database was not available ({call}): {text}"
        return OutcomeUnknownError(lost) if call.writing else AwayError(lost)
    if kind in _UNFIT_NAMES or "cached plan must not change" in text:
        return RetriableError(
            f"Odoo's database is not as its program expects ({call}: {text}): an app is being updated. Vouch tries again; "
            "if it stays so, look into Odoo's log"
        )
    if kind in _REFUSALS:
        if "posted" in fault.message:
            return ConflictError(f"The record was posted meanwhile, and Odoo keeps it as it is: {text}")
        return SkippableError(f"Odoo refused {call}: {text}", "refused")
    detail = f"Odoo failed in {call} with {kind or fault.status}: {text}"
    if call.writing:
        return SkippableError(detail, "refused")
    return FatalError(f"{detail}. Its version or an app in it may differ from what is known; see Odoo's log")


def hidden(error: NotThere | WebPage, base: str, database: str) -> OutcomeUnknownError:
    """What it means that an Odoo which has let us in answers so: it is not gone, but cannot be used now."""
    if isinstance(error, WebPage):
        return OutcomeUnknownError(
            f"{base} answers with a web page and not as Odoo does, as in maintenance. Vouch tries again; if it stays so, "
            "check the address"
        )
    return OutcomeUnknownError(
        f"Odoo at {base} does not show the database {database} at the moment: its PostgreSQL is away, or the database is "
        "being restored, renamed or updated. Vouch tries again; if it stays so, check its name, and Odoo's dbfilter"
    )


def _missing_database(text: str) -> str:
    """The database that PostgreSQL says is not there; empty where the message is about something else."""
    found = re.search(r'database "([^"]+)" does not exist', text)
    return found.group(1) if found else ""


def wrong_credentials() -> WrongCredentials:
    """The key or password is not accepted."""
    return WrongCredentials(
        "Odoo does not accept the API key, or login and password: check them, whether the key has expired, "
        "and that the key belongs to this database"
    )


def from_status(status: int, url: str, location: str = "") -> VouchError | None:
    """Our error for an HTTP status that came without an error of Odoo's own; None where it is a good answer."""
    if status in _BUSY_STATUS:
        return RetriableError(f"{url} {_BUSY_STATUS[status]} (HTTP {status}); try again later")
    if status in _LOST_STATUS:
        return OutcomeUnknownError(f"{url} {_LOST_STATUS[status]} (HTTP {status})")
    if status in (301, 302, 303, 307, 308):
        target = (
            httpx.URL(location).copy_with(query=None, fragment=None, userinfo=b"")
            if location
            else "elsewhere"
        )
        return SettingsError(f"{url} redirects to {target}: set the address that Odoo really has")
    if status in (401, 403):
        return AccessError(
            f"{url} does not let us in (HTTP {status}): check the key, and any proxy before Odoo"
        )
    if status in (404, 405):
        return NotThere(f"{url} is not an Odoo, or its address has another path (HTTP {status})")
    if status == 413:
        return SkippableError(
            f"{url} does not take so large a request (HTTP 413): raise its proxy's limit", "size"
        )
    if status >= 400:
        return OutcomeUnknownError(f"{url} answered HTTP {status} without an error of Odoo's")
    return None


def from_transport(error: httpx.TransportError, url: str) -> VouchError:
    """Our error for a failed connection. Only those after connecting leave the outcome open."""
    causes = _causes(error)
    if tls := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None):
        if isinstance(tls, ssl.SSLCertVerificationError):
            return SettingsError(
                f"The certificate of {url} cannot be trusted ({tls.verify_message}): "
                "name the CA file that signed it, or mend the certificate"
            )
        return SettingsError(
            f"{url} does not speak TLS as expected ({tls.reason}): is it http instead of https?"
        )
    if unknown := next((cause for cause in causes if isinstance(cause, socket.gaierror)), None):
        if unknown.errno == socket.EAI_AGAIN:
            return AwayError(f"The name in {url} cannot be looked up at the moment")
        return SettingsError(f"The host in {url} is not known: check the address")
    if isinstance(error, httpx.UnsupportedProtocol):
        return SettingsError(f"{url} is not an http or https address")
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)):
        return AwayError(f"Odoo cannot be reached at {url}: is it running, and is the address right?")
    if isinstance(error, httpx.TimeoutException):
        return OutcomeUnknownError(f"Odoo did not answer in time at {url}")
    return OutcomeUnknownError(f"The connection to {url} was lost ({type(error).__name__})")


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain
