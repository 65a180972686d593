"""The model's answer, checked: it is text from outside, however it was constrained."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from inference.readers.vlm.schema import DOCUMENT_TYPE, HEADER_KEYS, LINE_KEYS, TYPES, VAT_KEYS, Part

LONGEST_VALUE = 500
MOST_LINES = 500


class AnswerError(ValueError):
    """An answer that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one page's answer says, by Term, as printed; empty values left out, but no empty row, so that positions are
    the answer's. `complete` is False where it was cut off."""

    header: Mapping[str, str]
    taxes: tuple[Mapping[str, str], ...] = ()
    lines: tuple[Mapping[str, str], ...] = ()
    complete: bool = True


def parse_answer(text: str, part: Part) -> Answer:
    """The Answer in a text. Raises AnswerError where it is no JSON, has other keys, or values that are no strings."""
    try:
        # Some engines for structured output let raw control characters into strings.
        node = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise AnswerError("the answer is not JSON") from error
    if not isinstance(node, dict):
        raise AnswerError("the answer is not a JSON object")
    node = cast("dict[str, object]", node)
    known = _known(part)
    if unknown := node.keys() - known:
        raise AnswerError(f"the answer has unknown keys: {', '.join(sorted(unknown))[:100]}")
    if missing := known - node.keys():
        raise AnswerError(f"the answer lacks {', '.join(sorted(missing))}")
    header = {} if part is Part.LINES else _texts(node, HEADER_KEYS)
    if header.get(DOCUMENT_TYPE, TYPES[0]) not in TYPES:
        raise AnswerError("the answer has a document type that there is not")
    return Answer(
        header,
        () if part is Part.LINES else _rows(node["taxes"], VAT_KEYS),
        () if part is Part.HEADER else _rows(node["lines"], LINE_KEYS),
    )


def parse_values(text: str, keys: Mapping[str, str]) -> Mapping[str, str]:
    """The values of an answer that has just those keys, by Term, as printed. Raises AnswerError."""
    try:
        node = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise AnswerError("the answer is not JSON") from error
    if not isinstance(node, dict) or cast("dict[str, object]", node).keys() != keys.keys():
        raise AnswerError("the answer has other keys than asked for")
    return _texts(cast("dict[str, object]", node), keys)


def whole_lines(text: str) -> Answer:
    """The lines that a cut-off answer to `Part.LINES` still has whole."""
    start = text.find("[") + 1
    rows = tuple(_objects(text, start)) if start else ()
    return Answer({}, lines=_rows(list(rows), LINE_KEYS), complete=False)


def _objects(text: str, position: int) -> Iterator[object]:
    decoder = json.JSONDecoder(strict=False)
    while (start := text.find("{", position)) >= 0:
        try:
            node, position = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return
        yield node


def _known(part: Part) -> set[str]:
    header = {*HEADER_KEYS, "taxes"}
    return {"lines"} if part is Part.LINES else header if part is Part.HEADER else header | {"lines"}


def _rows(nodes: object, keys: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
    if not isinstance(nodes, list):
        raise AnswerError("the answer has something else where a list was asked for")
    nodes = cast("list[object]", nodes)
    if len(nodes) > MOST_LINES:
        raise AnswerError(f"the answer has more than {MOST_LINES} lines")
    return tuple(_row(node, keys) for node in nodes)


def _row(node: object, keys: Mapping[str, str]) -> Mapping[str, str]:
    if not isinstance(node, dict):
        raise AnswerError("the answer has something else where a line was asked for")
    row = cast("dict[str, object]", node)
    if row.keys() - keys.keys():
        raise AnswerError("the answer has a line with other keys")
    return _texts(row, keys)


def _texts(node: Mapping[str, object], keys: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, term in keys.items():
        value = node.get(key, "")
        if not isinstance(value, str):
            raise AnswerError(f"the answer's {key} is not a text")
        legible = value if value.isprintable() else "".join(c if c.isprintable() else " " for c in value)
        cleaned = " ".join(legible.split())
        if len(cleaned) > LONGEST_VALUE:
            raise AnswerError(f"the answer's {key} is longer than anything on a bill")
        if cleaned:
            found[term] = cleaned
    return found
