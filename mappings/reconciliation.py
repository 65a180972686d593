"""What Odoo will compute against what the document prints, where a difference comes from, and the VAT that mends it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

from inference.invoice import Check, as_decimal
from mappings.case import Case, failed, money, not_applicable, number, passed
from mappings.early import printed_discount, taken_off
from mappings.erp_data import PaymentTerm, Tax
from mappings.lines import DraftLine
from mappings.printed_vat import printed_vat
from mappings.proposal import ProposedValue, Totals
from mappings.totals import (
    HUNDRED,
    ZERO,
    EarlyDiscount,
    PricedLine,
    effective_rate,
    predict,
    round_amount,
    unpredictable,
)

PER_LINE, GLOBALLY = "round_per_line", "round_globally"
_METHODS = {PER_LINE: "line by line", GLOBALLY: "once per rate"}


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The totals that Odoo will show, whether the document prints the same, and the VAT to set for it, by tax group.

    `printed` are the document's totals with its rounding among what is untaxed, as Odoo has it.
    """

    predicted: Totals | None
    check: Check
    printed: Totals | None = None
    vat: Mapping[int, ProposedValue] = field(default_factory=dict[int, ProposedValue])


@dataclass(frozen=True, slots=True)
class _Sides:
    """What a document prints and what Odoo will compute, and the lines it computes from."""

    case: Case
    figures: tuple[PricedLine, ...]
    printed: Totals
    predicted: Totals
    remedy: str
    early: EarlyDiscount | None = None
    booked: tuple[str, ...] = ()

    @property
    def rounding(self) -> Decimal:
        return self.case.currency.rounding

    def foretold(self, method: str, early: EarlyDiscount | None) -> Totals:
        """What Odoo would compute if it rounded so, with that discount."""
        return predict(self.figures, self.rounding, method, early)

    @property
    def excess(self) -> Decimal:
        """By how much Odoo's VAT is over the document's."""
        return (self.predicted.tax or ZERO) - (self.printed.tax or ZERO)

    def equals(self, totals: Totals) -> bool:
        """Whether the document prints these totals, as far as it prints any."""
        return _same(self.printed, totals)


def reckon(
    case: Case,
    lines: Sequence[DraftLine],
    term: PaymentTerm | None = None,
    booked: tuple[str, ...] = (),
) -> Reckoning:
    """What Odoo will compute from the lines, and whether the document prints the same; if not, why.

    `term` is the payment term that the bill will have, `booked` what each line is booked on: VAT may depend on both.
    Where the difference lies in how VAT is rounded, and Odoo takes VAT as printed, that is set.
    """
    if not lines:
        return Reckoning(None, not_applicable("totals", "There are no lines to add up."))
    figures = tuple(line.figures for line in lines)
    if odd := unpredictable(figures):
        text = f"Odoo computes the tax {odd.name} by a formula of its own, so its total cannot be foretold."
        return Reckoning(None, failed("totals", text))
    early = taken_off(term, booked)
    if early and case.company.tax_rounding == GLOBALLY and any(x.price_include for x in _taxes(figures)):
        text = "prices contain VAT, and its payment term lowers VAT for early payment, which Odoo rounds in its own way."
        return Reckoning(None, failed("totals", f"The total cannot be foretold: {text}"))
    predicted = predict(figures, case.currency.rounding, case.company.tax_rounding, early)
    paper = case.paper
    if paper is None:
        return Reckoning(predicted, not_applicable("totals", "The document's total could not be read."))
    # A rounding line counts as untaxed in Odoo; the document prints it apart.
    rounded = sum(line.figures.raw for line in lines if line.name.value == "Rounding" and not line.tax.taxes)
    untaxed = None if paper.untaxed is None else paper.untaxed + rounded
    printed = Totals(untaxed, paper.tax, paper.total)
    sides = _Sides(case, figures, printed, predicted, _remedy(printed, predicted), early, booked)
    if sides.equals(predicted):
        text = f"Odoo will compute {money(predicted.total)}, as the document prints."
        return Reckoning(predicted, passed("totals", text), printed)
    said = f"Odoo would compute {_sum(predicted)}, the document says {_sum(paper)}."
    if not early and (vat := printed_vat(case, figures, printed, predicted)):
        mended = replace(sides, remedy=f"the VAT is set to {money(printed.tax or ZERO)}, as printed")
        if why := next(_roundings(mended), ""):
            return Reckoning(printed, passed("totals", f"{said} {why}"), printed, vat)
    why = next(_causes(sides, term), "Nothing on the document explains the difference.")
    return Reckoning(predicted, failed("totals", f"{said} {why}"), printed)


def _causes(sides: _Sides, term: PaymentTerm | None) -> Iterator[str]:
    """The explanations that give the difference to the cent, the likeliest first."""
    yield from _early_payment(sides, term)
    yield from _roundings(sides)
    yield from _net(sides)


def _roundings(sides: _Sides) -> Iterator[str]:
    """Those that lie in how VAT is reckoned."""
    yield from _method(sides)
    yield from _cut(sides)
    yield from _own_arithmetic(sides)


def _early_payment(sides: _Sides, term: PaymentTerm | None) -> Iterator[str]:
    """VAT less a discount for early payment on one side only."""
    method = sides.case.company.tax_rounding
    if sides.early and term:
        if sides.equals(sides.foretold(method, None)):
            percent = number(sides.early.percent)
            yield f"The payment term {term.name} takes {percent} % off what VAT is charged on, the document does not."
        return
    granted = printed_discount(sides.case)
    if granted and sides.equals(sides.foretold(method, EarlyDiscount(granted.percent, sides.booked))):
        percent = number(granted.percent)
        yield (
            f"Its VAT is less {percent} % for early payment: choose a payment term that takes it off at once "
            "(early discount, reduced tax: always)."
        )


def _method(sides: _Sides) -> Iterator[str]:
    ours = sides.case.company.tax_rounding
    theirs = PER_LINE if ours == GLOBALLY else GLOBALLY
    if sides.equals(sides.foretold(theirs, sides.early)):
        yield f"It rounds VAT {_METHODS[theirs]}, this company {_METHODS.get(ours, ours)}: {sides.remedy}."


def _cut(sides: _Sides) -> Iterator[str]:
    """VAT cut off after the cent, not rounded."""
    included = any(tax.price_include for tax in _taxes(sides.figures))
    if sides.predicted.untaxed != sides.printed.untaxed or included or sides.early:
        return
    cut = sum((_down(amount, sides.rounding) for amount in _vat_by_rate(sides).values()), ZERO)
    if sides.printed.tax == cut:
        yield f"It cuts VAT off after the cent where Odoo rounds: {sides.remedy}."


def _own_arithmetic(sides: _Sides) -> Iterator[str]:
    """A row of the breakdown whose VAT is not its rate of its amount accounts for the whole difference."""
    if sides.predicted.untaxed != sides.printed.untaxed:
        return
    for row in sides.case.reading.vat_breakdown:
        rate, base, vat = (as_decimal(row.get(name)) for name in ("vat_rate", "taxable_amount", "vat_amount"))
        if rate is None or base is None or vat is None:
            continue
        right = round_amount(base * rate / HUNDRED, sides.rounding)
        if vat != right and (right - vat) * sides.case.sign == sides.excess:
            text = (
                f"Its VAT of {money(vat)} is not {number(rate)} % of {money(base)}, which is {money(right)}"
            )
            yield f"{text}: {sides.remedy}."


def _net(sides: _Sides) -> Iterator[str]:
    untaxed, printed = sides.predicted.untaxed, sides.printed.untaxed
    if untaxed is None or printed is None or untaxed == printed:
        return
    more = "less" if untaxed < printed else "more"
    yield f"Its lines add up to {money(abs(printed - untaxed))} {more} than its amount without VAT."


def _remedy(printed: Totals, predicted: Totals) -> str:
    """What a person does in Odoo, where only the VAT differs."""
    if printed.tax is None or predicted.untaxed != printed.untaxed:
        return "compare the lines"
    return f"set the VAT to {money(printed.tax)} on the bill in Odoo"


def _taxes(figures: Iterable[PricedLine]) -> list[Tax]:
    return [tax for line in figures for tax in line.taxes]


def _vat_by_rate(sides: _Sides) -> dict[Decimal, Decimal]:
    found: defaultdict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for line in sides.figures:
        rate = effective_rate(line.taxes) or ZERO
        found[rate] += line.raw * rate / HUNDRED
    return dict(found)


def _down(amount: Decimal, rounding: Decimal) -> Decimal:
    return (amount / rounding).quantize(Decimal(1), ROUND_DOWN) * rounding


def _same(printed: Totals, totals: Totals) -> bool:
    pairs = zip(
        (printed.untaxed, printed.tax, printed.total),
        (totals.untaxed, totals.tax, totals.total),
        strict=True,
    )
    return all(one is None or one == other for one, other in pairs)


def _sum(totals: Totals) -> str:
    if totals.untaxed is None or totals.tax is None:
        return money(totals.total)
    return f"{money(totals.untaxed)} + {money(totals.tax)} VAT = {money(totals.total)}"
