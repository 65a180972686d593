"""Texts of an answer as typed values, by the Term's kind and by how the document writes numbers and dates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from inference.dates import day_order, find_dates
from inference.identifiers import find_bics, find_ibans, find_vat_ids
from inference.invoice import DocumentType, Kind, Term, Value
from inference.numbers import (
    AMBIGUOUS_SIGNS,
    CURRENCY_CODES,
    currency_of,
    decimal_mark,
    parse_number,
    parse_quantity,
)
from inference.readers.vlm.schema import DOCUMENT_TYPE

LARGEST = Decimal(10) ** 13
"""No figure on a bill is larger."""

_VAT_IDS = frozenset({"seller_vat_id", "buyer_vat_id"})


@dataclass(frozen=True, slots=True)
class Conventions:
    """How a document writes: its decimal mark ("." or ","; None where nothing tells), its order of day and month."""

    mark: str | None = None
    order: str = ""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Conventions:
        """Those that most of the numbers and dates in the texts follow."""
        texts = tuple(texts)
        return cls(decimal_mark(texts), day_order(texts))


def values_of(term: Term, text: str, conventions: Conventions) -> tuple[Value, ...]:
    """All that the text can mean, the likeliest first; empty where it is no value of that kind.

    >>> values_of(HEADER["total_vat"], "1.234", Conventions())
    (Decimal('1234'), Decimal('1.234'))
    """
    match term.kind:
        case Kind.AMOUNT:
            return _numbers(text, conventions.mark, percent=False)
        case Kind.PERCENT:
            return tuple(n for n in _numbers(text, conventions.mark, percent=True) if 0 <= n <= 100)
        case Kind.QUANTITY:
            found = parse_quantity(text, conventions.mark)
            return _numbers(_without_unit(text, found[1]), conventions.mark, percent=False) if found else ()
        case Kind.DATE:
            return _dates(text, conventions.order)
        case Kind.CODE:
            return _codes(term.name, text)
        case Kind.IDENTIFIER:
            return (_identifier(term.name, text),)
        case Kind.TEXT:
            return (text,)


def unit_in(text: str) -> str:
    """The unit printed after a quantity, or nothing."""
    found = parse_quantity(text)
    return found[1] if found else ""


def _without_unit(text: str, unit: str) -> str:
    return text.strip().removesuffix(unit).strip() if unit else text


def _numbers(text: str, mark: str | None, *, percent: bool) -> tuple[Decimal, ...]:
    number = parse_number(text, mark)
    if number is None or (number.percent and not percent) or abs(number.value) >= LARGEST:
        return ()
    others = [parse_number(text, other) for other in (",", ".")] if number.unsure else []
    return tuple(dict.fromkeys([number.value, *(other.value for other in others if other)]))


def _dates(text: str, order: str) -> tuple[Value, ...]:
    """The one date in the text: a weekday or a time of day beside it does no harm, a second date does."""
    found = list(find_dates(text, order))
    if len(found) != 1:
        return ()
    return (found[0].value,) if found[0].other is None else (found[0].value, found[0].other)


def _codes(name: str, text: str) -> tuple[Value, ...]:
    if name == DOCUMENT_TYPE:
        return (text,) if text in frozenset(DocumentType) else ()
    if name != "currency":
        return (text,)
    if code := currency_of(text):
        return (code,)
    named = [word for word in re.findall(r"[A-Z]{3}", text) if word in CURRENCY_CODES]
    return tuple(dict.fromkeys(named)) if named else AMBIGUOUS_SIGNS.get(text, ())


def _identifier(name: str, text: str) -> str:
    """As the other readers write it: VAT ids, IBANs and BICs without spaces, everything else as printed."""
    if name in _VAT_IDS:
        return next((found.value for found in find_vat_ids(text)), text)
    if name == "payment_account":
        return next((found.value for found in find_ibans(text)), text)
    if name == "payment_bic":
        return next((found.value for found in find_bics(text)), text)
    return text
