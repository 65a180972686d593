"""Descriptions without what OCR leaves around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.descriptions import cleaned


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        ("• Kopierpapier A4 80 g ........ ", "Kopierpapier A4 80 g"),
        ("| Ordner A4, 80 mm |", "Ordner A4, 80 mm"),
        ("Hosting ______ März 2026", "Hosting März 2026"),
        ("Lager-\nregal, verzinkt,", "Lagerregal, verzinkt"),
        ("U\u200bn\u00adsichtbar\ufffd", "Unsichtbar"),
        ("Brot .", "Brot"),
        ("— — —", ""),
        ("Montage, inkl. Anfahrt.", "Montage, inkl. Anfahrt."),
        ("-20 °C Gel", "-20 °C Gel"),
        ("*信息技术服务*软件服务费", "*信息技术服务*软件服务费"),
        ("【办公】打印纸", "【办公】打印纸"),
        ("Schraube M8×40 (verzinkt)", "Schraube M8×40 (verzinkt)"),
        ("5 % Rabatt", "5 % Rabatt"),
    ],
)
def test_litter_goes_and_words_stay(printed: str, wanted: str) -> None:
    assert cleaned(printed) == wanted


litter = st.sampled_from([" ", "|", "....", "•", "-", "\n", "\u200b", "\ufffd", "──", ":", "~", "*"])
pieces = st.lists(st.one_of(litter, st.text(max_size=8)), max_size=10)


@given(pieces.map("".join))
def test_cleaning_twice_is_cleaning_once_and_no_letter_is_touched(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once
    letters = [c for c in text if c.isalnum()]
    assert [c for c in once if c.isalnum()] == letters
