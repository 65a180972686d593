"""What the designs have in common: the columns of lines, the meta block, the totals, the bank details."""

from __future__ import annotations

from collections.abc import Sequence

from tests.samples.bill import Bill
from tests.samples.paper import Column
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
    return p.label(bill.document_type)


def number(bill: Bill, p: Printing) -> Pair:
    """The document's number with its label."""
    return p.label(f"{bill.document_type}_number"), bill.number


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
    if bill.discount_percent:
        rows.append((p.label("lines_total"), p.amount(bill.lines_total)))
        rate = p.percent(bill.discount_percent)
        rows.append((p.label("document_discount", rate=rate), f"-{p.amount(bill.discount_total)}"))
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
    key = "total" if bill.is_order else "credit" if bill.document_type == "credit_note" else "due"
    return p.label(key), p.money(bill.total_with_vat)


def bank(bill: Bill, p: Printing) -> list[Pair]:
    """Where to pay to."""
    seller = bill.seller
    iban = seller.account[:2].isalpha()
    rows = [(p.label("bank"), seller.bank)]
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
    return [buyer.name, buyer.street, buyer.town]


def addressee(bill: Bill, p: Printing) -> str:
    """The words over the buyer's address."""
    return p.label("buyer" if bill.is_order else "bill_to")


def joined(pairs: Sequence[Pair], separator: str = " · ") -> str:
    """Labels and values in one line."""
    return separator.join(f"{label}: {value}" for label, value in pairs)
