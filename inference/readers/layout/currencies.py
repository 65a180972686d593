"""The currency: a printed code or an unmistakable sign; a shared sign only where the country is proved."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

from inference.confidence import Features
from inference.numbers import AMBIGUOUS_SIGNS, CURRENCY_CODES, currency_of
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context
from inference.readers.layout.rows import Span

_CODE = re.compile(r"(?<![A-Za-z])(" + "|".join(sorted(CURRENCY_CODES)) + r")(?![A-Za-z])")
_EVIDENCE = {
    "USD": re.compile(r"\b[A-Z]{2},? \d{5}(?:-\d{4})?\b|\bUSA\b|United States"),
    "CAD": re.compile(r"\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b|\bCanada\b|\bHST\b"),
    "AUD": re.compile(r"\bABN\b|Australia|\b(?:NSW|VIC|QLD|TAS) \d{4}\b"),
    "SGD": re.compile(r"Singapore"),
    "NZD": re.compile(r"New Zealand"),
    "HKD": re.compile(r"Hong Kong"),
    "CNY": re.compile(r"[\u4e00-\u9fff]{2}"),
    "JPY": re.compile(r"[\u3040-\u30ff]"),
    "SEK": re.compile(r"\bmoms\b.*\bSE\d|\bSE\d{12}\b|Sverige"),
    "DKK": re.compile(r"\bCVR\b|Danmark"),
    "NOK": re.compile(r"\bMVA\b|Norge"),
}
"""What on a page proves the country whose money a shared sign means."""


def find_currency(context: Context) -> Finding | None:
    """The currency, or None where only a shared sign is printed and the country stays unknown."""
    for label in context.all_labels("currency"):
        after = label.row.text[label.span.end : label.span.end + 40]
        places = [Span(label.row, label.span.end, label.span.end + len(after))]
        places += list(islice(context.column_below(label), 1)) if not after.strip(" :") else []
        for place in places:
            if found := _CODE.search(place.text):
                return _finding(
                    Span(place.row, place.start + found.start(), place.start + found.end()),
                    found[1],
                    1.0,
                    1.0,
                )
    codes: Counter[str] = Counter()
    first: dict[str, Span] = {}
    shared: dict[str, Span] = {}
    for row in context.sheet.rows:
        for at in context.values.numbers(row):
            sign = at.number.currency
            if sign in AMBIGUOUS_SIGNS:
                shared.setdefault(sign, at.span)
            elif code := currency_of(sign):
                codes[code] += 1
                first.setdefault(code, at.span)
        for found in _CODE.finditer(row.text):
            codes[found[1]] += 1
            first.setdefault(found[1], Span(row, *found.span()))
    if codes:
        ranked = codes.most_common(2)
        code, count = ranked[0]
        share = count / sum(codes.values())
        return _finding(first[code], code, 0.7 + 0.3 * min(1.0, count / 3), share, repeated=float(count > 1))
    return _by_country(context, shared)


def _by_country(context: Context, shared: dict[str, Span]) -> Finding | None:
    for sign, span in shared.items():
        proved = [
            code
            for code in AMBIGUOUS_SIGNS[sign]
            if any(_EVIDENCE[code].search(row.text) for row in context.sheet.rows if code in _EVIDENCE)
            and code in _EVIDENCE
        ]
        if sign in "¥￥" and "JPY" in proved:
            proved = ["JPY"]
        if len(proved) == 1:
            found = _finding(span, proved[0], 0.6, 0.7)
            note = f"“{sign}” is used in several countries; the addresses point to {proved[0]}."
            return Finding(found.term, found.value, found.spans, found.score, found.features, span.text, note)
    return None


def _finding(span: Span, code: str, label: float, margin: float, repeated: float = 0.0) -> Finding:
    features = Features(
        label=label,
        relation=1.0,
        margin=margin,
        repeated=repeated,
        ocr=span.score,
        scanned=float(span.row.ocr),
    )
    return Finding("currency", code, (span,), label, features, span.text)
