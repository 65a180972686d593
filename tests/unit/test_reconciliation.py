"""A difference of a cent between Odoo and the document has its true cause, or none is given."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.invoice import Status
from mappings.case import Case
from mappings.index import ErpIndex
from mappings.lines import draft_lines
from mappings.proposal import Totals
from mappings.reconciliation import Reckoning, reckon
from mappings.totals import round_amount
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, reading, vendor_id

DATA = demo_data()
CENT = Decimal("0.01")
VENDOR = vendor_id("fuhrwerk")


def reckoned(
    nets: list[str],
    untaxed: str,
    tax: str,
    total: str,
    method: str = "round_globally",
    vat: list[dict[str, str]] | None = None,
    *,
    rates: tuple[str, ...] = ("19",),
    one_group: bool = False,
    corrects: bool = False,
) -> Reckoning:
    """`corrects`: Odoo takes VAT as printed; `one_group`: all its taxes are of one tax group."""
    [company] = DATA.companies
    taxes = tuple(replace(one, group_id=7 if one_group else one.id + 1000) for one in DATA.taxes)
    data = replace(
        DATA, companies=(replace(company, tax_rounding=method),), taxes=taxes, corrects_vat=corrects
    )
    lines = [
        {"item_name": "Fracht", "line_net_amount": net, "vat_rate": rates[place % len(rates)]}
        for place, net in enumerate(nets)
    ]
    read = reading(lines, vat, total_without_vat=untaxed, total_vat=tax, total_with_vat=total, currency="EUR")
    case = Case(read, draft_bill(), ErpIndex(data), TODAY)
    return reckon(case, draft_lines(case, case.index.partners[VENDOR]).lines)


def said(*amounts: Any, **changes: Any) -> tuple[Status, str]:
    check = reckoned(*amounts, **changes).check
    return check.status, check.message


# Three lines whose VAT is 0.475 each: 1.43 in one sum, 1.44 line by line, 1.42 cut off.
THREE = ["2.50", "2.50", "2.50"]


def test_the_other_way_of_rounding_is_named_with_its_remedy() -> None:
    assert said(THREE, "7.50", "1.43", "8.93") == (
        Status.PASS,
        "Odoo will compute 8.93, as the document prints.",
    )
    status, why = said(THREE, "7.50", "1.44", "8.94")
    assert status is Status.FAIL
    assert why.endswith(
        "It rounds VAT line by line, this company once per rate: set the VAT to 1.44 on the bill in Odoo."
    )
    _, other = said(THREE, "7.50", "1.43", "8.93", "round_per_line")
    assert "It rounds VAT once per rate, this company line by line" in other


def test_vat_that_is_cut_off_is_named() -> None:
    _, why = said(THREE, "7.50", "1.42", "8.92")
    assert why.endswith(
        "It cuts VAT off after the cent where Odoo rounds: set the VAT to 1.42 on the bill in Odoo."
    )


def test_a_document_that_reckons_wrongly_is_told_so() -> None:
    row = {"vat_rate": "19", "taxable_amount": "100.00", "vat_amount": "19.20"}
    _, why = said(["100.00"], "100.00", "19.20", "119.20", vat=[row])
    assert "Its VAT of 19.20 is not 19 % of 100.00, which is 19.00" in why


def test_lines_that_do_not_make_the_net_are_counted() -> None:
    _, why = said(["100.00"], "110.00", "20.90", "130.90")
    assert why.endswith("Its lines add up to 10.00 less than its amount without VAT.")


def test_what_nothing_explains_is_said_too() -> None:
    _, why = said(["100.00"], "100.00", "19.07", "119.07")
    assert why.endswith("Nothing on the document explains the difference.")


cents = st.decimals("0.01", 9999, places=2)


@given(
    st.lists(cents, min_size=1, max_size=8),
    st.sampled_from(["round_globally", "round_per_line"]),
    st.integers(-3, 3),
)
def test_totals_always_reconcile_or_are_flagged(nets: list[Decimal], method: str, shift: int) -> None:
    """Passed means equal to the cent, whatever the document prints as VAT."""
    untaxed = sum(nets, Decimal(0))
    right = (
        round_amount(untaxed * 19 / 100, CENT)
        if method == "round_globally"
        else sum((round_amount(net * 19 / 100, CENT) for net in nets), Decimal(0))
    )
    tax = right + shift * CENT
    status, why = said([str(n) for n in nets], str(untaxed), str(tax), str(untaxed + tax), method)
    assert (status is Status.PASS) == (shift == 0), why
    assert status in (Status.PASS, Status.FAIL)


@pytest.mark.parametrize("code", ["JPY", "KWD"])
@given(nets=st.lists(st.integers(1, 10**7), min_size=1, max_size=6))
def test_amounts_are_whole_minor_units_of_the_currency(code: str, nets: list[int]) -> None:
    smallest = Decimal(1) if code == "JPY" else Decimal("0.001")
    currencies = tuple(
        replace(one, rounding=smallest, active=True) if one.name == "JPY" else one for one in DATA.currencies
    )
    erp = ErpIndex(replace(DATA, currencies=currencies))
    amounts = [net * smallest for net in nets]
    untaxed = sum(amounts, Decimal(0))
    tax = round_amount(untaxed * 19 / 100, smallest)
    lines = [{"item_name": "X", "line_net_amount": str(one), "vat_rate": "19"} for one in amounts]
    header = {"total_without_vat": untaxed, "total_vat": tax, "total_with_vat": untaxed + tax}
    read = reading(lines, currency="JPY", **{name: str(value) for name, value in header.items()})
    case = Case(read, draft_bill(), erp, TODAY)
    found = reckon(case, draft_lines(case, case.index.partners[VENDOR]).lines)
    predicted, check = found.predicted, found.check
    assert check.status is Status.PASS, check.message
    assert predicted is not None
    assert predicted.total % smallest == 0


# -- VAT as printed ---------------------------------------------------------------------------------------------------

GROUP_19 = next(tax.id for tax in DATA.taxes if tax.amount == 19 and not tax.reverse_charge) + 1000
GROUP_7 = next(tax.id for tax in DATA.taxes if tax.amount == 7) + 1000


def test_vat_that_is_only_rounded_otherwise_is_set_as_printed() -> None:
    found = reckoned(THREE, "7.50", "1.44", "8.94", corrects=True)
    assert found.check.status is Status.PASS
    assert found.check.message.endswith(
        "It rounds VAT line by line, this company once per rate: the VAT is set to 1.44, as printed."
    )
    assert found.predicted == Totals(Decimal("7.50"), Decimal("1.44"), Decimal("8.94"))
    [(group, vat)] = found.vat.items()
    assert (group, vat.value, vat.terms) == (GROUP_19, Decimal("1.44"), ("total_vat",))
    assert vat.reason == "VAT of 19 % as printed; Odoo would compute 1.43."
    cut = reckoned(THREE, "7.50", "1.42", "8.92", corrects=True)
    assert [value.value for value in cut.vat.values()] == [Decimal("1.42")]


def test_each_rate_has_its_own_vat() -> None:
    nets = ["2.50", "0.50", "2.50", "0.50", "2.50", "0.50"]
    rows = [
        {"vat_rate": "19", "taxable_amount": "7.50", "vat_amount": "1.44"},
        {"vat_rate": "7", "taxable_amount": "1.50", "vat_amount": "0.12"},
    ]
    found = reckoned(nets, "9.00", "1.56", "10.56", vat=rows, rates=("19", "7"), corrects=True)
    assert {group: value.value for group, value in found.vat.items()} == {
        GROUP_19: Decimal("1.44"),
        GROUP_7: Decimal("0.12"),
    }
    alone = reckoned(nets, "9.00", "1.56", "10.56", rates=("19", "7"), corrects=True)
    assert alone.vat == {}, "how the VAT is spread over the rates is not printed"
    shared = reckoned(
        nets, "9.00", "1.56", "10.56", vat=rows, rates=("19", "7"), corrects=True, one_group=True
    )
    assert shared.vat == {}, "Odoo would put the whole difference of a group on one of its taxes"
    assert shared.check.status is Status.FAIL


@given(
    st.lists(cents, min_size=1, max_size=8),
    st.sampled_from(["round_globally", "round_per_line"]),
    st.integers(-6, 6),
)
def test_vat_is_set_only_where_rounding_explains_it_to_the_cent(
    nets: list[Decimal], method: str, shift: int
) -> None:
    """What is set is what is printed, the net stays, and more than half a cent a line is never rounding."""
    untaxed = sum(nets, Decimal(0))
    lines = [round_amount(net * 19 / 100, CENT) for net in nets]
    right = round_amount(untaxed * 19 / 100, CENT) if method == "round_globally" else sum(lines, Decimal(0))
    tax = right + shift * CENT
    found = reckoned(
        [str(n) for n in nets], str(untaxed), str(tax), str(untaxed + tax), method, corrects=True
    )
    if found.check.status is Status.PASS:
        assert found.predicted == Totals(untaxed, tax, untaxed + tax)
        assert [value.value for value in found.vat.values()] == ([tax] if shift else [])
    if abs(shift) > max(1, (len(nets) + 1) // 2):
        assert found.check.status is Status.FAIL
        assert found.vat == {}
