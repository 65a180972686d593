"""Where people pointed on a vendor's papers: it is found there again, on that vendor's papers only, and no surer than taught."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from inference.invoice import Box, Field
from inference.isolation.sandbox import Sandbox
from inference.page import Token
from inference.readers import Hint, Recipient
from inference.readers.layout.hints import label_beside
from mappings.index import ErpIndex
from mappings.layout_hints import layout_hints, layout_lesson
from mappings.memory import Lesson, Memory
from tests.samples.generate import samples
from tests.unit.mappings_builder import demo_data, vendor_id
from tests.unit.typed_pages import TypedPage, read

PAPER = """
Morgenrot Werkzeug GmbH
Am Kai 3, 28195 Bremen

Rechnung an                                         RECHNUNG
Beispiel AG                                         Faktura-Zeichen    MW-88-1203
Lange Straße 1                                      Vorgangskennung    77120/4
10115 Berlin                                        Rechnungsdatum:    05.03.2026
                                                    Abrufdatum         09.03.2026

Bezeichnung                             Menge   Einzelpreis       Gesamt
Hammer, 500 g                               2         10,00        20,00
                                              Nettobetrag          20,00
                                              MwSt 19 %             3,80
                                              Gesamtbetrag         23,80 EUR

USt-IdNr.: DE136695976    IBAN: DE89 3704 0044 0532 0130 00
"""
SELLERS = ("DE136695976", "Morgenrot Werkzeug GmbH")
SAMPLE = "german_discounts"
NUMBER = Hint("invoice_number", "Faktura-Zeichen", SELLERS)


def found(page: str, *hints: Hint) -> Field | None:
    return read(page, recipient=Recipient(hints=hints)).get("invoice_number")


def test_once_pointed_at_it_is_suggested_and_twice_it_may_be_sure() -> None:
    plain = found(PAPER)
    assert plain is None or plain.value != "MW-88-1203"
    once, sure = found(PAPER, NUMBER), found(PAPER, replace(NUMBER, sure=True))
    assert once
    assert sure
    assert once.value == sure.value == "MW-88-1203"
    assert once.confidence <= 0.80 < sure.confidence <= 0.97
    assert once.note == "It stands by “Faktura-Zeichen”, where you pointed once."
    assert once.evidence[0].text == "MW-88-1203"


def test_what_was_guessed_is_surer_where_it_was_pointed_at() -> None:
    guessed = found(PAPER)
    taught = found(PAPER, replace(NUMBER, label="Vorgangskennung", sure=True))
    assert guessed
    assert taught
    assert guessed.value == taught.value == "77120/4"
    assert guessed.confidence < taught.confidence <= 0.97


@pytest.mark.parametrize(
    "hint",
    [
        replace(NUMBER, sellers=("DE811569869", "Abendrot Werkzeug GmbH")),
        replace(NUMBER, sellers=("GmbH",)),
        replace(NUMBER, label="Belegkennung"),
        replace(NUMBER, term="total_with_vat"),
    ],
)
def test_a_hint_of_another_vendor_label_or_kind_changes_nothing(hint: Hint) -> None:
    assert found(PAPER, replace(hint, sure=True)) == found(PAPER)


def test_only_the_taught_value_changes() -> None:
    before, after = read(PAPER), read(PAPER, recipient=Recipient(hints=(NUMBER,)))
    for name in before.fields.keys() | after.fields.keys():
        if name != "invoice_number":
            assert after.get(name) == before.get(name), name
    assert after.lines == before.lines


def test_a_date_is_read_as_one() -> None:
    hint = Hint("issue_date", "Abrufdatum", SELLERS, sure=True)
    issued = read(PAPER, recipient=Recipient(hints=(hint,))).get("issue_date")
    assert issued
    assert issued.value == date(2026, 3, 9)


# -- what a person points at --------------------------------------------------------------------------------------------


def words_of(page: str) -> list[Token]:
    return TypedPage(page).tokens


def box_of(page: str, text: str) -> Box:
    return next(word.box for word in words_of(page) if word.text == text)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("77120/4", "Vorgangskennung"),
        ("05.03.2026", "Rechnungsdatum"),
        ("DE136695976", "USt-IdNr"),
        ("DE89", "IBAN"),
    ],
)
def test_the_label_left_of_a_place(text: str, label: str) -> None:
    assert label_beside(words_of(PAPER), box_of(PAPER, text)) == label


def test_the_label_above_a_place() -> None:
    page = "Kunde      Ihre Vorgangs Nr    Datum\n4711       77120/4             05.03.2026"
    assert label_beside(words_of(page), box_of(page, "77120/4")) == "Ihre Vorgangs Nr"
    assert label_beside(words_of("77120/4"), box_of("77120/4", "77120/4")) == ""


# -- memory -------------------------------------------------------------------------------------------------------------

DAY = date(2026, 9, 20)
BRUNNHUBER = vendor_id("brunnhuber")


def lesson(document: str, label: str = "Vorgangskennung", term: str = "invoice_number") -> Lesson:
    made = layout_lesson(BRUNNHUBER, "Papierhaus Brunnhuber", term, label, document, DAY)
    assert made
    return made


def test_memory_becomes_hints_with_what_the_vendor_s_papers_are_known_by() -> None:
    index = ErpIndex(demo_data())
    [once] = layout_hints(Memory([lesson("1")]), index)
    [twice] = layout_hints(Memory([lesson("1"), lesson("2", " VORGANGSKENNUNG ")]), index)
    assert (once.term, once.label, once.sure) == ("invoice_number", "Vorgangskennung", False)
    assert twice.sure
    assert {"DE371628131", "Papierhaus Brunnhuber GmbH & Co. KG"} <= {
        text.replace(" ", "") if text.startswith("DE") else text for text in once.sellers
    }
    [entry] = Memory([lesson("1")]).entries()
    assert entry.sentence == (
        "You pointed at what stands by “Vorgangskennung” as the invoice number once, on 2026-09-20"
    )
    gone = ErpIndex(demo_data(partners=()))
    assert layout_hints(Memory([lesson("1")]), gone) == ()


def test_words_that_tell_nothing_teach_nothing() -> None:
    assert layout_lesson(BRUNNHUBER, "P", "invoice_number", "N", "1", DAY) is None
    assert layout_lesson(0, "P", "invoice_number", "Vorgangskennung", "1", DAY) is None
    assert layout_lesson(BRUNNHUBER, "P", "no_term", "Vorgangskennung", "1", DAY) is None


def test_hints_reach_the_process_that_reads(tmp_path: object) -> None:
    """A label that a sample prints beside its date, taught as that of its due date."""
    sample = next(one for one in samples() if one.name == SAMPLE)
    with Sandbox() as sandbox:
        _, before = sandbox.read(sample.data, sample.filename)
        issued = before.get("issue_date")
        assert issued
        assert issued.evidence[0].box
        words = sandbox.words(sample.data, 1)
        assert words
        label = label_beside(words, issued.evidence[0].box)
        seller = before.text("seller_name") or ""
        hint = Hint("delivery_date", label, (seller, before.text("seller_vat_id") or ""), sure=True)
        _, after = sandbox.read(sample.data, sample.filename, Recipient(hints=(hint,)))
    delivered = after.get("delivery_date")
    assert delivered
    assert delivered.value == issued.value
    assert "where you pointed before" in delivered.note
