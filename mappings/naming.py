"""ERP values in the words that a person knows them by in Odoo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from mappings.analytic import described
from mappings.case import money, number
from mappings.erp_data import Distribution, Scalar
from mappings.index import ErpIndex


def named(index: ErpIndex, field: str, value: Scalar) -> str:
    """What Odoo shows for the value of a field: a partner's name, an account's code and name, taxes by name.

    Ids that the snapshot does not hold stay numbers; an empty value is a dash.
    """
    if value in (None, "", False):
        return "–"
    if field == "tax_ids" and isinstance(value, tuple):
        return ", ".join(_tax(index, one) for one in value) or "none"
    if isinstance(value, Distribution):
        return described(index, value)
    if field in _BY_ID and isinstance(value, int):
        return _BY_ID[field](index, value) or f"number {value}"
    if field == "price_unit" and isinstance(value, Decimal):
        return money(value)
    return number(value) if isinstance(value, Decimal) else str(value)


def _tax(index: ErpIndex, tax_id: int) -> str:
    tax = index.taxes.get(tax_id)
    return tax.name if tax else f"number {tax_id}"


def _partner(index: ErpIndex, partner_id: int) -> str:
    partner = index.partners.get(partner_id)
    return partner.name if partner else ""


def _currency(index: ErpIndex, currency_id: int) -> str:
    currency = index.currencies.get(currency_id)
    return currency.name if currency else ""


def _account(index: ErpIndex, account_id: int) -> str:
    account = index.accounts.get(account_id)
    return f"{account.code} {account.name}".strip() if account else ""


def _product(index: ErpIndex, product_id: int) -> str:
    product = index.products.get(product_id)
    if product is None:
        return ""
    return f"[{product.default_code}] {product.name}" if product.default_code else product.name


def _order_line(index: ErpIndex, line_id: int) -> str:
    for order in index.orders.values():
        for line in order.lines:
            if line.id == line_id:
                return f"{order.name}: {line.name}"
    return ""


_BY_ID: Mapping[str, Callable[[ErpIndex, int], str]] = {
    "partner_id": _partner,
    "currency_id": _currency,
    "account_id": _account,
    "product_id": _product,
    "purchase_line_id": _order_line,
    "id": _order_line,
}
