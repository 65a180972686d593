"""Answers of several pages made one Reading, and two readers held against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.grounding import Finder
from inference.invoice import HEADER, LINE, Box, Evidence, Field, Reading, Status
from inference.readers.vlm.agreement import both, same, settled_rows
from inference.readers.vlm.answer import Answer
from inference.readers.vlm.certainty import Certainty
from inference.readers.vlm.combine import combined
from inference.readers.vlm.confidence import ALONE, DISPUTED, NOWHERE
from inference.readers.vlm.merge import Merged, merged
from inference.readers.vlm.placing import PageSaid, Placer, Said
from inference.readers.vlm.reader import Sheet, sheets_to_ask
from inference.readers.vlm.second import doubts
from inference.readers.vlm.values import Conventions
from tests.unit.typed_pages import TypedPage, read

SURE = Certainty(0.99, 0.98, 5)
PLACE = Evidence(1, Box(0.1, 0.1, 0.2, 0.12), "here")

FIRST = """
ACME GmbH                                     Rechnung RE-77
Musterweg 1, 12345 Musterstadt                Datum 04.03.2026

Pos  Artikel                     Menge   Preis    Betrag
1    Schrauben M8                10      2,00     20,00
2    Muttern M8                  10      1,00     10,00
     Übertrag                                     30,00
"""
LAST = """
Übertrag                                          30,00
Pos  Artikel                     Menge   Preis    Betrag
3    Bolzen                      2       5,00     10,00
     Netto                                        40,00
     USt 19 %                                      7,60
     Gesamtbetrag                             EUR 47,60
"""
TERMS = """
Allgemeine Geschäftsbedingungen
1. Zahlbar in 30 Tagen. 2. Gerichtsstand ist Musterstadt.
"""


def said_of(number: int, text: str, answer: Answer, layout: Reading | None = None) -> PageSaid:
    page = TypedPage(text, number)
    conventions = Conventions.of((FIRST, LAST))
    placer = Placer(number, Finder([page]), conventions, layout or Reading("layout"))
    return placer.placed(answer, {})


def line(name: str, quantity: str, price: str, amount: str) -> Mapping[str, str]:
    values = {"item_name": name, "quantity": quantity, "net_price": price, "line_net_amount": amount}
    return {name: value for name, value in values.items() if value}


def pages() -> list[PageSaid]:
    first = Answer(
        {
            "invoice_number": "RE-77",
            "issue_date": "4.3.2026",
            "seller_name": "ACME GmbH",
            "total_with_vat": "30,00",
        },
        lines=(
            line("Schrauben M8", "10", "2,00", "20,00"),
            line("Muttern M8", "10", "1,00", "10,00"),
            line("Übertrag", "", "", "30,00"),
        ),
    )
    last = Answer(
        {
            "seller_name": "Bolzen",
            "total_without_vat": "40.00",
            "total_vat": "7.60",
            "total_with_vat": "47.60",
        },
        lines=(line("carried over", "", "", "30,00"), {}, line("Bolzen", "2", "5,00", "10,00")),
    )
    terms = Answer(
        {"seller_name": "Gerichtsstand", "invoice_number": "30"}, lines=(line("Zahlbar", "", "", ""),)
    )
    return [said_of(1, FIRST, first), said_of(2, LAST, last), said_of(3, TERMS, terms)]


def test_pages_become_one_document() -> None:
    found = merged(pages())
    assert found.header["invoice_number"].value == "RE-77"
    assert found.header["issue_date"].value == date(2026, 3, 4)
    assert found.header["seller_name"].value == "ACME GmbH"
    # A page may end with the sum so far: the totals are those that add up.
    assert found.header["total_with_vat"].value == Decimal("47.60")
    assert [row["item_name"].value for row in found.lines] == ["Schrauben M8", "Muttern M8", "Bolzen"]
    for row in found.lines:
        boxes = [said.evidence.box for said in row.values() if said.evidence and said.evidence.box]
        assert len(boxes) == len(row)
        assert max(box.y0 for box in boxes) - min(box.y0 for box in boxes) < 0.01


def test_a_row_that_only_repeats_the_sum_is_no_line_whatever_it_is_called() -> None:
    rows = (line("A", "1", "5,00", "5,00"), line("B", "1", "6,00", "6,00"), line("???", "", "", "11,00"))
    found = merged([PageSaid(1, {}, lines=said_of(1, FIRST, Answer({}, lines=rows)).lines)])
    assert len(found.lines) == 2


def test_pages_of_terms_are_not_asked_about() -> None:
    sheets = [Sheet(n, TypedPage(text, n).tokens) for n, text in enumerate((FIRST, LAST, TERMS, ""), 1)]
    assert sheets_to_ask(Reading("layout"), sheets) == (1, 2, 4)
    assert sheets_to_ask(Reading("einvoice"), sheets) == ()


def test_both_readers_on_a_whole_document() -> None:
    layout = read(FIRST, LAST)
    reading = combined(merged(pages()), layout)
    for name in ("invoice_number", "issue_date", "total_with_vat"):
        assert reading.fields[name].confidence >= layout.fields[name].confidence - 0.05, name
    assert len(reading.lines) == 3
    assert {check.id: check.status for check in reading.checks}["lines_sum"] is Status.PASS


def field(value: object, confidence: float = 0.95) -> Field:
    return Field(value, confidence, (PLACE,))  # type: ignore[arg-type]


def test_agreement_and_disagreement() -> None:
    term = HEADER["total_with_vat"]
    layout = field(Decimal("47.60"))
    here = Said(Decimal("47.60"), "47,60", 1, PLACE, SURE)
    assert both(term, here, layout).confidence > 0.9
    other = both(term, replace(here, value=Decimal("40.00")), layout)
    assert other.confidence <= DISPUTED
    assert "40.00" in other.note or "47.60" in other.note
    nowhere = both(term, Said(Decimal("1.00"), "1.00", 1, None, SURE), layout)
    assert nowhere.value == layout.value
    assert nowhere.confidence <= DISPUTED
    assert "nowhere" in nowhere.note


@given(st.floats(0.01, 0.99), st.floats(0, 1), st.booleans(), st.booleans())
def test_no_disagreement_is_sure_and_nothing_without_a_place_is(
    mean: float, layout: float, placed: bool, agrees: bool
) -> None:
    sure = Certainty(mean, mean / 2, 4)
    said = Said("A1" if agrees else "B2", "x", 1, PLACE if placed else None, sure)
    found = both(HEADER["invoice_number"], said, Field("A1", layout))
    if not agrees:
        assert found.confidence <= DISPUTED
    if not found.evidence:
        assert found.confidence <= max(NOWHERE, layout if not agrees else 0)
    only = combined(Merged({"invoice_number": said}, (), ()), Reading("layout")).fields["invoice_number"]
    assert only.confidence <= (ALONE if placed else NOWHERE)


@pytest.mark.parametrize(
    ("name", "one", "other", "expected"),
    [
        ("seller_name", "ACME", "ACME GmbH & Co. KG", True),
        ("seller_name", "ACME GmbH", "Acme Gmbh", True),
        ("seller_name", "AC", "ACME GmbH", False),
        ("seller_name", "GmbH", "ACME GmbH", False),
        ("seller_name", "Northwind Traders", "Southwind Traders Ltd", False),
        ("seller_address", "Musterweg 1, 12345 Musterstadt", "12345 Musterstadt, Musterweg 1", True),
        ("invoice_number", "RE-77", "RE 77", True),
        ("invoice_number", "RE-77", "RE-777", False),
        ("invoice_number", "--", "//", False),
        ("total_vat", Decimal("7.60"), Decimal("7.6"), True),
        ("total_vat", Decimal("7.60"), Decimal("-7.60"), False),
        ("issue_date", date(2026, 3, 4), date(2026, 4, 3), False),
    ],
)
def test_same(name: str, one: object, other: object, expected: bool) -> None:
    assert same(HEADER[name], one, other) is expected  # type: ignore[arg-type]
    assert same(HEADER[name], other, one) is expected  # type: ignore[arg-type]


@given(st.lists(st.integers(1, 5), max_size=6), st.lists(st.integers(1, 5), max_size=6))
def test_rows_pair_up_in_order_and_only_pairs_are_sure(ours: list[int], theirs: list[int]) -> None:
    def rows(numbers: list[int]) -> list[dict[str, Field]]:
        return [
            {"line_net_amount": field(Decimal(n), 0.8), "item_name": field(f"item {n}", 0.8)} for n in numbers
        ]

    found = settled_rows(rows(ours), rows(theirs), LINE, (("line_net_amount",),))
    assert [row["line_net_amount"].value for row in found] == [Decimal(n) for n in ours]
    paired = sum(row["line_net_amount"].confidence > ALONE for row in found)
    assert paired <= min(len(ours), len(theirs))
    if ours == theirs:
        assert paired == len(ours)


def test_the_second_look_is_at_what_differs_and_twice_at_most() -> None:
    layout = Reading("layout", {"total_with_vat": field(Decimal("47.60")), "invoice_number": field("RE-77")})
    agreed = {
        "total_with_vat": Said(Decimal("47.60"), "", 1, PLACE),
        "invoice_number": Said("RE-77", "", 1, PLACE),
    }
    assert doubts(Merged(agreed, (), ()), layout) == ()
    wrong = {name: replace(said, value="0", evidence=None) for name, said in agreed.items()}
    found = doubts(Merged(wrong, (), ()), layout)
    assert [doubt.names for doubt in found] == [("total_with_vat",), ("invoice_number",)]
    assert all(doubt.box.y0 < 0.1 < 0.12 < doubt.box.y1 for doubt in found)
    assert set(found[0].schema()["properties"]) == {"total"}
