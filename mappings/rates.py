"""Which VAT rate each line bears where the document prints rates only in its summary."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import product

from inference.invoice import as_decimal
from mappings.case import Case
from mappings.taxes import Rate, line_rate
from mappings.totals import ZERO

MOST_TRIES = 20_000
DEDUCED_CONFIDENCE = 0.92


def rates_by_line(case: Case, rates: list[Rate]) -> list[Rate | None]:
    """The rate of each line: printed on it, the document's only one, or the only split that fits the summary."""
    found = [line_rate(case, position, rates) for position in range(len(case.reading.lines))]
    unknown = [position for position, rate in enumerate(found) if rate is None]
    if not unknown or len(rates) != len(case.reading.vat_breakdown) or len(rates) < 2:
        return found
    for position, rate in zip(unknown, _only_split(case, rates, found, unknown), strict=False):
        found[position] = rate
    return found


def _only_split(
    case: Case, rates: Sequence[Rate], found: Sequence[Rate | None], unknown: Sequence[int]
) -> list[Rate]:
    """The one way to give the unknown lines rates so that every taxable amount comes out; else nothing."""
    bases = [as_decimal(row.get("taxable_amount")) for row in case.reading.vat_breakdown]
    amounts = [as_decimal(line.get("line_net_amount")) for line in case.reading.lines]
    if len(rates) ** len(unknown) > MOST_TRIES:
        return []
    open_amounts: list[Decimal] = []
    for rate, base in zip(rates, bases, strict=True):
        if base is None or any(amount is None for amount in amounts):
            return []
        known = [a for a, f in zip(amounts, found, strict=True) if f and a and f.percent == rate.percent]
        open_amounts.append(base - sum(known, ZERO))
    splits: list[tuple[int, ...]] = []
    for split in product(range(len(rates)), repeat=len(unknown)):
        sums = [ZERO] * len(rates)
        for position, chosen in zip(unknown, split, strict=True):
            sums[chosen] += amounts[position] or ZERO
        if sums == open_amounts:
            splits.append(split)
            if len(splits) > 1:
                return []
    return [_deduced(rates[chosen]) for chosen in splits[0]] if splits else []


def _deduced(rate: Rate) -> Rate:
    return Rate(rate.percent, min(rate.confidence, DEDUCED_CONFIDENCE), rate.category, rate.terms)
