"""Figures in running text, each with everything it can mean: for finding a known number, where `inference.numbers`
reads an unknown one."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from inference.textrow import TextRow, is_ideograph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DIGITS = re.compile(r"\d(?:[\d.,'’`´·]*\d)?")
MOST_DIGITS = 30
_GROUP_GAP = frozenset(" \u00a0\u202f\u2009")


def numbers_in(row: TextRow) -> Iterator[tuple[int, int, set[Decimal]]]:
    """The numbers of a row with what each can mean, also those whose thousands stand apart."""
    text = row.text
    runs = [found.span() for found in _DIGITS.finditer(text) if found.end() - found.start() <= MOST_DIGITS]
    for position, (start, end) in enumerate(runs):
        if not _is_within(text, start, end):
            yield start, end, _meanings(text[start:end])
        whole = text[start:end]
        if not (whole.isdigit() and len(whole) <= 3):
            continue
        for next_start, next_end in runs[position + 1 : position + 6]:
            apart, part = text[end:next_start], text[next_start:next_end]
            if len(apart) != 1 or apart not in _GROUP_GAP or not re.fullmatch(r"\d{3}(?:[.,]\d{1,4})?", part):
                break
            whole, end = whole + part, next_end
            if not _is_within(text, start, end) and row.unbroken(start, end):
                yield start, end, {Decimal(whole.replace(",", "."))}
            if not part.isdigit():
                break


def _is_within(text: str, start: int, end: int) -> bool:
    """Whether figures are part of a date, a time or an identifier."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before and before[-1].isalpha() and not is_ideograph(before[-1]):
        # A currency stands directly before an amount: "EUR12,50".
        if not re.search(r"(?<![^\W\d_])[^\W\d_]{1,4}$", text[max(0, start - 6) : start]):
            return True
        if not re.search(r"[.,]\d{2}$", text[start:end]):
            return True
    if len(before) == 2 and before[1] in "-/:" and before[0].isalnum() and not is_ideograph(before[0]):
        return before[1] != ":" or before[0].isdigit()
    return len(after) == 2 and after[0] in "-/:_" and after[1].isdigit()


@lru_cache(maxsize=5_000)
def _meanings(digits: str) -> set[Decimal]:
    """What figures with marks can mean: "1.234" is 1234 and 1.234, "1.234,56" is 1234.56 only."""
    marks = [char for char in digits if not char.isdigit()]
    if not marks:
        return {Decimal(digits)}
    found: set[Decimal] = set()
    groups = re.split(r"[.,'’`´·]", digits)
    if len(set(marks)) == 1 and _grouped(groups):
        found.add(Decimal("".join(groups)))
    decimal = marks[-1]
    if decimal in ".,·" and decimal not in marks[:-1] and len(set(marks[:-1])) <= 1:
        whole = groups[:-1]
        if len(whole) == 1 or _grouped(whole):
            found.add(Decimal("".join(whole) + "." + groups[-1]))
    return found


def _grouped(groups: Sequence[str]) -> bool:
    """Whether these are thousands, also as grouped in India (12,34,567)."""
    return 1 <= len(groups[0]) <= 3 and len(groups[-1]) == 3 and all(len(g) in (2, 3) for g in groups[1:-1])
