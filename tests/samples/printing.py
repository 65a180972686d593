"""Numbers, dates and labels as a vendor of a country prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zlib import crc32

from babel.dates import format_date
from babel.numbers import format_decimal

from tests.samples.bill import PLACES, Bill
from tests.samples.locales import locale

SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "CNY": "¥"}
TOGETHER = 6
"""Wordings below this choose the same place among the words of every label; the others choose for each label apart."""


@dataclass(frozen=True)
class Printing:
    """The habits of one vendor: its language, its date pattern, its choice of words."""

    language: str
    currency: str
    wording: int = 0
    date_style: int = 0

    @classmethod
    def of(cls, bill: Bill) -> Printing:
        """The habits of a bill's seller."""
        return cls(bill.seller.language, bill.currency, bill.wording, bill.date_style)

    def label(self, key: str, **parts: str | int) -> str:
        """The words printed for `key`."""
        return self._choice(key, locale(self.language).labels[key]).format(**parts)

    def day(self, day: date) -> str:
        """A date; "ROC" quoted in a pattern is the year of the Republic of China (2026 is 115)."""
        patterns = locale(self.language).dates
        printed = format_date(day, patterns[self.date_style % len(patterns)], locale=self.language)
        return printed.replace("ROC", str(day.year - 1911))

    def amount(self, amount: Decimal) -> str:
        """An amount without its currency."""
        places = PLACES.get(self.currency, 2)
        return self._number(amount, "." + "0" * places if places else "")

    def price(self, price: Decimal) -> str:
        """A unit price, with more than two decimals where it has them."""
        return self._number(price, ".####" if self.currency in PLACES else ".00##")

    def money(self, amount: Decimal) -> str:
        """An amount with its currency, as the language places it."""
        template = self._choice("money", locale(self.language).money)
        return template.format(amount=self.amount(amount), sign=SYMBOLS.get(self.currency, self.currency))

    def quantity(self, quantity: Decimal) -> str:
        """A quantity without needless zeros."""
        return self._number(quantity, ".###")

    def percent(self, rate: Decimal) -> str:
        """A rate with its sign."""
        return locale(self.language).percent.format(rate=self._number(rate, ".##", "0"))

    def unit(self, code: str) -> str:
        """The word for a UN/ECE Recommendation 20 code."""
        return self._choice(code, locale(self.language).units[code])

    def terms(self, days: int) -> str:
        """The usual words for so many days net."""
        return self._choice("terms of payment", locale(self.language).terms).format(days=days)

    def account(self, account: str) -> str:
        """An IBAN in groups of four, any other number as it is."""
        if not account[:2].isalpha():
            return account
        return " ".join(account[start : start + 4] for start in range(0, len(account), 4))

    def _choice(self, key: str, choices: Sequence[str]) -> str:
        apart = crc32(key.encode()) * (self.wording // TOGETHER)
        return choices[(self.wording + apart) % len(choices)]

    def _number(self, number: Decimal, decimals: str, whole: str = "") -> str:
        place = locale(self.language)
        written_as = self._choice("numbers", place.numbers)
        # CLDR's narrow space is missing in many fonts; vendors print an ordinary no-break space.
        printed = format_decimal(number, (whole or place.grouping) + decimals, locale=written_as)
        return printed.replace("\u202f", "\u00a0")
