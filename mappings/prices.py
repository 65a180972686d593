"""Quantity, unit price and discount of a line, chosen so that Odoo computes exactly the amount printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from inference.invoice import Row, as_decimal
from mappings.case import confidence, money, number
from mappings.erp_data import Precision
from mappings.totals import HUNDRED, ZERO, PricedLine, round_amount, round_digits

ONE = Decimal(1)
PRICE_DIGITS = 8
PRICE_UNITS = (Decimal(100), Decimal(1000))


@dataclass(frozen=True, slots=True)
class Price:
    """A line's figures, the names of the Fields they came from, and how sure they are. `problem`: they clash."""

    line: PricedLine
    names: tuple[str, ...]
    confidence: float
    reason: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Try:
    quantity: Decimal
    price: Decimal
    discount: Decimal
    names: tuple[str, ...]
    factor: float
    reason: str


def price_line(
    row: Row, amount_name: str, sign: int, rounding: Decimal, precision: Precision
) -> Price | None:
    """The first reading of the printed figures that gives the printed amount; None where nothing is printed.

    `amount_name` is the Field of the line's amount; `sign` -1 turns a negative credit line positive. `rounding` is
    the currency's smallest amount.
    """
    amount = as_decimal(row.get(amount_name))
    if amount is not None:
        amount *= sign
    first: Price | None = None
    for tried in _tries(row, amount, sign, rounding, precision):
        line = PricedLine(tried.quantity, tried.price, tried.discount)
        names = tuple(name for name in (*tried.names, amount_name) if name in row)
        sure = confidence(row[name] for name in names) * tried.factor
        kept = line.kept(precision)
        wanted = round_amount(line.raw, rounding) if amount is None else amount
        if round_amount(kept.raw, rounding) == wanted:
            # The digits as printed, unless Odoo would cut them.
            same = (line.quantity, line.price_unit) == (kept.quantity, kept.price_unit)
            return Price(line if same else kept, names, sure, tried.reason)
        problem = _clash(line, kept, wanted, rounding)
        first = first or Price(kept, names, min(sure, 0.3), tried.reason, problem)
    return first


def _clash(line: PricedLine, kept: PricedLine, wanted: Decimal, rounding: Decimal) -> str:
    if round_amount(line.raw, rounding) == wanted:
        cut = (
            f"{number(kept.quantity)} × {money(kept.price_unit)} is {money(round_amount(kept.raw, rounding))}"
        )
        return f"Odoo here keeps too few decimals for {_product(line)}: {cut}, not {money(wanted)}."
    makes = money(round_amount(line.raw, rounding))
    return f"{_product(line)} makes {makes}, the document prints {money(wanted)}."


def _product(line: PricedLine) -> str:
    less = f" less {number(line.discount)} %" if line.discount else ""
    return f"{number(line.quantity)} × {money(line.price_unit)}{less}"


def _tries(
    row: Row,
    amount: Decimal | None,
    sign: int,
    rounding: Decimal,
    precision: Precision,
) -> Iterator[_Try]:
    quantity, net = as_decimal(row.get("quantity")), as_decimal(row.get("net_price"))
    gross, percent = as_decimal(row.get("gross_price")), abs(as_decimal(row.get("discount_percent")) or ZERO)
    taken = abs(as_decimal(row.get("discount_amount")) or ZERO)
    if sign < 0 and amount is not None:
        # A credit line prints the minus on the quantity, on the price or on the amount only.
        side = 1 if amount >= 0 else -1
        quantity = abs(quantity) if quantity is not None else None
        net, gross = (abs(price) * side if price is not None else None for price in (net, gross))
    prices = [(name, p) for name, p in (("net_price", net), ("gross_price", gross)) if p is not None]
    if quantity is None or quantity == 0:
        yield from _without_quantity(amount, prices)
        return
    if percent:
        for name, price in prices:
            names = ("quantity", name, "discount_percent")
            yield _Try(quantity, price, percent, names, 1.0, f"{number(percent)} % discount, as printed.")
    if taken and not percent:
        for name, price in prices:
            share = round_digits(taken * HUNDRED / (quantity * price), precision.discount) if price else ZERO
            names = ("quantity", name, "discount_amount")
            says = f"Discount of {money(taken)} as {number(share)} %."
            yield _Try(quantity, price, share, names, 0.98, says)
            if amount is not None and round_amount(quantity * price - taken, rounding) == amount:
                after = _dividing_price(amount, quantity, rounding, precision)
                yield _Try(quantity, after, ZERO, names, 0.97, f"Price after the discount of {money(taken)}.")
    for name, price in prices:
        # A discount is printed, but the price is after it already: then the price alone gives the amount.
        yield _Try(quantity, price, ZERO, ("quantity", name), 1.0, "Quantity and price as printed.")
    for per in PRICE_UNITS:
        for name, price in prices:
            says = f"The printed price is for {per} units."
            yield _Try(quantity, price / per, percent, ("quantity", name), 0.85, says)
    if amount is not None and not prices:
        price = _dividing_price(amount, quantity, rounding, precision)
        yield _Try(
            quantity, price, ZERO, ("quantity",), 0.97, "No price is printed: the amount by the quantity."
        )


def _without_quantity(amount: Decimal | None, prices: list[tuple[str, Decimal]]) -> Iterator[_Try]:
    for name, price in prices:
        if amount is None or price == amount:
            yield _Try(ONE, price, ZERO, (name,), 0.97, "No quantity is printed: one.")
        elif price and amount % price == 0 and amount / price > 1:
            count = amount / price
            yield _Try(count, price, ZERO, (name,), 0.85, "No quantity is printed: the amount by the price.")
    if amount is not None:
        factor = 0.97 if not prices else 0.8
        yield _Try(ONE, amount, ZERO, (), factor, "No quantity is printed: one, at the line's amount.")


def _dividing_price(amount: Decimal, quantity: Decimal, rounding: Decimal, precision: Precision) -> Decimal:
    """The price with the fewest decimals that gives the amount again, within the digits that Odoo keeps."""
    most = PRICE_DIGITS if precision.price is None else precision.price
    exact = amount / quantity
    for digits in range(most + 1):
        price = round_digits(exact, digits)
        if round_amount(price * quantity, rounding) == amount:
            return price
    return round_digits(exact, most)
