"""A proxy before a real server that does to requests and answers what networks, gateways and busy servers do.

It speaks HTTP/1.1 with bodies of a told length, as the service's clients and Odoo do. What is done to an exchange is a `Fault`:
a function that gets the exchange, and forwards, answers, waits or cuts the line as it likes.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY = CERTIFICATES / "authority.pem"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def call(self) -> str:
        """`model.method` as the service named it, over either protocol; else the path."""
        if self.path.startswith("/json/2/"):
            return ".".join(self.path.split("/")[3:5])
        if self.path == "/jsonrpc":
            params: Any = json.loads(self.body)["params"]
            if params["service"] == "object":
                return f"{params['args'][3]}.{params['args'][4]}"
            return f"{params['service']}.{params['method']}"
        return self.path

    @property
    def content(self) -> Any:
        """The arguments by name, over either protocol."""
        found: Any = json.loads(self.body) if self.body else {}
        if self.path != "/jsonrpc":
            return found
        args = found["params"]["args"]
        return {**args[6], "positional": args[5]} if len(args) > 6 else {}


@dataclass(frozen=True)
class Answered:
    """An answer as it came from the server behind."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Cut(Exception):
    """The line is to be closed; `rudely` with a reset."""

    def __init__(self, rudely: bool = True) -> None:
        super().__init__()
        self.rudely = rudely


@dataclass
class Exchange:
    """A request in the proxy's hands."""

    asked: Asked
    proxy: Proxy
    _client: socket.socket
    closing: bool = False

    def forward(self) -> Answered:
        """Let the server behind do it."""
        return self.proxy.ask(self.asked)

    def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Send an answer of the proxy's own, or one that came back."""
        self.send(self.head(status, len(body), *headers) + body)

    def head(self, status: int, length: int, *headers: tuple[str, str]) -> bytes:
        """Status line and headers of an answer so long."""
        lines = [
            f"HTTP/1.1 {status} {http.client.responses.get(status, 'Unknown')}",
            f"Content-Length: {length}",
        ]
        lines += [f"{name}: {value}" for name, value in headers]
        lines += ["Connection: close"] if self.closing else []
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def pass_on(self, answer: Answered) -> None:
        """Send the answer as it came."""
        kept = [
            (name, value)
            for name, value in answer.headers
            if name.lower() not in ("content-length", "connection", "transfer-encoding")
        ]
        self.answer(answer.status, answer.body, *kept)

    def send(self, data: bytes) -> None:
        """Send bytes as they are. Raises Cut where the client has gone."""
        try:
            self._client.sendall(data)
        except OSError:
            raise Cut from None

    def wait(self, seconds: float) -> None:
        """Wait, no longer than the fault lasts; the line is cut where the client has gone."""
        self.proxy.over.wait(seconds)

    @property
    def over(self) -> bool:
        """Whether the fault has ended meanwhile."""
        return self.proxy.over.is_set()


Fault = Callable[[Exchange], None]


def as_it_is(exchange: Exchange) -> None:
    """No fault."""
    exchange.pass_on(exchange.forward())


@dataclass
class Proxy:
    """Listens on a port of its own for a server. `fault` is done to the requests that `chosen` picks, while it is set.

    `presents` names a certificate of `CERTIFICATES` with which it speaks TLS; empty means plain HTTP, "none" that a TLS
    client is answered plainly. `elsewhere` is where a redirect leads.
    """

    target: str
    presents: str = ""
    elsewhere: str = ""
    fault: Fault | None = None
    chosen: Callable[[Asked], bool] = lambda _: True
    tries: int = 0
    asked: list[Asked] = field(default_factory=list[Asked])
    over: threading.Event = field(default_factory=threading.Event)
    _server: socket.socket = field(init=False)
    _open: set[socket.socket] = field(default_factory=set[socket.socket])
    _gone: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        parts = urlsplit(self.target)
        self._place = (str(parts.hostname), parts.port or 80)
        self._tls = bool(self.presents)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def begin(self, fault: Fault, chosen: Callable[[Asked], bool]) -> None:
        """From now on this is done to the chosen requests."""
        self.over.clear()
        self.tries, self.chosen, self.fault = 0, chosen, fault

    def end(self) -> None:
        """The fault has passed: what waits goes on, and lines that it left open are closed."""
        self.fault = None
        self.over.set()
        self.presents = "good" if self._tls else ""
        self.cut()

    def cut(self) -> None:
        """Close every line that is open now."""
        for end in tuple(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop listening."""
        self.end()
        self._server.close()

    def ask(self, asked: Asked) -> Answered:
        """The real server's answer."""
        connection = http.client.HTTPConnection(*self._place, timeout=300)
        try:
            headers = {name: value for name, value in asked.headers.items() if name != "connection"}
            connection.request(asked.method, asked.path, asked.body or None, headers)
            response = connection.getresponse()
            return Answered(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException):
            raise Cut from None
        finally:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        line = client
        self._open.add(client)
        try:
            line = self._spoken(client)
            with line.makefile("rb") as reader:
                while (asked := _read(reader)) is not None:
                    self._exchange(asked, line)
        except Cut as cut:
            if cut.rudely:
                # Closing with this set sends a reset instead of an end.
                with suppress(OSError):
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        finally:
            self._open.discard(client)
            with suppress(OSError):
                line.close()
            client.close()

    def _spoken(self, client: socket.socket) -> socket.socket:
        if not self._tls:
            return client
        if self.presents == "none":
            client.recv(1)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            raise Cut(rudely=False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / f"{self.presents}.pem")
        return context.wrap_socket(client, server_side=True)

    def _exchange(self, asked: Asked, line: socket.socket) -> None:
        self.asked.append(asked)
        exchange = Exchange(asked, self, line)
        fault = self.fault
        if fault is not None and self.chosen(asked):
            self.tries += 1
            fault(exchange)
        else:
            as_it_is(exchange)
        if exchange.closing:
            raise Cut(rudely=False)


def _read(reader: Any) -> Asked | None:
    """The next request of a line; None at its end."""
    first = reader.readline()
    if not first.strip():
        return None
    method, path, _ = first.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (row := reader.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = row.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return Asked(method, path, headers, body)


def drip(exchange: Exchange, data: bytes, seconds: float = 1.0) -> None:
    """A byte a second, as long as the fault lasts."""
    for byte in data:
        exchange.send(bytes([byte]))
        exchange.wait(seconds)
        if exchange.over:
            raise Cut
