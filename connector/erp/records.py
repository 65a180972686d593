"""One bill or order as it is now: its writable values, its lines, and the stamp that tells two states apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector.erp import values
from connector.erp.port import BILL, Capabilities
from connector.erp.wire import Row
from mappings.erp_data import Record, RecordLine, Scalar
from mappings.field_map import FieldMap

BILL_TYPES = ("in_invoice", "in_refund", "in_receipt")
ORDER_STATES = ("draft", "sent", "to approve", "purchase")

_STATUS = (
    "display_name",
    "state",
    "company_id",
    "write_date",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """The names that a model has here: header values by type, its lines, and what its lines call things.

    `own` are the header fields that a user's mapping adds, with their types.
    """

    model: str
    line_model: str
    lines: str
    many2one: tuple[str, ...]
    dates: tuple[str, ...]
    moments: tuple[str, ...]
    texts: tuple[str, ...]
    status: tuple[str, ...]
    quantity: str
    taxes: str
    responsible: str
    purchase_line: str = ""
    discount: str = ""
    activities: str = ""
    own: tuple[tuple[str, str], ...] = ()

    @property
    def header(self) -> tuple[str, ...]:
        """The header fields to read."""
        return (*self.said, *((self.activities,) if self.activities else ()))

    @property
    def said(self) -> tuple[str, ...]:
        """The header fields that tell two states of the record apart: a to-do changes nothing in it."""
        own = tuple(name for name, _ in self.own)
        return (*self.status, self.responsible, *self.many2one, *self.dates, *self.moments, *self.texts, *own)

    @property
    def line_fields(self) -> tuple[str, ...]:
        """The line fields to read."""
        found = (
            "write_date",
            "display_type",
            "name",
            self.quantity,
            "price_unit",
            "price_subtotal",
            self.taxes,
        )
        booked = ("account_id",) if self.model == BILL else ()
        found = (*found, "product_id", *booked, *((self.discount,) if self.discount else ()))
        return (*found, self.purchase_line) if self.purchase_line else found

    def renames(self) -> dict[str, str]:
        """What a proposed line calls otherwise than this version of Odoo."""
        return {"tax_ids": self.taxes}


def shape_of(capabilities: Capabilities, model: str, fields: FieldMap) -> Shape:
    """The names as this version of Odoo has them, and the header fields that the mapping adds."""
    table = "bill" if model == BILL else "order"
    own = tuple((entry.field, entry.type) for entry in fields.of(table) if entry.own)
    shape = _shape(capabilities, model)
    return replace(shape, own=tuple(one for one in own if one[0] not in shape.header))


def _shape(capabilities: Capabilities, model: str) -> Shape:

    def here(*names: str) -> tuple[str, ...]:
        return tuple(name for name in names if capabilities.has(model, name))

    activities = "activity_ids" if capabilities.has(model, "activity_ids") else ""
    if model == BILL:
        purchase = "purchase_line_id" if capabilities.has("account.move.line", "purchase_line_id") else ""
        return Shape(
            model,
            "account.move.line",
            "invoice_line_ids",
            many2one=here("partner_id", "currency_id", "invoice_payment_term_id", "partner_bank_id"),
            dates=here("invoice_date", "invoice_date_due"),
            moments=(),
            texts=here("ref", "payment_reference"),
            status=(*_STATUS, *here("move_type", "journal_id", "extract_state")),
            quantity="quantity",
            taxes="tax_ids",
            responsible="invoice_user_id",
            purchase_line=purchase,
            discount="discount",
            activities=activities,
        )
    return Shape(
        model,
        "purchase.order.line",
        "order_line",
        many2one=here("partner_id", "currency_id"),
        dates=(),
        moments=here("date_planned"),
        texts=here("partner_ref", "origin"),
        status=_STATUS,
        quantity="product_qty",
        taxes="tax_ids" if capabilities.has("purchase.order.line", "tax_ids") else "taxes_id",
        responsible="user_id",
        discount="discount" if capabilities.has("purchase.order.line", "discount") else "",
        activities=activities,
    )


def specification(shape: Shape) -> dict[str, Any]:
    """What `web_read` and `web_save` shall answer: the header with its lines in one call (Odoo 17 and later)."""
    found: dict[str, Any] = {name: {} for name in shape.header}
    found[shape.lines] = {"fields": {name: {} for name in shape.line_fields}}
    return found


def build(shape: Shape, row: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Record:
    """A Record from the header and its lines as Odoo gave them."""
    found: dict[str, Scalar] = {}
    found.update({name: values.many2one(row[name]) for name in shape.many2one})
    found.update({name: values.day(row[name]) for name in shape.dates})
    found.update({name: values.moment(row[name]) for name in shape.moments})
    found.update({name: values.text(row[name]) or None for name in shape.texts})
    found.update({name: _own_value(kind, row[name]) for name, kind in shape.own})
    return Record(
        model=shape.model,
        id=int(row["id"]),
        display_name=values.text(row["display_name"]),
        kind=values.text(row.get("move_type")) or "order",
        state=values.text(row["state"]),
        company_id=values.many2one(row["company_id"]) or 0,
        write_date=_stamp(shape, row, lines),
        values=found,
        lines=tuple(_line(shape, line) for line in lines),
        amount_untaxed=values.decimal(row["amount_untaxed"]),
        amount_tax=values.decimal(row["amount_tax"]),
        amount_total=values.decimal(row["amount_total"]),
        journal_id=values.many2one(row.get("journal_id")),
        responsible_id=values.many2one(row[shape.responsible]),
        activity_ids=values.many(row[shape.activities]) if shape.activities else (),
    )


def _own_value(kind: str, value: Any) -> Scalar:
    """A value of a field of the user's, None where it is empty: Odoo's empty number is zero."""
    if kind == "many2one":
        return values.many2one(value)
    if kind == "date":
        return values.day(value)
    if kind in ("float", "monetary"):
        return values.decimal(value) or None
    return values.text(value) or None


def _line(shape: Shape, line: Mapping[str, Any]) -> RecordLine:
    return RecordLine(
        id=int(line["id"]),
        name=values.text(line["name"]),
        quantity=values.decimal(line[shape.quantity]),
        price_unit=values.decimal(line["price_unit"]),
        subtotal=values.decimal(line["price_subtotal"]),
        tax_ids=values.many(line[shape.taxes]),
        purchase_line_id=values.many2one(line.get(shape.purchase_line)) if shape.purchase_line else None,
        account_id=values.many2one(line.get("account_id")),
        product_id=values.many2one(line.get("product_id")),
        discount=values.decimal(line[shape.discount]) if shape.discount else values.decimal(0),
    )


def _stamp(shape: Shape, row: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    """The newest `write_date` of header and lines, and a digest of what they say.

    Odoo gives times to the second only, and a changed line leaves the header's `write_date` as it was where no
    total changes; so the content itself is part of the stamp.
    """
    newest = max([str(row["write_date"]), *(str(line["write_date"]) for line in lines)])
    content: list[Row] = [{name: row[name] for name in shape.said}]
    content += sorted(
        ({"id": line["id"], **{name: line[name] for name in shape.line_fields}} for line in lines),
        key=lambda line: int(line["id"]),
    )
    said = json.dumps(content, sort_keys=True, default=str).encode()
    return f"{newest}#{hashlib.sha256(said).hexdigest()[:16]}"
