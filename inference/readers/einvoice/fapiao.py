"""The data of Chinese electronic fapiao, in the three forms in which they are handed over.

`eInvoice` (2019) is what the tax control system attaches to OFD files, `EInvoice` the data of the fully digitalised
fapiao (数电票, since 2023), and XBRL the accounting form of both and of rail tickets (Ministry of Finance, data standard of
electronic accounting vouchers, taxonomies `inv`, `einv`, `rai`). They differ in the names of elements only.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from inference.dates import parse_date
from inference.invoice import HEADER, LINE, DocumentType, Field, Reading, as_decimal
from inference.readers.einvoice.extract import Extraction, Paths, proven

if TYPE_CHECKING:
    from inference.xml import Node

_TAX_CONTROL = "http://www.edrm.org.cn/schema/e-invoice/"
_TAXONOMY = re.compile(r"http://xbrl\.mof\.gov\.cn/taxonomy/[\d-]+/(inv|einv|rai)")
_NO_TAX = ("***", "免税", "不征税")
"""What is written where no tax is charged."""


class Syntax(NamedTuple):
    """Where a form has what: paths of header and line terms, of the lines, and of dates and rates to be understood."""

    header: Paths
    issued: str
    vat: str
    lines: str
    line: Paths
    rate: str
    remark: str


_TAX_CONTROL_SYNTAX = Syntax(
    header={
        "invoice_code": ("InvoiceCode",),
        "invoice_number": ("InvoiceNo",),
        "seller_name": ("Seller/SellerName",),
        "seller_vat_id": ("Seller/SellerTaxID",),
        "seller_address": ("Seller/SellerAddrTel",),
        "buyer_name": ("Buyer/BuyerName",),
        "buyer_vat_id": ("Buyer/BuyerTaxID",),
        "total_without_vat": ("TaxExclusiveTotalAmount",),
        "total_with_vat": ("TaxInclusiveTotalAmount",),
    },
    issued="IssueDate",
    vat="TaxTotalAmount",
    lines="GoodsInfos/GoodsInfo",
    line={
        "item_name": ("Item",),
        "unit": ("MeasurementDimension",),
        "quantity": ("Quantity",),
        "net_price": ("Price",),
        "line_net_amount": ("Amount",),
    },
    rate="TaxScheme",
    remark="Note",
)

_SELLER, _BUYER = "EInvoiceData/SellerInformation", "EInvoiceData/BuyerInformation"
_BASIC = "EInvoiceData/BasicInformation"
_DIGITAL_SYNTAX = Syntax(
    header={
        "invoice_number": ("TaxSupervisionInfo/InvoiceNumber", f"{_BASIC}/InvoiceNumber", "Header/EIid"),
        "seller_name": (f"{_SELLER}/SellerName",),
        "seller_vat_id": (f"{_SELLER}/SellerIdNum",),
        "seller_address": (f"{_SELLER}/SellerAddr",),
        "payment_account": (f"{_SELLER}/SellerBankAccNum",),
        "buyer_name": (f"{_BUYER}/BuyerName",),
        "buyer_vat_id": (f"{_BUYER}/BuyerIdNum",),
        "total_without_vat": (f"{_BASIC}/TotalAmWithoutTax",),
        "total_with_vat": (f"{_BASIC}/TotalTax-includedAmount|TotalTaxIncludedAmount",),
    },
    # The standard takes the time of the request for the date of issue; both are on the same day.
    issued=f"{_BASIC}/RequestTime|IssueDate;TaxSupervisionInfo/IssueTime",
    vat=f"{_BASIC}/TotalTaxAm",
    lines="EInvoiceData/IssuItemInformation",
    line={
        "item_name": ("ItemName",),
        "unit": ("MeaUnits",),
        "quantity": ("Quantity",),
        "net_price": ("UnPrice",),
        "line_net_amount": ("Amount",),
    },
    rate="TaxRate",
    remark="EInvoiceData/AdditionalInformation/Remark",
)

_TAX_ID = "TaxpayerIdentificationNumberUnifiedSocialCreditCodeOf"
_XBRL_SYNTAX = Syntax(
    header={
        "invoice_code": ("CodeOfInvoice",),
        "invoice_number": ("NumberOfInvoice|InvoiceNumber|ElectronicInvoiceRailwayETicketNumber",),
        "seller_name": ("NameOfSeller|SellerName|IssueParty",),
        "seller_vat_id": (f"{_TAX_ID}Seller|SellerIdNum",),
        "seller_address": ("AddressPhoneNumberOfSeller",),
        "buyer_name": ("NameOfPurchaser|BuyerName",),
        "buyer_vat_id": (f"{_TAX_ID}Purchaser|BuyerIdNum|UnifiedSocialCreditCodeOfPurchaser",),
        "total_without_vat": ("TotalAmountExcludingTax|TotalAmWithoutTax",),
        "total_with_vat": ("TaxIncludedAmountInFigures|TotalTax-includedAmount|Fare",),
    },
    issued="DateOfIssue|RequestTime|IssueDate",
    vat="TotalTaxAmount|TotalTaxAm|TaxAmount",
    lines="InformationOfTaxableGoodsOrServicesDetailItemsTuple",
    line={
        "item_name": ("NameOfTaxableGoodsOrServices",),
        "unit": ("UnitOfGoodsOrServices",),
        "quantity": ("QuantityOfGoodsOrServices",),
        "net_price": ("UnitPriceOfGoodsOrServices",),
        "line_net_amount": ("AmountExcludingTax",),
    },
    rate="TaxRate",
    remark="Remarks",
)


def syntax_of(root: Node) -> Syntax | None:
    """The form that the data of a fapiao is in; None for anything else."""
    if root.name == "eInvoice":
        known = any(child.namespace.startswith(_TAX_CONTROL) for child in root.children())
        return _TAX_CONTROL_SYNTAX if known else None
    if root.name == "EInvoice":
        return _DIGITAL_SYNTAX if root.all("EInvoiceData") else None
    if root.name == "xbrl" and any(_TAXONOMY.fullmatch(child.namespace) for child in root.children()):
        numbered = root.first(*_XBRL_SYNTAX.header["invoice_number"])
        return _XBRL_SYNTAX if numbered else None
    return None


def read_fapiao(root: Node, reader: str) -> Reading:
    """The Reading of a fapiao. A red one, which takes a blue one back, has negative amounts: a credit note."""
    syntax = syntax_of(root)
    if syntax is None:
        raise ValueError(f"{root.name} is no fapiao")
    extraction = Extraction()
    fields = extraction.row(root, syntax.header, HEADER)
    vat = root.first(syntax.vat)
    if vat and vat.text not in _NO_TAX:
        extraction.put(fields, HEADER["total_vat"], vat)
    # A fapiao is in renminbi by law (Measures for the Administration of Invoices); its data has no currency.
    fields["currency"] = Field("CNY", 1.0, proven("CNY", root).evidence)
    issued = root.first(*syntax.issued.split(";"))
    day = parse_date(re.split(r"[T ]", issued.text)[0]) if issued else None
    if issued and day:
        fields["issue_date"] = proven(day, issued)
    _put_type(root, syntax, fields)
    lines = [_line(node, syntax, extraction) for node in root.all(syntax.lines)]
    return Reading(reader, fields, tuple(line for line in lines if line), (), tuple(extraction.checks))


def _put_type(root: Node, syntax: Syntax, fields: dict[str, Field]) -> None:
    total = fields.get("total_with_vat")
    if total is None:
        return
    red = (as_decimal(total) or 0) < 0
    kind = DocumentType.CREDIT_NOTE if red else DocumentType.INVOICE
    fields["document_type"] = Field(kind.value, 1.0, total.evidence)
    remark = root.first(syntax.remark) if red else None
    # A red fapiao names the blue one that it takes back in its remark.
    if remark and (blue := re.search(r"被红冲蓝字[^\d]{0,20}号码[:：]\s*(\d{8,20})", remark.text)):
        fields["preceding_invoice_reference"] = proven(blue[1], remark)


def _line(node: Node, syntax: Syntax, extraction: Extraction) -> dict[str, Field]:
    line = extraction.row(node, syntax.line, LINE)
    rate = node.first(syntax.rate)
    # Besides rates there are words: exempt (免税), not taxed (不征税). A rate is written as 6%, 6.00% or 0.06.
    if rate and (found := re.fullmatch(r"(\d{1,2}(?:\.\d{1,3})?)%", rate.text)):
        line["vat_rate"] = proven(Decimal(found[1]), rate)
    elif rate and re.fullmatch(r"0(?:\.\d{1,4})?", rate.text):
        line["vat_rate"] = proven(Decimal(rate.text) * 100, rate)
    return line
