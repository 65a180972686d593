"""A printed form of boxes with small labels on top, totals in a strip along the bottom, as Italian and Brazilian programs print it."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import PALE, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 10.0, 200.0, 232.0
WIDTHS = (("article", 26.0), ("description", 60.0), ("unit", 12.0), ("quantity", 18.0), ("price", 22.0), ("discount", 14.0), ("amount", 24.0), ("vat", 14.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    columns = parts.spread(parts.columns(bill, p, WIDTHS), p.label("description"), RIGHT - LEFT)
    grid = Grid(paper, LEFT, columns, 8.2, padding=0.9)

    def start() -> float:
        top = _head(bill, paper, p)
        grid.verticals(top, BOTTOM)
        paper.rule(LEFT, top, RIGHT)
        paper.rule(LEFT, BOTTOM, RIGHT)
        return grid.head(top, band=PALE)

    def turn(_: int) -> float:
        paper.next_page()
        return start()

    grid.rows(start(), BOTTOM, turn)
    _close(bill, paper, p)


def _head(bill: Bill, paper: Paper, p: Printing) -> float:
    seller = bill.seller
    paper.frame(LEFT, 10, 92, 34)
    y = paper.paragraph(LEFT + 2, 16, 88, seller.name, 12, bold=True)
    numbers = [f"{label} {value}" for label, value in parts.tax_numbers(bill, p)]
    paper.stack(LEFT + 2, y, [*seller.address_lines, *numbers, *parts.contact(bill, p)], 7.6, leading=1.25)
    paper.frame(106, 10, RIGHT - 106, 34)
    paper.text(107.5, 13, parts.addressee(bill, p), 6.2)
    paper.stack(110, 20, parts.party(bill.buyer, p), 9.5, bold_first=True)
    label, value = parts.number(bill, p)
    page = p.label("page", number=paper.number, count=paper.count)
    first = [(page, parts.title(bill, p)), (label, value), *parts.dates(bill, p)[:2]]
    y = parts.cells(paper, LEFT, 47, RIGHT - LEFT, first)
    rest = parts.dates(bill, p)[2:]
    if bill.payment_terms:
        rest.append((p.label("terms"), bill.payment_terms))
    if rest:
        y = parts.cells(paper, LEFT, y, RIGHT - LEFT, rest)
    if money := parts.bank(bill, p):
        y = parts.cells(paper, LEFT, y, RIGHT - LEFT, money)
    return y + 3


def _close(bill: Bill, paper: Paper, p: Printing) -> None:
    if not bill.priced:
        paper.text(LEFT, BOTTOM + 8, p.label("thanks"), 9)
        return
    if bill.taxed:
        grid = Grid(paper, LEFT, parts.vat_rows(bill, p), 7.6, padding=0.7)
        grid.rows(grid.head(BOTTOM + 2, band=PALE), 290, lambda _: 0.0)
    strip = parts.wide_totals(bill, p)
    parts.cells(paper, LEFT, 266, 130, strip, height=11)
    label, total = parts.grand_total(bill, p)
    paper.frame(LEFT + 130, 266, RIGHT - LEFT - 130, 11, line=1.2)
    paper.text(LEFT + 132, 269.5, label, 7)
    paper.text(RIGHT - 2, 274.5, total, 13, bold=True, align="right")
