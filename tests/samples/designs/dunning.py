"""A reminder or statement: a letter with the list of the invoices that are not paid."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import ACCENTS, GREY, Column, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT = 22.0, 190.0


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the letter about `bill.open_items`."""
    p = Printing.of(bill)
    seller, ink = bill.seller, ACCENTS[bill.accent % len(ACCENTS)]
    paper.text(LEFT, 20, seller.name, 14, bold=True, ink=ink)
    line = " · ".join(filter(None, (*seller.address_lines, *parts.contact(bill, p))))
    paper.fitted(LEFT, 25, RIGHT - LEFT, line, 7.4, ink=GREY)
    paper.rule(LEFT, 28, RIGHT, ink=ink)
    paper.stack(LEFT, 46, [bill.buyer.name, *bill.buyer.address_lines], 10)
    rows = [parts.number(bill, p), *parts.dates(bill, p)]
    paper.pairs(130, 46, RIGHT, rows, 9, label_ink=GREY)
    paper.text(LEFT, 82, parts.title(bill, p), 14, bold=True)
    y = paper.paragraph(LEFT, 91, RIGHT - LEFT, p.label("reminder_text"), 9.6, leading=1.45) + 4
    items = bill.open_items
    columns = [
        Column(p.label("open_invoice"), 42, "left", [item.number for item in items]),
        Column(p.label("open_date"), 40, "left", [p.day(item.issue_date) for item in items]),
        Column(p.label("open_due"), 40, "left", [p.day(item.due_date) for item in items]),
        Column(p.label("open_amount"), 46, "right", [p.amount(item.amount) for item in items]),
    ]
    grid = Grid(paper, LEFT, columns, 9, ruled=True)
    y = grid.rows(grid.head(y), 250, lambda _: 250.0)
    y = paper.pairs(
        LEFT + 82, y + 7, RIGHT - 1, [(p.label("open_total"), p.money(bill.open_total))], 11, bold=True
    )
    y = 268.0
    for row in (parts.joined(parts.tax_numbers(bill, p)), parts.joined(parts.bank(bill, p))):
        paper.fitted(LEFT, y, RIGHT - LEFT, row, 7.4, ink=GREY)
        y += 4
