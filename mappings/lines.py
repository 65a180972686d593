"""The lines to add to a bill or an order: the printed ones, or one per VAT rate where none could be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inference.invoice import Check, Row, as_decimal, as_text
from mappings.accounts import choose_account
from mappings.analytic import choose_analytic
from mappings.case import Case, confidence, confirmed, failed, number, shortened, term
from mappings.descriptions import cleaned
from mappings.erp_data import Partner
from mappings.folding import alnum, most_similar, plain
from mappings.pairing import BoughtLine, order_places
from mappings.prices import PRICE_DIGITS, Price, price_line
from mappings.printed import placed
from mappings.products import find_product
from mappings.proposal import ProposedValue
from mappings.purchases import Purchase
from mappings.rates import Rate, document_rates, rates_by_line
from mappings.taxes import TaxChoice, choose_tax
from mappings.totals import HUNDRED, ZERO, PricedLine, effective_rate, round_amount, round_digits

NET, GROSS = "line_net_amount", "line_total_with_vat"
SUMMARY_CONFIDENCE = 0.55
SAME_TEXT = 0.96


@dataclass(slots=True)
class DraftLine:
    """A line on its way: ERP values by name, and the figures its amounts follow from."""

    name: ProposedValue
    price: Price
    tax: TaxChoice
    product: ProposedValue | None = None
    position: int | None = None

    @property
    def figures(self) -> PricedLine:
        """What Odoo computes from, with the taxes."""
        line = self.price.line
        return PricedLine(line.quantity, line.price_unit, line.discount, self.tax.taxes)

    @property
    def terms(self) -> tuple[str, ...]:
        """The paths of the Fields behind the figures."""
        if self.position is None:
            return self.price.names
        return tuple(term("lines", self.position, name) for name in self.price.names)


@dataclass(frozen=True, slots=True)
class DraftLines:
    """All lines of a record, with the Checks found on the way."""

    lines: tuple[DraftLine, ...]
    checks: tuple[Check, ...]

    def bought(self, case: Case) -> list[BoughtLine]:
        """The printed lines, as orders are compared with them."""
        places = order_places(case.reading)
        return [
            BoughtLine(
                line.position,
                str(line.name.value),
                _id(line.product),
                line.figures,
                alnum(as_text(case.reading.lines[line.position].get("item_seller_id")) or ""),
                places.get(line.position, 0),
            )
            for line in self.lines
            if line.position is not None
        ]


def draft_lines(case: Case, vendor: Partner | None) -> DraftLines:
    """The document's lines, its charges and rounding, so that they add up to what it prints."""
    rates = document_rates(case, vendor)
    amount_name = _amount_name(case)
    if amount_name == GROSS or not case.reading.counted_lines:
        printed, checks = _printed_lines(case, vendor, rates, amount_name, gross=True)
        if not printed or any(line.tax.problem for line in printed):
            summary = _summary_lines(case, vendor, rates)
            printed, checks = (summary, []) if summary else (printed, checks)
    else:
        printed, checks = _printed_lines(case, vendor, rates, amount_name, gross=False)
        printed += _charges(case, vendor, rates, printed)
    printed += _rounding(case)
    checks += _tax_checks(printed)
    if not printed:
        checks.append(failed("lines_read", "Neither lines nor totals by VAT rate could be read."))
    return DraftLines(tuple(printed), tuple(checks))


def _amount_name(case: Case) -> str:
    """Whether the lines print amounts without VAT (`line_net_amount`) or with it (`line_total_with_vat`)."""
    rows, paper = [row for _, row in case.reading.counted_lines], case.paper
    if all(NET not in row for row in rows) and any(GROSS in row for row in rows):
        return GROSS
    amounts = [as_decimal(row.get(NET)) for row in rows]
    total = sum((amount for amount in amounts if amount), ZERO) * case.sign
    if paper and paper.tax and total == paper.total and total != paper.untaxed:
        return GROSS
    return NET


def _printed_lines(
    case: Case, vendor: Partner | None, rates: list[Rate], amount_name: str, *, gross: bool
) -> tuple[list[DraftLine], list[Check]]:
    found: list[DraftLine] = []
    checks: list[Check] = []
    line_rates = rates_by_line(case, rates)
    for position, row in case.reading.counted_lines:
        name = GROSS if amount_name == GROSS and GROSS in row else NET
        price = price_line(row, name, case.sign, case.currency.rounding, case.index.precision)
        if price is None:
            continue
        product = find_product(case, position, vendor)
        label = _known_name(case, _name(case, position, row), product, vendor)
        if price.problem:
            checks.append(
                failed("line_amount", f"Line {position + 1}, {shortened(str(label.value))}: {price.problem}")
            )
        item = case.index.products.get(_id(product) or 0)
        tax = choose_tax(case, line_rates[position], vendor, gross, item)
        found.append(DraftLine(label, price, tax, product, position))
    return found, checks


def _name(case: Case, position: int, row: Row) -> ProposedValue:
    for name in ("item_name", "item_seller_id"):
        if text := cleaned(as_text(row.get(name)) or ""):
            return ProposedValue(text, row[name].confidence, "As printed.", (term("lines", position, name),))
    label = case.reading.text("invoice_number") or "document"
    return ProposedValue(f"{label}, line {position + 1}", 0.5, "The line's description could not be read.")


def _known_name(
    case: Case, name: ProposedValue, product: ProposedValue | None, vendor: Partner | None
) -> ProposedValue:
    """The description, surer where the product or an earlier line of the vendor is called the same."""
    item = case.index.products.get(_id(product) or 0)
    known = [item.name, *(code.product_name for code in item.vendor_codes)] if item else []
    texts = [plain(text) for text in known]
    texts += case.index.history_texts(vendor.id, case.company.id) if vendor else []
    if not most_similar(str(name.value), texts, SAME_TEXT):
        return name
    return replace(name, confidence=confirmed(name.confidence), reason="As printed, and known from before.")


def _summary_lines(case: Case, vendor: Partner | None, rates: list[Rate]) -> list[DraftLine]:
    """One line per VAT rate from the breakdown, or one from the totals where there is one rate only."""
    label = case.reading.text("invoice_number") or "Document"
    bases = [(rate, rate.base_field, rate.base_term) for rate in rates]
    if not all(base for _, base, _ in bases) and len({rate.percent for rate in rates}) == 1:
        bases = [(rates[0], case.reading.get("total_without_vat"), "total_without_vat")]
    found: list[DraftLine] = []
    for rate, base, path in bases:
        amount = as_decimal(base)
        if base is None or amount is None:
            return []
        sure = min(SUMMARY_CONFIDENCE, base.confidence)
        why = "One line for this VAT rate: the document's own lines could not be used."
        price = Price(PricedLine(Decimal(1), amount * case.sign), (path,), sure, why)
        name = ProposedValue(f"{label}, {number(rate.percent)} % VAT", sure, why, (path,))
        found.append(DraftLine(name, price, choose_tax(case, rate, vendor)))
    return found


def _charges(
    case: Case, vendor: Partner | None, rates: list[Rate], printed: Sequence[DraftLine]
) -> list[DraftLine]:
    """Allowances and charges on document level as own lines, where they explain what the lines leave open."""
    terms = tuple(name for name in ("discount_total", "charge_total") if case.reading.get(name))
    paper = case.paper
    if not terms or paper is None or paper.untaxed is None:
        return []
    discount, charge = abs(case.amount("discount_total") or ZERO), abs(case.amount("charge_total") or ZERO)
    open_amount = paper.untaxed - _net_sum(case, printed)
    if open_amount == 0 or open_amount != charge - discount:
        return []  # in the lines already, or not the reason: the totals tell
    sure = confidence(case.reading.get(name) for name in terms)
    if len({rate.percent for rate in rates}) == 1:
        parts = [("Discount", -discount, rates[0], terms), ("Charges", charge, rates[0], terms)]
    else:
        parts = [
            ("Charges" if amount > 0 else "Discount", amount, rate, (*terms, path))
            for rate, amount, path in _open_by_rate(case, rates, printed)
        ]
    return [
        _extra_line(name, amount, choose_tax(case, rate, vendor), sure, proof)
        for name, amount, rate, proof in parts
        if amount
    ]


def _open_by_rate(
    case: Case, rates: list[Rate], printed: Sequence[DraftLine]
) -> Iterable[tuple[Rate, Decimal, str]]:
    """What the lines of each rate lack of the breakdown's taxable amount."""
    for rate in rates:
        if rate.base is not None:
            same = [line for line in printed if effective_rate(line.tax.taxes) == rate.percent]
            yield rate, rate.base - _net_sum(case, same), rate.base_term


def _rounding(case: Case) -> list[DraftLine]:
    """A line for a rounding that the printed total contains."""
    amount, paper = case.amount("rounding_amount"), case.paper
    if not amount or paper is None or paper.untaxed is None or paper.tax is None:
        return []
    if paper.untaxed + paper.tax + amount != paper.total:
        return []
    sure = confidence([case.reading.get("rounding_amount")])
    untaxed = TaxChoice((), sure, "A rounding bears no VAT.", ("rounding_amount",))
    return [_extra_line("Rounding", amount, untaxed, sure, ("rounding_amount",))]


def _extra_line(name: str, amount: Decimal, tax: TaxChoice, sure: float, terms: tuple[str, ...]) -> DraftLine:
    price = Price(PricedLine(Decimal(1), amount), terms, sure, "From the document's totals.")
    return DraftLine(ProposedValue(name, sure, "On document level.", terms), price, tax)


def fitted(case: Case, draft: DraftLines) -> DraftLines:
    """The lines with prices such that Odoo's sum over all of them is the sum of the amounts printed.

    Odoo, where it rounds globally, adds up amounts that are not rounded yet; a document adds up whole cents. Where
    that makes a difference, the price of each line that is no whole amount moves by less than half a cent a line.
    """
    paper, precision = case.paper, case.index.precision
    whole = _net_sum(case, draft.lines)
    exact = sum((line.figures.raw for line in draft.lines), ZERO)
    rounded = round_amount(exact, case.currency.rounding)
    if paper is None or paper.untaxed != whole or rounded == whole or precision.price is not None:
        return draft
    return DraftLines(tuple(_whole(case, line) for line in draft.lines), draft.checks)


def _whole(case: Case, line: DraftLine) -> DraftLine:
    figures = line.price.line
    amount = round_amount(figures.raw, case.currency.rounding)
    share = figures.quantity * (1 - figures.discount / HUNDRED)
    if amount == figures.raw or not share:
        return line
    price = round_digits(amount / share, PRICE_DIGITS)
    reason = f"{line.price.reason} Its {number(figures.price_unit)} as {price}, so that the lines add up in Odoo too."
    moved = PricedLine(figures.quantity, price, figures.discount)
    return replace(line, price=replace(line.price, line=moved, reason=reason))


def _net_sum(case: Case, lines: Iterable[DraftLine]) -> Decimal:
    return sum((round_amount(line.figures.raw, case.currency.rounding) for line in lines), ZERO)


def _tax_checks(lines: Iterable[DraftLine]) -> list[Check]:
    problems = {line.tax.problem for line in lines if line.tax.problem}
    return [failed("tax_known", problem) for problem in sorted(problems)]


def bill_values(
    case: Case, draft: DraftLines, purchase: Purchase, vendor: Partner | None
) -> tuple[tuple[dict[str, ProposedValue], ...], list[Check]]:
    """The lines by the field names on `account.move.line`, and what the mapping could not place."""
    found = [
        placed(case, "bill_line", _bill_line(case, line, purchase, vendor), line.position)
        for line in draft.lines
    ]
    return tuple(values for values, _ in found), [check for _, checks in found for check in checks]


def _bill_line(
    case: Case, line: DraftLine, purchase: Purchase, vendor: Partner | None
) -> dict[str, ProposedValue | None]:
    link, product = None, line.product
    if line.position is not None and line.position in purchase.links:
        link, ordered = purchase.links[line.position], purchase.lines[line.position]
        if product is None and ordered.product_id:
            product = ProposedValue(ordered.product_id, link.confidence, "The product of the order's line.")
    taxes = tuple(tax.id for tax in line.tax.taxes)
    account = choose_account(case, str(line.name.value), _id(product), vendor, taxes)
    found = chosen_figures(line) | {"order_line": link, "product": product, "account": account}
    return found | {"analytic": choose_analytic(case, str(line.name.value), _id(account), vendor)}


def chosen_figures(line: DraftLine) -> dict[str, ProposedValue | None]:
    """Description, quantity, price, discount and taxes by rule, each with the Fields behind it."""
    price, tax = line.price, line.tax

    def figure(value: Decimal) -> ProposedValue:
        return ProposedValue(value, price.confidence, price.reason, line.terms)

    ids = tuple(chosen.id for chosen in tax.taxes)
    return {
        "description": line.name,
        "quantity": figure(price.line.quantity),
        "price": figure(price.line.price_unit),
        "discount": figure(price.line.discount) if price.line.discount else None,
        "taxes": ProposedValue(ids, tax.confidence, tax.problem or tax.reason, tax.terms),
    }


def _id(value: ProposedValue | None) -> int | None:
    return value.value if value and isinstance(value.value, int) else None
