"""A wholesaler's print-out: small type, many columns, pages with carried-forward totals."""

from __future__ import annotations

from tests.samples.bill import ZERO, Bill
from tests.samples.designs import parts
from tests.samples.paper import ACCENTS, GREY, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 14.0, 196.0, 258.0
WIDTHS = (("pos", 9.0), ("article", 29.0), ("description", 54.0), ("quantity", 15.0), ("unit", 12.0), ("price", 20.0), ("discount", 14.0), ("vat", 13.0), ("amount", 16.0), ("promised", 0.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    grid = Grid(paper, LEFT, parts.columns(bill, p, _widths(bill)), 7.4, padding=0.9)
    _head(bill, paper, p)
    y = _address(bill, paper, p)

    def turn(index: int) -> float:
        carried = p.money(sum((line.line_net_amount for line in bill.lines[:index]), ZERO))
        _sum_row(paper, BOTTOM + 1, p.label("carried"), carried)
        paper.next_page()
        _head(bill, paper, p)
        y = grid.head(36)
        _sum_row(paper, y, p.label("brought"), carried)
        return y + 6

    paper.rule(LEFT, y, RIGHT, width=0.8)
    y = grid.rows(grid.head(y), BOTTOM, turn)
    if y + 44 > BOTTOM + 8:
        carried = p.money(bill.lines_total)
        _sum_row(paper, y + 1, p.label("carried"), carried)
        paper.next_page()
        _head(bill, paper, p)
        _sum_row(paper, 36, p.label("brought"), carried)
        y = 42.0
    _close(bill, paper, p, y)


def _widths(bill: Bill) -> tuple[tuple[str, float], ...]:
    """An order document also has a column of promised dates."""
    if any(line.delivery_date for line in bill.lines):
        return tuple((key, {"description": 36.0, "promised": 18.0}.get(key, width)) for key, width in WIDTHS)
    return WIDTHS


def _head(bill: Bill, paper: Paper, p: Printing) -> None:
    seller, ink = bill.seller, ACCENTS[bill.accent % len(ACCENTS)]
    paper.mark(LEFT, 10, 9, bill.accent)
    paper.text(LEFT + 12, 14.5, seller.name, 12, bold=True, ink=ink)
    line = " · ".join(filter(None, (*seller.address_lines, *parts.contact(bill, p))))
    paper.fitted(LEFT + 12, 18.8, RIGHT - LEFT - 12, line, 6.8, ink=GREY)
    paper.rule(LEFT, 22, RIGHT, width=1.5, ink=ink)
    label, value = parts.number(bill, p)
    running = f"{parts.title(bill, p)}   {label} {value}   {p.day(bill.issue_date)}"
    paper.text(LEFT, 28, running, 8.2, bold=True)
    paper.text(RIGHT, 28, p.label("page", number=paper.number, count=paper.count), 8.2, align="right")
    paper.rule(LEFT, 276, RIGHT, width=0.4, ink=GREY)
    paper.text(LEFT, 280, parts.joined(parts.tax_numbers(bill, p)), 6.6, ink=GREY)
    paper.text(LEFT, 284, parts.joined(parts.bank(bill, p)), 6.6, ink=GREY)


def _address(bill: Bill, paper: Paper, p: Printing) -> float:
    paper.text(LEFT, 40, parts.addressee(bill, p), 7, ink=GREY)
    buyer = [*parts.recipient(bill), f"{p.label('buyer_vat_id')}: {bill.buyer.vat_id}"]
    y = paper.stack(LEFT, 45, buyer, 9)
    rows = [parts.number(bill, p), *parts.dates(bill, p)]
    y = max(y, paper.pairs(120, 40, RIGHT, rows, 8.4, label_ink=GREY))
    for note in bill.notes:
        y = paper.paragraph(LEFT, y + 2, RIGHT - LEFT, note, 8)
    return y + 3


def _sum_row(paper: Paper, y: float, label: str, amount: str) -> None:
    paper.text(RIGHT - 32, y + 3.6, label, 7.6, bold=True, align="right")
    paper.text(RIGHT - 1, y + 3.6, amount, 7.6, bold=True, align="right")
    paper.rule(LEFT, y + 5.4, RIGHT, width=0.3)


def _close(bill: Bill, paper: Paper, p: Printing, y: float) -> None:
    paper.rule(LEFT, y + 1, RIGHT, width=0.8)
    low = paper.pairs(122, y + 6, RIGHT - 1, parts.totals(bill, p), 8.2)
    label, total = parts.grand_total(bill, p)
    low = paper.pairs(122, low + 0.5, RIGHT - 1, [(label, total)], 9.6, bold=True)
    paper.rule(122, low - 3.4, RIGHT, width=1)
    if bill.payment_terms:
        paper.paragraph(LEFT, y + 6, 96, f"{p.label('terms')}: {bill.payment_terms}", 8)
