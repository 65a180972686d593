"""Bills whose file says something else than their page shows: words that nobody sees, and fonts that lie."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pikepdf
import pypdfium2

from tests.samples import collection
from tests.samples.bill import Bill
from tests.samples.designs import render
from tests.samples.generate import TODAY

DPI = 150
_INK = re.compile(rb"(?m)^([\d.]+ ){1,4}(rg|g|k|RG|G|K)\b|(?<=\s)([\d.]+ ){1,4}(rg|g|k|RG|G|K)(?=\s)")


def honest() -> Bill:
    """A bill that is filled unseen: a known vendor with a known account."""
    return replace(collection.english(TODAY), number="BLH-26-7719")


def dearer(bill: Bill) -> Bill:
    """The same bill as a person is to see it: ten times the price, another number."""
    lines = tuple(replace(line, net_price=line.net_price * Decimal(10)) for line in bill.lines)
    return replace(bill, lines=lines, number=bill.number.replace("7", "3"))


def layered(said: bytes, seen: bytes, hide: Callable[[pikepdf.Pdf, bytes], bytes], *, below: bool) -> bytes:
    """The page of `seen` as a picture, and the words of `said`, hidden, above or `below` it."""
    picture = _drawn(seen)
    with pikepdf.open(io.BytesIO(said)) as pdf:
        page = pdf.pages[0]
        page.contents_coalesce()
        words = hide(pdf, page.Contents.read_bytes())
        image = pikepdf.Stream(pdf, picture.tobytes())
        image.update(
            pikepdf.Dictionary(
                Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=picture.width, Height=picture.height,
                ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8,
            )
        )  # fmt: skip
        name = page.add_resource(image, pikepdf.Name.XObject, pikepdf.Name.Seen)
        x0, y0, x1, y1 = (float(side) for side in page.mediabox)
        shown = f"q {x1 - x0} 0 0 {y1 - y0} {x0} {y0} cm {name} Do Q".encode()
        parts = (words, shown) if below else (shown, words)
        page.Contents = pikepdf.Stream(pdf, b"\n".join(b"q " + part + b" Q" for part in parts))
        del pdf.pages[1:]
        return saved(pdf)


def invisible(_: pikepdf.Pdf, words: bytes) -> bytes:
    """Text rendering mode 3 (ISO 32000-1, 9.3.6), as OCR programs write it."""
    return b"3 Tr\n" + words


def white(_: pikepdf.Pdf, words: bytes) -> bytes:
    """In the colour of the paper."""
    return b"1 g 1 G\n" + _INK.sub(b" 1 g 1 G ", words)


def transparent(pdf: pikepdf.Pdf, words: bytes) -> bytes:
    """Painted with no opacity at all."""
    state = pikepdf.Dictionary(Type=pikepdf.Name.ExtGState, ca=0, CA=0)
    name = pdf.pages[0].add_resource(state, pikepdf.Name.ExtGState, pikepdf.Name.Nothing)
    return f"{name} gs\n".encode() + words


def clipped(_: pikepdf.Pdf, words: bytes) -> bytes:
    """Cut off by a path of one point."""
    return b"0 0 1 1 re W n\n" + words


def plainly(_: pikepdf.Pdf, words: bytes) -> bytes:
    """As it is: the picture above it covers it."""
    return words


def switched_off(pdf: pikepdf.Pdf, words: bytes) -> bytes:
    """On a layer that is not shown."""
    layer = pdf.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name=pikepdf.String("Layer <b>1</b>"))
    )
    off = pikepdf.Dictionary(BaseState=pikepdf.Name.ON, OFF=pikepdf.Array([layer]))
    pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=pikepdf.Array([layer]), D=off)
    name = pdf.pages[0].add_resource(layer, pikepdf.Name.Properties, pikepdf.Name.Off)
    return f"/OC {name} BDC\n".encode() + words + b"\nEMC"


def lying_font(bill: Bill) -> bytes:
    """A bill whose fonts draw a 1 for what they say is a 7, and a 7 for a 1."""
    with pikepdf.open(io.BytesIO(render(bill))) as pdf:
        for entry in pdf.objects:
            if isinstance(entry, pikepdf.Dictionary) and "/ToUnicode" in entry:
                entry.ToUnicode.write(_swapped(entry.ToUnicode.read_bytes()))
        return saved(pdf)


def _swapped(mapping: bytes) -> bytes:
    swap = {b"<0031>": b"<0037>", b"<0037>": b"<0031>"}

    def other(match: re.Match[bytes]) -> bytes:
        *glyphs, letter = match.group().rsplit(b" ", 1)
        return b" ".join([*glyphs, swap.get(letter.strip(), letter)])

    spread = re.sub(rb"<([0-9A-F]{2})> <([0-9A-F]{2})> \[([^\]]*)\]", _one_by_one, mapping, flags=re.I)
    return re.sub(rb"<[0-9A-F]+> (?:<[0-9A-F]+> )?<[0-9A-F]{4}>", other, spread, flags=re.I)


def _one_by_one(match: re.Match[bytes]) -> bytes:
    start = int(match[1], 16)
    letters = match[3].split()
    swap = {b"<0031>": b"<0037>", b"<0037>": b"<0031>"}
    return b"<%02X> <%02X> [%s]" % (
        start,
        int(match[2], 16),
        b" ".join(swap.get(one, one) for one in letters),
    )


def saved(pdf: pikepdf.Pdf, **how: Any) -> bytes:
    """The file, the same at every run."""
    out = io.BytesIO()
    pdf.save(out, deterministic_id=True, **how)
    return out.getvalue()


def _drawn(pdf: bytes) -> Any:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[0].render(scale=DPI / 72).to_pil().convert("RGB")
    finally:
        document.close()


def _hidden(hide: Callable[[pikepdf.Pdf, bytes], bytes], *, below: bool = False) -> Callable[[], bytes]:
    def make() -> bytes:
        bill = honest()
        return layered(render(bill), render(dearer(bill)), hide, below=below)

    return make


LIES: Mapping[str, Callable[[], bytes]] = {
    "invisible words": _hidden(invisible),
    "white words": _hidden(white, below=True),
    "transparent words": _hidden(transparent),
    "clipped words": _hidden(clipped),
    "covered words": _hidden(plainly, below=True),
    "words on a hidden layer": _hidden(switched_off),
    "a font that lies": lambda: lying_font(honest()),
}
"""Each would be filled with what its file says if nobody looked at the page."""
