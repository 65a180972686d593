"""Where an Odoo is, and one pooled HTTP client to it: time and size have limits, nothing is redirected or cached."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx
from pydantic import SecretStr

from connector.erp import faults
from connector.erp.faults import OutcomeUnknownError, ServerFault, WebPage
from connector.errors import FatalError, SettingsError

JSON2, JSONRPC, AUTO = "json2", "jsonrpc", "auto"
Row = dict[str, Any]

_MEGABYTE = 1 << 20
_API_KEY = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one Backend. `timeout` and `detached_every` are seconds, `companies` empty means all.

    `overlap` is how far before the cursor a poll looks again, in seconds: longer than Odoo's longest transaction
    that attaches documents. `detached_every` is how often drafts whose image Odoo detached are looked for.
    `longest_request` is how long Odoo may work on one request (its `limit_time_real`, 120 s by default, and a
    margin): a write is waited for that long, since giving up earlier would leave it open whether it still happens.
    `reread` gives the secret as its file has it now, where it comes from one: it may be renewed while we run.
    """

    name: str
    url: str
    database: str
    secret: SecretStr
    login: str = ""
    protocol: str = AUTO
    timeout: float = 60.0
    companies: tuple[int, ...] = ()
    max_attachment_megabytes: int = 50
    verify_tls: bool = True
    ca_file: str = ""
    overlap: float = 600.0
    detached_every: float = 120.0
    longest_request: float = 150.0
    reread: Callable[[], SecretStr] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = httpx.URL(self.url)
        if parts.scheme not in ("http", "https") or not parts.host or parts.userinfo:
            raise SettingsError(
                f"The address of {self.name} must be like https://odoo.example.com, without login and password"
            )
        if self.protocol not in (AUTO, JSON2, JSONRPC):
            raise SettingsError(f"The protocol of {self.name} must be auto, json2 or jsonrpc")

    def current(self) -> Connection:
        """The same with the secret that is in its file now. Raises SettingsError where that cannot be read."""
        return replace(self, secret=self.reread()) if self.reread else self

    def of(self, login: str, secret: SecretStr, protocol: str) -> Connection:
        """The same Odoo for somebody else, whose secret is in no file of ours."""
        return replace(self, login=login, secret=secret, protocol=protocol, reread=None)

    @property
    def base(self) -> str:
        """The address without a slash at its end, and without query and fragment."""
        return str(httpx.URL(self.url).copy_with(query=None, fragment=None)).rstrip("/")

    @property
    def has_key(self) -> bool:
        """Whether the secret looks like an Odoo API key (40 hexadecimal digits) and not like a password."""
        return _API_KEY.fullmatch(self.secret.get_secret_value()) is not None


class Wire:
    """One pooled HTTP client. `calls` counts the requests that were sent."""

    def __init__(self, settings: Connection) -> None:
        self.base = settings.base
        self.calls = 0
        self._timeout = settings.timeout
        self.longest_request = settings.longest_request
        self._ahead: timedelta | None = None
        self._patience = threading.local()
        self._limit = max(64, settings.max_attachment_megabytes * 3 // 2) * _MEGABYTE
        self._count = threading.Lock()
        self._client = httpx.Client(
            timeout=httpx.Timeout(settings.timeout, connect=min(10.0, settings.timeout)),
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=8, keepalive_expiry=30),
            verify=_trust(settings),
            follow_redirects=False,
            # A proxy or a certificate named in a variable is in no setting: nothing goes there.
            trust_env=False,
        )

    @contextmanager
    def patience(self, seconds: float) -> Generator[None]:
        """Wait at least so long for answers within this block, in this thread."""
        self._patience.seconds = seconds
        try:
            yield
        finally:
            self._patience.seconds = 0.0

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON (None where it is not JSON) of a page that needs no login."""
        status, body, _ = self._exchange(self._client.build_request("GET", self.base + path))
        return status, _parsed(body)

    def post(self, path: str, payload: Any, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON answer to a JSON request. Raises ServerFault where Odoo reports an error."""
        url = self.base + path
        status, body, location = self._exchange(
            self._client.build_request("POST", url, json=payload, headers=dict(headers or {}))
        )
        answer = _parsed(body)
        if status != 200 and isinstance(answer, dict) and "name" in answer and "message" in answer:
            error = cast(Row, answer)
            raise ServerFault(status, str(error["name"]), str(error["message"]))
        if trouble := faults.from_status(status, self.base, location):
            raise trouble
        if answer is None and body.strip() != b"null":
            if body.lstrip()[:1] == b"<":
                raise WebPage(f"{url} answers with a web page: it is not Odoo's, or its path is another")
            raise OutcomeUnknownError(f"{self.base} sent an answer that is not JSON, or only a part of one")
        return cast(Any, answer)

    def close(self) -> None:
        self._client.close()

    def server_time(self) -> datetime:
        """The server's time now, by what it said with its last answer; ours where it said nothing."""
        return self.told_time() or datetime.now(UTC)

    def told_time(self) -> datetime | None:
        """The same; None where it said nothing (RFC 9110 6.6.1: a server without a clock sends no `Date`)."""
        return None if self._ahead is None else datetime.now(UTC) + self._ahead

    def _set_clock(self, stamp: str) -> None:
        try:
            self._ahead = parsedate_to_datetime(stamp) - datetime.now(UTC)
        except (ValueError, TypeError):
            self._ahead = None

    def _exchange(self, request: httpx.Request) -> tuple[int, bytes, str]:
        with self._count:
            self.calls += 1
        patience = max(self._timeout, getattr(self._patience, "seconds", 0.0))
        request.extensions["timeout"] = {**request.extensions["timeout"], "read": patience}
        # A server that drips bytes would never meet the read timeout.
        deadline = time.monotonic() + 3 * patience
        body = bytearray()
        try:
            response = self._client.send(request, stream=True)
            self._set_clock(response.headers.get("date", ""))
            try:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > self._limit:
                        raise FatalError(
                            f"{self.base} sent more than {self._limit // _MEGABYTE} MB in one answer; "
                            "raise max_attachment_megabytes if that is right"
                        )
                    if time.monotonic() > deadline:
                        raise OutcomeUnknownError(f"{self.base} was too slow in sending its answer")
            finally:
                response.close()
        except httpx.TransportError as error:
            raise faults.from_transport(error, self.base) from None
        except httpx.DecodingError:
            raise OutcomeUnknownError(f"{self.base} sent an answer that cannot be unpacked") from None
        return response.status_code, bytes(body), response.headers.get("location", "")


def _parsed(body: bytes) -> Any:
    """The JSON in an answer; None where it is none, holds what is no number, or is nested beyond all reason."""
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _trust(settings: Connection) -> ssl.SSLContext | bool:
    if not settings.verify_tls:
        return False
    if not settings.ca_file:
        return True
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise SettingsError(f"The CA file {settings.ca_file} cannot be read: {error.strerror}") from None
