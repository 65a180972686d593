"""A vendor's confirmation or quotation and a purchase order become a Proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

from inference.invoice import Check, DocumentType, as_date
from mappings.case import Case, a_kind, failed, money, not_applicable, number, passed, shortened, term
from mappings.erp_data import OrderLine
from mappings.kept import still_empty
from mappings.lines import DraftLine, DraftLines, chosen_figures, draft_lines, fitted
from mappings.look_alikes import check_look_alike
from mappings.pairing import (
    SURE_LINE,
    BoughtLine,
    Pair,
    billed_together,
    by_order_line,
    net,
    net_price,
    pair_lines,
    where,
)
from mappings.partners import Vendor, check_buyer, find_vendor
from mappings.printed import placed
from mappings.proposal import Proposal, ProposedValue, PurchaseLine
from mappings.purchases import UNCLEAR, progress
from mappings.reconciliation import reckon

ORDER_TYPES = frozenset({DocumentType.ORDER_CONFIRMATION, DocumentType.QUOTATION, DocumentType.ORDER})
# Odoo plans at a time of day; noon UTC is the same day nearly everywhere.
NOON = time(12)


def propose_order(case: Case) -> Proposal:
    """Vendor reference and promised dates; the lines of an order that has none, else how they differ."""
    vendor = find_vendor(case)
    checks = [_check_type(case), *_vendor_checks(case, vendor), check_buyer(case)]
    draft = draft_lines(case, vendor.partner)
    header, header_checks = _header(case)
    checks += [*header_checks, *_currency_checks(case), check_look_alike(case, vendor.partner)]
    lines: tuple[dict[str, ProposedValue], ...] = ()
    predicted = None
    compared: tuple[PurchaseLine, ...] = ()
    if case.record.lines:
        bought = draft.bought(case)
        compared = _progress(case, bought)
        checks += compare_lines(case, bought)
        lines = _promised_dates(case, bought)
    else:
        draft = fitted(case, draft)
        reckoned = reckon(case, draft.lines)
        predicted = reckoned.predicted
        placed_lines = [_line(case, line) for line in draft.lines]
        lines = tuple(values for values, _ in placed_lines)
        checks += [check for _, problems in placed_lines for check in problems]
        checks += [*draft.checks, *_product_checks(draft), reckoned.check]
    matches = {"partner_id": vendor.matches} if vendor.matches else {}
    return Proposal(
        case.record.model,
        case.record.id,
        values=header,
        lines=lines,
        checks=tuple(checks),
        matches=matches,
        paper=case.paper,
        predicted=predicted,
        purchase_lines=compared,
    )


def _check_type(case: Case) -> Check:
    kind = case.reading.document_type
    if kind is None:
        return not_applicable("document_type", "What kind of document this is could not be read.")
    if kind in ORDER_TYPES:
        return passed("document_type", f"The document is {a_kind(kind)}.")
    return failed("document_type", f"The document on the order is {a_kind(kind)}, not a confirmation.")


def _vendor_checks(case: Case, vendor: Vendor) -> list[Check]:
    """The seller must be the order's vendor; an order always has one."""
    present = case.record.values.get("partner_id")
    if not isinstance(present, int):
        return [*vendor.checks, failed("order_vendor", "The order has no vendor in Odoo.")]
    known = case.index.partner_name(present)
    if vendor.partner is None:
        return list(vendor.checks)
    if case.index.commercial(present) != vendor.partner.id:
        text = f"The order is at {known}, the document is from {vendor.partner.name}."
        return [*vendor.checks, failed("order_vendor", text)]
    # Which of two look-alikes it is, the order itself has told.
    checks = [check for check in vendor.checks if check.id != "vendor_unique"]
    return [*checks, passed("order_vendor", f"The document is from {known}, the order's vendor.")]


def _currency_checks(case: Case) -> list[Check]:
    present, printed = case.record.values.get("currency_id"), case.reading.text("currency")
    ordered = case.index.currencies.get(present) if isinstance(present, int) else None
    if ordered is None or printed is None or ordered.name == printed.upper():
        return []
    return [failed("order_currency", f"The order is in {ordered.name}, the document in {printed}.")]


def _header(case: Case) -> tuple[dict[str, ProposedValue], list[Check]]:
    promised = None if case.record.lines else _promised(case, None)
    wanted, problems = placed(case, "order", {"promised_date": promised})
    kept, differences = still_empty(case, "order", wanted)
    return kept, [*problems, *differences]


def _line(case: Case, line: DraftLine) -> tuple[dict[str, ProposedValue], list[Check]]:
    chosen = chosen_figures(line) | {
        "product": line.product,
        "promised_date": _promised(case, line.position),
    }
    return placed(case, "order_line", chosen, line.position)


def _promised(case: Case, position: int | None) -> ProposedValue | None:
    """When the vendor delivers: the date on the line, else on the document."""
    found, path = case.reading.get("delivery_date"), "delivery_date"
    if position is not None and "delivery_date" in (row := case.reading.lines[position]):
        found, path = row["delivery_date"], term("lines", position, "delivery_date")
    day = as_date(found)
    if found is None or day is None:
        return None
    return ProposedValue(datetime.combine(day, NOON, UTC), found.confidence, "As promised.", (path,))


def _promised_dates(case: Case, bought: Sequence[BoughtLine]) -> tuple[dict[str, ProposedValue], ...]:
    """The promised dates for the order's own lines, where they differ from the plan.

    Until a confirmation is on record (the vendor reference), planned dates are what Odoo computed from lead times,
    and the vendor's promise replaces them; after that they are somebody's, and a difference is a failed Check.
    """
    if case.record.values.get("partner_ref"):
        return ()
    found: list[dict[str, ProposedValue]] = []
    for lots in by_order_line(pair_lines(case, bought, _ordered_lines(case))):
        line, promised = lots[0].line, _promised(case, lots[0].bought.position)
        if promised is None or _as_planned(promised, line) or len(_promised_days(case, lots)) > 1:
            continue
        sure = min(min(1.0, pair.score / SURE_LINE) if pair.clear else UNCLEAR for pair in lots)
        here = ProposedValue(line.id, sure, f"The order's line {line.name}.")
        planned = f"; Odoo planned {line.date_planned.date()}" if line.date_planned else ""
        found.append({"id": here, "date_planned": replace(promised, reason=f"As promised{planned}.")})
    return tuple(found)


def _promised_days(case: Case, lots: Sequence[Pair]) -> list[date]:
    """The days on which the document's lines for one order line are promised."""
    promised = (_promised(case, pair.bought.position) for pair in lots)
    return sorted({one.value.date() for one in promised if one and isinstance(one.value, datetime)})


def _as_planned(promised: ProposedValue, line: OrderLine) -> bool:
    day = promised.value
    return (
        isinstance(day, datetime) and line.date_planned is not None and day.date() == line.date_planned.date()
    )


def _product_checks(draft: DraftLines) -> list[Check]:
    """Odoo takes no order line without a product."""
    return [
        failed("order_product", f"No product in Odoo fits the line {shortened(str(line.name.value))!r}.")
        for line in draft.lines
        if line.product is None
    ]


def compare_lines(case: Case, bought: Sequence[BoughtLine]) -> list[Check]:
    """One sentence per difference between the order's lines and the document's."""
    ordered = _ordered_lines(case)
    if not bought:
        return [failed("order_line", "The document's lines could not be read, so they cannot be compared.")]
    pairs = pair_lines(case, bought, ordered)
    checks = [
        failed("order_line", f"{where(lots)}: {text}")
        for lots in by_order_line(pairs)
        for text in _differences(case, lots)
    ]
    paired, confirmed = {pair.bought.position for pair in pairs}, {pair.line.id for pair in pairs}
    checks += [
        failed("order_line", f"Line {one.position + 1}, {shortened(one.name)}, is not on the order.")
        for one in bought
        if one.position not in paired
    ]
    checks += [
        failed("order_line", f"{shortened(line.name)} is ordered, but not on the document.")
        for line in ordered
        if line.id not in confirmed
    ]
    return checks or [
        _compare_total(case),
        passed("order_line", f"All {len(ordered)} lines agree with the order."),
    ]


def _progress(case: Case, bought: Sequence[BoughtLine]) -> tuple[PurchaseLine, ...]:
    """The order's lines with what is received and billed, and what the document confirms of each."""
    known = case.index.orders.get(case.record.id)
    if known is None:
        return ()
    order = replace(known, lines=tuple(_ordered_lines(case)))
    return progress(case, [order], pair_lines(case, bought, order.lines))


def _compare_total(case: Case) -> Check:
    """Freight or a discount that is on no line shows in the total only."""
    paper, record = case.paper, case.record
    printed = paper.untaxed if paper and paper.untaxed is not None else case.amount("total_without_vat")
    if printed is None:
        return not_applicable("order_total", "The document prints no total without VAT.")
    if printed == record.amount_untaxed:
        return passed("order_total", f"The total without VAT is {money(printed)} in both.")
    text = f"Odoo has {money(record.amount_untaxed)} without VAT, the document says {money(printed)}."
    return failed("order_total", text)


def _ordered_lines(case: Case) -> list[OrderLine]:
    """The record's lines as they are now, with products and dates from the snapshot."""
    order = case.index.orders.get(case.record.id)
    known = {line.id: line for line in order.lines} if order else {}
    found: list[OrderLine] = []
    for line in case.record.lines:
        if not line.quantity and not line.subtotal:
            continue  # a section or a note
        old = known.get(line.id)
        found.append(
            OrderLine(
                line.id,
                case.record.id,
                line.name,
                old.product_id if old else None,
                line.quantity,
                line.price_unit,
                discount=old.discount if old else Decimal(0),
                qty_received=old.qty_received if old else Decimal(0),
                qty_invoiced=old.qty_invoiced if old else Decimal(0),
                date_planned=old.date_planned if old else None,
            )
        )
    return found


def _differences(case: Case, lots: Sequence[Pair]) -> list[str]:
    """What the document's lines for one order line say otherwise than it, without saying where."""
    line = lots[0].line
    found: list[str] = []
    quantity = billed_together(lots)
    if quantity != line.product_qty:
        found.append(f"{number(line.product_qty)} ordered, {number(quantity)} confirmed.")
    ordered = net_price(line)
    other = (price for price in dict.fromkeys(net(pair.bought.figures) for pair in lots) if price != ordered)
    found += [f"the price is {money(price)}, the order says {money(ordered)}." for price in other]
    days, planned = _promised_days(case, lots), line.date_planned
    if len(days) > 1:
        # Odoo keeps one date a line: a person splits the line, or takes one of them.
        found.append(f"promised in parts, for {' and '.join(str(day) for day in days)}.")
    elif case.record.values.get("partner_ref") and planned and days and days[0] != planned.date():
        found.append(f"promised for {days[0]}, planned for {planned.date()}.")
    return found
