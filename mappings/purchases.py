"""The order that a bill is for, its lines against the bill's, and what differs. The bill's figures never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference.invoice import Check, as_text
from mappings.assignment import assign
from mappings.case import Case, failed, money, not_applicable, number, passed, shortened, term
from mappings.erp_data import OrderLine, Partner, PurchaseOrder
from mappings.folding import order_keys, text_similarity
from mappings.proposal import Match, ProposedValue
from mappings.totals import HUNDRED, PricedLine

PRICE_TOLERANCE = Decimal("0.02")
CONFIRMED = frozenset({"purchase", "done"})
GOOD_LINE = 0.60
SURE_LINE = 0.75
BY_REFERENCE, BY_LINES = 0.98, 0.92


@dataclass(frozen=True, slots=True)
class BoughtLine:
    """A document line as far as comparing needs it."""

    position: int
    name: str
    product_id: int | None
    figures: PricedLine


@dataclass(frozen=True, slots=True)
class Purchase:
    """The orders found, the order line for each document line (by position), and the Checks."""

    links: dict[int, ProposedValue]
    lines: dict[int, OrderLine]
    matches: tuple[Match, ...] = ()
    checks: tuple[Check, ...] = ()


NOTHING = Purchase({}, {})


def match_orders(case: Case, vendor: Partner | None, bought: Sequence[BoughtLine]) -> Purchase:
    """Order lines by the order number printed, else by the vendor's only open order where every line fits."""
    named, terms, checks = _named_orders(case, vendor)
    if named:
        return _link(case, named, bought, terms, BY_REFERENCE, checks)
    if checks or vendor is None or not bought:
        return Purchase({}, {}, checks=tuple(checks))
    opened = [o for o in case.index.orders_of(vendor.id) if _is_open(case, o)]
    if len(opened) != 1:
        return NOTHING
    pairs = pair_lines(case, bought, [line for line in opened[0].lines if open_quantity(case, line) > 0])
    if len(pairs) < len(bought) or any(_differences(case, b, line) for b, line, _ in pairs):
        return NOTHING
    return _link(case, opened, bought, (), BY_LINES, [])


def _named_orders(
    case: Case, vendor: Partner | None
) -> tuple[list[PurchaseOrder], tuple[str, ...], list[Check]]:
    printed = [("purchase_order_reference", case.reading.text("purchase_order_reference"))]
    printed += [
        (term("lines", position, "line_order_reference"), as_text(row.get("line_order_reference")))
        for position, row in enumerate(case.reading.lines)
    ]
    orders: dict[int, PurchaseOrder] = {}
    terms: list[str] = []
    checks: list[Check] = []
    for name, text in printed:
        if not text:
            continue
        found = [o for o in case.index.orders_named(text) if case.within_company(o.company_id)]
        ours = [o for o in found if vendor and case.index.commercial(o.partner_id) == vendor.id]
        if ours:
            orders |= {order.id: order for order in ours}
            terms.append(name)
        elif found and vendor and _names_one(text, found):
            owner = case.index.partner_name(case.index.commercial(found[0].partner_id))
            says = f"The document refers to order {found[0].name}, which is at {owner}, not at {vendor.name}."
            checks.append(failed("order_vendor", says))
        elif not found and _looks_like_ours(case, text):
            says = f"The document refers to order {text}, which Odoo does not have open."
            checks.append(failed("order_known", says))
        else:
            checks.append(not_applicable("order_known", f"{text!r} is no order number of ours."))
    unique = {check.message: check for check in checks}
    return list(orders.values()), tuple(terms), list(unique.values())


def _names_one(text: str, orders: Sequence[PurchaseOrder]) -> bool:
    keys = order_keys(text)
    return any(key in keys for order in orders for key in order_keys(order.name) if key[0])


def _looks_like_ours(case: Case, text: str) -> bool:
    """Whether the reference begins as our order numbers do: `P` and five digits, say."""
    ours = {letters for order in case.index.orders.values() for letters, _ in order_keys(order.name)}
    return any(letters and letters in ours for letters, _ in order_keys(text))


def _is_open(case: Case, order: PurchaseOrder) -> bool:
    if order.state not in CONFIRMED or not case.within_company(order.company_id):
        return False
    return any(open_quantity(case, line) > 0 for line in order.lines)


def open_quantity(case: Case, line: OrderLine) -> Decimal:
    """What may still be billed: received or ordered, by the product's control policy, less billed."""
    product = case.index.products.get(line.product_id or 0)
    by_order = product is not None and product.purchase_method == "purchase"
    return (line.product_qty if by_order else line.qty_received) - line.qty_invoiced


def pair_lines(
    case: Case, bought: Sequence[BoughtLine], lines: Sequence[OrderLine]
) -> list[tuple[BoughtLine, OrderLine, float]]:
    """Document lines with their order lines and the score of each pair; pairs that do not fit are left out."""
    scores = [[_score(case, one, line) for line in lines] for one in bought]
    pairs = [(bought[row], lines[column], scores[row][column]) for row, column in enumerate(assign(scores))
             if column is not None]  # fmt: skip
    return [pair for pair in pairs if pair[2] >= GOOD_LINE]


def _score(case: Case, bought: BoughtLine, line: OrderLine) -> float:
    """0–1: product or name tells most, price and quantity tell lines of one product apart."""
    if bought.product_id and line.product_id:
        same = 1.0 if bought.product_id == line.product_id else 0.0
    else:
        product = case.index.products.get(line.product_id or 0)
        names = [line.name, *(_names_of(case, line) if product else [])]
        same = max(text_similarity(bought.name, name) for name in names)
    price = 1.0 if _close(_net(bought.figures), _net_price(line)) else 0.0
    quantity = 1.0 if bought.figures.quantity in (line.product_qty, open_quantity(case, line)) else 0.5
    return 0.65 * same + 0.2 * price + 0.15 * quantity


def _names_of(case: Case, line: OrderLine) -> list[str]:
    product = case.index.products[line.product_id or 0]
    return [product.name, *(code.product_name for code in product.vendor_codes if code.product_name)]


def _net(figures: PricedLine) -> Decimal:
    return figures.price_unit * (1 - figures.discount / HUNDRED)


def _net_price(line: OrderLine) -> Decimal:
    return line.price_unit * (1 - line.discount / HUNDRED)


def _close(price: Decimal, other: Decimal) -> bool:
    return abs(price - other) <= PRICE_TOLERANCE * abs(other)


def _link(
    case: Case,
    orders: Sequence[PurchaseOrder],
    bought: Sequence[BoughtLine],
    terms: tuple[str, ...],
    certainty: float,
    checks: list[Check],
) -> Purchase:
    names = {order.id: order.name for order in orders}
    confirmed = [order for order in orders if order.state in CONFIRMED]
    checks = list(checks)
    for order in orders:
        if order.state not in CONFIRMED:
            checks.append(failed("order_confirmed", f"The order {order.name} is not confirmed in Odoo yet."))
    checks += _currency_checks(case, confirmed)
    pairs = pair_lines(case, bought, [line for order in confirmed for line in order.lines])
    links: dict[int, ProposedValue] = {}
    for one, line, score in pairs:
        sure = certainty if score >= SURE_LINE else score
        reason = f"Line of order {names[line.order_id]}: {line.name}."
        links[one.position] = ProposedValue(line.id, sure, reason, terms)
        for text in _differences(case, one, line):
            checks.append(failed("order_line", f"Line {one.position + 1}, {shortened(one.name)}: {text}"))
    if confirmed and not case.is_credit:
        label = " and ".join(order.name for order in confirmed)
        checks.extend(
            failed("order_line", f"Line {one.position + 1}, {shortened(one.name)}, is not on order {label}.")
            for one in bought
            if one.position not in links
        )
        if not any(check.status == "fail" for check in checks):
            checks.append(passed("order_line", f"The lines agree with order {label}."))
    matches = tuple(
        Match("purchase.order", order.id, order.name, certainty, (_why(order, terms),)) for order in orders
    )
    return Purchase(links, {one.position: line for one, line, _ in pairs}, matches, tuple(checks))


def _currency_checks(case: Case, orders: Sequence[PurchaseOrder]) -> list[Check]:
    printed = case.reading.text("currency")
    return [
        failed("order_currency", f"The document is in {printed}, order {order.name} in {ordered}.")
        for order in orders
        if printed and (ordered := case.index.currency_name(order.currency_id)) != printed.upper()
    ]


def _why(order: PurchaseOrder, terms: tuple[str, ...]) -> str:
    if terms:
        return f"the document names order {order.name}"
    return f"{order.name} is the vendor's only open order and every line fits"


def _differences(case: Case, bought: BoughtLine, line: OrderLine) -> list[str]:
    """What the bill asks beyond the order, in sentences. A refund gives back, so nothing can be too much."""
    found: list[str] = []
    price, ordered = _net(bought.figures), _net_price(line)
    if not _close(price, ordered):
        found.append(f"the price is {money(price)}, the order says {money(ordered)}.")
    if case.is_credit:
        return found
    quantity, left = bought.figures.quantity, line.product_qty - line.qty_invoiced
    if quantity > left:
        found.append(f"{number(quantity)} are billed, {number(left)} of the order are left to bill.")
    elif quantity > open_quantity(case, line):
        came = open_quantity(case, line)
        found.append(f"{number(quantity)} are billed, but only {number(came)} received and not billed yet.")
    return found
