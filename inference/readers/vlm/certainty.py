"""How sure the model was of each value it wrote, from the log-probabilities of the tokens it was free to choose.

Tokens that the schema forced have a log-probability of exactly 0 and say nothing. What is left is the model's own
opinion, which is not yet a probability of being right: `inference.confidence` makes one of it.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from inference.vllm.client import Token


class Certainty(NamedTuple):
    """Of one value: geometric mean and least of its free tokens' probabilities, and how many there were."""

    mean: float
    least: float
    free: int


_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)

NOTHING_FREE = Certainty(1.0, 1.0, 0)


def certainties(text: str, tokens: Sequence[Token]) -> dict[str, Certainty]:
    """The Certainty of every string value of an answer, by path: `total`, `lines[0].q`.

    Empty where the tokens are not the answer's own. Raises ValueError where the text is no JSON object of strings,
    lists and objects.
    """
    encoded = text.encode()
    ends = _ends(encoded, tokens)
    if ends is None:
        return {}
    found: dict[str, Certainty] = {}
    # Offsets are in characters, tokens in bytes.
    offsets = _byte_offsets(text)
    for path, start, end in _strings(text):
        found[path] = _of(tokens, ends, offsets[start], offsets[end])
    return found


def _ends(encoded: bytes, tokens: Sequence[Token]) -> list[int] | None:
    """Where each token ends in the answer; a last mark that ends the answer is not part of it."""
    ends: list[int] = []
    position = 0
    for token in tokens:
        if position == len(encoded):
            break
        position += len(token.text)
        ends.append(position)
    return (
        ends
        if position == len(encoded) and b"".join(t.text for t in tokens[: len(ends)]) == encoded
        else None
    )


def _of(tokens: Sequence[Token], ends: Sequence[int], start: int, end: int) -> Certainty:
    free: list[float] = []
    for at in range(bisect_right(ends, start), len(ends)):
        if ends[at] - len(tokens[at].text) >= end:
            break
        if tokens[at].logprob != 0.0:
            free.append(tokens[at].logprob)
    if not free:
        return NOTHING_FREE
    return Certainty(math.exp(sum(free) / len(free)), math.exp(min(free)), len(free))


def _byte_offsets(text: str) -> Sequence[int]:
    if text.isascii():
        return range(len(text) + 1)
    return list(accumulate((len(char.encode()) for char in text), initial=0))


def _strings(text: str) -> Iterator[tuple[str, int, int]]:
    """Path, start and end (with the closing quote, without the opening one) of every string value."""
    end = yield from _value(text, _skip(text, 0), "")
    if text[end:].strip():
        raise ValueError("there is more after the answer")


def _value(text: str, at: int, path: str) -> Generator[tuple[str, int, int], None, int]:
    match text[at : at + 1]:
        case '"':
            found = _string(text, at)
            yield path, at + 1, found.end()
            return found.end()
        case "{":
            return (yield from _members(text, at + 1, path))
        case "[":
            return (yield from _items(text, at + 1, path))
        case _:
            raise ValueError(f"no string, list or object at {at}")


def _members(text: str, at: int, path: str) -> Generator[tuple[str, int, int], None, int]:
    at = _skip(text, at)
    while text[at : at + 1] != "}":
        key = _string(text, at)
        at = _skip(text, _expect(text, _skip(text, key.end()), ":"))
        at = yield from _value(text, at, f"{path}.{key[1]}" if path else key[1])
        at = _next(text, at, "}")
    return at + 1


def _items(text: str, at: int, path: str) -> Generator[tuple[str, int, int], None, int]:
    at, index = _skip(text, at), 0
    while text[at : at + 1] != "]":
        at = yield from _value(text, at, f"{path}[{index}]")
        at, index = _next(text, at, "]"), index + 1
    return at + 1


def _string(text: str, at: int) -> re.Match[str]:
    found = _STRING.match(text, at)
    if found is None:
        raise ValueError(f"no string at {at}")
    return found


def _next(text: str, at: int, close: str) -> int:
    """Past a comma, or at what closes."""
    at = _skip(text, at)
    return at if text[at : at + 1] == close else _skip(text, _expect(text, at, ","))


def _expect(text: str, at: int, char: str) -> int:
    if text[at : at + 1] != char:
        raise ValueError(f"no {char} at {at}")
    return at + 1


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\n", "\r", "\t") and at < len(text):
        at += 1
    return at
