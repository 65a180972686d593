"""A small-business invoice on US letter paper: everything in ruled boxes, terms in a strip, plain type."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 15.0, 200.9, 205.0
WIDTHS = (("quantity", 17.0), ("unit", 13.0), ("article", 29.0), ("description", 59.9), ("price", 21.0), ("discount", 15.0), ("vat", 13.0), ("amount", 18.0), ("promised", 0.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    _head(bill, paper, p)
    grid = Grid(paper, LEFT, parts.columns(bill, p, WIDTHS), 9, padding=1.4)
    y = 94.0
    for note in bill.notes:
        y = paper.paragraph(LEFT, y, RIGHT - LEFT, note, 9)
    top = y

    def turn(index: int) -> float:
        nonlocal top
        grid.verticals(top, BOTTOM)
        paper.rule(LEFT, BOTTOM, RIGHT)
        paper.next_page()
        _head(bill, paper, p)
        top = 94.0
        paper.rule(LEFT, top, RIGHT)
        return grid.head(top)

    paper.rule(LEFT, y, RIGHT)
    grid.rows(grid.head(y), BOTTOM, turn)
    grid.verticals(top, BOTTOM)
    paper.rule(LEFT, BOTTOM, RIGHT)
    _close(bill, paper, p)


def _head(bill: Bill, paper: Paper, p: Printing) -> None:
    seller = bill.seller
    paper.text(LEFT, 20, seller.name, 14, bold=True)
    paper.stack(LEFT, 26, [*seller.address_lines, *parts.contact(bill, p)], 9)
    title = parts.title(bill, p)
    left = LEFT + paper.measure(seller.name, 14, bold=True) + 4
    paper.fitted(RIGHT, 21, RIGHT - left, title, 22, bold=True, align="right")
    facts = [parts.dates(bill, p)[0], parts.number(bill, p)]
    for index, (label, value) in enumerate(facts):
        x = 135 + index * 32.95
        paper.frame(x, 27, 32.95, 7)
        paper.frame(x, 34, 32.95, 8)
        paper.text(x + 16.5, 31.8, label, 8.5, align="center")
        paper.text(x + 16.5, 39.4, value, 9.5, align="center")
    paper.frame(LEFT, 50, 88, 32)
    paper.rule(LEFT, 57, LEFT + 88)
    paper.text(LEFT + 2, 55, parts.addressee(bill, p), 9)
    rows = [*parts.recipient(bill), f"{p.label('buyer_vat_id')}: {bill.buyer.vat_id}"]
    paper.stack(LEFT + 2, 62.5, rows, 9.5)
    rest = parts.dates(bill, p)[1:]
    for index, (label, value) in enumerate(rest):
        y = 50 + index * 8
        paper.frame(118, y, 40, 8)
        paper.frame(158, y, RIGHT - 158, 8)
        paper.text(120, y + 5.4, label, 8.8)
        paper.text(160, y + 5.4, value, 9.2)
    paper.text(RIGHT, 272, p.label("page", number=paper.number, count=paper.count), 8, align="right")
    numbers = parts.joined(parts.tax_numbers(bill, p), "   ")
    paper.text(LEFT, 272, numbers, 8)


def _close(bill: Bill, paper: Paper, p: Printing) -> None:
    y = BOTTOM + 6
    rows = parts.totals(bill, p)
    for label, value in rows:
        paper.frame(118, y - 6, RIGHT - 118, 7.5)
        paper.text(120, y - 1, label, 9)
        paper.text(RIGHT - 1.5, y - 1, value, 9.5, align="right")
        y += 7.5
    label, total = parts.grand_total(bill, p)
    paper.frame(118, y - 6, RIGHT - 118, 9.5, line=1)
    paper.text(120, y + 0.6, label, 12, bold=True)
    paper.text(RIGHT - 1.5, y + 0.6, total, 12, bold=True, align="right")
    low = BOTTOM + 6
    if bill.payment_terms:
        low = paper.paragraph(LEFT, low, 98, f"{p.label('terms')}: {bill.payment_terms}", 9) + 2
    paper.text(LEFT, low, p.label("payment"), 9, bold=True)
    low = paper.stack(LEFT, low + 5, [f"{label}: {value}" for label, value in parts.bank(bill, p)], 9)
    paper.text(LEFT, low + 3, p.label("thanks"), 9)
