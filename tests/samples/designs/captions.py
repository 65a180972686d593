"""Values in large type with their captions underneath, the seller at the right edge, totals in a row at the bottom."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import ACCENTS, GREY, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 18.0, 192.0, 246.0
WIDTHS = (("quantity", 16.0), ("unit", 13.0), ("article", 24.0), ("description", 60.0), ("vat", 14.0), ("price", 24.0), ("discount", 15.0), ("amount", 26.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    ink = ACCENTS[bill.accent % len(ACCENTS)]
    seller = bill.seller
    y = paper.stack(RIGHT, 20, [seller.name], 12, align="right", bold_first=True)
    numbers = [f"{label} {value}" for label, value in parts.tax_numbers(bill, p)]
    low = paper.stack(RIGHT, y, [*seller.address_lines, *parts.contact(bill, p), *numbers], 8, align="right")
    paper.text(LEFT, 26, parts.title(bill, p), 22, ink=ink)
    under = paper.stack(LEFT, 40, parts.party(bill.buyer, p), 9.5, bold_first=True)
    paper.text(LEFT, under + 0.5, parts.addressee(bill, p), 6.8, ink=GREY)
    y = _captioned(paper, max(low, under) + 10, [parts.number(bill, p), *parts.dates(bill, p)], 10)
    columns = parts.spread(parts.columns(bill, p, WIDTHS), p.label("description"), RIGHT - LEFT)
    grid = Grid(paper, LEFT, columns, 8.6, padding=1.4, ruled=True)

    def turn(_: int) -> float:
        paper.next_page()
        return grid.head(20)

    y = grid.rows(grid.head(y + 5), BOTTOM, turn)
    if y + 50 > BOTTOM + 20:
        paper.next_page()
        y = 20.0
    if len(bill.vat_breakdown) > 1 and bill.priced:
        rates = Grid(paper, RIGHT - 72, parts.vat_rows(bill, p), 7.8, padding=0.7)
        y = rates.rows(rates.head(y + 3), BOTTOM + 40, lambda _: 0.0)
    if bill.priced:
        y = _captioned(paper, y + 12, [*parts.wide_totals(bill, p), parts.grand_total(bill, p)], 11)
    if bill.payment_terms:
        y = paper.paragraph(LEFT, y + 6, RIGHT - LEFT, f"{p.label('terms')}: {bill.payment_terms}", 8.6)
    if money := parts.bank(bill, p):
        _captioned(paper, 275, money, 8.4)
    paper.text(
        RIGHT, 290, p.label("page", number=paper.number, count=paper.count), 7, align="right", ink=GREY
    )


def _captioned(paper: Paper, y: float, rows: list[parts.Pair], size: float) -> float:
    """The values side by side, each with its caption below; returns the bottom."""
    step = (RIGHT - LEFT) / len(rows)
    for index, (label, value) in enumerate(rows):
        x = LEFT + index * step
        paper.fitted(x, y, step - 2, value, size, bold=True)
        paper.fitted(x, y + 3.6, step - 2, label, 6.8, ink=GREY)
    return y + 5
