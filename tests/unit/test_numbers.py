"""Numbers of any locale: what is written is read back, and what is unsure says so."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.numbers import (
    currency_of,
    decimal_mark,
    format_amount,
    parse_amount,
    parse_number,
    parse_percent,
    parse_quantity,
)

CENTS = st.integers(min_value=-(10**12), max_value=10**12).map(lambda n: Decimal(n) / 100)


@given(CENTS, st.sampled_from(["en", "de", "fr", "nl", "es", "it", "pt", "pl", "zh", "de_CH", "en_IN"]))
def test_an_amount_written_for_a_locale_is_read_back(value: Decimal, locale: str) -> None:
    printed = format_amount(value, locale)
    mark = "." if locale in ("en", "zh", "de_CH", "en_IN") else ","
    assert parse_amount(printed, mark) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56 €", "1234.56"),
        ("1'234.56", "1234.56"),
        ("12,34,567.00", "1234567.00"),
        ("￥100.00", "100.00"),
        ("R$ 1.950,00", "1950.00"),
        ("12,50-", "-12.50"),
        ("-USD 47.90", "-47.90"),
        ("(12.50)", "-12.50"),
        ("12.50 CR", "-12.50"),
        ("12,-", "12"),
        ("0,125", "0.125"),
        ("1.234.567", "1234567"),
    ],
)
def test_printed_amounts(text: str, value: str) -> None:
    assert parse_amount(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "A4", "10:45", "05.03.2026", "12.50 apples", "1,2,3", "M10X1000"])
def test_what_is_no_amount(text: str) -> None:
    assert parse_amount(text) is None


def test_brackets_around_a_percentage_or_a_code_are_no_minus() -> None:
    percent = parse_number("(19 %)")
    code = parse_number("(380)")
    assert percent is not None
    assert percent.percent
    assert percent.value == 19
    assert code is not None
    assert code.value == 380


@pytest.mark.parametrize(("mark", "value"), [(".", "1234"), (",", "1.234")])
def test_the_documents_mark_decides_what_three_digits_after_a_comma_mean(mark: str, value: str) -> None:
    assert parse_amount("1,234", mark) == Decimal(value)


def test_three_digits_after_a_comma_are_unsure_without_the_documents_mark() -> None:
    number = parse_number("1,234")
    assert number is not None
    assert number.unsure


def test_the_mark_is_voted_by_numbers_that_tell_and_by_no_dates() -> None:
    assert decimal_mark(["1.234,56", "9,90", "05.03.2026"]) == ","
    assert decimal_mark(["1,234.56", "1,000"]) == "."
    assert decimal_mark(["05.03.2026 12:30", "4711"]) is None


def test_quantities_carry_their_unit() -> None:
    assert parse_quantity("50 Stk.") == (Decimal(50), "Stk.")
    assert parse_quantity("1.000,5 kg", ",") == (Decimal("1000.5"), "kg")
    assert parse_quantity("Stk.") is None


def test_percentages_lie_within_0_and_100() -> None:
    assert parse_percent("7,5 %") == Decimal("7.5")
    assert parse_percent("19") == 19
    assert parse_percent("190 %") is None
    assert parse_percent("19 €") is None


def test_a_sign_of_several_countries_names_no_currency() -> None:
    assert currency_of("€") == "EUR"
    assert currency_of("eur") == "EUR"
    assert currency_of("$") == ""
    assert currency_of("¥") == ""
