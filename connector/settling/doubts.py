"""Which values of a form a person must look at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from connector.settling.form import TOTALS, Cell, Form
from inference.invoice import Check, Status
from mappings.policy import PROOF, PROVED, SUGGESTED, SUGGESTION, spoken_of

ASKED = (
    "document_type",
    "one_bill",
    "duplicate",
    "buyer_is_company",
    "vendor_is_not_us",
    "vendor_look_alike",
    "bank_account_known",
    "totals",
    "order_total",
    "filled_amount_untaxed",
    "filled_amount_tax",
    "filled_amount_total",
)
"""The Checks that are always asked of the whole document, the gravest first."""

_LINE = re.compile(r"\bLine (\d+)\b", re.IGNORECASE)


def mark_doubts(form: Form, checks: Sequence[Check], sure: float, *, proved: bool) -> tuple[Check, ...]:
    """Mark what is not sure enough, is missing, or a failed Check names; not what a person put there or accepted.

    Gives the failed Checks that no value of the form answers for.
    """
    failed = [check for check in checks if check.status is Status.FAIL]
    about = {check: frozenset(_targets(check, form)) for check in failed}
    named = frozenset[str]().union(*about.values())
    there = {cell.target for cell in form.cells()}
    for cell in form.cells():
        missing = cell.required and cell.value in (None, "", [])
        if cell.accepted and (not missing or cell.name in TOTALS):
            continue
        if cell.edited:
            cell.doubtful = missing
            continue
        unsure = cell.value is not None and cell.confidence < _needed(cell, sure, proved=proved)
        cell.doubtful = missing or unsure or cell.target in named or _lacks_amount(cell)
    return tuple(check for check in failed if not about[check] & there)


def _lacks_amount(cell: Cell) -> bool:
    return cell.target.startswith("lines.") and cell.name == "price_unit" and cell.value is None


def _needed(cell: Cell, sure: float, *, proved: bool) -> float:
    """As sure as the policy wants it of a bill that is filled without a person."""
    if not cell.target.startswith("lines."):
        return sure
    if cell.name in SUGGESTED:
        return min(SUGGESTION, sure)
    return min(PROOF, sure) if proved and cell.name in PROVED else sure


def _targets(check: Check, form: Form) -> Iterable[str]:
    """The values that a failed Check is about; what is asked of the whole document is not asked of a value again."""
    match check.id:
        case name if name in ASKED:
            return ()
        case "amount_due":
            return ("total_with_vat",)
        case "tax_known" | "vat_by_rate":
            return [line.cells["tax_ids"].target for line in form.lines if not line.cells["tax_ids"].value]
        case "line_amount":
            keys = {f"l{number}" for number in _LINE.findall(check.message)}
            return [line.cells["price_unit"].target for line in form.lines if line.key in keys]
        case name if name.startswith("filled_lines"):
            return TOTALS[-1:]
        case name if name.startswith(("filled_", "missing_", "related_")):
            return (name.split("_", 1)[1],)
        case _:
            return [name for name in spoken_of(check) if name != "*"]
