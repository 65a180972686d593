"""Lines grouped by delivery, their article numbers and notes under their names, sums carried forward."""

from __future__ import annotations

from datetime import timedelta

from tests.samples.bill import ZERO, Bill
from tests.samples.designs import parts
from tests.samples.paper import GREY, PALE, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 20.0, 195.0, 255.0
WIDTHS = (("pos", 10.0), ("quantity", 17.0), ("unit", 13.0), ("description", 62.0), ("price", 24.0), ("discount", 15.0), ("vat", 14.0), ("amount", 26.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    _letterhead(bill, paper, p)
    paper.text(LEFT, 56, parts.addressee(bill, p), 7, ink=GREY)
    low = paper.stack(LEFT, 61, parts.party(bill.buyer, p), 9.8)
    low = max(
        low, paper.pairs(122, 61, RIGHT, [parts.number(bill, p), *parts.dates(bill, p)], 8.6, leading=1.5)
    )
    columns = parts.spread(
        parts.columns(_described(bill, p), p, WIDTHS), p.label("description"), RIGHT - LEFT
    )
    grid = Grid(paper, LEFT, columns, 8.4, padding=1.1)
    y = grid.head(low + 8, band=PALE)
    y = _groups(bill, paper, p, grid, y)
    if y + 52 > BOTTOM:
        _carry(bill, paper, p, y, len(bill.lines))
        paper.next_page()
        _letterhead(bill, paper, p)
        y = 45.0
    if bill.payment_terms:
        paper.paragraph(LEFT, y + 8, 82, f"{p.label('terms')}: {bill.payment_terms}", 8.6)
    if not bill.priced:
        return
    paper.rule(LEFT, y + 2, RIGHT)
    y = paper.pairs(112, y + 8, RIGHT - 1, parts.totals(bill, p), 9)
    label, total = parts.grand_total(bill, p)
    paper.fill(110, y - 3.4, RIGHT - 110, 7, PALE)
    paper.pairs(112, y + 1.4, RIGHT - 1, [(label, total)], 10.5, bold=True)


def _described(bill: Bill, p: Printing) -> Bill:
    """The bill with the article number on a row of its own under each name."""
    from dataclasses import replace

    def named(name: str, number: str) -> str:
        return f"{name}\n{p.label('article')} {number}" if number else name

    return replace(
        bill, lines=tuple(replace(x, item_name=named(x.item_name, x.item_seller_id)) for x in bill.lines)
    )


def _groups(bill: Bill, paper: Paper, p: Printing, grid: Grid, y: float) -> float:
    """The lines in groups of two to five, each under a row that names its delivery."""
    whole, size = list(grid.columns), 2 + bill.accent % 4
    for first in range(0, len(bill.lines), size):

        def turn(index: int, first: int = first) -> float:
            _carry(bill, paper, p, BOTTOM + 1, first + index)
            paper.next_page()
            _letterhead(bill, paper, p)
            y = grid.head(45, band=PALE)
            if bill.priced:
                paper.text(RIGHT - 32, y + 5, p.label("brought"), 8, align="right")
                paper.text(RIGHT - 1, y + 5, _sum(bill, p, first + index), 8, align="right")
            return y + 7

        if y + 18 > BOTTOM:
            y = turn(0)
        if len(bill.lines) > 2:
            day = bill.issue_date - timedelta(days=3 + first % 11)
            note = p.label("group", number=f"{80100 + first * 7 + bill.accent}", date=p.day(day))
            paper.text(LEFT + 1, y + 5, note, 8.4, bold=bill.accent % 2 == 0)
            y += 6.5
        grid.columns = [c._replace(cells=c.cells[first : first + size]) for c in whole]
        y = grid.rows(y, BOTTOM, turn)
    return y


def _carry(bill: Bill, paper: Paper, p: Printing, y: float, count: int) -> None:
    if bill.priced:
        paper.text(RIGHT - 32, y + 4, p.label("carried"), 8, align="right")
        paper.text(RIGHT - 1, y + 4, _sum(bill, p, count), 8, align="right")


def _sum(bill: Bill, p: Printing, count: int) -> str:
    return p.amount(sum((line.line_net_amount for line in bill.lines[:count]), ZERO))


def _letterhead(bill: Bill, paper: Paper, p: Printing) -> None:
    paper.text(LEFT, 20, bill.seller.name, 14, bold=True)
    line = " – ".join(filter(None, (*bill.seller.address_lines, *parts.contact(bill, p))))
    paper.fitted(LEFT, 25, RIGHT - LEFT, line, 7.4, ink=GREY)
    paper.rule(LEFT, 28, RIGHT, width=1.2)
    paper.text(LEFT, 37, f"{parts.title(bill, p)} {bill.number}", 13, bold=True)
    paper.text(RIGHT, 37, p.label("page", number=paper.number, count=paper.count), 8, align="right")
    paper.rule(LEFT, 270, RIGHT, width=0.4, ink=GREY)
    y = 274.0
    for row in (parts.joined(parts.tax_numbers(bill, p), " – "), parts.joined(parts.bank(bill, p), " – ")):
        paper.fitted(LEFT, y, RIGHT - LEFT, row, 7, ink=GREY)
        y += 4
