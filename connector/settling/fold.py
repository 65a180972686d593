"""A Proposal with a person's edits in it: proposed anew where they must, and theirs in the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector.settling.doubts import mark_doubts
from connector.settling.edits import Accept, AddLine, Answer, Edit, RemoveLine, SetValue
from connector.settling.form import ORDERED, TERMS, TOTALS, Form, Line, build, empty_line, figure
from inference.checks import run_checks
from inference.invoice import HEADER, Box, Check, Evidence, Field, Reading, Status, value_from_json
from mappings.case import money
from mappings.proposal import Totals, scalar_as_json
from mappings.totals import PricedLine, predict, unpredictable

if TYPE_CHECKING:
    from mappings.erp_data import Record
    from mappings.field_map import FieldMap
    from mappings.index import ErpIndex
    from mappings.proposal import Proposal

Node = Mapping[str, Any]
Propose = Callable[[Reading, int | None], "Proposal"]
"""Proposes anew from a corrected Reading and, where a person chose one, the vendor's id."""

AGAIN = frozenset({"partner_id", "ref", "invoice_date", "invoice_date_due", "currency_id", ORDERED, *TOTALS})
"""What other values follow from."""

BY_HAND = "by hand"
LINE_CHECKS = frozenset(
    {"line_amount", "lines_read", "tax_known", "filled_lines", "lines_sum", "line_arithmetic"}
)
FIGURES = frozenset({"quantity", "product_qty", "price_unit", "discount", "tax_ids"})


@dataclass(frozen=True, slots=True)
class Ground:
    """What a form stands on: the last Proposal (`as_json`) with its Reading, the record as it was read, and the ERP's
    data where it is at hand."""

    model: str
    body: Node
    reading: Reading | None
    record: Record | None
    fields: FieldMap
    index: ErpIndex | None
    sure: float
    propose: Propose | None = None
    orders: bool = True


@dataclass(slots=True)
class Folded:
    """The form with the edits, and what follows from it. `vat` sets the VAT of tax groups, `paper` are the totals
    printed and `predicted` those that Odoo will show, None where that cannot be told. `unplaced` are the failed Checks
    that no value of the form answers for."""

    form: Form
    base: Form
    body: Node
    reading: Reading | None
    checks: tuple[Check, ...]
    paper: Mapping[str, str | None]
    predicted: Totals | None
    vat: Mapping[str, Any]
    unplaced: tuple[Check, ...]


def fold(ground: Ground, edits: Sequence[Edit]) -> Folded:
    """The Proposal as the person has it now. Edits that fit nothing are named in `form.unfit`, and change nothing."""
    base = build(
        ground.model, ground.body, ground.reading, ground.record, ground.fields, orders=ground.orders
    )
    body, reading = _proposed_again(ground, edits)
    form = build(ground.model, body, reading, ground.record, ground.fields, orders=ground.orders)
    for edit in edits:
        _apply(form, edit, ground)
    predicted, vat = _predicted(ground, form, body)
    paper = _paper(body, reading)
    checks = _checks(form, body, reading, edits, paper, predicted, changed=reading is not ground.reading)
    unplaced = mark_doubts(form, checks, ground.sure, proved=_proved(paper, predicted))
    return Folded(form, base, body, reading, checks, paper, predicted, vat, unplaced)


# -- edits --------------------------------------------------------------------------------------------------------------


def _apply(form: Form, edit: Edit, ground: Ground) -> None:
    match edit:
        case SetValue():
            cell = form.cell(edit.target)
            if cell is None or not cell.editable:
                form.unfit.append(edit.target)
                return
            cell.fill(edit.value, 1.0, "", cell.terms)
            cell.edited = True
            if edit.evidence:
                place = edit.evidence
                cell.evidence = [{"page": place.page, "box": list(place.box), "text": place.text}]
            if line := _line_of(form, edit.target):
                line.changed = True
                form.lines_edited = form.lines_edited or cell.name in FIGURES
        case Accept():
            cell = form.cell(edit.accept)
            if cell is None:
                form.unfit.append(edit.accept)
                return
            cell.accepted = True
        case Answer():
            pass  # no value of the form
        case AddLine():
            keys = [line.key for line in form.lines]
            if edit.add_line in keys or (edit.after is not None and edit.after not in keys):
                form.unfit.append(f"lines.{edit.add_line}")
                return
            at = keys.index(edit.after) + 1 if edit.after else 0
            form.lines.insert(at, empty_line(edit.add_line, form.model, ground.fields, orders=ground.orders))
            form.lines_edited = True
        case RemoveLine():
            line = next((one for one in form.lines if one.key == edit.remove_line), None)
            if line is None:
                form.unfit.append(f"lines.{edit.remove_line}")
                return
            form.lines.remove(line)
            form.lines_edited = True
            if not line.added:
                form.removed.append(line)


def _line_of(form: Form, target: str) -> Line | None:
    key = target.split(".")[1] if target.startswith("lines.") else ""
    return next((line for line in form.lines if line.key == key), None)


# -- proposing anew -------------------------------------------------------------------------------------------------------


def _proposed_again(ground: Ground, edits: Sequence[Edit]) -> tuple[Node, Reading | None]:
    header = {edit.target: edit for edit in edits if isinstance(edit, SetValue) and edit.target in AGAIN}
    if not header or ground.propose is None or ground.reading is None or ground.index is None:
        return ground.body, ground.reading
    reading = corrected(ground.reading, header, ground.index)
    vendor = header["partner_id"].value if "partner_id" in header else None
    proposal = ground.propose(reading, vendor if isinstance(vendor, int) else None)
    return proposal.as_json(), reading


def corrected(reading: Reading, edits: Mapping[str, SetValue], index: ErpIndex) -> Reading:
    """The Reading with what a person put in place of its header Fields, proven by where they found it or by them."""
    fields = dict(reading.fields)
    for target, edit in edits.items():
        term = TERMS[target]
        if target == "partner_id":
            continue
        text = _text(target, edit.value, index)
        if not text:
            fields.pop(term, None)
            continue
        place = edit.evidence
        proof = Evidence(place.page, Box(*place.box), place.text) if place else Evidence(text=BY_HAND)
        fields[term] = Field(value_from_json(HEADER[term].kind, text), 1.0, (proof,), raw=text)
    found = dataclasses.replace(reading, fields=fields)
    kept = {check.id: check for check in reading.checks}
    return dataclasses.replace(found, checks=tuple({**kept, **{c.id: c for c in run_checks(found)}}.values()))


def _text(target: str, value: Any, index: ErpIndex) -> str:
    """The value as the Reading has it: codes and numbers in place of ids."""
    if value in (None, ""):
        return ""
    if target == "currency_id":
        currency = index.currencies.get(value)
        return currency.name if currency else ""
    if target == ORDERED:
        order = index.orders.get(value)
        return order.name if order else ""
    return str(value)


# -- totals ---------------------------------------------------------------------------------------------------------------


def _predicted(ground: Ground, form: Form, body: Node) -> tuple[Totals | None, Mapping[str, Any]]:
    """What Odoo will show, and the VAT to set: as proposed while nobody touched a line."""
    has_lines = ground.record is not None and bool(ground.record.lines)
    if not form.lines_edited and not has_lines:
        node = body.get("predicted")
        return (_totals(node) if node else None), body.get("vat", {})
    if not form.lines_edited and ground.record is not None:
        record = ground.record
        return Totals(record.amount_untaxed, record.amount_tax, record.amount_total), {}
    return reckoned(form, ground), {}


def reckoned(form: Form, ground: Ground) -> Totals | None:
    """Odoo's totals from the lines of the form; None where a tax is not known or cannot be foretold."""
    index, record = ground.index, ground.record
    if index is None or record is None or record.company_id not in index.companies:
        return None
    currency = (
        index.currencies.get(form.header["currency_id"].value) if "currency_id" in form.header else None
    )
    company = index.companies[record.company_id]
    currency = currency or index.currencies[company.currency_id]
    lines: list[PricedLine] = []
    for line in form.lines:
        ids: list[int] = line.cells["tax_ids"].value or []
        taxes = tuple(index.taxes[one] for one in ids if one in index.taxes)
        if len(taxes) < len(ids):
            return None
        quantity, price = figure(line, quantity_name(form)), figure(line, "price_unit")
        lines.append(PricedLine(quantity, price, figure(line, "discount"), taxes).kept(index.precision))
    if not lines:
        return Totals(Decimal(0), Decimal(0), Decimal(0))
    return None if unpredictable(lines) else predict(lines, currency.rounding, company.tax_rounding)


def quantity_name(form: Form) -> str:
    """What a line's quantity is called."""
    return "quantity" if form.model == "account.move" else "product_qty"


def net_of(form: Form, line: Line, rounding: Decimal = Decimal("0.01")) -> Decimal:
    """A line's amount before taxes on top of it."""
    quantity, price, discount = (
        figure(line, name) for name in (quantity_name(form), "price_unit", "discount")
    )
    return (quantity * price * (1 - discount / 100)).quantize(rounding)


def _totals(node: Node) -> Totals:
    untaxed, tax = (None if node[name] is None else Decimal(node[name]) for name in ("untaxed", "tax"))
    return Totals(untaxed, tax, Decimal(node["total"]))


def _paper(body: Node, reading: Reading | None) -> Mapping[str, str | None]:
    printed = body.get("paper")
    if printed:
        return printed
    names = zip(("untaxed", "tax", "total"), TOTALS, strict=True)
    amounts = {name: reading.amount(term) if reading else None for name, term in names}
    return {name: None if amount is None else str(scalar_as_json(amount)) for name, amount in amounts.items()}


def _proved(paper: Mapping[str, str | None], predicted: Totals | None) -> bool:
    if predicted is None or None in paper.values() or not paper:
        return False
    return all(Decimal(str(paper[name])) == getattr(predicted, name) for name in ("untaxed", "tax", "total"))


# -- checks -----------------------------------------------------------------------------------------------------------------


def _checks(
    form: Form,
    body: Node,
    reading: Reading | None,
    edits: Sequence[Edit],
    paper: Mapping[str, str | None],
    predicted: Totals | None,
    *,
    changed: bool,
) -> tuple[Check, ...]:
    """The Checks as they are with the edits: what a person put right is not told any more."""
    ours = [Check(one["id"], Status(one["status"]), one["message"]) for one in body.get("checks", ())]
    theirs = list(reading.checks) if reading else []
    edited = {edit.target for edit in edits if isinstance(edit, SetValue)}
    said = {f"{kind}_{name}" for name in edited for kind in ("kept", "filled")}
    if form.lines_edited:
        agreeing = _proved(paper, predicted)
        said |= {"totals", "filled_amount_total", "filled_amount_untaxed", "filled_amount_tax"}
        said |= LINE_CHECKS if agreeing else frozenset()
        theirs = [one for one in theirs if not (agreeing and one.id in LINE_CHECKS)]
        ours.append(_totals_check(paper, predicted))
    elif changed and "partner_id" in edited:
        said |= {"vendor_agrees", "vendor_unique", "vendor_known"}
    kept = [one for one in ours if one.id not in said or one.message.startswith("The lines now")]
    return (*kept, *theirs)


def _totals_check(paper: Mapping[str, str | None], predicted: Totals | None) -> Check:
    if predicted is None:
        return Check(
            "totals", Status.NOT_APPLICABLE, "The lines now bear a tax whose amount cannot be foretold."
        )
    total = paper.get("total")
    if total is None:
        return Check(
            "totals", Status.NOT_APPLICABLE, "The lines now have no total on the document to compare with."
        )
    wrong = [
        name
        for name in ("untaxed", "tax", "total")
        if paper.get(name) is not None and Decimal(str(paper[name])) != getattr(predicted, name)
    ]
    if not wrong:
        text = f"The lines now make {money(predicted.total)} in Odoo, as the document prints."
        return Check("totals", Status.PASS, text)
    ours = " + ".join(money(one) for one in (predicted.untaxed, predicted.tax) if one is not None)
    theirs = ", ".join(f"{name} {money(Decimal(str(paper[name])))}" for name in wrong)
    text = f"The lines now make {ours} = {money(predicted.total)} in Odoo, the document says {theirs}."
    return Check("totals", Status.FAIL, text)


def is_day(text: Any) -> bool:
    """Whether a JSON value is an ISO date."""
    try:
        return isinstance(text, str) and bool(date.fromisoformat(text))
    except ValueError:
        return False
