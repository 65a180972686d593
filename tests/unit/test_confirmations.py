"""Confirmations and quotations against orders: number, promised dates, and each difference in a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from inference.invoice import Reading
from mappings.erp_data import PurchaseOrder, Record, RecordLine
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Decision, Outcome, Policy, decide
from mappings.proposal import Proposal
from tests.unit.mappings_builder import TODAY, demo_data, reading

DATA = demo_data()
INDEX = ErpIndex(DATA)


def order(name: str) -> PurchaseOrder:
    return next(o for o in DATA.purchase_orders if o.name == name)


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


def test_one_order_line_confirmed_in_parts() -> None:
    """The parts are one line of the order; with several dates a person splits it."""
    fresh = as_record(order("P00104"))
    parts = [CALIPER | {"quantity": number} for number in ("2", "4")]
    found, made = judged(confirmation(*parts, WRENCH), fresh)
    assert made.outcome is Outcome.FILL
    assert len(found.lines) == 2
    parts[1] |= {"delivery_date": "2026-11-02"}
    found, made = judged(confirmation(*parts, WRENCH), fresh)
    assert len(found.lines) == 1
    assert made.reasons == (
        "Lines 1 and 2, Digital caliper: promised in parts, for 2026-10-02 and 2026-11-02.",
    )


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
