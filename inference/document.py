"""Documents: bytes opened, by what they are, into pages and embedded data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from inference.errors import DamagedDocument, OversizedDocument, UnsupportedDocument
from inference.page import Attached, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.page import Page


class Origin(StrEnum):
    """How a document came to be; the `kind` in the contract of `vouch read --json`."""

    BORN_DIGITAL = "born-digital"
    SCAN = "scan"
    IMAGE = "image"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Document:
    """Opened bytes. `attached` holds the files embedded in a PDF or OFD, or the XML itself, `sha256` the identity of the content."""

    name: str
    sha256: str
    mime: str
    origin: Origin
    pages: Sequence[Page]
    attached: tuple[Attached, ...] = ()


def open_document(data: bytes, name: str, limits: Limits | None = None) -> Document:
    """Open bytes by what they are, whatever `name` says.

    Raises EncryptedDocument, DamagedDocument, UnsupportedDocument or OversizedDocument. A page may raise
    DamagedDocument later, when it is first looked at.
    """
    limits = limits or Limits()
    if not data:
        raise DamagedDocument("The file is empty. Ask the sender for it again.")
    if len(data) > limits.megabytes * 1e6:
        raise OversizedDocument(
            f"The file has {len(data) / 1e6:.0f} MB, more than the limit of {limits.megabytes:.0f}."
            " Send it smaller, or raise the limit."
        )
    sha256 = hashlib.sha256(data).hexdigest()
    match sniff(data):
        case "application/pdf" as mime:
            from inference.pdf import open_pdf

            pages, attached = open_pdf(data, limits)
            scanned = all(page.ocr for page in pages)
            origin = Origin.SCAN if scanned else Origin.BORN_DIGITAL
            return Document(name, sha256, mime, origin, pages, attached)
        case "image":
            from inference.picture import open_picture

            pictures, mime = open_picture(data, limits)
            return Document(name, sha256, mime, Origin.IMAGE, pictures)
        case "application/xml" as mime:
            from inference.xml import parse_xml

            parse_xml(data)
            return Document(name, sha256, mime, Origin.DATA, (), (Attached(name, data),))
        case "application/ofd" as mime:
            from inference.ofd import open_ofd

            sheets, attached = open_ofd(data, limits)
            return Document(name, sha256, mime, Origin.BORN_DIGITAL, sheets, attached)
        case found:
            raise UnsupportedDocument(
                f"{found} cannot be read. Ask the sender for a PDF, a picture or an e-invoice."
            )


_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM", b"GIF8")
# Brands of ISO base media files (ISO/IEC 23008-12, AVIF) that hold pictures.
_PHOTOGRAPHS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_OTHERS = {
    b"PK\x03\x04": "A zip archive or office file",
    b"\xd0\xcf\x11\xe0": "An old office file",
    b"\x1f\x8b": "A compressed file",
    b"Rar!": "A compressed file",
    b"7z\xbc\xaf": "A compressed file",
    b"{\\rtf": "A text document",
    b"%!PS": "A PostScript file",
}


def sniff(data: bytes) -> str:
    """`application/pdf`, `application/xml`, `application/ofd`, `image`, or in words what else it seems to be."""
    # Rubbish may stand before the header of a PDF, but not the header of an archive that holds one.
    if b"%PDF-" in data[:1024] and not data.startswith(b"PK\x03\x04"):
        return "application/pdf"
    if data.startswith(_PICTURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return "image"
    if data[4:8] == b"ftyp":
        return "image" if data[8:12] in _PHOTOGRAPHS else "A video"
    if data.startswith(b"PK\x03\x04") and b"OFD.xml" in data:
        return "application/ofd"
    for start, meaning in _OTHERS.items():
        if data.startswith(start):
            return meaning
    head = data[:1024].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").replace(b"\0", b"").lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "A web page"
    if head.startswith(b"<"):
        return "application/xml"
    return "A file of this type"
