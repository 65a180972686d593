"""Whether a bill was entered before, however its number is spelt."""

from __future__ import annotations

from inference.invoice import Check, Reading
from mappings.case import BILL, Case, failed, money, passed
from mappings.erp_data import Bill, Partner
from mappings.fapiao import fapiao_key
from mappings.folding import alnum, fold_tax_id, misread_key, reference_keys

# Two bills of one vendor over the same sum so near in time are one bill more often than two.
WINDOW_DAYS = 3
# A number within a longer one is the same number with something written beside it, not by chance.
SHORTEST_WITHIN = 4


def identity_marks(reading: Reading) -> dict[str, str]:
    """What a document is known again by, whatever its file: the picture of its pages, the number of an e-invoice."""
    marks = {"page_image": reading.page_image} if reading.page_image else {}
    seller = fold_tax_id(reading.text("seller_vat_id") or reading.text("seller_tax_id") or "")
    number = alnum(reading.text("invoice_number") or "")
    if key := fapiao_key(reading):
        marks["e_invoice"] = f"fapiao:{key}"
    elif reading.reader == "einvoice" and seller and number:
        marks["e_invoice"] = f"{seller}:{number}"
    return marks


def check_duplicate(case: Case, vendor: Partner | None) -> Check:
    """The same document, the same vendor and number, or the same sum and date; in any company, draft or posted."""
    for seen in case.seen:
        # A record that Odoo no longer has is no bill that was entered.
        if seen.record_id != case.record.id and (bill := case.index.bill(seen.record_id)):
            name = bill.name if bill.name not in ("", "/") else f"draft {bill.id}"
            text = f"Probably entered before: {seen.name} on {name} has {seen.why}."
            return failed("duplicate", text)
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
    if key := fapiao_key(case.reading):
        found |= {bill.id: bill for bill in case.index.bills_with_ref(key)}
    found |= {bill.id: bill for bill in (case.index.bills_of(vendor.id) if vendor else [])}
    own = case.record.id if case.record.model == BILL else None
    same_kind = [b for b in found.values() if (b.move_type == "in_refund") == case.is_credit]
    return sorted((b for b in same_kind if b.id != own), key=lambda b: (b.state != "posted", b.id))


def _same(case: Case, bill: Bill, vendor: Partner | None) -> str | None:
    reference = case.reading.text("invoice_number") or ""
    paper = case.paper
    same_total = paper is not None and paper.total == bill.amount_total
    same_vendor = (
        vendor is not None
        and bill.partner_id is not None
        and case.index.commercial(bill.partner_id) == case.index.commercial(vendor.id)
    )
    key = fapiao_key(case.reading)
    if key and alnum(bill.ref) == key:
        return "the same fapiao number"
    if reference_keys(reference) & reference_keys(bill.ref):
        if same_vendor:
            return "the same vendor and number"
        # Unknown on one side: the number alone proves nothing, with the sum it does.
        return (
            "the same number and total"
            if same_total and (vendor is None or bill.partner_id is None)
            else None
        )
    if not (same_vendor and same_total and paper and paper.total):
        return None
    if bill.currency_id not in (None, case.currency.id):
        return None
    if _nearly_same_number(reference, bill.ref):
        return f"the same vendor, the same total {money(paper.total)} and nearly the same number"
    day = case.reading.day("issue_date")
    if day and bill.invoice_date and abs((bill.invoice_date - day).days) <= WINDOW_DAYS:
        return f"the same vendor, the same total {money(paper.total)} and nearly the same date"
    return None


def _nearly_same_number(one: str, other: str) -> bool:
    """Alike once letters and digits that are misread for each other are one, or one number stands within the other."""
    short, long = sorted((misread_key(one), misread_key(other)), key=len)
    if len(short) < SHORTEST_WITHIN:
        return False
    return short == long or ((long.startswith(short) or long.endswith(short)) and not _goes_on(short, long))


def _goes_on(short: str, long: str) -> bool:
    """Whether digits go on beside the part that both have: 1234 within 12345 is another number."""
    beside = long[len(short)] if long.startswith(short) else long[-len(short) - 1]
    edge = short[-1] if long.startswith(short) else short[0]
    return beside.isdigit() and edge.isdigit()


def _company_name(case: Case, bill: Bill) -> str:
    company = case.index.companies.get(bill.company_id)
    return company.name if company else "another company"
