"""A French facture: framed blocks, a strip of references, a ruled table, the VAT recapitulated by rate."""

from __future__ import annotations

from tests.samples.bill import Bill
from tests.samples.designs import parts
from tests.samples.paper import ACCENTS, GREY, PALE, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT, BOTTOM = 14.0, 196.0, 212.0
WIDTHS = (("article", 27.0), ("description", 58.0), ("quantity", 17.0), ("unit", 12.0), ("price", 22.0), ("discount", 14.0), ("vat", 14.0), ("amount", 18.0), ("promised", 0.0))  # fmt: skip
PENALTIES = (
    "En cas de retard de paiement, pénalités au taux de trois fois l'intérêt légal et indemnité forfaitaire "
    "pour frais de recouvrement de 40 € (art. L441-10 et D441-5 du code de commerce). Pas d'escompte pour "
    "paiement anticipé."
)


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the whole document."""
    p = Printing.of(bill)
    _head(bill, paper, p)
    columns = parts.columns(bill, p, WIDTHS)
    grid = Grid(paper, LEFT, columns, 8.6, padding=1.3)
    y = 98.0
    for note in bill.notes:
        y = paper.paragraph(LEFT, y, RIGHT - LEFT, note, 8.6)
    top = y

    def turn(index: int) -> float:
        nonlocal top
        grid.verticals(top, BOTTOM)
        paper.rule(LEFT, BOTTOM, RIGHT)
        _legal(bill, paper, p)
        paper.next_page()
        _head(bill, paper, p)
        top = 98.0
        return grid.head(top, band=PALE)

    paper.rule(LEFT, y, RIGHT)
    grid.rows(grid.head(y, band=PALE), BOTTOM, turn)
    paper.rule(LEFT, top, RIGHT)
    grid.verticals(top, BOTTOM)
    paper.rule(LEFT, BOTTOM, RIGHT)
    _close(bill, paper, p)
    _legal(bill, paper, p)


def _head(bill: Bill, paper: Paper, p: Printing) -> None:
    seller, ink = bill.seller, ACCENTS[bill.accent % len(ACCENTS)]
    paper.mark(LEFT, 12, 13, bill.accent)
    title = parts.title(bill, p)
    y = paper.paragraph(LEFT + 17, 17, 75, seller.name, 14, bold=True, ink=ink)
    paper.stack(LEFT + 17, y, [*seller.address_lines, *parts.contact(bill, p)], 8.3)
    paper.fitted(RIGHT, 20, RIGHT - 108, title, 20, bold=True, align="right", ink=ink)
    paper.text(RIGHT, 27, p.label("page", number=paper.number, count=paper.count), 8, align="right")
    paper.frame(108, 42, RIGHT - 108, 30, line=0.8)
    paper.text(111, 47, parts.addressee(bill, p), 7.5, ink=GREY)
    y = paper.stack(111, 53, parts.recipient(bill), 10, bold_first=True)
    paper.text(111, y + 1, f"{p.label('buyer_vat_id')} : {bill.buyer.vat_id}", 8)
    strip = [parts.number(bill, p), *parts.dates(bill, p)]
    width = (RIGHT - LEFT) / len(strip)
    paper.fill(LEFT, 78, RIGHT - LEFT, 6, PALE)
    paper.frame(LEFT, 78, RIGHT - LEFT, 14)
    paper.rule(LEFT, 84, RIGHT)
    for index, (label, value) in enumerate(strip):
        middle = LEFT + width * (index + 0.5)
        paper.text(middle, 82.2, label, 8, align="center")
        paper.text(middle, 89.5, value, 9.5, bold=True, align="center")
        if index:
            paper.rule(LEFT + width * index, 78, LEFT + width * index, 92)


def _close(bill: Bill, paper: Paper, p: Printing) -> None:
    y = BOTTOM + 4
    if len(bill.vat_breakdown) > 1 or (bill.taxed and not bill.discount_percent):
        titles = (p.label("base"), p.label("vat"), p.label("total_vat"))
        edges = (LEFT + 30, LEFT + 52, LEFT + 84)
        height = 6 + 5.2 * len(bill.vat_breakdown)
        paper.frame(LEFT, y, 86, height)
        paper.fill(LEFT + 0.2, y + 0.2, 85.6, 5.4, PALE)
        for edge, label in zip(edges, titles, strict=True):
            paper.text(edge, y + 4, label, 8, align="right")
        for index, row in enumerate(bill.vat_breakdown):
            cells = (p.amount(row.taxable_amount), p.percent(row.vat_rate), p.amount(row.vat_amount))
            for edge, cell in zip(edges, cells, strict=True):
                paper.text(edge, y + 9.8 + 5.2 * index, cell, 8.6, align="right")
        y += height + 5
    rows = parts.totals(bill, p)
    low = paper.pairs(112, BOTTOM + 8, RIGHT - 3, rows, 9.2, leading=1.6)
    paper.fill(109, low - 3, RIGHT - 109, 8, PALE)
    paper.frame(109, BOTTOM + 3, RIGHT - 109, low + 5 - BOTTOM - 3, line=0.8)
    label, total = parts.grand_total(bill, p)
    paper.text(112, low + 2.4, label, 11, bold=True)
    paper.text(RIGHT - 3, low + 2.4, total, 11, bold=True, align="right")
    if bill.payment_terms:
        y = paper.paragraph(LEFT, y + 1, 90, f"{p.label('terms')} : {bill.payment_terms}", 8.4) + 1
    paper.stack(LEFT, y, [f"{label} : {value}" for label, value in parts.bank(bill, p)], 8.4)


def _legal(bill: Bill, paper: Paper, p: Printing) -> None:
    if bill.seller.country == "FR":
        paper.paragraph(LEFT, 273, RIGHT - LEFT, PENALTIES, 6.6, ink=GREY)
    paper.rule(LEFT, 282, RIGHT, width=0.4, ink=GREY)
    numbers = parts.joined(parts.tax_numbers(bill, p), " — ")
    paper.text(105, 286.5, f"{bill.seller.name} — {bill.seller.address}", 7, align="center", ink=GREY)
    paper.text(105, 290, numbers, 7, align="center", ink=GREY)
