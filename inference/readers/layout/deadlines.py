"""Days to pay that a sentence names: "Please pay the amount until 20 March 2026"."""

from __future__ import annotations

from collections.abc import Iterator

from inference.readers.layout.candidates import DateAt, Values
from inference.readers.layout.lexicon import lexicon, pieces
from inference.readers.layout.rows import COLUMN_GAP, Row, Sheet

_REACH = 14
"""Words between the one for paying and the date."""


def find_deadlines(sheet: Sheet, values: Values) -> Iterator[DateAt]:
    """The dates right after a word for "until" in a sentence with a word for paying before it.

    The sentence can begin on the row above. What can be deducted until a day is not due then.
    """
    for row in sheet.rows:
        near = sheet.rows[max(0, row.index - 1) : row.index + 2]
        if "%" in row.text or any(_deducts(other) for other in near):
            continue
        for at in values.dates(row):
            before = row.text[: at.span.start].rpartition(COLUMN_GAP)[2]
            if _until(before) and _asks(_above(sheet, row) + " " + before):
                yield at


def _deducts(row: Row) -> bool:
    return any(piece.folded.startswith(lexicon().deduct) for piece in pieces(row.text))


def _until(before: str) -> bool:
    """Whether a text ends with a word for "until"."""
    folded = [piece.folded for piece in pieces(before)[-4:]]
    return any("".join(folded[-n:]) in lexicon().until for n in range(1, len(folded) + 1))


def _asks(sentence: str) -> bool:
    """Whether the last words of a text ask to pay."""
    last = sentence.replace("!", ".").rpartition(". ")[2]
    words = [piece.folded for piece in pieces(last)[-_REACH:]]
    return any(word.startswith(lexicon().pay) for word in words)


def _above(sheet: Sheet, row: Row) -> str:
    """The text of the row above, where it is close enough to be the same sentence."""
    if not row.index:
        return ""
    other = sheet.rows[row.index - 1]
    near = other.page == row.page and row.middle - other.middle < 2 * row.height
    return other.text if near and not other.text.endswith((".", "!", ":")) else ""
