"""The tax for a printed rate, and the rate where none is printed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mappings.case import Case
from mappings.erp_data import ErpData, PostedLine, Tax
from mappings.index import ErpIndex
from mappings.rates import Rate, document_rates, rates_by_line
from mappings.taxes import choose_tax
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, reading, vendor_id

DATA = demo_data()
NINETEEN = Rate(Decimal(19), 0.98, "", ("lines[0].vat_rate",))
FUHRWERK, GRANITE = vendor_id("fuhrwerk"), vendor_id("granite_hollow")


def chosen(data: ErpData, rate: Rate = NINETEEN, vendor: int | None = FUHRWERK) -> tuple[list[int], float]:
    erp = ErpIndex(data)
    choice = choose_tax(
        Case(reading(), draft_bill(), erp, TODAY), rate, erp.partners[vendor] if vendor else None
    )
    return [tax.id for tax in choice.taxes], choice.confidence


def with_taxes(*taxes: Tax, used: tuple[int, ...] = (), by: int = FUHRWERK) -> ErpData:
    lines = tuple(PostedLine(by, 1, "Fracht", 500, tax_ids=(number,)) for number in used)
    return replace(DATA, taxes=taxes, posted_lines=lines)


GOODS, SERVICES, ABROAD = (
    Tax(1, "19 % goods", Decimal(19), company_id=1, country="DE", sequence=1),
    Tax(2, "19 % services", Decimal(19), company_id=1, country="DE", sequence=2),
    Tax(3, "19 % Cyprus", Decimal(19), company_id=1, country="CY"),
)


def test_between_equal_rates_the_vendor_s_habit_decides() -> None:
    assert chosen(with_taxes(GOODS, SERVICES, used=(2, 2, 1))) == ([2], 0.98)


def test_without_a_habit_the_company_s_is_taken_unsurely() -> None:
    number, sure = chosen(with_taxes(GOODS, SERVICES))
    assert (number, sure) == ([1], 0.6)
    number, sure = chosen(with_taxes(GOODS, SERVICES, used=(2,) * 10, by=GRANITE))
    assert (number, sure >= 0.9) == ([2], True)


def test_a_tax_of_another_country_gives_way_to_one_s_own() -> None:
    assert chosen(with_taxes(ABROAD, GOODS)) == ([1], 0.98)


ZERO, REVERSE = (
    Tax(5, "0 %", Decimal(0), company_id=1, country="DE"),
    Tax(6, "19 % reverse charge", Decimal(19), company_id=1, country="DE", reverse_charge=True),
)
NONE = Rate(Decimal(0), 0.98, "", ("total_vat",))


def test_a_bill_without_vat_from_abroad_may_mean_that_we_owe_it() -> None:
    assert chosen(with_taxes(ZERO, REVERSE), NONE) == ([5], 0.98)
    assert chosen(with_taxes(ZERO, REVERSE), replace(NONE, category="AE")) == ([], 0.0)
    assert chosen(with_taxes(ZERO, REVERSE), NONE, GRANITE) == ([], 0.0)
    habit = with_taxes(ZERO, REVERSE, used=(6, 6, 5), by=GRANITE)
    assert chosen(habit, NONE, GRANITE) == ([6], 0.98)
    assert chosen(with_taxes(ZERO, REVERSE), NINETEEN) == ([], 0.0)


def test_a_vendor_whose_lines_never_bore_a_tax_keeps_none() -> None:
    data = replace(with_taxes(ZERO, REVERSE), posted_lines=(PostedLine(GRANITE, 1, "Build", 500),))
    assert chosen(data, NONE, GRANITE) == ([], 0.98)


@pytest.mark.parametrize(
    ("totals", "rates"),
    [
        ({"total_without_vat": "100.00", "total_vat": "19.00"}, ["19"]),
        ({"total_without_vat": "100.00", "total_with_vat": "107.00"}, ["7"]),
        ({"total_without_vat": "100.00", "total_with_vat": "100.00"}, ["0"]),
        ({"total_without_vat": "100.00", "total_vat": "15.00"}, []),
        ({"total_with_vat": "119.00"}, []),
    ],
)
def test_totals_prove_a_rate_or_do_not(totals: dict[str, str], rates: list[str]) -> None:
    case = Case(reading(**totals), draft_bill(), ErpIndex(DATA), TODAY)
    assert [str(rate.percent) for rate in document_rates(case, None)] == rates


def test_lines_that_add_up_to_the_only_total_bear_no_vat() -> None:
    lines = [{"item_name": "Build service", "line_net_amount": "114.00"}] * 2
    erp = ErpIndex(DATA)
    case = Case(reading(lines, total_with_vat="228.00"), draft_bill(), erp, TODAY)
    [usual], [unusual] = (document_rates(case, erp.partners[number]) for number in (GRANITE, FUHRWERK))
    assert (usual.percent, usual.confidence >= 0.9) == (0, True)
    assert (unusual.percent, unusual.confidence < 0.9) == (0, True)
    more = Case(reading(lines, total_with_vat="271.32"), draft_bill(), erp, TODAY)
    assert document_rates(more, erp.partners[FUHRWERK]) == []


def test_a_row_of_zeros_in_the_breakdown_is_no_second_rate() -> None:
    rows = [
        {"vat_rate": "19", "taxable_amount": "100.00", "vat_amount": "19.00"},
        {"vat_rate": "7", "taxable_amount": "0.00", "vat_amount": "0.00"},
    ]
    case = Case(reading([{"line_net_amount": "100.00"}], rows), draft_bill(), ErpIndex(DATA), TODAY)
    rates = rates_by_line(case, document_rates(case, None))
    assert [rate and rate.percent for rate in rates] == [19]
