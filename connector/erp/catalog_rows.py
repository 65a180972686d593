"""One row of Odoo's as one record of the snapshot, whatever the version calls its fields."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.erp import values
from connector.erp.wire import Row
from mappings.erp_data import (
    BankAccount,
    Bill,
    OrderLine,
    PaymentTerm,
    PostedLine,
    Product,
    PurchaseOrder,
    VendorCode,
)


@dataclass(frozen=True, slots=True)
class Item:
    """A product as its own row tells it, with the ids of its template and category."""

    product: Product
    template: int
    category: int


def item(row: Row) -> Item:
    """A product with its category and template."""
    product = Product(
        id=int(row["id"]),
        name=values.text(row["name"]),
        default_code=values.text(row["default_code"]),
        barcode=values.text(row["barcode"]),
        uom_id=values.many2one(row.get("uom_po_id")) or values.many2one(row["uom_id"]),
        expense_account_id=values.many2one(row.get("property_account_expense_id")),
        supplier_tax_ids=values.many(row.get("supplier_taxes_id")),
        purchase_method=values.text(row.get("purchase_method")) or "receive",
        kind=_kind(row),
    )
    return Item(product, values.many2one(row["product_tmpl_id"]) or 0, values.many2one(row["categ_id"]) or 0)


def vendor_code(row: Row) -> tuple[tuple[str, int], VendorCode]:
    """Where a vendor's code belongs, a variant or a whole template, and the code."""
    variant, template = values.many2one(row["product_id"]), values.many2one(row["product_tmpl_id"]) or 0
    code = VendorCode(
        partner_id=values.many2one(row["partner_id"]) or 0,
        product_code=values.text(row["product_code"]),
        product_name=values.text(row["product_name"]),
        price=values.decimal(row["price"]),
    )
    return ("variant", variant) if variant else ("template", template), code


def bank_account(row: Row) -> BankAccount:
    """A bank account."""
    return BankAccount(
        id=int(row["id"]),
        partner_id=values.many2one(row["partner_id"]) or 0,
        number=values.text(row["sanitized_acc_number"]),
        active=bool(row.get("active", True)),
    )


def bill(row: Row) -> Bill:
    """A bill that exists already."""
    return Bill(
        id=int(row["id"]),
        partner_id=values.many2one(row["partner_id"]),
        company_id=values.many2one(row["company_id"]) or 0,
        move_type=values.text(row["move_type"]),
        state=values.text(row["state"]),
        ref=values.text(row["ref"]),
        invoice_date=values.day(row["invoice_date"]),
        amount_total=values.decimal(row["amount_total"]),
        currency_id=values.many2one(row["currency_id"]),
        name=values.text(row["name"]),
    )


def posted_line(row: Row) -> PostedLine:
    """A line of a posted bill."""
    return PostedLine(
        partner_id=values.many2one(row["partner_id"]) or 0,
        company_id=values.many2one(row["company_id"]) or 0,
        name=sys.intern(values.text(row["name"])),
        account_id=values.many2one(row["account_id"]) or 0,
        product_id=values.many2one(row["product_id"]),
        tax_ids=values.many(row["tax_ids"]),
        date=values.day(row["date"]),
        bill_id=values.many2one(row["move_id"]) or 0,
        analytic=values.distribution(row.get("analytic_distribution")),
        id=int(row["id"]),
    )


def order(row: Row) -> PurchaseOrder:
    """An order, still without its lines."""
    return PurchaseOrder(
        id=int(row["id"]),
        name=values.text(row["name"]),
        partner_id=values.many2one(row["partner_id"]) or 0,
        company_id=values.many2one(row["company_id"]) or 0,
        currency_id=values.many2one(row["currency_id"]) or 0,
        state=values.text(row["state"]),
        partner_ref=values.text(row["partner_ref"]),
    )


def order_line(row: Row) -> OrderLine:
    """A line of an order."""
    return OrderLine(
        id=int(row["id"]),
        order_id=values.many2one(row["order_id"]) or 0,
        name=values.text(row["name"]),
        product_id=values.many2one(row["product_id"]),
        product_qty=values.decimal(row["product_qty"]),
        price_unit=values.decimal(row["price_unit"]),
        discount=values.decimal(row.get("discount")),
        qty_received=values.decimal(row["qty_received"]),
        qty_invoiced=values.decimal(row["qty_invoiced"]),
        tax_ids=values.many(row["tax_ids"] if "tax_ids" in row else row.get("taxes_id")),
        date_planned=values.moment(row["date_planned"]),
        sequence=int(row.get("sequence") or 0),
    )


def payment_term(row: Row, parts: Sequence[Row], mode: str) -> PaymentTerm:
    """A term; Odoo 16 has the discount on its line, and on the company (`mode`) how VAT goes with it."""
    of = row if "early_discount" in row else parts[0] if len(parts) == 1 else {}
    granted = bool(row.get("early_discount", True)) and bool(of.get("discount_percentage"))
    return PaymentTerm(
        id=int(row["id"]),
        name=values.text(row["name"]),
        days=_days(parts),
        discount=values.decimal(of["discount_percentage"]) if granted else Decimal(0),
        discount_days=int(of.get("discount_days") or 0) if granted else 0,
        discount_mode=(values.text(row.get("early_pay_discount_computation")) or mode) if granted else "",
    )


def _days(parts: Sequence[Row]) -> int | None:
    """The days after the invoice date, where a term is one line that says no more than that."""
    if len(parts) != 1:
        return None
    [part] = parts
    if part.get("delay_type", "days_after") != "days_after" or part.get("months") or part.get("end_month"):
        return None
    days = part.get("nb_days", part.get("days"))
    return int(days) if days is not None else None


def _kind(row: Row) -> str:
    """`service`, or `consu` for goods; before Odoo 18 stored goods are `product`, a combination says nothing."""
    kind = values.text(row.get("detailed_type") or row.get("type"))
    return "consu" if kind == "product" else kind if kind in ("consu", "service") else ""


def digits(description: Mapping[str, Any]) -> int | None:
    """The digits after the point that a float field keeps; None where it keeps all."""
    digits = description.get("digits")
    return int(digits[1]) if digits else None
