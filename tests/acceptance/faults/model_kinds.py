"""The faults on the model server's side, each with what becomes of a document meanwhile and what a person is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from connector.ledger.states import JobState
from tests.acceptance.faults.catalogue import HTML, KINDS
from tests.acceptance.faults.proxy import Exchange, Fault

Meanwhile = Literal["fills", "waits", "asks"]
"""What becomes of a document while the fault lasts: it is filled all the same, waits for its end, or a person is asked."""


@dataclass(frozen=True)
class ModelKind:
    """One fault. `told` is what a sentence to a person must match: the cause, and what to do about it."""

    name: str
    fault: Fault
    meanwhile: Meanwhile
    told: str = ""
    tls: bool = False
    slow: bool = False

    @property
    def ends(self) -> JobState:
        """What a document of which all is sure ends in, once the fault is over."""
        return JobState.IN_REVIEW if self.meanwhile == "asks" else JobState.FILLED


_SHARED = {kind.name: kind.fault for kind in KINDS}


def _as_before(name: str, meanwhile: Meanwhile, told: str = "", **options: bool) -> ModelKind:
    """A fault of the network or a proxy, as on Odoo's side."""
    return ModelKind(name, _SHARED[name], meanwhile, told, **options)


def _error(status: int, message: str, **headers: str) -> Fault:
    """An error as vLLM sends it."""
    body = json.dumps({"error": {"message": message, "type": "x", "param": None, "code": status}}).encode()
    return lambda exchange: exchange.answer(status, body, *headers.items())


def _completion(change: Callable[[dict[str, Any]], object]) -> Fault:
    """The server answers, then something of its answer is another."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.forward()
        node = json.loads(answer.body)
        change(node)
        exchange.answer(answer.status, json.dumps(node).encode())

    return fault


def _said(text: str | None) -> Fault:
    """The model says this, whatever it is asked."""

    def change(node: dict[str, Any]) -> None:
        choice = node["choices"][0]
        choice["message"]["content"], choice["logprobs"] = text, None

    return _completion(change)


def _token(name: str, value: Any) -> Fault:
    """Every token has this for its bytes or its log-probability."""

    def change(node: dict[str, Any]) -> None:
        for token in node["choices"][0]["logprobs"]["content"]:
            token[name] = value

    return _completion(change)


def _never_ends(node: dict[str, Any]) -> None:
    node["choices"][0]["finish_reason"] = "length"


_REACH = r"cannot be reached \(.*start it with vouch vllm serve, or correct vlm\.url"
_SLOW = r"gave no answer within .* raise vlm\.timeout_seconds|cannot be reached"
_ODD = r"does not answer (in JSON|as vLLM does): is it a vLLM server\? Correct vlm\.url"
_FAILED = r"failed \({}\): .*Look at its log"
_TRUST = r"certificate .* cannot be trusted .* vlm\.ca_file"
_USELESS = r"[Pp]age 1|model"

MODEL_KINDS: tuple[ModelKind, ...] = (
    _as_before("delay", "fills"),
    _as_before("silence", "waits", _SLOW, slow=True),
    _as_before("silence after it acted", "waits", _SLOW, slow=True),
    _as_before("reset before the request", "waits", _REACH),
    _as_before("closed before an answer", "waits", _REACH),
    _as_before("half an answer", "waits", _REACH),
    _as_before("half an answer, then reset", "waits", _REACH),
    _as_before("answer lost after it acted", "waits", _REACH),
    ModelKind("429", _error(429, "Too many"), "waits", r"too many requests \(429\): .*Lower vlm\.in_flight"),
    ModelKind(
        "429 with Retry-After",
        _error(429, "Too many", **{"Retry-After": "1"}),
        "waits",
        r"too many requests \(429\): .*Lower vlm\.in_flight",
    ),
    ModelKind("500 of vLLM", _error(500, "Internal server error"), "waits", _FAILED.format(500)),
    _as_before("500 page", "waits", _FAILED.format(500) + "|a web page"),
    _as_before("502 page", "waits", r"failed \(502\): a web page, so a proxy answers in its place"),
    _as_before("503 page", "waits", _FAILED.format(503)),
    _as_before("504 page", "waits", _FAILED.format(504)),
    ModelKind("400", _error(400, "cannot identify image file"), "asks", r"refuses the request \(400\)"),
    ModelKind(
        "too long for the context",
        _error(400, "This model's maximum context length is 8192 tokens"),
        "asks",
        "--max-model-len",
    ),
    ModelKind("key refused", _error(401, "Unauthorized"), "waits", r"refuses our key: set vlm\.api_key_file"),
    ModelKind(
        "another model",
        _error(404, "The model does not exist."),
        "waits",
        r"has no model .* Correct vlm\.model",
    ),
    ModelKind(
        "too large for a proxy",
        lambda exchange: exchange.answer(413, HTML),
        "asks",
        r"refuses the request \(413\)",
    ),
    _as_before("redirect", "waits", r"redirects to .*: set vlm\.url"),
    _as_before("truncated JSON", "waits", _ODD),
    _as_before("a web page", "waits", _ODD),
    _as_before("a number for a result", "waits", _ODD),
    _as_before("null for a result", "waits", _ODD),
    _as_before("a list of numbers", "waits", _ODD),
    _as_before("deeply nested", "waits", _ODD),
    _as_before("a number of a million digits", "waits", _ODD),
    _as_before("not text", "waits", _ODD),
    ModelKind("no choices", _completion(lambda node: node.update(choices=[])), "waits", _ODD),
    ModelKind("a token of no bytes", _token("bytes", [300, -1]), "waits", _ODD),
    ModelKind("a probability above one", _token("logprob", 800.0), "waits", _ODD),
    ModelKind("NaN", _token("logprob", float("nan")), "waits", _ODD),
    ModelKind("nothing said", _said(None), "asks", _USELESS),
    ModelKind("half JSON said", _said('{"no": "A-1", "lines": [{'), "asks", _USELESS),
    ModelKind("nested deep said", _said("[" * 100_000), "asks", _USELESS),
    ModelKind("an apology said", _said("I am sorry, but I cannot read this."), "asks", _USELESS),
    ModelKind("an answer without end", _completion(_never_ends), "asks", _USELESS),
    _as_before("a bomb", "waits", "more than .* MB: is it a vLLM server"),
    _as_before(
        "endless answer", "waits", "more than .* MB: is it a vLLM server|gave no answer within", slow=True
    ),
    _as_before("endless headers", "waits", _REACH, slow=True),
    _as_before("a byte a second", "waits", _SLOW, slow=True),
    _as_before("a head of a byte a second", "waits", _SLOW, slow=True),
    _as_before("certificate of another authority", "waits", _TRUST, tls=True),
    _as_before("certificate of another name", "waits", _TRUST, tls=True),
    _as_before("certificate ran out", "waits", _TRUST, tls=True),
    _as_before(
        "plain answer on TLS", "waits", r"does not speak TLS as expected .* Correct vlm\.url", tls=True
    ),
)
