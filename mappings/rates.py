"""Which VAT rates a document bears, and which of them each line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product

from inference.invoice import Field, Row, as_decimal, as_text
from mappings.case import Case, confidence, term
from mappings.erp_data import Partner
from mappings.totals import HUNDRED, ZERO, effective_rate

# UNTDID 5305: categories that charge nothing.
UNTAXED = frozenset({"Z", "E", "AE", "K", "G", "O"})
MOST_TRIES = 20_000
# Deduced, not printed: a mixture of rates could make the same sums.
DEDUCED_CONFIDENCE = 0.92
BY_HABIT_CONFIDENCE, BY_SUM_CONFIDENCE = 0.92, 0.80


@dataclass(frozen=True, slots=True)
class Rate:
    """A VAT rate in percent, how sure it is, and where it comes from.

    `base` is the taxable amount in Odoo's sign and `base_field`, `base_term` its Field, where the document's VAT
    breakdown has it. `category` is a code of UNTDID 5305, `reason` why no VAT is charged, as printed.
    """

    percent: Decimal
    confidence: float
    category: str
    terms: tuple[str, ...]
    base: Decimal | None = None
    base_field: Field | None = None
    base_term: str = ""
    reason: str = ""


def document_rates(case: Case, vendor: Partner | None) -> list[Rate]:
    """The rates of the VAT breakdown; without one, the rate that the totals prove, if exactly one does."""
    found: list[Rate] = []
    for position, row in enumerate(case.reading.vat_breakdown):
        rate, base = _row_rate(row, "vat_breakdown", position), as_decimal(row.get("taxable_amount"))
        if rate is None or base == 0:
            continue  # a row of zeros is printed by rote
        if base is not None:
            path = term("vat_breakdown", position, "taxable_amount")
            rate = replace(rate, base=base * case.sign, base_field=row.get("taxable_amount"), base_term=path)
        rate = replace(rate, reason=as_text(row.get("exemption_reason")) or "")
        found.append(rate)
    return found or _proved_by_totals(case) or _no_vat_at_all(case, vendor)


def _proved_by_totals(case: Case) -> list[Rate]:
    paper = case.paper
    if paper is None or paper.tax is None or not paper.untaxed:
        return []
    terms = tuple(t for t in ("total_without_vat", "total_vat", "total_with_vat") if case.reading.get(t))
    sure = confidence(case.reading.get(name) for name in terms)
    if paper.tax == 0:
        return [Rate(ZERO, sure, "", terms)]
    rates = {
        rate
        for tax in case.usable_taxes
        if (rate := effective_rate([tax])) and _makes(paper.untaxed, rate, paper.tax, case.currency.rounding)
    }
    return [Rate(rate, min(sure, DEDUCED_CONFIDENCE), "", terms) for rate in rates] if len(rates) == 1 else []


def _makes(base: Decimal, rate: Decimal, vat: Decimal, rounding: Decimal) -> bool:
    return abs(base * rate / HUNDRED - vat) <= rounding


def _no_vat_at_all(case: Case, vendor: Partner | None) -> list[Rate]:
    """Only a total is printed and the lines add up to it: no VAT on top. Sure only where the vendor never has any."""
    paper = case.paper
    amounts = [as_decimal(row.get("line_net_amount")) for _, row in case.reading.counted_lines]
    if paper is None or paper.tax is not None or not amounts or None in amounts:
        return []
    if sum((amount for amount in amounts if amount), ZERO) * case.sign != paper.total:
        return []
    history = case.index.history(vendor.id, case.company.id) if vendor else []
    used = {case.index.taxes[i].amount for line in history for i in line.tax_ids if i in case.index.taxes}
    usual = BY_HABIT_CONFIDENCE if history and used <= {ZERO} else BY_SUM_CONFIDENCE
    sure = min(usual, confidence([case.reading.get("total_with_vat")]))
    return [Rate(ZERO, sure, "", ("total_with_vat",))]


def rates_by_line(case: Case, rates: Sequence[Rate]) -> list[Rate | None]:
    """The rate of each line: printed on it, the document's only one, or the only split that fits the breakdown."""
    found = [_line_rate(row, position, rates) for position, row in enumerate(case.reading.lines)]
    unknown = [position for position, _ in case.reading.counted_lines if found[position] is None]
    if len(rates) < 2 or not unknown:
        return found
    for position, rate in zip(unknown, _only_split(case, rates, found, unknown), strict=False):
        found[position] = rate
    return found


def _line_rate(row: Row, position: int, rates: Sequence[Rate]) -> Rate | None:
    own = _row_rate(row, "lines", position)
    if own:
        return _with_category(own, rates)
    different = {(rate.percent, rate.category) for rate in rates}
    return rates[0] if len(different) == 1 else None


def _with_category(own: Rate, rates: Sequence[Rate]) -> Rate:
    """What the breakdown says of a line's rate, where the line itself prints only the rate."""
    same = [rate for rate in rates if rate.percent == own.percent and rate.category]
    if own.category or len({rate.category for rate in same}) != 1:
        return own
    told = same[0]
    sure = min(own.confidence, told.confidence)
    return replace(own, category=told.category, reason=told.reason, confidence=sure)


def _row_rate(row: Row, collection: str, position: int) -> Rate | None:
    percent, category = as_decimal(row.get("vat_rate")), as_text(row.get("vat_category")) or ""
    if percent is not None:
        return Rate(percent, row["vat_rate"].confidence, category, (term(collection, position, "vat_rate"),))
    if category in UNTAXED:
        found = row["vat_category"]
        return Rate(ZERO, found.confidence, category, (term(collection, position, "vat_category"),))
    return None


def _only_split(
    case: Case, rates: Sequence[Rate], found: Sequence[Rate | None], unknown: Sequence[int]
) -> list[Rate]:
    """The one way to give the unknown lines rates so that every taxable amount comes out; else nothing."""
    printed = {
        position: as_decimal(line.get("line_net_amount")) for position, line in case.reading.counted_lines
    }
    amounts = {position: amount * case.sign for position, amount in printed.items() if amount is not None}
    bases = [rate.base for rate in rates if rate.base is not None]
    if len(amounts) < len(printed) or len(bases) < len(rates) or len(rates) ** len(unknown) > MOST_TRIES:
        return []
    open_amounts = [
        base - sum((a for at, a in amounts.items() if (f := found[at]) and f.percent == rate.percent), ZERO)
        for rate, base in zip(rates, bases, strict=True)
    ]
    fitting: list[tuple[int, ...]] = []
    for split in product(range(len(rates)), repeat=len(unknown)):
        sums = [ZERO] * len(rates)
        for position, chosen in zip(unknown, split, strict=True):
            sums[chosen] += amounts[position]
        if sums == open_amounts:
            fitting.append(split)
            if len(fitting) > 1:
                return []
    deduced = [replace(rate, confidence=min(rate.confidence, DEDUCED_CONFIDENCE)) for rate in rates]
    return [deduced[chosen] for chosen in fitting[0]] if fitting else []
