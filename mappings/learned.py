"""What Memory says on a Case, as far as the ERP still has it: vendors, accounts, products and taxes chosen before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from inference.invoice import as_text
from mappings.case import Case, confidence, number, term
from mappings.erp_data import Partner, Tax
from mappings.memory import DESCRIPTION, RATE, VENDOR_TERMS, Kind, Remembered, Subject, subject
from mappings.proposal import ProposedValue

TAX_ONCE = 0.65
"""Below what is filled where the sums agree: two taxes of one rate make the same sums."""


def learned_vendors(case: Case) -> Iterator[tuple[Partner, str, Remembered]]:
    """Per vendor the surest thing that Memory says of what is printed, and its term.

    One thing only: the words of one document were learned together, so they are not several proofs.
    """
    best: dict[int, tuple[Partner, str, Remembered]] = {}
    for name in VENDOR_TERMS:
        printed = case.reading.text(name)
        found = case.memory.recall(subject(Kind.VENDOR, name, printed)) if printed else None
        partner = case.index.partners.get(found.value[0]) if found else None
        if found is None or partner is None:
            continue
        known = best.get(partner.id)
        if known is None or found.confidence > known[2].confidence:
            best[partner.id] = (partner, name, found)
    yield from best.values()


def knows_tax_id(case: Case, partner: Partner) -> bool:
    """Whether Memory is sure that the tax id printed is another one of that vendor."""
    printed = case.reading.text("seller_vat_id")
    found = case.memory.recall(subject(Kind.VENDOR, "seller_vat_id", printed)) if printed else None
    return found is not None and found.is_sure and found.value == (partner.id,)


def learned_account(case: Case, vendor: Partner | None, description: str) -> ProposedValue | None:
    """The account that a person chose for this description of the vendor, or for one very much like it."""
    found = case.memory.recall_similar(_of_line(case, Kind.ACCOUNT, vendor, description))
    if found is None or not case.usable_account(found[0].value[0]):
        return None
    remembered, similarity = found
    return ProposedValue(remembered.value[0], remembered.confidence * similarity, f"{remembered.sentence}.")


def learned_product(case: Case, vendor: Partner | None, position: int) -> ProposedValue | None:
    """The product that a person chose for this very description of the vendor."""
    row = case.reading.lines[position]
    description = as_text(row.get(DESCRIPTION)) or ""
    found = case.memory.recall(_of_line(case, Kind.PRODUCT, vendor, description))
    if found is None or found.value[0] not in case.index.products:
        return None
    sure = min(found.confidence, confidence([row.get(DESCRIPTION)]))
    return ProposedValue(found.value[0], sure, f"{found.sentence}.", (term("lines", position, DESCRIPTION),))


def learned_taxes(
    case: Case, vendor: Partner | None, percent: Decimal, gross: bool
) -> tuple[Sequence[Tax], float, str] | None:
    """The taxes that a person chose for this rate of the vendor, how sure, and why."""
    found = case.memory.recall(_of_line(case, Kind.TAX, vendor, number(percent), RATE))
    usable = {tax.id: tax for tax in case.usable_taxes if tax.price_include == gross}
    if found is None or not set(found.value) <= usable.keys():
        return None
    sure = found.confidence if found.times > 1 or found.set_by else min(found.confidence, TAX_ONCE)
    return [usable[tax_id] for tax_id in found.value], sure, f"{found.sentence}."


def prefer(learned: ProposedValue | None, other: ProposedValue | None) -> ProposedValue | None:
    """What a person chose, before what the ERP's data suggest; surer where both say the same."""
    if learned is None or other is None:
        return learned or other
    if learned.value == other.value and other.confidence > learned.confidence:
        return replace(other, reason=f"{other.reason} {learned.reason}")
    return learned


def _of_line(
    case: Case, kind: Kind, vendor: Partner | None, printed: str, name: str = DESCRIPTION
) -> Subject | None:
    return subject(kind, name, printed, vendor.id, case.company.id) if vendor else None
