"""English and Chinese on the screen: texts from `locales/*.toml`, numbers and dates by Babel."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.numbers import format_decimal, get_currency_precision
from babel.units import format_unit
from markupsafe import Markup, escape

from connector.plain_text import plain
from connector.review.sentences import Sentences

LOCALES = Path(__file__).with_name("locales")
LANGUAGE_COOKIE = "vouch_language"
LONGEST_HEADER = 200
MOST_DIGITS = 30
KEPT = 8192
BEGIN, END = Markup("<bdi>"), Markup("</bdi>")
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
# Categories of Unicode CLDR.
PLURALS = frozenset({"zero", "one", "two", "few", "many", "other"})


@dataclass(frozen=True)
class Language:
    """One language of the screen. `sentences` turn those that the code writes. `texts` are flat: `reviews.title` -> text, or plural category -> text."""

    code: str
    locale: Locale
    texts: Mapping[str, str | Mapping[str, str]]
    sentences: Sentences = field(default_factory=Sentences)

    @property
    def tag(self) -> str:
        """The BCP 47 tag for `<html lang>`."""
        return self.code.replace("_", "-")

    def t(self, key: str, **values: object) -> str:
        """The text of that key; `n` chooses the plural, counts are written as numbers. Raises KeyError when there is no such text."""
        text = self.texts[key]
        if not isinstance(text, str):
            text = text[self.locale.plural_form(int(str(values["n"])))]
        shown = {
            name: self.plain_number(one) if isinstance(one, int) else one for name, one in values.items()
        }
        return text.format(**shown) if shown else text

    def say(self, sentence: str) -> str:
        """A sentence that the code wrote in English (a reason, a Check's message); as it is where it has no other."""
        return self.sentences.say(sentence)

    def scripted(self, starts: tuple[str, ...]) -> str:
        """The texts whose keys begin so, as JSON for a script."""
        found = {key: text for key, text in self.texts.items() if key.startswith(starts)}
        return json.dumps(found, ensure_ascii=False)

    def amount(self, value: Decimal, currency: str = "") -> str:
        """An amount with the decimals printed, and at least those of its currency (two where it is not known)."""
        return self._number(value, get_currency_precision(currency) if currency else 2)

    def number(self, value: Decimal) -> str:
        """A quantity or a rate with the decimals it has."""
        return self._number(value, 0)

    def _number(self, value: Decimal, digits: int) -> str:
        if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS:
            return str(value)
        with localcontext(prec=4 * MOST_DIGITS):
            exponent = value.normalize().as_tuple().exponent
            digits = min(max(digits, -int(exponent)), MOST_DIGITS)
            pattern = "#,##0." + "0" * digits if digits else "#,##0"
            return _decimal(self.locale, str(value), pattern)

    def percent(self, share: float) -> str:
        """A confidence of 0-1 as whole percent, rounded down: only certainty is 100."""
        return f"{math.floor(share * 100 + 1e-9)} %"

    def share(self, share: float) -> str:
        """A measured share of 0-1 as percent, with a decimal where it is not whole."""
        return f"{format_decimal(Decimal(repr(round(100 * share, 1))), '#,##0.#', locale=self.locale)} %"

    def plain_number(self, value: float) -> str:
        """A count or a measured figure, with the decimals it has."""
        return _decimal(self.locale, str(value), "#,##0.##")

    def field(self, name: str) -> str:
        """What people call a field of Odoo's, a line's (`lines.tax_ids`) or a business term; else the name itself."""
        name = name.removeprefix("lines.")
        return next(
            (str(self.texts[key]) for key in (f"field.{name}", f"term.{name}") if key in self.texts), name
        )

    def verdict(self, verdict: str) -> str:
        """What a Verdict is called; as it is kept where it has no name."""
        key = f"verdict_name.{verdict}"
        return self.t(key) if key in self.texts else verdict

    def reader(self, reader: str) -> str:
        """What a Reader, or several in agreement (`layout+vlm`), are called."""
        names = reader.replace("+", " ").split()
        return " + ".join(str(self.texts.get(f"history.reader.{one}", one)) for one in names)

    def topic(self, topic: str) -> str:
        """What a Review is about, in plain words: a topic of `mappings.policy.Decision`, as it is where unknown."""
        bare = topic.removeprefix("reading.")
        kind, _, name = bare.partition(":")
        family, _, field = bare.partition("_")
        if f"topic.{bare}" in self.texts:
            return self.t(f"topic.{bare}")
        if name and f"topic_kind.{kind}" in self.texts:
            return self.t(f"topic_kind.{kind}", field=self.field(name))
        if field and f"topic_kind.{family}" in self.texts:
            return self.t(f"topic_kind.{family}", field=self.field(field))
        return topic

    def iso_day(self, text: str) -> str:
        """A date given in ISO 8601."""
        return self.day(date.fromisoformat(text))

    def short_day(self, value: date) -> str:
        """A date without its year, for a narrow place."""
        return format_skeleton("MMMd", value, locale=self.locale)

    def day(self, value: date) -> str:
        """A date."""
        return format_date(value, "medium", locale=self.locale)

    def moment(self, value: datetime) -> str:
        """A date with the time, in the machine's own zone."""
        return _moment(self.locale, value.astimezone().replace(tzinfo=None))

    def time(self, value: datetime) -> str:
        """The time of day, in the machine's own zone."""
        return format_time(value.astimezone(), "medium", locale=self.locale)

    def age(self, span: timedelta) -> str:
        """How long ago, in whole days, else hours, else minutes."""
        return self.span(span) if span >= timedelta(minutes=1) else self.t("time.now")

    def span(self, span: timedelta) -> str:
        """How long, in whole days, else hours, else minutes, else seconds (with a tenth below ten)."""
        exact = max(span.total_seconds(), 0)
        seconds = int(exact) if exact >= 10 else round(exact, 1)
        unit, length = next((one for one in UNITS if seconds >= one[1]), UNITS[-1])
        return _span(self.locale, seconds if length == 1 else int(seconds // length), f"duration-{unit}")


# A list shows the same figures, moments and ages again and again, and Babel is slow.


@lru_cache(KEPT)
def _decimal(locale: Locale, value: str, pattern: str) -> str:
    # By its text: 0 and −0 are equal, and not shown alike.
    return format_decimal(value, pattern, locale=locale)


@lru_cache(KEPT)
def _moment(locale: Locale, value: datetime) -> str:
    return format_datetime(value, "medium", locale=locale)


@lru_cache(KEPT, typed=True)
def _span(locale: Locale, count: float, name: str) -> str:
    # Where a language has no long form (Chinese), Babel gives the unit's key instead.
    long = format_unit(count, name, "long", locale=locale)
    return format_unit(count, name, "short", locale=locale) if name in long else long


class Languages:
    """The languages there are."""

    def __init__(self, default: str) -> None:
        found = {path.stem: _load(path) for path in sorted(LOCALES.glob("*.toml"))}
        if default not in found:
            raise ValueError(f"no language {default}; there are {', '.join(found)}")
        self.all: Mapping[str, Language] = found
        self.default = found[default]

    def choose(self, cookie: str | None, accepted: str) -> Language:
        """The one the person chose, else the first that the browser accepts, else the default."""
        if cookie is not None and cookie in self.all:
            return self.all[cookie]
        for wanted in _by_preference(accepted[:LONGEST_HEADER]):
            for language in self.all.values():
                if wanted.split("-")[0] == language.locale.language:
                    return language
        return self.default


def from_document(text: object) -> Markup:
    """Escape text of a document, for a template, and shut its direction of writing in."""
    return BEGIN + escape(plain(str(text))) + END


def utc(value: datetime) -> str:
    """ISO 8601 in UTC, for `<time datetime>`."""
    return value.astimezone(UTC).isoformat(timespec="seconds")


def decimal(count: int) -> Decimal:
    """A count as the number type that is formatted."""
    return Decimal(count)


def _by_preference(header: str) -> list[str]:
    wanted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, quality = part.strip().lower().partition(";q=")
        try:
            wanted.append((-float(quality or 1), tag.strip()))
        except ValueError:
            # A malformed preference is no preference.
            continue
    return [tag for quality, tag in sorted(wanted, key=lambda one: one[0]) if quality < 0]


def _load(path: Path) -> Language:
    texts = dict(_flat(tomllib.loads(path.read_text("utf-8"))))
    sentences = path.parent / "sentences" / path.name
    known = tomllib.loads(sentences.read_text("utf-8")) if sentences.exists() else {}
    return Language(path.stem, Locale.parse(path.stem), texts, Sentences.of(known))


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str | Mapping[str, str]]]:
    for name, value in node.items():
        if isinstance(value, str) or set(value) <= PLURALS:
            yield prefix + name, value
        else:
            yield from _flat(value, f"{prefix}{name}.")
