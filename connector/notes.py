"""The words that Vouch leaves in the ERP: the note on a filled record, and the to-do for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from connector.erp.port import Activity
from connector.plain_text import one_line
from mappings.proposal import scalar_as_json

if TYPE_CHECKING:
    from inference.invoice import Evidence, Reading
    from mappings.proposal import Proposal

MOST_LINE, MOST_REASON = 300, 1000
"""Characters of a line of a note that tells a value, and of one that tells a reason."""
LABELS = {
    "seller_name": "Vendor",
    "invoice_number": "Number",
    "order_number": "Vendor's order number",
    "issue_date": "Date",
    "due_date": "Due",
    "delivery_date": "Delivery",
    "currency": "Currency",
    "total_without_vat": "Net",
    "total_vat": "VAT",
    "total_with_vat": "Total",
    "payment_reference": "Payment reference",
    "purchase_order_reference": "Order",
}


VERDICTS = {
    "approve": "Approved",
    "approve_and_post": "Approved and posted",
    "not_a_bill": "Found not to be a bill",
    "duplicate": "Found to be entered before",
    "wrong_company": "Moved to another company",
    "split": "Split into several bills",
    "switch_kind": "Kind of the record changed to that of the document",
    "question": "Asked about",
    "skip": "Left as it is",
    "undo": "Filling taken back",
}


def filled(name: str, reading: Reading, proposal: Proposal) -> str:
    """What was filled from which document, each value with where it stands on the page. One paragraph a line."""
    lines = [f"Vouch filled this from {_clip(name)}."]
    for term, label in LABELS.items():
        found = reading.get(term)
        if found is None:
            continue
        where = _place(found.evidence[0]) if found.evidence else "no place on the page"
        lines.append(f"{label}: {_plain(found.value)} ({where}, {_percent(found.confidence)} sure)")
    if proposal.lines:
        lines.append(f"Lines: {len(proposal.lines)}")
    lines += [f"VAT set to {scalar_as_json(vat.value)}: {vat.reason}" for vat in proposal.vat.values()]
    return _joined(lines, MOST_LINE)


def left_to_person(name: str, reasons: Sequence[str]) -> str:
    """Why a person is asked, for the record's history."""
    first = f"Vouch read {_clip(name)} and leaves it to you:"
    return _joined([first, *(f"• {reason}" for reason in reasons)], MOST_REASON)


def settled(name: str, verdict: str, told: Sequence[str], reason: str = "") -> str:
    """What a person decided, for the record's history: what they changed, and why."""
    lines = [f"{VERDICTS[verdict]} by {name} in Vouch."]
    lines += [f"• {one}" for one in told]
    return _joined([*lines, *([f"Reason: {reason}"] if reason else [])], MOST_REASON)


def question(name: str, text: str, review_url: str, user_id: int | None) -> Activity:
    """The to-do that asks whoever is responsible for the record."""
    body = f"{text}\nSee the page and the values: {review_url}"
    return Activity(summary=f"Question from {name}: {_clip(text)}", note=body, user_id=user_id)


def to_do(reasons: Sequence[str], review_url: str, user_id: int | None) -> Activity:
    """The activity that asks a person: the first reason as its title, all of them and the address below."""
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    told = [*(f"• {reason}" for reason in reasons), f"See the page and the values: {review_url}"]
    body = _joined(told, MOST_REASON)
    return Activity(summary=f"Check this document: {_clip(reasons[0])}{more}", note=body, user_id=user_id)


def _place(evidence: Evidence) -> str:
    if evidence.page is None:
        return "the document's own data"
    return f"page {evidence.page}: “{_clip(evidence.text or '')}”"


def _percent(confidence: float) -> str:
    # Rounded down: nothing is 100 % sure because of rounding.
    return f"{int(confidence * 100)} %"


def _plain(value: str | date | Decimal) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _joined(lines: Sequence[str], most: int) -> str:
    """One paragraph a line: nothing that a document says begins one of its own."""
    return "\n".join(one_line(line, most) for line in lines)


def _clip(words: str, length: int = 90) -> str:
    return one_line(words, length)
