"""Grounding: where a typed value stands on the pages of a Document, whatever format it is printed in.

Any Reader may ask; the words are indexed once per Document. Amounts are found in every grouping and with either
decimal mark, dates in every form that `inference.dates` knows, identifiers without regard to spaces, dots, case and
country code, names also where they are folded over several lines.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from inference.dates import find_dates
from inference.figures import numbers_in
from inference.invoice import Box, Evidence, Kind, Value
from inference.numbers import AMBIGUOUS_SIGNS, CURRENCY_SIGNS
from inference.textrow import TextRow, fold, is_ideograph, text_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from inference.page import Words

MOST_FOLDS = 8
LONG = 6
"""Identifiers this long are the same with a country code before them and without."""
_LINE_GAP = 2.2
_KEY = 2


class Found(NamedTuple):
    """The best place of a value, at how many places it stands, and whether something tells the best one apart."""

    evidence: Evidence
    places: int
    settled: bool

    @property
    def ambiguous(self) -> bool:
        """Whether the value stands elsewhere too and nothing says which place is meant."""
        return self.places > 1 and not self.settled


class _Place(NamedTuple):
    """Characters `start` to `end` of a row's text, and where the value goes on, on the rows below."""

    row: int
    start: int
    end: int
    rest: tuple[tuple[int, int, int], ...] = ()


class Finder:
    """Finds values among the words of pages. Pages without words simply hold no value."""

    def __init__(self, pages: Iterable[Words]) -> None:
        self._rows = [row for page in pages for row in text_rows(page)]

    @property
    def empty(self) -> bool:
        """Whether the pages have no words at all."""
        return not self._rows

    def texts(self) -> Iterator[tuple[int, str]]:
        """Page number and text of each row, in reading order."""
        return ((row.page, row.text) for row in self._rows)

    def find(
        self,
        value: Value,
        kind: Kind,
        *,
        labels: Collection[str] = (),
        near: Evidence | None = None,
        below: Evidence | None = None,
    ) -> Found | None:
        """The best place of a value of that kind; None where it stands nowhere.

        Of several places the one with one of the `labels` (folded, see `fold`) to its left or above is the best,
        or the one nearest to `near`, or the first after `below`. Amounts are compared by magnitude: signs are printed apart, as
        “CR” or not at all.
        """
        places = self._places(value, kind)
        if not places:
            return None
        settled = len(places) == 1
        best = places[0]
        if not settled and near is not None:
            ranked = sorted(places, key=lambda place: self._distance(place, near))
            best, settled = ranked[0], True
        elif not settled and below is not None and below.box is not None:
            last = (below.page or 1, below.box.y1)
            best = next((place for place in places if self._position(place) > last), best)
        elif not settled and labels:
            marked = [(self._label(place, labels), place) for place in places]
            longest = max(length for length, _ in marked)
            chosen = [place for length, place in marked if length == longest]
            best, settled = chosen[0], longest > 0 and len(chosen) == 1
        return Found(self._evidence(best), len(places), settled)

    def _places(self, value: Value, kind: Kind) -> list[_Place]:
        if isinstance(value, Decimal):
            return self._numbers.get(abs(value), []) if value.is_finite() else []
        if isinstance(value, date):
            return self._dates.get(value, [])
        if kind is Kind.CODE and value in _SIGNS_OF:
            return self._codes(value)
        folded = fold(value)
        if kind in (Kind.IDENTIFIER, Kind.CODE):
            return self._identifiers(folded)
        return list(self._whole(folded)) or list(self._folded_over(folded))

    @cached_property
    def _numbers(self) -> dict[Decimal, list[_Place]]:
        found: dict[Decimal, list[_Place]] = defaultdict(list)
        for index, row in enumerate(self._rows):
            for start, end, values in numbers_in(row):
                for value in values:
                    found[value].append(_Place(index, start, end))
        return dict(found)

    @cached_property
    def _dates(self) -> dict[date, list[_Place]]:
        found: dict[date, list[_Place]] = defaultdict(list)
        for index, row in enumerate(self._rows):
            if not any(char.isdigit() or char == "年" for char in row.text):
                continue
            for day in find_dates(row.text):
                for value in {day.value, day.other} - {None}:
                    if value is not None:
                        found[value].append(_Place(index, day.start, day.end))
        return dict(found)

    @cached_property
    def _heads(self) -> dict[str, list[tuple[int, int]]]:
        """Rows and places in `folded` where words begin, by their first letters."""
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for index, row in enumerate(self._rows):
            for head in row.heads:
                for key in {row.folded[head : head + _KEY], row.folded[head]}:
                    found[key].append((index, head))
        return dict(found)

    def _codes(self, code: str) -> list[_Place]:
        """A currency by its code, or by the signs that stand for it."""
        written = self._identifiers(fold(code))
        if written:
            return written
        places: list[_Place] = []
        for index, row in enumerate(self._rows):
            for sign in _SIGNS_OF[code]:
                matches = re.finditer(rf"(?<![^\W\d_]){re.escape(sign)}(?![^\W\d_])", row.text)
                places += [_Place(index, *match.span()) for match in matches]
        return places

    def _identifiers(self, folded: str) -> list[_Place]:
        """An identifier as it is, with its country code, or without it."""
        places = list(self._whole(folded, strict=True))
        if not places and len(folded) >= LONG + 2 and folded[:2].isalpha() and not folded[2:4].isalpha():
            places = list(self._whole(folded[2:], strict=True))
        return places or list(self._folded_over(folded, strict=True))

    def _whole(self, folded: str, *, strict: bool = False) -> Iterator[_Place]:
        """Where the folded text stands on one row, as whole words."""
        for index, head in self._heads.get(folded[:_KEY], ()) if folded else ():
            row = self._rows[index]
            if not row.folded.startswith(folded, head):
                continue
            start, end = row.origins[head], row.origins[head + len(folded) - 1] + 1
            bounded = _opens(row.text, start, len(folded), strict=strict) and _closes(
                row.text, end, strict=strict
            )
            if bounded and (not strict or row.unbroken(start, end)):
                yield _Place(index, start, end)

    def _folded_over(self, folded: str, *, strict: bool = False) -> Iterator[_Place]:
        """Where the folded text ends a column's line and goes on at the start of the next lines below."""
        for index, head in self._heads.get(folded[:_KEY], ()) if len(folded) > 3 else ():
            row = self._rows[index]
            segment = next((s for s in row.segments if s[0] <= head < s[1]), None)
            if segment is None or segment[1] - head >= len(folded):
                continue
            start = row.origins[head]
            if not folded.startswith(row.folded[head : segment[1]]) or not _opens(
                row.text, start, len(folded), strict=strict
            ):
                continue
            rest = self._continued(index, segment, folded[segment[1] - head :], MOST_FOLDS, strict)
            if rest:
                yield _Place(index, start, row.origins[segment[1] - 1] + 1, rest)

    def _continued(
        self, index: int, segment: tuple[int, int], folded: str, most: int, strict: bool
    ) -> tuple[tuple[int, int, int], ...]:
        """The parts on the rows below a column that make up the rest of the text, or nothing."""
        row = self._rows[index]
        above = row.box(row.origins[segment[0]], row.origins[segment[1] - 1] + 1)
        for below in range(index + 1, min(index + 4, len(self._rows))):
            other = self._rows[below]
            if other.page != row.page or other.tokens[0].box.y0 - above.y1 > _LINE_GAP * row.height:
                break
            for first, last in other.segments:
                start, end = other.origins[first], other.origins[last - 1] + 1
                box = other.box(start, end)
                if min(box.x1, above.x1) <= max(box.x0, above.x0):
                    continue
                if other.folded[first:last].startswith(folded):
                    stop = other.origins[first + len(folded) - 1] + 1
                    if _closes(other.text, stop, strict=strict):
                        return ((below, start, stop),)
                elif most and folded.startswith(other.folded[first:last]):
                    rest = self._continued(below, (first, last), folded[last - first :], most - 1, strict)
                    if rest:
                        return ((below, start, end), *rest)
        return ()

    def _evidence(self, place: _Place) -> Evidence:
        row = self._rows[place.row]
        box, texts = row.box(place.start, place.end), [row.text[place.start : place.end]]
        for index, start, end in place.rest:
            other = self._rows[index]
            box = box.union(other.box(start, end))
            texts.append(other.text[start:end])
        return Evidence(row.page, box, " ".join(texts))

    def _position(self, place: _Place) -> tuple[int, float]:
        """The page and the lower edge: the order in which a page is read."""
        row = self._rows[place.row]
        return row.page, row.box(place.start, place.end).y1

    def _distance(self, place: _Place, near: Evidence) -> tuple[bool, int, float, float]:
        """How far a place is from a known one: pages, lines, columns; what is only a part of that one comes last."""
        row = self._rows[place.row]
        box, known = row.box(place.start, place.end), near.box or Box(0, 0, 1, 1)
        part = place.end - place.start < len(near.text or "") and _within(box, known)
        down = max(0.0, box.y0 - known.y1, known.y0 - box.y1)
        across = max(0.0, box.x0 - known.x1, known.x0 - box.x1)
        return part, abs(row.page - (near.page or 1)), round(down, 3), across

    def _label(self, place: _Place, labels: Collection[str]) -> int:
        """The length of the longest label to the left of a place or above it, 0 where there is none."""
        row = self._rows[place.row]
        box = row.box(place.start, place.end)
        before = bisect_right(row.origins, place.start - 1)
        longest = _longest_label(row, 0, before, labels)
        if longest or place.row == 0:
            return longest
        above = self._rows[place.row - 1]
        if above.page != row.page:
            return 0
        for first, last in above.segments:
            over = above.box(above.origins[first], above.origins[last - 1] + 1)
            if min(over.x1, box.x1) > max(over.x0, box.x0):
                longest = max(longest, _longest_label(above, first, last, labels))
        return longest


_SIGNS_OF: dict[str, tuple[str, ...]] = {
    code: tuple(
        sign
        for table in (CURRENCY_SIGNS, AMBIGUOUS_SIGNS)
        for sign, of in table.items()
        if of == code or (isinstance(of, tuple) and code in of)
    )
    for code in {*CURRENCY_SIGNS.values(), *(c for codes in AMBIGUOUS_SIGNS.values() for c in codes)}
}


def _within(box: Box, other: Box) -> bool:
    """Whether a box lies in another one, on its line."""
    middle = (box.y0 + box.y1) / 2
    return other.x0 <= box.x0 and box.x1 <= other.x1 and other.y0 <= middle <= other.y1


_OPENING = frozenset(":#=([{\"'：（【№|;*<>«“„‚‘")
_COUNTRY = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2,3}$")


def _opens(text: str, start: int, length: int, *, strict: bool) -> bool:
    """Whether a value may begin there: after a space or a sign that ends a label; for a name, any word's start."""
    if start == 0 or text[start - 1].isspace():
        return True
    before, char = text[start - 1], text[start]
    if is_ideograph(before) or is_ideograph(char) or before in _OPENING:
        return True
    if before.isalnum():
        return length >= LONG and bool(_COUNTRY.search(text[:start]))
    if not strict:
        return True
    word = text[:start].rsplit(" ", 1)[-1]
    if before == ".":
        return not any(c.isdigit() for c in word)
    return before == "," and not (text[start - 2 : start - 1].isdigit() and char.isdigit())


def _closes(text: str, end: int, *, strict: bool) -> bool:
    """Whether a value may end there: not within a word, and an identifier not before what continues it."""
    after = text[end : end + 1]
    if not after or after.isspace() or is_ideograph(after) or is_ideograph(text[end - 1]):
        return True
    if after.isalnum():
        return False
    following = text[end + 1 : end + 2]
    return not (strict and after in "-/.,_+" and following.isalnum())


def _longest_label(row: TextRow, first: int, last: int, labels: Collection[str]) -> int:
    """The length of the longest of the labels that stands there as whole words."""
    heads = {head for head in row.heads if first <= head < last}
    ends = {*heads, len(row.folded), last}
    longest = 0
    for label in labels:
        if len(label) <= longest:
            continue
        at = row.folded.find(label, first, last)
        while at >= 0:
            if at in heads and at + len(label) in ends:
                longest = len(label)
                break
            at = row.folded.find(label, at + 1, last)
    return longest
