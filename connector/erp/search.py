"""Records of the ERP that a person may choose from, found by what they type."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.erp import values
from connector.erp.port import BILL, ORDER, Capabilities, Choice
from connector.erp.records import BILL_TYPES
from connector.erp.transport import Session
from connector.erp.wire import Row
from connector.errors import SkippableError

MOST = 20
_BILLABLE = ["purchase", "done"]
_BOOKED_ON = [
    "expense",
    "expense_direct_cost",
    "expense_depreciation",
    "expense_other",
    "asset_current",
    "asset_non_current",
    "asset_prepayments",
    "asset_fixed",
]


@dataclass(frozen=True, slots=True)
class _Source:
    """How one model is searched: the fields that hold what is typed, what is never offered, the order, and how a row is
    told. `vendor` is the field that leads to the partner; with `of_vendor` nothing is offered without one. `unasked` narrows what
    is offered before anything is typed."""

    searched: tuple[str, ...]
    read: tuple[str, ...]
    told: Callable[[Row], tuple[str, str]]
    always: tuple[tuple[str, str, Any], ...] = ()
    order: str = "name, id"
    vendor: str = ""
    of_vendor: bool = False
    unasked: tuple[tuple[str, str, Any], ...] = ()


def _plain(*parts: object) -> str:
    return " · ".join(str(part) for part in parts if part)


def _name(value: Any) -> str:
    """The name of a many2one read with its name."""
    return str(value[1]) if isinstance(value, list) and value else ""  # pyright: ignore[reportUnknownArgumentType]


def _partner(row: Row) -> tuple[str, str]:
    return values.text(row["name"]), _plain(values.text(row["vat"]), values.text(row["city"]))


def _product(row: Row) -> tuple[str, str]:
    return values.text(row["name"]), _plain(values.text(row["default_code"]), values.text(row["barcode"]))


def _account(row: Row) -> tuple[str, str]:
    return _plain_space(values.text(row["code"]), values.text(row["name"])), ""


def _plain_space(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _tax(row: Row) -> tuple[str, str]:
    rate = f"{values.decimal(row['amount']).normalize():f} %" if row["amount_type"] == "percent" else ""
    return values.text(row["name"]), rate if rate not in values.text(row["name"]) else ""


def _order(row: Row) -> tuple[str, str]:
    return values.text(row["name"]), _plain(_name(row["partner_id"]), values.text(row["partner_ref"]))


def _order_line(row: Row) -> tuple[str, str]:
    ordered, received, billed = (
        f"{values.decimal(row[name]).normalize():f}"
        for name in ("product_qty", "qty_received", "qty_invoiced")
    )
    return _plain(_name(row["order_id"]), values.text(row["name"])), f"{ordered} / {received} / {billed}"


def _company(row: Row) -> tuple[str, str]:
    return values.text(row["name"]), ""


def _currency(row: Row) -> tuple[str, str]:
    return values.text(row["name"]), values.text(row.get("full_name")) or values.text(row["symbol"])


def _bank_account(row: Row) -> tuple[str, str]:
    return values.text(row["acc_number"]), _name(row["bank_id"])


def _bill(row: Row) -> tuple[str, str]:
    name = values.text(row["name"])
    number = name if name not in ("", "/") else f"#{row['id']}"
    total = f"{values.decimal(row['amount_total']):.2f} {_name(row['currency_id'])}"
    return _plain(number, values.text(row["ref"])), _plain(
        _name(row["partner_id"]), values.text(row["invoice_date"]), total
    )


_SOURCES: Mapping[str, _Source] = {
    "res.partner": _Source(
        ("name", "vat", "ref", "email", "company_registry"),
        ("name", "vat", "city"),
        _partner,
        (("parent_id", "=", False),),
        "supplier_rank desc, name, id",
    ),
    "product.product": _Source(
        ("name", "default_code", "barcode", "seller_ids.product_code", "seller_ids.product_name"),
        ("name", "default_code", "barcode"),
        _product,
        (("purchase_ok", "=", True),),
    ),
    "account.account": _Source(
        ("code", "name"),
        ("code", "name"),
        _account,
        (("account_type", "in", _BOOKED_ON), ("deprecated", "=", False)),
        "code, id",
        unasked=(("account_type", "like", "expense"),),
    ),
    "account.tax": _Source(
        ("name", "description"),
        ("name", "amount", "amount_type"),
        _tax,
        (("type_tax_use", "=", "purchase"),),
        "sequence, id",
    ),
    ORDER: _Source(
        ("name", "partner_ref"),
        ("name", "partner_id", "partner_ref"),
        _order,
        (("state", "in", _BILLABLE),),
        "id desc",
        vendor="partner_id",
    ),
    "purchase.order.line": _Source(
        ("name", "order_id.name", "product_id.default_code"),
        ("name", "order_id", "product_qty", "qty_received", "qty_invoiced"),
        _order_line,
        (("order_id.state", "in", _BILLABLE), ("display_type", "=", False)),
        "order_id desc, id",
        vendor="order_id.partner_id",
    ),
    "res.company": _Source(("name",), ("name",), _company, order="sequence, name"),
    "res.currency": _Source(("name", "full_name"), ("name", "full_name", "symbol"), _currency),
    "res.partner.bank": _Source(
        ("acc_number", "sanitized_acc_number"),
        ("acc_number", "bank_id"),
        _bank_account,
        order="id",
        vendor="partner_id",
        of_vendor=True,
    ),
    BILL: _Source(
        ("name", "ref"),
        ("name", "ref", "partner_id", "invoice_date", "amount_total", "currency_id"),
        _bill,
        (("move_type", "in", list(BILL_TYPES)), ("state", "!=", "cancel")),
        "invoice_date desc, id desc",
        vendor="partner_id",
    ),
}
SEARCHABLE = frozenset(_SOURCES)


def search(
    session: Session,
    capabilities: Capabilities,
    model: str,
    text: str,
    companies: Collection[int] | None,
    vendor: int | None,
    limit: int,
) -> tuple[Choice, ...]:
    """See `connector.erp.port.Erp.search`."""
    source = _SOURCES.get(model)
    if source is None:
        raise SkippableError(f"{model} is not a model to choose from", "refused")
    if model not in capabilities.fields or (source.of_vendor and vendor is None):
        return ()
    of = [one for one in capabilities.companies if companies is None or one in companies]
    if companies is not None and not of:
        named = ", ".join(map(str, companies))
        raise SkippableError(f"Vouch does not work for the company {named}", "refused")
    domain: list[Any] = [leaf for leaf in source.always if _known(capabilities, model, leaf[0])]
    domain += [] if text.strip() else source.unasked
    domain += _of_companies(capabilities, model, of)
    if source.vendor and vendor is not None:
        domain.append((source.vendor, "child_of", [vendor]))
    for word in text.split()[:8]:
        fields = [name for name in source.searched if _known(capabilities, model, name)]
        domain += [*["|"] * (len(fields) - 1), *((name, "ilike", word) for name in fields)]
    rows = session.rows(
        model,
        domain,
        [name for name in source.read if _known(capabilities, model, name)],
        limit=min(max(limit, 1), MOST),
        order=_order_by(capabilities, model, source.order),
        context={"active_test": True, "allowed_company_ids": of},
        pairs=True,
    )
    told = ((int(row["id"]), *source.told(row)) for row in rows)
    return tuple(Choice(number, name or str(number), detail) for number, name, detail in told)


def _known(capabilities: Capabilities, model: str, name: str) -> bool:
    """Whether this Odoo has the field; a path is looked at as far as its first step."""
    return capabilities.has(model, name.partition(".")[0])


def _of_companies(capabilities: Capabilities, model: str, companies: Sequence[int]) -> list[Any]:
    """Records of these companies, and those that belong to none."""
    if model == "res.company":
        return [("id", "in", list(companies))]
    if capabilities.has(model, "company_ids"):
        return [("company_ids", "in", list(companies))]
    if capabilities.has(model, "company_id"):
        return [("company_id", "in", [*companies, False])]
    return []


def _order_by(capabilities: Capabilities, model: str, order: str) -> str:
    terms = (term.strip() for term in order.split(","))
    return ", ".join(term for term in terms if term == "id" or _known(capabilities, model, term.split()[0]))
