"""Bills against orders: the paper's figures stay, differences are said."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.assignment import assign
from mappings.case import Tolerance
from mappings.erp_data import Bill, PurchaseOrder
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Outcome, Policy, decide
from mappings.proposal import Proposal
from tests.unit.mappings_builder import CARTON, FILM, TODAY, demo_data, dijkzicht, draft_bill, reading

DATA = demo_data()
INDEX = ErpIndex(DATA)


def order(name: str) -> PurchaseOrder:
    return next(o for o in DATA.purchase_orders if o.name == name)


def failures(proposal: Proposal) -> list[str]:
    return [check.message for check in proposal.checks if check.status == "fail"]


# -- a bill for an order ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["P00103", "PO P00103/A", "Bestellung p-103", "00103", ""])
def test_lines_are_linked_to_the_order_however_it_is_named(reference: str) -> None:
    read = dijkzicht(FILM, CARTON, purchase_order_reference=reference)
    found = propose(read, draft_bill(), INDEX, TODAY)
    ordered = order("P00103").lines
    assert [line["purchase_line_id"].value for line in found.lines] == [ordered[1].id, ordered[0].id]
    assert [line["product_id"].value for line in found.lines] == [
        ordered[1].product_id,
        ordered[0].product_id,
    ]
    assert failures(found) == []
    assert decide(found, read, draft_bill(), Policy()).outcome is Outcome.FILL


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"net_price": "0.97", "line_net_amount": "582.00"}, "the price is 0.97, the order says 0.94."),
        (
            {"quantity": "700", "line_net_amount": "658.00"},
            "700 are billed, 600 of the order are left to bill.",
        ),
    ],
)
def test_a_difference_is_said_and_never_mended(change: dict[str, str], sentence: str) -> None:
    read = dijkzicht(CARTON | change, FILM)
    found = propose(read, draft_bill(), INDEX, TODAY)
    assert any(text.endswith(sentence) for text in failures(found)), failures(found)
    assert found.lines[0]["quantity"].value == Decimal(change.get("quantity", "600"))
    assert found.lines[0]["price_unit"].value == Decimal(change.get("net_price", "0.94"))


def test_a_price_within_two_percent_is_as_agreed() -> None:
    found = propose(
        dijkzicht(CARTON | {"net_price": "0.95", "line_net_amount": "570.00"}, FILM),
        draft_bill(),
        INDEX,
        TODAY,
    )
    assert not [text for text in failures(found) if "price" in text]


def test_what_was_not_received_is_not_owed_yet() -> None:
    bolt = {
        "item_name": "Arbre tourné",
        "item_seller_id": "ARB-20-300",
        "quantity": "40",
        "net_price": "34.50",
    }
    read = reading(
        [bolt | {"line_net_amount": "1380.00"}],
        document_type="invoice",
        seller_vat_id="FR08744105461",
        purchase_order_reference="P00102",
    )
    said = failures(propose(read, draft_bill(), INDEX, TODAY))
    assert "Line 1, Arbre tourné: 40 are billed, but only 15 received and not billed yet." in said


def test_a_line_that_was_not_ordered_is_said() -> None:
    extra = {"item_name": "Energietoeslag", "line_net_amount": "12.00", "vat_rate": "21"}
    said = failures(propose(dijkzicht(CARTON, FILM, extra), draft_bill(), INDEX, TODAY))
    assert "Line 3, Energietoeslag, is not on order P00103." in said


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("P00101", "which is at Nordlicht Elektronik GmbH, not at Dijkzicht"),
        ("P00999", "The document refers to order P00999, which Odoo does not have open."),
    ],
)
def test_an_order_of_another_vendor_or_an_unknown_one_is_said(reference: str, sentence: str) -> None:
    said = failures(
        propose(dijkzicht(CARTON, FILM, purchase_order_reference=reference), draft_bill(), INDEX, TODAY)
    )
    assert any(sentence in text for text in said)


def test_a_reference_that_is_no_order_number_is_no_matter() -> None:
    read = dijkzicht(CARTON, FILM, purchase_order_reference="Frau Accountant, Tel. -0")
    assert failures(propose(read, draft_bill(), INDEX, TODAY)) == []


def test_without_a_reference_only_a_full_match_links_surely() -> None:
    odd = CARTON | {"net_price": "1.40", "line_net_amount": "840.00"}
    read = dijkzicht(odd, FILM, purchase_order_reference="")
    found = propose(read, draft_bill(), INDEX, TODAY)
    ordered = order("P00103").lines
    assert [line["purchase_line_id"].value for line in found.lines] == [line.id for line in ordered]
    assert all(line["purchase_line_id"].confidence < 0.9 for line in found.lines)
    said = failures(found)
    assert "The document names no order; its lines are like those of P00103, but do not all agree." in said
    assert any("the price is 1.40, the order says 0.94." in text for text in said)
    assert decide(found, read, draft_bill(), Policy()).outcome is Outcome.REVIEW


def test_goods_that_have_not_come_are_not_billed_unasked_where_no_order_is_named() -> None:
    first = order("P00103")
    waiting = replace(first, lines=tuple(replace(line, qty_received=Decimal(0)) for line in first.lines))
    erp = ErpIndex(demo_data(purchase_orders=(waiting,)))
    said = failures(propose(dijkzicht(CARTON, FILM, purchase_order_reference=""), draft_bill(), erp, TODAY))
    assert any("600 are billed, but only 0 received and not billed yet." in text for text in said)


def test_other_goods_of_a_vendor_with_an_open_order_are_no_matter_of_the_order() -> None:
    other = {"item_name": "Huur heftruck oktober", "line_net_amount": "310.00", "vat_rate": "21"}
    read = dijkzicht(
        other,
        purchase_order_reference="",
        total_without_vat="310.00",
        total_vat="65.10",
        total_with_vat="375.10",
    )
    found = propose(read, draft_bill(), INDEX, TODAY)
    assert not any("purchase_line_id" in line for line in found.lines)
    assert failures(found) == []


# -- several document lines for one order line ------------------------------------------------------------------------


def lots(*quantities: int, **changes: str) -> list[dict[str, str]]:
    """The cartons in so many lines, as a vendor bills them that came in lots."""
    return [
        CARTON | {"quantity": str(number), "line_net_amount": str(number * Decimal("0.94"))} | changes
        for number in quantities
    ]


@pytest.mark.parametrize("reference", ["P00103", ""])
@pytest.mark.parametrize("named", [{}, {"item_seller_id": ""}])
def test_lots_of_one_order_line_are_all_linked_to_it(reference: str, named: dict[str, str]) -> None:
    rows = [{name: text for name, text in row.items() if text} for row in lots(250, 350, **named)]
    read = dijkzicht(rows[0], FILM, rows[1], purchase_order_reference=reference)
    found = propose(read, draft_bill(), INDEX, TODAY)
    carton, film = order("P00103").lines
    assert [line["purchase_line_id"].value for line in found.lines] == [carton.id, film.id, carton.id]
    assert [line["quantity"].value for line in found.lines] == [250, 24, 350]
    assert failures(found) == []
    assert decide(found, read, draft_bill(), Policy()).outcome is Outcome.FILL
    shown = found.purchase_lines[0]
    assert (shown.positions, shown.document_quantity, shown.document_price) == ((0, 2), 600, Decimal("0.94"))


def test_lots_are_too_much_together() -> None:
    found = propose(dijkzicht(*lots(300, 200, 101), FILM), draft_bill(), INDEX, TODAY)
    name = CARTON["item_name"]
    assert f"Lines 1, 2 and 3, {name}: 601 are billed, 600 of the order are left to bill." in failures(found)
    dear = propose(
        dijkzicht(*lots(300), *lots(300, net_price="1.10", line_net_amount="330.00")),
        draft_bill(),
        INDEX,
        TODAY,
    )
    assert f"Line 2, {name}: the price is 1.10, the order says 0.94." in failures(dear)
    assert dear.purchase_lines[0].document_price == Decimal("1.02")


@given(st.lists(st.integers(1, 300), min_size=1, max_size=5), st.permutations(range(6)))
def test_no_order_line_is_billed_beyond_what_is_left_unasked(quantities: list[int], turn: list[int]) -> None:
    rows = [*lots(*quantities), FILM]
    places = [place for place in turn if place < len(rows)]
    found = propose(dijkzicht(*(rows[place] for place in places)), draft_bill(), INDEX, TODAY)
    carton = order("P00103").lines[0].id
    taken = [line for line in found.lines if line["purchase_line_id"].value == carton]
    assert len(taken) == len(quantities)
    too_much = any("of the order are left to bill" in text for text in failures(found))
    assert too_much == (sum(quantities) > 600)


def test_two_order_lines_for_the_same_goods_each_get_their_own() -> None:
    first = order("P00103")
    carton = replace(first.lines[0], product_qty=Decimal(250), qty_received=Decimal(250))
    later = replace(carton, id=9_001, product_qty=Decimal(350), qty_received=Decimal(350))
    erp = ErpIndex(demo_data(purchase_orders=(replace(first, lines=(carton, later, first.lines[1])),)))
    found = propose(dijkzicht(*lots(350, 250), FILM), draft_bill(), erp, TODAY)
    linked = [line["purchase_line_id"].value for line in found.lines]
    assert linked == [later.id, carton.id, first.lines[1].id]
    assert failures(found) == []


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_the_assignment_is_the_best_of_all(rows: int, columns: int, data: st.DataObject) -> None:
    score = st.integers(0, 20).map(lambda value: value / 20)
    scores = data.draw(
        st.lists(st.lists(score, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )
    found = assign(scores)
    taken = [column for column in found if column is not None]
    assert len(taken) == len(set(taken)) == min(rows, columns)
    total = sum(scores[row][column] for row, column in enumerate(found) if column is not None)
    slots: list[int | None] = [*range(columns), *[None] * rows]
    best = max(
        sum(scores[row][column] for row, column in enumerate(choice) if column is not None)
        for choice in set(permutations(slots, rows))
    )
    assert total == pytest.approx(best)


# -- which order, and how much of it ----------------------------------------------------------------------------------


def second_order(**changes: Any) -> PurchaseOrder:
    """Another order of Dijkzicht, received whole."""
    first = order("P00103")
    lines = tuple(replace(line, id=line.id + 5000, order_id=790) for line in first.lines)
    return replace(first, id=790, name="P00120", lines=lines, **changes)


def with_orders(*orders: PurchaseOrder) -> ErpIndex:
    return ErpIndex(demo_data(purchase_orders=(*DATA.purchase_orders, *orders)))


def test_orders_that_fit_alike_are_left_to_a_person() -> None:
    read = dijkzicht(CARTON, FILM, purchase_order_reference="")
    found = propose(read, draft_bill(), with_orders(second_order()), TODAY)
    assert not any("purchase_line_id" in line for line in found.lines)
    assert "The lines fit orders P00103 and P00120 alike, and the document names none." in failures(found)
    assert {match.name for match in found.matches["purchase_order"]} == {"P00103", "P00120"}
    named = propose(dijkzicht(CARTON, FILM), draft_bill(), with_orders(second_order()), TODAY)
    assert failures(named) == []


def test_of_several_open_orders_the_one_that_every_line_fits_is_taken() -> None:
    dearer = second_order()
    dearer = replace(
        dearer, lines=tuple(replace(line, price_unit=line.price_unit * 2) for line in dearer.lines)
    )
    read = dijkzicht(CARTON, FILM, purchase_order_reference="")
    found = propose(read, draft_bill(), with_orders(dearer), TODAY)
    assert [line["purchase_line_id"].value for line in found.lines] == [
        line.id for line in order("P00103").lines
    ]


def test_one_bill_may_be_for_two_orders() -> None:
    first, other = order("P00103"), second_order()
    erp = ErpIndex(
        demo_data(
            purchase_orders=(
                *(o for o in DATA.purchase_orders if o.id != first.id),
                replace(first, lines=first.lines[:1]),
                replace(other, lines=other.lines[1:]),
            )
        )
    )
    found = propose(dijkzicht(CARTON, FILM, purchase_order_reference=""), draft_bill(), erp, TODAY)
    assert [line["purchase_line_id"].value for line in found.lines] == [first.lines[0].id, other.lines[1].id]
    assert failures(found) == []


def test_an_order_is_known_by_the_number_that_the_vendor_confirmed_it_under() -> None:
    erp = with_orders(second_order(partner_ref="OC-2026/0077"))
    read = dijkzicht(CARTON, FILM, purchase_order_reference="", order_number="oc 2026 77")
    found = propose(read, draft_bill(), erp, TODAY)
    assert [line["purchase_line_id"].value for line in found.lines] == [
        line.id for line in second_order().lines
    ]


def test_ordered_received_and_billed_are_shown_for_every_line_of_the_order() -> None:
    found = propose(dijkzicht(FILM), draft_bill(), INDEX, TODAY)
    carton, film = found.purchase_lines
    assert (carton.positions, film.positions) == ((), (0,))
    assert (carton.ordered, carton.received, carton.billed) == (Decimal(600), Decimal(600), Decimal(0))
    assert found.as_json()["purchase_lines"][1] == {
        "order": "P00103",
        "id": order("P00103").lines[1].id,
        "name": "KW-3002",
        "ordered": "24",
        "received": "24",
        "billed": "0",
        "price": "6.75",
        "positions": [0],
        "document_quantity": "24",
        "document_price": "6.75",
    }


def test_the_tolerances_are_the_owner_s() -> None:
    dear = dijkzicht(CARTON | {"net_price": "1.00", "line_net_amount": "600.00"}, FILM)
    much = dijkzicht(CARTON | {"quantity": "612", "line_net_amount": "575.28"}, FILM)
    wide = Tolerance(Decimal(7), Decimal(2))
    for read, word in ((dear, "price"), (much, "billed")):
        strict = failures(propose(read, draft_bill(), INDEX, TODAY))
        assert [text for text in strict if word in text]
        lenient = propose(read, draft_bill(), INDEX, TODAY, tolerance=wide)
        assert not [text for text in failures(lenient) if word in text]
        assert lenient.lines[0]["price_unit"].value == (Decimal("1.00") if read is dear else Decimal("0.94"))


def test_a_bill_filled_in_this_round_uses_up_the_order_for_the_next() -> None:
    read = dijkzicht(CARTON, FILM)
    first = propose(read, draft_bill(), INDEX, TODAY)
    billed = {line["purchase_line_id"].value: line["quantity"].value for line in first.lines}
    bill = Bill(5151, order("P00103").partner_id, 1, "in_invoice", "draft", "DV-1", None, Decimal(1), 1)
    later = INDEX.with_bill(bill, billed)  # type: ignore[arg-type]
    again = failures(propose(dijkzicht(CARTON, FILM, invoice_number="DV-2"), draft_bill(), later, TODAY))
    assert any("0 of the order are left to bill" in text for text in again)
    assert failures(propose(read, draft_bill(), INDEX, TODAY)) == []


def test_other_sizes_are_other_goods() -> None:
    """The size that was ordered is not on the bill; one that differs in a number only is, at the same price."""
    bigger = CARTON | {"item_name": "Vouwdoos 400 × 300 × 300 mm", "item_seller_id": ""}
    bigger = {name: text for name, text in bigger.items() if text}
    first = order("P00103")
    lines = (replace(first.lines[0], name="Vouwdoos 400 × 300 × 200 mm", product_id=None), first.lines[1])
    erp = ErpIndex(demo_data(purchase_orders=(replace(first, lines=lines),)))
    found = propose(dijkzicht(bigger, FILM), draft_bill(), erp, TODAY)
    link = found.lines[0].get("purchase_line_id")
    assert link is None or link.confidence < 0.9


def test_a_price_that_agrees_by_chance_takes_no_line_from_its_own_name() -> None:
    first = order("P00103")
    named = replace(
        first.lines[0], id=91, name="Verpakkingsdoos 500 ml", product_id=None, price_unit=Decimal("0.80")
    )
    priced = replace(first.lines[0], id=92, name="Verpakkingsdoos rood", product_id=None)
    erp = ErpIndex(demo_data(purchase_orders=(replace(first, lines=(named, priced)),)))
    row = {name: CARTON[name] for name in ("quantity", "net_price", "line_net_amount", "vat_rate")}
    link = propose(dijkzicht(row | {"item_name": "Verpakkingsdoos 500 ml"}), draft_bill(), erp, TODAY).lines[
        0
    ]
    assert link["purchase_line_id"].value == 91 or link["purchase_line_id"].confidence < 0.9


def test_a_toss_up_between_order_lines_is_no_link() -> None:
    first = order("P00103")
    lines = tuple(
        replace(first.lines[0], id=line_id, name=name, product_id=None)
        for line_id, name in ((91, "Vouwdoos bruin enkel"), (92, "Vouwdoos bruin dubbel"))
    )
    erp = ErpIndex(demo_data(purchase_orders=(replace(first, lines=lines),)))
    vague = {name: CARTON[name] for name in ("quantity", "net_price", "line_net_amount", "vat_rate")}
    read = dijkzicht(vague | {"item_name": "Vouwdoos bruin"})
    found = propose(read, draft_bill(), erp, TODAY)
    assert found.lines[0]["purchase_line_id"].confidence < 0.9
    assert decide(found, read, draft_bill(), Policy()).outcome is Outcome.REVIEW


@pytest.mark.parametrize(("place", "linked"), [("3", 92), ("2", None), ("", None)])
def test_a_line_number_of_our_order_tells_like_lines_apart(place: str, linked: int | None) -> None:
    """The document's second line is for the third of the order; numbers that count the document's own lines tell nothing."""
    first = order("P00103")
    lines = tuple(
        replace(first.lines[0], id=line_id, name=name, product_id=None)
        for line_id, name in ((91, "Vouwdoos bruin enkel"), (92, "Vouwdoos bruin dubbel"))
    )
    erp = ErpIndex(demo_data(purchase_orders=(replace(first, lines=(first.lines[1], *lines)),)))
    vague = {name: CARTON[name] for name in ("quantity", "net_price", "line_net_amount", "vat_rate")}
    vague |= {"item_name": "Vouwdoos bruin"} | ({"purchase_order_line": place} if place else {})
    read = dijkzicht(FILM | ({"purchase_order_line": "1"} if place else {}), vague)
    link = propose(read, draft_bill(), erp, TODAY).lines[1]["purchase_line_id"]
    assert link.confidence < 0.9 if linked is None else (link.value == linked and link.confidence >= 0.9)


def test_a_like_price_makes_no_link_where_the_names_are_not_alike() -> None:
    """The goods of the bill are on no open order; another order has something of the same kind at nearly its price."""
    first = order("P00103")
    bottle = replace(first.lines[0], name="Vouwdoos 500 ml", product_id=None)
    erp = ErpIndex(demo_data(purchase_orders=(replace(first, lines=(bottle,)),)))
    red = {name: CARTON[name] for name in ("quantity", "net_price", "line_net_amount", "vat_rate")}
    for reference in ("", "P00103"):
        read = dijkzicht(red | {"item_name": "Vouwdoos rood"}, purchase_order_reference=reference)
        link = propose(read, draft_bill(), erp, TODAY).lines[0].get("purchase_line_id")
        assert link is None or link.confidence < 0.9
