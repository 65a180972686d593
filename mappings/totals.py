"""Odoo's own totals of a bill or an order, predicted to the cent.

Source: `account.tax` of Odoo 18 and 19 (`_get_tax_details`, `_round_base_lines_tax_details`). Amounts are decimals
of 28 digits here; Odoo's floats are rounded half up with a tolerance, which gives the same cents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from mappings.erp_data import Precision, Tax
from mappings.proposal import Totals

ZERO = Decimal(0)
HUNDRED = Decimal(100)
PREDICTABLE = frozenset({"percent", "fixed", "division", "group"})

# Odoo takes what is this near to half a cent, relatively, for half a cent (`float_round`, 2 to the power of -50).
_TIE = 1 + Decimal(2) ** -50


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
class EarlyDiscount:
    """A discount for early payment that lowers what VAT is charged on, whether it is taken or not (`mixed` in Odoo).

    `percent` of each taxed line; `booked` says, line by line, what it is booked on: Odoo adds up what is booked alike.
    Source: `account.move.line` of Odoo 17 to 19 (`_compute_epd_needed`).
    """

    percent: Decimal
    booked: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class _Taxed:
    """A line's amount without taxes, each tax's own, and whether some tax comes on top of the price."""

    base: Decimal
    taxes: tuple[tuple[Tax, Decimal], ...]
    on_top: bool


@dataclass(slots=True)
class _Step:
    """One tax of a line on its way. Other taxes move the amount it is computed on, and the one it is reported on."""

    tax: Tax
    batch: list[_Step]
    moved: Decimal = ZERO
    moved_base: Decimal = ZERO
    amount: Decimal | None = None

    @property
    def included(self) -> bool:
        return self.tax.price_include and not self.tax.reverse_charge


def predict(
    lines: Sequence[PricedLine], rounding: Decimal, method: str, early: EarlyDiscount | None = None
) -> Totals:
    """Untaxed amount, tax and total that Odoo will show. `rounding` is the currency's smallest amount.

    `method` is `round_per_line` or `round_globally`. Raises ValueError for a tax whose amount depends on more than
    the line (`unpredictable` names it).
    """
    taxed = _tax_lines(lines, rounding, method)
    less = _tax_lines(_discounted(lines, taxed, rounding, early), rounding, method)
    sums = _by_tax([*taxed, *less])
    tax = sum((round_amount(amount, rounding) for amount in sums.values()), ZERO)
    base = sum((line.base for line in taxed), ZERO)
    if not any(line.on_top for line in taxed):
        # All prices include their tax: the total is rounded, and the untaxed amount is what the tax leaves of it.
        total = round_amount(base + sum(sums.values(), ZERO), rounding)
        return Totals(total - tax, tax, total)
    # Where the lines cancel out, Odoo leaves them rounded one by one.
    untaxed = (
        round_amount(base, rounding) if base else sum((round_amount(x.base, rounding) for x in taxed), ZERO)
    )
    return Totals(untaxed, tax, untaxed + tax)


def tax_amounts(lines: Sequence[PricedLine], rounding: Decimal, method: str) -> dict[int, Decimal]:
    """What `predict` has of each tax, by its id."""
    sums = _by_tax(_tax_lines(lines, rounding, method))
    return {tax: round_amount(amount, rounding) for tax, amount in sums.items()}


def _tax_lines(lines: Sequence[PricedLine], rounding: Decimal, method: str) -> list[_Taxed]:
    return [_tax_line(line, rounding if method == "round_per_line" else None) for line in lines]


def _discounted(
    lines: Sequence[PricedLine], taxed: Sequence[_Taxed], rounding: Decimal, early: EarlyDiscount | None
) -> list[PricedLine]:
    """What an early-payment discount takes off the base of the taxes: a line for each way of booking."""
    sums: defaultdict[tuple[Hashable, tuple[Tax, ...]], Decimal] = defaultdict(lambda: ZERO)
    for line, amounts, booked in zip(lines, taxed, early.booked if early else (), strict=bool(early)):
        if early and line.taxes:
            share = round_amount(amounts.base, rounding) * early.percent / HUNDRED
            # The share is without VAT, whatever the price was.
            taxes = tuple(
                replace(tax, price_include=False) for tax in line.taxes if tax.amount_type != "fixed"
            )
            sums[booked, taxes] -= round_amount(share, rounding)
    return [PricedLine(Decimal(1), amount, taxes=taxes) for (_, taxes), amount in sums.items()]


def _by_tax(taxed: Iterable[_Taxed]) -> dict[int, Decimal]:
    """Each tax's amount over all lines, not rounded."""
    sums: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for line in taxed:
        for tax, amount in line.taxes:
            sums[tax.id] += amount
    return dict(sums)


def unpredictable(lines: Iterable[PricedLine]) -> Tax | None:
    """The first tax whose amount cannot be told from its line, such as one that a formula computes."""
    parts = (part for line in lines for tax in line.taxes for part in (tax, *tax.children))
    return next((part for part in parts if part.amount_type not in PREDICTABLE), None)


def effective_rate(taxes: Iterable[Tax]) -> Decimal | None:
    """What the taxes of a line charge together, in percent of the amount without them; None where that depends.

    A group charges what its children do; a reverse charge charges nothing.
    """
    rate = ZERO
    for tax in flat(taxes):
        if tax.amount_type != "percent" or (tax.include_base_amount and tax.amount):
            return None
        rate += ZERO if tax.reverse_charge else tax.amount
    return rate


def flat(taxes: Iterable[Tax]) -> list[Tax]:
    """The taxes in the order of their computation, groups replaced by their children."""
    found: dict[int, Tax] = {}
    for tax in sorted(taxes, key=_order):
        parts = sorted(tax.children, key=_order) if tax.amount_type == "group" else [tax]
        found.update((part.id, part) for part in parts if part.id not in found)
    return list(found.values())


def _order(tax: Tax) -> tuple[int, int]:
    return tax.sequence, tax.id


def _tax_line(line: PricedLine, rounding: Decimal | None) -> _Taxed:
    """The line's amounts: fixed taxes first, then those in the price from the last, then those on top from the first."""
    if odd := unpredictable([line]):
        raise ValueError(f"tax {odd.name!r} is of type {odd.amount_type!r}: its amount cannot be predicted")
    raw = line.raw if rounding is None else round_amount(line.raw, rounding)
    steps = _steps(flat(line.taxes))
    for step in reversed(steps):
        if step.tax.amount_type == "fixed":
            amount = line.quantity * step.tax.amount
            _settle(steps, step, -amount if line.price_unit < 0 else amount, rounding)
    for step in reversed(steps):
        if step.included and step.amount is None:
            _settle(steps, step, _inside(step, raw + step.moved), rounding)
    for step in steps:
        if step.amount is None:
            _settle(steps, step, _on_top(step, raw + step.moved), rounding)
    charged = tuple((step.tax, step.amount or ZERO) for step in steps if not step.tax.reverse_charge)
    return _Taxed(_base(steps[0], raw) if steps else raw, charged, any(not s.included for s in steps))


def _steps(taxes: Sequence[Tax]) -> list[_Step]:
    """The taxes with their batches: neighbours of one kind share one base. Batches form from the last tax on."""
    steps: list[_Step] = []
    batch: list[_Step] = []
    for tax in reversed(taxes):
        if batch and not _same_batch(tax, batch[0].tax, batch[-1].tax):
            batch = []
        step = _Step(tax, batch)
        batch.append(step)
        steps.append(step)
    return steps[::-1]


def _same_batch(tax: Tax, head: Tax, following: Tax) -> bool:
    alike = (tax.amount_type, tax.price_include, tax.include_base_amount) == (
        head.amount_type,
        head.price_include,
        head.include_base_amount,
    )
    return alike and not (tax.include_base_amount and following.is_base_affected)


def _settle(steps: Sequence[_Step], step: _Step, amount: Decimal, rounding: Decimal | None) -> None:
    """Keep a tax's amount, and move what the other batches are computed on."""
    step.amount = amount if rounding is None else round_amount(amount, rounding)
    others = [other for other in steps if not any(other is one for one in step.batch)]
    place = next(i for i, one in enumerate(steps) if one is step)
    for position, other in enumerate(steps):
        if not any(other is one for one in others):
            continue
        sign = _influence(step.tax, other.tax, later=position > place)
        if other.amount is None:
            other.moved += sign * step.amount
        other.moved_base += sign * step.amount


def _influence(tax: Tax, other: Tax, *, later: bool) -> int:
    """+1 where the other tax is charged on this one too, -1 where this one is inside the price it is charged on."""
    if later and tax.include_base_amount:
        if tax.price_include:
            return 0 if other.is_base_affected else -1
        return 1 if other.is_base_affected else 0
    return -1 if tax.price_include else 0


def _inside(step: _Step, amount: Decimal) -> Decimal:
    if step.tax.amount_type == "division":
        return amount * step.tax.amount / HUNDRED
    whole = HUNDRED + sum((one.tax.amount for one in step.batch), ZERO)
    return amount * step.tax.amount / whole if whole else ZERO


def _on_top(step: _Step, amount: Decimal) -> Decimal:
    if step.tax.amount_type == "percent":
        return amount * step.tax.amount / HUNDRED
    left = HUNDRED - sum((one.tax.amount for one in step.batch), ZERO)
    return amount * step.tax.amount / (left or HUNDRED)


def _base(step: _Step, raw: Decimal) -> Decimal:
    base = raw + step.moved_base
    if not step.included:
        return base
    counted = (one for one in step.batch if not one.tax.reverse_charge)
    return base - sum((one.amount or ZERO for one in counted), ZERO)


def round_amount(amount: Decimal, rounding: Decimal) -> Decimal:
    """The multiple of `rounding` nearest to `amount`, halves away from zero (Odoo's HALF-UP)."""
    return (amount / rounding * _TIE).quantize(Decimal(1), ROUND_HALF_UP) * rounding


def round_digits(number: Decimal, digits: int) -> Decimal:
    """`number` with that many decimals, halves away from zero."""
    return number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
