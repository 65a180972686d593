"""A small business's page, made in a word processor: where the parties and the number stand changes from one to the next."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 20.0, 190.0, 262.0
WIDTHS = (("description", 70.0), ("article", 24.0), ("quantity", 18.0), ("unit", 14.0), ("price", 26.0), ("discount", 14.0), ("vat", 14.0), ("amount", 28.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    y = _numbered(bill, paper, p, _headed(bill, paper, p) + 6)
    columns = parts.spread(parts.columns(bill, p, WIDTHS), p.label("description"), RIGHT - LEFT)
    grid = Grid(paper, LEFT, columns, 9, padding=1.6, ruled=bill.accent % 2 == 0)

    def turn(_: int) -> float:
        paper.next_page()
        return grid.head(22)

    y = grid.rows(grid.head(y + 6), BOTTOM, turn) + 7
    if y + 55 > BOTTOM:
        paper.next_page()
        y = 24.0
    if bill.priced:
        y = paper.pairs(RIGHT - 84, y, RIGHT, parts.totals(bill, p), 9)
        y = paper.pairs(RIGHT - 84, y + 1, RIGHT, [parts.grand_total(bill, p)], 11, bold=True)
    if bill.payment_terms:
        y = paper.paragraph(LEFT, y + 6, RIGHT - LEFT, bill.payment_terms, 9)
    for row in (parts.joined(parts.tax_numbers(bill, p), "   "), parts.joined(parts.bank(bill, p), "   ")):
        paper.fitted(LEFT, y + 8, RIGHT - LEFT, row, 8.4)
        y += 4.4


def _headed(bill: Bill, paper: Paper, p: Printing) -> float:
    """Seller and buyer, in one of five ways; returns the baseline below them."""
    seller = [bill.seller.name, *bill.seller.address_lines, *parts.contact(bill, p)]
    buyer = parts.party(bill.buyer, p)
    way = bill.accent % 5
    if way == 0:
        # The name with its address and what it is reached by in the same breath.
        reached = ", ".join(filter(None, (*bill.seller.address_lines, *parts.contact(bill, p))))
        paper.fitted(LEFT, 22, RIGHT - LEFT, f"{bill.seller.name}, {reached}", 9)
        return paper.stack(LEFT, 42, [f"{parts.addressee(bill, p)}:", *buyer], 9.5)
    if way == 1:
        low = paper.stack(RIGHT, 22, seller, 9, align="right", bold_first=True)
        return max(low, paper.stack(LEFT, 44, buyer, 9.5))
    if way == 2:
        low = paper.stack(LEFT, 40, [p.label("seller"), *seller], 9, bold_first=True)
        right = [parts.addressee(bill, p), *buyer]
        return max(low, paper.stack(112, 40, right, 9, bold_first=True))
    paper.text(LEFT, 22, bill.seller.name, 15, bold=way == 3)
    low = paper.stack(LEFT, 28, seller[1:], 8.4)
    y = max(low, 44.0) + 6
    if way == 3:
        # Each line of the buyer's block beside a caption of its own.
        for label, value in ((parts.addressee(bill, p), buyer[0]), *(("", row) for row in buyer[1:])):
            if value:
                paper.text(LEFT, y, f"{label}:" if label else "", 9.5)
                paper.text(LEFT + 46, y, value, 9.5)
                y += 4.8
        return y
    return paper.stack(LEFT, y, [parts.addressee(bill, p), *buyer], 9.5)


def _numbered(bill: Bill, paper: Paper, p: Printing, y: float) -> float:
    """The title and the number, in one of three ways, and the dates; returns the baseline below them."""
    title, (label, number), dates = parts.title(bill, p), parts.number(bill, p), parts.dates(bill, p)
    way = bill.accent % 3
    if way == 0:
        paper.text(LEFT, y, f"{title} {number}", 14, bold=True)
        rows = dates
    elif way == 1:
        paper.text(LEFT, y, title, 15)
        rows = [(label, number), *dates]
    else:
        paper.text(LEFT, y, title, 12, bold=True)
        paper.text(LEFT, y + 5.4, number, 10)
        rows, y = dates, y + 5
    y += 6.5
    for name, value in rows:
        paper.fitted(LEFT, y, RIGHT - LEFT, f"{name}: {value}", 9)
        y += 4.6
    return y
