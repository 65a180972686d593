"""Numbers as people print them: amounts, quantities and percents of any locale, read and written.

The meaning of "1.234" hangs on the document: a mark followed by exactly three digits groups thousands in one
country and starts the decimals in another. `decimal_mark` lets all numbers of a document vote first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from babel.numbers import format_decimal

CURRENCY_SIGNS: dict[str, str] = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₺": "TRY", "₩": "KRW", "₫": "VND", "฿": "THB",
    "₪": "ILS", "₱": "PHP", "zł": "PLN", "zl": "PLN", "Kč": "CZK", "Ft": "HUF", "лв": "BGN", "lei": "RON",
    "R$": "BRL", "US$": "USD", "USD$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD",
    "HK$": "HKD", "NT$": "TWD", "S$": "SGD", "NZ$": "NZD", "MX$": "MXN", "Rs.": "INR", "Rs": "INR",
    "RM": "MYR", "Rp.": "IDR", "Rp": "IDR", "Fr.": "CHF", "SFr.": "CHF", "圆": "CNY", "RMB": "CNY",
    "Euro": "EUR", "Euros": "EUR", "EURO": "EUR", "DM": "DEM",
}  # fmt: skip
"""Printed signs that name one currency."""

AMBIGUOUS_SIGNS: dict[str, tuple[str, ...]] = {
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "CLP", "COP", "ARS"),
    "¥": ("CNY", "JPY"),
    "￥": ("CNY", "JPY"),
    "元": ("CNY", "TWD", "HKD"),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    "kr.": ("DKK", "SEK", "NOK", "ISK"),
}
"""Printed signs that several countries use: only other evidence settles the currency."""

CURRENCY_CODES = frozenset(
    [
        "EUR",
        "USD",
        "GBP",
        "CHF",
        "CNY",
        "JPY",
        "SEK",
        "NOK",
        "DKK",
        "PLN",
        "CZK",
        "HUF",
        "RON",
        "BGN",
        "TRY",
        "RUB",
        "UAH",
        "ISK",
        "INR",
        "IDR",
        "MYR",
        "SGD",
        "THB",
        "VND",
        "PHP",
        "KRW",
        "TWD",
        "HKD",
        "AUD",
        "NZD",
        "CAD",
        "MXN",
        "BRL",
        "ARS",
        "CLP",
        "COP",
        "PEN",
        "ZAR",
        "ILS",
        "AED",
        "SAR",
        "QAR",
        "KWD",
        "EGP",
        "MAD",
        "TND",
        "NGN",
        "KES",
        "GTQ",
        "HNL",
        "CRC",
        "PYG",
        "UYU",
        "PKR",
        "LKR",
        "BDT",
        "NPR",
        "OMR",
        "BHD",
        "JOD",
        "RSD",
    ]
)
"""ISO 4217 codes that are looked for on a page."""

_SIGNS = sorted((*CURRENCY_SIGNS, *AMBIGUOUS_SIGNS, *CURRENCY_CODES), key=len, reverse=True)
_SIGN = "(?:" + "|".join(re.escape(sign) for sign in _SIGNS) + ")"
_DIGITS = (
    r"(?:\d{1,3}(?:[ \u00a0\u202f'’`´]\d{3})+(?:[.,]\d{1,4})?"  # 1 234,56  1'234.56
    r"|\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,4})?"  # 1.234.567,89
    r"|\d{1,3}(?:,\d{2})+,\d{3}(?:\.\d{1,4})?"  # 12,34,567.00 (India)
    r"|\d+(?:[.,]\d{1,14})?|[.,]\d{1,4})"
)
NUMBER = re.compile(
    rf"(?<![\w.,/])(?P<open>\()?\s?(?P<sign1>[-−–+]|\([-−–]\))?\s?(?P<cur1>{_SIGN}|[A-Z](?=\d+[.,]\d{{2}}(?!\d)|\d{{1,2}}(?:[.,]\d{{1,2}})?\s?[%％]))?\s?(?P<sign2>[-−–])?\s?"
    rf"(?P<digits>{_DIGITS})(?P<dash>[.,](?:-|–|—|−){{1,2}})?"
    rf"(?:\s?(?P<percent>%|％))?(?:(?P<trail>[-−–])(?!\w))?\s?(?P<close>\))?"
    rf"(?:\s?(?P<cur2>{_SIGN}))?(?:\s?(?P<credit>CR|Cr)\b)?(?P<trail2>(?<!\s)-)?(?![\w/]|[.,:]\d)",
)
"""A number with what belongs to it: sign, brackets, currency, percent sign, credit mark."""


class Number(NamedTuple):
    """A number read from text. `places` counts its decimals; `currency` is the sign as printed, or empty.

    `unsure` says that its mark could be a decimal or a grouping one and nothing settled which.
    """

    value: Decimal
    places: int
    currency: str = ""
    percent: bool = False
    unsure: bool = False


def decimal_mark(texts: Iterable[str]) -> str | None:
    """The decimal mark, "." or ",", that most of the numbers in the texts use; None where nothing tells."""
    votes = {".": 0, ",": 0}
    for text in texts:
        for found in re.finditer(r"(?<![\d.,/:-])\d[\d.,'’]*\d(?![\d.,/:])", text):
            if mark := _mark_of(found.group()):
                votes[mark] += 1
    if votes["."] == votes[","]:
        return None
    return "." if votes["."] > votes[","] else ","


def _mark_of(digits: str) -> str | None:
    """The decimal mark that one number shows by itself, or None."""
    dots, commas = digits.count("."), digits.count(",")
    if dots and commas:
        return "." if digits.rfind(".") > digits.rfind(",") else ","
    if dots + commas != 1:
        # Several marks of one kind group thousands, or belong to a date or a version.
        grouped = re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", digits)
        return ("," if dots else ".") if grouped else None
    mark = "." if dots else ","
    whole, _, decimals = digits.partition(mark)
    return mark if len(decimals) == 2 and whole else None


def parse_number(text: str, mark: str | None = None) -> Number | None:
    """Read a text that is one number and nothing else; `mark` is the document's decimal mark where known.

    >>> parse_number("1.234,56 €").value, parse_number("(12.50)").value, parse_number("19 %").percent
    (Decimal('1234.56'), Decimal('-12.50'), True)
    """
    found = NUMBER.fullmatch(text.strip())
    return number_of(found, mark) if found else None


def number_of(found: re.Match[str], mark: str | None = None) -> Number | None:
    """The number of a match of `NUMBER`."""
    digits = re.sub(r"[ \u00a0\u202f'’`´]", "", found["digits"])
    unsure = False
    single = re.fullmatch(r"(\d{1,3})([.,])(\d{3})", digits)
    if single and single[1] == "0":
        decimal = single[2]
    elif single:
        decimal = mark if mark == single[2] else "" if mark else "?"
        unsure = not mark
        decimal = "" if decimal == "?" else decimal
    else:
        decimal = _decimal_of(digits)
    whole, _, decimals = digits.rpartition(decimal) if decimal else (digits, "", "")
    value = Decimal(re.sub(r"[.,]", "", whole) + ("." + decimals if decimals else "") or "0")
    negative = (
        (found["sign1"] or "").strip("()") in tuple("-−–")
        or found["sign2"]
        or found["trail"]
        or found["trail2"]
    )
    if (
        negative
        or found["credit"]
        or (found["open"] and found["close"] and decimals and not found["percent"])
    ):
        value = -value
    sign = found["cur1"] or found["cur2"] or ""
    return Number(value, 2 if found["dash"] else len(decimals), sign, bool(found["percent"]), unsure)


def _decimal_of(digits: str) -> str:
    """The decimal mark in the digits of a number that is not ambiguous, or nothing."""
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return ""
    mark = digits[last]
    if digits.count(mark) > 1 and len(digits) - last == 4:
        return ""
    # Grouped in threes but for the end, "2.778.29" has its last mark misread.
    return mark


def parse_amount(text: str, mark: str | None = None) -> Decimal | None:
    """An amount of money, or None where the text is not one."""
    number = parse_number(text, mark)
    return number.value if number and not number.percent else None


def parse_quantity(text: str, mark: str | None = None) -> tuple[Decimal, str] | None:
    """A quantity and the unit printed after it ("50 Stk" is 50 and "Stk"), or None."""
    found = re.fullmatch(r"\s*([-−–]?[\d.,'’ ]*\d)\s*([^\d\s].*)?", text)
    number = parse_number(found[1], mark) if found else None
    return (number.value, (found[2] or "").strip()) if found and number else None


def parse_percent(text: str, mark: str | None = None) -> Decimal | None:
    """A percentage, with or without its sign, or None where it is not within 0 and 100."""
    number = parse_number(text, mark)
    return number.value if number and not number.currency and 0 <= number.value <= 100 else None


def currency_of(sign: str) -> str:
    """The ISO 4217 code of a printed sign or code, or nothing where several countries use it."""
    if sign.upper() in CURRENCY_CODES:
        return sign.upper()
    return CURRENCY_SIGNS.get(sign, "")


def format_amount(value: Decimal, locale: str = "en", places: int = 2) -> str:
    """An amount as people of that locale write it (CLDR).

    >>> format_amount(Decimal("1234.5"), "de")
    '1.234,50'
    """
    return format_decimal(value, format="#,##0." + "0" * places if places else "#,##0", locale=locale)
