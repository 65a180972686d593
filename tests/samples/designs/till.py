"""A till slip: narrow paper, prices with VAT, what was given and what came back."""

from __future__ import annotations

from decimal import Decimal

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import Paper
from tests.samples.printing import Printing

LEFT, RIGHT, MIDDLE = 5.0, 75.0, 40.0


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole slip."""
    p = Printing.of(bill)
    seller, size = bill.seller, 8.0
    y = paper.paragraph(LEFT, 12, RIGHT - LEFT, seller.name, 10.5, bold=True, align="center") + 1
    numbers = [f"{label} {value}" for label, value in parts.tax_numbers(bill, p)]
    for row in filter(None, (*seller.address_lines, *numbers, *parts.contact(bill, p)[:1])):
        y = paper.paragraph(LEFT, y, RIGHT - LEFT, row, size, align="center")
    y = paper.paragraph(LEFT, y + 3, RIGHT - LEFT, parts.title(bill, p), 9.5, bold=True, align="center") + 1
    label, value = parts.number(bill, p)
    number = f"{label} {value}"
    paper.text(LEFT, y, number, paper.fit(number, RIGHT - LEFT, size))
    hour = f"{8 + bill.accent % 12:02d}:{bill.accent % 6}{bill.accent % 10}"
    issued = f"{parts.dates(bill, p)[0][0]} {p.day(bill.issue_date)} {hour}"
    y = paper.stack(LEFT, y + 4.5, [issued], paper.fit(issued, RIGHT - LEFT, size))
    y = _dashes(paper, y)
    for line in bill.lines:
        y = paper.paragraph(LEFT, y, RIGHT - LEFT, line.item_name, size)
        count = f"{p.quantity(line.quantity)} x {p.price(line.net_price)}"
        paper.text(LEFT + 4, y, count, size)
        paper.text(RIGHT, y, p.amount(line.line_net_amount), size, align="right")
        y += 4.2
    y = _dashes(paper, y)
    total = bill.total_with_vat
    y = paper.pairs(LEFT, y + 1.5, RIGHT, [(p.label("total"), p.money(total))], 11, bold=True)
    if bill.accent % 3:
        given = total if bill.accent % 3 == 1 else Decimal(int(total) // 10 * 10 + 10)
        rows = [(p.label("cash"), p.amount(given))]
        rows += [(p.label("change"), p.amount(given - total))] if given != total else []
        y = paper.pairs(LEFT, y, RIGHT, rows, size)
    y = _dashes(paper, y + 1)
    for row in bill.vat_breakdown:
        label = p.label("included", rate=p.percent(row.vat_rate), base=p.amount(row.taxable_amount))
        paper.text(LEFT, y, label, size)
        paper.text(RIGHT, y, p.amount(row.vat_amount), size, align="right")
        y += 4
    if bill.taxed:
        y = paper.pairs(LEFT, y, RIGHT, [(p.label("subtotal"), p.amount(bill.total_without_vat))], size)
        y = paper.pairs(LEFT, y, RIGHT, [(p.label("total_vat"), p.amount(bill.total_vat))], size)
    paper.text(
        MIDDLE, y + 4, p.label("thanks"), paper.fit(p.label("thanks"), RIGHT - LEFT, size), align="center"
    )


def _dashes(paper: Paper, y: float) -> float:
    count = int((RIGHT - LEFT) / paper.measure("-", 8))
    paper.text(LEFT, y, "-" * count, 8)
    return y + 4
