"""Typed values found in rows: numbers, dates and identifiers, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from inference.confidence import Features
from inference.dates import FoundDate, day_order, find_dates
from inference.identifiers import Identifier, find_credit_codes, find_ibans, find_vat_ids
from inference.invoice import Value
from inference.numbers import NUMBER, Number, decimal_mark, number_of
from inference.readers.layout.rows import Row, Sheet, Span


@dataclass(frozen=True)
class NumberAt:
    """A number and where it stands."""

    span: Span
    number: Number

    @property
    def money(self) -> bool:
        """Whether it looks like an amount: two decimals or a currency sign, and no percent."""
        return not self.number.percent and (self.number.places == 2 or bool(self.number.currency))


@dataclass(frozen=True)
class DateAt:
    """A date and where it stands."""

    span: Span
    found: FoundDate


@dataclass(frozen=True)
class IdentifierAt:
    """An identifier with a known scheme and where it stands."""

    span: Span
    identifier: Identifier


@dataclass(frozen=True)
class Finding:
    """A value proposed for a term, what proves it and what speaks for it (`score`, higher is better).

    `other` is the date that the same words can mean, too. `marks` are what the scorer looks at.
    """

    term: str
    value: Value
    spans: tuple[Span, ...]
    score: float
    features: Features
    raw: str = ""
    note: str = ""
    other: date | None = None
    probability: float | None = None
    marks: Mapping[str, float] = field(default_factory=dict[str, float], compare=False)

    def with_features(self, **changes: float) -> Finding:
        """The same Finding with some features changed."""
        return replace(self, features=replace(self.features, **changes))


@dataclass(eq=False)
class Values:
    """The typed values of a sheet, found on first use per row. `mark` and `order` are the document's own."""

    sheet: Sheet
    mark: str | None = None
    order: str = ""
    _numbers: dict[int, tuple[NumberAt, ...]] = field(default_factory=dict[int, "tuple[NumberAt, ...]"])
    _dates: dict[int, tuple[DateAt, ...]] = field(default_factory=dict[int, "tuple[DateAt, ...]"])

    @classmethod
    def of(cls, sheet: Sheet) -> Values:
        """The values of a sheet, its decimal mark and its order of day and month voted by all its numbers."""
        texts = [row.text for row in sheet.rows]
        order = day_order(texts) or ("mdy?" if any(map(_AMERICAN.search, texts)) else "")
        return cls(sheet, decimal_mark(texts), order)

    def numbers(self, row: Row) -> tuple[NumberAt, ...]:
        """The numbers of a row that are no part of a date, a time or an identifier, from left to right."""
        if row.index not in self._numbers:
            self._numbers[row.index] = tuple(self._find_numbers(row))
        return self._numbers[row.index]

    def dates(self, row: Row) -> tuple[DateAt, ...]:
        """The dates of a row, from left to right."""
        if row.index not in self._dates:
            self._dates[row.index] = tuple(
                DateAt(Span(row, found.start, found.end), found) for found in find_dates(row.text, self.order)
            )
        return self._dates[row.index]

    @cached_property
    def vat_ids(self) -> tuple[IdentifierAt, ...]:
        """VAT ids and Chinese credit codes anywhere on the sheet."""
        return tuple(
            IdentifierAt(Span(row, found.start, found.end), found)
            for row in self.sheet.rows
            for found in (*find_vat_ids(row.text), *find_credit_codes(row.text))
        )

    @cached_property
    def ibans(self) -> tuple[IdentifierAt, ...]:
        """IBANs anywhere on the sheet whose check digits hold, or that follow the word."""
        return tuple(
            IdentifierAt(Span(row, found.start, found.end), found)
            for row in self.sheet.rows
            for found in find_ibans(row.text)
            if found.valid or "iban" in row.text[: found.start].casefold()
        )

    def _find_numbers(self, row: Row) -> Iterator[NumberAt]:
        taken = [(at.span.start, at.span.end) for at in self.dates(row)]
        known = (*self.vat_ids, *self.ibans)
        taken += [(at.span.start, at.span.end) for at in known if at.span.row is row]
        taken += [found.span() for found in _TIME.finditer(row.text)]
        for found in NUMBER.finditer(row.text):
            start, end = found.span()
            if any(start < stop and begin < end for begin, stop in taken):
                continue
            if number := number_of(found, self.mark):
                lead = len(found.group()) - len(found.group().lstrip())
                yield NumberAt(Span(row, start + lead, start + len(found.group().rstrip())), number)


_AMERICAN = re.compile(r"\b[A-Z]{2},? \d{5}(?:-\d{4})?(?!\d)|United States|\bU\.?S\.?A\b")
"""An address in the United States, where the month is written first."""

_TIME = re.compile(
    r"\b\d{1,2}:\d{2}(?::\d{2})?\b|\b\d{1,2}[.:]\d{2}\s?(?:-|–|bis|to)\s?\d{1,2}[.:]\d{2}\b|\b\d{1,2}\.\d{2}\s?Uhr\b"
)
_ID = re.compile(r"[A-Za-z0-9]")
_SKIP = re.compile(
    r"^(?:[\s:：.#№°º*|=>(\[–\-\"”]|(?:nr|nro|no|n|num|number|numero|número|id|č|čís|číslo|sz|szám|št|br)\b[.:]*)+",
    re.IGNORECASE,
)
_PHONE = re.compile(r"^\+?\(?\d{2,5}\)?[ /-]\d{3,}[ \d/-]*$")


def identifier_after(row: Row, start: int, stop: int) -> Span | None:
    """The identifier that a piece of a row begins with, after punctuation; None where it begins with words.

    An identifier holds a digit. Short words in capitals before it belong to it ("RE 2026-17"), so do parts
    joined by a dash or a slash.
    """
    text = row.text[start:stop].split("   ")[0]
    skipped = _SKIP.match(text)
    begin = skipped.end() if skipped else 0
    words = [(found.start(), found.end()) for found in re.finditer(r"\S+", text[begin:])]
    end = None
    first = 0
    for position, (left, right) in enumerate(words[:6]):
        word = text[begin + left : begin + right]
        joins = end is not None and (
            word[0] in "-/" or text[begin + end - 1] in "-/_" or (len(words) > position and word in "-/")
        )
        if end is not None and not joins:
            break
        if any(c.isdigit() for c in word):
            end = right
        elif end is None and word.isupper() and word.isalpha() and len(word) <= 4 and position < 2:
            continue
        elif end is not None and word in "-/":
            end = right
        else:
            break
    if end is None:
        return None
    first = words[0][0]
    raw = text[begin + first : begin + end]
    stripped = raw.rstrip(".,;:)]*-/").lstrip("(#[")
    if not _ID.search(stripped) or not any(c.isdigit() for c in stripped):
        return None
    begin += first + (len(raw) - len(raw.lstrip("(#[")))
    return Span(row, start + begin, start + begin + len(stripped))


def plausible_identifier(text: str) -> bool:
    """Whether a text can be a document's number: no date, amount, phone number or address."""
    if len(text) > 40 or "@" in text or "://" in text:
        return False
    if any(found.start == 0 and found.end == len(text) for found in find_dates(text)) and not text.isdigit():
        return False
    if re.fullmatch(r"[€$£¥]?\s?\d{1,3}(?:[.,]\d{3})*[.,]\d{2}\s?[€$£]?|\d{1,2}:\d{2}(?::\d{2})?", text):
        return False
    if _PHONE.match(text) and " " in text and text.startswith(("+", "0", "(")):
        return False
    return not text.endswith("%")
