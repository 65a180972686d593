"""Codes that tax offices ask for: Chinese fapiao, Portuguese ATCUD, Turkish e-Fatura, Indian IRP, Saudi ZATCA.

Signatures in them are not verified: that would need the office's keys, and a code that is only copied verifies too.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, cast

from inference.codes.claims import Claims, Collector
from inference.invoice import DocumentType

_WITHOUT_TAX = ("01", "04", "08", "10")
_WITH_TAX = ("31", "32", "51", "61")
_ISO = r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?:[T ].*)?"
_COMPACT = r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)"
MOST_DEPTH = 20


def fapiao(text: str) -> Claims | None:
    """`01,type,code,number,amount,date,check code,…`.

    The amount is the one without tax on the invoices of the tax control system (types 01, 04, 08, 10), the one to
    pay on the digitalised ones (31, 32, 51 rail, 61 air); on others it may be either.
    """
    parts = text.strip().split(",")
    if parts[0] != "01" or len(parts) < 7 or not re.fullmatch(r"\d{2}", parts[1]):
        return None
    if not re.fullmatch(r"\d{8}|\d{20}", parts[3]) or not re.fullmatch(r"\d{8}", parts[5]):
        return None
    found = Collector()
    found.text(parts[2], "invoice_code")
    found.text(parts[3], "invoice_number")
    found.day(parts[5], _COMPACT, "issue_date")
    found.text("CNY", "currency")
    if parts[1] in _WITHOUT_TAX:
        found.amount(parts[4], "total_without_vat")
    elif parts[1] in _WITH_TAX:
        found.amount(parts[4], "total_with_vat")
    else:
        found.amount(parts[4], "total_without_vat", "total_with_vat")
    return found.of("fapiao code")


def portuguese(text: str) -> Claims | None:
    """`A:seller*B:buyer*…*F:date*G:number*H:ATCUD*…*N:VAT*O:total*Q:…` (Autoridade Tributária, QR code 2020)."""
    if not re.match(r"A:\d{9}\*B:", text):
        return None
    parts = dict(part.split(":", 1) for part in text.strip().split("*") if ":" in part)
    if "G" not in parts or "O" not in parts:
        return None
    found = Collector()
    found.text(f"PT{parts['A']}", "seller_vat_id")
    if parts["B"] != "999999990":  # anybody
        found.text(parts["B"], "buyer_vat_id")
    found.day(parts.get("F"), _COMPACT, "issue_date")
    found.text(parts["G"], "invoice_number")
    if parts.get("D") == "NC":
        found.text(DocumentType.CREDIT_NOTE.value, "document_type")
    found.amount(parts.get("N"), "total_vat")
    found.amount(parts["O"], "total_with_vat")
    found.text("EUR", "currency")
    return found.of("ATCUD code")


def turkish(text: str) -> Claims | None:
    """The JSON of e-Fatura and e-Arşiv (Gelir İdaresi Başkanlığı, QR code guide)."""
    node = _json(text)
    if node is None or "vkntckn" not in node or "no" not in node:
        return None
    found = Collector()
    found.text(node["vkntckn"], "seller_tax_id", "seller_vat_id")
    found.text(node.get("avkntckn"), "buyer_vat_id", weak=True)
    found.text(node["no"], "invoice_number")
    found.day(node.get("tarih"), _ISO, "issue_date")
    found.day(node.get("tarih"), r"(?P<d>\d\d)[-./](?P<m>\d\d)[-./](?P<y>\d{4})", "issue_date")
    currency = node.get("parabirimi")
    if isinstance(currency, str):
        found.text({"TL": "TRY"}.get(currency, currency), "currency")
    found.amount(node.get("malhizmettoplam"), "total_without_vat", weak=True)
    found.amount(node.get("vergidahil"), "total_with_vat")
    found.amount(node.get("odenecek"), "amount_due", "total_with_vat")
    return found.of("e-Fatura code")


def indian(text: str) -> Claims | None:
    """The signed QR code of an Invoice Registration Portal: a JSON Web Token, its payload read, not trusted."""
    match = re.fullmatch(r"([\w-]{10,})\.([\w-]{20,})\.([\w-]*)", text.strip())
    raw = _base64(match[2], urlsafe=True) if match else None
    outer = _json(raw.decode("utf-8", "replace")) if raw else None
    data = outer.get("data") if outer else None
    node = (
        _json(data)
        if isinstance(data, str)
        else cast("dict[str, Any]", data)
        if isinstance(data, dict)
        else None
    )
    if node is None or "SellerGstin" not in node or "DocNo" not in node:
        return None
    found = Collector()
    found.text(node["SellerGstin"], "seller_vat_id")
    if node.get("BuyerGstin") != "URP":  # unregistered person
        found.text(node.get("BuyerGstin"), "buyer_vat_id")
    found.text(node["DocNo"], "invoice_number")
    found.day(node.get("DocDt"), r"(?P<d>\d\d)[/-](?P<m>\d\d)[/-](?P<y>\d{4})", "issue_date")
    if node.get("DocTyp") == "CRN":
        found.text(DocumentType.CREDIT_NOTE.value, "document_type")
    found.amount(node.get("TotInvVal"), "total_with_vat")
    found.text("INR", "currency")
    return found.of("IRP code (its signature was not verified)")


def saudi(text: str) -> Claims | None:
    """ZATCA: base64 of tag, length, value; 1 seller, 2 VAT number, 3 time, 4 total with VAT, 5 VAT."""
    raw = _base64(text.strip()) if re.fullmatch(r"[A-Za-z0-9+/]{40,}={0,2}", text.strip()) else None
    fields = _tag_length_value(raw) if raw else None
    if fields is None or not all(tag in fields for tag in range(1, 6)):
        return None
    seller, number, time, total, vat = (fields[tag].decode("utf-8", "replace") for tag in range(1, 6))
    if not re.fullmatch(r"\d{15}", number):
        return None
    found = Collector()
    found.text(seller, "seller_name", weak=True)
    found.text(number, "seller_vat_id")
    found.day(time, _ISO, "issue_date")
    found.amount(total, "total_with_vat")
    found.amount(vat, "total_vat")
    found.text("SAR", "currency")
    return found.of("ZATCA code")


def _tag_length_value(raw: bytes) -> dict[int, bytes] | None:
    """The values by their tags; None where a length reaches beyond the end."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(raw):
        if at + 2 > len(raw) or at + 2 + raw[at + 1] > len(raw):
            return None
        found[raw[at]] = raw[at + 2 : at + 2 + raw[at + 1]]
        at += 2 + raw[at + 1]
    return found


def _base64(text: str, *, urlsafe: bool = False) -> bytes | None:
    padded = text + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_" if urlsafe else None, validate=True)
    except (binascii.Error, ValueError):
        return None


def _json(text: str) -> dict[str, Any] | None:
    """A JSON object; None for anything else. Deep nesting is refused before it is parsed."""
    if not text.lstrip().startswith("{") or text.count("{") + text.count("[") > MOST_DEPTH:
        return None
    try:
        node = json.loads(text)
    except ValueError:
        return None
    return cast("dict[str, Any]", node) if isinstance(node, dict) else None
