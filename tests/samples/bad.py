"""Files that no product can read, as they arrive in mailboxes, and files that are made to do harm."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO

import pikepdf
import pillow_heif
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas


def encrypted_pdf() -> bytes:
    """A PDF that opens with a password only."""
    out = BytesIO()
    lock = StandardEncryption("only-the-sender-knows", ownerPassword="owner", strength=128)
    canvas = Canvas(out, encrypt=lock, invariant=1)
    canvas.drawString(72, 720, "Invoice 4711")
    canvas.save()
    return out.getvalue()


def html() -> bytes:
    """A download page saved under the name of a PDF."""
    return (
        b"<!DOCTYPE html>\n<html><head><title>Session expired</title></head>"
        b"<body><h1>Please log in to download your invoice</h1></body></html>\n"
    )


def huge_png() -> bytes:
    """60 megapixels in a few kilobytes."""
    out = BytesIO()
    Image.new("1", (10000, 6000), 1).save(out, "PNG", optimize=True)
    return out.getvalue()


def spreadsheet() -> bytes:
    """A minimal Excel workbook."""
    name = "http://schemas.openxmlformats.org"
    kinds = "application/vnd.openxmlformats"
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{name}/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}-officedocument.spreadsheetml.sheet.main+xml"/>'
            f'<Override PartName="/xl/sheet1.xml" ContentType="{kinds}-officedocument.spreadsheetml.worksheet+xml"/>'
            "</Types>",
            "_rels/.rels": f'<Relationships xmlns="{name}/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{name}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{name}/spreadsheetml/2006/main" '
            f'xmlns:r="{name}/officeDocument/2006/relationships"><sheets><sheet name="Items" sheetId="1" r:id="r1"/>'
            "</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{name}/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{name}/officeDocument/2006/relationships/worksheet" Target="sheet1.xml"/></Relationships>',
            "xl/sheet1.xml": f'<worksheet xmlns="{name}/spreadsheetml/2006/main"><sheetData><row r="1">'
            '<c r="A1" t="inlineStr"><is><t>Invoice 4711</t></is></c></row></sheetData></worksheet>',
        }
    )


def packed(files: dict[str, str | bytes]) -> bytes:
    """A ZIP archive of these files, without the time of its making."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


# -- files made to do harm, or larger than any bill -----------------------------------------------------------------


def many_pages(count: int = 500) -> bytes:
    """A PDF of blank pages."""
    out = BytesIO()
    canvas = Canvas(out, invariant=1)
    for _ in range(count):
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def no_pages() -> bytes:
    """A PDF whose page tree is empty."""
    out = BytesIO()
    pikepdf.new().save(out)
    return out.getvalue()


def picture(kind: str, size: tuple[int, int] = (60, 80)) -> bytes:
    """A white picture of that format."""
    out = BytesIO()
    Image.new("RGB", size, "white").save(out, kind)
    return out.getvalue()


def png_of(side: int) -> bytes:
    """A PNG of side × side black pixels, one bit each."""
    packer, body = zlib.compressobj(9), bytearray()
    for _ in range(side):
        body += packer.compress(bytes(1 + (side + 7) // 8))
    body += packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", bytes(body)) + _chunk(b"IEND", b"")


def png_text_bomb() -> bytes:
    """A small PNG whose comment unpacks to 200 MB."""
    comment = b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9)
    whole = picture("PNG")
    return whole[:33] + _chunk(b"zTXt", comment) + whole[33:]


def jpeg_of(side: int) -> bytes:
    """A JPEG that says it has side × side pixels, and holds a few."""
    whole = bytearray(picture("JPEG"))
    at = whole.index(b"\xff\xc0")  # start of frame: length, precision, height, width
    whole[at + 5 : at + 9] = struct.pack(">HH", side, side)
    return bytes(whole)


def jpeg_of_many_scans(side: int = 7000, scans: int = 4000) -> bytes:
    """A progressive JPEG within the limit of pixels that repeats its last scan, each of which costs a pass."""
    out = BytesIO()
    Image.new("L", (side, side), 255).save(out, "JPEG", progressive=True, quality=10)
    whole = out.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * scans + whole[-2:]


def tiff_of(side: int) -> bytes:
    """A TIFF of side × side pixels in one strip of run lengths, most of them missing."""
    tags = (
        (256, side),
        (257, side),
        (258, 1),
        (259, 32773),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, side),
        (279, 90_000),
    )
    strip = b"\x81\xff" * 45_000
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(strip))
        + strip
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
    )


def heic_of(side: int) -> bytes:
    """A HEIC photograph that says it has side × side pixels."""
    pillow_heif.register_heif_opener()
    whole = bytearray(picture("HEIF", (64, 64)))
    at = whole.index(b"ispe")  # spatial extents: version and flags, width, height
    whole[at + 8 : at + 16] = struct.pack(">II", side, side)
    return bytes(whole)


def pdf_page_of(side: float) -> bytes:
    """A PDF page of side × side points with a word on it."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(side, side), invariant=1)
    canvas.drawString(72, 720, "Invoice 4711")
    canvas.save()
    return out.getvalue()


def pdf_with_image_of(side: int) -> bytes:
    """A PDF whose one image has side × side pixels in colour, packed to a few kilobytes."""
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(3 * side)) for _ in range(side)) + packer.flush()
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(595, 842))
    image = pikepdf.Stream(pdf, body)
    image.update(
        pikepdf.Dictionary(
            Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=side, Height=side,
            ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8, Filter=pikepdf.Name.FlateDecode,
        )
    )  # fmt: skip
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
    page.Contents = pikepdf.Stream(pdf, b"q 595 0 0 842 0 0 cm /Im0 Do Q")
    out = BytesIO()
    pdf.save(out, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
    return out.getvalue()


def pdf_that_acts() -> bytes:
    """A bill whose PDF asks to run scripts, start programs and call home when it is opened."""
    out = BytesIO()
    canvas = Canvas(out, invariant=1)
    for row, text in enumerate(
        ("Acme Ltd", "Invoice number 4711", "Invoice date 24.12.2026", "Total 119.00 EUR")
    ):
        canvas.drawString(72, 760 - 30 * row, text)
    canvas.save()
    with pikepdf.open(BytesIO(out.getvalue())) as pdf:
        name, string = pikepdf.Name, pikepdf.String
        script = pikepdf.Dictionary(
            S=name.JavaScript, JS=string("app.launchURL('http://127.0.0.1:9/'); while (true);")
        )
        launch = pikepdf.Dictionary(S=name.Launch, F=string("/bin/sh"), P=string("-c 'touch vouch-was-here'"))
        call = pikepdf.Dictionary(S=name.URI, URI=string("http://127.0.0.1:9/"), Next=launch)
        pdf.Root.OpenAction = script
        pdf.Root.AA = pikepdf.Dictionary(WC=script, DS=launch)
        pdf.Root.Names = pikepdf.Dictionary(
            JavaScript=pikepdf.Dictionary(Names=pikepdf.Array([string("start"), script]))
        )
        pdf.pages[0].AA = pikepdf.Dictionary(O=call, C=script)
        out = BytesIO()
        pdf.save(out)
    return out.getvalue()


def xml_entity_bomb() -> bytes:
    """A billion laughs."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE Invoice [<!ENTITY e0 "ha">{entities}]><Invoice>&e9;</Invoice>'.encode()


def xml_external_entity(address: str = "file:///etc/passwd") -> bytes:
    """An e-invoice that wants a file of this machine, or a page of the network, within it."""
    return f'<!DOCTYPE Invoice [<!ENTITY x SYSTEM "{address}">]><Invoice><ID>&x;</ID></Invoice>'.encode()


def xml_nested(depth: int = 100_000) -> bytes:
    """Elements within elements."""
    return b"<a>" * depth + b"</a>" * depth


_OFD = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def ofd(root: str = "Doc_0/Document.xml", **files: str | bytes) -> bytes:
    """An OFD file of one page; `files` are added by path, `__` for a slash and `_xml` for the ending."""
    page = (
        f"<ofd:Page {_OFD}><ofd:Area><ofd:PhysicalBox>0 0 210 140</ofd:PhysicalBox></ofd:Area><ofd:Content><ofd:Layer>"
        '<ofd:TextObject Boundary="20 30 84 10" Size="4"><ofd:TextCode X="0" Y="4">123456</ofd:TextCode></ofd:TextObject>'
        "</ofd:Layer></ofd:Content></ofd:Page>"
    )
    whole: dict[str, str | bytes] = {
        "OFD.xml": f"<ofd:OFD {_OFD}><ofd:DocBody><ofd:DocRoot>{root}</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {_OFD}><ofd:Pages><ofd:Page ID='2' BaseLoc='Page.xml'/></ofd:Pages>"
        "<ofd:Attachments>List.xml</ofd:Attachments></ofd:Document>",
        "Doc_0/Page.xml": page,
        "Doc_0/List.xml": f"<ofd:Attachments {_OFD}/>",
    }
    return packed(
        whole | {name.replace("__", "/").replace("_xml", ".xml"): text for name, text in files.items()}
    )


def ofd_bomb() -> bytes:
    """An OFD file of some hundred kilobytes whose attachment unpacks to 400 MB."""
    listed = f"<ofd:Attachments {_OFD}><ofd:Attachment><ofd:FileLoc>b.xml</ofd:FileLoc></ofd:Attachment></ofd:Attachments>"
    return ofd(Doc_0__List_xml=listed, Doc_0__b_xml=bytes(400_000_000))


def ofd_symlink(target: str = "/etc/passwd") -> bytes:
    """An OFD file whose document is a symbolic link to a file of this machine."""
    out = BytesIO(ofd(root="Doc_0/Linked.xml"))
    with zipfile.ZipFile(out, "a") as archive:
        link = zipfile.ZipInfo("Doc_0/Linked.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, target)
    return out.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
