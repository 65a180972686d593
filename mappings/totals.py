"""Odoo's own totals of a bill or an order, predicted to the cent.

Source: `account.tax` of Odoo 18 and 19 (`_get_tax_details`, `_round_base_lines_tax_details`). Amounts are exact
decimals here; Odoo's floats are rounded half up with a tolerance, which gives the same cents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from mappings.erp_data import Precision, Tax
from mappings.proposal import Totals

ZERO = Decimal(0)
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What Odoo computes a line's amounts from. `discount` is in percent."""

    quantity: Decimal
    price_unit: Decimal
    discount: Decimal = ZERO
    taxes: tuple[Tax, ...] = ()

    def kept(self, precision: Precision) -> PricedLine:
        """The line with the digits that Odoo keeps."""
        price = self.price_unit if precision.price is None else round_digits(self.price_unit, precision.price)
        quantity = round_digits(self.quantity, precision.quantity)
        return PricedLine(quantity, price, round_digits(self.discount, precision.discount), self.taxes)

    @property
    def raw(self) -> Decimal:
        """Quantity times price less discount, not rounded."""
        return self.quantity * self.price_unit * (1 - self.discount / HUNDRED)


@dataclass(frozen=True, slots=True)
class _Taxed:
    base: Decimal
    taxes: tuple[tuple[Tax, Decimal], ...]


def predict(lines: Sequence[PricedLine], rounding: Decimal, method: str) -> Totals:
    """Untaxed amount, tax and total that Odoo will show. `rounding` is the currency's smallest amount.

    `method` is `round_per_line` or `round_globally`. Raises ValueError for a tax that is not a percentage: its
    amount depends on more than the line.
    """
    per_line = method == "round_per_line"
    taxed = [_tax_line(line, rounding if per_line else None) for line in lines]
    tax_sums: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for line in taxed:
        for tax, amount in line.taxes:
            tax_sums[tax.id] += amount
    raw_tax = sum(tax_sums.values(), ZERO)
    tax = sum((round_amount(amount, rounding) for amount in tax_sums.values()), ZERO)
    base = sum((line.base for line in taxed), ZERO)
    if all(tax.price_include for line in lines for tax in line.taxes if not tax.reverse_charge):
        # All prices include their tax: the total is rounded, and the untaxed amount is what the tax leaves of it.
        total = round_amount(base + raw_tax, rounding)
        return Totals(total - tax, tax, total)
    untaxed = round_amount(base, rounding)
    return Totals(untaxed, tax, untaxed + tax)


def _tax_line(line: PricedLine, rounding: Decimal | None) -> _Taxed:
    def kept(amount: Decimal) -> Decimal:
        return amount if rounding is None else round_amount(amount, rounding)

    if odd := next((tax for tax in line.taxes if tax.amount_type != "percent"), None):
        raise ValueError(f"tax {odd.name!r} is of type {odd.amount_type!r}: its amount cannot be predicted")
    counted = [tax for tax in line.taxes if not tax.reverse_charge]
    raw = kept(line.raw)
    inside = sum((tax.amount for tax in counted if tax.price_include), ZERO)
    included = [(t, kept(raw * t.amount / (HUNDRED + inside))) for t in counted if t.price_include]
    base = raw - sum((amount for _, amount in included), ZERO)
    added = [(t, kept(base * t.amount / HUNDRED)) for t in counted if not t.price_include]
    return _Taxed(base, (*included, *added))


def round_amount(amount: Decimal, rounding: Decimal) -> Decimal:
    """The multiple of `rounding` nearest to `amount`, halves away from zero (Odoo's HALF-UP)."""
    return (amount / rounding).quantize(Decimal(1), ROUND_HALF_UP) * rounding


def round_digits(number: Decimal, digits: int) -> Decimal:
    """`number` with that many decimals, halves away from zero."""
    return number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
