"""The purchase tax for a rate printed on the document."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mappings.case import Case, number
from mappings.erp_data import Partner, Tax
from mappings.learned import learned_taxes
from mappings.rates import Rate

# UNTDID 5305: the buyer owes the VAT (reverse charge, intra-community supply).
BUYER_OWES = frozenset({"AE", "K"})


@dataclass(frozen=True, slots=True)
class TaxChoice:
    """The taxes for a line. `problem` says why none could be chosen; `taxes` is empty then, or where none is due."""

    taxes: tuple[Tax, ...]
    confidence: float
    reason: str
    terms: tuple[str, ...] = ()
    problem: str = ""


def choose_tax(case: Case, rate: Rate | None, vendor: Partner | None, gross: bool = False) -> TaxChoice:
    """The tax of that rate: the vendor's usual one, the only one, else the company's usual one.

    `gross` asks for taxes that are included in the price.
    """
    if rate is None:
        return TaxChoice((), 0.0, "", problem="The VAT rate could not be read.")
    said = f"{number(rate.percent)} % VAT"
    if learned := learned_taxes(case, vendor, rate.percent, gross):
        taxes, sure, reason = learned
        return TaxChoice(tuple(taxes), min(rate.confidence, sure), f"{said}. {reason}", rate.terms)
    fitting = _fitting(case, rate, vendor, gross)
    if not fitting:
        if rate.percent == 0 and not gross:
            return TaxChoice((), rate.confidence, "No VAT is charged.", rate.terms)
        kind = " included in the price" if gross else ""
        problem = f"Odoo has no purchase tax of {number(rate.percent)} %{kind}."
        return TaxChoice((), 0.0, said, rate.terms, problem)
    habit = _habit(case, vendor, fitting, rate)
    if habit is not None:
        name = habit[0].name if habit else "none"
        return TaxChoice(habit, rate.confidence, f"{said}: {name}, as on earlier bills.", rate.terms)
    if len(fitting) == 1:
        chosen = fitting[0]
        return TaxChoice((chosen,), rate.confidence, f"{said}: {chosen.name}.", rate.terms)
    return _company_habit(case, rate, fitting, said)


def _fitting(case: Case, rate: Rate, vendor: Partner | None, gross: bool) -> list[Tax]:
    """The taxes of that rate, only the company's own country's where it has some (others are for registrations abroad).

    A bill without VAT may mean that the buyer owes it: where it says so, or comes from abroad.
    """
    abroad = vendor is not None and vendor.country not in ("", case.company.country)
    buyer_owes = rate.percent == 0 and (rate.category in BUYER_OWES or abroad)
    found = [
        tax
        for tax in case.usable_taxes
        if (buyer_owes if tax.reverse_charge else tax.amount == rate.percent) and tax.price_include == gross
    ]
    return [tax for tax in found if tax.country in ("", case.company.country)] or found


def _habit(case: Case, vendor: Partner | None, fitting: list[Tax], rate: Rate) -> tuple[Tax, ...] | None:
    """What the vendor's earlier lines of that rate bore: one tax, or none where no VAT is charged; None: no habit."""
    if vendor is None:
        return None
    known: dict[tuple[int, ...], tuple[Tax, ...]] = {(tax.id,): (tax,) for tax in fitting}
    if rate.percent == 0:
        known[()] = ()
    lines = case.index.history(vendor.id, case.company.id)
    used = Counter(line.tax_ids for line in lines if line.tax_ids in known)
    return known[used.most_common(1)[0][0]] if used else None


def _company_habit(case: Case, rate: Rate, fitting: list[Tax], said: str) -> TaxChoice:
    names = ", ".join(tax.name for tax in fitting[:4])
    if rate.percent == 0:
        problem = f"No VAT is charged, and several taxes could apply: {names}."
        return TaxChoice((), 0.0, said, rate.terms, problem)
    used = {tax.id: case.index.company_taxes[case.company.id, tax.id] for tax in fitting}
    chosen = max(fitting, key=lambda tax: (used[tax.id], -tax.sequence, -tax.id))
    share = used[chosen.id] / max(1, sum(used.values()))
    sure = min(rate.confidence, 0.95 if share >= 0.9 else 0.6)
    return TaxChoice((chosen,), sure, f"{said}: {chosen.name} is the usual one of {names}.", rate.terms)
