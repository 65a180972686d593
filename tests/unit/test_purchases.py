"""Bills against orders, and confirmations against orders: the paper's figures stay, differences are said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.invoice import Reading
from mappings.assignment import assign
from mappings.case import Tolerance
from mappings.erp_data import Bill, PurchaseOrder, Record, RecordLine
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Decision, Outcome, Policy, decide
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


def test_without_a_reference_only_a_full_match_links() -> None:
    odd = CARTON | {"net_price": "1.40", "line_net_amount": "840.00"}
    found = propose(dijkzicht(odd, FILM, purchase_order_reference=""), draft_bill(), INDEX, TODAY)
    assert not any("purchase_line_id" in line for line in found.lines)


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


# -- a confirmation on an order ---------------------------------------------------------------------------------------


def as_record(found: PurchaseOrder, **values: Any) -> Record:
    lines = tuple(
        RecordLine(line.id, line.name, line.product_qty, line.price_unit, line.product_qty * line.price_unit)
        for line in found.lines
    )
    header = {"partner_id": found.partner_id, "currency_id": found.currency_id} | values
    untaxed = sum((line.subtotal for line in lines), Decimal(0))
    return Record(
        "purchase.order",
        found.id,
        found.name,
        "order",
        found.state,
        1,
        "2026-09-12 08:00:00",
        header,
        lines,
        untaxed,
    )


def confirmation(*lines: dict[str, str], **changes: str) -> Reading:
    header = {
        "document_type": "order_confirmation",
        "order_number": "OC-88123",
        "currency": "GBP",
        "seller_name": "Thornbeck Precision Ltd",
        "buyer_name": "Kestrel Works GmbH",
        "delivery_date": "2026-10-02",
    }
    return reading(list(lines), **{name: text for name, text in (header | changes).items() if text})


CALIPER = {
    "item_name": "Digital caliper",
    "item_seller_id": "TB-CAL150",
    "quantity": "6",
    "net_price": "64.00",
}
WRENCH = {"item_name": "Torque wrench", "item_seller_id": "TB-TQ60", "quantity": "4", "net_price": "118.50"}


def judged(read: Reading, record: Record) -> tuple[Proposal, Decision]:
    found = propose(read, record, INDEX, TODAY)
    return found, decide(found, read, record, Policy())


def test_a_confirmation_that_agrees_gives_its_number_and_date() -> None:
    found, made = judged(confirmation(WRENCH, CALIPER), as_record(order("P00104")))
    assert made.outcome is Outcome.FILL
    assert {name: value.value for name, value in found.values.items()} == {"partner_ref": "OC-88123"}
    day = datetime(2026, 10, 2, 12, tzinfo=UTC)
    changes = [{name: value.value for name, value in line.items()} for line in found.lines]
    wrench, caliper = (line.id for line in reversed(order("P00104").lines))
    assert changes == [{"id": wrench, "date_planned": day}, {"id": caliper, "date_planned": day}]
    named = as_record(order("P00104"), partner_ref="OC-88123")
    assert judged(confirmation(WRENCH, CALIPER, delivery_date=""), named)[1].outcome is Outcome.SKIP


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ((CALIPER | {"quantity": "5"}, WRENCH), "Line 1, Digital caliper: 6 ordered, 5 confirmed."),
        (
            (CALIPER | {"net_price": "66.00"}, WRENCH),
            "Line 1, Digital caliper: the price is 66.00, the order says 64.00.",
        ),
        ((CALIPER,), "KW-4002 is ordered, but not on the document."),
        (
            (CALIPER, WRENCH, {"item_name": "Carriage", "line_net_amount": "9.00"}),
            "Line 3, Carriage, is not on the order.",
        ),
    ],
)
def test_each_difference_to_the_order_has_a_sentence(
    lines: tuple[dict[str, str], ...], sentence: str
) -> None:
    made = judged(confirmation(*lines), as_record(order("P00104")))[1]
    assert made.outcome is Outcome.REVIEW
    assert sentence in made.reasons


def test_a_date_that_was_confirmed_before_is_not_moved() -> None:
    read = confirmation(CALIPER | {"delivery_date": "2026-11-02"}, WRENCH, delivery_date="")
    fresh, confirmed = (as_record(order("P00104"), partner_ref=ref) for ref in (None, "OC-88123"))
    assert len(judged(read, fresh)[0].lines) == 1
    found, made = judged(read, confirmed)
    assert found.lines == ()
    assert made.reasons == ("Line 1, Digital caliper: promised for 2026-11-02, planned for 2026-09-30.",)


def test_another_vendor_currency_or_document_is_said() -> None:
    record = as_record(order("P00104"))
    other = judged(confirmation(CALIPER, WRENCH, seller_name="Dijkzicht Verpakkingen B.V."), record)[1]
    assert (
        "The order is at Thornbeck Precision Ltd, the document is from Dijkzicht Verpakkingen B.V."
        in other.reasons
    )
    euro = judged(confirmation(CALIPER, WRENCH, currency="EUR"), record)[1]
    assert euro.reasons == ("The order is in GBP, the document in EUR.",)
    bill = judged(confirmation(CALIPER, WRENCH, document_type="invoice"), record)[1]
    assert bill.reasons[0] == "The document on the order is an invoice, not a confirmation."


CALIBRATION = {
    "item_name": "Pressure sensor calibration, NIST traceable",
    "item_seller_id": "BMI-CAL-P",
    "quantity": "4",
    "net_price": "185.00",
    "line_net_amount": "740.00",
}
BLUE_MESA = {
    "seller_name": "Blue Mesa Instruments Inc.",
    "seller_tax_id": "47-1830562",
    "currency": "USD",
    "total_without_vat": "740.00",
    "total_vat": "0.00",
    "total_with_vat": "740.00",
}


def test_an_empty_order_gets_the_confirmed_lines() -> None:
    found, made = judged(confirmation(CALIBRATION, **BLUE_MESA), as_record(order("P00105")))
    assert made.outcome is Outcome.FILL
    [line] = found.lines
    assert {name: str(value.value) for name, value in line.items()} == {
        "name": "Pressure sensor calibration, NIST traceable",
        "product_qty": "4",
        "price_unit": "185.00",
        "tax_ids": "(10,)",
        "product_id": str(next(p.id for p in DATA.products if p.default_code == "KW-6001")),
        "date_planned": "2026-10-02 12:00:00+00:00",
    }
    unknown = CALIBRATION | {"item_seller_id": "BMI-XX", "item_name": "Something new"}
    made = judged(confirmation(unknown, **BLUE_MESA), as_record(order("P00105")))[1]
    assert made.reasons[0] == "No product in Odoo fits the line 'Something new'."


def test_a_cancelled_order_is_left_alone() -> None:
    record = replace(as_record(order("P00105")), state="cancel")
    assert judged(confirmation(CALIBRATION, **BLUE_MESA), record)[1].outcome is Outcome.SKIP


@pytest.mark.parametrize("number", ["P00101", "p-00101"])
def test_our_own_order_attached_by_odoo_is_no_answer_to_it(number: str) -> None:
    read = confirmation(document_type="quotation", order_number=number)
    _, decision = judged(read, as_record(order("P00101")))
    assert decision.outcome is Outcome.SKIP
    assert "our own order P00101" in decision.reasons[0]


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
    assert (carton.position, film.position) == (None, 0)
    assert (carton.ordered, carton.received, carton.billed) == (Decimal(600), Decimal(600), Decimal(0))
    assert found.as_json()["purchase_lines"][1] == {
        "order": "P00103",
        "id": order("P00103").lines[1].id,
        "name": "KW-3002",
        "ordered": "24",
        "received": "24",
        "billed": "0",
        "price": "6.75",
        "position": 0,
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
