"""UN/CEFACT Cross Industry Invoice D16B (Factur-X, ZUGFeRD 2, XRechnung), its ancestor in ZUGFeRD 1.0, and Order-X.

The three differ in the names of a few aggregates only, so each path names all of them.
Sources: EN 16931-3-3 (syntax binding), ZUGFeRD 1.0 technical annex, Order-X 1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.invoice import HEADER, LINE, VAT, DocumentType, Field, Reading
from inference.readers.einvoice.codes import DOCUMENT_TYPES, ORDER_TYPES
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

ROOTS = ("CrossIndustryInvoice", "CrossIndustryDocument", "SCRDMCCBDACIOMessageStructure")

_DOCUMENT = "ExchangedDocument|HeaderExchangedDocument"
_DEAL = "SupplyChainTradeTransaction|SpecifiedSupplyChainTradeTransaction"
_AGREEMENT = f"{_DEAL}/ApplicableHeaderTradeAgreement|ApplicableSupplyChainTradeAgreement"
_DELIVERY = f"{_DEAL}/ApplicableHeaderTradeDelivery|ApplicableSupplyChainTradeDelivery"
_SETTLEMENT = f"{_DEAL}/ApplicableHeaderTradeSettlement|ApplicableSupplyChainTradeSettlement"
_SUM = (
    f"{_SETTLEMENT}/SpecifiedTradeSettlementHeaderMonetarySummation|SpecifiedTradeSettlementMonetarySummation"
)
_SELLER, _BUYER = f"{_AGREEMENT}/SellerTradeParty", f"{_AGREEMENT}/BuyerTradeParty"
_MEANS = f"{_SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans"
_TERMS = f"{_SETTLEMENT}/SpecifiedTradePaymentTerms"
_TAX_TOTAL = f"{_SUM}/TaxTotalAmount"
_DATE = "DateTimeString|DateString"
_TAX_ID = "SpecifiedTaxRegistration/ID"

_HEADER = {
    "issue_date": (f"{_DOCUMENT}/IssueDateTime/{_DATE}",),
    "due_date": (f"{_TERMS}/DueDateDateTime/{_DATE}",),
    "delivery_date": (
        f"{_DELIVERY}/ActualDeliverySupplyChainEvent/OccurrenceDateTime/{_DATE}",
        f"{_DELIVERY}/RequestedDeliverySupplyChainEvent/OccurrenceDateTime/{_DATE}",
    ),
    "currency": (f"{_SETTLEMENT}/InvoiceCurrencyCode|OrderCurrencyCode",),
    "purchase_order_reference": (f"{_AGREEMENT}/BuyerOrderReferencedDocument/IssuerAssignedID|ID",),
    "order_number": (f"{_AGREEMENT}/SellerOrderReferencedDocument/IssuerAssignedID|ID",),
    "preceding_invoice_reference": (f"{_SETTLEMENT}/InvoiceReferencedDocument/IssuerAssignedID|ID",),
    "seller_name": (f"{_SELLER}/Name", f"{_SELLER}/SpecifiedLegalOrganization/TradingBusinessName"),
    "seller_registration": (f"{_SELLER}/SpecifiedLegalOrganization/ID",),
    "seller_vat_id": (f"{_SELLER}/{_TAX_ID}[@schemeID=VA]",),
    "seller_tax_id": (f"{_SELLER}/{_TAX_ID}[@schemeID=FC]",),
    "seller_country": (f"{_SELLER}/PostalTradeAddress/CountryID",),
    "seller_email": (
        f"{_SELLER}/DefinedTradeContact/EmailURIUniversalCommunication/URIID",
        f"{_SELLER}/URIUniversalCommunication/URIID[@schemeID=EM]",
    ),
    "buyer_name": (f"{_BUYER}/Name",),
    "buyer_vat_id": (f"{_BUYER}/{_TAX_ID}[@schemeID=VA]",),
    "buyer_reference": (f"{_AGREEMENT}/BuyerReference",),
    "buyer_accounting_reference": (f"{_SETTLEMENT}/ReceivableSpecifiedTradeAccountingAccount/ID",),
    "payment_account": (
        f"{_MEANS}/PayeePartyCreditorFinancialAccount/IBANID",
        f"{_MEANS}/PayeePartyCreditorFinancialAccount/ProprietaryID",
    ),
    "payment_bic": (f"{_MEANS}/PayeeSpecifiedCreditorFinancialInstitution/BICID",),
    "payment_reference": (f"{_SETTLEMENT}/PaymentReference",),
    "payment_terms": (f"{_TERMS}/Description",),
    "discount_total": (f"{_SUM}/AllowanceTotalAmount",),
    "charge_total": (f"{_SUM}/ChargeTotalAmount",),
    "total_without_vat": (f"{_SUM}/TaxBasisTotalAmount",),
    "total_with_vat": (f"{_SUM}/GrandTotalAmount",),
    "prepaid_amount": (f"{_SUM}/TotalPrepaidAmount",),
    "rounding_amount": (f"{_SUM}/RoundingAmount",),
    "amount_due": (f"{_SUM}/DuePayableAmount",),
}

# An order response names what it delivers instead as the substitute.
_PRODUCT = "SpecifiedTradeProduct|SubstitutedReferencedProduct"
_LINE_AGREEMENT = "SpecifiedLineTradeAgreement|SpecifiedSupplyChainTradeAgreement"
_LINE_DELIVERY = "SpecifiedLineTradeDelivery|SpecifiedSupplyChainTradeDelivery"
_LINE_SETTLEMENT = "SpecifiedLineTradeSettlement|SpecifiedSupplyChainTradeSettlement"
_LINE_SUM = f"{_LINE_SETTLEMENT}/SpecifiedTradeSettlementLineMonetarySummation|SpecifiedTradeSettlementMonetarySummation"
_LINE_TAX = f"{_LINE_SETTLEMENT}/ApplicableTradeTax"
_NET, _GROSS = (
    f"{_LINE_AGREEMENT}/NetPriceProductTradePrice",
    f"{_LINE_AGREEMENT}/GrossPriceProductTradePrice",
)
# A response states what the seller agreed to; that, not what was asked for, is what he will deliver.
_QUANTITY = tuple(
    f"{_LINE_DELIVERY}/{name}" for name in ("BilledQuantity", "AgreedQuantity", "RequestedQuantity")
)

_LINE = {
    "line_id": ("AssociatedDocumentLineDocument/LineID",),
    "line_status": ("AssociatedDocumentLineDocument/LineStatusReasonCode",),
    "line_accounting_reference": (f"{_LINE_SETTLEMENT}/ReceivableSpecifiedTradeAccountingAccount/ID",),
    "item_name": (f"{_PRODUCT}/Name", f"{_PRODUCT}/Description"),
    "item_seller_id": (f"{_PRODUCT}/SellerAssignedID",),
    "item_buyer_id": (f"{_PRODUCT}/BuyerAssignedID",),
    "item_standard_id": (f"{_PRODUCT}/GlobalID",),
    "quantity": _QUANTITY,
    "vat_rate": (f"{_LINE_TAX}/RateApplicablePercent|ApplicablePercent",),
    "vat_category": (f"{_LINE_TAX}/CategoryCode",),
    "line_net_amount": (f"{_LINE_SUM}/LineTotalAmount",),
    "purchase_order_line": (f"{_LINE_AGREEMENT}/BuyerOrderReferencedDocument/LineID",),
    "line_order_reference": (f"{_LINE_AGREEMENT}/BuyerOrderReferencedDocument/IssuerAssignedID|ID",),
    "delivery_date": (
        f"{_LINE_DELIVERY}/ActualDeliverySupplyChainEvent/OccurrenceDateTime/{_DATE}",
        f"{_LINE_DELIVERY}/RequestedDeliverySupplyChainEvent/OccurrenceDateTime/{_DATE}",
    ),
}

_VAT = {
    "vat_category": ("CategoryCode",),
    "vat_rate": ("RateApplicablePercent|ApplicablePercent",),
    "taxable_amount": ("BasisAmount",),
    "vat_amount": ("CalculatedAmount",),
    "exemption_reason": ("ExemptionReason", "ExemptionReasonCode"),
}


def read_cii(root: Node, reader: str) -> Reading:
    """The Reading of a CII document."""
    extraction = Extraction()
    fields = extraction.row(root, _HEADER, HEADER)
    _put_identity(root, fields, extraction)
    address = root.all(f"{_SELLER}/PostalTradeAddress")
    if address and (found := one_line(_address(address[0]))):
        fields["seller_address"] = found
    # BT-110 is in the invoice's currency; BT-111, the same in the tax office's, is another element of that name.
    currency = fields["currency"].value if "currency" in fields else ""
    totals = [t for t in root.all(_TAX_TOTAL) if t.attribute("currencyID") in ("", currency)]
    extraction.put(fields, HEADER["total_vat"], totals[0] if totals else None)
    lines = [
        line
        for node in root.all(f"{_DEAL}/IncludedSupplyChainTradeLineItem")
        if (line := _line(node, extraction))
    ]
    taxes = [extraction.row(node, _VAT, VAT) for node in root.all(f"{_SETTLEMENT}/ApplicableTradeTax")]
    return Reading(reader, fields, tuple(lines), tuple(tax for tax in taxes if tax), tuple(extraction.checks))


def _put_identity(root: Node, fields: dict[str, Field], extraction: Extraction) -> None:
    """Type and number; an order's own number and date are not an invoice's."""
    code, number = root.first(f"{_DOCUMENT}/TypeCode"), root.first(f"{_DOCUMENT}/ID")
    kind = DOCUMENT_TYPES.get(code.text, DocumentType.OTHER) if code else None
    if code and kind:
        fields["document_type"] = proven(kind.value, code)
    if kind in ORDER_TYPES:
        extraction.put(fields, HEADER["order_number"], number)
        if "issue_date" in fields:
            fields["order_date"] = fields["issue_date"]
    else:
        extraction.put(fields, HEADER["invoice_number"], number)


def _address(node: Node) -> list[Node]:
    parts = (
        "LineOne",
        "LineTwo",
        "LineThree",
        "PostcodeCode",
        "CityName",
        "CountrySubDivisionName",
        "CountryID",
    )
    return [found for part in parts if (found := node.first(part))]


def _line(node: Node, extraction: Extraction) -> dict[str, Field] | None:
    line = extraction.row(node, _LINE, LINE)
    if unit := attribute(node.first(*_QUANTITY), "unitCode"):
        line["unit"] = unit
    _put_discount(node.all(f"{_LINE_SETTLEMENT}/SpecifiedTradeAllowanceCharge"), line, extraction)
    net, gross = (
        (node.first(f"{price}/ChargeAmount"), node.first(f"{price}/BasisQuantity"))
        for price in (_NET, _GROSS)
    )
    put_prices(line, net, gross)
    return line or None


def _put_discount(allowances: list[Node], line: dict[str, Field], extraction: Extraction) -> None:
    amounts = [
        (amount, charge.text == "true")
        for node in allowances
        if (amount := node.first("ActualAmount")) and (charge := node.first("ChargeIndicator/Indicator"))
    ]
    if found := discount(amounts):
        line["discount_amount"] = found
    if len(amounts) == 1 and not amounts[0][1]:
        extraction.put(line, LINE["discount_percent"], allowances[0].first("CalculationPercent"))
