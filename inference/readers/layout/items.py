"""Identifiers of an item printed among its description: GTIN, the seller's and the buyer's article number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from inference.readers.layout.rows import Span


class Identified(NamedTuple):
    """An identifier by its term: its value, the place of the value, and the place with its label."""

    term: str
    value: str
    span: Span
    whole: Span


_NUMBER = r"(?:nr|no|n°|nº|num|number|nummer|code|#)\.?"
_ARTICLE = rf"(?:art(?:ikel|icle|ículo|icolo)?|item|product|part|mat(?:erial)?)\.?[ -]?{_NUMBER}"
_VALUE = r"\s?[:#]?\s?(?P<value>(?=[A-Z\d./-]*\d)[A-Z\d][A-Z\d./-]*[A-Z\d])(?![\w,])"
_LABELLED = (
    (
        "item_standard_id",
        r"\(?(?:GTIN|EAN|UPC|Barcode|条码)(?:[- ]?(?:code|nr\.?|13|8))?\)?\s?[:.#]?\s?(?P<value>\d{8}|\d{12,14})(?!\d)",
    ),
    (
        "item_buyer_id",
        rf"(?:(?:ihre|your|customer|buyer'?s|kunden|votre|uw|su|vostro)[ -]{_ARTICLE}|{_ARTICLE}[- ]?(?:kunde|customer|client))"
        + _VALUE,
    ),
    (
        "item_seller_id",
        rf"(?:(?:unsere|our|notre)?[ ]?{_ARTICLE}(?:[- ]?(?:lieferant|lief\.?))?|SKU|P/N|(?:réf|ref)(?:\.|:|érence|erence))"
        + _VALUE,
    ),
)
_PATTERNS = tuple((term, re.compile(rf"(?<![\w-]){pattern}", re.IGNORECASE)) for term, pattern in _LABELLED)
_BARE = re.compile(r"(?<![\w.,/-])(?P<value>\d{13,14})(?![\w.,/-])")


def item_ids(spans: Sequence[Span]) -> Iterator[Identified]:
    """The identifiers that the spans name by a label, and bare GTINs; a wrong check digit makes it none."""
    for span in spans:
        taken: list[tuple[int, int]] = []
        for term, pattern in (*_PATTERNS, ("item_standard_id", _BARE)):
            for found in pattern.finditer(span.text):
                value, place = found["value"], found.span()
                overlaps = any(place[0] < end and start < place[1] for start, end in taken)
                if overlaps or (term == "item_standard_id" and not gtin_valid(value)):
                    continue
                taken.append(place)
                first, last = found.span("value")
                yield Identified(
                    term,
                    value,
                    Span(span.row, span.start + first, span.start + last),
                    Span(span.row, span.start + place[0], span.start + place[1]),
                )


def gtin_valid(digits: str) -> bool:
    """Whether the last digit of a GTIN-8, -12, -13 or -14 checks the others (GS1 General Specifications, 7.9).

    >>> gtin_valid("4012345001235"), gtin_valid("4012345001236")
    (True, False)
    """
    if not digits.isdecimal() or len(digits) not in (8, 12, 13, 14):
        return False
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return weighed % 10 == 0
