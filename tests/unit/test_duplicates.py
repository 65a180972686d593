"""The second bill is found, the next one is not taken for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from inference.invoice import Status
from mappings.case import Case
from mappings.duplicates import check_duplicate
from mappings.erp_data import Bill
from mappings.index import ErpIndex
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, paper_bill, vendor_id

BRUNNHUBER = vendor_id("brunnhuber")
BILL = Bill(
    77, BRUNNHUBER, 1, "in_invoice", "posted", "2026-0901", date(2026, 9, 10), Decimal("310.59"), 1, "BILL/77"
)


def found(bill: Bill, number: str = "2026-0901", kind: str = "in_invoice", known: bool = True) -> bool:
    erp = ErpIndex(demo_data(bills=(bill,)))
    read = paper_bill(
        invoice_number=number, document_type="credit_note" if kind == "in_refund" else "invoice"
    )
    vendor = erp.partners[BRUNNHUBER] if known else None
    return check_duplicate(Case(read, draft_bill(kind), erp, TODAY), vendor).status is Status.FAIL


@pytest.mark.parametrize(
    "number", ["2026-0901", "2026 0901", "2026-901", "20260901", "2026/0901", " 2026–0901 "]
)
def test_the_same_number_however_it_is_spelt(number: str) -> None:
    assert found(replace(BILL, amount_total=Decimal(1), invoice_date=None), number)


@pytest.mark.parametrize("number", ["2026-0902", "2026-09010", "2025-0901"])
def test_another_number_and_sum_is_another_bill(number: str) -> None:
    assert not found(replace(BILL, amount_total=Decimal(1)), number)


def test_the_same_sum_nearly_the_same_day() -> None:
    assert found(BILL, "A-1")
    assert found(replace(BILL, invoice_date=date(2026, 9, 12)), "A-1")
    assert not found(replace(BILL, invoice_date=date(2026, 8, 10)), "A-1"), (
        "a subscription repeats every month"
    )
    assert not found(replace(BILL, currency_id=2), "A-1")


def test_drafts_and_other_companies_count_cancelled_bills_do_not() -> None:
    assert found(replace(BILL, state="draft", company_id=2))
    assert not found(replace(BILL, state="cancel"))


def test_a_bill_is_not_its_own_duplicate_and_a_refund_not_its_bill_s() -> None:
    assert not found(replace(BILL, id=draft_bill().id))
    assert not found(BILL, kind="in_refund")
    assert found(replace(BILL, move_type="in_refund"), kind="in_refund")


def test_where_the_vendor_is_unknown_number_and_sum_together_tell() -> None:
    assert found(BILL, known=False)
    assert not found(replace(BILL, amount_total=Decimal(1)), known=False)
    assert not found(replace(BILL, partner_id=vendor_id("fuhrwerk")))
