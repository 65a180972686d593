"""What a person types or clicks becomes a value; what could mean two things is asked again, never guessed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from inference.dates import day_order, find_dates
from inference.numbers import decimal_mark, parse_number

LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Conventions:
    """How numbers and dates are written: `mark` is the decimal mark or "", `order` is "dmy", "mdy" or ""."""

    mark: str = ""
    order: str = ""


def conventions_of(texts: Iterable[str]) -> Conventions:
    """The conventions of a document, from its words."""
    kept = list(texts)
    return Conventions(decimal_mark(kept) or "", day_order(kept))


def typed_value(kind: str, text: str, paper: Conventions, own: Conventions | None = None) -> str:
    """The value of a text by the field's kind: a decimal string, an ISO date, or the text without stray space.

    `paper` are the document's conventions; `own` those of the person who typed, None for words of the document. Raises
    ValueError with a sentence that says what to write instead.
    """
    cleaned = " ".join(unicodedata.normalize("NFC", text).split())[:LONGEST]
    if kind == "date":
        return _date(cleaned, paper, own)
    if kind in ("amount", "quantity", "percent"):
        return format(_number(kind, cleaned, paper, own), "f")
    return cleaned


def _number(kind: str, text: str, paper: Conventions, own: Conventions | None) -> Decimal:
    marks = [paper.mark] if own is None else [own.mark, paper.mark]
    known = [mark for mark in dict.fromkeys(marks) if mark] or [""]
    # Digits of other scripts and full-width signs are read as the common ones.
    plain = unicodedata.normalize("NFKC", text)
    read = [parse_number(plain, mark or None) for mark in known]
    found = [number for number in read if number is not None]
    if len(found) < len(read):
        raise ValueError(f"“{text}” is not a number.")
    values = {number.value for number in found}
    if len(values) > 1 or found[0].unsure:
        digits = [format(value, "f") for value in sorted(values)]
        meant = " or ".join(digits) if len(digits) > 1 else f"{digits[0]} or {_other(digits[0])}"
        raise ValueError(f"“{text}” can mean {meant}. Write it without a mark for thousands.")
    value = values.pop()
    if kind == "percent" and not 0 <= value <= 100:
        raise ValueError(f"“{text}” is not a percentage from 0 to 100.")
    if abs(value.adjusted()) > 15:
        raise ValueError(f"“{text}” is larger than any amount of a bill.")
    return value


def _other(digits: str) -> str:
    """1234 as 1.234: the other meaning of a mark before three digits."""
    return f"{digits[:-3]}.{digits[-3:]}"


def _date(text: str, paper: Conventions, own: Conventions | None) -> str:
    order = paper.order or (own.order if own else "")
    found = [one for one in find_dates(text, order) if one.start == 0 and one.end == len(text)]
    if not found:
        raise ValueError(f"“{text}” is not a date. Write it as 2025-02-28.")
    if found[0].other is not None:
        raise ValueError(
            f"“{text}” can mean {found[0].value.isoformat()} or {found[0].other.isoformat()}. Write one of them."
        )
    return found[0].value.isoformat()
