"""Seller and buyer side by side under their headings, the VAT by rate under the lines, two signatures: the Polish form."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import GREY, Column, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 18.0, 192.0, 262.0
WIDTHS = (("pos", 9.0), ("description", 50.0), ("article", 20.0), ("quantity", 15.0), ("unit", 12.0), ("price", 20.0), ("discount", 14.0), ("amount", 22.0), ("vat", 15.0))  # fmt: skip


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    label, value = parts.number(bill, p)
    title = parts.title(bill, p)
    if title.casefold() not in label.casefold():
        paper.text(105, 20, title, 13, bold=True, align="center")
    paper.text(105, 27, f"{label} {value}", 13, bold=True, align="center")
    facts = [f"{label}: {value}" for label, value in parts.facts(bill, p)[1:]]
    low = paper.stack(RIGHT, 35, [f"{bill.seller.city}", *facts], 8.6, align="right")
    low = _parties(bill, paper, p, low + 4)
    grid = Grid(
        paper, LEFT, parts.spread(parts.columns(bill, p, WIDTHS), p.label("description"), RIGHT - LEFT), 8.2
    )
    top = low + 4

    def turn(_: int) -> float:
        nonlocal top
        grid.verticals(top, BOTTOM)
        paper.rule(LEFT, BOTTOM, RIGHT)
        paper.next_page()
        top = 20.0
        paper.rule(LEFT, top, RIGHT)
        return grid.head(top)

    paper.rule(LEFT, top, RIGHT)
    grid.ruled = True
    y = grid.rows(grid.head(top), BOTTOM, turn)
    grid.verticals(top, y)
    if y + 66 > BOTTOM + 16:
        paper.next_page()
        y = 18.0
    _close(bill, paper, p, y + 5)
    paper.text(105, 291, p.label("page", number=paper.number, count=paper.count), 7, align="center", ink=GREY)


def _parties(bill: Bill, paper: Paper, p: Printing, y: float) -> float:
    seller = [*parts.party(bill.seller, p), *parts.contact(bill, p)]
    numbers = [(label, value) for label, value in parts.tax_numbers(bill, p) if value != bill.seller.vat_id]
    seller += [f"{label}: {value}" for label, value in numbers]
    sides = [(p.label("seller"), seller), (parts.addressee(bill, p), parts.party(bill.buyer, p))]
    if bill.accent % 3 == 0:
        sides.reverse()
    low = y
    for x, (heading, rows) in zip((LEFT, 108.0), sides, strict=True):
        paper.text(x, y, f"{heading}:", 9, bold=True)
        paper.rule(x, y + 1.5, x + 80, width=0.6)
        under = paper.paragraph(x, y + 6.5, 80, rows[0], 9.5, bold=True)
        low = max(low, paper.stack(x, under, rows[1:], 9))
    return low


def _close(bill: Bill, paper: Paper, p: Printing, y: float) -> None:
    if bill.priced:
        low = _by_rate(bill, paper, p, y) if bill.taxed else y + 12
        if bill.discount_percent:
            paper.pairs(LEFT, y + 5, LEFT + 66, parts.totals(bill, p)[:2], 8.4)
        label, total = parts.grand_total(bill, p)
        paper.text(LEFT, low + 9, f"{label}: {total}", 13, bold=True)
        y = low + 16
    y = paper.stack(LEFT, y, [f"{label}: {value}" for label, value in parts.bank(bill, p)], 8.6)
    paper.text(LEFT, y + 3, p.label("thanks"), 8.6)
    for x in (LEFT + 5, 125):
        paper.rule(x, min(y + 22, 284), x + 55, width=0.4, ink=GREY)


def _by_rate(bill: Bill, paper: Paper, p: Printing, y: float) -> float:
    """The table of the VAT by rate with its sums in the last row; returns the bottom."""
    gross = [p.amount(row.taxable_amount + row.vat_amount) for row in bill.vat_breakdown]
    columns = [*parts.vat_rows(bill, p), Column(p.label("total"), 28, "right", gross)]
    sums = ("Σ", *map(p.amount, (bill.total_without_vat, bill.total_vat, bill.total_with_vat)))
    columns = [c._replace(cells=[*c.cells, last]) for c, last in zip(columns, sums, strict=True)]
    grid = Grid(paper, RIGHT - 100, columns, 8.2, ruled=True, padding=0.9)
    return grid.rows(grid.head(y), 290, lambda _: 0.0)
