"""Deposits and final bills: what is asked for before a delivery, and what a later bill takes off again."""

from __future__ import annotations

import re

from inference.invoice import Check, DocumentType, as_text
from mappings.case import Case, failed, money, not_applicable, passed, shortened
from mappings.erp_data import Bill, Partner
from mappings.folding import most_similar, plain, reference_keys

SIMILAR = 0.80

_DEPOSIT = re.compile(
    r"(?<!\w)(?:"
    r"anzahlung\w*|abschlag(?:s\w*)?|vorauszahlung\w*|akontozahlung|vorschussrechnung"
    r"|acomptes?|facture d acompte|advance payment|prepayment invoice|down payment|deposit invoice"
    r"|anticipos?|factura de anticipo|acconto|fattura di acconto|adiantamento|sinal"
    r"|aanbetaling|voorschotfactuur|zaliczk\w+|faktura zaliczkowa|förskott\w*|forskud\w*|forskudd\w*|akonto"
    r"|zálohov\w+|záloha|előleg\w*|avans|ennakkolasku\w*|predujam|avansni račun|predplačil\w*|προκαταβολή|avans faturası"
    r"|bestreta"
    r")(?!\w)|预付款|預付款|定金|订金|訂金"
)
"""Words for a deposit in the languages that are read (EN 16931 knows one by its type code 386)."""


def check_deposit(case: Case, vendor: Partner | None) -> Check:
    """A deposit is owed like any bill, but is no expense yet: a person books the vendor's first one."""
    for row in case.reading.lines:
        words = as_text(row.get("item_name")) or ""
        if not _DEPOSIT.search(plain(words)) and not _DEPOSIT.search(words.casefold()):
            continue
        if (case.reading.amount("prepaid_amount") or 0) > 0:
            break  # a final bill names the deposits that it takes off
        if vendor and most_similar(words, case.index.history_texts(vendor.id, case.company.id), SIMILAR):
            return passed("deposit", f"A deposit, as earlier bills of {vendor.name}.")
        text = f"The document asks for a deposit ({shortened(words)}): book it as a prepayment, not as an expense."
        return failed("deposit", text)
    return not_applicable("deposit", "The document asks for no deposit.")


def check_prepaid(case: Case, vendor: Partner | None) -> Check:
    """A final bill takes off what was paid before: what is a bill in Odoo already would be booked twice."""
    prepaid = case.amount("prepaid_amount")
    if not prepaid or prepaid <= 0:
        return not_applicable("prepaid", "The document takes off nothing that was paid before.")
    total, due = case.amount("total_with_vat"), case.amount("amount_due")
    if case.reading.document_type is DocumentType.RECEIPT and (due is None or due == 0):
        return passed("prepaid", f"The receipt is paid: {money(prepaid)}.")
    before = next((bill for bill in _bills(case, vendor) if _is_part(case, bill)), None)
    if before is not None:
        text = (
            f"The document takes off {money(prepaid)} paid before, and {before.ref or before.name} over "
            f"{money(before.amount_total)} is in Odoo: booked whole, that part would count twice."
        )
        return failed("prepaid", text)
    left = due if due is not None else total - prepaid if total is not None else None
    if left == 0:
        return passed("prepaid", f"{money(prepaid)} is paid already: nothing is left to pay.")
    rest = f", {money(left)} is left to pay" if left is not None else ""
    text = (
        f"The document takes off {money(prepaid)} paid before{rest}: the bill in Odoo will ask for the whole."
    )
    return failed("prepaid", text)


def _bills(case: Case, vendor: Partner | None) -> list[Bill]:
    known = case.index.bills_of(vendor.id) if vendor else []
    return [bill for bill in known if bill.id != case.record.id and bill.move_type == "in_invoice"]


def _is_part(case: Case, bill: Bill) -> bool:
    """Whether the document names the bill, or takes off just its total."""
    named = case.reading.text("preceding_invoice_reference")
    same = bool(named and reference_keys(named) & reference_keys(bill.ref))
    return same or bill.amount_total == case.amount("prepaid_amount")
