"""Chinese electronic fapiao: the digitalised form, XBRL vouchers, and OFD files that only mark their texts."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal

import pikepdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from inference.document import open_document
from inference.errors import UnsupportedDocument
from inference.invoice import Reading, Status
from inference.reading import make_readers, read_document

NUMBER = "26312000000012345678"
DIGITAL = f"""<?xml version="1.0" encoding="UTF-8"?>
<EInvoice><Header><EIid>{NUMBER}</EIid><EInvoiceTag>SWEI3200</EInvoiceTag></Header>
<EInvoiceData>
 <SellerInformation><SellerIdNum>91310000MA1FL0B00X</SellerIdNum><SellerName>上海示例科技有限公司</SellerName><SellerAddr>上海市示例路1号</SellerAddr>
  <SellerBankName>示例银行</SellerBankName><SellerBankAccNum>1001234567890123456</SellerBankAccNum></SellerInformation>
 <BuyerInformation><BuyerIdNum>91110000MA01ABCD2X</BuyerIdNum><BuyerName>北京示例贸易有限公司</BuyerName></BuyerInformation>
 <BasicInformation><TotalAmWithoutTax>1100.00</TotalAmWithoutTax><TotalTaxAm>66.00</TotalTaxAm>
  <TotalTax-includedAmount>1166.00</TotalTax-includedAmount><TotalTax-includedAmountInChinese>壹仟壹佰陆拾陆圆整</TotalTax-includedAmountInChinese>
  <Drawer>张</Drawer><RequestTime>2026-09-01 10:11:12</RequestTime></BasicInformation>
 <IssuItemInformation><ItemName>*信息技术服务*软件维护</ItemName><SpecMod>V1</SpecMod><MeaUnits>项</MeaUnits><Quantity>2</Quantity>
  <UnPrice>500</UnPrice><Amount>1000.00</Amount><TaxRate>0.06</TaxRate><ComTaxAm>60.00</ComTaxAm><TotaltaxIncludedAmount>1060.00</TotaltaxIncludedAmount></IssuItemInformation>
 <IssuItemInformation><ItemName>*现代服务*咨询费</ItemName><Amount>100.00</Amount><TaxRate>6%</TaxRate><ComTaxAm>6.00</ComTaxAm></IssuItemInformation>
 <AdditionalInformation><Remark>无</Remark></AdditionalInformation>
</EInvoiceData>
<TaxSupervisionInfo><InvoiceNumber>{NUMBER}</InvoiceNumber><IssueTime>2026-09-01</IssueTime></TaxSupervisionInfo></EInvoice>"""

XBRL = """<xbrl xmlns="http://www.xbrl.org/2003/instance" xmlns:inv="http://xbrl.mof.gov.cn/taxonomy/2021-09-30/inv">
<context id="c1"><entity><identifier scheme="http://xbrl.mof.gov.cn">91330106MA7GAL0000</identifier></entity><period><instant>2026-09-01</instant></period></context>
<inv:CodeOfInvoice contextRef="c1"><![CDATA[033002200211]]></inv:CodeOfInvoice><inv:NumberOfInvoice contextRef="c1">99934329</inv:NumberOfInvoice>
<inv:DateOfIssue contextRef="c1">2026-09-01</inv:DateOfIssue><inv:NameOfPurchaser contextRef="c1">江苏示例环境有限公司</inv:NameOfPurchaser>
<inv:TaxpayerIdentificationNumberUnifiedSocialCreditCodeOfPurchaser contextRef="c1">913202130000004571</inv:TaxpayerIdentificationNumberUnifiedSocialCreditCodeOfPurchaser>
<inv:TotalAmountExcludingTax contextRef="c1" decimals="2">9.91</inv:TotalAmountExcludingTax><inv:TotalTaxAmount contextRef="c1">1.29</inv:TotalTaxAmount>
<inv:TaxIncludedAmountInFigures contextRef="c1">11.20</inv:TaxIncludedAmountInFigures>
<inv:InformationOfTaxableGoodsOrServicesDetailItemsTuple><inv:NameOfTaxableGoodsOrServices contextRef="c1">*金属制品*螺丝批</inv:NameOfTaxableGoodsOrServices>
<inv:UnitOfGoodsOrServices contextRef="c1">批</inv:UnitOfGoodsOrServices><inv:QuantityOfGoodsOrServices contextRef="c1">1.00</inv:QuantityOfGoodsOrServices>
<inv:UnitPriceOfGoodsOrServices contextRef="c1">9.91150442</inv:UnitPriceOfGoodsOrServices><inv:AmountExcludingTax contextRef="c1">9.91</inv:AmountExcludingTax>
<inv:TaxRate contextRef="c1">13.00%</inv:TaxRate></inv:InformationOfTaxableGoodsOrServicesDetailItemsTuple>
<inv:NameOfSeller contextRef="c1">杭州示例科技有限公司</inv:NameOfSeller></xbrl>"""

RAIL = """<xbrl xmlns="http://www.xbrl.org/2003/instance" xmlns:rai="http://xbrl.mof.gov.cn/taxonomy/2021-11-30/rai">
<rai:ElectronicInvoiceRailwayETicketNumber>26419122537000500000</rai:ElectronicInvoiceRailwayETicketNumber><rai:DateOfIssue>2026-07-11</rai:DateOfIssue>
<rai:Fare>272.50</rai:Fare><rai:TotalAmountExcludingTax>250.00</rai:TotalAmountExcludingTax><rai:TaxAmount>22.50</rai:TaxAmount>
<rai:NameOfPurchaser>测试采购有限公司</rai:NameOfPurchaser></xbrl>"""

BANK = """<xbrl xmlns="http://www.xbrl.org/2003/instance" xmlns:bker="http://xbrl.mof.gov.cn/taxonomy/2023-05-15/bker">
<bker:DateOfIssue>2026-07-11</bker:DateOfIssue></xbrl>"""


def in_pdf(xml: str) -> bytes:
    page, out = io.BytesIO(), io.BytesIO()
    canvas = Canvas(page, invariant=True)
    canvas.drawString(
        100, 700, f"No. {NUMBER} 2026-09-01 Total 1166.00 and ten more words to make a text layer of it"
    )
    canvas.save()
    with pikepdf.open(page) as pdf:
        pdf.attachments["data.xml"] = pikepdf.AttachedFileSpec(pdf, xml.encode(), filename="data.xml")
        pdf.save(out)
    return out.getvalue()


_NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def ofd(texts: list[str], attached: str = "", tags: str = "", data: str = "") -> bytes:
    """An OFD file with each text on a row of its own, object ids from 10."""
    objects = "".join(
        f'<ofd:TextObject ID="{10 + i}" Boundary="20 {10 + 8 * i} 150 6" Size="4"><ofd:TextCode X="0" Y="4">{text}</ofd:TextCode></ofd:TextObject>'
        for i, text in enumerate(texts)
    )
    files = {
        "OFD.xml": f"<ofd:OFD {_NS}><ofd:DocBody><ofd:DocInfo><ofd:CustomDatas>{data}</ofd:CustomDatas></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {_NS}><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 140</ofd:PhysicalBox></ofd:PageArea></ofd:CommonData>"
        '<ofd:Pages><ofd:Page ID="1" BaseLoc="Page.xml"/></ofd:Pages><ofd:Attachments>A/List.xml</ofd:Attachments><ofd:CustomTags>Tags/List.xml</ofd:CustomTags></ofd:Document>',
        "Doc_0/Page.xml": f"<ofd:Page {_NS}><ofd:Content><ofd:Layer>{objects}</ofd:Layer></ofd:Content></ofd:Page>",
        "Doc_0/A/List.xml": f"<ofd:Attachments {_NS}>{'<ofd:Attachment><ofd:FileLoc>data.xml</ofd:FileLoc></ofd:Attachment>' if attached else ''}</ofd:Attachments>",
        "Doc_0/A/data.xml": attached,
        "Doc_0/Tags/List.xml": f"<ofd:CustomTags {_NS}><ofd:CustomTag><ofd:FileLoc>Tag.xml</ofd:FileLoc></ofd:CustomTag></ofd:CustomTags>",
        "Doc_0/Tags/Tag.xml": tags or f"<ofd:root {_NS}/>",
    }  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def read(data: bytes, reader: str = "auto") -> Reading:
    return read_document(open_document(data, "fapiao"), readers=make_readers(reader))


def values(row: object) -> dict[str, object]:
    return {name: found.value for name, found in row.items()}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "data", [DIGITAL.encode(), in_pdf(DIGITAL), ofd(["电子发票", NUMBER], DIGITAL)], ids=["xml", "pdf", "ofd"]
)
def test_a_digitalised_fapiao_is_read_exactly(data: bytes) -> None:
    reading = read(data)
    assert reading.reader == "einvoice"
    assert values(reading.fields) == {
        "document_type": "invoice", "invoice_number": NUMBER, "issue_date": date(2026, 9, 1), "currency": "CNY",
        "seller_name": "上海示例科技有限公司", "seller_vat_id": "91310000MA1FL0B00X", "seller_address": "上海市示例路1号",
        "payment_account": "1001234567890123456", "buyer_name": "北京示例贸易有限公司", "buyer_vat_id": "91110000MA01ABCD2X",
        "total_without_vat": Decimal(1100), "total_vat": Decimal(66), "total_with_vat": Decimal(1166),
    }  # fmt: skip
    assert [values(line) for line in reading.lines] == [
        {"item_name": "*信息技术服务*软件维护", "unit": "项", "quantity": Decimal(2), "net_price": Decimal(500), "line_net_amount": Decimal(1000), "vat_rate": Decimal(6)},
        {"item_name": "*现代服务*咨询费", "line_net_amount": Decimal(100), "vat_rate": Decimal(6)},
    ]  # fmt: skip


def test_a_red_fapiao_is_a_credit_note_and_names_the_blue_one() -> None:
    red = DIGITAL.replace(">1166.00</TotalTax", ">-1166.00</TotalTax").replace(
        "<Remark>无<", "<Remark>被红冲蓝字数电发票号码：26312000000087654321 红字信息<"
    )
    reading = read(red.encode())
    assert reading.text("document_type") == "credit_note"
    assert reading.text("preceding_invoice_reference") == "26312000000087654321"


@pytest.mark.parametrize(
    "data", [XBRL.encode(), in_pdf(XBRL), ofd(["99934329"], XBRL)], ids=["xml", "pdf", "ofd"]
)
def test_an_xbrl_voucher_is_read_exactly(data: bytes) -> None:
    reading = read(data)
    assert values(reading.fields) == {
        "document_type": "invoice", "invoice_code": "033002200211", "invoice_number": "99934329",
        "issue_date": date(2026, 9, 1), "currency": "CNY", "seller_name": "杭州示例科技有限公司",
        "buyer_name": "江苏示例环境有限公司", "buyer_vat_id": "913202130000004571",
        "total_without_vat": Decimal("9.91"), "total_vat": Decimal("1.29"), "total_with_vat": Decimal("11.20"),
    }  # fmt: skip
    assert [values(line) for line in reading.lines] == [
        {"item_name": "*金属制品*螺丝批", "unit": "批", "quantity": Decimal(1), "net_price": Decimal("9.91150442"), "line_net_amount": Decimal("9.91"), "vat_rate": Decimal(13)},
    ]  # fmt: skip


def test_a_rail_ticket_is_read_and_a_bank_receipt_is_no_invoice() -> None:
    rail = read(RAIL.encode())
    assert rail.text("invoice_number") == "26419122537000500000"
    assert (rail.amount("total_with_vat"), rail.amount("total_vat")) == (Decimal("272.50"), Decimal("22.50"))
    with pytest.raises(UnsupportedDocument):
        read(BANK.encode(), "einvoice")


def tag(name: str, *ids: int) -> str:
    refs = "".join(f"<ofd:ObjectRef PageRef='1'>{one}</ofd:ObjectRef>" for one in ids)
    return f"<ofd:{name}>{refs}</ofd:{name}>"


def test_the_marks_of_an_ofd_name_its_texts() -> None:
    texts = [
        "电子发票（普通发票）",
        NUMBER,
        "2026年09月01日",
        "上海示例科技有限公司",
        "¥",
        "1166.00",
        "¥1100.00",
        "¥66.00",
        "北京示例贸易有限公司",
    ]
    tags = "".join(
        (tag("InvoiceNo", 11), tag("IssueDate", 12), f"<ofd:Seller>{tag('SellerName', 13)}</ofd:Seller>", tag("TaxInclusiveTotalAmount", 14, 15))
    )  # fmt: skip
    data = '<ofd:CustomData Name="合计金额">1100.00</ofd:CustomData><ofd:CustomData Name="合计税额">66.00</ofd:CustomData>'
    reading = read(ofd(texts, tags=f"<ofd:root {_NS}>{tags}</ofd:root>", data=data))
    assert reading.reader == "layout"
    expected = {
        "invoice_number": NUMBER, "issue_date": date(2026, 9, 1), "seller_name": "上海示例科技有限公司", "currency": "CNY",
        "total_with_vat": Decimal("1166.00"), "total_without_vat": Decimal("1100.00"), "total_vat": Decimal("66.00"),
    }  # fmt: skip
    assert {name: reading.fields[name].value for name in expected} == expected
    for name in expected:
        assert reading.fields[name].confidence >= 0.97
        assert all(proof.box for proof in reading.fields[name].evidence)
    assert all(check.status is not Status.FAIL for check in reading.checks if check.id == "code_agrees")


@pytest.mark.parametrize(
    "tags", ["<:broken xmlns:=''>", f"<ofd:root {_NS}>{tag('InvoiceNo', 999)}</ofd:root>", "<!DOCTYPE a><a/>"]
)
def test_broken_marks_do_no_harm(tags: str) -> None:
    assert open_document(ofd(["电子发票"], tags=tags), "x").attached == ()
