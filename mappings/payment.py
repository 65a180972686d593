"""Where and when to pay: bank account, currency and dates. Bank details are only ever checked, never proposed."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from inference.invoice import Check
from mappings.case import Case, failed, not_applicable, passed
from mappings.dates import SETTLED, with_country
from mappings.erp_data import Partner
from mappings.folding import fold_account
from mappings.proposal import ProposedValue

FUTURE_DAYS = 3
OLD_DAYS = 400
LONGEST_TERM_DAYS = 366


def check_bank_account(case: Case, vendor: Partner | None) -> Check:
    """The account to pay to must be one that Odoo knows for that vendor."""
    printed = case.reading.text("payment_account")
    if not printed:
        return not_applicable("bank_account_known", "The document prints no account to pay to.")
    folded = fold_account(printed)
    if folded in case.index.own_accounts:
        return not_applicable("bank_account_known", f"{printed} is our own account: the vendor collects.")
    if vendor is None:
        return not_applicable("bank_account_known", "The vendor is not known, so neither are its accounts.")
    known = case.index.accounts_of(vendor.id)
    if any(account.active and fold_account(account.number) == folded for account in known):
        return passed("bank_account_known", f"{printed} is one of {vendor.name}'s accounts.")
    owners = [a for a in case.index.accounts_with(folded) if a not in known]
    if owners and owners[0].partner_id in case.index.own:
        owner = case.index.partner_name(owners[0].partner_id)
        text = f"The bank account {printed} on the document is that of {owner}, who works for us, not {vendor.name}'s."
    elif owners:
        owner = case.index.partner_name(case.index.commercial(owners[0].partner_id))
        text = f"The bank account {printed} on the document belongs to {owner}, not to {vendor.name}."
    elif any(a.active for a in known):
        text = f"The bank account {printed} on the document is not one of {vendor.name}'s accounts in Odoo."
    else:
        text = f"The bank account {printed} on the document is new: Odoo has none for {vendor.name}."
    return failed("bank_account_known", text)


def propose_currency(case: Case, vendor: Partner | None) -> tuple[ProposedValue | None, list[Check]]:
    """The currency printed; without one, the vendor's habit or the company's own, unsure."""
    found, code = case.reading.get("currency"), case.reading.text("currency")
    if found is None or code is None:
        return _habitual_currency(case, vendor), []
    currency = case.index.currency_by_code.get(code.upper())
    if currency is None:
        text = f"Odoo does not have the currency {code} of the document. Add it under Accounting, Currencies."
        return None, [failed("currency_active", text)]
    checks: list[Check] = []
    if not currency.active:
        checks.append(
            failed(
                "currency_active",
                f"The currency {code} of the document is not active in Odoo. Activate it under Accounting, Currencies.",
            )
        )
    reason = found.note or f"The document is in {code}."
    value = ProposedValue(currency.id, found.confidence, reason, (case.currency_term,))
    return value, checks


def _habitual_currency(case: Case, vendor: Partner | None) -> ProposedValue:
    bills = case.index.bills_of(vendor.id) if vendor else []
    habit = Counter(bill.currency_id for bill in bills if bill.currency_id)
    if len(habit) == 1 and vendor:
        chosen = next(iter(habit))
        name = case.index.currencies[chosen].name if chosen in case.index.currencies else str(chosen)
        reason = f"The document names no currency; all bills of {vendor.name} are in {name}."
        return ProposedValue(chosen, 0.7, reason)
    default = case.default_currency
    reason = f"The document names no currency; {default.name} is the company's."
    return ProposedValue(default.id, 0.5, reason)


def check_dates(case: Case) -> list[Check]:
    """Neither from the future nor implausibly old, and due after it was issued."""
    issued, due = case.reading.day("issue_date"), case.reading.day("due_date")
    checks: list[Check] = []
    if issued:
        if issued > case.today + timedelta(days=FUTURE_DAYS):
            checks.append(failed("date_plausible", f"The document's date {issued} is in the future."))
        elif issued < case.today - timedelta(days=OLD_DAYS):
            checks.append(failed("date_plausible", f"The document's date {issued} is more than a year ago."))
        else:
            checks.append(passed("date_plausible", f"The document's date {issued} is plausible."))
    if issued and due:
        if due < issued:
            text = f"The due date {due} is before the document's date {issued}."
            checks.append(failed("due_date_plausible", text))
        elif due > issued + timedelta(days=LONGEST_TERM_DAYS):
            text = f"The due date {due} is more than a year after the document's date {issued}."
            checks.append(failed("due_date_plausible", text))
        else:
            checks.append(passed("due_date_plausible", f"The due date {due} is plausible."))
    return checks


def propose_bill_date(case: Case, vendor: Partner | None) -> ProposedValue | None:
    """The printed date of the bill, surer or less sure once the vendor's country is known."""
    issued = case.reading.get("issue_date")
    if issued is None:
        return None
    sure, reason = with_country(issued, vendor)
    return ProposedValue(issued.value, sure, issued.note or reason, ("issue_date",))


def propose_due_date(case: Case, vendor: Partner | None) -> tuple[ProposedValue | None, ProposedValue | None]:
    """The due date where it is printed, and the payment term, emptied where it would say another day."""
    found, due = case.reading.get("due_date"), case.reading.day("due_date")
    if found is None or due is None:
        return None, None
    usual = _usual_due_date(case, vendor)
    sure, _ = with_country(found, vendor)
    if usual is None:
        reason = f"Due {due}, as printed."
    elif usual == due:
        reason, sure = f"Due {due}, as printed; the vendor's payment term says the same.", max(sure, SETTLED)
    else:
        reason = f"Due {due}, as printed; the vendor's payment term would say {usual}."
    value = ProposedValue(due, sure, reason, ("due_date",))
    if usual is None or usual == due:
        return value, None
    cleared = "Emptied, so that the printed due date holds."
    return value, ProposedValue(None, sure, cleared, ("due_date",))


def _usual_due_date(case: Case, vendor: Partner | None) -> date | None:
    issued = case.reading.day("issue_date")
    term = case.index.terms.get(vendor.payment_term_id or 0) if vendor else None
    if issued is None or term is None or term.days is None:
        return None
    return issued + timedelta(days=term.days)
