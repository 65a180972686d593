"""Values are found however they are printed, and other values are not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pytest
from babel.dates import format_date
from babel.numbers import format_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.grounding import Finder
from inference.invoice import Box, Evidence, Kind
from inference.page import Token

WIDTH, HEIGHT = 0.008, 0.012


@dataclass
class Sheet:
    """A page made of lines; three spaces part columns."""

    lines: list[str]
    number: int = 1
    width: float = 595.0
    height: float = 842.0
    ocr: bool = False
    tokens: list[Token] = field(default_factory=list[Token])

    def __post_init__(self) -> None:
        for row, line in enumerate(self.lines):
            at = 0
            for word in line.split(" "):
                if word:
                    box = Box(0.05 + at * WIDTH, 0.05 + row * 0.02, 0.05 + (at + len(word)) * WIDTH, 0)
                    self.tokens.append(Token(word, box._replace(y1=box.y0 + HEIGHT)))
                at += len(word) + 1

    def image(self, dpi: int = 200) -> object:
        raise NotImplementedError


def finder(*lines: str) -> Finder:
    return Finder([Sheet(list(lines))])  # type: ignore[list-item]


def text_of(found: object) -> str | None:
    return found.evidence.text if found else None  # type: ignore[attr-defined]


amounts = st.decimals(Decimal("0.01"), Decimal("99999999.99"), places=2)
days = st.dates(date(1990, 1, 1), date(2079, 12, 31))
LOCALES = ("de", "en", "fr", "de_CH", "hi", "en_IN", "pl", "it", "sv", "pt_BR", "nl", "es", "zh", "cs", "fi")


@given(amount=amounts, locale=st.sampled_from(LOCALES), around=st.sampled_from(("{}", "EUR {}", "{} €", "CHF{}", "({})", "{}-", "Summe: {}", "￥{}", "₹{}/-", "Total ....... {}")))  # fmt: skip
def test_an_amount_is_found_as_any_country_writes_it(amount: Decimal, locale: str, around: str) -> None:
    printed = around.format(
        format_decimal(amount, "#,##0.00" if locale not in ("hi", "en_IN") else "#,##,##0.00", locale)
    )
    assert finder("Rechnung 4711", f"Betrag   {printed}").find(amount, Kind.AMOUNT), printed


@given(amount=amounts, other=amounts, locale=st.sampled_from(LOCALES))
def test_another_amount_is_not_found(amount: Decimal, other: Decimal, locale: str) -> None:
    if amount == other:
        return
    printed = format_decimal(amount, "#,##0.00", locale)
    found = finder(f"Betrag   {printed} EUR").find(other, Kind.AMOUNT)
    # "1 234,56" is 234.56 too where the 1 belongs to something else, such as the quantity before it.
    assert found is None or (printed.endswith(text_of(found) or "") and printed != text_of(found))


@pytest.mark.parametrize(
    "printed", ["1.234,56", "1234.56", "1 234.56", "1'234.56", "1,234.56", "1 234,56", "1234,56 €", "¥1,234.56元", "EUR1234.56"]
)  # fmt: skip
def test_one_amount_in_many_formats(printed: str) -> None:
    assert finder(f"Total {printed}").find(Decimal("1234.56"), Kind.AMOUNT)


def test_figures_of_dates_times_and_identifiers_are_no_amounts() -> None:
    page = finder("24.12.2026 2026-11-24 10:30 RE-2026/0815 A4 V2.1")
    for value in (24, 12, 11, 10, 30, 815, 2026, 4, "2.1", "24.12"):
        assert page.find(Decimal(value), Kind.AMOUNT) is None


DATE_PATTERNS = {
    "de": ("dd.MM.yyyy", "d. MMMM yyyy", "d.M.yy"), "en": ("d MMMM yyyy", "MMMM d, yyyy", "dd-MMM-yyyy", "MM/dd/yyyy"),
    "fr": ("dd/MM/yyyy", "d MMMM yyyy"), "pl": ("d MMMM yyyy",), "es": ("d 'de' MMMM 'de' yyyy",), "it": ("d MMMM yyyy",),
    "nl": ("d MMMM yyyy", "dd-MM-yyyy"), "pt": ("d 'de' MMMM 'de' yyyy",), "zh": ("yyyy年M月d日", "yyyy-MM-dd", "yyyyMMdd"),
}  # fmt: skip


@given(day=days, data=st.data())
def test_a_date_is_found_as_any_country_writes_it(day: date, data: st.DataObject) -> None:
    locale = data.draw(st.sampled_from(tuple(DATE_PATTERNS)))
    printed = format_date(day, data.draw(st.sampled_from(DATE_PATTERNS[locale])), locale)
    assert finder(f"Datum {printed}").find(day, Kind.DATE), printed


@given(day=days, other=days)
def test_another_date_is_not_found(day: date, other: date) -> None:
    swapped = (other.year, other.month, other.day) in (
        (day.year, day.day, day.month),
        (day.year, day.month, day.day),
    )
    assert swapped or finder(f"{day:%d.%m.%Y} {day.isoformat()}").find(other, Kind.DATE) is None


def test_chinese_dates() -> None:
    assert finder("开票日期：二〇二六年一月二日").find(date(2026, 1, 2), Kind.DATE)
    assert finder("开票日期： 2026 年 1 月 2 日").find(date(2026, 1, 2), Kind.DATE)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("DE89370400440532013000", "IBAN: DE89 3704 0044 0532 0130 00"),
        ("DE123456789", "USt-IdNr. DE 123 456 789"),
        ("DE123456789", "VAT 123456789"),
        ("CHE123456789", "CHE-123.456.789 MWST"),
        ("R-2026/0815", "Rechnung Nr.: r 2026 0815"),
        ("91500102563638729E", "纳税人识别号：91500102563638729E"),
        ("12235358", "发票号码:12235358"),
        ("4711", "Rg.Nr.4711"),
    ],
)
def test_an_identifier_is_found_without_regard_to_its_spaces(value: str, printed: str) -> None:
    assert finder(printed).find(value, Kind.IDENTIFIER)


@pytest.mark.parametrize(
    ("value", "printed"),
    [("2026-0815", "R-2026-0815"), ("4711", "47110"), ("4711", "4711-2"), ("0815", "47 10815"), ("12", "12,50"), ("4711", "47   11"), ("1", "INV1")],
)  # fmt: skip
def test_a_part_of_another_identifier_is_not_found(value: str, printed: str) -> None:
    assert finder(printed).find(value, Kind.IDENTIFIER) is None


def test_a_name_is_found_folded_over_lines_and_in_capitals() -> None:
    page = finder(
        "MÜLLER & SÖHNE           Kunden AG",
        "Maschinenbau GmbH        Mitte",
        "Hauptstraße 3",
    )
    whole = page.find("Müller & Söhne Maschinenbau GmbH", Kind.TEXT)
    assert whole is not None
    assert whole.evidence.text == "MÜLLER & SÖHNE Maschinenbau GmbH"
    assert whole.evidence.box is not None
    assert whole.evidence.box.y1 > 0.08
    assert text_of(page.find("Kunden AG Mitte", Kind.TEXT)) == "Kunden AG Mitte"
    assert page.find("Müller & Söhne Mitte", Kind.TEXT) is None
    assert page.find("Hauptstr", Kind.TEXT) is None


def test_the_place_beside_the_label_is_the_best() -> None:
    page = finder("Summe netto   50,00", "Schon bezahlt   50,00", "Gesamtbetrag EUR   50,00", "Beleg 7")
    found = page.find(Decimal(50), Kind.AMOUNT)
    assert found is not None
    assert (found.places, found.ambiguous) == (3, True)
    found = page.find(Decimal("50.0"), Kind.AMOUNT, labels={"gesamtbetrag"})
    assert found is not None
    assert not found.ambiguous
    assert found.evidence.box is not None
    assert found.evidence.box.y0 == pytest.approx(0.09)
    near = Evidence(1, Box(0.05, 0.07, 0.1, 0.082), "Schon")
    beside = page.find(Decimal(50), Kind.AMOUNT, near=near)
    assert beside is not None
    assert beside.evidence.box is not None
    assert beside.evidence.box.y0 == pytest.approx(0.07)


def test_the_box_is_that_of_the_value_in_a_longer_token() -> None:
    found = Finder([Sheet(["Gesamtbetrag:520,35"])]).find(Decimal("520.35"), Kind.AMOUNT)  # type: ignore[list-item]
    assert found is not None
    assert found.evidence.box is not None
    assert found.evidence.box.x0 == pytest.approx(0.05 + 13 * WIDTH)
    assert found.evidence.text == "520,35"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=6), st.text(max_size=20), amounts, days)
def test_any_words_and_any_value_give_an_answer(
    lines: list[str], text: str, amount: Decimal, day: date
) -> None:
    page = finder(*lines)
    for value, kind in (
        (text, Kind.TEXT),
        (text, Kind.IDENTIFIER),
        (amount, Kind.AMOUNT),
        (day, Kind.DATE),
        ("EUR", Kind.CODE),
    ):
        found = page.find(value, kind)  # type: ignore[arg-type]
        assert found is None or found.evidence.box is not None
