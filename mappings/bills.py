"""A Reading and a draft bill become a Proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inference.invoice import Check, DocumentType
from mappings.case import REFUND, Case, a_kind, failed, money, not_applicable, passed
from mappings.duplicates import check_duplicate
from mappings.early import booked_on, propose_term, term_after
from mappings.fapiao import check_fapiao
from mappings.habits import check_habits
from mappings.joined import joined
from mappings.kept import still_empty
from mappings.lines import bill_values, draft_lines, fitted
from mappings.look_alikes import check_look_alike, check_number
from mappings.partners import Vendor, check_buyer, find_vendor
from mappings.payment import (
    check_bank_account,
    check_dates,
    propose_bill_date,
    propose_currency,
    propose_due_date,
)
from mappings.printed import placed
from mappings.proposal import Proposal, ProposedValue
from mappings.purchases import match_orders
from mappings.reconciliation import reckon
from mappings.settle import settled
from mappings.stages import check_deposit, check_prepaid
from mappings.verify import verify

BILL_TYPES = frozenset({DocumentType.INVOICE, DocumentType.CREDIT_NOTE, DocumentType.RECEIPT})


def propose_bill(case: Case) -> Proposal:
    """Values and lines for an empty draft; for a bill that has lines already, only the comparison."""
    vendor = find_vendor(case)
    case = settled(case, vendor.partner)
    checks = [check_document_type(case), *vendor.checks, check_buyer(case), *check_dates(case)]
    checks += [check_bank_account(case, vendor.partner), check_duplicate(case, vendor.partner)]
    checks += [
        check_number(case),
        check_look_alike(case, vendor.partner),
        *check_fapiao(case, vendor.partner),
    ]
    checks += [*check_habits(case, vendor.partner), check_deposit(case, vendor.partner)]
    checks.append(check_prepaid(case, vendor.partner))
    if case.record.lines:
        checks += verify(case, vendor.partner)
        return _proposal(case, vendor, checks, verify_only=True)
    values, header_checks = _header(case, vendor)
    draft = draft_lines(case, vendor.partner)
    purchase = match_orders(case, vendor.partner, draft.bought(case))
    draft = joined(case, fitted(case, draft), vendor.partner, ordered=bool(purchase.links))
    lines, line_checks = bill_values(case, draft, purchase, vendor.partner)
    reckoned = reckon(case, draft.lines, term_after(case, values, vendor.partner), booked_on(case, lines))
    checks += [*header_checks, *draft.checks, *purchase.checks, reckoned.check, *line_checks]
    matches = {"partner_id": vendor.matches, "purchase_order": purchase.matches}
    return replace(
        _proposal(case, vendor, checks),
        values=values,
        lines=lines,
        matches={name: found for name, found in matches.items() if found},
        paper=reckoned.printed or case.paper,
        predicted=reckoned.predicted,
        vat=reckoned.vat,
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
    due, term = propose_due_date(case, vendor.partner)
    granting, discount_checks = propose_term(case, vendor.partner)
    term = granting or term
    currency, checks = propose_currency(case, vendor.partner)
    chosen = {
        "vendor": vendor.value,
        "bill_date": propose_bill_date(case, vendor.partner),
        "due_date": due,
        "payment_term": term,
        "currency": currency,
    }
    wanted, problems = placed(case, "bill", chosen)
    kept, differences = still_empty(case, "bill", wanted)
    if granting is None and case.fields.field_of("bill", "due_date") not in kept:
        kept.pop(case.fields.field_of("bill", "payment_term") or "", None)
    return kept, [*checks, *discount_checks, *problems, *differences]
