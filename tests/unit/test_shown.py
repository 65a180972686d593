"""What a page does not show proves nothing, whatever the text of its file says."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from inference.checks import PAGE_SHOWS
from inference.document import open_document
from inference.invoice import Kind, Reading, Status
from inference.numbers import format_amount
from inference.reading import read_document
from inference.resemblance import same_words
from inference.shown import looked_at
from tests.samples.bad import ofd
from tests.samples.designs import render
from tests.samples.facturx_data import facturx_pdf
from tests.samples.hostile.lies import LIES
from tests.samples.random_bills import random_bill

FILLED_FROM = ("invoice_number", "total_with_vat")


def looked(data: bytes) -> tuple[Reading, Reading]:
    """As read, and after its pages were looked at."""
    document = open_document(data, "bill.pdf")
    reading = read_document(document)
    return reading, looked_at(reading, document)


def outcome(reading: Reading) -> Status:
    (check,) = [check for check in reading.checks if check.id == PAGE_SHOWS]
    return check.status


@pytest.mark.parametrize("make", LIES.values(), ids=LIES.keys())
def test_a_file_that_says_something_else_than_its_page_is_found_out(make: Callable[[], bytes]) -> None:
    before, after = looked(make())
    assert all(before.fields[name].confidence > 0.5 for name in FILLED_FROM)
    assert outcome(after) is Status.FAIL
    assert after.fields["invoice_number"].confidence <= 0.5
    assert "page" in after.fields["invoice_number"].note


@pytest.mark.parametrize(
    "design", ["din5008", "modern", "facture", "fapiao", "dense", "faktura", "minimal", "plain"]
)
def test_an_honest_page_is_believed(design: str) -> None:
    before, after = looked(render(random_bill(11, design)))
    assert outcome(after) is Status.PASS, after.checks[-1].message
    assert after.fields == before.fields


def test_an_honest_e_invoice_is_believed() -> None:
    bill = random_bill(7, "din5008")
    before, after = looked(facturx_pdf(bill, render(bill)))
    assert before.reader == "einvoice"
    assert outcome(after) is Status.PASS, after.checks[-1].message


def test_what_was_recognised_was_seen_already() -> None:
    picture = Image.new("RGB", (600, 800), "white")
    draw = ImageDraw.Draw(picture)
    for row, text in enumerate(["Acme Ltd", "Invoice 4711", "Invoice date 24.12.2026", "Total 119.00 EUR"]):
        draw.text((60, 60 + 60 * row), text, "black", font_size=24)
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842), invariant=True)
    canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)
    canvas.save()
    before, after = looked(out.getvalue())
    assert before.text("invoice_number") == "4711"
    assert outcome(after) is Status.NOT_APPLICABLE


def test_a_few_hidden_words_do_not_outdo_a_scan() -> None:
    """The text layer is too thin to be believed as a whole; its words stand on those of the picture."""
    picture = Image.new("RGB", (1240, 1754), "white")
    draw = ImageDraw.Draw(picture)
    for row, text in enumerate(["Acme Ltd", "Invoice 4711", "Invoice date 24.12.2026", "Total 9,119.00 EUR"]):
        draw.text((180, 180 + 90 * row), text, "black", font_size=40)
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842), invariant=True)
    canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)
    text = canvas.beginText(140, 842 - 230)
    text.setTextRenderMode(3)
    text.setFont("Helvetica", 20)
    text.textOut("119.00 EUR")
    canvas.drawText(text)
    canvas.save()
    before, after = looked(out.getvalue())
    assert before.amount("total_with_vat") == Decimal("119.00")
    assert outcome(after) is Status.FAIL
    assert after.fields["total_with_vat"].confidence <= 0.5


def test_words_too_small_or_pale_to_be_read_are_not_shown() -> None:
    for size, grey in ((0.5, 0.0), (9.0, 0.97)):
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=(595, 842), invariant=True)
        canvas.setFont("Helvetica", size)
        canvas.setFillGray(grey)
        for row, text in enumerate(
            ("Acme Ltd", "Invoice number 4711", "Date 24.12.2026", "Total 119.00 EUR")
        ):
            canvas.drawString(72, 760 - 30 * row, text)
        canvas.save()
        before, after = looked(out.getvalue())
        assert before.text("invoice_number") == "4711"
        assert outcome(after) is Status.FAIL, (size, grey)


@given(
    st.decimals(Decimal("0.01"), Decimal("999999.99"), places=2),
    st.decimals(Decimal("0.01"), Decimal("999999.99"), places=2),
    st.sampled_from(("en", "de", "fr", "pl")),
    st.sampled_from(("", " EUR", " €", "£ ")),
)
def test_another_amount_is_another_whatever_stands_beside_it(
    one: Decimal, other: Decimal, locale: str, beside: str
) -> None:
    said, seen = format_amount(one, locale), format_amount(other, locale)
    shown = f"{beside}{seen}" if beside.endswith(" ") else f"{seen}{beside}"
    assert same_words(said, shown, Kind.AMOUNT) == (one == other)
    # A part of a longer number is not the number.
    assert not same_words(said, f"9{said}", Kind.AMOUNT)


@given(
    st.decimals(Decimal("0.01"), Decimal("99999.99"), places=2),
    st.sampled_from(("en", "de", "fr", "pl", "sv")),
    st.sampled_from(("-{}", "−{}", "- {}", "{}-", "({})", "-${}", "$-{}", "-EUR {}", "{} CR")),
    st.sampled_from(("{}", "{} EUR", "€ {}", "${}")),
)
def test_an_amount_is_not_what_it_takes_away(one: Decimal, locale: str, negative: str, positive: str) -> None:
    digits = format_amount(one, locale)
    minus, plus = negative.format(digits), positive.format(digits)
    assert same_words(minus, minus, Kind.AMOUNT)
    assert same_words(plus, plus, Kind.AMOUNT)
    assert not same_words(minus, plus, Kind.AMOUNT)
    assert same_words(plus, minus, Kind.AMOUNT) is (negative == "- {}")


@pytest.mark.parametrize(
    ("said", "seen", "kind", "same"),
    [
        ("10.00", "1,000", Kind.AMOUNT, False),
        ("1.000,00", "1.000,00 €", Kind.AMOUNT, True),
        ("1 234,50", "1234,50", Kind.AMOUNT, True),
        ("119.00", "9,119.00", Kind.AMOUNT, False),
        ("-10.00", "10.00", Kind.AMOUNT, False),
        ("10.00", "-10.00", Kind.AMOUNT, False),
        ("− 10,00", "10,00", Kind.AMOUNT, False),
        ("− 10,00", "-10,00 €", Kind.AMOUNT, True),
        ("-10,00", "一10,00", Kind.AMOUNT, True),
        ("-10.00", "- 10.00", Kind.AMOUNT, True),
        ("10.00", "Total - 10.00", Kind.AMOUNT, True),
        ("10.00-", "10.00", Kind.AMOUNT, False),
        ("10.00-", "10.00-", Kind.AMOUNT, True),
        ("-$1,234.00", "-$1,234.00", Kind.AMOUNT, True),
        ("-$1,234.00", "$1,234.00", Kind.AMOUNT, False),
        ("(10.00)", "10.00", Kind.AMOUNT, False),
        ("10.00", "(10.00)", Kind.AMOUNT, False),
        ("(10.00)", "(10.00)", Kind.AMOUNT, True),
        ("19%", "(19%)", Kind.PERCENT, True),
        ("1.000,-", "1.000,-", Kind.AMOUNT, True),
        ("1.000,-", "1.000,", Kind.AMOUNT, True),
        ("10.00 CR", "10.00", Kind.AMOUNT, False),
        ("-3 Stk", "3 Stk", Kind.QUANTITY, False),
        ("INV-1001", "1NV-1O0I", Kind.IDENTIFIER, True),
        ("1001", "91001", Kind.IDENTIFIER, False),
        ("1001", "No.1001", Kind.IDENTIFIER, True),
        ("DE02120300000000202051", "DE02 1203 0000 0000 2020 51", Kind.IDENTIFIER, True),
        ("DE02120300000000202051", "DE02 1203 0000 0000 2020 57", Kind.IDENTIFIER, False),
        ("8 Oct 2024", "8 Óct 2024", Kind.DATE, True),
        ("8 Oct 2024", "18 Oct 2024", Kind.DATE, False),
        ("Müller & Söhne GmbH", "Muller & Sohne GmbH", Kind.TEXT, True),
        ("Papierhaus Brunnhuber", "Nordlicht Elektrik", Kind.TEXT, False),
        ("52,20 £", "52,20 f", Kind.CODE, True),
        ("52,20 EUR", "52,20 USD", Kind.CODE, False),
        ("ТОСКА ЕООД", "?????", Kind.TEXT, True),
    ],
)
def test_what_counts_as_the_same_words(said: str, seen: str, kind: Kind, *, same: bool) -> None:
    assert same_words(said, seen, kind) is same


WHITE, BLACK = '<ofd:FillColor Value="255 255 255"/>', '<ofd:FillColor Value="0 0 0" Alpha="255"/>'
COVER = 'Boundary="60 18 100 20"'


def fapiao(text: str = "", inside: str = "", after: str = "", **files: str) -> bytes:
    """An OFD whose number is written as `text` and `inside` say, with `after` drawn on top."""
    page = (
        '<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Area><ofd:PhysicalBox>0 0 210 140</ofd:PhysicalBox></ofd:Area>'
        '<ofd:Content><ofd:Layer><ofd:TextObject Boundary="20 20 40 10" Size="4"><ofd:TextCode X="0" Y="4">Invoice number:'
        f'</ofd:TextCode></ofd:TextObject><ofd:TextObject Boundary="70 20 84 10" Size="4" {text}>{inside}'
        f'<ofd:TextCode X="0" Y="4">4711-0815</ofd:TextCode></ofd:TextObject>{after}</ofd:Layer></ofd:Content></ofd:Page>'
    )
    return ofd(Doc_0__Page_xml=page, **files)


RESOURCES = {
    "Doc_0__Document_xml": """<ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"><ofd:CommonData>
<ofd:PublicRes>Res.xml</ofd:PublicRes></ofd:CommonData><ofd:Pages><ofd:Page ID='2' BaseLoc='Page.xml'/></ofd:Pages></ofd:Document>""",
    "Doc_0__Res_xml": """<ofd:Res xmlns:ofd="http://www.ofdspec.org/2016"><ofd:DrawParams><ofd:DrawParam ID="5">
<ofd:FillColor Value="#FF #FF #FF"/></ofd:DrawParam><ofd:DrawParam ID="6" Relative="5"/></ofd:DrawParams>
<ofd:Fonts><ofd:Font ID="7"><ofd:FontFile>f.ttf</ofd:FontFile></ofd:Font><ofd:Font ID="8" FontName="SimSun"/></ofd:Fonts></ofd:Res>""",
}


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (fapiao(), True),
        (fapiao(inside=BLACK), True),
        (fapiao(inside='<ofd:FillColor Value="156 82 35"/>'), True),
        (fapiao(text='Font="8"', **RESOURCES), True),
        (fapiao(inside=WHITE), False),
        (fapiao(inside='<ofd:FillColor Value="0 0 0 0"/>'), False),
        (fapiao(inside='<ofd:FillColor Value="0 0 0" Alpha="9"/>'), False),
        (fapiao(inside='<ofd:FillColor Index="3"/>'), False),
        (fapiao(text='Alpha="5"'), False),
        (fapiao(text='Visible="false"'), False),
        (fapiao(text='Fill="false"'), False),
        (fapiao(text='DrawParam="6"', **RESOURCES), False),
        (fapiao(text='Font="7"', **RESOURCES), False),
        (
            fapiao(inside="<ofd:CGTransform CodePosition='0'><ofd:Glyphs>1</ofd:Glyphs></ofd:CGTransform>"),
            False,
        ),
        (fapiao(after=f'<ofd:ImageObject {COVER} ResourceID="9"/>'), False),
        (fapiao(after=f'<ofd:ImageObject {COVER} ResourceID="9" Alpha="60"/>'), True),
        (
            fapiao(
                after=f'<ofd:PathObject {COVER} Fill="true">{WHITE}<ofd:AbbreviatedData>M 0 0 L 100 0 L 100 20 L 0 20 C'
                "</ofd:AbbreviatedData></ofd:PathObject>"
            ),
            False,
        ),
        (
            fapiao(
                after=f'<ofd:PathObject {COVER} LineWidth="15"><ofd:StrokeColor Value="255 255 255"/><ofd:AbbreviatedData>'
                "M 0 6 L 100 6</ofd:AbbreviatedData></ofd:PathObject>"
            ),
            False,
        ),
        (
            fapiao(
                after=f'<ofd:PathObject {COVER} LineWidth="0.25"><ofd:AbbreviatedData>M 0 9 L 100 9</ofd:AbbreviatedData></ofd:PathObject>'
            ),
            True,
        ),
    ],
)
def test_words_of_an_ofd_that_nobody_sees_are_found_out(page: bytes, *, shown: bool) -> None:
    before, after = looked(page)
    assert before.text("invoice_number") == "4711-0815"
    assert outcome(after) is (Status.PASS if shown else Status.FAIL), after.checks[-1].message
    assert shown or after.fields["invoice_number"].confidence <= 0.5
