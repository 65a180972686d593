"""The purchase tax for a rate printed on the document."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from inference.invoice import Row, as_decimal, as_text
from mappings.case import Case, number, term
from mappings.erp_data import Partner, Tax

REVERSE_CHARGE = "AE"
# UNTDID 5305: categories that charge nothing.
UNTAXED = frozenset({"Z", "E", "AE", "K", "G", "O"})


@dataclass(frozen=True, slots=True)
class Rate:
    """A VAT rate in percent, how sure it is, and where it comes from."""

    percent: Decimal
    confidence: float
    category: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaxChoice:
    """The taxes for a line. `problem` says why none could be chosen; `taxes` is empty then, or where none is due."""

    taxes: tuple[Tax, ...]
    confidence: float
    reason: str
    terms: tuple[str, ...] = ()
    problem: str = ""


def document_rates(case: Case) -> list[Rate]:
    """The rates of the VAT breakdown; without one, the rate that the totals prove, if exactly one does."""
    found: list[Rate] = []
    for position, row in enumerate(case.reading.vat_breakdown):
        if rate := _row_rate(row, "vat_breakdown", position):
            found.append(rate)
    if found:
        return found
    paper = case.paper
    if paper is None or paper.untaxed is None or paper.tax is None or not paper.untaxed:
        return []
    terms = tuple(t for t in ("total_without_vat", "total_vat", "total_with_vat") if case.reading.get(t))
    sure = min(case.reading.fields[t].confidence for t in terms)
    if paper.tax == 0:
        return [Rate(Decimal(0), sure, "", terms)]
    cent = case.currency.rounding
    proved = {
        tax.amount
        for tax in usable_taxes(case)
        if tax.amount and abs(paper.untaxed * tax.amount / 100 - paper.tax) <= cent
    }
    # One rate on the whole document fits; a mixture of two could make the same sum, so it is not quite sure.
    return [Rate(rate, min(sure, 0.95), "", terms) for rate in proved] if len(proved) == 1 else []


def line_rate(case: Case, position: int, rates: list[Rate]) -> Rate | None:
    """The rate printed on a line, else the only one of the document, else None."""
    own = _row_rate(case.reading.lines[position], "lines", position)
    if own:
        return own
    different = {(rate.percent, rate.category) for rate in rates}
    return rates[0] if len(different) == 1 else None


def _row_rate(row: Row, collection: str, position: int) -> Rate | None:
    percent, category = as_decimal(row.get("vat_rate")), as_text(row.get("vat_category")) or ""
    if percent is not None:
        return Rate(percent, row["vat_rate"].confidence, category, (term(collection, position, "vat_rate"),))
    if category in UNTAXED:
        found = row["vat_category"]
        return Rate(Decimal(0), found.confidence, category, (term(collection, position, "vat_category"),))
    return None


def usable_taxes(case: Case) -> list[Tax]:
    """The active percentage taxes of the record's company."""
    return [
        tax
        for tax in case.index.data.taxes
        if tax.active and tax.amount_type == "percent" and case.within_company(tax.company_id)
    ]


def choose_tax(case: Case, rate: Rate | None, vendor: Partner | None, gross: bool = False) -> TaxChoice:
    """The tax of that rate: the vendor's usual one, the only one, else the company's usual one.

    `gross` asks for taxes that are included in the price.
    """
    if rate is None:
        return TaxChoice((), 0.0, "", problem="The VAT rate could not be read.")
    said = f"{number(rate.percent)} % VAT"
    fitting = [t for t in usable_taxes(case) if _fits(t, rate) and t.price_include == gross]
    if not fitting:
        if rate.percent == 0 and not gross:
            return TaxChoice((), rate.confidence, "No VAT is charged.", rate.terms)
        kind = " included in the price" if gross else ""
        problem = f"Odoo has no purchase tax of {number(rate.percent)} %{kind}."
        return TaxChoice((), 0.0, said, rate.terms, problem)
    habit = _habit(case, vendor, fitting)
    if habit:
        return TaxChoice((habit,), rate.confidence, f"{said}: {habit.name}, as on earlier bills.", rate.terms)
    if len(fitting) == 1:
        chosen = fitting[0]
        return TaxChoice((chosen,), rate.confidence, f"{said}: {chosen.name}.", rate.terms)
    return _company_habit(case, rate, fitting, said)


def _fits(tax: Tax, rate: Rate) -> bool:
    if rate.category == REVERSE_CHARGE and tax.reverse_charge:
        return True
    return tax.amount == rate.percent and not tax.reverse_charge


def _habit(case: Case, vendor: Partner | None, fitting: list[Tax]) -> Tax | None:
    if vendor is None:
        return None
    ids = {tax.id: tax for tax in fitting}
    used = Counter(
        tax_id
        for line in case.index.history(vendor.id, case.company.id)
        for tax_id in line.tax_ids
        if tax_id in ids and len(line.tax_ids) == 1
    )
    return ids[used.most_common(1)[0][0]] if used else None


def _company_habit(case: Case, rate: Rate, fitting: list[Tax], said: str) -> TaxChoice:
    names = ", ".join(tax.name for tax in fitting[:4])
    if rate.percent == 0:
        problem = f"Several taxes of 0 % could apply: {names}."
        return TaxChoice((), 0.0, said, rate.terms, problem)
    used = {tax.id: case.index.company_taxes[case.company.id, tax.id] for tax in fitting}
    chosen = max(fitting, key=lambda tax: (used[tax.id], -tax.sequence, -tax.id))
    share = used[chosen.id] / max(1, sum(used.values()))
    sure = min(rate.confidence, 0.95 if share >= 0.9 else 0.6)
    return TaxChoice((chosen,), sure, f"{said}: {chosen.name} is the usual one of {names}.", rate.terms)
