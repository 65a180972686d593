"""The VAT that a document prints, per tax group, where Odoo's own rounding makes a few cents more or less of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from inference.invoice import Field, as_decimal
from mappings.case import BILL, Case, money, term
from mappings.erp_data import Tax
from mappings.proposal import ProposedValue, Totals
from mappings.totals import ZERO, PricedLine, effective_rate, tax_amounts


def printed_vat(
    case: Case, lines: Sequence[PricedLine], printed: Totals, predicted: Totals
) -> dict[int, ProposedValue]:
    """The VAT to set, by tax group, so that Odoo shows what is printed; none where that is not plain.

    Only VAT may differ, by less than a unit a line; every line bears one ordinary tax or none, each tax is alone in its
    group and in its rate, and the document prints the VAT of each rate, with a place on the page.
    """
    if not case.index.data.corrects_vat or case.record.model != BILL or printed.tax is None:
        return {}
    if printed.untaxed != predicted.untaxed or printed.total != (printed.untaxed or ZERO) + printed.tax:
        return {}
    taxes = _plain_taxes(lines)
    found = _by_rate(case, taxes)
    if sum((amount for amount, *_ in found.values()), ZERO) != printed.tax or found.keys() != taxes.keys():
        return {}
    ours = tax_amounts(lines, case.currency.rounding, case.company.tax_rounding)
    values: dict[int, ProposedValue] = {}
    for rate, tax in taxes.items():
        amount, sure, terms = found[rate]
        apart = abs(amount - ours.get(tax.id, ZERO))
        if apart > _most(case, lines, tax):
            return {}
        if apart:
            reason = f"VAT of {tax.name} as printed; Odoo would compute {money(ours.get(tax.id, ZERO))}."
            values[tax.group_id] = ProposedValue(amount, sure, reason, terms)
    return values


def _plain_taxes(lines: Iterable[PricedLine]) -> dict[Decimal, Tax]:
    """The lines' taxes by rate, where each is a percentage on top, alone on its line, in its group and in its rate."""
    taxes = {tax.id: tax for line in lines for tax in line.taxes}
    alone = all(len(line.taxes) <= 1 for line in lines)
    ordinary = all(
        tax.amount_type == "percent" and not tax.price_include and not tax.reverse_charge
        for tax in taxes.values()
    )
    found = {rate: tax for tax in taxes.values() if (rate := effective_rate([tax])) is not None and rate}
    groups = {tax.group_id for tax in taxes.values()} - {0}
    return found if alone and ordinary and len(taxes) == len(groups) == len(found) else {}


def _by_rate(case: Case, taxes: dict[Decimal, Tax]) -> dict[Decimal, tuple[Decimal, float, tuple[str, ...]]]:
    """The VAT printed for each rate, how sure, and where."""
    found: dict[Decimal, tuple[Decimal, float, tuple[str, ...]]] = {}
    for position, row in enumerate(case.reading.vat_breakdown):
        rate, vat = as_decimal(row.get("vat_rate")), row.get("vat_amount")
        amount = as_decimal(vat)
        if rate is None or vat is None or amount is None or not _has_proof(vat):
            return {}
        if not rate and not amount:
            continue
        before, sure, terms = found.get(rate, (ZERO, 1.0, ()))
        place = term("vat_breakdown", position, "vat_amount")
        found[rate] = (before + amount * case.sign, min(sure, vat.confidence), (*terms, place))
    total = case.reading.get("total_vat")
    amount = case.amount("total_vat")
    if not found and len(taxes) == 1 and total and amount is not None and _has_proof(total):
        [rate] = taxes
        return {rate: (amount, total.confidence, ("total_vat",))}
    return found


def _has_proof(field: Field) -> bool:
    return bool(field.evidence)


def _most(case: Case, lines: Sequence[PricedLine], tax: Tax) -> Decimal:
    """How far rounding can be apart: half a unit a line, one at least."""
    count = sum(tax in line.taxes for line in lines)
    return case.currency.rounding * max(1, (count + 1) // 2)
