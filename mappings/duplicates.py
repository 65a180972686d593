"""Whether a bill was entered before, however its number is spelt."""

from __future__ import annotations

from inference.invoice import Check
from mappings.case import BILL, Case, failed, money, passed
from mappings.erp_data import Bill, Partner
from mappings.folding import reference_keys

# Two bills of one vendor over the same sum so near in time are one bill more often than two.
WINDOW_DAYS = 3


def check_duplicate(case: Case, vendor: Partner | None) -> Check:
    """Same vendor and number, or same vendor, sum and date, in any company, draft or posted."""
    for bill in _candidates(case, vendor):
        if why := _same(case, bill, vendor):
            where = "" if bill.company_id == case.company.id else f" in {_company_name(case, bill)}"
            state = "posted" if bill.state == "posted" else "draft"
            name = f"{bill.name}, {state}" if bill.name not in ("", "/") else state
            text = f"Probably entered before: {bill.ref or 'a bill'} ({name}){where} has {why}."
            return failed("duplicate", text)
    return passed("duplicate", "No other bill has this number, or this sum and date.")


def _candidates(case: Case, vendor: Partner | None) -> list[Bill]:
    reference = case.reading.text("invoice_number") or ""
    found = {bill.id: bill for bill in case.index.bills_with_ref(reference)}
    found |= {bill.id: bill for bill in (case.index.bills_of(vendor.id) if vendor else [])}
    own = case.record.id if case.record.model == BILL else None
    same_kind = [b for b in found.values() if (b.move_type == "in_refund") == case.is_credit]
    return sorted((b for b in same_kind if b.id != own), key=lambda b: (b.state != "posted", b.id))


def _same(case: Case, bill: Bill, vendor: Partner | None) -> str | None:
    reference = case.reading.text("invoice_number") or ""
    paper, day = case.paper, case.reading.day("issue_date")
    same_total = paper is not None and paper.total == bill.amount_total
    same_vendor = (
        vendor is not None
        and bill.partner_id is not None
        and case.index.commercial(bill.partner_id) == case.index.commercial(vendor.id)
    )
    if reference_keys(reference) & reference_keys(bill.ref):
        if same_vendor:
            return "the same vendor and number"
        # Unknown on one side: the number alone proves nothing, with the sum it does.
        return (
            "the same number and total"
            if same_total and (vendor is None or bill.partner_id is None)
            else None
        )
    if not (same_vendor and same_total and paper and paper.total and day and bill.invoice_date):
        return None
    if bill.currency_id not in (None, case.currency.id):
        return None
    if abs((bill.invoice_date - day).days) <= WINDOW_DAYS:
        return f"the same vendor, the same total {money(paper.total)} and nearly the same date"
    return None


def _company_name(case: Case, bill: Bill) -> str:
    company = case.index.companies.get(bill.company_id)
    return company.name if company else "another company"
