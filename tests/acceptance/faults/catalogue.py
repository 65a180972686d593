"""The faults, each with what is true of it: whether the server acted, and what a person is told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.acceptance.faults.proxy import Answered, Cut, Exchange, Fault, drip

HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome</body></html>"
PATIENCE = 3.0
"""How long the service under test waits for an answer."""


@dataclass(frozen=True)
class Kind:
    """One fault. `told` is what a message of the service must match where it is told at all; `quiet` says that it may
    pass unseen; `tls` that the service speaks TLS; `refuses` that a write may be taken for refused by Odoo, so that
    a person is asked; `slow` that an answer is waited for in vain."""

    name: str
    fault: Fault
    told: str
    quiet: bool = False
    tls: bool = False
    refuses: bool = False
    slow: bool = False
    protocols: tuple[str, ...] = ("json2", "jsonrpc")


def _status(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Fault:
    return lambda exchange: exchange.answer(status, body, *headers)


def _after(change: Callable[[Exchange, Answered], None]) -> Fault:
    """The server acts, then this happens to its answer."""

    def fault(exchange: Exchange) -> None:
        change(exchange, exchange.forward())

    return fault


def _changed(change: Callable[[bytes], bytes]) -> Fault:
    return _after(lambda exchange, answer: exchange.answer(answer.status, change(answer.body)))


def _reset_before(exchange: Exchange) -> None:
    raise Cut


def _closed_before(exchange: Exchange) -> None:
    raise Cut(rudely=False)


def _lost(exchange: Exchange, answer: Answered) -> None:
    raise Cut


def _half(exchange: Exchange, answer: Answered) -> None:
    exchange.send(exchange.head(answer.status, len(answer.body)) + answer.body[: len(answer.body) // 2])
    raise Cut(rudely=False)


def _half_then_reset(exchange: Exchange, answer: Answered) -> None:
    exchange.send(exchange.head(answer.status, len(answer.body)) + answer.body[: len(answer.body) // 2])
    raise Cut


def _late(exchange: Exchange) -> None:
    exchange.wait(0.3)
    exchange.pass_on(exchange.forward())


def _silent(exchange: Exchange) -> None:
    exchange.wait(600)
    raise Cut


def _silent_after(exchange: Exchange, answer: Answered) -> None:
    exchange.wait(600)
    raise Cut


def _slow_head(exchange: Exchange, answer: Answered) -> None:
    drip(exchange, exchange.head(answer.status, len(answer.body)))


def _slow_body(exchange: Exchange, answer: Answered) -> None:
    # An empty list would be there in two seconds.
    body = b" " * 500 + answer.body
    exchange.send(exchange.head(answer.status, len(body)))
    drip(exchange, body)


def _endless(exchange: Exchange, answer: Answered) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    block = b" " * (1 << 20)
    while not exchange.over:
        exchange.send(b"%x\r\n" % len(block) + block + b"\r\n")
    raise Cut


def _endless_head(exchange: Exchange, answer: Answered) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while not exchange.over:
        exchange.send(b"X-More: " + b"a" * 1000 + b"\r\n")
    raise Cut


def _bomb(exchange: Exchange, answer: Answered) -> None:
    """A small answer that unpacks to two hundred megabytes."""
    packed = gzip.compress(b" " * (200 << 20), 1)
    exchange.answer(200, packed, ("Content-Encoding", "gzip"))


def _other_id(body: bytes) -> bytes:
    """The answer to another question."""
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    if isinstance(answer, dict) and "jsonrpc" in answer:
        answer["id"] = 4711
    return json.dumps(answer).encode()


def _of_type(value: str) -> Callable[[bytes], bytes]:
    """Another value where the result stands."""

    def change(body: bytes) -> bytes:
        if body.lstrip().startswith(b'{"jsonrpc"'):
            return b'{"jsonrpc": "2.0", "id": 1, "result": ' + value.encode() + b"}"
        return value.encode()

    return change


def _odoo(name: str, message: str, status: int = 500) -> Fault:
    """An error as Odoo 19 sends it."""
    data = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback"}

    def fault(exchange: Exchange) -> None:
        if exchange.asked.path == "/jsonrpc":
            error = {"code": 0, "message": "Odoo Server Error", "data": data}
            number = json.loads(exchange.asked.body)["id"]
            exchange.answer(200, json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode())
        else:
            exchange.answer(status, json.dumps(data).encode())

    return fault


def _redirect(exchange: Exchange) -> None:
    exchange.answer(307, b"", ("Location", exchange.proxy.elsewhere + exchange.asked.path))


def _presenting(certificate: str) -> Fault:
    """From this answer on the server shows another certificate, or none."""

    def fault(exchange: Exchange) -> None:
        exchange.proxy.presents = certificate
        raise Cut

    return fault


_LOST = r"connection .* was lost|cannot be reached|not known whether|could not be read back"
_PART = r"not JSON, or only a part|connection .* was lost|not known whether|could not be read back"
_SLOW = r"did not answer in time|too slow|not known whether|connection .* was lost|could not be read back"
_ODD = r"Odoo's answer to .* is not |does not answer as Odoo does|not JSON|another question|could not be read back|not known|web page"
_TRUST = r"certificate .* cannot be trusted|not known whether"
SERIALIZATION = "could not serialize access due to concurrent update"

KINDS: tuple[Kind, ...] = (
    Kind("delay", _late, "", quiet=True),
    Kind("silence", _silent, _SLOW, slow=True),
    Kind("silence after it acted", _after(_silent_after), _SLOW, slow=True),
    Kind("reset before the request", _reset_before, _LOST),
    Kind("closed before an answer", _closed_before, _LOST),
    Kind("half an answer", _after(_half), _PART),
    Kind("half an answer, then reset", _after(_half_then_reset), _PART),
    Kind("answer lost after it acted", _after(_lost), _LOST),
    Kind("429", _status(429), "too many requests"),
    Kind("429 with Retry-After", _status(429, b"", ("Retry-After", "1")), "too many requests"),
    Kind("500 page", _status(500, HTML), r"failed \(HTTP 500\)"),
    Kind("502 page", _status(502, HTML), r"not reachable behind its proxy \(HTTP 502\)"),
    Kind("503 page", _status(503, HTML), r"not available at the moment \(HTTP 503\)"),
    Kind("504 page", _status(504, HTML), r"did not answer its proxy in time"),
    Kind("serialization failure", _odoo("psycopg2.errors.SerializationFailure", SERIALIZATION), "busy"),
    Kind("deadlock", _odoo("psycopg2.errors.DeadlockDetected", "deadlock detected"), "busy"),
    Kind("record locked", _odoo("odoo.exceptions.LockError", "Cannot grab a lock"), "busy"),
    Kind(
        "database gone",
        _odoo("psycopg2.OperationalError", "server closed the connection"),
        "was not available",
    ),
    Kind(
        "Odoo's own defect",
        _odoo("builtins.KeyError", "'move_type'"),
        r"failed (in .*KeyError|\(HTTP 500\))",
        refuses=True,
    ),
    Kind("truncated JSON", _changed(lambda body: body[: max(1, len(body) - 3)]), _PART),
    Kind("a web page", _after(lambda exchange, _: exchange.answer(200, HTML)), "web page"),
    Kind("another id", _changed(_other_id), _ODD, protocols=("jsonrpc",)),
    Kind("a number for a result", _changed(_of_type("7")), _ODD),
    Kind("null for a result", _changed(_of_type("null")), _ODD),
    Kind("a list of numbers", _changed(_of_type("[1, 2, 3]")), _ODD),
    Kind("rows without their fields", _changed(_of_type('[{"id": 1}]')), _ODD),
    Kind("NaN", _changed(_of_type('[{"id": NaN, "amount_total": Infinity}]')), _ODD),
    Kind("deeply nested", _changed(_of_type("[" * 200_000 + "]" * 200_000)), _ODD),
    Kind("a number of a million digits", _changed(_of_type('[{"id": ' + "9" * 1_000_000 + "}]")), _ODD),
    Kind("not text", _changed(lambda _: b"\xff\xfe" * 500), _ODD),
    Kind("a bomb", _after(_bomb), "more than .* MB|not known whether"),
    Kind("endless answer", _after(_endless), "more than .* MB|too slow|not known whether", slow=True),
    Kind("endless headers", _after(_endless_head), _LOST, slow=True),
    Kind("a byte a second", _after(_slow_body), _SLOW, slow=True),
    Kind("a head of a byte a second", _after(_slow_head), _SLOW, slow=True),
    Kind("redirect", _redirect, "redirects to"),
    Kind("certificate of another authority", _presenting("stranger"), _TRUST, tls=True),
    Kind("certificate of another name", _presenting("other_name"), _TRUST, tls=True),
    Kind("certificate ran out", _presenting("expired"), _TRUST, tls=True),
    Kind("plain answer on TLS", _presenting("none"), "TLS|lost|not known whether", tls=True),
)
