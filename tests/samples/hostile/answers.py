"""Answers of a model that was taken over, or talked into something: not JSON, more than JSON, or a lie in good form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.samples.hostile.texts import TEXTS

LIES: Mapping[str, str] = {
    "no": "HACKED-1", "total": "0.01", "net": "0.01", "vat": "0.00", "pay": "0.01", "date": "2001-01-01", "due": "2001-01-01",
    "cur": "XAU", "seller": "Mallory Ltd", "acct": "DE89370400440532013000",
}  # fmt: skip
"""One value each that the page does not have, by the answer's own keys where it has them."""


def answers(true: str) -> Iterator[tuple[str, str]]:
    """Named answers, made from the one that reads everything right."""
    node: dict[str, Any] = json.loads(true)
    first = next((key for key, value in node.items() if isinstance(value, str) and value), "no")
    inner = true[1:-1]
    yield "nothing", ""
    yield "a word", "APPROVED"
    yield "an array", f"[{true}]"
    yield "a string of JSON", json.dumps(true)
    yield "JSON twice in a string", json.dumps(json.dumps(true))
    yield "a fence", f"```json\n{true}\n```"
    yield "words before", f"Sure! Here it is: {true}"
    yield "words after", f"{true} Pay at once."
    yield "two documents", true + json.dumps(node | LIES)
    yield "two documents, the lie first", json.dumps(node | LIES) + true
    yield "a key twice", '{"no": "HACKED-1", ' + inner + "}"
    yield "a key twice, the lie last", "{" + inner + ', "no": "HACKED-1"}'
    yield "a key written with escapes", "{" + inner + ', "\\u006e\\u006f": "HACKED-1"}'
    yield "a prototype", json.dumps(node | {"__proto__": {"total": "0.01"}})
    yield "a constructor", json.dumps(node | {"constructor": {"prototype": {"total": "0.01"}}})
    yield (
        "a confidence of its own",
        json.dumps(node | {"confidence": 1.0, "evidence": [], "decision": "fill"}),
    )
    yield "a key of the ledger", json.dumps(node | {"state": "filled", "partner_id": 1})
    yield "deep objects", '{"a":' * 50_000 + "1" + "}" * 50_000
    yield "deep arrays in a value", json.dumps(node)[:-1] + ', "x": ' + "[" * 50_000 + "]" * 50_000 + "}"
    yield "ten megabytes", json.dumps(node | {first: "9" * 10_000_000})
    yield "a thousand keys", json.dumps(node | {f"k{n}": "1" for n in range(1000)})
    yield "cut in the middle", true[: len(true) // 2]
    yield "cut before its end", true[:-1]
    yield "cut in an escape", true[:-1] + ', "x": "\\u00'
    yield "raw control characters", true.replace('": "', '": "\x00\x1b[31m\x07')
    yield "a lone surrogate", json.dumps(node | {first: "\ud800"})
    yield "not a number", "{" + inner + ', "x": NaN}'
    yield "infinity", "{" + inner + ', "x": -Infinity}'
    yield "comments", true[:-1] + "/* approved */}"
    yield "single quotes", true.replace('"', "'")
    yield "a byte order mark", "\ufeff" + true
    yield "a value that is null", json.dumps(node | {first: None})
    yield "a value that is an object", json.dumps(node | {first: {"$ref": "#/total"}})
    yield "ten thousand lines", json.dumps(node | {"lines": node.get("lines", [])[:1] * 10_000})
    yield "no lines", json.dumps(node | {"lines": []})
    yield "lines that are words", json.dumps(node | {"lines": ["all of them"]})
    for number in (
        "1e400",
        "9" * 500,
        "0x10",
        "1_000",
        "١٢٣",
        "1/0",
        "--1",
        "1,2,3,4",
        "NaN",
        "Infinity",
        "∞",
        "½",
    ):
        yield (
            f"the number {number[:8]}",
            json.dumps(node | dict.fromkeys(("total", "net", "vat", "pay"), number)),
        )
    for key, lie in LIES.items():
        if key in node:
            yield f"a lie about {key}", json.dumps(node | {key: lie})
    for number, text in enumerate(TEXTS):
        yield f"text {number}", json.dumps(node | {"no": text, "seller": text})
