"""Opening documents: by content, within limits, with boxes that lie on the words."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zipfile
from datetime import date
from typing import TYPE_CHECKING

import pikepdf
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageStat
from reportlab.pdfgen.canvas import Canvas

from inference.document import Origin, open_document
from inference.errors import (
    DamagedDocument,
    DocumentError,
    EncryptedDocument,
    OversizedDocument,
    UnsupportedDocument,
)
from inference.invoice import Status
from inference.page import Limits, Token
from inference.reading import make_readers, read_document
from inference.words import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

A4 = (595.27, 841.89)
SENTENCE = (
    "The quick brown fox jumps over the lazy dog while 1,234.56 EUR are due on 24 December 2026 to Acme Ltd"
)


def pdf(draw: Callable[[Canvas], object], pages: int = 1, size: tuple[float, float] = A4) -> bytes:
    """A PDF whose every page `draw` has drawn."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=size, invariant=True)
    for _ in range(pages):
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def words(canvas: Canvas) -> None:
    canvas.setFont("Helvetica", 11)
    for row, text in enumerate([SENTENCE[:43], SENTENCE[43:]]):
        canvas.drawString(72, 700 - 20 * row, text)


def changed(data: bytes, change: Callable[[pikepdf.Pdf], object], **save: object) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        change(document)
        document.save(out, **save)  # type: ignore[arg-type]
    return out.getvalue()


pillow_heif.register_heif_opener()


def picture(image: Image.Image, kind: str, **save: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **save)  # type: ignore[arg-type]
    return out.getvalue()


def ink(image: Image.Image, token: Token) -> float:
    """The share of dark pixels within the token's box."""
    box = token.box
    area = image.convert("L").crop(
        (
            int(box.x0 * image.width),
            int(box.y0 * image.height),
            round(box.x1 * image.width),
            round(box.y1 * image.height),
        )
    )
    return ImageStat.Stat(area.point(lambda value: 255 if value < 128 else 0)).mean[0] / 255


def texts(tokens: Sequence[Token]) -> list[str]:
    return [token.text for token in tokens]


def test_words_of_the_text_layer_come_in_reading_order_with_boxes_on_their_ink() -> None:
    document = open_document(pdf(words), "bill.pdf")
    page = document.pages[0]
    assert (document.mime, document.origin, page.ocr) == ("application/pdf", Origin.BORN_DIGITAL, False)
    assert texts(page.tokens) == SENTENCE.split()
    first = page.tokens[0].box
    assert first.x0 == pytest.approx(72 / A4[0], abs=0.002)
    assert first.y0 < 1 - 700 / A4[1] < first.y1
    image = page.image(150)
    assert all(0.05 < ink(image, token) < 0.7 for token in page.tokens)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_on_its_side_is_turned_upright_with_its_image(turn: int) -> None:
    def rotate(document: pikepdf.Pdf) -> None:
        document.pages[0].Rotate = turn

    page = open_document(changed(pdf(words), rotate), "bill.pdf").pages[0]
    image = page.image(100)
    assert page.width < page.height
    assert image.width / image.height == pytest.approx(page.width / page.height, abs=0.01)
    assert texts(page.tokens) == SENTENCE.split()
    assert all(ink(image, token) > 0.03 for token in page.tokens)


def test_a_note_up_the_margin_is_one_box_and_does_not_turn_the_page() -> None:
    def margin(canvas: Canvas) -> None:
        words(canvas)
        canvas.rotate(90)
        canvas.drawString(300, -40, "Registergericht Dortmund")

    page = open_document(pdf(margin), "bill.pdf").pages[0]
    note = next(token for token in page.tokens if token.text == "Registergericht")
    assert note.box.y1 - note.box.y0 > 4 * (note.box.x1 - note.box.x0)
    assert ink(page.image(150), note) > 0.05
    assert page.width < page.height


def test_a_crop_box_moves_the_boxes_and_hides_what_is_outside() -> None:
    def crop(document: pikepdf.Pdf) -> None:
        document.pages[0].CropBox = [60, 650, 300, 720]

    page = open_document(changed(pdf(words), crop), "bill.pdf").pages[0]
    assert (page.width, page.height) == (240, 70)
    assert page.tokens[0].text == "The"
    assert len(page.tokens) < len(SENTENCE.split())
    assert all(ink(page.image(150), token) > 0.03 for token in page.tokens)


def test_letters_placed_one_by_one_are_one_word_and_columns_are_two() -> None:
    def spaced(canvas: Canvas) -> None:
        x = 100.0
        for letter in "Rechnung":
            canvas.drawString(x, 500, letter)
            x += canvas.stringWidth(letter, "Helvetica", 12)
        canvas.drawString(x + 6, 500, "4711")
        for row in range(12):
            canvas.drawString(100, 400 - 15 * row, f"left{row}")
            canvas.drawString(128 if row == 0 else 300, 400 - 15 * row, f"right{row}")

    found = texts(open_document(pdf(spaced), "bill.pdf").pages[0].tokens)
    assert found[:6] == ["Rechnung", "4711", "left0", "right0", "left1", "right1"]


def test_a_heading_in_spaced_letters_is_one_word_and_single_figures_are_not() -> None:
    def spread(canvas: Canvas) -> None:
        words(canvas)
        canvas.drawString(100, 500, "RECHNUNG", charSpace=7)
        canvas.drawString(100, 450, "1 2 3 4 5 6")
        canvas.drawString(100, 400, "7 x 5 x 3")

    found = texts(open_document(pdf(spread), "bill.pdf").pages[0].tokens)
    assert found[-12:] == ["RECHNUNG", *"123456", *"7x5x3"]


def test_a_watermark_across_the_page_is_no_word_of_it() -> None:
    def watermark(canvas: Canvas) -> None:
        words(canvas)
        canvas.rotate(50)
        canvas.setFontSize(80)
        canvas.drawString(300, 0, "DRAFT")

    assert texts(open_document(pdf(watermark), "bill.pdf").pages[0].tokens) == SENTENCE.split()


def test_letters_of_a_ligature_and_signs_stay_in_their_word() -> None:
    def ligature(canvas: Canvas) -> None:
        words(canvas)
        canvas.drawString(100, 500, "AnschriX: 42-0071 (4.5%)")

    def mapped(document: pikepdf.Pdf) -> None:
        font = next(iter(document.pages[0].Resources.Font.values()))
        pairs = [(code, f"{code:04x}") for code in range(32, 127) if code != 0x58] + [(0x58, "00660074")]
        rows = "\n".join(f"<{code:02x}> <{target}>" for code, target in pairs)
        font.ToUnicode = document.make_stream(
            (
                "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
                "1 begincodespacerange <00> <ff> endcodespacerange\n"
                f"{len(pairs)} beginbfchar\n{rows}\nendbfchar\nendcmap end end"
            ).encode()
        )

    found = texts(open_document(changed(pdf(ligature), mapped), "bill.pdf").pages[0].tokens)
    assert found[-3:] == ["Anschrift:", "42-0071", "(4.5%)"]


def test_what_is_filled_into_a_form_is_on_the_page() -> None:
    def form(canvas: Canvas) -> None:
        words(canvas)
        canvas.acroForm.textfield(
            name="order", value="PO-4711", x=150, y=340, width=100, height=20, borderWidth=0
        )

    page = open_document(pdf(form), "order.pdf").pages[0]
    (token,) = [token for token in page.tokens if token.text == "PO-4711"]
    assert ink(page.image(150), token) > 0.03


OFD_PAGE = """<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Area><ofd:PhysicalBox>0 0 210 140</ofd:PhysicalBox>
</ofd:Area><ofd:Template TemplateID="1"/><ofd:Content><ofd:Layer>
<ofd:TextObject Boundary="20 30 84 10" Size="4"><ofd:TextCode X="0" Y="4" DeltaX="g 2 2 6 g 2 2">123456</ofd:TextCode></ofd:TextObject>
<ofd:TextObject Boundary="100 30 84 10" Size="4"><ofd:TextCode X="0" Y="4" DeltaX="g 1 4">￥６</ofd:TextCode></ofd:TextObject>
</ofd:Layer></ofd:Content></ofd:Page>"""
FAPIAO = """<eInvoice xmlns:fp="http://www.edrm.org.cn/schema/e-invoice/2019"><fp:InvoiceCode>050001700111</fp:InvoiceCode>
<fp:InvoiceNo>12235358</fp:InvoiceNo><fp:IssueDate>2020年08月05日</fp:IssueDate><fp:Seller><fp:SellerName>某某公司</fp:SellerName></fp:Seller>
<fp:TaxInclusiveTotalAmount>-106.00</fp:TaxInclusiveTotalAmount><fp:TaxTotalAmount>***</fp:TaxTotalAmount><fp:GoodsInfos><fp:GoodsInfo>
<fp:Item>*餐饮服务*餐费</fp:Item><fp:Quantity></fp:Quantity><fp:Amount>-106.00</fp:Amount><fp:TaxScheme>6%</fp:TaxScheme></fp:GoodsInfo></fp:GoodsInfos></eInvoice>"""


def ofd(**changes: str) -> bytes:
    ns = 'xmlns:ofd="http://www.ofdspec.org/2016"'
    files = {
        "OFD.xml": f"<ofd:OFD {ns}><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {ns}><ofd:CommonData><ofd:TemplatePage ID='1' BaseLoc='Tpl.xml'/></ofd:CommonData>"
        "<ofd:Pages><ofd:Page ID='2' BaseLoc='/Doc_0/Page.xml'/></ofd:Pages><ofd:Attachments>A/List.xml</ofd:Attachments></ofd:Document>",
        "Doc_0/Page.xml": OFD_PAGE,
        "Doc_0/Tpl.xml": f"<ofd:Page {ns}><ofd:Content><ofd:Layer><ofd:TextObject Boundary='20 10 50 9' Size='5'>"
        "<ofd:TextCode X='0' Y='5' DeltaX='5 5 5'>电子发票</ofd:TextCode></ofd:TextObject></ofd:Layer></ofd:Content></ofd:Page>",
        "Doc_0/A/List.xml": f"<ofd:Attachments {ns}><ofd:Attachment><ofd:FileLoc>data.xml</ofd:FileLoc></ofd:Attachment></ofd:Attachments>",
        "Doc_0/A/data.xml": FAPIAO,
    } | changes
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def test_an_ofd_fapiao_has_words_with_boxes_and_its_own_data() -> None:
    document = open_document(ofd(), "fapiao.pdf")
    page = document.pages[0]
    assert texts(page.tokens) == ["电子发票", "123", "456", "¥6"]
    assert page.tokens[1].box == pytest.approx((20 / 210, 30.56 / 140, 26.4 / 210, 34.56 / 140), abs=1e-6)
    assert ink(page.image(200), page.tokens[1]) > 0.05
    reading = read_document(document, readers=make_readers("einvoice"))
    assert reading.text("document_type") == "credit_note"
    assert reading.day("issue_date") == date(2020, 8, 5)
    assert str(reading.amount("total_with_vat")) == "-106.00"
    assert reading.lines[0]["vat_rate"].value == 6
    assert all(check.status is Status.PASS for check in reading.checks)


@pytest.mark.parametrize(
    "changes",
    [
        {"Doc_0/Page.xml": "<broken"},
        {"Doc_0/Document.xml": "<ofd:Document xmlns:ofd='u'/>"},
        {"Doc_0/Page.xml": OFD_PAGE.replace("0 0 210 140", "0 0 x")},
        {"Doc_0/Page.xml": OFD_PAGE.replace('Size="4"', 'Size="inf"')},
        {"Doc_0/Page.xml": OFD_PAGE.replace('X="0"', 'X="left"')},
        {"Doc_0/A/data.xml": "x" * 25_000_000},
        {"OFD.xml": "<OFD><DocBody><DocRoot>../../etc/passwd</DocRoot></DocBody></OFD>"},
    ],
)
def test_a_bad_ofd_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(DocumentError):
        open_document(ofd(**changes), "fapiao.ofd")


def test_bold_by_drawing_twice_is_one_word() -> None:
    def twice(canvas: Canvas) -> None:
        words(canvas)
        canvas.drawString(100, 300, "TOTAL")
        canvas.drawString(100.3, 300, "TOTAL")

    assert texts(open_document(pdf(twice), "bill.pdf").pages[0].tokens).count("TOTAL") == 1


@given(st.text(max_size=80))
def test_cleaned_text_has_no_control_characters_and_stays_clean(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert not any(ord(char) < 32 for char in cleaned)


def test_cleaning_keeps_meaning() -> None:
    assert (
        clean("o\ufb03ce\u00ad \u200bNo\u202c１２３．４５ ⽉ 19,00² ½ 发票")
        == "office No123.45 月 19,00² ½ 发票"
    )


def _pdf_of_no_pages() -> bytes:
    out = io.BytesIO()
    pikepdf.new().save(out)
    return out.getvalue()


def _locked() -> bytes:
    return changed(pdf(words), lambda _: None, encryption=pikepdf.Encryption(owner="o", user="secret"))


BAD = {
    "empty": (b"", DamagedDocument),
    "truncated pdf": (pdf(words, 3)[:-400], DamagedDocument),
    "half a pdf": (pdf(words, 3)[:900], DamagedDocument),
    "pdf in name only": (b"%PDF-1.7 and nothing more startxref", DamagedDocument),
    "encrypted": (_locked(), EncryptedDocument),
    "no pages": (_pdf_of_no_pages(), DamagedDocument),
    "too many pages": (pdf(lambda _: None, 51), OversizedDocument),
    "web page": (b"<!DOCTYPE html><html><body>Sign in to see your bill</body></html>", UnsupportedDocument),
    "zip": (b"PK\x03\x04" + bytes(100), UnsupportedDocument),
    "video": (bytes(4) + b"ftypmp42" + bytes(100), UnsupportedDocument),
    "damaged heic": (bytes(4) + b"ftypheic" + bytes(100), DamagedDocument),
    "plain text": (b"Dear Sir, please pay 100 EUR", UnsupportedDocument),
    "damaged xml": (b"<?xml version='1.0'?><Invoice><ID>1</ID>", DamagedDocument),
    "truncated jpeg": (picture(Image.effect_noise((400, 400), 90), "JPEG")[:9000], DamagedDocument),
    "truncated png": (picture(Image.effect_noise((400, 400), 90), "PNG")[:9000], DamagedDocument),
    "61 megapixels": (picture(Image.new("1", (7700, 8000)), "PNG"), OversizedDocument),
    "200 megapixels": (picture(Image.new("1", (20000, 10000)), "PNG"), OversizedDocument),
}


@pytest.mark.parametrize(("data", "error"), BAD.values(), ids=BAD.keys())
def test_bad_documents_are_refused_by_cause_with_a_sentence(data: bytes, error: type[DocumentError]) -> None:
    with pytest.raises(DocumentError) as raised:
        open_document(data, "bill.pdf")
    assert type(raised.value) is error
    assert str(raised.value).endswith(".")
    assert len(str(raised.value)) > 30


def test_a_pixel_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = picture(Image.new("1", (13000, 13000)), "PNG")
    started = time.perf_counter()
    with pytest.raises(OversizedDocument):
        open_document(bomb, "photo.png")
    assert time.perf_counter() - started < 0.2


def test_a_file_over_the_limit_of_bytes_is_refused() -> None:
    with pytest.raises(OversizedDocument):
        open_document(pdf(words), "bill.pdf", Limits(megabytes=0.001))


def test_an_owner_password_alone_does_not_lock_a_reader_out() -> None:
    data = changed(pdf(words), lambda _: None, encryption=pikepdf.Encryption(owner="o", user=""))
    assert texts(open_document(data, "bill.pdf").pages[0].tokens) == SENTENCE.split()


def test_a_poster_is_rendered_within_the_limit_of_pixels() -> None:
    page = open_document(pdf(words, size=(14000, 14000)), "poster.pdf", Limits(megapixels=4)).pages[0]
    image = page.image(300)
    assert image.width * image.height <= 4.1e6


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "AVIF", "HEIF"])
def test_pictures_open_by_content_whatever_their_name(kind: str) -> None:
    document = open_document(picture(Image.new("RGB", (210, 297), "white"), kind), "bill.pdf")
    page = document.pages[0]
    assert (document.origin, len(document.pages), page.ocr) == (Origin.IMAGE, 1, True)
    assert document.mime == f"image/{'heic' if kind == 'HEIF' else kind.lower()}"
    assert page.tokens == []


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "I;16", "F"])
def test_every_colour_mode_becomes_rgb_on_white(mode: str) -> None:
    image = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 30, 40))
    if mode in ("RGBA", "LA"):
        source = image.convert(mode)
    else:
        grey = Image.new("L", image.size, 255)
        grey.paste(0, (0, 0, 30, 40))
        source = (
            grey.convert("I").point(lambda v: v * 257).convert("I;16")
            if mode == "I;16"
            else grey.convert(mode)
        )
    page = open_document(picture(source, "TIFF"), "scan.tiff").pages[0]
    raster = page._picture.raster(1)  # type: ignore[attr-defined]  # without the OCR that `image` needs
    assert raster.mode == "RGB"
    assert max(raster.getpixel((5, 20))) < 10
    assert min(raster.getpixel((50, 20))) > 245


def test_exif_orientation_is_obeyed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    page = open_document(picture(Image.new("RGB", (300, 200)), "JPEG", exif=exif), "photo.jpg").pages[0]
    assert page.height > page.width


def test_each_frame_of_a_tiff_is_a_page_up_to_the_limit() -> None:
    frames = [Image.new("L", (100, 140 + index), 255) for index in range(4)]
    data = picture(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert [page.number for page in open_document(data, "fax.tif").pages] == [1, 2, 3, 4]
    with pytest.raises(OversizedDocument):
        open_document(data, "fax.tif", Limits(pages=3))


def test_resolution_gives_the_size_on_paper_where_it_is_believable() -> None:
    scan = picture(Image.new("L", (1654, 2339)), "PNG", dpi=(200, 200))
    photo = picture(Image.new("L", (3000, 4000)), "JPEG", dpi=(72, 72))
    assert open_document(scan, "scan.png").pages[0].height == pytest.approx(842, abs=1)
    assert open_document(photo, "photo.jpg").pages[0].height == pytest.approx(842, abs=1)


def _samples() -> list[bytes]:
    image = Image.effect_noise((60, 80), 60)
    return [
        pdf(words, 2),
        *(picture(image, kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP")),
        b"<?xml version='1.0'?><Invoice xmlns='urn:x'><ID>1</ID></Invoice>",
        ofd(),
    ]


@settings(max_examples=250, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.tuples(
            st.sampled_from([b"%PDF-1.4\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"<a"]),
            st.binary(),
        ).map(b"".join),
        st.builds(
            lambda sample, cuts: _mutated(sample, cuts),
            st.sampled_from(_samples()),
            st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=12), st.integers(0, 40)), max_size=6),
        ),
    )
)
def test_only_document_errors_come_out_of_hostile_bytes(data: bytes) -> None:
    try:
        for page in open_document(data, "bill").pages:
            if not page.ocr:
                assert all(0 <= side <= 1 for token in page.tokens for side in token.box)
    except DocumentError:
        return


def _mutated(sample: bytes, cuts: list[tuple[float, bytes, int]]) -> bytes:
    for place, insert, drop in cuts:
        at = int(place * len(sample))
        sample = sample[:at] + insert + sample[at + drop :]
    return sample


def test_opening_a_born_digital_document_loads_nothing_heavy(tmp_path: pytest.TempPathFactory) -> None:
    path = tmp_path / "bill.pdf"  # type: ignore[operator]
    path.write_bytes(pdf(words))
    code = (
        "import sys, pathlib, inference.reading\n"
        "from inference.document import open_document\n"
        "open_document(pathlib.Path(sys.argv[1]).read_bytes(), 'bill.pdf').pages[0].tokens\n"
        "print([m for m in ('cv2', 'numpy', 'scipy', 'openvino', 'rapidocr', 'onnxruntime') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
