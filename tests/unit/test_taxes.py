"""The tax for a printed rate, and the rate where none is printed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mappings.case import Case
from mappings.erp_data import ErpData, FiscalPosition, PostedLine, Product, Tax
from mappings.index import ErpIndex
from mappings.rates import Rate, document_rates, rates_by_line
from mappings.taxes import TaxChoice, choose_tax
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, reading, vendor_id

DATA = demo_data()
NINETEEN = Rate(Decimal(19), 0.98, "", ("lines[0].vat_rate",))
FUHRWERK, GRANITE, VAUCELIN = (vendor_id(name) for name in ("fuhrwerk", "granite_hollow", "vaucelin"))


def choice(
    data: ErpData,
    rate: Rate = NINETEEN,
    vendor: int | None = FUHRWERK,
    product: Product | None = None,
    **header: str,
) -> TaxChoice:
    erp = ErpIndex(data)
    case = Case(reading(**header), draft_bill(), erp, TODAY)
    return choose_tax(case, rate, erp.partners[vendor] if vendor else None, product=product)


def chosen(data: ErpData, rate: Rate = NINETEEN, vendor: int | None = FUHRWERK) -> tuple[list[int], float]:
    found = choice(data, rate, vendor)
    return [tax.id for tax in found.taxes], found.confidence


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
    assert chosen(with_taxes(ZERO, REVERSE), replace(NONE, category="AE")) == ([6], 0.98)
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


HOME = FiscalPosition(1, "Domestic", 1, 10, auto_apply=True, countries=frozenset({"DE"}))
UNION = FiscalPosition(
    2, "EU", 1, 20, auto_apply=True, vat_required=True, countries=frozenset({"FR", "NL", "AT"})
)
INPUT, UNION_19, UNION_7, BUILDING = (
    Tax(20, "19% I", Decimal(19), company_id=1, country="DE", fiscal_position_ids=(1,)),
    Tax(21, "19% EU", Decimal(19), company_id=1, country="DE", reverse_charge=True, fiscal_position_ids=(2,)),
    Tax(22, "7% EU", Decimal(7), company_id=1, country="DE", reverse_charge=True, fiscal_position_ids=(2,)),
    Tax(23, "19% CS", Decimal(19), company_id=1, country="DE", reverse_charge=True, fiscal_position_ids=(1,)),
)


def german(*taxes: Tax, default: int = INPUT.id) -> ErpData:
    """The demo company with a chart of its own, no history, and Odoo's fiscal positions."""
    [company] = DATA.companies
    return replace(
        with_taxes(*taxes),
        fiscal_positions=(HOME, UNION),
        companies=(replace(company, purchase_tax_id=default),),
    )


INTRA = replace(NONE, category="K", reason="Steuerfreie innergemeinschaftliche Lieferung")


def test_an_intra_community_supply_takes_the_tax_of_the_vendor_s_fiscal_position() -> None:
    found = choice(german(INPUT, UNION_19, BUILDING), INTRA, VAUCELIN)
    assert ([tax.id for tax in found.taxes], found.confidence) == ([21], 0.98)
    assert "We owe the VAT (“Steuerfreie innergemeinschaftliche Lieferung”)" in found.reason


def test_between_two_rates_that_we_could_owe_the_usual_one_is_only_suggested() -> None:
    found = choice(german(INPUT, UNION_19, UNION_7), INTRA, VAUCELIN)
    assert ([tax.id for tax in found.taxes], found.confidence) == ([21], 0.6)
    unknown = choice(german(UNION_19, UNION_7, default=0), INTRA, VAUCELIN)
    assert (
        unknown.problem == f"We owe the VAT (“{INTRA.reason}”), and several taxes could apply: 19% EU, 7% EU."
    )


def test_reverse_charge_without_such_a_tax_goes_to_a_person() -> None:
    found = choice(german(INPUT, ZERO), replace(NONE, category="AE"), VAUCELIN)
    assert found.problem == "We owe the VAT, and Odoo has no purchase tax with reverse charge in use."


@pytest.mark.parametrize(
    ("vendor", "where"), [(FUHRWERK, "DE, as we are"), (GRANITE, "US, outside the European Union")]
)
def test_an_intra_community_supply_from_elsewhere_is_a_contradiction(vendor: int, where: str) -> None:
    found = choice(german(INPUT, UNION_19), INTRA, vendor)
    assert not found.taxes
    assert found.problem.endswith(f"{where}.")


def test_what_is_outside_the_scope_bears_no_tax_at_all() -> None:
    found = choice(german(ZERO, Tax(8, "0 % other", Decimal(0), company_id=1)), replace(NONE, category="O"))
    assert (found.taxes, found.confidence, found.problem) == ((), 0.98, "")


def test_vat_of_another_country_is_not_taken_for_our_own() -> None:
    found = choice(german(INPUT, UNION_19), NINETEEN, VAUCELIN)
    assert (found.taxes, found.confidence) == ((INPUT,), 0.6)
    assert "may be FR's" in found.reason
    registered = choice(german(INPUT, UNION_19), NINETEEN, VAUCELIN, seller_vat_id="DE 374 639 463")
    assert (registered.taxes, registered.confidence) == ((INPUT,), 0.98)
    at_home_there = Tax(30, "20% FR", Decimal(20), company_id=1, country="FR")
    twenty = replace(NINETEEN, percent=Decimal(20))
    assert choice(german(INPUT, at_home_there), twenty, VAUCELIN).taxes == (at_home_there,)


def test_the_product_tells_between_goods_and_services() -> None:
    goods, services = replace(GOODS, scope="consu"), replace(SERVICES, scope="service")
    hour = Product(1, "Hour", kind="service")
    assert choice(with_taxes(goods, services), product=hour).taxes == (services,)
    mine = Product(2, "Hour", supplier_tax_ids=(goods.id,))
    found = choice(with_taxes(goods, services), product=mine)
    assert (found.taxes, found.confidence) == ((goods,), 0.95)


def test_taxes_that_make_the_rate_together_follow_the_vendor_s_habit() -> None:
    federal, state = (
        Tax(40, "GST 5", Decimal(5), company_id=1),
        Tax(41, "QST", Decimal("9.975"), company_id=1),
    )
    both = Rate(Decimal("14.975"), 0.98, "", ("lines[0].vat_rate",))
    data = replace(
        with_taxes(federal, state), posted_lines=(PostedLine(FUHRWERK, 1, "Fret", 500, tax_ids=(40, 41)),)
    )
    assert choice(data, both).taxes == (federal, state)
    assert choice(with_taxes(federal, state), both).problem == "Odoo has no purchase tax of 14.975 %."


def test_a_group_is_taken_by_what_its_children_charge() -> None:
    parts = (Tax(51, "CGST", Decimal(9)), Tax(52, "SGST", Decimal(9)))
    group = Tax(50, "GST 18", Decimal(0), "group", company_id=1, children=parts)
    assert choice(with_taxes(group), Rate(Decimal(18), 0.98, "", ())).taxes == (group,)


@pytest.mark.parametrize("rate", ["13", "9", "6", "3", "1"])
def test_chinese_rates_take_their_tax_or_say_that_there_is_none(rate: str) -> None:
    known = [Tax(60 + i, f"{r}%", Decimal(r), company_id=1, country="CN") for i, r in enumerate((13, 9, 6))]
    found = choice(with_taxes(*known), Rate(Decimal(rate), 0.98, "", ()))
    expected = [tax for tax in known if tax.amount == Decimal(rate)]
    assert list(found.taxes) == expected
    assert found.problem == ("" if expected else f"Odoo has no purchase tax of {rate} %.")


def test_a_tax_the_other_way_of_printing_prices_is_named() -> None:
    inside = Tax(70, "19 % incl.", Decimal(19), company_id=1, price_include=True)
    assert "19 % incl., is included in the price" in choice(with_taxes(inside)).problem


def test_a_line_of_zero_percent_has_the_reason_of_the_breakdown() -> None:
    lines = [{"line_net_amount": "100.00", "vat_rate": "0"}]
    vat = [
        {
            "vat_rate": "0",
            "vat_category": "AE",
            "exemption_reason": "Autoliquidation",
            "taxable_amount": "100",
        }
    ]
    case = Case(reading(lines, vat), draft_bill(), ErpIndex(DATA), TODAY)
    [rate] = rates_by_line(case, document_rates(case, None))
    assert rate
    assert (rate.category, rate.reason) == ("AE", "Autoliquidation")
