"""The same pages in another file are known again; another digit makes another page."""

from __future__ import annotations

from io import BytesIO

import pikepdf
from reportlab.pdfgen.canvas import Canvas

from inference.appearance import Appearance
from inference.document import open_document


def paper(number: str) -> bytes:
    out = BytesIO()
    canvas = Canvas(out)
    canvas.drawString(72, 760, "Papierhaus Brunnhuber")
    canvas.drawString(72, 730, f"Rechnung {number}")
    canvas.save()
    return out.getvalue()


def seen(data: bytes) -> str:
    return Appearance().fingerprint(open_document(data, "bill.pdf"))


def saved_again(data: bytes) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(data)) as pdf:
        pdf.docinfo["/Title"] = "Forwarded"
        pdf.save(out, compress_streams=False)
    return out.getvalue()


def test_the_same_page_in_another_file_is_known_again() -> None:
    again = saved_again(paper("2026-0817"))
    assert again != paper("2026-0817")
    assert seen(again) == seen(paper("2026-0817")) != ""


def test_another_digit_is_another_page_and_a_blank_page_is_none() -> None:
    assert len({seen(paper(f"2026-081{digit}")) for digit in range(10)}) == 10
    blank = BytesIO()
    canvas = Canvas(blank)
    canvas.showPage()
    canvas.save()
    assert seen(blank.getvalue()) == ""
