"""A studio's plain page: only a mark and a short name on top, no rules, totals on the left, the seller in the foot."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import GREY, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 22.0, 188.0, 258.0
WIDTHS = (("description", 62.0), ("article", 24.0), ("quantity", 16.0), ("unit", 14.0), ("price", 24.0), ("discount", 14.0), ("vat", 14.0), ("amount", 26.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    _edges(bill, paper, p)
    paper.text(LEFT, 52, parts.title(bill, p), 18)
    y = paper.stack(LEFT, 62, parts.party(bill.buyer, p), 9.5)
    low = 62.0
    for label, value in parts.facts(bill, p):
        paper.fitted(116, low, RIGHT - 116, f"{label} {value}", 9)
        low += 5
    columns = parts.spread(parts.columns(bill, p, WIDTHS), p.label("description"), RIGHT - LEFT)
    grid = Grid(paper, LEFT - 1, columns, 8.8, padding=1.5)

    def turn(_: int) -> float:
        paper.next_page()
        _edges(bill, paper, p)
        return grid.head(45, rules=False)

    y = grid.rows(grid.head(max(y, low) + 8, ink=GREY, rules=False), BOTTOM, turn)
    if y + 46 > BOTTOM:
        paper.next_page()
        _edges(bill, paper, p)
        y = 40.0
    y += 8
    if bill.priced:
        y = paper.pairs(LEFT, y, LEFT + 84, parts.totals(bill, p), 9)
        y = paper.pairs(LEFT, y + 1, LEFT + 84, [parts.grand_total(bill, p)], 12, bold=True)
    paper.text(LEFT, y + 4, p.label("thanks"), 9, ink=GREY)


def _edges(bill: Bill, paper: Paper, p: Printing) -> None:
    """The mark with the short name on top, everything else about the seller at the foot."""
    paper.mark(LEFT, 16, 14, bill.accent)
    short = bill.seller.name[:2] if ord(bill.seller.name[0]) > 0x2E7F else bill.seller.name.split(" ")[0]
    paper.text(LEFT + 18, 26, short.lower(), 20, ink=GREY)
    y = 272.0
    for row in parts.lettering(bill, p):
        paper.fitted(105, y, 186, row, 7, align="center", ink=GREY)
        y += 3.6
    page = p.label("page", number=paper.number, count=paper.count)
    paper.text(RIGHT, 266, page, 7, align="right", ink=GREY)
