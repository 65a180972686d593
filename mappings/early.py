"""Discounts for early payment: what the document grants, which payment term says so, and what one takes off VAT."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from inference.invoice import Check, Field
from mappings.case import Case, confirmed, failed, not_applicable, number, passed
from mappings.erp_data import Partner, PaymentTerm
from mappings.proposal import ProposedValue
from mappings.totals import EarlyDiscount

MIXED = "mixed"
"""Odoo's word for a discount that lowers what VAT is charged on, whether it is taken or not."""

MOST_PERCENT = 20

_DAY = r"(?:kalender)?(?:tage?n?|days?|jours|dagen|giorni|d[ií]as|dage|dagar|dni|dn[íů]|天|日)"
_PERCENT = re.compile(r"(\d{1,2}(?:[.,]\d{1,2})?)\s*%")
_DAYS = re.compile(rf"(\d{{1,3}})\s*{_DAY}(?![^\W\d_])", re.IGNORECASE)
_NET = re.compile(
    rf"\d{{1,3}}\s*{_DAY}\s*(?:rein\s*)?nett?[oi]?\b|\bnett?[oi]?\s*\d{{1,3}}(?:\s*{_DAY})?", re.IGNORECASE
)
_SHORT = re.compile(r"(\d{1,2}(?:[.,]\d{1,2})?)\s*%?\s*/\s*(\d{1,3})\b[^%]{0,12}\bnet", re.IGNORECASE)
# XRechnung (KoSIT), BT-20: `#SKONTO#TAGE=7#PROZENT=2.00#`.
_CODED = re.compile(r"#SKONTO#TAGE=(\d+)#PROZENT=(\d+\.\d+)#", re.IGNORECASE)
_GRANTS = re.compile(
    r"skonto|abzug|abz[üu]g|discount|deduct|escompte|korting|rabat|sconto|descuento|desconto|slev|折扣|\d\s*/\s*\d+\D{0,12}\bnet",
    re.IGNORECASE,
)
_INTEREST = re.compile(
    r"zins|interest|int[ée]r[êe]t|p[ée]nalit|rente|interess|mora|late|versp[äa]t", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class PrintedDiscount:
    """A discount of `percent` for payment within `days` of the document's date, as its payment terms say."""

    percent: Decimal
    days: int
    proof: Field

    def __str__(self) -> str:
        return f"{number(self.percent)} % within {self.days} days"

    def is_that_of(self, term: PaymentTerm | None) -> bool:
        """Whether the payment term grants the same."""
        return term is not None and (term.discount, term.discount_days) == (self.percent, self.days)


def printed_discount(case: Case) -> PrintedDiscount | None:
    """The one discount that the payment terms grant; None where they grant none, several, or speak of interest."""
    field, text = case.reading.get("payment_terms"), case.reading.text("payment_terms") or ""
    found = _granted(text)
    if field is None or found is None:
        return None
    percent, days = Decimal(found[0].replace(",", ".")), int(found[1])
    return PrintedDiscount(percent, days, field) if 0 < percent < MOST_PERCENT else None


def _granted(text: str) -> tuple[str, str] | None:
    """Percent and days, as printed."""
    if coded := _CODED.findall(text):
        return (coded[0][1], coded[0][0]) if len(coded) == 1 else None
    if not _GRANTS.search(text) or _INTEREST.search(text):
        return None
    if short := _SHORT.search(text):
        return short[1], short[2]
    percents, days = _PERCENT.findall(text), _DAYS.findall(_NET.sub(" ", text))
    # A discount ends before the whole amount is due.
    return (percents[0], min(days, key=int)) if len(percents) == 1 and days else None


def propose_term(case: Case, vendor: Partner | None) -> tuple[ProposedValue | None, list[Check]]:
    """The payment term that grants what the document does, where the vendor's own does not; and how they compare."""
    printed = printed_discount(case)
    own = case.index.terms.get(vendor.payment_term_id or 0) if vendor else None
    if printed is None:
        return None, []
    if own and printed.is_that_of(own):
        text = f"The document grants {printed}, as the vendor's payment term {own.name} does."
        return None, [passed("early_discount", text)]
    fitting = [
        term for term in case.index.terms.values() if printed.is_that_of(term) and _due_alike(case, term)
    ]
    if len(fitting) == 1:
        [term] = fitting
        reason = f"The document grants {printed}, as the payment term {term.name} does."
        value = ProposedValue(term.id, confirmed(printed.proof.confidence), reason, ("payment_terms",))
        return value, [passed("early_discount", reason)]
    if own and own.discount:
        theirs = f"{number(own.discount)} % within {own.discount_days} days"
        text = f"The vendor's payment term {own.name} grants {theirs}, the document {printed}."
        return None, [failed("early_discount", text)]
    text = f"The document grants {printed}; no payment term in Odoo does, so it is not shown when the bill is paid."
    return None, [not_applicable("early_discount", text)]


def _due_alike(case: Case, term: PaymentTerm) -> bool:
    issued, due = case.reading.day("issue_date"), case.reading.day("due_date")
    if issued is None or due is None or term.days is None:
        return term.days is not None
    return issued + timedelta(days=term.days) == due


def term_after(case: Case, values: Mapping[str, ProposedValue], vendor: Partner | None) -> PaymentTerm | None:
    """The payment term that the bill has once `values` are written: Odoo gives a bill its new vendor's."""
    field, partner = (case.fields.field_of("bill", rule) or "" for rule in ("payment_term", "vendor"))
    if field in values:
        chosen = values[field].value
    elif partner in values:
        chosen = vendor.payment_term_id if vendor else None
    else:
        chosen = case.record.values.get(field)
    return case.index.terms.get(chosen) if isinstance(chosen, int) else None


def taken_off(term: PaymentTerm | None, booked: tuple[str, ...]) -> EarlyDiscount | None:
    """What the payment term takes off VAT at once; None where it takes nothing."""
    if term is None or term.discount_mode != MIXED or not term.discount:
        return None
    return EarlyDiscount(term.discount, booked)


def booked_on(case: Case, lines: Sequence[Mapping[str, ProposedValue]]) -> tuple[str, ...]:
    """What each line is booked on: account and analytic distribution."""
    names = [case.fields.field_of("bill_line", rule) or "" for rule in ("account", "analytic")]
    return tuple(str([str(line[name].value) for name in names if name in line]) for line in lines)
