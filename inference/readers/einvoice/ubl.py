"""OASIS UBL 2.1 Invoice and CreditNote (XRechnung, Peppol BIS Billing 3). Source: EN 16931-3-2 (syntax binding)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.invoice import HEADER, LINE, VAT, DocumentType, Field, Reading
from inference.readers.einvoice.codes import DOCUMENT_TYPES
from inference.readers.einvoice.extract import (
    Extraction,
    attribute,
    discount,
    one_line,
    proven,
    put_prices,
)

if TYPE_CHECKING:
    from inference.xml import Node

ROOTS = ("Invoice", "CreditNote")
NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:"

_SELLER, _BUYER = "AccountingSupplierParty/Party", "AccountingCustomerParty/Party"
_TOTAL = "LegalMonetaryTotal"

_HEADER = {
    "invoice_number": ("ID",),
    "issue_date": ("IssueDate",),
    "due_date": ("DueDate", "PaymentMeans/PaymentDueDate", "PaymentTerms/PaymentDueDate"),
    "delivery_date": ("Delivery/ActualDeliveryDate",),
    "currency": ("DocumentCurrencyCode",),
    "order_number": ("OrderReference/SalesOrderID",),
    "preceding_invoice_reference": ("BillingReference/InvoiceDocumentReference/ID",),
    "seller_name": (f"{_SELLER}/PartyLegalEntity/RegistrationName", f"{_SELLER}/PartyName/Name"),
    "seller_registration": (f"{_SELLER}/PartyLegalEntity/CompanyID",),
    "seller_country": (f"{_SELLER}/PostalAddress/Country/IdentificationCode",),
    "seller_email": (f"{_SELLER}/Contact/ElectronicMail",),
    "seller_website": (f"{_SELLER}/WebsiteURI",),
    "buyer_name": (f"{_BUYER}/PartyLegalEntity/RegistrationName", f"{_BUYER}/PartyName/Name"),
    "buyer_reference": ("BuyerReference",),
    "buyer_accounting_reference": ("AccountingCost",),
    "payment_account": ("PaymentMeans/PayeeFinancialAccount/ID",),
    "payment_bic": (
        "PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/ID",
        "PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/FinancialInstitution/ID",
    ),
    "payment_reference": ("PaymentMeans/PaymentID",),
    "payment_terms": ("PaymentTerms/Note",),
    "discount_total": (f"{_TOTAL}/AllowanceTotalAmount",),
    "charge_total": (f"{_TOTAL}/ChargeTotalAmount",),
    "total_without_vat": (f"{_TOTAL}/TaxExclusiveAmount",),
    "total_with_vat": (f"{_TOTAL}/TaxInclusiveAmount",),
    "prepaid_amount": (f"{_TOTAL}/PrepaidAmount",),
    "rounding_amount": (f"{_TOTAL}/PayableRoundingAmount",),
    "amount_due": (f"{_TOTAL}/PayableAmount",),
}

_QUANTITY = "InvoicedQuantity|CreditedQuantity"
_LINE = {
    "line_id": ("ID",),
    "line_accounting_reference": ("AccountingCost",),
    "item_name": ("Item/Name", "Item/Description"),
    "item_seller_id": ("Item/SellersItemIdentification/ID",),
    "item_buyer_id": ("Item/BuyersItemIdentification/ID",),
    "item_standard_id": ("Item/StandardItemIdentification/ID",),
    "quantity": (_QUANTITY,),
    "vat_rate": ("Item/ClassifiedTaxCategory/Percent", "TaxTotal/TaxSubtotal/TaxCategory/Percent"),
    "vat_category": ("Item/ClassifiedTaxCategory/ID", "TaxTotal/TaxSubtotal/TaxCategory/ID"),
    "line_net_amount": ("LineExtensionAmount",),
    "purchase_order_line": ("OrderLineReference/LineID",),
    "line_order_reference": ("OrderLineReference/OrderReference/ID",),
    "delivery_date": ("Delivery/ActualDeliveryDate",),
}

_VAT = {
    "vat_category": ("TaxCategory/ID",),
    "vat_rate": ("TaxCategory/Percent", "Percent"),
    "taxable_amount": ("TaxableAmount",),
    "vat_amount": ("TaxAmount",),
    "exemption_reason": ("TaxCategory/TaxExemptionReason", "TaxCategory/TaxExemptionReasonCode"),
}


def read_ubl(root: Node, reader: str) -> Reading:
    """The Reading of a UBL document."""
    extraction = Extraction()
    fields = extraction.row(root, _HEADER, HEADER)
    code = root.first("InvoiceTypeCode|CreditNoteTypeCode")
    kind = DocumentType.CREDIT_NOTE if root.name == "CreditNote" else None
    kind = DOCUMENT_TYPES.get(code.text, kind or DocumentType.OTHER) if code else kind
    if kind:
        fields["document_type"] = proven(kind.value, code or root)
    order = root.first("OrderReference/ID")
    if order and order.text != "NA":  # what EN 16931 has written where only the seller's order is known
        extraction.put(fields, HEADER["purchase_order_reference"], order)
    put_tax_ids(root, _SELLER, _BUYER, fields, extraction)
    address = root.all(f"{_SELLER}/PostalAddress")
    if address and (found := one_line(address_parts(address[0]))):
        fields["seller_address"] = found
    # BT-110 is in the invoice's currency; BT-111, the same in the tax office's, is another TaxTotal.
    currency = fields["currency"].value if "currency" in fields else ""
    totals = [
        total
        for total in root.all("TaxTotal")
        if (amount := total.first("TaxAmount")) and amount.attribute("currencyID") in ("", currency)
    ]
    if totals:
        extraction.put(fields, HEADER["total_vat"], totals[0].first("TaxAmount"))
    taxes = [extraction.row(node, _VAT, VAT) for total in totals[:1] for node in total.all("TaxSubtotal")]
    lines = [_line(node, extraction) for node in root.all("InvoiceLine|CreditNoteLine")]
    return Reading(
        reader,
        fields,
        tuple(line for line in lines if line),
        tuple(tax for tax in taxes if tax),
        tuple(extraction.checks),
    )


def put_tax_ids(
    root: Node, seller: str, buyer: str, fields: dict[str, Field], extraction: Extraction
) -> None:
    """Add the tax ids of the parties at those paths, told apart by their tax scheme."""
    for party, vat_term, other_term in (
        (seller, "seller_vat_id", "seller_tax_id"),
        (buyer, "buyer_vat_id", ""),
    ):
        for scheme in root.all(f"{party}/PartyTaxScheme"):
            kind = scheme.first("TaxScheme/ID")
            name = vat_term if kind is None or kind.text in ("VAT", "VA") else other_term
            if name and name not in fields:
                extraction.put(fields, HEADER[name], scheme.first("CompanyID"))


def address_parts(node: Node) -> list[Node]:
    """The elements of a postal address, in the order in which they are read."""
    parts = (
        *(
            "StreetName",
            "AdditionalStreetName",
            "AddressLine/Line",
            "PostalZone",
            "CityName",
            "CountrySubentity",
        ),
        "Country/IdentificationCode",
    )
    return [found for part in parts if (found := node.first(part))]


def _line(node: Node, extraction: Extraction) -> dict[str, Field]:
    line = extraction.row(node, _LINE, LINE)
    if unit := attribute(node.first(_QUANTITY), "unitCode"):
        line["unit"] = unit
    put_discount(node, line, extraction)
    basis = node.first("Price/BaseQuantity")
    put_prices(
        line,
        (node.first("Price/PriceAmount"), basis),
        (node.first("Price/AllowanceCharge/BaseAmount"), basis),
    )
    return line


def put_discount(node: Node, line: dict[str, Field], extraction: Extraction) -> None:
    """Add the allowances less the charges of a line."""
    allowances = node.all("AllowanceCharge")
    amounts = [
        (amount, charge.text == "true")
        for allowance in allowances
        if (amount := allowance.first("Amount")) and (charge := allowance.first("ChargeIndicator"))
    ]
    if total := discount(amounts):
        line["discount_amount"] = total
    if len(amounts) == 1 and not amounts[0][1]:
        extraction.put(line, LINE["discount_percent"], allowances[0].first("MultiplierFactorNumeric"))
