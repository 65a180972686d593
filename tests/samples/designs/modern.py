"""A web-age invoice: a band of colour, cards, striped lines, a card with the total."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import ACCENTS, GREY, PALE, WHITE, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 16.0, 194.0, 274.0
WIDTHS = (("article", 26.0), ("description", 53.0), ("quantity", 15.0), ("unit", 12.0), ("price", 22.0), ("discount", 15.0), ("vat", 13.0), ("amount", 22.0), ("promised", 0.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    ink = ACCENTS[bill.accent % len(ACCENTS)]
    paper.fill(0, 0, paper.width, 34, ink)
    paper.text(LEFT, 16, bill.seller.name, 17, bold=True, ink=WHITE)
    paper.text(LEFT, 24, bill.seller.address, 8.5, ink=WHITE)
    paper.text(LEFT, 29, "   ".join(parts.contact(bill, p)), 8, ink=WHITE)
    paper.text(RIGHT, 47, parts.title(bill, p), 22, bold=True, align="right", ink=ink)
    paper.text(LEFT, 46, parts.addressee(bill, p), 8, ink=GREY)
    paper.stack(
        LEFT,
        51.5,
        [*parts.recipient(bill), parts.joined([(p.label("buyer_vat_id"), bill.buyer.vat_id)])],
        9.5,
        bold_first=True,
    )
    rows = [parts.number(bill, p), *parts.dates(bill, p)]
    height = len(rows) * 5.6 + 4
    paper.fill(118, 53, RIGHT - 118, height, PALE, radius=2)
    paper.pairs(122, 59, RIGHT - 4, rows, 9, leading=1.75, label_ink=GREY, bold=True)
    y = max(53 + height, 76) + 6
    for note in bill.notes:
        y = paper.paragraph(LEFT, y + 2, RIGHT - LEFT, note, 9) + 1
    grid = Grid(paper, LEFT, parts.columns(bill, p, _widths(bill)), 8.6, padding=2.1, striped=PALE)
    _footer(bill, paper, p)

    def turn(index: int) -> float:
        paper.next_page()
        _footer(bill, paper, p)
        return grid.head(18, band=ink, ink=WHITE, rules=False)

    y = grid.rows(grid.head(y, band=ink, ink=WHITE, rules=False), BOTTOM, turn)
    paper.rule(LEFT, y, RIGHT, ink=ink, width=1)
    if y + 58 > BOTTOM:
        paper.next_page()
        _footer(bill, paper, p)
        y = 15.0
    _close(bill, paper, p, y + 8)


def _widths(bill: Bill) -> tuple[tuple[str, float], ...]:
    """An order document also has a column of promised dates."""
    if any(line.delivery_date for line in bill.lines):
        return tuple((key, {"description": 31.0, "promised": 22.0}.get(key, width)) for key, width in WIDTHS)
    return WIDTHS


def _close(bill: Bill, paper: Paper, p: Printing, y: float) -> None:
    ink = ACCENTS[bill.accent % len(ACCENTS)]
    low = paper.pairs(116, y, RIGHT - 3, parts.totals(bill, p), 9, leading=1.7)
    paper.fill(112, low - 2.5, RIGHT - 112, 11, ink, radius=2)
    label, total = parts.grand_total(bill, p)
    paper.text(116, low + 4.6, label, 11, bold=True, ink=WHITE)
    paper.text(RIGHT - 3, low + 4.6, total, 12, bold=True, align="right", ink=WHITE)
    paper.text(LEFT, y, p.label("payment"), 9, bold=True, ink=ink)
    y = paper.pairs(LEFT, y + 5.5, 100, parts.bank(bill, p), 8.6, label_ink=GREY)
    y = max(y, low + 14)
    if bill.payment_terms:
        y = paper.paragraph(LEFT, y, 172, f"{p.label('terms')}: {bill.payment_terms}", 8.6) + 2
    paper.text(LEFT, y, p.label("thanks"), 9, bold=True, ink=ink)


def _footer(bill: Bill, paper: Paper, p: Printing) -> None:
    paper.rule(LEFT, 281, RIGHT, width=0.4, ink=GREY)
    numbers = parts.joined(parts.tax_numbers(bill, p), "   |   ")
    paper.text(LEFT, 286, f"{bill.seller.name}   |   {numbers}", 7, ink=GREY)
    paper.text(
        RIGHT, 286, p.label("page", number=paper.number, count=paper.count), 7, align="right", ink=GREY
    )
