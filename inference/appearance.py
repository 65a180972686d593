"""Pages as they look: drawn once in grey, for the codes on them and for what tells them again in another file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from inference.document import Document
    from inference.page import Page

DIGITAL_DPI, SCAN_DPI = 150, 200
"""A Swiss QR-bill, the densest code on bills, has modules of 0.4 mm: 2.4 pixels at 150 dpi, enough where nothing blurs."""
# Small enough to be quick, fine enough that another digit is another picture: 37 and 40 dpi.
DIGITAL_SHRINK, SCAN_SHRINK = 4, 5
MOST_PAGES = 3


class Appearance:
    """The pages of one document in grey, each drawn when it is first asked for."""

    def __init__(self) -> None:
        self._drawn: dict[int, Image] = {}

    def grey(self, page: Page) -> Image:
        """The page at DIGITAL_DPI, or SCAN_DPI where its words are read by OCR."""
        if page.number not in self._drawn:
            self._drawn[page.number] = page.image(SCAN_DPI if page.ocr else DIGITAL_DPI).convert("L")
        return self._drawn[page.number]

    def fingerprint(self, document: Document) -> str:
        """SHA-256 in hex over the grey pixels of the first pages, made small; empty where they show nothing."""
        digest, shown = hashlib.sha256(), False
        for page in document.pages[:MOST_PAGES]:
            picture = self.grey(page).reduce(SCAN_SHRINK if page.ocr else DIGITAL_SHRINK)
            darkest, lightest = picture.getextrema()
            shown |= darkest != lightest
            digest.update(f"{picture.size}".encode() + picture.tobytes())
        return digest.hexdigest() if shown else ""
