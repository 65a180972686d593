"""Dates as printed: read in every order and language, and marked where day and month could be swapped."""

from __future__ import annotations

from datetime import date

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from inference.dates import day_order, find_dates, parse_date

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2079, 12, 31))


@given(
    DAYS,
    st.sampled_from(["en", "de", "fr", "nl", "es", "it", "pt", "pl", "sv", "da", "nb", "pt_BR", "es_MX"]),
)
def test_a_date_in_words_is_read_back(day: date, locale: str) -> None:
    assert parse_date(format_date(day, "long", locale)) == day


@given(
    DAYS,
    st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%d-%b-%Y", "%d.%m.%y"]),
)
def test_forms_with_one_meaning_are_read_back(day: date, form: str) -> None:
    found = list(find_dates(day.strftime(form)))
    assert [f.value for f in found] == [day]
    assert found[0].other is None


@given(DAYS, st.sampled_from(["dmy", "mdy"]))
def test_slashes_are_read_in_the_documents_order(day: date, order: str) -> None:
    printed = day.strftime("%d/%m/%Y" if order == "dmy" else "%m/%d/%Y")
    assert parse_date(printed, order) == day


@given(DAYS)
def test_slashes_without_an_order_say_which_other_day_they_could_be(day: date) -> None:
    (found,) = find_dates(day.strftime("%d/%m/%Y"))
    assert found.value == day
    swapped = date(day.year, day.day, day.month) if day.day <= 12 else None
    assert found.other == (swapped if swapped != day else None)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("5. März 2026", date(2026, 3, 5)),
        ("le 1er août 2026", date(2026, 8, 1)),
        ("Oct 31, 2023", date(2023, 10, 31)),
        ("10 de março de 2020", date(2020, 3, 10)),
        ("12 marca 2026 r.", date(2026, 3, 12)),
        ("a 12 de dic. de 2026", date(2026, 12, 12)),
        ("1º de março de 2026", date(2026, 3, 1)),
        ("Roma, lì 7 sett. 2026", date(2026, 9, 7)),
        ("5. desember 2026", date(2026, 12, 5)),
        ("30. září 2026", date(2026, 9, 30)),
        ("2026. március 5.", date(2026, 3, 5)),
        ("5 Μαρτίου 2026", date(2026, 3, 5)),
        ("el 5 d'abril de 2026", date(2026, 4, 5)),
        ("民國115年1月2日", date(2026, 1, 2)),
        ("中華民國 114 年 12 月 31 日", date(2025, 12, 31)),
        ("115年01月02日", date(2026, 1, 2)),
        ("二〇二六年三月十五日", date(2026, 3, 15)),
        ("18.05.202016:07", date(2020, 5, 18)),
        ("14 Lieferdatum 11.11.2026", date(2026, 11, 11)),
        ("Due date16.09.2026", date(2026, 9, 16)),
    ],
)
def test_a_date_within_a_text(text: str, day: date) -> None:
    assert [found.value for found in find_dates(text)] == [day]


@pytest.mark.parametrize(
    "text", ["31.02.2026", "1.234,56", "12.50", "01.01.0001", "192.168.1.1", "13/13/2026"]
)
def test_what_is_no_date(text: str) -> None:
    assert list(find_dates(text)) == []


def test_the_order_is_voted_by_dates_that_tell() -> None:
    assert day_order(["12/17/18", "7/9/18"]) == "mdy"
    assert day_order(["17/12/2018"]) == "dmy"
    assert day_order(["7/9/18", "17.12.2018"]) == ""
