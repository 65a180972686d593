"""The Reader of e-invoices: finds the data that a Document carries and has it read in its syntax."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from inference.errors import DocumentError, UnsupportedDocument
from inference.readers.einvoice import cii, fapiao, ubl, ubl_order

if TYPE_CHECKING:
    from inference.document import Document
    from inference.invoice import Reading
    from inference.readers import Recipient
    from inference.xml import Node


_ENVELOPE = "StandardBusinessDocument"
"""The envelope of the Peppol network (UN/CEFACT SBDH)."""


class EInvoiceReader:
    """Reads CII, UBL and fapiao data, embedded in a PDF or OFD or as a document by itself. What it finds is certain, not estimated."""

    name = "einvoice"

    def reads(self, document: Document) -> bool:
        """Whether the Document carries data in a syntax known here."""
        return _data(document) is not None

    def read(self, document: Document, recipient: Recipient) -> Reading:
        """The data as a Reading. Raises UnsupportedDocument where there is none."""
        started = time.perf_counter()
        root = _data(document)
        if root is None:
            raise UnsupportedDocument("The document carries no e-invoice. Read it with the layout reader.")
        if root.name in cii.ROOTS:
            reading = cii.read_cii(root, self.name)
        elif fapiao.syntax_of(root):
            reading = fapiao.read_fapiao(root, self.name)
        elif root.name in ubl_order.ROOTS:
            reading = ubl_order.read_order(root, self.name)
        else:
            reading = ubl.read_ubl(root, self.name)
        if document.pages:
            from inference.readers.einvoice.pages import beside_pages

            reading = beside_pages(reading, root, document, recipient)
        return replace(reading, timing_ms={"einvoice": (time.perf_counter() - started) * 1000})


def _data(document: Document) -> Node | None:
    """The root of the first attached file in a known syntax, without the envelope it may have been sent in."""
    for attached in document.attached:
        if b"<" not in attached.data[:512] or attached.data.startswith(b"%PDF"):
            continue
        from inference.xml import parse_xml

        try:
            root = parse_xml(attached.data)
        except DocumentError:
            continue  # an enclosure that is no e-invoice; the page is read instead
        for node in (root, *(root.children() if root.name == _ENVELOPE else ())):
            if _known(node):
                return node
    return None


def _known(root: Node) -> bool:
    if root.name in (*ubl.ROOTS, *ubl_order.ROOTS) and root.namespace.startswith(ubl.NAMESPACE):
        return True
    return root.name in cii.ROOTS or fapiao.syntax_of(root) is not None
