"""OASIS UBL 2.1 Order and OrderResponse. Source: Peppol BIS Ordering 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.invoice import HEADER, LINE, DocumentType, Field, Reading
from inference.readers.einvoice.extract import Extraction, attribute, one_line, proven, put_prices
from inference.readers.einvoice.ubl import address_parts, put_discount, put_tax_ids

if TYPE_CHECKING:
    from inference.xml import Node

ROOTS = ("Order", "OrderResponse")

_SELLER, _BUYER = "SellerSupplierParty/Party", "BuyerCustomerParty/Party"
_TOTAL = "AnticipatedMonetaryTotal|LegalMonetaryTotal"
_PERIODS = ("RequestedDeliveryPeriod", "PromisedDeliveryPeriod")
_REJECTED = "7"
"""The line status code (UNTDID 1229) of a line that the seller will not deliver."""

_HEADER = {
    "issue_date": ("IssueDate",),
    "order_date": ("IssueDate",),
    "delivery_date": tuple(f"Delivery/{p}/{end}" for p in _PERIODS for end in ("EndDate", "StartDate")),
    "currency": ("DocumentCurrencyCode",),
    "seller_name": (f"{_SELLER}/PartyLegalEntity/RegistrationName", f"{_SELLER}/PartyName/Name"),
    "seller_registration": (f"{_SELLER}/PartyLegalEntity/CompanyID",),
    "seller_country": (f"{_SELLER}/PostalAddress/Country/IdentificationCode",),
    "seller_email": (f"{_SELLER}/Contact/ElectronicMail",),
    "seller_website": (f"{_SELLER}/WebsiteURI",),
    "buyer_name": (f"{_BUYER}/PartyLegalEntity/RegistrationName", f"{_BUYER}/PartyName/Name"),
    "payment_terms": ("PaymentTerms/Note",),
    "discount_total": (f"{_TOTAL}/AllowanceTotalAmount",),
    "charge_total": (f"{_TOTAL}/ChargeTotalAmount",),
    "total_without_vat": (f"{_TOTAL}/TaxExclusiveAmount",),
    "total_vat": ("TaxTotal/TaxAmount",),
    "total_with_vat": (f"{_TOTAL}/TaxInclusiveAmount",),
    "prepaid_amount": (f"{_TOTAL}/PrepaidAmount",),
    "rounding_amount": (f"{_TOTAL}/PayableRoundingAmount",),
    "amount_due": (f"{_TOTAL}/PayableAmount",),
}

_LINE = {
    "line_id": ("ID",),
    "item_name": ("Item/Name", "Item/Description"),
    "item_seller_id": ("Item/SellersItemIdentification/ID",),
    "item_buyer_id": ("Item/BuyersItemIdentification/ID",),
    "item_standard_id": ("Item/StandardItemIdentification/ID",),
    "quantity": ("Quantity",),
    "vat_rate": ("Item/ClassifiedTaxCategory/Percent",),
    "vat_category": ("Item/ClassifiedTaxCategory/ID",),
    "line_net_amount": ("LineExtensionAmount",),
    "delivery_date": tuple(f"Delivery/{p}/{end}" for p in _PERIODS for end in ("EndDate", "StartDate")),
}


def read_order(root: Node, reader: str) -> Reading:
    """The Reading of an order, or of the seller's response to one, which has the buyer's number too."""
    extraction = Extraction()
    fields = extraction.row(root, _HEADER, HEADER)
    response = root.name == "OrderResponse"
    kind = DocumentType.ORDER_CONFIRMATION if response else DocumentType.ORDER
    fields["document_type"] = proven(kind.value, root)
    extraction.put(
        fields, HEADER["order_number"], root.first("SalesOrderID", "ID") if response else root.first("ID")
    )
    if response:
        extraction.put(fields, HEADER["purchase_order_reference"], root.first("OrderReference/ID"))
    put_tax_ids(root, _SELLER, _BUYER, fields, extraction)
    address = root.all(f"{_SELLER}/PostalAddress")
    if address and (found := one_line(address_parts(address[0]))):
        fields["seller_address"] = found
    lines = [_line(node, extraction) for node in root.all("OrderLine")]
    return Reading(reader, fields, tuple(line for line in lines if line), (), tuple(extraction.checks))


def _line(node: Node, extraction: Extraction) -> dict[str, Field]:
    """A line as the seller will deliver it: the substitute where there is one, nothing where it is rejected."""
    item = next(iter(node.all("SellerSubstitutedLineItem")), None) or next(iter(node.all("LineItem")), None)
    if item is None:
        return {}
    status = item.first("LineStatusCode")
    if status and status.text == _REJECTED:
        return {}
    line = extraction.row(item, _LINE, LINE)
    extraction.put(line, LINE["purchase_order_line"], node.first("OrderLineReference/LineID"))
    if unit := attribute(item.first("Quantity"), "unitCode"):
        line["unit"] = unit
    put_discount(item, line, extraction)
    basis = item.first("Price/BaseQuantity")
    put_prices(line, (item.first("Price/PriceAmount"), basis), (None, None))
    return line
