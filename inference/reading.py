"""A Document in, a Reading out: which Reader is asked, in which order."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from inference.appearance import Appearance
from inference.errors import UnsupportedDocument
from inference.invoice import Check, Status
from inference.readers import Recipient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inference.document import Document
    from inference.invoice import Reading
    from inference.readers import Reader

READERS = ("auto", "einvoice", "layout")


def make_readers(name: str = "auto") -> tuple[Reader, ...]:
    """The Readers of that name in the order they are asked. Raises ValueError for an unknown name.

    `auto` asks for the document's own data first, and reads the page where it has none.
    """
    readers = {reader.name: reader for reader in _in_order() if name in ("auto", reader.name)}
    if not readers:
        raise ValueError(f"There is no reader “{name}”. Choose one of {', '.join(READERS)}.")
    return tuple(readers.values())


def _in_order() -> Iterator[Reader]:
    """One after another, so that a document that carries its own data never waits for the layout reader to load."""
    from inference.readers.einvoice import EInvoiceReader

    yield EInvoiceReader()
    from inference.readers.layout import LayoutReader

    yield LayoutReader()


def read_document(
    document: Document, recipient: Recipient | None = None, readers: Sequence[Reader] | None = None
) -> Reading:
    """The Reading of the first Reader that can say anything about the Document.

    What was read from pages is compared with the codes on them. Adds `total` to `timing_ms`. Raises UnsupportedDocument where no Reader can, or what that Reader raises.
    """
    started = time.perf_counter()
    for reader in readers if readers is not None else _in_order():
        if reader.reads(document):
            reading = reader.read(document, recipient or Recipient())
            if reader.name != "einvoice" and document.pages:
                reading = _looked_at(reading, document)
            if reader.name == "layout" and len(document.pages) > 1:
                reading = _split(reading, document, reader)
            spent = {reader.name: (time.perf_counter() - started) * 1000} | dict(reading.timing_ms)
            return replace(reading, timing_ms=spent | {"total": (time.perf_counter() - started) * 1000})
    raise UnsupportedDocument(
        f"{document.name} holds no bill that the readers here know. Ask the sender for a PDF, a picture or an e-invoice."
    )


def _looked_at(reading: Reading, document: Document) -> Reading:
    """The Reading with what the codes on the pages say, and what the pages are known again by."""
    from inference.codes import confirmed

    started, appearance = time.perf_counter(), Appearance()
    reading = confirmed(reading, document, appearance)
    timing = {**reading.timing_ms, "codes": (time.perf_counter() - started) * 1000}
    return replace(reading, page_image=appearance.fingerprint(document), timing_ms=timing)


def _split(reading: Reading, document: Document, reader: Reader) -> Reading:
    """The Reading with the bills that the file seems to hold, and a failed Check where they are several."""
    from inference.split import bills_in

    started = time.perf_counter()
    bills = bills_in(document, lambda part: reader.read(part, Recipient()))
    timing = {**reading.timing_ms, "split": (time.perf_counter() - started) * 1000}
    if not bills:
        return replace(reading, timing_ms=timing)
    pages = ", ".join(str(part) for part in bills)
    message = f"This file seems to hold {len(bills)} bills (pages {pages}). Split it and attach each to its own record."
    several = Check("one_bill", Status.FAIL, message)
    return replace(reading, split=bills, checks=(several, *reading.checks), timing_ms=timing)
