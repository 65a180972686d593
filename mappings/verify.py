"""A record that is filled already, compared with its document. Nothing is proposed; differences are named."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from inference.invoice import Check, as_decimal
from mappings.case import Case, failed, money, not_applicable, passed
from mappings.erp_data import Partner, Scalar
from mappings.folding import reference_keys
from mappings.names import name_similarity
from mappings.partners import LIKE_NAME


def verify(case: Case, vendor: Partner | None) -> list[Check]:
    """Vendor, number, date, currency, totals and number of lines, as far as the document tells them."""
    return [
        _vendor(case, vendor),
        _reference(case),
        _date(case),
        _currency(case),
        *_totals(case),
        _line_count(case),
    ]


def _vendor(case: Case, vendor: Partner | None) -> Check:
    present, name = case.record.values.get("partner_id"), case.reading.text("seller_name")
    if not isinstance(present, int):
        return failed("filled_partner_id", "The bill has lines but no vendor in Odoo.")
    known = case.index.partner_name(present)
    if vendor:
        if case.index.commercial(present) == case.index.commercial(vendor.id):
            return passed("filled_partner_id", f"The vendor is {known}, as on the document.")
        return failed(
            "filled_partner_id", f"Odoo has the vendor {known}, the document is from {vendor.name}."
        )
    if name and name_similarity(name, known) >= LIKE_NAME:
        return passed("filled_partner_id", f"The vendor is {known}, as on the document.")
    return failed(
        "filled_partner_id", f"Odoo has the vendor {known}, the document is from {name or 'another'}."
    )


def _reference(case: Case) -> Check:
    present, printed = case.record.values.get("ref"), case.reading.text("invoice_number")
    same = bool(printed and reference_keys(str(present or "")) & reference_keys(printed))
    return _compare("ref", "bill reference", str(present) if present else None, printed, same)


def _date(case: Case) -> Check:
    present, printed = case.record.values.get("invoice_date"), case.reading.day("issue_date")
    return _compare("invoice_date", "bill date", present, printed, present == printed)


def _currency(case: Case) -> Check:
    present, printed = case.record.values.get("currency_id"), case.reading.text("currency")
    currency = case.index.currencies.get(present) if isinstance(present, int) else None
    name = currency.name if currency else None
    return _compare("currency_id", "currency", name, printed, name == (printed or "").upper())


def _compare(name: str, label: str, present: Scalar, printed: Scalar, same: bool) -> Check:
    check = f"filled_{name}"
    if printed is None:
        return not_applicable(check, f"The {label} could not be read.")
    if same:
        return passed(check, f"The {label} is {printed}, as on the document.")
    has = f"has the {label} {present}" if present else f"has no {label}"
    return failed(check, f"Odoo {has}, the document says {printed}.")


def _totals(case: Case) -> list[Check]:
    paper, record = case.paper, case.record
    if paper is None:
        return [
            failed(
                "filled_amount_total", "The document's total could not be read, so nothing proves the bill."
            )
        ]
    pairs: tuple[tuple[str, str, Decimal, Decimal | None], ...] = (
        ("amount_total", "the total", record.amount_total, paper.total),
        ("amount_untaxed", "the amount without VAT", record.amount_untaxed, paper.untaxed),
        ("amount_tax", "the VAT", record.amount_tax, paper.tax),
    )
    checks: list[Check] = []
    for name, label, present, printed in pairs:
        if printed is None:
            continue
        if present == printed:
            checks.append(passed(f"filled_{name}", f"{label.capitalize()} is {money(present)} in both."))
        else:
            text = f"Odoo has {money(present)} as {label}, the document says {money(printed)}."
            checks.append(failed(f"filled_{name}", text))
    return checks


def _line_amounts(case: Case) -> Check | None:
    """A failed Check where as many lines have other amounts than the document's, which adds up to its own total."""
    amounts = [as_decimal(row.get("line_net_amount")) for row in case.reading.lines]
    known = [amount * case.sign for amount in amounts if amount is not None]
    untaxed = case.paper.untaxed if case.paper else None
    if len(known) < len(amounts) or sum(known) != untaxed:
        return None
    extra = Counter(line.subtotal for line in case.record.lines) - Counter(known)
    lacking = Counter(known) - Counter(line.subtotal for line in case.record.lines)
    if not extra or not lacking:
        return None
    text = f"Odoo has a line of {money(min(extra))}, which the document says is {money(min(lacking))}."
    return failed("filled_lines", text)


def _line_count(case: Case) -> Check:
    printed, present = len(case.reading.counted_lines), len(case.record.lines)
    if not printed or printed == present:
        return _line_amounts(case) or passed("filled_lines", f"The bill has {present} lines.")
    paper = case.paper
    text = f"Odoo has {present} lines, the document {printed}."
    if paper and (paper.total, paper.untaxed or paper.total) == (
        case.record.amount_total,
        case.record.amount_untaxed if paper.untaxed is not None else paper.total,
    ):
        return not_applicable("filled_lines", f"{text} The amounts agree.")
    return failed("filled_lines", text)
