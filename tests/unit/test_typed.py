"""What a person types: every way of writing a value gives that value, and what is unclear is asked again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.settling.typed import Conventions, conventions_of, typed_value
from inference.numbers import format_amount

GERMAN, ENGLISH, UNKNOWN = Conventions(",", "dmy"), Conventions(".", "mdy"), Conventions()
amounts = st.decimals(-(10**9), 10**9, places=2, allow_nan=False)


@given(amounts)
def test_an_amount_is_read_back_as_people_of_either_country_write_it(value: Decimal) -> None:
    assert Decimal(typed_value("amount", format_amount(value, "de"), GERMAN)) == value
    assert Decimal(typed_value("amount", format_amount(value, "en"), UNKNOWN, ENGLISH)) == value
    assert Decimal(typed_value("amount", f"{value:.2f}", GERMAN, ENGLISH)) == value


@given(st.dates(date(2000, 1, 1), date(2079, 12, 31)))
def test_a_date_is_read_in_the_order_of_the_document(value: date) -> None:
    assert typed_value("date", f"{value:%d.%m.%Y}", UNKNOWN, ENGLISH) == value.isoformat()
    assert typed_value("date", f"{value:%m/%d/%Y}", ENGLISH, UNKNOWN) == value.isoformat()
    assert typed_value("date", f"{value:%d/%m/%Y}", GERMAN, ENGLISH) == value.isoformat()
    assert typed_value("date", value.isoformat(), UNKNOWN) == value.isoformat()


@pytest.mark.parametrize(
    ("kind", "text", "paper", "own"),
    [
        ("amount", "1.234", UNKNOWN, None),
        ("amount", "1.234", GERMAN, ENGLISH),
        ("quantity", "12,500", ENGLISH, GERMAN),
        ("date", "03/04/2025", UNKNOWN, UNKNOWN),
        ("date", "31 Feb 2025", UNKNOWN, ENGLISH),
        ("date", "soon", UNKNOWN, ENGLISH),
        ("amount", "twelve", GERMAN, ENGLISH),
        ("percent", "190", GERMAN, ENGLISH),
        ("amount", "9" * 30, GERMAN, ENGLISH),
        ("amount", "", GERMAN, ENGLISH),
    ],
)
def test_what_is_unclear_is_asked_again(
    kind: str, text: str, paper: Conventions, own: Conventions | None
) -> None:
    with pytest.raises(ValueError, match="“"):
        typed_value(kind, text, paper, own)


def test_the_document_settles_what_its_words_mean() -> None:
    german = conventions_of(["Summe", "1.234,50", "28.02.2025"])
    assert typed_value("amount", "1.234", german) == "1234"
    assert typed_value("quantity", "１２", german) == "12"
    american = conventions_of(["Date 02/28/2025", "$1,234.50"])
    assert typed_value("date", "03/04/2025", american) == "2025-03-04"


def test_text_keeps_its_letters_and_loses_stray_space() -> None:
    assert typed_value("text", "  RE-2025 \n 0187 ", UNKNOWN) == "RE-2025 0187"
