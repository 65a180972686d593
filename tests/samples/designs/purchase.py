"""A purchase order: the buyer's letterhead, the supplier as addressee, where to deliver, prices if agreed."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import ACCENTS, GREY, PALE, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 18.0, 194.0, 262.0
WIDTHS = (("pos", 10.0), ("article", 26.0), ("description", 60.0), ("promised", 24.0), ("quantity", 17.0), ("unit", 13.0), ("price", 23.0), ("vat", 14.0), ("amount", 25.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole order."""
    p = Printing.of(bill)
    buyer, ink = bill.buyer, ACCENTS[bill.accent % len(ACCENTS)]
    paper.mark(LEFT, 12, 12, bill.accent)
    paper.text(LEFT + 16, 17, buyer.name, 13, bold=True, ink=ink)
    own = f"{p.label('vat_id')} {buyer.vat_id}" if buyer.vat_id else ""
    paper.stack(LEFT + 16, 22, [", ".join(filter(None, buyer.address_lines)), own], 8, ink=GREY)
    paper.text(RIGHT, 40, parts.title(bill, p), 17, bold=True, align="right", ink=ink)
    paper.text(LEFT, 48, p.label("seller"), 7.5, ink=GREY)
    low = paper.stack(LEFT, 53, [*parts.party(bill.seller, p), bill.seller.email], 9.5, bold_first=True)
    rows = [parts.number(bill, p), *parts.dates(bill, p)]
    low = max(low, paper.pairs(120, 53, RIGHT, rows, 9, leading=1.6, label_ink=GREY))
    paper.text(LEFT, low + 4, p.label("ship_to"), 7.5, ink=GREY)
    y = paper.stack(LEFT, low + 9, [buyer.name, *buyer.address_lines], 9)
    y = paper.paragraph(LEFT, y + 3, RIGHT - LEFT, p.label("order_text"), 9)
    columns = parts.spread(parts.columns(bill, p, WIDTHS), p.label("description"), RIGHT - LEFT)
    grid = Grid(paper, LEFT, columns, 8.6, ruled=True)

    def turn(_: int) -> float:
        paper.next_page()
        return grid.head(20, band=PALE)

    y = grid.rows(grid.head(y + 3, band=PALE), BOTTOM, turn)
    if y + 44 > BOTTOM + 10:
        paper.next_page()
        y = 20.0
    y = paper.pairs(118, y + 7, RIGHT - 1, parts.totals(bill, p), 9)
    paper.pairs(118, y + 1, RIGHT - 1, [parts.grand_total(bill, p)], 10.5, bold=True)
    paper.text(
        RIGHT, 286, p.label("page", number=paper.number, count=paper.count), 7.5, align="right", ink=GREY
    )
