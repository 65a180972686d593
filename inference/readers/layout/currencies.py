"""The currency: a printed code or an unmistakable sign; a shared sign only where the country is proved."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from inference.confidence import Features
from inference.numbers import AMBIGUOUS_SIGNS, CURRENCY_CODES, currency_of
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label
from inference.readers.layout.rows import Row, Span

SURE = {
    "labelled": 0.99,  # a code that a label names
    "printed": 0.985,  # one code or sign at the amounts; less as far as another one stands there, too
    "stray": 0.7,  # three capitals that are a code, but far from any amount
    "taxed": 0.95,  # a shared sign, and the tax law of one country
    "home": 0.95,  # "$" and an address in the United States
    "abroad": 0.8,  # a shared sign and an address elsewhere: many sell abroad in dollars
    "contested": 0.6,  # the addresses or taxes of several countries
}
"""The probability that the currency is right, by what proves it."""

_CODE = re.compile(r"(?<![A-Za-z])(" + "|".join(sorted(CURRENCY_CODES)) + r")(?![A-Za-z])")
_STRAY = 0.2
"""The share of a code far from any amount, beside one at an amount."""

_SYMBOL = re.compile(
    r"[€£₹₽₺₩₫฿₪₱]|\bR[sp]\.|(?<!\w)(?:US|HK|NT|C|A|S|NZ|R)\$|港[幣币]|新[台臺]幣|人民[幣币]"
)
"""Signs that name one currency wherever they stand: in a heading, in a column of their own, in words."""

_WORDS = {"港幣": "HKD", "港币": "HKD", "新台幣": "TWD", "新臺幣": "TWD", "人民幣": "CNY", "人民币": "CNY"}

_LETTER = re.compile(r"(?<![\w.])([RQL])\s?\d[\d ,.]*[.,]\d{2}(?!\d)")
"""An amount after a single letter that is a currency where most amounts have it."""

_LETTERS = {
    "R": ("ZAR", re.compile(r"South Africa|\bVAT\D{0,12}4\d{9}\b|\+27\b|\.co\.za\b", re.IGNORECASE)),
    "Q": ("GTQ", re.compile(r"Guatemala", re.IGNORECASE)),
    "L": ("HNL", re.compile(r"Honduras", re.IGNORECASE)),
}
"""Single letters for a currency, and what on a page proves its country."""

_LETTERED = 2
"""So many amounts have the letter before them, or more."""

_TAXED = {
    "USD": re.compile(r"\bEIN\b|\b(?:CA|NY|TX|FL|WA|IL) (?:State )?Sales Tax\b", re.IGNORECASE),
    "CAD": re.compile(r"\bHST\b|\bPST\b|\bQST\b|\bTVQ\b|\bGST/HST\b"),
    "AUD": re.compile(r"\bABN\b"),
    "NZD": re.compile(r"\bNZBN\b"),
    "SGD": re.compile(r"\bUEN\b|\bGST Reg\.? ?No\.?:? ?(?:M[0-9R]|19\d{7}|20\d{7})"),
    "MXN": re.compile(r"\bRFC\b|\bCFDI\b"),
    "TWD": re.compile("統一編號|統編"),
    "CLP": re.compile(r"\bRUT\b"),
    "COP": re.compile(r"\bNIT\b"),
    "ARS": re.compile(r"\bCUIT\b"),
    "CNY": re.compile("[\u4e00-\u9fff]{2}"),
    "JPY": re.compile("[\u3040-\u30ff]"),
    "SEK": re.compile(r"\bmoms\b.*\bSE\d|\bSE\d{12}\b|\bMomsreg", re.IGNORECASE),
    "DKK": re.compile(r"\bCVR\b|\bDK ?\d{8}\b"),
    "NOK": re.compile(r"\bMVA\b"),
    "ISK": re.compile(r"\bVSK\b"),
}
"""What on a page proves under which tax law a bill is written."""

_ADDRESSES = {
    "USD": re.compile(r"\b[A-Z]{2},? \d{5}(?:-\d{4})?\b|\bUSA\b|United States"),
    "CAD": re.compile(r"\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b|\bCanada\b"),
    "AUD": re.compile(r"Australia|\b(?:NSW|VIC|QLD|TAS) \d{4}\b"),
    "SGD": re.compile(r"Singapore", re.IGNORECASE),
    "NZD": re.compile(r"New Zealand"),
    "HKD": re.compile(r"Hong Kong|香港"),
    "MXN": re.compile(r"M[ée]xico"),
    "TWD": re.compile(r"Taiwan|台灣|臺灣"),
    "CLP": re.compile(r"\bChile\b"),
    "COP": re.compile(r"\bColombia\b"),
    "ARS": re.compile(r"\bArgentina\b"),
    "SEK": re.compile(r"Sverige|Sweden"),
    "DKK": re.compile(r"Danmark|Denmark"),
    "NOK": re.compile(r"Norge|Norway"),
    "ISK": re.compile(r"Ísland|Iceland"),
}
"""What on a page is an address in the country whose money a shared sign can mean."""


def find_currency(context: Context) -> Finding | None:
    """The currency, or None where only a shared sign is printed and the country stays unknown."""
    for label in context.all_labels("currency"):
        if found := _labelled(context, label):
            return found
    shares: defaultdict[str, float] = defaultdict(float)
    first: dict[str, Span] = {}
    shared: dict[str, Span] = {}
    for row in context.sheet.rows:
        for at in context.values.numbers(row):
            sign = at.number.currency
            if sign in AMBIGUOUS_SIGNS:
                shared.setdefault(sign, at.span)
            elif code := currency_of(sign):
                if shares[code] < 1:
                    first[code] = at.span
                shares[code] += 1
        for code, span in _bare(context, row):
            shares[code] += 1 if _names_amounts(context, row) else _STRAY
            first.setdefault(code, span)
    if shares and (max(shares.values()) >= 1 or not shared):
        code = max(shares, key=lambda code: shares[code])
        share = shares[code] / sum(shares.values())
        sure = SURE["printed"] * share if shares[code] >= 1 else SURE["stray"] * share
        note = "" if share > _UNANIMOUS else "Amounts in another currency are printed, too."
        return _finding(first[code], code, sure, note)
    return _by_country(context, shared) or (None if shared else _by_letter(context))


def _bare(context: Context, row: Row) -> Iterator[tuple[str, Span]]:
    """The codes of a row, and its unmistakable signs that stand at no number."""
    for found in _CODE.finditer(row.text):
        yield found[1], Span(row, *found.span())
    taken = [(at.span.start, at.span.end) for at in context.values.numbers(row)]
    for found in _SYMBOL.finditer(row.text):
        if not any(start <= found.start() < end for start, end in taken):
            yield _WORDS.get(found[0]) or currency_of(found[0]), Span(row, *found.span())


def _by_letter(context: Context) -> Finding | None:
    """The currency of a letter before amounts, on a page of its country."""
    texts = [row.text for row in context.sheet.rows]
    for letter, (code, country) in _LETTERS.items():
        spans = [
            Span(row, *found.span(1))
            for row in context.sheet.rows
            for found in _LETTER.finditer(row.text)
            if found[1] == letter
        ]
        if len(spans) >= _LETTERED and any(map(country.search, texts)):
            note = f"“{letter}” stands before amounts, and the page is of a country that pays in {code}."
            return _finding(spans[0], code, SURE["home"], note)
    return None


_UNANIMOUS = 0.9


def _labelled(context: Context, label: Label) -> Finding | None:
    """The code that a label names, right of it or below."""
    after = label.row.text[label.span.end : label.span.end + 40]
    places = [Span(label.row, label.span.end, label.span.end + len(after))]
    places += list(islice(context.column_below(label), 1)) if not after.strip(" :") else []
    for place in places:
        if found := _CODE.search(place.text):
            start = place.start + found.start()
            return _finding(Span(place.row, start, start + len(found[1])), found[1], SURE["labelled"])
    return None


def _names_amounts(context: Context, row: Row) -> bool:
    """Whether a row is a heading or has amounts or a label of one, so that a code on it is a currency."""
    if row.index in context.headings or any(at.money for at in context.values.numbers(row)):
        return True
    return any(m.term.startswith(("total_", "amount_")) for lb in context.of(row) for m in lb.meanings)


def _by_country(context: Context, shared: dict[str, Span]) -> Finding | None:
    for sign, span in shared.items():
        codes = AMBIGUOUS_SIGNS[sign]
        texts = [row.text for row in context.sheet.rows]
        taxed = [code for code in codes if code in _TAXED and any(map(_TAXED[code].search, texts))]
        # Ideographs are printed in all three countries.
        taxed = next(([code] for code in ("JPY", "TWD") if code in taxed), taxed)
        homes = [code for code in codes if code in _ADDRESSES and any(map(_ADDRESSES[code].search, texts))]
        proved = taxed or homes
        if not proved:
            continue
        code = proved[0]
        others = (set(taxed) | set(homes)) - {code}
        sure = SURE["taxed"] if taxed else SURE["home" if code == "USD" else "abroad"]
        sure = (
            min(sure, SURE["contested"]) if len(proved) > 1 else min(sure, SURE["abroad"]) if others else sure
        )
        what = "the taxes and addresses" if others else "the taxes" if taxed else "the addresses"
        note = f"“{sign}” is used in several countries; {what} on the page point to {code}."
        return _finding(span, code, sure, note)
    return None


def _finding(span: Span, code: str, sure: float, note: str = "") -> Finding:
    features = Features(label=sure, relation=1.0, ocr=span.score, scanned=float(span.row.ocr))
    return Finding("currency", code, (span,), sure, features, span.text, note, probability=sure)
