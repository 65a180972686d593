"""What the model is asked for: short keys for the Terms of the invoice model, and the JSON Schema of an answer.

Every value is a plain string, copied as printed, and empty where the page has none: patterns and lengths would force
the model to bend what it sees (and engines for structured output get them wrong); we parse and check it ourselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from inference.invoice import HEADER, LINE, VAT, DocumentType

DOCUMENT_TYPE = "document_type"

HEADER_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "type": DOCUMENT_TYPE,
        "no": "invoice_number",
        "date": "issue_date",
        "due": "due_date",
        "deliv": "delivery_date",
        "cur": "currency",
        "po": "purchase_order_reference",
        "order": "order_number",
        "odate": "order_date",
        "prev": "preceding_invoice_reference",
        "seller": "seller_name",
        "svat": "seller_vat_id",
        "stax": "seller_tax_id",
        "saddr": "seller_address",
        "buyer": "buyer_name",
        "bvat": "buyer_vat_id",
        "acct": "payment_account",
        "bic": "payment_bic",
        "ref": "payment_reference",
        "terms": "payment_terms",
        "net": "total_without_vat",
        "vat": "total_vat",
        "total": "total_with_vat",
        "paid": "prepaid_amount",
        "pay": "amount_due",
        "code": "invoice_code",
    }
)
"""The answer's key of each header Term that is asked for."""

LINE_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "d": "item_name",
        "c": "item_seller_id",
        "q": "quantity",
        "u": "unit",
        "p": "net_price",
        "r": "discount_percent",
        "t": "vat_rate",
        "a": "line_net_amount",
        "g": "line_total_with_vat",
    }
)
"""The answer's key of each line Term."""

VAT_KEYS: Mapping[str, str] = MappingProxyType({"t": "vat_rate", "b": "taxable_amount", "v": "vat_amount"})
"""The answer's key of each Term of a VAT row."""

TYPES = tuple(kind.value for kind in DocumentType)


class Part(StrEnum):
    """What one call asks for: everything, or, where that is too long for one answer, the header or the lines."""

    ALL = "all"
    HEADER = "header"
    LINES = "lines"


def answer_schema(part: Part) -> dict[str, Any]:
    """The JSON Schema of the answer to one call."""
    header = {key: {"type": "string"} for key in HEADER_KEYS} | {"type": {"type": "string", "enum": [*TYPES]}}
    lines = {"lines": _rows(LINE_KEYS)}
    match part:
        case Part.ALL:
            return _object(header | {"taxes": _rows(VAT_KEYS)} | lines)
        case Part.HEADER:
            return _object(header | {"taxes": _rows(VAT_KEYS)})
        case Part.LINES:
            return _object(lines)


def meanings(part: Part) -> tuple[tuple[str, str], ...]:
    """Key and meaning of all that a part asks for, in the words of the invoice model."""
    header = [(key, HEADER[term].meaning) for key, term in HEADER_KEYS.items()]
    taxes = [(f"taxes[].{key}", VAT[term].meaning) for key, term in VAT_KEYS.items()]
    lines = [(f"lines[].{key}", LINE[term].meaning) for key, term in LINE_KEYS.items()]
    return tuple(lines if part is Part.LINES else header + taxes + (lines if part is Part.ALL else []))


def _rows(keys: Mapping[str, str]) -> dict[str, Any]:
    return {"type": "array", "items": _object({key: {"type": "string"} for key in keys})}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
