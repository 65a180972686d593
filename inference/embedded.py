"""Files embedded in a PDF, read with qpdf under a limit of number and size."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pikepdf

from inference.page import Attached

# An e-invoice has one XML and at most a few enclosures.
MOST_FILES = 20
MOST_BYTES = 10_000_000


def embedded_files(data: bytes) -> tuple[Attached, ...]:
    """The embedded files of a PDF that opens without a password; those over a limit are left out.

    A PDF that PDFium can show but qpdf cannot parse has none.
    """
    found: list[Attached] = []
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            for name in list(pdf.attachments)[:MOST_FILES]:
                content = _unpacked(pdf.attachments[name].get_file().obj)
                if content is not None:
                    found.append(Attached(name, content))
    except (pikepdf.PdfError, ValueError, KeyError, TypeError, zlib.error):
        return ()
    return tuple(found)


def _unpacked(stream: Any) -> bytes | None:
    """The content of an embedded file, None where it is too large or packed in a way no writer uses.

    Unpacked here and not by qpdf, which has no limit: one megabyte can hold a thousand.
    """
    filters = stream.get("/Filter")
    names = [] if filters is None else list(filters) if isinstance(filters, pikepdf.Array) else [filters]
    raw = bytes(stream.read_raw_bytes())
    if not names:
        return raw if len(raw) <= MOST_BYTES else None
    if [str(name) for name in names] != ["/FlateDecode"] or "/DecodeParms" in stream:
        return None
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(raw, MOST_BYTES)
    return content if unpacker.eof else None
