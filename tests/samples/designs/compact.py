"""A small modern letterhead: a tinted sidebar with the seller's data, the document in a narrow main column."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import ACCENTS, GREY, PALE, POINT, Grid, Paper
from tests.samples.printing import Printing

SIDE, LEFT, RIGHT, BOTTOM = 52.0, 60.0, 200.0, 278.0
WIDTHS = (("quantity", 14.0), ("unit", 11.0), ("description", 45.0), ("article", 20.0), ("price", 17.0), ("discount", 13.0), ("vat", 13.0), ("amount", 20.0), ("promised", 0.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    ink = ACCENTS[bill.accent % len(ACCENTS)]
    _sidebar(bill, paper, p)
    paper.text(LEFT, 24, parts.title(bill, p), 19, ink=ink)
    label, value = parts.number(bill, p)
    paper.text(LEFT, 31, f"{label} {value}", 10, bold=True)
    paper.text(LEFT, 44, parts.addressee(bill, p), 7.5, ink=GREY)
    buyer = [*parts.recipient(bill), f"{p.label('buyer_vat_id')} {bill.buyer.vat_id}"]
    paper.stack(LEFT, 49, buyer, min(paper.fit(words, 130 - LEFT, 9.5) for words in buyer))
    paper.pairs(132, 49, RIGHT, parts.dates(bill, p), 9, leading=1.6, label_ink=GREY)
    y = 80.0
    for note in bill.notes:
        y = paper.paragraph(LEFT, y, RIGHT - LEFT, note, 9) + 1
    columns = parts.columns(bill, p, WIDTHS)
    over = sum(column.width for column in columns) - (RIGHT - LEFT)
    named = p.label("description")
    columns = [c._replace(width=c.width - over) if c.title == named else c for c in columns]
    grid = Grid(paper, LEFT, columns, 8.6, padding=1.2)

    def turn(index: int) -> float:
        paper.next_page()
        _sidebar(bill, paper, p)
        return grid.head(20)

    y = grid.rows(grid.head(y), BOTTOM, turn)
    paper.rule(LEFT, y + 1, RIGHT)
    if y + 52 > BOTTOM:
        paper.next_page()
        _sidebar(bill, paper, p)
        y = 15.0
    y = paper.pairs(124, y + 6, RIGHT - 1, parts.totals(bill, p), 9, leading=1.45)
    label, total = parts.grand_total(bill, p)
    paper.rule(124, y - 3, RIGHT, width=0.4)
    y = paper.pairs(124, y + 1.2, RIGHT - 1, [(label, total)], 10.5, bold=True) + 5
    if bill.payment_terms:
        y = paper.paragraph(LEFT, y, RIGHT - LEFT, bill.payment_terms, 9) + 1
    paper.text(LEFT, y, p.label("thanks"), 9, ink=ink)


def _sidebar(bill: Bill, paper: Paper, p: Printing) -> None:
    seller, ink = bill.seller, ACCENTS[bill.accent % len(ACCENTS)]
    paper.fill(0, 0, SIDE, paper.height, PALE)
    paper.fill(SIDE - 0.8, 0, 0.8, paper.height, ink)
    paper.mark(8, 12, 14, bill.accent)
    y = paper.paragraph(8, 36, SIDE - 12, seller.name, 11.5, bold=True, ink=ink) + 2
    for row in filter(None, seller.address_lines):
        paper.fitted(8, y, SIDE - 10, row, 8.4)
        y += 8.4 * 1.35 * POINT
    y += 2
    for row in parts.contact(bill, p):
        size = paper.fit(row, SIDE - 11, 7.4)
        y = paper.paragraph(8, y, SIDE - 11, row, size - 0.01, leading=1.3 * 7.4 / size)
    y += 4
    for label, value in [*parts.tax_numbers(bill, p), *parts.bank(bill, p)]:
        paper.text(8, y, label, 6.8, ink=GREY)
        y = paper.paragraph(8, y + 3.6, SIDE - 11, value, 8) + 1.2
    paper.text(8, 287, p.label("page", number=paper.number, count=paper.count), 7.5, ink=GREY)
