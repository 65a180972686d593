"""Rows of text: the tokens beside each other on a page, as text and folded, every character traceable to its box."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.invoice import Box

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inference.page import Token, Words

COLUMN_GAP = 1.0
"""A gap wider than this share of the letter height parts columns; one value may stand across narrower ones."""
MOST_GAP = 1.2
"""A number or identifier is not put together across wider gaps than this share of the letter height."""


@dataclass(frozen=True, eq=False)
class TextRow:
    """The tokens beside each other on a page, as text and folded; `origins` leads from the one to the other."""

    page: int
    tokens: tuple[Token, ...]
    text: str
    starts: tuple[int, ...]
    folded: str
    origins: tuple[int, ...]
    heads: tuple[int, ...]
    """Where words begin in `folded`."""
    segments: tuple[tuple[int, int], ...]
    """The columns of the row as parts of `folded`."""

    @property
    def height(self) -> float:
        """Of the first token, as a fraction of the page."""
        return self.tokens[0].box.y1 - self.tokens[0].box.y0

    def box(self, start: int, end: int) -> Box:
        """Around characters of `text`; a token that reaches further is cut in proportion."""
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, end - 1) - 1
        parts = [
            _cut(self.tokens[i], start - self.starts[i], end - self.starts[i]) for i in range(first, last + 1)
        ]
        found = parts[0]
        for part in parts[1:]:
            found = found.union(part)
        return found

    def unbroken(self, start: int, end: int) -> bool:
        """Whether no wide gap parts the tokens from character `start` to `end`."""
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, end - 1) - 1
        return all(
            _gap(self.tokens[i], self.tokens[i + 1]) <= MOST_GAP * self.height for i in range(first, last)
        )


def fold(text: str) -> str:
    """Letters and digits only, without case and accents."""
    return "".join(map(_folded, text))


@lru_cache(maxsize=20_000)
def _folded(char: str) -> str:
    if char.isascii():
        return char.lower() if char.isalnum() else ""
    plain = unicodedata.normalize("NFKD", char.casefold())
    return "".join(c for c in plain if c.isalnum())


def text_rows(page: Words) -> Iterator[TextRow]:
    """The tokens of a page, which come in reading order, as rows."""
    row: list[Token] = []
    for token in page.tokens:
        if not token.text.strip():
            continue
        if row and not _beside(row[-1], token):
            yield _row(page.number, row)
            row = []
        row.append(token)
    if row:
        yield _row(page.number, row)


def _beside(last: Token, token: Token) -> bool:
    if token.box.x0 < last.box.x0:
        return False
    overlap = min(last.box.y1, token.box.y1) - max(last.box.y0, token.box.y0)
    return overlap > 0.3 * min(last.box.y1 - last.box.y0, token.box.y1 - token.box.y0)


def _row(page: int, tokens: Sequence[Token]) -> TextRow:
    starts: list[int] = []
    length = 0
    for token in tokens:
        starts.append(length)
        length += len(token.text) + 1
    text = " ".join(token.text for token in tokens)
    folded: list[str] = []
    origins: list[int] = []
    heads: list[int] = []
    before = " "
    for index, char in enumerate(text):
        for plain in _folded(char):
            if (not origins or origins[-1] != index) and not _one_word(before, char):
                heads.append(len(folded))
            folded.append(plain)
            origins.append(index)
        before = char
    return TextRow(
        page, tuple(tokens), text, tuple(starts), "".join(folded), tuple(origins), tuple(heads),
        _segments(tokens, starts, origins, len(text)),
    )  # fmt: skip


def _segments(
    tokens: Sequence[Token], starts: Sequence[int], origins: Sequence[int], length: int
) -> tuple[tuple[int, int], ...]:
    height = max(token.box.y1 - token.box.y0 for token in tokens)
    # Page fractions of height and width differ by the page's shape; A4 upright is the usual one.
    breaks = [i for i in range(1, len(tokens)) if _gap(tokens[i - 1], tokens[i]) > COLUMN_GAP * height]
    edges = [0, *(starts[i] for i in breaks), length]
    cuts = [bisect_right(origins, edge - 1) for edge in edges]
    return tuple((a, b) for a, b in pairwise(cuts) if b > a)


def _gap(left: Token, right: Token) -> float:
    """The gap between two tokens in fractions of the page's height, as if it were A4."""
    return (right.box.x0 - left.box.x1) * 210 / 297


def _one_word(before: str, char: str) -> bool:
    """Whether a character goes on with the word before it; ideographs are words of their own, and so are figures."""
    if not before.isalnum() or is_ideograph(before) or is_ideograph(char):
        return False
    return before.isdigit() == char.isdigit() or before.isdigit()


def is_ideograph(char: str) -> bool:
    return "\u2e80" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" or "\uac00" <= char <= "\ud7af"


def _cut(token: Token, start: int, end: int) -> Box:
    """The part of a token's box for some of its characters."""
    length = len(token.text)
    start, end = max(0, start), min(length, end)
    if start == 0 and end == length:
        return token.box
    x0, y0, x1, y1 = token.box
    return Box(x0 + (x1 - x0) * start / length, y0, x0 + (x1 - x0) * end / length, y1)
