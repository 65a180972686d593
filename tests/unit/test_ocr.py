"""OCR: words with boxes, pages turned upright, no network."""

from __future__ import annotations

import io
import socket
import threading
from collections import Counter
from typing import TYPE_CHECKING

import numpy
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from inference import ocr, ocr_models
from inference.contrast import stretched
from inference.document import Document, Origin, open_document
from inference.spacing import blank_shares

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.page import Token

ROWS = [
    "Musterlieferant GmbH Bahnhofstrasse 99",
    "Invoice number 2026-0815",
    "Invoice date 24.12.2026",
    "Cable duct 40 x 60 mm grey",
    "Quantity 12 Price 34.50",
    "Total amount 492.66 EUR",
]


def bill() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842), invariant=True)
    canvas.setFont("Helvetica", 14)
    for row, text in enumerate(ROWS * 2):
        canvas.drawString(90, 740 - 46 * row, text)
    canvas.save()
    return out.getvalue()


@pytest.fixture(scope="module")
def scan() -> Image.Image:
    return open_document(bill(), "bill.pdf").pages[0].image(150)


def opened(image: Image.Image) -> Document:
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(150, 150))
    return open_document(out.getvalue(), "scan.png")


def found(document: Document) -> set[str]:
    return {token.text for token in document.pages[0].tokens}


EXPECTED = {word for row in ROWS for word in row.split()}


def test_words_and_boxes_are_those_of_the_text_layer(scan: Image.Image) -> None:
    truth = open_document(bill(), "bill.pdf").pages[0].tokens
    page = opened(scan).pages[0]
    assert page.ocr
    assert [token.text for token in page.tokens] == [token.text for token in truth]
    for seen, true in zip(page.tokens, truth, strict=True):
        assert overlap(seen, true) > 0.6, true.text
        assert seen.score > 0.9


def overlap(a: Token, b: Token) -> float:
    """The share of b's width that a covers; 0 where they are on different lines."""
    if min(a.box.y1, b.box.y1) <= max(a.box.y0, b.box.y0):
        return 0.0
    return (min(a.box.x1, b.box.x1) - max(a.box.x0, b.box.x0)) / (b.box.x1 - b.box.x0)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_scanned_the_wrong_way_round_is_turned(scan: Image.Image, turn: int) -> None:
    page = opened(scan.rotate(turn, expand=True)).pages[0]
    assert {token.text for token in page.tokens} >= EXPECTED
    assert page.width < page.height
    assert page.image(75).size == pytest.approx((620, 877), abs=2)
    assert page.tokens[0].box.y0 < 0.2


@pytest.mark.parametrize("tilt", [-4, 3])
def test_a_tilted_page_is_levelled_with_its_image(scan: Image.Image, tilt: float) -> None:
    page = opened(scan.rotate(tilt, Image.Resampling.BICUBIC, expand=True, fillcolor="white")).pages[0]
    line = [token for token in page.tokens if token.text in ("Musterlieferant", "99")][:2]
    assert len(line) == 2
    assert abs(line[0].box.y1 - line[1].box.y1) < 0.008
    image = page.image(150).convert("L")
    for token in page.tokens:
        box = token.box
        area = image.crop(
            (
                int(box.x0 * image.width),
                int(box.y0 * image.height),
                int(box.x1 * image.width),
                int(box.y1 * image.height),
            )
        )
        assert area.getextrema()[0] < 100, token.text


def test_a_scan_inside_a_pdf_is_read_by_ocr(scan: Image.Image) -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842))
    canvas.drawImage(ImageReader(scan), 0, 0, 595, 842)
    canvas.setFont("Helvetica", 6)
    canvas.drawString(20, 10, "scanned by office")
    canvas.save()
    document = open_document(out.getvalue(), "scan.pdf")
    assert document.origin is Origin.SCAN
    assert found(document) >= EXPECTED


def test_a_page_that_is_half_a_picture_has_the_words_of_both(scan: Image.Image) -> None:
    header = ["24.12.26, 10:15", "Mail of the office of Example & Partners, the whole conversation printed"]
    askew = scan.rotate(1.5, Image.Resampling.BICUBIC, fillcolor="white")
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842))
    canvas.drawImage(ImageReader(askew), 60, 30, 520, 736)
    canvas.setFont("Helvetica", 8)
    canvas.drawString(20, 822, header[0])
    canvas.drawString(150, 822, header[1])
    canvas.save()
    page = open_document(out.getvalue(), "printed mail.pdf").pages[0]
    assert page.ocr
    words = [token.text for token in page.tokens]
    assert words[:14] == " ".join(header).split()
    assert Counter(words)["Musterlieferant"] == 2
    assert set(words) >= EXPECTED
    assert {token.score for token in page.tokens[:14]} == {1.0}


@pytest.mark.parametrize("share", [0.2, 1.0])
def test_a_logo_or_a_background_is_no_reason_for_ocr(scan: Image.Image, share: float) -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842))
    canvas.drawImage(ImageReader(scan), 0, 842 * (1 - share), 595, 842 * share)
    canvas.setFont("Helvetica", 9)
    for row in range(25):
        canvas.drawString(60, 600 - 20 * row, f"{row + 1} pieces at {row + 0.5:.2f} EUR each")
    canvas.save()
    assert not open_document(out.getvalue(), "bill.pdf").pages[0].ocr


def test_letters_drawn_as_outlines_are_read_and_a_rule_is_not() -> None:
    def page(draw: Callable[[Canvas], object]) -> bytes:
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=(595, 842))
        draw(canvas)
        canvas.setFont("Helvetica", 8)
        canvas.drawString(60, 30, "Page 3 of 3")
        canvas.save()
        return out.getvalue()

    def outlines(canvas: Canvas) -> None:
        for number in range(40):
            canvas.circle(60 + 10 * number, 400, 4)
            canvas.roundRect(60 + 10 * number, 300, 8, 8, 2)

    assert not open_document(page(lambda canvas: canvas.line(60, 40, 500, 40)), "bill.pdf").pages[0].ocr
    assert open_document(page(outlines), "bill.pdf").pages[0].ocr


def test_a_text_layer_of_control_characters_is_not_believed() -> None:
    # What a font without a character map leaves: the glyphs are right, the codes mean nothing.
    data = bill()
    import pikepdf

    with pikepdf.open(io.BytesIO(data)) as pdf:
        font = next(iter(pdf.pages[0].Resources.Font.values()))
        codes = range(32, 127)
        mapping = "\n".join(f"<{code:02x}> <{code % 27 + 1:04x}>" for code in codes)
        font.ToUnicode = pdf.make_stream(
            (
                "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
                "1 begincodespacerange <00> <ff> endcodespacerange\n"
                f"{len(codes)} beginbfchar\n{mapping}\nendbfchar\nendcmap end end"
            ).encode()
        )
        out = io.BytesIO()
        pdf.save(out)
    document = open_document(out.getvalue(), "bill.pdf")
    assert document.pages[0].ocr
    assert found(document) >= EXPECTED


def test_a_long_receipt_keeps_its_small_print() -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(200, 1400), invariant=True)
    canvas.setFont("Helvetica", 8)
    for row in range(60):
        canvas.drawString(15, 1370 - 22 * row, f"Item {row + 100} costs {row + 100}.50")
    canvas.save()
    words = found(opened(open_document(out.getvalue(), "receipt.pdf").pages[0].image(300)))
    assert words >= {f"{row + 100}.50" for row in range(60)}


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("ab 12", [0.1, 0.2, 0.2, 0.4, 0.5], ["ab", "12"]),
        ("No:17", [0.1, 0.2, 0.3, 0.55, 0.65], ["No:", "17"]),
        ("No:17", [0.1, 0.2, 0.3, 0.4, 0.5], ["No:17"]),
        ("0,952", [0.1, 0.2, 0.3, 0.4, 0.68], ["0,95", "2"]),
        ("wide", [0.1, 0.2, 0.3, 0.7], ["wide"]),
        ("1×2", [0.1, 0.2, 0.3], ["1x2"]),
        (" a ", [0.1, 0.2, 0.2], ["a"]),
    ],
)
def test_a_line_is_split_at_spaces_and_at_gaps_that_must_be_spaces(
    text: str, columns: list[float], expected: list[str]
) -> None:
    square = ((0.0, 0.0), (100.0, 0.0), (100.0, 10.0), (0.0, 10.0))
    split = ocr._split(ocr.Line(square, text, tuple(columns), 0.9, (0.0,) * (len(text) - 1)))
    assert [word for word, _, _ in split] == expected
    assert all(0 <= start < end <= 1 for _, start, end in split)


@pytest.mark.parametrize(
    ("text", "blanks", "expected"),
    [
        ("Nr.2025", [0.02, 0.05, 0.21, 0.1, 0.1, 0.1], "Nr. 2025"),
        ("No:066", [0.02, 0.05, 0.2, 0.1, 0.1], "No: 066"),
        ("Pay:10", [0.02, 0.05, 0.05, 0.25, 0.1], "Pay:10"),
        ("Lane·City", [0.05, 0.02, 0.03, 0.2, 0.2, 0.0, 0.05, 0.05], "Lane · City"),
        ("LaneCity", [0.05, 0.02, 0.03, 0.22, 0.0, 0.05, 0.05], "Lane City"),
        ("LaneCity", [0.2, 0.2, 0.2, 0.22, 0.2, 0.2, 0.2], "LaneCity"),
        ("1234567", [0.22, 0.08, 0.08, 0.22, 0.08, 0.08], "1234567"),
        ("2425", [0.1, 0.59, 0.1], "24 25"),
        ("13.11", [0.25, 0.2, 0.2, 0.2], "13.11"),
    ],
)
def test_blank_columns_are_spaces_where_no_word_has_them(
    text: str, blanks: list[float], expected: str
) -> None:
    columns = tuple((place + 0.5) / len(text) for place in range(len(text)))
    square = ((0.0, 0.0), (100.0, 0.0), (100.0, 10.0), (0.0, 10.0))
    split = ocr._split(ocr.Line(square, text, columns, 0.9, tuple(blanks)))
    assert " ".join(word for word, _, _ in split) == expected


@pytest.mark.parametrize(("paper", "ink"), [("white", "black"), ("black", "white"), ("#bbb", "#333")])
def test_blank_columns_are_measured_on_any_paper(paper: str, ink: str) -> None:
    line = Image.new("RGB", (200, 20), paper)
    for start, end in ((10, 50), (52, 90), (110, 190)):
        line.paste(ink, (start, 5, end, 15))
    between = blank_shares(numpy.asarray(line), [0.15, 0.35, 0.75])
    assert between == pytest.approx((2 / 20, 20 / 20), abs=0.01)


def test_blank_pages_and_strips_have_no_words() -> None:
    assert opened(Image.new("RGB", (600, 800), "white")).pages[0].tokens == []
    assert ocr.recognise(Image.new("RGB", (4000, 3), "white")).tokens == []
    assert ocr.recognise(Image.new("RGB", (1, 1), "black")).tokens == []


def test_ink_and_paper_of_a_dim_photograph_fill_the_whole_range() -> None:
    scale = Image.linear_gradient("L").resize((200, 100))
    dim = Image.merge("RGB", [scale.point(lambda level: 90 + level // 6)] * 3)
    assert dim.getextrema()[0] == (90, 132)
    bright = stretched(dim)
    assert bright.getextrema()[0][0] <= 3
    assert bright.getextrema()[0][1] == 255
    clear = Image.merge("RGB", [scale.point(lambda level: 40 + level // 2)] * 3)
    blank = Image.effect_noise((50, 50), 3).convert("RGB")
    for image in (clear, blank, Image.new("RGB", (50, 50), "white")):
        assert stretched(image).tobytes() == image.tobytes()


def test_ocr_never_uses_the_network(monkeypatch: pytest.MonkeyPatch, scan: Image.Image) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked for")

    ocr_models.engine.cache_clear()
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert found(opened(scan)) >= EXPECTED


def test_pages_can_be_read_from_several_threads(scan: Image.Image) -> None:
    results: list[set[str]] = []
    born = bill()
    jobs = [
        threading.Thread(target=lambda: results.append(found(open_document(born, "bill.pdf"))))
        for _ in range(6)
    ]
    jobs += [threading.Thread(target=lambda: results.append(found(opened(scan)))) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert len(results) == 8
    assert all(result >= EXPECTED for result in results)
