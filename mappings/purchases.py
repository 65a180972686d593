"""The order that a bill is for, its lines against the bill's, and what differs. The bill's figures never change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inference.invoice import Check, as_text
from mappings.case import Case, failed, money, not_applicable, number, passed, shortened, term
from mappings.erp_data import OrderLine, Partner, PurchaseOrder
from mappings.folding import order_keys, reference_keys
from mappings.pairing import (
    SURE_NAME,
    BoughtLine,
    Pair,
    billed_together,
    by_order_line,
    net,
    net_price,
    open_quantity,
    pair_lines,
    where,
)
from mappings.proposal import Match, ProposedValue, PurchaseLine

CONFIRMED = frozenset({"purchase", "done"})
BY_REFERENCE, BY_LINES, LIKELY = 0.98, 0.92, 0.70
UNCLEAR = 0.80
"""The most that a pair is worth where another assignment is nearly as good."""

LIKELY_SHARE = 0.5
"""Of a bill without an order's number, so many lines must be for goods of an order before it is taken to be for it."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """The orders found, the order line for each document line (by position), how far each line is, and the Checks."""

    links: dict[int, ProposedValue]
    lines: dict[int, OrderLine]
    matches: tuple[Match, ...] = ()
    checks: tuple[Check, ...] = ()
    progress: tuple[PurchaseLine, ...] = ()


NOTHING = Purchase({}, {})


def match_orders(case: Case, vendor: Partner | None, bought: Sequence[BoughtLine]) -> Purchase:
    """Order lines by the order number printed, else by the one order, or orders, of the vendor that every line fits."""
    named, terms, checks = _named_orders(case, vendor)
    if named:
        return _link(case, named, bought, terms, BY_REFERENCE, checks)
    if checks or vendor is None or not bought:
        return Purchase({}, {}, checks=tuple(checks))
    return _by_lines(case, vendor, bought)


def _by_lines(case: Case, vendor: Partner, bought: Sequence[BoughtLine]) -> Purchase:
    """The order that all lines fit, with price and what is left to bill; several orders only where no line could be
    of another."""
    opened = [order for order in case.index.orders_of(vendor.id) if _is_open(case, order)]
    fitting = [order for order in opened if _fits(case, bought, [order])]
    if len(fitting) == 1:
        return _link(case, fitting, bought, (), BY_LINES, [])
    if len(fitting) > 1:
        return _undecided(fitting, "The lines fit orders {} alike, and the document names none.")
    used = _fits(case, bought, opened) if len(opened) > 1 else None
    if not used:
        return NOTHING if case.is_credit else _likely(case, vendor, bought)
    orders = {pair.line.order_id for pair in used}
    return _link(case, [order for order in opened if order.id in orders], bought, (), BY_LINES, [])


def _likely(case: Case, vendor: Partner, bought: Sequence[BoughtLine]) -> Purchase:
    """The order that the bill seems to be for although it differs: a suggestion, and a reason to ask a person."""
    likely: list[tuple[tuple[int, float], PurchaseOrder]] = []
    for order in case.index.orders_of(vendor.id):
        if order.state not in CONFIRMED or not case.within_company(order.company_id):
            continue
        left = [line for line in order.lines if line.product_qty > case.index.billed(line)]
        pairs = [pair for pair in pair_lines(case, bought, left) if pair.same >= SURE_NAME]
        if LIKELY_SHARE * len(bought) <= len(pairs) > 0:
            likely.append(((len(pairs), round(sum(pair.score for pair in pairs), 6)), order))
    if not likely:
        return NOTHING
    best = max(worth for worth, _ in likely)
    orders = [order for worth, order in likely if worth == best]
    if len(orders) > 1:
        return _undecided(orders, "The lines are like those of orders {}, and the document names none.")
    [order] = orders
    found = _link(case, orders, bought, (), LIKELY, [])
    text = f"The document names no order; its lines are like those of {order.name}, but do not all agree."
    return replace(found, checks=(failed("order_line", text), *found.checks))


def _undecided(orders: Sequence[PurchaseOrder], says: str) -> Purchase:
    matches = tuple(Match("purchase.order", o.id, o.name, UNCLEAR, ("its lines fit",)) for o in orders)
    text = says.format(" and ".join(order.name for order in orders))
    return Purchase({}, {}, matches, (failed("order_line", text),))


def _fits(case: Case, bought: Sequence[BoughtLine], orders: Iterable[PurchaseOrder]) -> list[Pair]:
    """The pairs, where every document line has one that is sure and without a difference; else none."""
    lines = [line for order in orders for line in order.lines if open_quantity(case, line) > 0]
    pairs = pair_lines(case, bought, lines)
    # Where no order is named, the price must be the ordered one to the cent.
    exact = all(pair.is_sure and net(pair.bought.figures) == net_price(pair.line) for pair in pairs)
    return pairs if exact and len(pairs) == len(bought) and not _differences(case, pairs) else []


def _named_orders(
    case: Case, vendor: Partner | None
) -> tuple[list[PurchaseOrder], tuple[str, ...], list[Check]]:
    orders: dict[int, PurchaseOrder] = {}
    terms: list[str] = []
    checks: list[Check] = []
    for name, text in _references(case):
        found = [o for o in case.index.orders_named(text) if case.within_company(o.company_id)]
        ours = [o for o in found if vendor and case.index.commercial(o.partner_id) == vendor.id]
        ours = ours or (_by_vendor_reference(case, vendor, text) if vendor else [])
        if ours:
            orders |= {order.id: order for order in ours}
            terms.append(name)
        elif name == "order_number":
            continue  # the vendor's own number of the order: ours only where we know it
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


def _references(case: Case) -> list[tuple[str, str]]:
    """What the document prints as numbers of orders, with the terms."""
    printed = [(name, case.reading.text(name)) for name in ("purchase_order_reference", "order_number")]
    printed += [
        (term("lines", position, "line_order_reference"), as_text(row.get("line_order_reference")))
        for position, row in enumerate(case.reading.lines)
    ]
    return [(name, text) for name, text in printed if text]


def _by_vendor_reference(case: Case, vendor: Partner, text: str) -> list[PurchaseOrder]:
    """The vendor's orders that it confirmed under that number."""
    keys = reference_keys(text)
    return [
        order
        for order in case.index.orders_of(vendor.id)
        if case.within_company(order.company_id) and reference_keys(order.partner_ref) & keys
    ]


def _names_one(text: str, orders: Sequence[PurchaseOrder]) -> bool:
    keys = order_keys(text)
    return any(key in keys for order in orders for key in order_keys(order.name) if key[0])


def _looks_like_ours(case: Case, text: str) -> bool:
    """Whether the reference begins as our order numbers do: `P` and five digits, say."""
    return any(letters and letters in case.index.order_letters for letters, _ in order_keys(text))


def _is_open(case: Case, order: PurchaseOrder) -> bool:
    if order.state not in CONFIRMED or not case.within_company(order.company_id):
        return False
    return any(open_quantity(case, line) > 0 for line in order.lines)


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
    for pair in pairs:
        one, line = pair.bought, pair.line
        sure = certainty if pair.is_sure else min(pair.score, UNCLEAR)
        doubt = "" if pair.clear else " Another line fits nearly as well."
        reason = f"Line of order {names[line.order_id]}: {line.name}.{doubt}"
        links[one.position] = ProposedValue(line.id, sure, reason, terms)
    checks += [failed("order_line", text) for text in _differences(case, pairs)]
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
        Match("purchase.order", order.id, order.name, certainty, (_why(order, terms, certainty),))
        for order in orders
    )
    lines = {pair.bought.position: pair.line for pair in pairs}
    return Purchase(links, lines, matches, tuple(checks), progress(case, confirmed, pairs))


def progress(case: Case, orders: Iterable[PurchaseOrder], pairs: Sequence[Pair]) -> tuple[PurchaseLine, ...]:
    """Every line of the orders: ordered, received and billed, and what the document asks for it."""
    asked = {lots[0].line.id: lots for lots in by_order_line(pairs)}
    found: list[PurchaseLine] = []
    for order in orders:
        for line in order.lines:
            lots = asked.get(line.id, [])
            found.append(
                PurchaseLine(
                    order.name,
                    line.id,
                    line.name,
                    ordered=line.product_qty,
                    received=line.qty_received,
                    billed=case.index.billed(line),
                    price=net_price(line),
                    positions=tuple(pair.bought.position for pair in lots),
                    document_quantity=billed_together(lots) if lots else None,
                    document_price=_average_price(lots),
                )
            )
    return tuple(found)


def _average_price(lots: Sequence[Pair]) -> Decimal | None:
    """The net price of one; where lines for one order line have several, their mean by quantity."""
    prices = {net(pair.bought.figures) for pair in lots}
    quantity = billed_together(lots)
    if len(prices) <= 1 or not quantity:
        return next(iter(prices), None)
    return sum((net(p.bought.figures) * p.bought.figures.quantity for p in lots), Decimal(0)) / quantity


def _currency_checks(case: Case, orders: Sequence[PurchaseOrder]) -> list[Check]:
    printed = case.reading.text("currency")
    return [
        failed("order_currency", f"The document is in {printed}, order {order.name} in {ordered}.")
        for order in orders
        if printed and (ordered := case.index.currency_name(order.currency_id)) != printed.upper()
    ]


def _why(order: PurchaseOrder, terms: tuple[str, ...], certainty: float) -> str:
    if terms:
        return f"the document names order {order.name}"
    if certainty == LIKELY:
        return f"the lines are like those of {order.name}"
    return f"every line fits {order.name}, and none another open order of the vendor"


def _differences(case: Case, pairs: Sequence[Pair]) -> list[str]:
    """What the bill asks beyond the order, in sentences. A refund gives back, so nothing can be too much."""
    found: list[str] = []
    for lots in by_order_line(pairs):
        for pair in lots:
            price, ordered = net(pair.bought.figures), net_price(pair.line)
            if not case.tolerance.same_price(price, ordered):
                found.append(
                    f"{where([pair])}: the price is {money(price)}, the order says {money(ordered)}."
                )
        if not case.is_credit and (text := _too_much(case, lots)):
            found.append(f"{where(lots)}: {text}")
    return found


def _too_much(case: Case, lots: Sequence[Pair]) -> str:
    """More than the order line has left, by all document lines for it together."""
    line, quantity = lots[0].line, billed_together(lots)
    left, came = line.product_qty - case.index.billed(line), open_quantity(case, line)
    if case.tolerance.exceeds(quantity, left):
        return f"{number(quantity)} are billed, {number(left)} of the order are left to bill."
    if case.tolerance.exceeds(quantity, came):
        return f"{number(quantity)} are billed, but only {number(came)} received and not billed yet."
    return ""
