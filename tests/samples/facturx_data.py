"""A bill as Factur-X / ZUGFeRD, profile EN 16931: UN/CEFACT Cross Industry Invoice D22B embedded in its PDF."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from io import BytesIO

import facturx
import pikepdf
from lxml import etree

from tests.samples.bill import Bill, Line, Party, VatRow, cents

RSM = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
UDT = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
PROFILE = "urn:cen.eu:en16931:2017"
TYPE_CODES = {"invoice": "380", "credit_note": "381"}

Node = etree._Element


def facturx_pdf(bill: Bill, pdf: bytes) -> bytes:
    """The PDF with the bill's data embedded as `factur-x.xml`; the same bytes each time."""
    made = facturx.generate_from_binary(
        pdf, invoice_xml(bill), flavor="factur-x", level="en16931", lang=bill.seller.language.replace("_", "-"),
        xmp_compression=False, afrelationship="alternative",
    )  # fmt: skip
    return _timeless(made, bill.issue_date)


def invoice_xml(bill: Bill) -> bytes:
    """The Cross Industry Invoice of a bill."""
    root = etree.Element(f"{{{RSM}}}CrossIndustryInvoice", nsmap={"rsm": RSM, "ram": RAM, "udt": UDT})
    context = etree.SubElement(root, f"{{{RSM}}}ExchangedDocumentContext")
    _add(_add(context, "GuidelineSpecifiedDocumentContextParameter"), "ID", PROFILE)
    head = etree.SubElement(root, f"{{{RSM}}}ExchangedDocument")
    _add(head, "ID", bill.number)
    _add(head, "TypeCode", TYPE_CODES[bill.document_type])
    _day(_add(head, "IssueDateTime"), bill.issue_date)
    trade = etree.SubElement(root, f"{{{RSM}}}SupplyChainTradeTransaction")
    for number, line in enumerate(bill.lines, 1):
        _line(_add(trade, "IncludedSupplyChainTradeLineItem"), number, line)
    agreement = _add(trade, "ApplicableHeaderTradeAgreement")
    _party(_add(agreement, "SellerTradeParty"), bill.seller)
    _party(_add(agreement, "BuyerTradeParty"), bill.buyer)
    if bill.order_reference:
        _add(_add(agreement, "BuyerOrderReferencedDocument"), "IssuerAssignedID", bill.order_reference)
    delivery = _add(trade, "ApplicableHeaderTradeDelivery")
    if bill.delivery_date:
        event = _add(delivery, "ActualDeliverySupplyChainEvent")
        _day(_add(event, "OccurrenceDateTime"), bill.delivery_date)
    _settlement(_add(trade, "ApplicableHeaderTradeSettlement"), bill)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _line(node: Node, number: int, line: Line) -> None:
    _add(_add(node, "AssociatedDocumentLineDocument"), "LineID", str(number))
    product = _add(node, "SpecifiedTradeProduct")
    if line.item_seller_id:
        _add(product, "SellerAssignedID", line.item_seller_id)
    _add(product, "Name", line.item_name)
    price = _add(_add(node, "SpecifiedLineTradeAgreement"), "NetPriceProductTradePrice")
    _add(price, "ChargeAmount", line.net_price)
    delivery = _add(node, "SpecifiedLineTradeDelivery")
    _add(delivery, "BilledQuantity", line.quantity).set("unitCode", line.unit)
    settlement = _add(node, "SpecifiedLineTradeSettlement")
    _tax(_add(settlement, "ApplicableTradeTax"), line.vat_rate)
    if line.discount_percent:
        gross = cents(line.quantity * line.net_price)
        allowance = _add(settlement, "SpecifiedTradeAllowanceCharge")
        etree.SubElement(_add(allowance, "ChargeIndicator"), f"{{{UDT}}}Indicator").text = "false"
        _add(allowance, "CalculationPercent", line.discount_percent)
        _add(allowance, "BasisAmount", gross)
        _add(allowance, "ActualAmount", gross - line.line_net_amount)
        _add(allowance, "ReasonCode", "95")
    summation = _add(settlement, "SpecifiedTradeSettlementLineMonetarySummation")
    _add(summation, "LineTotalAmount", line.line_net_amount)


def _settlement(node: Node, bill: Bill) -> None:
    if bill.payment_reference:
        _add(node, "PaymentReference", bill.payment_reference)
    _add(node, "InvoiceCurrencyCode", bill.currency)
    means = _add(node, "SpecifiedTradeSettlementPaymentMeans")
    _add(means, "TypeCode", "58")
    _add(_add(means, "PayeePartyCreditorFinancialAccount"), "IBANID", bill.seller.account)
    _add(_add(means, "PayeeSpecifiedCreditorFinancialInstitution"), "BICID", bill.seller.bic)
    for row in bill.vat_breakdown:
        _vat(_add(node, "ApplicableTradeTax"), row)
    if bill.discount_percent:
        raise ValueError("a discount on the whole document is not written as Factur-X")
    terms = _add(node, "SpecifiedTradePaymentTerms")
    _add(terms, "Description", bill.payment_terms)
    if bill.due_date:
        _day(_add(terms, "DueDateDateTime"), bill.due_date)
    totals = _add(node, "SpecifiedTradeSettlementHeaderMonetarySummation")
    _add(totals, "LineTotalAmount", bill.lines_total)
    _add(totals, "TaxBasisTotalAmount", bill.total_without_vat)
    _add(totals, "TaxTotalAmount", bill.total_vat).set("currencyID", bill.currency)
    _add(totals, "GrandTotalAmount", bill.total_with_vat)
    _add(totals, "DuePayableAmount", bill.total_with_vat)
    if bill.preceding_invoice:
        _add(_add(node, "InvoiceReferencedDocument"), "IssuerAssignedID", bill.preceding_invoice)


def _vat(node: Node, row: VatRow) -> None:
    _add(node, "CalculatedAmount", row.vat_amount)
    _add(node, "TypeCode", "VAT")
    _add(node, "BasisAmount", row.taxable_amount)
    _add(node, "CategoryCode", "S" if row.vat_rate else "Z")
    _add(node, "RateApplicablePercent", row.vat_rate)


def _tax(node: Node, rate: Decimal) -> None:
    _add(node, "TypeCode", "VAT")
    _add(node, "CategoryCode", "S" if rate else "Z")
    _add(node, "RateApplicablePercent", rate)


def _party(node: Node, party: Party) -> None:
    _add(node, "Name", party.name)
    if party.registration:
        _add(_add(node, "SpecifiedLegalOrganization"), "ID", party.registration)
    address = _add(node, "PostalTradeAddress")
    _add(address, "PostcodeCode", party.zip)
    _add(address, "LineOne", party.street)
    _add(address, "CityName", party.city)
    _add(address, "CountryID", party.country)
    if party.email:
        uri = _add(_add(node, "URIUniversalCommunication"), "URIID", party.email)
        uri.set("schemeID", "EM")
    _add(_add(node, "SpecifiedTaxRegistration"), "ID", party.vat_id).set("schemeID", "VA")


def _add(parent: Node, name: str, value: str | Decimal | None = None) -> Node:
    node = etree.SubElement(parent, f"{{{RAM}}}{name}")
    if value is not None:
        node.text = value if isinstance(value, str) else format(value, "f")
    return node


def _day(parent: Node, day: date) -> None:
    node = etree.SubElement(parent, f"{{{UDT}}}DateTimeString", format="102")
    node.text = day.strftime("%Y%m%d")


def _timeless(pdf: bytes, day: date) -> bytes:
    """The PDF with the times of its making set to the day of the bill."""
    stamp = day.strftime("D:%Y%m%d090000+00'00'")
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        for key in ("/CreationDate", "/ModDate"):
            document.docinfo[key] = stamp
        for attached in document.attachments.values():
            attached.get_file().obj.Params.ModDate = stamp
        moment = day.strftime("%Y-%m-%dT09:00:00+00:00").encode()
        xmp = document.Root.Metadata.read_bytes()
        document.Root.Metadata.write(re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?", moment, xmp))
        document.save(out, deterministic_id=True)
    return out.getvalue()
