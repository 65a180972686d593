"""E-invoices: exact values with the path that proves them, in every syntax, from any wrapping."""

from __future__ import annotations

import io
import time
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pikepdf
import pytest
from facturx import generate_from_binary, xml_check_xsd
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from reportlab.pdfgen.canvas import Canvas

from inference.checks import run_checks
from inference.document import Origin, open_document
from inference.errors import DocumentError, UnsupportedDocument
from inference.invoice import Reading, Status
from inference.reading import make_readers, read_document
from tests.unit.test_fapiao import DIGITAL, XBRL

if TYPE_CHECKING:
    from inference.invoice import Field

CII = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn:cen.eu:en16931:2017</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>R-2026/0815</ram:ID><ram:TypeCode>380</ram:TypeCode>
<ram:IssueDateTime><udt:DateTimeString format="102">20261124</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>
<ram:IncludedSupplyChainTradeLineItem>
 <ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID></ram:AssociatedDocumentLineDocument>
 <ram:SpecifiedTradeProduct><ram:GlobalID schemeID="0160">4012345001235</ram:GlobalID>
  <ram:SellerAssignedID>TB100A4</ram:SellerAssignedID><ram:Name>Trennblätter A4</ram:Name></ram:SpecifiedTradeProduct>
 <ram:SpecifiedLineTradeAgreement>
  <ram:BuyerOrderReferencedDocument><ram:LineID>10</ram:LineID></ram:BuyerOrderReferencedDocument>
  <ram:GrossPriceProductTradePrice><ram:ChargeAmount>110</ram:ChargeAmount><ram:BasisQuantity unitCode="H87">100</ram:BasisQuantity></ram:GrossPriceProductTradePrice>
  <ram:NetPriceProductTradePrice><ram:ChargeAmount>100.00</ram:ChargeAmount><ram:BasisQuantity unitCode="H87">100</ram:BasisQuantity></ram:NetPriceProductTradePrice>
 </ram:SpecifiedLineTradeAgreement>
 <ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="H87">200.0000</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
 <ram:SpecifiedLineTradeSettlement>
  <ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>19.00</ram:RateApplicablePercent></ram:ApplicableTradeTax>
  <ram:SpecifiedTradeAllowanceCharge><ram:ChargeIndicator><udt:Indicator>false</udt:Indicator></ram:ChargeIndicator>
   <ram:CalculationPercent>5</ram:CalculationPercent><ram:ActualAmount>10.00</ram:ActualAmount><ram:Reason>Rabatt</ram:Reason></ram:SpecifiedTradeAllowanceCharge>
  <ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>190.00</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation>
 </ram:SpecifiedLineTradeSettlement>
</ram:IncludedSupplyChainTradeLineItem>
<ram:IncludedSupplyChainTradeLineItem>
 <ram:AssociatedDocumentLineDocument><ram:LineID>2</ram:LineID></ram:AssociatedDocumentLineDocument>
 <ram:SpecifiedTradeProduct><ram:Name>Joghurt   Banane</ram:Name></ram:SpecifiedTradeProduct>
 <ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>5.5000</ram:ChargeAmount></ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
 <ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="H87">50</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
 <ram:SpecifiedLineTradeSettlement>
  <ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>7</ram:RateApplicablePercent></ram:ApplicableTradeTax>
  <ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>275.00</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation>
 </ram:SpecifiedLineTradeSettlement>
</ram:IncludedSupplyChainTradeLineItem>
<ram:ApplicableHeaderTradeAgreement>
 <ram:SellerTradeParty><ram:Name>Lieferant GmbH</ram:Name>
  <ram:SpecifiedLegalOrganization><ram:ID>HRB 4711</ram:ID></ram:SpecifiedLegalOrganization>
  <ram:PostalTradeAddress><ram:PostcodeCode>80333</ram:PostcodeCode><ram:LineOne>Lieferantenstraße 20</ram:LineOne><ram:CityName>München</ram:CityName><ram:CountryID>DE</ram:CountryID></ram:PostalTradeAddress>
  <ram:SpecifiedTaxRegistration><ram:ID schemeID="FC">201/113/40209</ram:ID></ram:SpecifiedTaxRegistration>
  <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">DE123456789</ram:ID></ram:SpecifiedTaxRegistration></ram:SellerTradeParty>
 <ram:BuyerTradeParty><ram:Name>Kunden AG Mitte</ram:Name>
  <ram:PostalTradeAddress><ram:PostcodeCode>69876</ram:PostcodeCode><ram:CityName>Frankfurt</ram:CityName><ram:CountryID>DE</ram:CountryID></ram:PostalTradeAddress>
  <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">DE987654321</ram:ID></ram:SpecifiedTaxRegistration></ram:BuyerTradeParty>
 <ram:SellerOrderReferencedDocument><ram:IssuerAssignedID>A-77</ram:IssuerAssignedID></ram:SellerOrderReferencedDocument>
 <ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>PO-2026-12</ram:IssuerAssignedID></ram:BuyerOrderReferencedDocument>
</ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery><ram:ActualDeliverySupplyChainEvent><ram:OccurrenceDateTime>
 <udt:DateTimeString format="102">20261120</udt:DateTimeString></ram:OccurrenceDateTime></ram:ActualDeliverySupplyChainEvent></ram:ApplicableHeaderTradeDelivery>
<ram:ApplicableHeaderTradeSettlement>
 <ram:PaymentReference>RF18539007547034</ram:PaymentReference>
 <ram:TaxCurrencyCode>PLN</ram:TaxCurrencyCode>
 <ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
 <ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>58</ram:TypeCode>
  <ram:PayeePartyCreditorFinancialAccount><ram:IBANID>DE89370400440532013000</ram:IBANID></ram:PayeePartyCreditorFinancialAccount>
  <ram:PayeeSpecifiedCreditorFinancialInstitution><ram:BICID>COBADEFFXXX</ram:BICID></ram:PayeeSpecifiedCreditorFinancialInstitution></ram:SpecifiedTradeSettlementPaymentMeans>
 <ram:ApplicableTradeTax><ram:CalculatedAmount>19.25</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode><ram:BasisAmount>275.00</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>7</ram:RateApplicablePercent></ram:ApplicableTradeTax>
 <ram:ApplicableTradeTax><ram:CalculatedAmount>36.10</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode><ram:BasisAmount>190.00</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>19</ram:RateApplicablePercent></ram:ApplicableTradeTax>
 <ram:SpecifiedTradePaymentTerms><ram:Description>30 Tage netto</ram:Description><ram:DueDateDateTime>
  <udt:DateTimeString format="102">20261224</udt:DateTimeString></ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>
 <ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>465.00</ram:LineTotalAmount>
  <ram:ChargeTotalAmount>0.00</ram:ChargeTotalAmount><ram:AllowanceTotalAmount>0.00</ram:AllowanceTotalAmount>
  <ram:TaxBasisTotalAmount>465.00</ram:TaxBasisTotalAmount>
  <ram:TaxTotalAmount currencyID="PLN">235.91</ram:TaxTotalAmount><ram:TaxTotalAmount currencyID="EUR">55.35</ram:TaxTotalAmount>
  <ram:GrandTotalAmount>520.35</ram:GrandTotalAmount><ram:TotalPrepaidAmount>20.00</ram:TotalPrepaidAmount><ram:DuePayableAmount>500.35</ram:DuePayableAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>
</ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"""

UBL = """<?xml version="1.0" encoding="UTF-8"?>
<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:ID>CN 17</cbc:ID><cbc:IssueDate>2026-11-24</cbc:IssueDate><cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>
<cbc:DocumentCurrencyCode>NOK</cbc:DocumentCurrencyCode>
<cac:OrderReference><cbc:ID>NA</cbc:ID><cbc:SalesOrderID>S-5</cbc:SalesOrderID></cac:OrderReference>
<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>INV 9</cbc:ID></cac:InvoiceDocumentReference></cac:BillingReference>
<cac:AccountingSupplierParty><cac:Party><cac:PartyName><cbc:Name>Nordlys</cbc:Name></cac:PartyName>
 <cac:PostalAddress><cbc:StreetName>Storgata 1</cbc:StreetName><cbc:CityName>Oslo</cbc:CityName><cbc:PostalZone>0155</cbc:PostalZone>
  <cac:Country><cbc:IdentificationCode>NO</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
 <cac:PartyTaxScheme><cbc:CompanyID>NO123456785MVA</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
 <cac:PartyTaxScheme><cbc:CompanyID>Foretaksregisteret</cbc:CompanyID><cac:TaxScheme><cbc:ID>TAX</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
 <cac:PartyLegalEntity><cbc:RegistrationName>Nordlys AS</cbc:RegistrationName><cbc:CompanyID>123456785</cbc:CompanyID></cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>Kunde AS</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party></cac:AccountingCustomerParty>
<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode><cbc:PaymentID>0003434323213231</cbc:PaymentID>
 <cac:PayeeFinancialAccount><cbc:ID>NO9386011117947</cbc:ID><cac:FinancialInstitutionBranch><cbc:ID>DNBANOKK</cbc:ID></cac:FinancialInstitutionBranch></cac:PayeeFinancialAccount></cac:PaymentMeans>
<cac:TaxTotal><cbc:TaxAmount currencyID="NOK">25.00</cbc:TaxAmount><cac:TaxSubtotal><cbc:TaxableAmount currencyID="NOK">100.00</cbc:TaxableAmount>
 <cbc:TaxAmount currencyID="NOK">25.00</cbc:TaxAmount><cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25.0</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="NOK">100.00</cbc:LineExtensionAmount><cbc:TaxExclusiveAmount currencyID="NOK">100.00</cbc:TaxExclusiveAmount>
 <cbc:TaxInclusiveAmount currencyID="NOK">125.00</cbc:TaxInclusiveAmount><cbc:PayableAmount currencyID="NOK">125.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:CreditNoteLine><cbc:ID>1</cbc:ID><cbc:CreditedQuantity unitCode="EA">4</cbc:CreditedQuantity><cbc:LineExtensionAmount currencyID="NOK">100.00</cbc:LineExtensionAmount>
 <cac:Item><cbc:Name>Lampe</cbc:Name><cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25.0</cbc:Percent></cac:ClassifiedTaxCategory></cac:Item>
 <cac:Price><cbc:PriceAmount currencyID="NOK">25</cbc:PriceAmount><cbc:BaseQuantity unitCode="EA">4</cbc:BaseQuantity></cac:Price></cac:CreditNoteLine>
</CreditNote>"""


ORDER = """<?xml version="1.0" encoding="UTF-8"?>
<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:ID>PO-34</cbc:ID><cbc:IssueDate>2026-11-02</cbc:IssueDate><cbc:DocumentCurrencyCode>SEK</cbc:DocumentCurrencyCode>
<cac:BuyerCustomerParty><cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>Kunde AB</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party></cac:BuyerCustomerParty>
<cac:SellerSupplierParty><cac:Party><cac:PostalAddress><cbc:StreetName>Gatan 1</cbc:StreetName><cbc:CityName>Lund</cbc:CityName></cac:PostalAddress>
 <cac:PartyLegalEntity><cbc:RegistrationName>Leverantör AB</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party></cac:SellerSupplierParty>
<cac:Delivery><cac:RequestedDeliveryPeriod><cbc:StartDate>2026-11-20</cbc:StartDate></cac:RequestedDeliveryPeriod></cac:Delivery>
<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">50.00</cbc:TaxAmount></cac:TaxTotal>
<cac:AnticipatedMonetaryTotal><cbc:TaxExclusiveAmount currencyID="SEK">200.00</cbc:TaxExclusiveAmount>
 <cbc:TaxInclusiveAmount currencyID="SEK">250.00</cbc:TaxInclusiveAmount><cbc:PayableAmount currencyID="SEK">250.00</cbc:PayableAmount></cac:AnticipatedMonetaryTotal>
<cac:OrderLine><cac:LineItem><cbc:ID>1</cbc:ID><cbc:Quantity unitCode="EA">8</cbc:Quantity><cbc:LineExtensionAmount currencyID="SEK">200.00</cbc:LineExtensionAmount>
 <cac:Price><cbc:PriceAmount currencyID="SEK">25.00</cbc:PriceAmount></cac:Price><cac:Item><cbc:Name>Lampa</cbc:Name></cac:Item></cac:LineItem></cac:OrderLine>
</Order>"""

ORDER_RESPONSE = """<?xml version="1.0" encoding="UTF-8"?>
<OrderResponse xmlns="urn:oasis:names:specification:ubl:schema:xsd:OrderResponse-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:ID>RSP-7</cbc:ID><cbc:SalesOrderID>S-99</cbc:SalesOrderID><cbc:IssueDate>2026-11-03</cbc:IssueDate>
<cbc:OrderResponseCode>CA</cbc:OrderResponseCode><cbc:DocumentCurrencyCode>SEK</cbc:DocumentCurrencyCode>
<cac:OrderReference><cbc:ID>PO-34</cbc:ID></cac:OrderReference>
<cac:SellerSupplierParty><cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>Leverantör AB</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party></cac:SellerSupplierParty>
<cac:BuyerCustomerParty><cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>Kunde AB</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party></cac:BuyerCustomerParty>
<cac:OrderLine><cac:LineItem><cbc:ID>1</cbc:ID><cbc:LineStatusCode>3</cbc:LineStatusCode><cbc:Quantity unitCode="EA">6</cbc:Quantity>
 <cac:Delivery><cac:PromisedDeliveryPeriod><cbc:EndDate>2026-11-25</cbc:EndDate></cac:PromisedDeliveryPeriod></cac:Delivery>
 <cac:Price><cbc:PriceAmount currencyID="SEK">26.00</cbc:PriceAmount></cac:Price><cac:Item><cbc:Name>Lampa</cbc:Name>
 <cac:SellersItemIdentification><cbc:ID>L-1</cbc:ID></cac:SellersItemIdentification></cac:Item></cac:LineItem>
 <cac:OrderLineReference><cbc:LineID>1</cbc:LineID></cac:OrderLineReference></cac:OrderLine>
<cac:OrderLine><cac:LineItem><cbc:ID>2</cbc:ID><cbc:LineStatusCode>7</cbc:LineStatusCode><cbc:Quantity unitCode="EA">1</cbc:Quantity>
 <cac:Item><cbc:Name>Kabel</cbc:Name></cac:Item></cac:LineItem><cac:OrderLineReference><cbc:LineID>2</cbc:LineID></cac:OrderLineReference></cac:OrderLine>
<cac:OrderLine><cac:LineItem><cbc:ID>3</cbc:ID><cbc:Quantity unitCode="EA">2</cbc:Quantity><cac:Item><cbc:Name>Fot</cbc:Name></cac:Item></cac:LineItem>
 <cac:SellerSubstitutedLineItem><cbc:ID>3</cbc:ID><cbc:Quantity unitCode="EA">3</cbc:Quantity><cac:Item><cbc:Name>Fot, svart</cbc:Name></cac:Item></cac:SellerSubstitutedLineItem>
 <cac:OrderLineReference><cbc:LineID>3</cbc:LineID></cac:OrderLineReference></cac:OrderLine>
</OrderResponse>"""


def page() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, invariant=True)
    canvas.drawString(
        100,
        700,
        "Rechnung R-2026/0815 ueber 520,35 EUR, zahlbar bis 24.12.2026, siehe Anlage der Firma Lieferant",
    )
    canvas.save()
    return out.getvalue()


def embedded(xml: str, name: str = "factur-x.xml") -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(page())) as pdf:
        pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, xml.encode(), filename=name)
        pdf.save(out)
    return out.getvalue()


def read(data: bytes) -> Reading:
    return read_document(open_document(data, "bill"), readers=make_readers("einvoice"))


def values(row: dict[str, Field] | object) -> dict[str, object]:
    return {name: found.value for name, found in row.items()}  # type: ignore[attr-defined]


def test_the_sample_is_valid_against_the_schema() -> None:
    assert xml_check_xsd(CII.encode(), flavor="factur-x", level="en16931")


def test_every_term_of_a_factur_x_is_read_exactly() -> None:
    reading = read(generate_from_binary(page(), CII.encode(), check_xsd=False))
    assert reading.reader == "einvoice"
    assert values(reading.fields) == {
        "document_type": "invoice",
        "invoice_number": "R-2026/0815",
        "issue_date": date(2026, 11, 24),
        "due_date": date(2026, 12, 24),
        "delivery_date": date(2026, 11, 20),
        "currency": "EUR",
        "purchase_order_reference": "PO-2026-12",
        "order_number": "A-77",
        "seller_name": "Lieferant GmbH",
        "seller_registration": "HRB 4711",
        "seller_vat_id": "DE123456789",
        "seller_tax_id": "201/113/40209",
        "seller_address": "Lieferantenstraße 20, 80333, München, DE",
        "seller_country": "DE",
        "buyer_name": "Kunden AG Mitte",
        "buyer_vat_id": "DE987654321",
        "payment_account": "DE89370400440532013000",
        "payment_bic": "COBADEFFXXX",
        "payment_reference": "RF18539007547034",
        "payment_terms": "30 Tage netto",
        "discount_total": Decimal("0.00"),
        "charge_total": Decimal("0.00"),
        "total_without_vat": Decimal("465.00"),
        "total_vat": Decimal("55.35"),
        "total_with_vat": Decimal("520.35"),
        "prepaid_amount": Decimal("20.00"),
        "amount_due": Decimal("500.35"),
    }
    assert [values(line) for line in reading.lines] == [
        {
            "line_id": "1",
            "item_name": "Trennblätter A4",
            "item_seller_id": "TB100A4",
            "item_standard_id": "4012345001235",
            "quantity": Decimal("200.0000"),
            "unit": "H87",
            "net_price": Decimal(1),
            "gross_price": Decimal("1.1"),
            "discount_percent": Decimal(5),
            "discount_amount": Decimal("10.00"),
            "vat_rate": Decimal("19.00"),
            "vat_category": "S",
            "line_net_amount": Decimal("190.00"),
            "purchase_order_line": "10",
        },
        {
            "line_id": "2",
            "item_name": "Joghurt Banane",
            "quantity": Decimal(50),
            "unit": "H87",
            "net_price": Decimal("5.5000"),
            "vat_rate": Decimal(7),
            "vat_category": "S",
            "line_net_amount": Decimal("275.00"),
        },
    ]
    assert [values(row) for row in reading.vat_breakdown] == [
        {
            "vat_category": "S",
            "vat_rate": Decimal(7),
            "taxable_amount": Decimal(275),
            "vat_amount": Decimal("19.25"),
        },
        {
            "vat_category": "S",
            "vat_rate": Decimal(19),
            "taxable_amount": Decimal(190),
            "vat_amount": Decimal("36.10"),
        },
    ]
    assert [(check.id, check.status) for check in reading.checks] == [("page_agrees", Status.PASS)]


@pytest.mark.parametrize("xml", [CII, UBL, ORDER_RESPONSE], ids=["cii", "ubl", "order"])
def test_the_path_of_each_value_leads_to_its_text(xml: str) -> None:
    tree = etree.fromstring(xml.encode())
    reading = read(xml.encode())
    rows = [reading.fields, *reading.lines, *reading.vat_breakdown]
    proofs = [proof for row in rows for found in row.values() for proof in found.evidence]
    assert len(proofs) > 20
    for proof in proofs:
        (there,) = tree.xpath(proof.xpath, namespaces={k: v for k, v in tree.nsmap.items() if k})
        assert (there if isinstance(there, str) else (there.text or "").strip()) == proof.text
    assert Reading.from_json(reading.as_json()).as_json() == reading.as_json()


def test_a_ubl_credit_note_by_itself_is_read() -> None:
    document = open_document(UBL.encode(), "credit.xml")
    assert (document.origin, list(document.pages)) == (Origin.DATA, [])
    reading = read_document(document, readers=make_readers("einvoice"))
    assert values(reading.fields) == {
        "document_type": "credit_note",
        "invoice_number": "CN 17",
        "issue_date": date(2026, 11, 24),
        "currency": "NOK",
        "order_number": "S-5",
        "preceding_invoice_reference": "INV 9",
        "seller_name": "Nordlys AS",
        "seller_registration": "123456785",
        "seller_vat_id": "NO123456785MVA",
        "seller_tax_id": "Foretaksregisteret",
        "seller_address": "Storgata 1, 0155, Oslo, NO",
        "seller_country": "NO",
        "buyer_name": "Kunde AS",
        "payment_account": "NO9386011117947",
        "payment_bic": "DNBANOKK",
        "payment_reference": "0003434323213231",
        "total_without_vat": Decimal(100),
        "total_vat": Decimal(25),
        "total_with_vat": Decimal(125),
        "amount_due": Decimal(125),
    }
    assert reading.vat_breakdown[0]["vat_rate"].value == Decimal(25)


def test_a_ubl_order_is_read() -> None:
    reading = read(ORDER.encode())
    assert values(reading.fields) == {
        "document_type": "order", "order_number": "PO-34", "issue_date": date(2026, 11, 2), "order_date": date(2026, 11, 2),
        "delivery_date": date(2026, 11, 20), "currency": "SEK", "buyer_name": "Kunde AB", "seller_name": "Leverantör AB",
        "seller_address": "Gatan 1, Lund", "total_without_vat": Decimal(200), "total_vat": Decimal(50),
        "total_with_vat": Decimal(250), "amount_due": Decimal(250),
    }  # fmt: skip
    assert [values(line) for line in reading.lines] == [
        {"line_id": "1", "item_name": "Lampa", "quantity": Decimal(8), "unit": "EA", "net_price": Decimal("25.00"), "line_net_amount": Decimal(200)}
    ]  # fmt: skip


def test_a_ubl_order_response_gives_what_the_seller_will_deliver() -> None:
    reading = read(ORDER_RESPONSE.encode())
    assert values(reading.fields) == {
        "document_type": "order_confirmation", "order_number": "S-99", "purchase_order_reference": "PO-34",
        "issue_date": date(2026, 11, 3), "order_date": date(2026, 11, 3), "currency": "SEK",
        "buyer_name": "Kunde AB", "seller_name": "Leverantör AB",
    }  # fmt: skip
    assert [values(line) for line in reading.lines] == [
        {"line_id": "1", "item_name": "Lampa", "item_seller_id": "L-1", "quantity": Decimal(6), "unit": "EA", "net_price": Decimal("26.00"), "delivery_date": date(2026, 11, 25), "purchase_order_line": "1"},
        {"line_id": "3", "item_name": "Fot, svart", "quantity": Decimal(3), "unit": "EA", "purchase_order_line": "3"},
    ]  # fmt: skip


def test_an_invoice_in_the_envelope_of_the_network_is_read() -> None:
    inner = UBL.partition("?>")[2]
    sent = f'<StandardBusinessDocument xmlns="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"><StandardBusinessDocumentHeader/>{inner}</StandardBusinessDocument>'
    assert read(sent.encode()).text("invoice_number") == "CN 17"
    assert read(sent.encode()).reader == "einvoice"


def test_a_base_quantity_that_contradicts_the_amount_is_doubted_and_not_obeyed() -> None:
    price = read(UBL.encode()).lines[0]["net_price"]
    assert price.value == Decimal(25)
    assert price.confidence < 1
    assert "one unit" in price.note


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("380", "invoice"),
        ("381", "credit_note"),
        ("384", "invoice"),
        ("389", "invoice"),
        ("220", "order"),
        ("231", "order_confirmation"),
        ("999", "other"),
    ],
)
def test_document_types(code: str, kind: str) -> None:
    reading = read(CII.replace("<ram:TypeCode>380<", f"<ram:TypeCode>{code}<").encode())
    assert reading.text("document_type") == kind
    assert (reading.get("order_date") is not None) == (kind in ("order", "order_confirmation"))


@pytest.mark.parametrize(
    ("right", "wrong", "name"),
    [
        (">20261224<", ">20261324<", "due_date"),
        (">20261124<", ">00010101<", "issue_date"),
        (">520.35<", ">520,35<", "total_with_vat"),
        (">520.35<", ">NaN<", "total_with_vat"),
        (">500.35<", ">5E2<", "amount_due"),
    ],
)
def test_a_value_that_is_none_is_left_out_and_said_so(right: str, wrong: str, name: str) -> None:
    reading = read(CII.replace(right, wrong).encode())
    assert name not in reading.fields
    assert [check.status for check in reading.checks] == [Status.FAIL]
    assert name.replace("_", " ") in reading.checks[0].message


@pytest.mark.parametrize(("reason", "counted"), [("GROUP", 1), ("INFORMATION", 1), ("DETAIL", 2)])
def test_sub_lines_are_read_and_not_counted_twice(reason: str, counted: int) -> None:
    """A line that sums others up would bring the amount of 275.00 a second time: the totals here leave it out."""
    marked = CII.replace(
        "<ram:LineID>2</ram:LineID>",
        f"<ram:LineID>2</ram:LineID><ram:LineStatusReasonCode>{reason}</ram:LineStatusReasonCode>",
    )
    reading = read(marked.encode())
    assert [values(line).get("line_status") for line in reading.lines] == [None, reason]
    assert [position for position, _ in reading.counted_lines] == list(range(counted))
    without = marked.replace("465.00", "190.00")
    sums = {check.id: check.status for check in run_checks(read(without.encode()))}
    assert sums["lines_sum"] is (Status.PASS if counted == 1 else Status.FAIL)


def test_an_invoice_embedded_under_any_name_is_found_and_other_files_are_not() -> None:
    assert read(embedded(CII, "rechnung.xml")).text("invoice_number") == "R-2026/0815"
    for other in ("<notes><ID>1</ID></notes>", "<Invoice><ID>1</ID></Invoice>", "<rsm:Cross", "plain text"):
        document = open_document(embedded(other), "bill.pdf")
        assert not make_readers("einvoice")[0].reads(document)
        with pytest.raises(UnsupportedDocument):
            read_document(document, readers=make_readers("einvoice"))


def test_the_readers_are_asked_in_order_and_timed() -> None:
    own = read_document(open_document(embedded(CII), "bill.pdf"))
    assert (own.reader, set(own.timing_ms)) == ("einvoice", {"einvoice", "total"})
    seen = read_document(open_document(page(), "bill.pdf"))
    assert seen.reader == "layout"
    assert seen.timing_ms["total"] > 0
    assert [reader.name for reader in make_readers()] == ["einvoice", "layout"]
    with pytest.raises(ValueError, match="einvoice, layout"):
        make_readers("vlm")


def test_entities_and_outside_files_are_refused(tmp_path: pytest.TempPathFactory) -> None:
    secret = tmp_path / "secret"  # type: ignore[operator]
    secret.write_text("the secret")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    for subset in (f'<!ENTITY x SYSTEM "file://{secret}">', f'<!ENTITY l0 "ha">{laughs}<!ENTITY x "&l11;">'):
        hostile = UBL.replace("<CreditNote ", f"<!DOCTYPE CreditNote [{subset}]><CreditNote ").replace(
            "CN 17", "&x;"
        )
        started = time.perf_counter()
        with pytest.raises(DocumentError):
            open_document(hostile.encode(), "bill.xml")
        assert not make_readers("einvoice")[0].reads(open_document(embedded(hostile), "bill.pdf"))
        assert time.perf_counter() - started < 2


def test_an_embedded_bomb_is_not_unpacked() -> None:
    bomb = embedded(
        CII.replace("</rsm:CrossIndustryInvoice>", " " * 30_000_000 + "</rsm:CrossIndustryInvoice>")
    )
    assert len(bomb) < 200_000
    assert open_document(bomb, "bill.pdf").attached == ()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_changed_e_invoice_is_read_or_refused_but_never_breaks(data: st.DataObject) -> None:
    xml = data.draw(st.sampled_from([CII, UBL, ORDER, ORDER_RESPONSE, DIGITAL, XBRL]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(xml)))
        xml = xml[:at] + data.draw(st.text(max_size=5)) + xml[at + data.draw(st.integers(0, 30)) :]
    try:
        read(xml.encode("utf-8", "replace"))
    except DocumentError:
        return


@given(amount=st.decimals(-(10**9), 10**9, places=4))
def test_amounts_keep_every_digit(amount: Decimal) -> None:
    reading = read(UBL.replace(">125.00</cbc:PayableAmount>", f">{amount:f}</cbc:PayableAmount>").encode())
    found = reading.amount("amount_due")
    assert found == amount
    assert found is not None
    assert found.as_tuple().exponent == amount.as_tuple().exponent
