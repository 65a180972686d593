"""How lines are booked: product, account, analytic distribution, and how many lines there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.erp_data import Distribution, FiscalPosition, PostedLine, Product
from mappings.index import ErpIndex
from mappings.line_styles import LineStyle, LineStyles
from mappings.matching import propose
from mappings.policy import Outcome, Policy, decide
from mappings.proposal import Proposal
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, paper_bill, reading, vendor_id

DATA = demo_data()
BRUNNHUBER = vendor_id("brunnhuber")
PAPER, FOLDERS = "Kopierpapier A4 80 g, Karton 2500 Blatt", "Ordner A4, 80 mm"
NINETEEN = next(tax.id for tax in DATA.taxes if tax.amount == 19)
WORKSHOP = Distribution((("7", Decimal(100)),))
CENTRES = ((7, "Workshop"), (8, "Office"))


def earlier(name: str, bill: int = 1, **values: Any) -> PostedLine:
    fields: dict[str, Any] = {"tax_ids": (NINETEEN,), "date": date(2026, 1, 1) + timedelta(days=bill)}
    return PostedLine(BRUNNHUBER, 1, name, 500, **(fields | {"bill_id": bill} | values))


def proposed(
    *lines: PostedLine, products: tuple[Product, ...] = (), styles: LineStyles | None = None, **changes: Any
) -> Proposal:
    data = replace(DATA, posted_lines=lines, products=products, analytic_accounts=CENTRES, **changes)
    return propose(paper_bill(), draft_bill(), ErpIndex(data), TODAY, line_styles=styles)


def of_first(found: Proposal, field: str) -> object:
    value = found.lines[0].get(field)
    return value.value if value else None


def test_the_product_of_earlier_lines_of_that_name_is_taken() -> None:
    paper = Product(31, "Paper, white")
    assert of_first(proposed(earlier(PAPER, product_id=31), products=(paper,)), "product_id") == 31
    two = (earlier(PAPER, product_id=31), earlier(PAPER, product_id=32))
    assert of_first(proposed(*two, products=(paper, Product(32, "Paper"))), "product_id") is None


def test_a_product_of_the_very_name_is_suggested_unless_earlier_lines_had_none() -> None:
    named = Product(33, "KOPIERPAPIER A4 80g – Karton 2500 Blatt")
    found = proposed(products=(named,))
    assert of_first(found, "product_id") == 33
    assert found.lines[0]["product_id"].confidence < 0.9
    assert of_first(proposed(earlier(PAPER), products=(named,)), "product_id") is None
    assert of_first(proposed(products=(named, replace(named, id=34))), "product_id") is None


def test_our_code_or_a_gtin_in_the_vendor_s_column_is_known() -> None:
    assert of_first(proposed(products=(Product(35, "A", default_code="4711 A4"),)), "product_id") == 35
    line = {"item_name": "X", "line_net_amount": "1.00", "item_seller_id": "4006381333931", "vat_rate": "19"}
    data = replace(DATA, products=(Product(36, "Marker", barcode="4006381333931"),))
    found = propose(reading([line]), draft_bill(), ErpIndex(data), TODAY)
    assert of_first(found, "product_id") == 36
    assert found.lines[0]["product_id"].confidence >= 0.9


def test_a_default_account_goes_through_the_fiscal_position() -> None:
    position = FiscalPosition(
        4, "Home", 1, auto_apply=True, countries=frozenset({"DE"}), accounts=((499, 501),)
    )
    assert of_first(proposed(), "account_id") == 499
    assert of_first(proposed(fiscal_positions=(position,)), "account_id") == 501
    # What people booked on is theirs, and stays.
    assert of_first(proposed(earlier(PAPER), fiscal_positions=(position,)), "account_id") == 500


def test_a_uniform_analytic_distribution_is_kept_up_and_a_mixed_one_is_not() -> None:
    same = [earlier("Toner", bill=n, analytic=WORKSHOP) for n in range(2)]
    found = proposed(*same)
    assert of_first(found, "analytic_distribution") == WORKSHOP
    assert found.lines[0]["analytic_distribution"].reason.startswith("Workshop 100 %, as all 2 earlier lines")
    assert of_first(proposed(same[0]), "analytic_distribution") is None
    assert of_first(proposed(*same, earlier("Toner", bill=3)), "analytic_distribution") is None
    archived = Distribution((("99", Decimal(100)),))
    assert (
        of_first(proposed(*[replace(one, analytic=archived) for one in same]), "analytic_distribution")
        is None
    )
    papers = [earlier(PAPER, bill=n, analytic=WORKSHOP) for n in range(2)]
    others = [earlier("Toner", bill=n) for n in range(5)]
    assert of_first(proposed(*papers, *others), "analytic_distribution") == WORKSHOP


def test_one_line_per_tax_where_it_is_set_or_the_vendor_s_last_bills_are_so() -> None:
    wanted = LineStyles(vendors={"de 371 628 131": LineStyle.PER_TAX})
    found = proposed(styles=wanted)
    [line] = found.lines
    assert (line["quantity"].value, line["price_unit"].value) == (1, Decimal("261.00"))
    assert line["name"].value == f"{PAPER}, {FOLDERS}"
    assert set(line["price_unit"].terms) >= {"lines[0].line_net_amount", "lines[1].line_net_amount"}
    assert decide(found, paper_bill(), draft_bill(), Policy()).outcome is Outcome.FILL
    assert len(proposed(styles=LineStyles(LineStyle.ORDER)).lines) == 1
    assert len(proposed(styles=LineStyles(LineStyle.DETAILED)).lines) == 2


def three_lines() -> list[dict[str, str]]:
    return [{"item_name": f"Kabel {n}", "line_net_amount": "10.00", "vat_rate": "19"} for n in range(3)]


@pytest.mark.parametrize(("bills", "lines"), [(4, 1), (3, 3)])
def test_a_habit_of_one_line_a_bill_is_learned_from_four_bills(bills: int, lines: int) -> None:
    history = tuple(earlier("Sammelrechnung", bill=n) for n in range(1, bills + 1))
    read = reading(three_lines(), seller_vat_id="DE371628131")
    data = replace(DATA, posted_lines=history)
    assert len(propose(read, draft_bill(), ErpIndex(data), TODAY).lines) == lines
    split = (*history, earlier("Papier", bill=2), earlier("Toner", bill=2))
    assert len(propose(read, draft_bill(), ErpIndex(replace(data, posted_lines=split)), TODAY).lines) == 3


cents = st.decimals("-500", 500, places=2)
rates = st.sampled_from(["19", "7"])


@given(st.lists(st.tuples(cents, rates), min_size=1, max_size=7))
def test_joining_lines_never_changes_a_total(amounts: list[tuple[Decimal, str]]) -> None:
    lines = [
        {"item_name": f"Item {n}", "line_net_amount": str(amount), "vat_rate": rate}
        for n, (amount, rate) in enumerate(amounts)
    ]
    read = reading(lines, seller_vat_id="DE371628131", currency="EUR")
    erp = ErpIndex(DATA)
    whole = propose(read, draft_bill(), erp, TODAY)
    joined = propose(read, draft_bill(), erp, TODAY, line_styles=LineStyles(LineStyle.PER_TAX))
    assert joined.predicted == whole.predicted
    assert len(joined.lines) <= len(whole.lines)
    again = propose(read, draft_bill(), erp, TODAY, line_styles=LineStyles(LineStyle.PER_TAX))
    assert again == joined
