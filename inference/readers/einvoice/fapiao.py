"""The data of a Chinese electronic fapiao as the tax control system attaches it to OFD files (`eInvoice`, 2019)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from inference.invoice import HEADER, LINE, DocumentType, Field, Reading
from inference.readers.einvoice.extract import Extraction, proven

if TYPE_CHECKING:
    from inference.xml import Node

ROOT = "eInvoice"
NAMESPACE = "http://www.edrm.org.cn/schema/e-invoice/"

_HEADER = {
    "invoice_code": ("InvoiceCode",),
    "invoice_number": ("InvoiceNo",),
    "seller_name": ("Seller/SellerName",),
    "seller_vat_id": ("Seller/SellerTaxID",),
    "seller_address": ("Seller/SellerAddrTel",),
    "buyer_name": ("Buyer/BuyerName",),
    "buyer_vat_id": ("Buyer/BuyerTaxID",),
    "total_without_vat": ("TaxExclusiveTotalAmount",),
    "total_with_vat": ("TaxInclusiveTotalAmount",),
}

_LINE = {
    "item_name": ("Item",),
    "unit": ("MeasurementDimension",),
    "quantity": ("Quantity",),
    "net_price": ("Price",),
    "line_net_amount": ("Amount",),
}


def read_fapiao(root: Node, reader: str) -> Reading:
    """The Reading of a fapiao. A red one, which takes a blue one back, has negative amounts: a credit note."""
    extraction = Extraction()
    fields = extraction.row(root, _HEADER, HEADER)
    vat = root.first("TaxTotalAmount")
    if vat and vat.text != "***":  # what is written where no tax is charged
        extraction.put(fields, HEADER["total_vat"], vat)
    # A fapiao is in renminbi by law (Measures for the Administration of Invoices); its data has no currency.
    fields["currency"] = Field("CNY", 1.0, proven("CNY", root).evidence)
    issued = root.first("IssueDate")
    if issued and (day := _day(issued.text)):
        fields["issue_date"] = proven(day, issued)
    total = fields.get("total_with_vat")
    if total:
        red = isinstance(total.value, Decimal) and total.value < 0
        kind = DocumentType.CREDIT_NOTE if red else DocumentType.INVOICE
        fields["document_type"] = Field(kind.value, 1.0, total.evidence)
    lines = [_line(node, extraction) for node in root.all("GoodsInfos/GoodsInfo")]
    return Reading(reader, fields, tuple(line for line in lines if line), (), tuple(extraction.checks))


def _line(node: Node, extraction: Extraction) -> dict[str, Field]:
    line = extraction.row(node, _LINE, LINE)
    rate = node.first("TaxScheme")
    # Besides rates there are words: exempt (免税), not taxed (不征税).
    if rate and (found := re.fullmatch(r"(\d{1,2}(?:\.\d{1,3})?)%", rate.text)):
        line["vat_rate"] = proven(Decimal(found[1]), rate)
    return line


def _day(text: str) -> date | None:
    found = re.fullmatch(r"(\d{4})\D(\d{1,2})\D(\d{1,2})\D?", text)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None
