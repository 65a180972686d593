"""Printed lines joined to one line per tax, for vendors whose bills are booked so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from mappings.case import Case, shortened
from mappings.erp_data import Partner
from mappings.line_styles import FEWEST_LINES, LineStyle, is_per_tax
from mappings.lines import DraftLine, DraftLines
from mappings.prices import Price
from mappings.proposal import ProposedValue
from mappings.totals import ZERO, PricedLine, round_amount

LONGEST_NAME = 120


def joined(case: Case, draft: DraftLines, vendor: Partner | None, *, ordered: bool) -> DraftLines:
    """The lines as they are, or one per tax where the owner wants it or the vendor's posted bills are so.

    Lines whose figures or taxes are in doubt stay, so that a person sees which; so do a few.
    """
    style = case.line_styles.of(vendor)
    history = case.index.history(vendor.id, case.company.id) if vendor else []
    doubtful = any(line.price.problem or line.tax.problem for line in draft.lines)
    if doubtful or not is_per_tax(style, history, ordered=ordered):
        return draft
    groups: defaultdict[tuple[int, ...], list[DraftLine]] = defaultdict(list)
    for line in draft.lines:
        groups[tuple(tax.id for tax in line.tax.taxes)].append(line)
    if len(draft.lines) == len(groups) or (style is LineStyle.AUTO and len(draft.lines) < FEWEST_LINES):
        return draft
    why = "as set for this vendor" if style is not LineStyle.AUTO else "as the vendor's last bills are booked"
    return DraftLines(tuple(_one(case, lines, why) for lines in groups.values()), draft.checks)


def _one(case: Case, lines: Sequence[DraftLine], why: str) -> DraftLine:
    if len(lines) == 1:
        return lines[0]
    rounding = case.currency.rounding
    amount = sum((round_amount(line.figures.raw, rounding) for line in lines), ZERO)
    terms = tuple(dict.fromkeys(term for line in lines for term in line.terms))
    reason = f"The sum of {len(lines)} printed lines, one line per tax {why}."
    price = Price(PricedLine(Decimal(1), amount), terms, min(line.price.confidence for line in lines), reason)
    words = ", ".join(dict.fromkeys(str(line.name.value) for line in lines))
    sure = min(line.name.confidence for line in lines)
    said = tuple(dict.fromkeys(term for line in lines for term in line.name.terms))
    name = ProposedValue(
        shortened(words, LONGEST_NAME), sure, f"The {len(lines)} printed lines together.", said
    )
    least = min((line.tax for line in lines), key=lambda tax: tax.confidence)
    return DraftLine(name, price, least)
