"""Buyer on the left and seller on the right, facts and totals with dotted leaders in a column, a list without rules."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 20.0, 192.0, 262.0
WIDTHS = (("pos", 10.0), ("description", 60.0), ("article", 24.0), ("quantity", 16.0), ("unit", 13.0), ("price", 22.0), ("discount", 14.0), ("vat", 14.0), ("amount", 25.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    paper.text(105, 22, parts.title(bill, p), 16, bold=True, align="center")
    paper.text(LEFT, 36, parts.addressee(bill, p), 8.5, bold=True)
    left = paper.stack(LEFT, 41.5, parts.party(bill.buyer, p), 9.4)
    numbers = [f"{label} {value}" for label, value in parts.tax_numbers(bill, p)]
    paper.text(112, 36, p.label("seller"), 8.5, bold=True)
    seller = [bill.seller.name, *bill.seller.address_lines, *numbers, *parts.contact(bill, p)]
    right = paper.stack(112, 41.5, seller, 9.4)
    y = max(left, right) + 6
    for label, value in parts.facts(bill, p):
        y = _led(paper, LEFT, y, LEFT + 92, f"{label}", value, 9)
    columns = parts.spread(parts.columns(bill, p, WIDTHS), p.label("description"), RIGHT - LEFT)
    grid = Grid(paper, LEFT, columns, 8.6, padding=1.0)

    def turn(_: int) -> float:
        paper.next_page()
        return grid.head(20)

    y = grid.rows(grid.head(y + 4), BOTTOM, turn)
    if y + 50 > BOTTOM + 12:
        paper.next_page()
        y = 20.0
    y += 8
    if bill.priced:
        for label, value in parts.totals(bill, p):
            y = _led(paper, 100, y, RIGHT - 1, label, value, 9)
        y = _led(paper, 100, y + 1, RIGHT - 1, *parts.grand_total(bill, p), 10.5, bold=True)
    y = paper.stack(LEFT, y + 3, [f"{label}: {value}" for label, value in parts.bank(bill, p)], 8.8)
    paper.text(LEFT, y + 3, p.label("thanks"), 9)
    paper.text(105, 288, p.label("page", number=paper.number, count=paper.count), 7.5, align="center")


def _led(
    paper: Paper, x: float, y: float, right: float, label: str, value: str, size: float, bold: bool = False
) -> float:
    """A label, dots, and the value flush right, smaller where they need it; returns the next baseline."""
    size = paper.fit(f"{label}   {value}", right - x, size, bold)
    start = x + paper.text(x, y, label, size, bold=bold) + 1
    end = right - paper.text(right, y, value, size, bold=bold, align="right") - 1
    dots = "." * max(0, int((end - start) / paper.measure(".", size)) - 1)
    if dots:
        paper.text(start, y, dots, size)
    return y + size * 0.353 * 1.5
