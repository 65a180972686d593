"""A German dunning letter: it names an open invoice and a fee, and is not a bill."""

from __future__ import annotations

from decimal import Decimal

from tests.samples.bill import Bill
from tests.samples.designs import din5008
from tests.samples.paper import GREY, Column, Grid, Paper
from tests.samples.printing import Printing

LEFT, RIGHT = din5008.LEFT, din5008.RIGHT


def fee(bill: Bill) -> Decimal:
    """The dunning fee."""
    return Decimal(bill.extra["fee"])


def draw(bill: Bill, paper: Paper) -> None:
    """Draw the letter about `bill.preceding_invoice`; `extra` holds its "invoice_date" as printed and the "fee"."""
    p = Printing.of(bill)
    din5008.letterhead(bill, paper)
    din5008.address(bill, paper)
    rows = [("Datum", p.day(bill.issue_date)), ("Kundennummer", "10417")]
    rows.append((p.label("buyer_vat_id"), bill.buyer.vat_id))
    paper.pairs(125, 52, RIGHT, rows, 9, label_ink=GREY)
    paper.text(LEFT, 104, f"Zahlungserinnerung zu unserer Rechnung {bill.preceding_invoice}", 12.5, bold=True)
    due = bill.due_date or bill.issue_date
    opening = (
        "Sehr geehrte Damen und Herren,\n\nsicher ist es Ihrer Aufmerksamkeit entgangen, dass die unten genannte "
        f"Rechnung noch offen ist. Bitte überweisen Sie den Betrag bis zum {p.day(due)}. Sollten Sie inzwischen "
        "gezahlt haben, betrachten Sie dieses Schreiben bitte als gegenstandslos."
    )
    y = paper.paragraph(LEFT, 114, RIGHT - LEFT, opening, 10, leading=1.4) + 4
    columns = [
        Column("Rechnung", 40, "left", [bill.preceding_invoice, "Mahngebühr"]),
        Column("Rechnungsdatum", 45, "left", [bill.extra["invoice_date"], ""]),
        Column("Offener Betrag", 85, "right", [p.money(bill.total_with_vat), p.money(fee(bill))]),
    ]
    grid = Grid(paper, LEFT, columns, 9.5, ruled=True)
    y = grid.rows(grid.head(y), 250, lambda _: 250.0)
    paper.pairs(
        LEFT + 1,
        y + 7,
        RIGHT - 1,
        [("Offen gesamt", p.money(bill.total_with_vat + fee(bill)))],
        11,
        bold=True,
    )
    paper.paragraph(
        LEFT, y + 22, RIGHT - LEFT, f"Mit freundlichen Grüßen\n\n{bill.seller.name}\nBuchhaltung", 10
    )
    din5008.footer(bill, paper, p)
