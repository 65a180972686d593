"""Words put into rows: the text of a page as lines with columns, every character traceable to its box."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from inference.invoice import Box, Evidence

if TYPE_CHECKING:
    from inference.document import Document
    from inference.page import Page

COLUMN_GAP = "   "
"""What stands in a row's text between words that are too far apart to belong together."""

_GAP = 0.9
"""A gap wider than this share of the letter height begins a new segment of the row."""

_OFF, _OFF_OCR = 0.5, 0.41
"""How far off its row's last word a word may stand, as a share of their height; boxes of OCR are 1.4 times as high."""


_SLOPES = tuple(sign * step / 100 for step in range(2, 11) for sign in (1, -1))
"""Slopes of a photo that are tried, small ones first: up to 6 degrees."""

_ROWS_TO_TELL, _FEWER = 8, 0.93
"""A slope is believed on pages of so many rows, where it leaves at most that share of them."""


class Word(NamedTuple):
    """A word, its sides in points on the page, and the OCR's score."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float

    @property
    def height(self) -> float:
        """Height in points."""
        return self.y1 - self.y0

    @property
    def middle(self) -> float:
        """Vertical middle in points."""
        return (self.y0 + self.y1) / 2


@dataclass(frozen=True, eq=False)
class Row:
    """Words that stand beside each other, from left to right. `index` counts the rows of the whole document."""

    words: tuple[Word, ...]
    page: int
    width: float
    page_height: float
    ocr: bool
    index: int = 0

    @cached_property
    def _laid_out(self) -> tuple[str, tuple[int, ...]]:
        parts: list[str] = []
        starts: list[int] = []
        length = 0
        for before, word in zip((None, *self.words), self.words, strict=False):
            if before is not None:
                joiner = _joiner(before, word)
                parts.append(joiner)
                length += len(joiner)
            starts.append(length)
            parts.append(word.text)
            length += len(word.text)
        return "".join(parts), tuple(starts)

    @property
    def text(self) -> str:
        """The row's text; columns are three spaces apart."""
        return self._laid_out[0]

    @property
    def starts(self) -> tuple[int, ...]:
        """Where each word starts in `text`."""
        return self._laid_out[1]

    @cached_property
    def x0(self) -> float:
        """Left side in points."""
        return min(word.x0 for word in self.words)

    @cached_property
    def x1(self) -> float:
        """Right side in points."""
        return max(word.x1 for word in self.words)

    @cached_property
    def y0(self) -> float:
        """Upper side in points."""
        return min(word.y0 for word in self.words)

    @cached_property
    def y1(self) -> float:
        """Lower side in points."""
        return max(word.y1 for word in self.words)

    @cached_property
    def height(self) -> float:
        """The usual height of a word of the row in points."""
        heights = sorted(word.height for word in self.words)
        return max(4.0, heights[len(heights) // 2])

    @cached_property
    def middle(self) -> float:
        """Vertical middle in points."""
        middles = sorted(word.middle for word in self.words)
        return middles[len(middles) // 2]

    @cached_property
    def segments(self) -> tuple[Span, ...]:
        """The pieces of the row between column gaps."""
        spans: list[Span] = []
        position = 0
        for piece in self.text.split(COLUMN_GAP):
            spans.append(Span(self, position, position + len(piece)))
            position += len(piece) + len(COLUMN_GAP)
        return tuple(spans)


@dataclass(frozen=True)
class Span:
    """A part of a row's text, from character `start` to `end`."""

    row: Row
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters."""
        return self.row.text[self.start : self.end]

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The words that the span touches."""
        first = max(0, bisect_right(self.row.starts, self.start) - 1)
        last = max(first + 1, bisect_right(self.row.starts, max(self.start, self.end - 1)))
        return self.row.words[first:last]

    @cached_property
    def x0(self) -> float:
        """Left side in points; within a word by its share of the characters."""
        first = max(0, bisect_right(self.row.starts, self.start) - 1)
        word = self.row.words[first]
        share = (self.start - self.row.starts[first]) / max(1, len(word.text))
        return word.x0 + min(1.0, share) * (word.x1 - word.x0)

    @cached_property
    def x1(self) -> float:
        """Right side in points."""
        last = max(0, bisect_right(self.row.starts, max(self.start, self.end - 1)) - 1)
        word = self.row.words[last]
        share = (self.end - self.row.starts[last]) / max(1, len(word.text))
        return word.x0 + min(1.0, share) * (word.x1 - word.x0)

    @cached_property
    def score(self) -> float:
        """The lowest OCR score of its words."""
        return min(word.score for word in self.words)

    @property
    def segment(self) -> Span:
        """The segment of the row in which the span starts."""
        for segment in self.row.segments:
            if segment.start <= self.start <= segment.end:
                return segment
        return Span(self.row, 0, len(self.row.text))

    def evidence(self) -> Evidence:
        """The place on the page: union box of the words in fractions, and the characters."""
        row, words = self.row, self.words
        box = Box(
            _within(self.x0 / row.width),
            _within(min(w.y0 for w in words) / row.page_height),
            _within(self.x1 / row.width),
            _within(max(w.y1 for w in words) / row.page_height),
        )
        return Evidence(row.page, box, re.sub(r" {2,}", " ", self.text))


def _joiner(before: Word, word: Word) -> str:
    """What stands between two words: a column gap, a space, or nothing inside a number torn apart."""
    gap, size = word.x0 - before.x1, max(4.0, min(before.height, word.height))
    if gap > _GAP * size:
        return COLUMN_GAP
    if re.search(r"\d$", before.text) and re.match(r"[.,]\d", word.text):
        return "" if gap < 0.6 * size else " "
    torn = re.search(r"(?:^|[^\w])\d+[.,]$", before.text) and re.match(r"\d{2,3}\b", word.text)
    return "" if torn and gap < 0.12 * size else " "


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))


@dataclass(frozen=True)
class Sheet:
    """All rows of a document, top to bottom, page after page."""

    rows: tuple[Row, ...]
    pages: int
    ocr: bool
    _by_page: dict[int, list[Row]] = field(default_factory=dict[int, "list[Row]"])

    def on_page(self, page: int) -> list[Row]:
        """The rows of one page, top to bottom."""
        if not self._by_page:
            for row in self.rows:
                self._by_page.setdefault(row.page, []).append(row)
        return self._by_page.get(page, [])

    def below(self, row: Row, reach: float) -> Iterator[Row]:
        """The rows of the same page that begin at most `reach` points below a row's lower side."""
        for other in self.rows[row.index + 1 :]:
            if other.page != row.page or other.middle - row.y1 > reach:
                return
            if other.middle > row.middle:
                yield other


def sheet_of(document: Document) -> Sheet:
    """The rows of all pages. A page without words gives none."""
    rows: list[Row] = []
    ocr = False
    for page in document.pages:
        found = _rows_of(page)
        ocr = ocr or (page.ocr and bool(found))
        for words in found:
            rows.append(Row(tuple(words), page.number, page.width, page.height, page.ocr, len(rows)))
    return Sheet(tuple(rows), len(document.pages), ocr)


def _rows_of(page: Page) -> list[list[Word]]:
    """The words of a page in rows, top to bottom.

    On a photo that is askew, a price at the right may stand beside the name of the next row; the slope is taken at
    which words make the fewest rows, if they are clearly fewer than those of a straight page.
    """
    words = sorted(_words_of(page), key=lambda word: (word.x0, word.y0))
    straight = _chained(words, _OFF_OCR if page.ocr else _OFF, 0.0)
    if not page.ocr or len(straight) < _ROWS_TO_TELL or page.width > page.height:
        return straight
    tilted = min((_chained(words, _OFF_OCR, slope) for slope in _SLOPES), key=len)
    return tilted if len(tilted) <= min(len(straight) - 2, _FEWER * len(straight)) else straight


def _chained(words: Sequence[Word], most_off: float, slope: float) -> list[list[Word]]:
    """Words chained from left to right: each joins the row whose last word stands beside it, `slope` taken out.

    Following the last word rather than a common baseline keeps slightly turned photos in one row.
    """
    rows: list[list[Word]] = []
    for word in words:
        best, best_off = None, 0.0
        for row in rows:
            last = row[-1]
            smaller = min(last.height, word.height)
            off = abs(word.middle - last.middle - slope * (word.x0 + word.x1 - last.x0 - last.x1) / 2)
            if last.x1 - word.x0 > 0.5 * smaller + 1 or off > most_off * smaller:
                continue
            if best is None or off < best_off:
                best, best_off = row, off
        if best is None:
            rows.append([word])
        else:
            best.append(word)
    return sorted(rows, key=lambda row: sorted(word.middle for word in row)[len(row) // 2])


def _words_of(page: Page) -> Sequence[Word]:
    """The tokens in points, upright ones only, leaders of dots left out."""
    found: list[Word] = []
    for token in page.tokens:
        text = re.sub(r"\.{4,}|_{3,}|…{2,}", "", token.text).strip()
        if text:
            box = token.box
            x0, y0, x1, y1 = (
                side * size for side, size in zip(box, 2 * (page.width, page.height), strict=True)
            )
            found.append(Word(text, x0, y0, x1, y1, token.score))
    strips = [word for word in found if _is_turned(word)]
    return [word for word in found if not any(_in_strip(word, strip) for strip in strips)]


def _is_turned(word: Word) -> bool:
    """Whether a word is far too tall for upright print: it runs up or down the page."""
    length = len(word.text)
    return length > 2 and word.height > (1.7 if length > 3 else 2.5) * (word.x1 - word.x0)


def _in_strip(word: Word, turned: Word) -> bool:
    """Whether a tall word stands above or below a turned one, in the same narrow strip."""
    if word is turned:
        return True
    tall = word.height > 1.2 * (word.x1 - word.x0) and len(word.text) > 1
    return tall and abs(word.x0 - turned.x0) < 2 and abs(word.x1 - turned.x1) < 2
