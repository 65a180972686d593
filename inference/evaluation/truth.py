"""What is really on a document: the labelled values that a Reading is scored against.

Two forms of JSON are understood. Labels: `{"doc_type", "fields": {NAME: value, …, "lines": [{…}]}}` with the names of
`FIELD_NAMES`, `LINE_NAMES` and `DOCUMENT_TYPES`, or with those of `inference.invoice`. A Reading as `vouch read --json`
prints it, once a person has put it right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from inference.invoice import HEADER, LINE, DocumentType, Kind, Term, value_as_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from inference.invoice import Reading, Row

FIELD_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "supplier_name": "seller_name",
        "supplier_vat": "seller_vat_id",
        "invoice_number": "invoice_number",
        "invoice_date": "issue_date",
        "due_date": "due_date",
        "currency": "currency",
        "total_untaxed": "total_without_vat",
        "total_tax": "total_vat",
        "total": "total_with_vat",
        "amount_due": "amount_due",
        "buyer_name": "buyer_name",
        "buyer_vat": "buyer_vat_id",
        "purchase_order_ref": "purchase_order_reference",
        "order_number": "order_number",
        "order_date": "order_date",
    }
)
"""Names of labels, and the Fields they mean."""

LINE_NAMES: Mapping[str, str] = MappingProxyType(
    {"description": "item_name", "quantity": "quantity", "subtotal": "line_net_amount"}
)
"""Names of a line's labels, and the Fields they mean."""

DOCUMENT_TYPES: Mapping[str, DocumentType] = MappingProxyType(
    {
        "purchase_order": DocumentType.ORDER,
        "order_change": DocumentType.ORDER,
        "order_response": DocumentType.ORDER_CONFIRMATION,
        "statement": DocumentType.REMINDER,
    }
)
"""Names of labels that are not those of a DocumentType."""

CORE = (
    "seller_name",
    "invoice_number",
    "issue_date",
    "currency",
    "total_without_vat",
    "total_vat",
    "total_with_vat",
)
"""What a bill cannot be booked without."""

HEADER_SCORED = frozenset(FIELD_NAMES.values())
"""The Fields that the figures of the header count; others are shown one by one."""

LINE_SCORED = ("item_name", "quantity", "line_net_amount")


class TruthError(Exception):
    """A truth cannot be understood. The message names the file, the key and what to write there."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Values as plain strings: text, ISO dates, decimals.

    `fields` by the name of their Term, without the document type, in the order of `FIELD_NAMES` first. `lines` by
    the names of `LINE_SCORED`, each with an amount or a quantity. `unused` names the labels that are not scored.
    """

    document_type: DocumentType | None = None
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    lines: tuple[Mapping[str, str], ...] = ()
    unused: tuple[str, ...] = ()

    @classmethod
    def of_reading(cls, reading: Reading) -> Truth:
        """A Reading that is known to be right."""
        fields = {n: value_as_json(f.value) for n, f in reading.fields.items() if n != "document_type"}
        return cls(reading.document_type, _ordered(fields), _scored_lines(map(_plain, reading.lines)))


def read_truth(file: Path) -> Truth:
    """The truth in a JSON file. Raises TruthError."""
    try:
        node = json.loads(file.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise TruthError(f"{file}: cannot be opened: {error.strerror}.") from error
    except ValueError as error:
        raise TruthError(f"{file}: is not JSON in UTF-8: {error}.") from error
    try:
        return parse_truth(node)
    except TruthError as error:
        raise TruthError(f"{file}: {error}") from None


def parse_truth(node: object) -> Truth:
    """The truth in a parsed JSON document. Raises TruthError, which names the key."""
    top = _mapping(node, "the document")
    if "fields" not in top:
        raise TruthError("“fields” is missing: write the values of the document under it.")
    given = dict(_mapping(top["fields"], "fields"))
    lines = top.get("lines", given.pop("lines", ()))
    kind = top.get("doc_type", given.pop("document_type", None))
    fields: dict[str, str] = {}
    unused: list[str] = []
    for label, content in given.items():
        term = HEADER.get(FIELD_NAMES.get(label, label))
        if term is None:
            unused.append(label)
        else:
            fields[term.name] = _value(term, content, f"fields.{label}")
    return Truth(_document_type(kind), _ordered(fields), _lines(lines), tuple(unused))


def _ordered(fields: Mapping[str, str]) -> dict[str, str]:
    order = {name: place for place, name in enumerate(FIELD_NAMES.values())}
    return {name: fields[name] for name in sorted(fields, key=lambda name: order.get(name, len(order)))}


def _document_type(content: object) -> DocumentType | None:
    if content is None:
        return None
    name = str(_content(content))
    try:
        return DOCUMENT_TYPES.get(name) or DocumentType(name)
    except ValueError:
        known = ", ".join(sorted([*DocumentType, *DOCUMENT_TYPES]))
        raise TruthError(f"doc_type: there is no type “{name}”. Choose one of {known}.") from None


def _lines(content: object) -> tuple[Mapping[str, str], ...]:
    if not isinstance(content, list | tuple):
        raise TruthError("lines: must be a list.")
    rows: list[dict[str, str]] = []
    for number, entry in enumerate(cast("list[object]", content), 1):
        row: dict[str, str] = {}
        for label, value in _mapping(entry, f"lines[{number}]").items():
            name = LINE_NAMES.get(label, label)
            if name in LINE_SCORED and _content(value) != "":
                row[name] = _value(LINE[name], value, f"lines[{number}].{label}")
        rows.append(row)
    return _scored_lines(rows)


def _scored_lines(rows: Iterable[Mapping[str, str]]) -> tuple[Mapping[str, str], ...]:
    return tuple(row for row in rows if "line_net_amount" in row or "quantity" in row)


def _plain(row: Row) -> dict[str, str]:
    return {name: value_as_json(row[name].value) for name in LINE_SCORED if name in row}


def _mapping(node: object, where: str) -> Mapping[str, object]:
    if not isinstance(node, dict):
        raise TruthError(f"{where}: must be an object with names and values.")
    return cast("Mapping[str, object]", node)


def _content(node: object) -> object:
    """The value itself: in a Reading it lies beside its confidence and evidence."""
    return cast("Mapping[str, object]", node).get("value") if isinstance(node, dict) else node


def _value(term: Term, node: object, where: str) -> str:
    """The value as a plain string, if it is of the Term's kind. Raises TruthError."""
    content = _content(node)
    if isinstance(content, bool) or not isinstance(content, str | int | Decimal) or content == "":
        raise TruthError(f"{where}: needs a value; leave out what is not on the page.")
    text = format(content, "f") if isinstance(content, Decimal) else str(content)
    try:
        if term.kind is Kind.DATE:
            date.fromisoformat(text[:10])
        elif term.kind in (Kind.AMOUNT, Kind.QUANTITY, Kind.PERCENT):
            Decimal(text.replace(" ", ""))
    except (ValueError, InvalidOperation):
        form = "a date as 2026-01-31" if term.kind is Kind.DATE else "a number as 1234.50"
        raise TruthError(f"{where}: “{text}” is not {form}.") from None
    return text
