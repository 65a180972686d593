"""The purchase taxes for a rate printed on the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mappings.case import Case, number, shortened
from mappings.erp_data import Partner, Product, Tax
from mappings.fiscal import EU, fiscal_position, taxing_country
from mappings.learned import learned_taxes
from mappings.rates import Rate
from mappings.totals import effective_rate, flat

INTRA_COMMUNITY, OUT_OF_SCOPE = "K", "O"
# UNTDID 5305: the buyer owes the VAT (reverse charge, intra-community supply).
BUYER_OWES = frozenset({"AE", INTRA_COMMUNITY})
# UNTDID 5305: supplies that another country's law frees, so that the buyer may owe import VAT.
EXPORTED = "G"
UNSURE = 0.6
USUAL = 0.95

Taxes = tuple[Tax, ...]


@dataclass(frozen=True, slots=True)
class TaxChoice:
    """The taxes for a line. `problem` says why none could be chosen; `taxes` is empty then, or where none is due."""

    taxes: Taxes
    confidence: float
    reason: str
    terms: tuple[str, ...] = ()
    problem: str = ""


def choose_tax(
    case: Case,
    rate: Rate | None,
    vendor: Partner | None,
    gross: bool = False,
    product: Product | None = None,
) -> TaxChoice:
    """The taxes of that rate: the vendor's usual ones, the product's, the only ones, else the company's usual ones.

    `gross` asks for taxes that are included in the price. What the rate alone leaves open, the fiscal position, the
    country that taxes and the kind of product narrow; what stays open is unsure, or a problem.
    """
    if rate is None:
        return TaxChoice((), 0.0, "", problem="The VAT rate could not be read.")
    said = f"{number(rate.percent)} % VAT"
    if problem := _contradiction(case, rate, vendor):
        return TaxChoice((), 0.0, said, rate.terms, problem)
    if learned := learned_taxes(case, vendor, rate.percent, gross):
        taxes, sure, reason = learned
        return TaxChoice(tuple(taxes), min(rate.confidence, sure), f"{said}. {reason}", rate.terms)
    fitting = _fitting(case, rate, vendor, gross)
    habit = _habit(case, vendor, fitting, rate)
    if habit is not None:
        name = _names(habit) or "none"
        return TaxChoice(habit, rate.confidence, f"{said}: {name}, as on earlier bills.", rate.terms)
    if rate.percent == 0:
        return _without_vat(case, rate, vendor, fitting, gross)
    if not fitting:
        return TaxChoice((), 0.0, said, rate.terms, _missing(case, rate, gross))
    return _narrowed(case, rate, vendor, fitting, product)


def _contradiction(case: Case, rate: Rate, vendor: Partner | None) -> str:
    """A wording that cannot be true between this vendor and this company."""
    if rate.category != INTRA_COMMUNITY or vendor is None or not vendor.country:
        return ""
    if vendor.country == case.company.country or vendor.country not in EU:
        where = "as we are" if vendor.country == case.company.country else "outside the European Union"
        return f"The document speaks of an intra-community supply{_quoted(rate)}, but {vendor.name} is in {vendor.country}, {where}."
    return ""


def _quoted(rate: Rate) -> str:
    return f" (“{shortened(rate.reason)}”)" if rate.reason else ""


def _fitting(case: Case, rate: Rate, vendor: Partner | None, gross: bool) -> list[Taxes]:
    """The taxes of that rate, only the taxing country's where there are some (others are for registrations abroad).

    A bill without VAT may mean that the buyer owes it: where it says so, or comes from abroad.
    """
    abroad = vendor is not None and vendor.country not in ("", case.company.country)
    silent = rate.category in ("", EXPORTED)
    buyer_owes = rate.percent == 0 and (rate.category in BUYER_OWES or (abroad and silent))
    found = [
        tax
        for tax in case.usable_taxes
        if (buyer_owes if _is_reverse(tax) else effective_rate([tax]) == rate.percent)
        and _inside_price(tax) == gross
    ]
    here = case.company.country
    home = [tax for tax in found if tax.country in ("", here)]
    levied = [tax for tax in found if tax.country == taxing_country(case, vendor) != here]
    return [(tax,) for tax in levied or home or found]


def _is_reverse(tax: Tax) -> bool:
    return any(part.reverse_charge for part in flat([tax]))


def _inside_price(tax: Tax) -> bool:
    return any(part.price_include for part in flat([tax]))


def _habit(case: Case, vendor: Partner | None, fitting: Sequence[Taxes], rate: Rate) -> Taxes | None:
    """What the vendor's earlier lines of that rate bore; empty: no tax at all; None: no habit."""
    if vendor is None:
        return None
    known: dict[tuple[int, ...], Taxes] = {tuple(tax.id for tax in one): one for one in fitting}
    if rate.percent == 0:
        known[()] = ()
    lines = case.index.history(vendor.id, case.company.id)
    used = Counter(line.tax_ids for line in lines)
    for ids in used:
        if len(ids) > 1 and ids not in known and (several := _several(case, ids, rate)):
            known[ids] = several
    fitted = [(ids, count) for ids, count in used.most_common() if ids in known]
    return known[fitted[0][0]] if fitted else None


def _several(case: Case, ids: Sequence[int], rate: Rate) -> Taxes:
    """Taxes that together make the rate, such as a federal and a provincial one; none where they do not."""
    usable = {tax.id: tax for tax in case.usable_taxes}
    taxes = tuple(usable[one] for one in ids if one in usable)
    return taxes if len(taxes) == len(ids) and effective_rate(taxes) == rate.percent else ()


def _missing(case: Case, rate: Rate, gross: bool) -> str:
    said = number(rate.percent)
    kind = " included in the price" if gross else ""
    other = [
        tax
        for tax in case.usable_taxes
        if effective_rate([tax]) == rate.percent and not _is_reverse(tax) and _inside_price(tax) != gross
    ]
    if other:
        how = "on top of the price" if gross else "included in the price"
        return f"Odoo's purchase tax of {said} %, {other[0].name}, is {how}, and the document prints prices the other way."
    return f"Odoo has no purchase tax of {said} %{kind}."


def _without_vat(
    case: Case, rate: Rate, vendor: Partner | None, fitting: Sequence[Taxes], gross: bool
) -> TaxChoice:
    """No VAT on the document: nothing, the one tax of zero percent, or a person says why none is charged."""
    said = f"{number(rate.percent)} % VAT"
    if rate.category in BUYER_OWES and not gross:
        return _owed(case, rate, vendor, [one for one in fitting if any(map(_is_reverse, one))])
    if rate.category == OUT_OF_SCOPE or not fitting:
        return TaxChoice((), rate.confidence, f"No VAT is charged{_quoted(rate)}.", rate.terms)
    if len(fitting) == 1:
        return TaxChoice(fitting[0], rate.confidence, f"{said}: {_names(fitting[0])}.", rate.terms)
    problem = f"No VAT is charged{_quoted(rate)}, and several taxes could apply: {_list(fitting)}."
    return TaxChoice((), 0.0, said, rate.terms, problem)


def _owed(case: Case, rate: Rate, vendor: Partner | None, reverse: list[Taxes]) -> TaxChoice:
    """The tax by which the company declares the VAT that it owes itself; the document does not print its rate."""
    why = f"We owe the VAT{_quoted(rate)}"
    if not reverse:
        problem = f"{why}, and Odoo has no purchase tax with reverse charge in use."
        return TaxChoice((), 0.0, why, rate.terms, problem)
    # A supply of goods within the union is what the vendor's fiscal position is made for; services may have another.
    left = _of_position(case, vendor, reverse) if rate.category == INTRA_COMMUNITY else reverse
    if len(left) == 1:
        return TaxChoice(left[0], rate.confidence, f"{why}: {_names(left[0])}.", rate.terms)
    default = case.index.taxes.get(case.company.purchase_tax_id or 0)
    usual = [one for one in left if default and [tax.amount for tax in one] == [default.amount]]
    if len(usual) == 1:
        reason = f"{why}: {_names(usual[0])} has the usual rate, of {_list(left)}."
        return TaxChoice(usual[0], min(rate.confidence, UNSURE), reason, rate.terms)
    return TaxChoice((), 0.0, why, rate.terms, f"{why}, and several taxes could apply: {_list(left)}.")


def _narrowed(
    case: Case, rate: Rate, vendor: Partner | None, fitting: list[Taxes], product: Product | None
) -> TaxChoice:
    said = f"{number(rate.percent)} % VAT"
    own = [one for one in fitting if product and all(tax.id in product.supplier_tax_ids for tax in one)]
    if product and len(own) == 1:
        sure = min(rate.confidence, USUAL) if len(fitting) > 1 else rate.confidence
        reason = f"{said}: {_names(own[0])}, the purchase tax of {product.name}."
        return _from_abroad(case, vendor, TaxChoice(own[0], sure, reason, rate.terms))
    left = _of_kind(_of_position(case, vendor, fitting), product)
    if len(left) == 1:
        reason = f"{said}: {_names(left[0])}."
        return _from_abroad(case, vendor, TaxChoice(left[0], rate.confidence, reason, rate.terms))
    return _from_abroad(case, vendor, _company_habit(case, rate, left))


def _of_position(case: Case, vendor: Partner | None, fitting: list[Taxes]) -> list[Taxes]:
    """Those of the vendor's fiscal position, else those of none; all where neither is there."""
    position = fiscal_position(case, vendor)
    if position is None:
        return fitting
    its = [one for one in fitting if any(position.id in tax.fiscal_position_ids for tax in one)]
    free = [one for one in fitting if not any(tax.fiscal_position_ids for tax in one)]
    return its or free or fitting


def _of_kind(fitting: list[Taxes], product: Product | None) -> list[Taxes]:
    """Those for goods or for services, where the product tells which."""
    if product is None or not product.kind:
        return fitting
    return [one for one in fitting if all(tax.scope in ("", product.kind) for tax in one)] or fitting


def _company_habit(case: Case, rate: Rate, fitting: list[Taxes]) -> TaxChoice:
    said, default = f"{number(rate.percent)} % VAT", case.company.purchase_tax_id
    used = {one: sum(case.index.company_taxes[case.company.id, tax.id] for tax in one) for one in fitting}
    chosen = max(fitting, key=lambda one: (used[one], one[0].id == default, -one[0].sequence, -one[0].id))
    share = used[chosen] / max(1, sum(used.values()))
    sure = min(rate.confidence, USUAL if share >= 0.9 else UNSURE)
    reason = f"{said}: {_names(chosen)} is the usual one of {_list(fitting)}."
    return TaxChoice(chosen, sure, reason, rate.terms)


def _from_abroad(case: Case, vendor: Partner | None, choice: TaxChoice) -> TaxChoice:
    """VAT that another country's law charges is no input tax here, whatever its rate; nothing earlier says it is."""
    country, here = taxing_country(case, vendor), case.company.country
    if not country or country == here or not any(_is_domestic(case, vendor, tax) for tax in choice.taxes):
        return choice
    doubt = f"{choice.reason.rstrip('.')}; but the VAT may be {country}'s, which is not deductible here."
    return TaxChoice(choice.taxes, min(choice.confidence, UNSURE), doubt, choice.terms)


def _is_domestic(case: Case, vendor: Partner | None, tax: Tax) -> bool:
    """Whether the tax is the one for purchases at home; a tax kept for rates of other countries is not."""
    if tax.country not in ("", case.company.country):
        return False
    position = fiscal_position(case, vendor)
    others = tax.fiscal_position_ids and (position is None or position.id not in tax.fiscal_position_ids)
    used = (case.company.id, tax.id) in case.index.domestic_taxes
    return bool(others) or used or tax.id == case.company.purchase_tax_id


def _names(taxes: Iterable[Tax]) -> str:
    return " + ".join(tax.name for tax in taxes)


def _list(several: Sequence[Taxes]) -> str:
    names = [_names(one) for one in several]
    return ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
