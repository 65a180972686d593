"""What the designs have in common: the columns of lines, the meta block, the totals, the bank details."""

from __future__ import annotations

from collections.abc import Sequence

from tests.samples.bill import Bill, Party
from tests.samples.paper import GREY, Column, Paper
from tests.samples.printing import Printing

ALIGN = {"description": "left", "article": "left", "unit": "left", "pos": "left", "promised": "left"}
Pair = tuple[str, str]


def columns(bill: Bill, p: Printing, widths: Sequence[tuple[str, float]]) -> list[Column]:
    """The columns named in `widths`, without those that no line fills; "description" takes what they leave."""
    cells = {
        "pos": [str(number) for number in range(1, len(bill.lines) + 1)],
        "article": [line.item_seller_id for line in bill.lines],
        "description": [line.item_name for line in bill.lines],
        "quantity": [p.quantity(line.quantity) for line in bill.lines],
        "unit": [p.unit(line.unit) for line in bill.lines],
        "price": [p.price(line.net_price) for line in bill.lines],
        "discount": [
            p.percent(line.discount_percent) if line.discount_percent else "" for line in bill.lines
        ],
        "vat": [p.percent(line.vat_rate) for line in bill.lines],
        "amount": [p.amount(line.line_net_amount) for line in bill.lines],
        "promised": [p.day(line.delivery_date) if line.delivery_date else "" for line in bill.lines],
    }
    if not bill.priced:
        cells |= {key: [] for key in ("price", "discount", "vat", "amount")}
    if not bill.taxed:
        cells["vat"] = []
    kept = [(key, width) for key, width in widths if any(cells[key])]
    spare = sum(width for key, width in widths) - sum(width for _, width in kept)
    return [
        Column(
            p.label(key), width + (spare if key == "description" else 0), ALIGN.get(key, "right"), cells[key]
        )
        for key, width in kept
    ]


def title(bill: Bill, p: Printing) -> str:
    """What the document calls itself."""
    return p.label(_kind(bill))


def _kind(bill: Bill) -> str:
    """The document's type as a label's key; "order" is the label of the buyer's reference."""
    return "purchase_order" if bill.document_type == "order" else bill.document_type


def number(bill: Bill, p: Printing) -> Pair:
    """The document's number with its label."""
    return p.label(f"{_kind(bill)}_number"), bill.number


def dates(bill: Bill, p: Printing) -> list[Pair]:
    """Dates and references of the document, with their labels."""
    issued = "issue_date" if bill.document_type == "invoice" else "document_date"
    rows = [(p.label(issued), p.day(bill.issue_date))]
    if bill.delivery_date:
        rows.append((p.label("delivery_date"), p.day(bill.delivery_date)))
    if bill.due_date:
        rows.append((p.label("due_date"), p.day(bill.due_date)))
    if bill.order_reference:
        rows.append((p.label("order"), bill.order_reference))
    if bill.preceding_invoice:
        rows.append((p.label("preceding"), bill.preceding_invoice))
    return rows


def totals(bill: Bill, p: Printing) -> list[Pair]:
    """The rows under the lines, up to the total without VAT and the VAT of each rate."""
    rows: list[Pair] = []
    if not bill.priced:
        return rows
    if bill.discount_percent:
        rows.append((p.label("lines_total"), p.amount(bill.lines_total)))
        rate = p.percent(bill.discount_percent)
        rows.append((p.label("document_discount", rate=rate), f"-{p.amount(bill.discount_total)}"))
    if not bill.taxed:
        return rows
    rows.append((p.label("subtotal"), p.money(bill.total_without_vat)))
    rows += [
        (p.label("vat_of", rate=p.percent(row.vat_rate), base=p.amount(row.taxable_amount)), p.money(row.vat_amount))
        for row in bill.vat_breakdown
    ]  # fmt: skip
    if len(bill.vat_breakdown) > 1:
        rows.append((p.label("total_vat"), p.money(bill.total_vat)))
    return rows


def grand_total(bill: Bill, p: Printing) -> Pair:
    """The last row of the totals."""
    asked = "due" if bill.asks else "billed"
    key = "total" if bill.is_order else "credit" if bill.document_type == "credit_note" else asked
    return p.label(key), p.money(bill.total_with_vat)


def bank(bill: Bill, p: Printing) -> list[Pair]:
    """Where to pay to."""
    seller = bill.seller
    iban = seller.account[:2].isalpha()
    rows = [(p.label("bank"), seller.bank)] if seller.account else []
    if seller.account:
        rows.append((p.label("account" if iban else "local_account"), p.account(seller.account)))
    if seller.routing:
        rows.append((p.label("routing"), seller.routing))
    if seller.bic:
        rows.append(("BIC", seller.bic))
    if bill.payment_reference:
        rows.append((p.label("reference"), bill.payment_reference))
    return [row for row in rows if row[1]]


def tax_numbers(bill: Bill, p: Printing) -> list[Pair]:
    """The seller's identifiers."""
    seller = bill.seller
    rows = [
        (p.label("vat_id"), seller.vat_id),
        (p.label("tax_id"), seller.tax_id),
        (p.label("registration"), seller.registration),
    ]
    return [row for row in rows if row[1]]


def contact(bill: Bill, p: Printing) -> list[str]:
    """Telephone, e-mail and website, where the seller has them."""
    seller = bill.seller
    phone = f"{p.label('phone')} {seller.phone}" if seller.phone else ""
    return [row for row in (phone, seller.email, seller.website) if row]


def recipient(bill: Bill) -> list[str]:
    """The buyer's address block."""
    buyer = bill.buyer
    return [buyer.name, *buyer.address_lines]


def addressee(bill: Bill, p: Printing) -> str:
    """The words over the buyer's address."""
    return p.label("buyer" if bill.is_order else "bill_to")


def joined(pairs: Sequence[Pair], separator: str = " · ") -> str:
    """Labels and values in one line."""
    return separator.join(f"{label}: {value}" for label, value in pairs)


def facts(bill: Bill, p: Printing) -> list[Pair]:
    """The number, the dates, the references and the terms, with their labels."""
    rows = [number(bill, p), *dates(bill, p)]
    if bill.payment_terms:
        rows.append((p.label("terms"), bill.payment_terms))
    return rows


def party(who: Party, p: Printing) -> list[str]:
    """An address block with the party's VAT id under its address, where it has one."""
    tax = f"{p.label('vat_id')}: {who.vat_id}" if who.vat_id else ""
    return [who.name, *who.address_lines, tax]


def spread(columns: Sequence[Column], named: str, width: float) -> list[Column]:
    """The columns stretched to a width: what is left over goes to the column titled `named`."""
    rest = width - sum(column.width for column in columns)
    return [c._replace(width=c.width + rest) if c.title == named else c for c in columns]


def cells(
    paper: Paper,
    x: float,
    y: float,
    width: float,
    rows: Sequence[Pair],
    *,
    height: float = 9,
    below: bool = False,
) -> float:
    """Boxes of equal width side by side, each with a small label over (or `below`) its value; returns their bottom."""
    step = width / max(len(rows), 1)
    for index, (label, value) in enumerate(rows):
        left = x + index * step
        paper.frame(left, y, step, height)
        at, under = (y + height - 1.2, y + height - 5) if below else (y + 2.8, y + height - 1.8)
        paper.fitted(left + 1.2, at, step - 2, label, 6.2, ink=GREY)
        paper.fitted(left + 1.2, under, step - 2, value, 9, bold=True)
    return y + height


def vat_rows(bill: Bill, p: Printing) -> list[Column]:
    """A table of the VAT by rate: rate, base, VAT and both together."""
    rows = bill.vat_breakdown
    return [
        Column(p.label("vat"), 18, "right", [p.percent(row.vat_rate) for row in rows]),
        Column(p.label("base"), 28, "right", [p.amount(row.taxable_amount) for row in rows]),
        Column(p.label("total_vat"), 26, "right", [p.amount(row.vat_amount) for row in rows]),
    ]


def wide_totals(bill: Bill, p: Printing) -> list[Pair]:
    """The totals for a strip of boxes: sum of lines and discount, net, VAT."""
    rows = totals(bill, p)[:2] if bill.discount_percent else []
    if not bill.taxed:
        return rows
    return [
        *rows,
        (p.label("subtotal"), p.amount(bill.total_without_vat)),
        (p.label("total_vat"), p.amount(bill.total_vat)),
    ]


def lettering(bill: Bill, p: Printing) -> list[str]:
    """All that the foot of a page says of the seller and of the payment, as short rows."""
    seller = bill.seller
    rows = [" · ".join(filter(None, (seller.name, *seller.address_lines)))]
    rows += [joined(tax_numbers(bill, p)), " · ".join(contact(bill, p))]
    return [row for row in (*rows, joined(bank(bill, p))) if row]
