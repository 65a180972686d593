"""A person's work stays: only what is still empty is written, the rest is compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from inference.invoice import Check
from mappings.case import Case, failed
from mappings.erp_data import Scalar
from mappings.field_map import Entry
from mappings.folding import alnum, reference_keys
from mappings.proposal import ProposedValue

REFERENCES = frozenset({"invoice_number", "payment_reference", "order_number"})
"""Terms that are the same however they are spelt."""


def still_empty(
    case: Case, table: str, wanted: Mapping[str, ProposedValue]
) -> tuple[dict[str, ProposedValue], list[Check]]:
    """The header values to write, and a Check for each that somebody set to something else."""
    kept: dict[str, ProposedValue] = {}
    checks: list[Check] = []
    for entry in case.fields.of(table):
        value = wanted.get(entry.field)
        if value is None:
            continue
        present = case.record.values.get(entry.field)
        if _is_empty(case, entry, present):
            kept[entry.field] = value
        elif not _agrees(case, entry, present, value.value):
            checks.append(failed(f"kept_{entry.field}", _disagreement(case, entry, present, value.value)))
    return kept, checks


def _is_empty(case: Case, entry: Entry, present: Scalar) -> bool:
    """Whether nobody has set the value: Odoo's own defaults count as empty.

    A vendor that is ourselves or one of our people is whoever forwarded the mail. The currency is a default while it
    is the journal's or the company's. A due date is Odoo's while it is not after the bill's date or the day of the
    record's last change: Odoo puts the day of creation there. A payment term comes with the vendor, a promised date
    from lead times.
    """
    if present in (None, "", False, ()):
        return True
    match entry.source if entry.is_rule else "":
        case "payment_term" | "promised_date":
            return True
        case "vendor":
            return present in case.index.own
        case "currency":
            return present == case.default_currency.id
        case "due_date" if isinstance(present, date):
            bill_date = case.fields.field_of("bill", "bill_date") or ""
            issued, changed = case.record.values.get(bill_date), _day(case.record.write_date)
            # Times are UTC: where the accountants are it may be the next day already.
            days = [issued, changed + timedelta(days=1) if changed else None]
            return any(isinstance(day, date) and present <= day for day in days)
        case _:
            return False


def _day(timestamp: str) -> date | None:
    try:
        return date.fromisoformat(timestamp[:10])
    except ValueError:
        return None


def _agrees(case: Case, entry: Entry, present: Scalar, wanted: Scalar) -> bool:
    if entry.is_rule and entry.source == "vendor" and isinstance(present, int) and isinstance(wanted, int):
        return case.index.commercial(present) == case.index.commercial(wanted)
    if not entry.is_rule and entry.source in REFERENCES:
        return bool(reference_keys(str(present)) & reference_keys(str(wanted)))
    if isinstance(present, str) and isinstance(wanted, str):
        return alnum(present) == alnum(wanted)
    return present == wanted


def _disagreement(case: Case, entry: Entry, present: Scalar, wanted: Scalar) -> str:
    def shown(value: Scalar) -> str:
        rule = entry.source if entry.is_rule else ""
        if rule == "vendor" and isinstance(value, int):
            return case.index.partner_name(value)
        if rule == "currency" and isinstance(value, int) and value in case.index.currencies:
            return case.index.currencies[value].name
        if entry.relation and isinstance(value, int):
            return case.index.related_name(entry.relation, entry.match, value)
        return str(value)

    label = entry.label or entry.field
    return f"The {label} in Odoo is {shown(present)}, the document says {shown(wanted)}."
