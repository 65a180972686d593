"""A Reading and a draft bill become a Proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from inference.invoice import Check, DocumentType
from mappings.case import REFUND, Case, a_kind, failed, money, not_applicable, passed, proven
from mappings.dates import with_country
from mappings.duplicates import check_duplicate
from mappings.erp_data import Scalar
from mappings.fapiao import check_fapiao
from mappings.folding import reference_keys
from mappings.habits import check_habits
from mappings.lines import bill_values, draft_lines, fitted
from mappings.look_alikes import check_look_alike
from mappings.partners import Vendor, check_buyer, find_vendor
from mappings.payment import check_bank_account, check_dates, propose_currency, propose_due_date
from mappings.proposal import Proposal, ProposedValue
from mappings.purchases import match_orders
from mappings.reconciliation import predict_totals
from mappings.verify import verify

# A payment reference is a convenience: an unsure one is left out, nobody is asked.
SURE_REFERENCE = 0.90
BILL_TYPES = frozenset({DocumentType.INVOICE, DocumentType.CREDIT_NOTE, DocumentType.RECEIPT})


def propose_bill(case: Case) -> Proposal:
    """Values and lines for an empty draft; for a bill that has lines already, only the comparison."""
    vendor = find_vendor(case)
    checks = [check_document_type(case), *vendor.checks, check_buyer(case), *check_dates(case)]
    checks += [check_bank_account(case, vendor.partner), check_duplicate(case, vendor.partner)]
    checks += [check_look_alike(case, vendor.partner), *check_fapiao(case, vendor.partner)]
    checks += check_habits(case, vendor.partner)
    if case.record.lines:
        checks += verify(case, vendor.partner)
        return _proposal(case, vendor, checks, verify_only=True)
    values, header_checks = _header(case, vendor)
    draft = draft_lines(case, vendor.partner)
    purchase = match_orders(case, vendor.partner, draft.bought(case))
    draft = fitted(case, draft)
    predicted, total_check = predict_totals(case, draft.lines)
    checks += [*header_checks, *draft.checks, *purchase.checks, total_check]
    matches = {"partner_id": vendor.matches, "purchase_order": purchase.matches}
    return replace(
        _proposal(case, vendor, checks),
        values=values,
        lines=bill_values(case, draft, purchase, vendor.partner),
        matches={name: found for name, found in matches.items() if found},
        predicted=predicted,
        purchase_lines=purchase.progress,
    )


def _proposal(case: Case, vendor: Vendor, checks: Sequence[Check], *, verify_only: bool = False) -> Proposal:
    matches = {"partner_id": vendor.matches} if vendor.matches else {}
    return Proposal(
        case.record.model,
        case.record.id,
        checks=tuple(checks),
        matches=matches,
        paper=case.paper,
        verify_only=verify_only,
        new_vendor=vendor.new,
    )


def check_document_type(case: Case) -> Check:
    """A bill on a bill, a credit note on a refund."""
    kind, record = case.reading.document_type, case.record
    if kind is None:
        return not_applicable("document_type", "What kind of document this is could not be read.")
    if kind not in BILL_TYPES:
        return failed("document_type", f"The document is not a bill but {a_kind(kind)}.")
    if case.is_credit and record.kind != REFUND:
        seller = case.reading.text("seller_name") or "the vendor"
        paper = case.paper
        over = f" over {money(abs(paper.total))}" if paper else ""
        text = f"The document is a credit note of {seller}{over}, the record is a bill: make it a refund."
        return failed("document_type", text)
    if not case.is_credit and record.kind == REFUND:
        return failed("document_type", "The document is a bill, the record is a refund.")
    corrected = case.reading.get("preceding_invoice_reference")
    if corrected and corrected.evidence and not case.is_credit:
        text = f"The document refers to the earlier bill {corrected.value}: it may be a credit note for it."
        return failed("document_type", text)
    return passed("document_type", f"The document is {a_kind(kind)}, as the record is.")


def _header(case: Case, vendor: Vendor) -> tuple[dict[str, ProposedValue], list[Check]]:
    """The header values that are still empty; what a person set already stays, and is compared."""
    wanted: dict[str, ProposedValue] = {"partner_id": vendor.value} if vendor.value else {}
    if number := case.reading.get("invoice_number"):
        wanted["ref"] = ProposedValue(number.value, number.confidence, "As printed.", ("invoice_number",))
    if issued := case.reading.get("issue_date"):
        wanted["invoice_date"] = ProposedValue(
            issued.value, *with_country(issued, vendor.partner), ("issue_date",)
        )
    wanted |= propose_due_date(case, vendor.partner)
    currency, checks = propose_currency(case, vendor.partner)
    if currency:
        wanted["currency_id"] = currency
    reference = case.reading.get("payment_reference")
    if reference and proven(reference) and reference.confidence >= SURE_REFERENCE:
        wanted["payment_reference"] = ProposedValue(
            reference.value, reference.confidence, "As printed.", ("payment_reference",)
        )
    kept: dict[str, ProposedValue] = {}
    for name, value in wanted.items():
        present = case.record.values.get(name)
        if _is_empty(case, name, present):
            kept[name] = value
        elif not _agrees(case, name, present, value.value):
            checks.append(failed(f"kept_{name}", _disagreement(case, name, present, value.value)))
    if "invoice_date_due" not in kept:
        kept.pop("invoice_payment_term_id", None)
    return kept, checks


def _is_empty(case: Case, name: str, present: Scalar) -> bool:
    """Whether nobody has set the value: Odoo's own defaults count as empty.

    A vendor that is ourselves or one of our people is whoever forwarded the mail. The currency is a default while it
    is the journal's or the company's. A due date is Odoo's while it is not
    after the bill's date or the day of the record's last change: Odoo puts the day of creation there. A payment
    term comes with the vendor.
    """
    if present in (None, "", False, ()) or name == "invoice_payment_term_id":
        return True
    if name == "partner_id":
        return present in case.index.own
    if name == "currency_id":
        return present == case.default_currency.id
    if name == "invoice_date_due" and isinstance(present, date):
        issued, changed = case.record.values.get("invoice_date"), _day(case.record.write_date)
        # Times are UTC: where the accountants are it may be the next day already.
        days = [issued, changed + timedelta(days=1) if changed else None]
        return any(isinstance(day, date) and present <= day for day in days)
    return False


def _day(timestamp: str) -> date | None:
    try:
        return date.fromisoformat(timestamp[:10])
    except ValueError:
        return None


def _agrees(case: Case, name: str, present: Scalar, wanted: Scalar) -> bool:
    if name == "partner_id" and isinstance(present, int) and isinstance(wanted, int):
        return case.index.commercial(present) == case.index.commercial(wanted)
    if name in ("ref", "payment_reference"):
        return bool(reference_keys(str(present)) & reference_keys(str(wanted)))
    return present == wanted


_LABELS = {
    "partner_id": "vendor",
    "ref": "bill reference",
    "invoice_date": "bill date",
    "invoice_date_due": "due date",
    "currency_id": "currency",
    "payment_reference": "payment reference",
}


def _disagreement(case: Case, name: str, present: Scalar, wanted: Scalar) -> str:
    def shown(value: Scalar) -> str:
        if name == "partner_id" and isinstance(value, int):
            return case.index.partner_name(value)
        if name == "currency_id" and isinstance(value, int) and value in case.index.currencies:
            return case.index.currencies[value].name
        return str(value)

    return f"The {_LABELS[name]} in Odoo is {shown(present)}, the document says {shown(wanted)}."
