"""Files that no product can read, as they arrive in mailboxes."""

from __future__ import annotations

import zipfile
from io import BytesIO

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
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return out.getvalue()
