"""Documents made to do harm, by kind: each is bytes, and the bill that a person sees on it, where there is one."""

from __future__ import annotations

import functools
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple
from xml.sax.saxutils import escape

import pikepdf
from PIL import Image

from tests.samples import bad
from tests.samples.bill import Bill
from tests.samples.designs import render
from tests.samples.facturx_data import facturx_pdf, invoice_xml
from tests.samples.hostile.lies import LIES, honest, saved
from tests.samples.hostile.texts import ORDERS, TEXTS

MARK = "THE-TEXT"
POLYGLOT = "pdf before an archive.zip"
"""To every reader of PDF the honest bill."""
HARMLESS = "style sheet.xml"
"""An e-invoice that names a style sheet, which nobody fetches."""


class Hostile(NamedTuple):
    """A document: its name as it was mailed, how it is made, and the bill that its page shows (None: no bill)."""

    kind: str
    name: str
    make: Callable[[], bytes]
    shows: Bill | None = None


def documents() -> Iterator[Hostile]:
    """All of them."""
    for name, make in {**BOMBS, **bombs_of_pdf()}.items():
        yield Hostile("bombs", name, make)
    for name, make in TRAVERSAL.items():
        yield Hostile("paths and entities", name, make, paper() if name == HARMLESS else None)
    for name, make in ACTIONS.items():
        yield Hostile("scripts and actions", name, make, paper())
    for name, make in LIES.items():
        yield Hostile("hidden words and fonts", name, make)
    for name, make in DISGUISED.items():
        yield Hostile("wrong endings, polyglots, locked", name, make, paper() if name == POLYGLOT else None)
    for number, text in enumerate(TEXTS):
        yield Hostile("e-invoices with hostile texts", f"{number}.xml", functools.partial(e_invoice, text))
    for number, order in enumerate(ORDERS):
        for place, put in PLACES.items():
            yield Hostile("orders to a model", f"{place} {number}", functools.partial(put, order), paper())


@functools.cache
def paper() -> Bill:
    """The bill that is honest but for what was added; no account, which would go to a person anyhow."""
    bill = honest()
    return replace(bill, seller=replace(bill.seller, account="", bic="", bank=""))


@functools.cache
def page() -> bytes:
    """`paper` as PDF."""
    return render(paper())


# -- more work than a machine has -------------------------------------------------------------------------------------


def _pdf_of(content: bytes, **resources: pikepdf.Object) -> bytes:
    pdf = pikepdf.new()
    sheet = pdf.add_blank_page(page_size=(595, 842))
    sheet.Resources = pikepdf.Dictionary(**resources)
    sheet.Contents = pikepdf.Stream(pdf, content)
    return saved(pdf, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def recursive_form(times: int = 1) -> bytes:
    """A form that draws itself, `times` times."""
    pdf = pikepdf.new()
    sheet = pdf.add_blank_page(page_size=(595, 842))
    form = pdf.make_stream(b"/F Do " * times, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
    form.BBox = pikepdf.Array([0, 0, 595, 842])
    form.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
    sheet.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
    sheet.Contents = pikepdf.Stream(pdf, b"/F Do")
    return saved(pdf)


def form_tree(depth: int = 12, breadth: int = 10) -> bytes:
    """Forms that draw the next form many times: a billion laughs on paper."""
    pdf = pikepdf.new()
    sheet = pdf.add_blank_page(page_size=(595, 842))
    form = pdf.make_stream(b"0 0 1 1 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
    form.BBox = pikepdf.Array([0, 0, 595, 842])
    for _ in range(depth):
        outer = pdf.make_stream(b"/F Do " * breadth, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        outer.BBox = pikepdf.Array([0, 0, 595, 842])
        outer.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
        form = outer
    sheet.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
    sheet.Contents = pikepdf.Stream(pdf, b"/F Do")
    return saved(pdf)


def packed_stream(filters: int = 1) -> bytes:
    """A page whose content is packed `filters` times and has a gigabyte."""
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(b"q Q " * 250_000) for _ in range(1000)) + packer.flush()
    for _ in range(filters - 1):
        body = zlib.compress(body, 9)
    pdf = pikepdf.new()
    sheet = pdf.add_blank_page(page_size=(595, 842))
    stream = pikepdf.Stream(pdf, body)
    stream.Filter = pikepdf.Array([pikepdf.Name.FlateDecode] * filters)
    sheet.Contents = stream
    return saved(pdf, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def picture_by(filter_name: str, body: bytes, side: int) -> bytes:
    """A page with a picture of side × side pixels, packed by a filter that few use."""
    pdf = pikepdf.new()
    sheet = pdf.add_blank_page(page_size=(595, 842))
    image = pikepdf.Stream(pdf, body)
    image.update(
        pikepdf.Dictionary(
            Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=side, Height=side,
            ColorSpace=pikepdf.Name.DeviceGray, BitsPerComponent=1, Filter=pikepdf.Name(f"/{filter_name}"),
        )
    )  # fmt: skip
    sheet.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
    sheet.Contents = pikepdf.Stream(pdf, b"q 595 0 0 842 0 0 cm /Im0 Do Q")
    return saved(pdf, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def nested_arrays(depth: int = 100_000) -> bytes:
    """Arrays within arrays in the catalogue."""
    whole = _pdf_of(b"")
    at = whole.index(b"/Type /Catalog") if b"/Type /Catalog" in whole else whole.index(b"/Pages")
    return whole[:at] + b"/Deep " + b"[" * depth + b"]" * depth + b" " + whole[at:]


def page_tree_loop() -> bytes:
    """A page tree whose kid is itself, and which says that it has two billion pages."""
    return (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 2147483647/Kids[2 0 R 2 0 R]>>"
        b"endobj\ntrailer<</Root 1 0 R/Size 3>>\nstartxref\n0\n%%EOF"
    )


def frames(kind: str, count: int) -> bytes:
    """A picture of that many frames."""
    out = io.BytesIO()
    one = Image.new("1", (60, 80), 1)
    one.save(out, kind, save_all=True, append_images=[one] * (count - 1))
    return out.getvalue()


def many_lines(count: int = 10_000) -> bytes:
    """An e-invoice with that many lines."""
    bill = paper()
    return invoice_xml(replace(bill, lines=bill.lines[:1] * count))


def many_words(count: int = 150_000) -> bytes:
    """A page with more characters than any bill has."""
    words = b"BT /F0 1 Tf " + b"1 0 0 1 9 9 Tm (0123456789) Tj " * (count // 10) + b"ET"
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    return _pdf_of(words, Font=pikepdf.Dictionary(F0=font))


def bombs_of_pdf() -> Mapping[str, Callable[[], bytes]]:
    """PDFs that unpack, repeat or nest without end."""
    return {
        "a form that draws itself.pdf": recursive_form,
        "a form that draws itself twice.pdf": lambda: recursive_form(2),
        "forms 10 to the 12.pdf": form_tree,
        "a gigabyte of content.pdf": packed_stream,
        "a gigabyte packed twice.pdf": lambda: packed_stream(2),
        "jbig2 of 60,000.pdf": lambda: picture_by("JBIG2Decode", b"\0" * 400, 60_000),
        "jpx of 60,000.pdf": lambda: picture_by(
            "JPXDecode", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\xff" * 400, 60_000
        ),
        "fax of 60,000.pdf": lambda: picture_by("CCITTFaxDecode", b"\0" * 4000, 60_000),
        "runs of 60,000.pdf": lambda: picture_by("RunLengthDecode", b"\x81\0" * 40_000, 60_000),
        "arrays in arrays.pdf": nested_arrays,
        "pages without end.pdf": page_tree_loop,
        "many words.pdf": many_words,
        "a picture of 12,000.pdf": lambda: bad.pdf_with_image_of(12_000),
        "a page of 30,000 points.pdf": lambda: bad.pdf_page_of(30_000),
        "500 pages.pdf": bad.many_pages,
        "no pages.pdf": bad.no_pages,
    }


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "a gif of 3,000 frames.gif": lambda: frames("GIF", 3000),
    "a tiff of 300 pages.tif": lambda: frames("TIFF", 300),
    "30,000 pixels.png": lambda: bad.png_of(30_000),
    "30,000 pixels.jpg": lambda: bad.jpeg_of(30_000),
    "30,000 pixels.tif": lambda: bad.tiff_of(30_000),
    "30,000 pixels.heic": lambda: bad.heic_of(30_000),
    "4,000 scans.jpg": bad.jpeg_of_many_scans,
    "a comment of 200 MB.png": bad.png_text_bomb,
    "a billion laughs.xml": bad.xml_entity_bomb,
    "elements in elements.xml": bad.xml_nested,
    "10,000 lines.xml": many_lines,
    "unpacks to 400 MB.ofd": bad.ofd_bomb,
    "a billion laughs.ofd": lambda: bad.ofd(Doc_0__Page_xml=bad.xml_entity_bomb()),
}
TRAVERSAL: Mapping[str, Callable[[], bytes]] = {
    "../../../../etc/passwd.ofd": lambda: bad.ofd(root="../../../../etc/passwd"),
    "/etc/passwd.ofd": lambda: bad.ofd(root="/etc/passwd"),
    "link.ofd": bad.ofd_symlink,
    "file entity.xml": bad.xml_external_entity,
    "network entity.xml": lambda: bad.xml_external_entity("http://127.0.0.1:9/"),
    "entity.ofd": lambda: bad.ofd(Doc_0__Page_xml=bad.xml_external_entity()),
    "parameter entity.xml": lambda: (
        b'<!DOCTYPE Invoice [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]><Invoice/>'
    ),
    HARMLESS: lambda: (
        b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl" type="text/xsl"?>' + invoice_xml(paper())[38:]
    ),
    "include.xml": lambda: (
        b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd" parse="text"/></a>'
    ),
}


# -- what asks to be run ----------------------------------------------------------------------------------------------


def _with(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(io.BytesIO(page())) as pdf:
        change(pdf)
        return saved(pdf)


def _action(kind: str, **more: object) -> Callable[[], bytes]:
    def change(pdf: pikepdf.Pdf) -> None:
        action = pikepdf.Dictionary(S=pikepdf.Name(f"/{kind}"), **more)  # type: ignore[arg-type]
        pdf.Root.OpenAction = action
        pdf.pages[0].AA = pikepdf.Dictionary(O=action, C=action)
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=pikepdf.Array([0, 0, 595, 842]), A=action
        )
        pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([note]))

    return lambda: _with(change)


def _attached(name: str, data: bytes) -> Callable[[], bytes]:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, data, filename=name)

    return lambda: _with(change)


def _form(pdf: pikepdf.Pdf) -> None:
    xfa = b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><script contentType="application/x-javascript">app.alert(1)</script></xdp:xdp>'
    pdf.Root.AcroForm = pikepdf.Dictionary(XFA=pikepdf.Stream(pdf, xfa), Fields=pikepdf.Array())


_URL = pikepdf.String("http://127.0.0.1:9/")
ACTIONS: Mapping[str, Callable[[], bytes]] = {
    "script.pdf": _action("JavaScript", JS=pikepdf.String("app.launchURL('http://127.0.0.1:9/'); while (true);")),
    "launch.pdf": _action("Launch", F=pikepdf.String("/bin/sh"), P=pikepdf.String("-c 'touch vouch-was-here'")),
    "address.pdf": _action("URI", URI=_URL),
    "javascript address.pdf": _action("URI", URI=pikepdf.String("javascript:window.hacked=1")),
    "submit.pdf": _action("SubmitForm", F=_URL, Flags=4),
    "import.pdf": _action("ImportData", F=pikepdf.String("/etc/passwd")),
    "other file.pdf": _action("GoToR", F=pikepdf.String("\\\\127.0.0.1\\share\\x.pdf"), D=pikepdf.Array([0])),
    "movie.pdf": _action("Rendition", JS=pikepdf.String("app.alert(1)"), OP=0),
    "xfa.pdf": lambda: _with(_form),
    "attached program.pdf": _attached("invoice.pdf.exe", b"MZ\x90\0" + bytes(400)),
    "attached web page.pdf": _attached("factur-x.html", b"<script>window.hacked=1</script>"),
    "attached drawing.pdf": _attached("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked=1"/>'),
    "attached upwards.pdf": _attached("../../../../tmp/vouch-was-here", b"x"),
    "attached long name.pdf": _attached("x" * 10_000 + ".xml", b"<a/>"),
    "attached name of lines.pdf": _attached("a\r\nX-Evil: 1\r\n\r\n<script>.xml", b"<a/>"),
    "attached entity bomb.pdf": _attached("factur-x.xml", bad.xml_entity_bomb()),
}  # fmt: skip
DISGUISED: Mapping[str, Callable[[], bytes]] = {
    "locked.pdf": bad.encrypted_pdf,
    "web page.pdf": bad.html,
    "workbook.pdf": bad.spreadsheet,
    "web page before a pdf.pdf": lambda: b"<html><script>window.hacked=1</script>" + bytes(2000) + page(),
    "archive before a pdf.pdf": lambda: bad.packed({"bill.pdf": page()}),
    POLYGLOT: lambda: page() + bad.packed({"../../evil.sh": b"touch vouch-was-here"}),
    "program.pdf": lambda: b"MZ\x90\0" + bytes(4000),
    "elf.pdf": lambda: b"\x7fELF" + bytes(4000),
    "picture of one pixel.png": lambda: bad.picture("PNG", (1, 1)),
    "drawing.xml": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>window.hacked=1</script></svg>',
    "page.xml": lambda: b'<html xmlns="http://www.w3.org/1999/xhtml"><script>window.hacked=1</script></html>',
    "empty.pdf": lambda: b"",
    "half.pdf": lambda: page()[: len(page()) // 2],
    "nothing but zeros.pdf": lambda: bytes(100_000),
    "sheet of paper.pdf": lambda: _pdf_of(b""),
}


# -- words that want to be more ---------------------------------------------------------------------------------------


def e_invoice(text: str) -> bytes:
    """An e-invoice that has the text as seller, number, article, order and payment reference."""
    bill = paper()
    marked = replace(
        bill,
        seller=replace(bill.seller, name=MARK, street=MARK),
        number=MARK,
        order_reference=MARK,
        lines=(replace(bill.lines[0], item_name=MARK, item_seller_id=MARK), *bill.lines[1:]),
    )
    written = escape(text).encode("utf-8", "replace")
    return invoice_xml(marked).replace(MARK.encode(), written)


def _visible(order: str) -> bytes:
    return render(replace(paper(), notes=(order,)))


def _stamped(order: str, before: bytes, size: float = 9) -> bytes:
    """The order at the foot of the page, drawn by a font of its own, after operators that hide it."""

    def change(pdf: pikepdf.Pdf) -> None:
        sheet = pdf.pages[0]
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        name = sheet.add_resource(pdf.make_indirect(font), pikepdf.Name.Font, pikepdf.Name.Stamp)
        words = order.encode("latin-1", "replace").replace(b"\\", b"").replace(b"(", b"").replace(b")", b"")
        drawn = b"BT %s %s %g Tf 40 20 Td (%s) Tj ET" % (before, str(name).encode(), size, words)
        sheet.contents_add(pikepdf.Stream(pdf, b"q " + drawn + b" Q"))

    return _with(change)


def _in_metadata(order: str) -> bytes:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.docinfo["/Title"] = order
        pdf.docinfo["/Subject"] = order
        with pdf.open_metadata() as meta:
            meta["dc:title"] = order

    return _with(change)


def _in_note(order: str) -> bytes:
    def change(pdf: pikepdf.Pdf) -> None:
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=pikepdf.Array([9, 9, 29, 29]),
            Contents=pikepdf.String(order), T=pikepdf.String("Owner"),
        )  # fmt: skip
        pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([note]))

    return _with(change)


def _in_data(order: str) -> bytes:
    bill = paper()
    line = replace(bill.lines[0], item_name=f"{bill.lines[0].item_name} {order}")
    return facturx_pdf(replace(bill, lines=(line, *bill.lines[1:])), page())


PLACES: Mapping[str, Callable[[str], bytes]] = {
    "in plain sight": _visible,
    "white": lambda order: _stamped(order, b"1 g"),
    "invisible": lambda order: _stamped(order, b"3 Tr"),
    "tiny": lambda order: _stamped(order, b"", 0.4),
    "off the page": lambda order: _stamped(order, b"1 0 0 1 900 900 Tm"),
    "in the metadata": _in_metadata,
    "in a note": _in_note,
    "in the data": _in_data,
}
