"""A German business letter (DIN 5008 form B): address window, information block on the right, three-part footer."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import ACCENTS, GREY, Column, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 25.0, 195.0, 262.0
WIDTHS = (("pos", 10.0), ("article", 25.0), ("description", 51.0), ("quantity", 16.0), ("unit", 12.0), ("price", 21.0), ("discount", 13.0), ("vat", 13.0), ("amount", 23.0), ("promised", 19.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    letterhead(bill, paper)
    address(bill, paper)
    rows = [parts.number(bill, p), *parts.dates(bill, p), (p.label("customer"), "21046")]
    rows.append((p.label("buyer_vat_id"), bill.buyer.vat_id))
    paper.pairs(125, 52, RIGHT, rows, 8.5, leading=1.55, label_ink=GREY)
    paper.text(LEFT, 104, f"{parts.title(bill, p)} {bill.number}", 12.5, bold=True)
    y = 111.0
    for note in bill.notes:
        y = paper.paragraph(LEFT, y, RIGHT - LEFT, note, 9) + 1
    grid = Grid(paper, LEFT, _columns(bill, p), 8.2, ruled=True)
    footer(bill, paper, p)

    def turn(index: int) -> float:
        paper.next_page()
        footer(bill, paper, p)
        paper.text(LEFT, 22, f"{parts.title(bill, p)} {bill.number}", 9, ink=GREY)
        return grid.head(28)

    y = grid.rows(grid.head(y + 2), BOTTOM, turn, reserve=0)
    if y + 48 > BOTTOM:
        paper.next_page()
        footer(bill, paper, p)
        y = 25.0
    _close(bill, paper, p, y + 6)


def letterhead(bill: Bill, paper: Paper) -> None:
    """The seller's mark and name in the top right corner."""
    ink = ACCENTS[bill.accent % len(ACCENTS)]
    width = paper.measure(bill.seller.name, 15, bold=True)
    paper.mark(RIGHT - width - 16, 12, 11, bill.accent)
    paper.text(RIGHT, 19.5, bill.seller.name, 15, bold=True, align="right", ink=ink)
    paper.rule(LEFT, 28, RIGHT, width=1, ink=ink)
    for mark in (105.0, 210.0):
        paper.rule(4, mark, 8, width=0.3, ink=GREY)


def address(bill: Bill, paper: Paper) -> None:
    """The return address and the recipient in the window of the envelope."""
    seller = bill.seller
    back = " · ".join((seller.name, *seller.address_lines))
    width = paper.text(LEFT, 50, back, 6.3, ink=GREY)
    paper.rule(LEFT, 51, LEFT + width, width=0.3, ink=GREY)
    paper.stack(LEFT, 58, parts.recipient(bill), 10.5)


def footer(bill: Bill, paper: Paper, p: Printing) -> None:
    """Address, bank and register in three columns, with the page number above."""
    seller = bill.seller
    paper.text(
        RIGHT, 268, p.label("page", number=paper.number, count=paper.count), 7.5, align="right", ink=GREY
    )
    paper.rule(LEFT, 270, RIGHT, width=0.4, ink=GREY)
    paper.stack(LEFT, 274.5, [seller.name, *seller.address_lines, *parts.contact(bill, p)[:1]], 7, ink=GREY)
    bank = [f"{label}: {value}" for label, value in parts.bank(bill, p)]
    size = min((paper.fit(row, 61, 7) for row in bank), default=7)
    paper.stack(84, 274.5, bank, size, ink=GREY)
    legal = [f"{label}: {value}" for label, value in parts.tax_numbers(bill, p)]
    paper.stack(146, 274.5, [*legal, *parts.contact(bill, p)[1:]], 7, ink=GREY)


def _columns(bill: Bill, p: Printing) -> list[Column]:
    """The columns for the printed width."""
    columns = parts.columns(bill, p, WIDTHS)
    over = sum(column.width for column in columns) - (RIGHT - LEFT)
    return [
        column._replace(width=column.width - over) if column.title == p.label("description") else column
        for column in columns
    ]


def _close(bill: Bill, paper: Paper, p: Printing, y: float) -> None:
    y = paper.pairs(118, y, RIGHT - 1, parts.totals(bill, p), 9)
    label, total = parts.grand_total(bill, p)
    paper.rule(118, y - 3, RIGHT, width=0.8)
    y = paper.pairs(118, y + 1.5, RIGHT - 1, [(label, total)], 10.5, bold=True)
    paper.rule(118, y - 3.2, RIGHT, width=0.8)
    paper.rule(118, y - 2.5, RIGHT, width=0.8)
    y += 6
    if bill.payment_terms:
        y = paper.paragraph(LEFT, y, RIGHT - LEFT, bill.payment_terms, 9) + 1.5
    paper.text(LEFT, y, p.label("thanks"), 9)
