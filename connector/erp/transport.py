"""JSON-2 and JSON-RPC to one Odoo over one pooled HTTP client.

The protocols are those of Odoo's own `odoo-client-lib`; its connectors are subclassed onto `connector.erp.wire`,
and so that no argument is logged. Odoo's documentation:
https://www.odoo.com/documentation/19.0/developer/reference/external_api.html
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, cast

from odoolib.json2 import Json2Connection, Json2Connector, JsonModel
from odoolib.rpc import Connection as RpcConnection
from odoolib.rpc import JsonRPCConnector, Service
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from connector.erp import faults
from connector.erp.answers import as_number, as_row, as_rows
from connector.erp.faults import (
    Call,
    NotThere,
    OutcomeUnknownError,
    ServerFault,
    WebPage,
    WrongCredentials,
)
from connector.erp.wire import AUTO, JSON2, JSONRPC, Connection, Row, Wire
from connector.errors import OutcomeUnknown, RetriableError, SettingsError, VouchError

_READS = 3
_FIRST_PAUSE = 0.5
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Version:
    """Odoo's version as it gives it (`19.0`, `saas~18.3+e`), and its main number."""

    text: str
    major: int


class _QuietService(Service):
    """The library's service, without its debug log of every argument, password included."""

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(cast(Any, self.connector).send, self.service_name, method)


class PooledJsonRpc(JsonRPCConnector):
    """JSON-RPC on the pooled client."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.url = wire.base + "/jsonrpc"

    def get_service(self, service_name: str) -> Service:
        return _QuietService(self, service_name)

    def send(self, service_name: str, method: str, *args: Any) -> Any:
        params = {"service": service_name, "method": method, "args": args}
        number = next(_NUMBERS)
        answer = self.wire.post(
            "/jsonrpc", {"jsonrpc": "2.0", "method": "call", "params": params, "id": number}
        )
        if not isinstance(answer, dict) or "jsonrpc" not in answer:
            raise SettingsError(f"{self.wire.base} does not answer as Odoo does: check the address")
        reply = cast(Row, answer)
        if reply.get("id") != number:
            raise OutcomeUnknownError(
                f"{self.wire.base} answers another question than it was asked: look at the proxy before Odoo"
            )
        if error := reply.get("error"):
            told = as_row(error, f"{service_name}.{method}")
            data: Row = told.get("data") or {}
            raise ServerFault(
                200, str(data.get("name", "")), str(data.get("message") or told.get("message", ""))
            )
        return reply.get("result")


class PooledJson2(Json2Connector):
    """JSON-2 on the pooled client."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.url = wire.base + "/json/2/"
        self.callback_fire = False


class _PooledJsonModel(JsonModel):
    """The library's model proxy, by named arguments only, on the pooled client."""

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def proxy(**arguments: Any) -> Any:
            connection = cast(Any, self.connection)
            return connection.connector.wire.post(
                f"/json/2/{self.model_name}/{method}", arguments, connection.bearer_header
            )

        return proxy


class PooledJson2Connection(Json2Connection):
    """The library's JSON-2 connection, giving out pooled models."""

    def get_model(self, model_name: str) -> JsonModel:
        return _PooledJsonModel(self, model_name)


class _Protocol(Protocol):
    """How one protocol carries out a call; `args` are positional where Odoo's parameter names differ."""

    def invoke(self, call: Call, ids: Sequence[int] | None, args: Mapping[str, Any], named: Row) -> Any: ...


@dataclass(frozen=True, slots=True)
class _Json2:
    connection: PooledJson2Connection

    def invoke(self, call: Call, ids: Sequence[int] | None, args: Mapping[str, Any], named: Row) -> Any:
        arguments = {**args, **named}
        if ids is not None:
            arguments["ids"] = list(ids)
        return getattr(self.connection.get_model(call.model), call.method)(**arguments)


@dataclass(frozen=True, slots=True)
class _JsonRpc:
    connection: RpcConnection

    def invoke(self, call: Call, ids: Sequence[int] | None, args: Mapping[str, Any], named: Row) -> Any:
        known: Any = self.connection
        positional = [*([list(ids)] if ids is not None else []), *args.values()]
        return known.get_service("object").execute_kw(
            known.database, known.user_id, known.password, call.model, call.method, positional, named
        )


@dataclass(slots=True)
class Session:
    """Calls on one Odoo: reads are tried three times when Odoo is away or busy, writes never a second time."""

    wire: Wire
    version: Version
    protocol: str
    carrier: _Protocol = field(repr=False)
    user_id: int = 0
    renewed: Callable[[], _Protocol | None] = field(default=lambda: None, repr=False)
    """The carrier with the secret that is in its file now; None where that is the same as before."""
    database: str = ""

    def read(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None = None,
        args: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """The result of a method that changes nothing. `args` go by position over JSON-RPC, by name else."""
        call = Call(model, method)
        return _tried_again(lambda: self._invoke(call, ids, args or {}, named))

    def write(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None = None,
        args: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """The result of a method that changes something; never sent twice."""
        call = Call(model, method, writing=True)
        try:
            with self.wire.patience(self.wire.longest_request):
                return self._invoke(call, ids, args or {}, named)
        except OutcomeUnknownError as error:
            raise OutcomeUnknown(
                f"It is not known whether Odoo carried out {call}: {error}. Ask before trying again"
            ) from None

    def rows(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: str = "id",
        context: Mapping[str, Any] | None = None,
        pairs: bool = False,
    ) -> list[Row]:
        """`search_read` in one call, archived rows too; many2one values are ids, or `pairs` of id and name."""
        found = self.read(
            model,
            "search_read",
            domain=list(domain),
            fields=list(fields),
            limit=limit,
            order=order,
            load="_classic_read" if pairs else None,
            context={"active_test": False, **(context or {})},
        )
        return as_rows(found, f"{model}.search_read", ("id", *fields))

    def close(self) -> None:
        """Give back the connections."""
        self.wire.close()

    def _invoke(self, call: Call, ids: Sequence[int] | None, args: Mapping[str, Any], named: Row) -> Any:
        try:
            return self._carried(call, ids, args, named)
        except WrongCredentials:
            carrier = self.renewed()
            if carrier is None:
                raise
            # Nothing was done with the old key; the new one is good for all that follows.
            self.carrier = carrier
            return self._carried(call, ids, args, named)

    def _carried(self, call: Call, ids: Sequence[int] | None, args: Mapping[str, Any], named: Row) -> Any:
        try:
            return self.carrier.invoke(call, ids, args, named)
        except ServerFault as fault:
            raise faults.from_server(fault, call) from None
        except (NotThere, WebPage) as error:
            if not self.user_id:
                raise  # nobody has been let in yet: the settings may be wrong
            raise faults.hidden(error, self.wire.base, self.database) from None


def _tried_again(read: Callable[[], Any]) -> Any:
    """The result of what changes nothing, tried three times when Odoo is away or busy."""
    for attempt in Retrying(
        retry=retry_if_exception_type(RetriableError),
        stop=stop_after_attempt(_READS),
        wait=wait_random_exponential(multiplier=_FIRST_PAUSE, max=5),
        reraise=True,
    ):
        with attempt:
            return read()
    raise AssertionError("unreachable: the last attempt raises")


def open_session(settings: Connection) -> Session:
    """Find out the version, choose the protocol, and check the credentials.

    Raises SettingsError for a wrong address or database, AccessError for a wrong key or password, RetriableError
    when Odoo is away.
    """
    wire = Wire(settings)
    try:
        return _open(settings, wire)
    except VouchError:
        wire.close()
        raise


def _open(settings: Connection, wire: Wire) -> Session:
    version = _version(wire)
    protocol = settings.protocol
    if protocol == AUTO:
        protocol = JSON2 if version.major >= 19 and settings.has_key else JSONRPC
    if protocol == JSON2 and version.major < 19:
        raise SettingsError(f"Odoo {version.text} has no JSON-2: use jsonrpc with login and key")
    secret = settings.secret.get_secret_value()

    def carrier(secret: str) -> _Protocol:
        if protocol == JSON2:
            return _Json2(PooledJson2Connection(PooledJson2(wire), settings.database, secret))
        known = RpcConnection(PooledJsonRpc(wire), settings.database, settings.login, secret)
        known.user_id = _user_by_login(known)
        return _JsonRpc(known)

    def renewed() -> _Protocol | None:
        nonlocal secret
        found = settings.reread().get_secret_value() if settings.reread else secret
        if found == secret:
            return None
        secret = found
        return carrier(found)

    if protocol == JSON2:
        session = Session(
            wire, version, protocol, carrier(secret), renewed=renewed, database=settings.database
        )
        session.user_id = _user_by_key(session, settings)
        return session
    if not settings.login:
        raise SettingsError(f"{settings.name} needs a login beside its key or password to speak JSON-RPC")
    by_login = cast(_JsonRpc, carrier(secret))
    user: int = cast(Any, by_login.connection).user_id
    return Session(wire, version, protocol, by_login, user, renewed, settings.database)


def _version(wire: Wire) -> Version:
    status, page = wire.get("/web/version")
    if status == 200 and isinstance(page, dict) and "version_info" in page:
        return _parse_version(cast(Row, page)["version"], cast(Row, page)["version_info"])
    if status in (429, 500, 502, 503, 504):
        raise cast(VouchError, faults.from_status(status, wire.base))
    try:
        answer = PooledJsonRpc(wire).send("common", "version")
    except ServerFault as fault:
        raise SettingsError(
            f"{wire.base} does not answer as Odoo does: {faults.shorten(fault.message)}"
        ) from None
    if not isinstance(answer, dict) or "server_version_info" not in answer:
        raise SettingsError(f"{wire.base} does not answer as Odoo does: check the address")
    reply = cast(Row, answer)
    return _parse_version(reply["server_version"], reply["server_version_info"])


def _parse_version(text: str, info: Sequence[Any]) -> Version:
    number = re.search(r"\d+", str(info[0]))
    if number is None:
        raise SettingsError(f"Odoo gives a version that cannot be read: {faults.shorten(text, 40)}")
    return Version(str(text), int(number.group()))


def _user_by_key(session: Session, settings: Connection) -> int:
    try:
        context = session.read("res.users", "context_get")
    except NotThere:
        raise SettingsError(
            f"Odoo at {settings.base} has no database {settings.database}, does not show it to us, or cannot reach its "
            "PostgreSQL: check the name, and Odoo's dbfilter and log"
        ) from None
    return as_number(as_row(context, "res.users.context_get", ("uid",))["uid"], "res.users.context_get")


def _user_by_login(connection: RpcConnection) -> int:
    known: Any = connection

    def login() -> Any:
        try:
            return known.get_service("common").login(known.database, known.login, known.password)
        except ServerFault as fault:
            raise faults.from_server(fault, Call("common", "login")) from None

    user = _tried_again(login)
    if not user:
        raise faults.wrong_credentials()
    return as_number(user, "common.login")
