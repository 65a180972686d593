"""Predicted totals against their arithmetic definition, over amounts of any size and rates of any kind."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.erp_data import Precision, Tax
from mappings.totals import PricedLine, predict, round_amount, round_digits

CENT = Decimal("0.01")
RATES = ["0", "5.5", "7", "8.1", "19", "20", "21"]
TAXES = [Tax(i, f"{rate} %", Decimal(rate)) for i, rate in enumerate(RATES)]
INCLUDED = [Tax(20 + i, f"{rate} % incl.", Decimal(rate), price_include=True) for i, rate in enumerate(RATES)]

amounts = st.decimals(-99999, 99999, places=2, allow_nan=False)
quantities = st.decimals(0, 9999, places=2, allow_nan=False)
discounts = st.sampled_from([Decimal(0), Decimal(3), Decimal("12.5"), Decimal("33.33")])


def lines_of(taxes: list[Tax]) -> st.SearchStrategy[list[PricedLine]]:
    chosen = st.sampled_from([(tax,) for tax in taxes] + [()])
    return st.lists(st.builds(PricedLine, quantities, amounts, discounts, chosen), min_size=1, max_size=12)


@given(lines_of(TAXES), st.sampled_from(["round_per_line", "round_globally"]))
def test_total_is_untaxed_plus_tax_in_whole_cents(lines: list[PricedLine], method: str) -> None:
    totals = predict(lines, CENT, method)
    assert totals.untaxed is not None
    assert totals.tax is not None
    assert totals.total == totals.untaxed + totals.tax
    assert all(amount == round_digits(amount, 2) for amount in (totals.untaxed, totals.tax, totals.total))


@given(lines_of(TAXES))
def test_globally_the_sums_are_rounded_once(lines: list[PricedLine]) -> None:
    totals = predict(lines, CENT, "round_globally")
    assert totals.untaxed == round_amount(sum((line.raw for line in lines), Decimal(0)), CENT)
    by_rate = [
        sum((line.raw * tax.amount / 100 for line in lines if tax in line.taxes), Decimal(0)) for tax in TAXES
    ]
    assert totals.tax == sum(round_amount(amount, CENT) for amount in by_rate)


@given(lines_of(TAXES))
def test_per_line_every_line_is_rounded(lines: list[PricedLine]) -> None:
    totals = predict(lines, CENT, "round_per_line")
    nets = [round_amount(line.raw, CENT) for line in lines]
    assert totals.untaxed == sum(nets)
    assert totals.tax == sum(
        round_amount(net * tax.amount / 100, CENT)
        for net, line in zip(nets, lines, strict=True)
        for tax in line.taxes
    )


@given(lines_of(INCLUDED), st.sampled_from(["round_per_line", "round_globally"]))
def test_included_taxes_never_change_the_total(lines: list[PricedLine], method: str) -> None:
    totals = predict(lines, CENT, method)
    raws = [line.raw if method == "round_globally" else round_amount(line.raw, CENT) for line in lines]
    assert totals.total == round_amount(sum(raws, Decimal(0)), CENT)


@given(lines_of(TAXES), st.randoms(), st.sampled_from(["round_per_line", "round_globally"]))
def test_the_order_of_lines_does_not_matter(lines: list[PricedLine], random: object, method: str) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert predict(shuffled, CENT, method) == predict(lines, CENT, method)


@given(amounts, st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal(1)]))
def test_rounding_is_to_the_nearest_multiple(amount: Decimal, rounding: Decimal) -> None:
    rounded = round_amount(amount, rounding)
    assert rounded % rounding == 0
    assert abs(rounded - amount) <= rounding / 2
    assert round_amount(rounded, rounding) == rounded


def test_examples_of_the_source() -> None:
    """The two examples in the comments of `account.tax`."""
    line = PricedLine(Decimal("12.12"), Decimal("12.12"), taxes=(Tax(1, "23 %", Decimal(23)),))
    totals = predict([line, line], CENT, "round_globally")
    assert (totals.untaxed, totals.tax) == (Decimal("293.79"), Decimal("67.57"))
    tax = Tax(2, "21 % incl.", Decimal(21), price_include=True)
    line = PricedLine(Decimal(1), Decimal("21.53"), taxes=(tax,))
    totals = predict([line, line], CENT, "round_globally")
    assert (totals.untaxed, totals.tax, totals.total) == (Decimal("35.59"), Decimal("7.47"), Decimal("43.06"))


def test_a_reverse_charge_adds_nothing() -> None:
    tax = Tax(1, "19 % reverse charge", Decimal(19), reverse_charge=True)
    totals = predict([PricedLine(Decimal(1), Decimal(100), taxes=(tax,))], CENT, "round_globally")
    assert (totals.untaxed, totals.tax, totals.total) == (Decimal(100), Decimal(0), Decimal(100))


def test_a_tax_that_a_formula_computes_is_refused() -> None:
    tax = Tax(1, "Eco fee", Decimal(2), "code")
    with pytest.raises(ValueError, match="Eco fee"):
        predict([PricedLine(Decimal(1), Decimal(100), taxes=(tax,))], CENT, "round_globally")


def test_odoo_cuts_digits() -> None:
    line = PricedLine(Decimal("1.005"), Decimal("0.0485"), Decimal("33.333"))
    kept = line.kept(Precision(quantity=2, price=2, discount=2))
    assert (kept.quantity, kept.price_unit, kept.discount) == (
        Decimal("1.01"),
        Decimal("0.05"),
        Decimal("33.33"),
    )
    assert line.kept(Precision(price=None)).price_unit == Decimal("0.0485")
