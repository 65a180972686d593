"""What a document looks like, in one string: the same pages in another file are known again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.document import Document

# Small enough to be quick, fine enough that another digit is another picture.
DPI = 36
MOST_PAGES = 3


def page_image(document: Document) -> str:
    """SHA-256 in hex over the grey pixels of the first pages; empty where they show nothing."""
    digest, shown = hashlib.sha256(), False
    for page in document.pages[:MOST_PAGES]:
        picture = page.image(DPI).convert("L")
        darkest, lightest = picture.getextrema()
        shown |= darkest != lightest
        digest.update(f"{picture.size}".encode() + picture.tobytes())
    return digest.hexdigest() if shown else ""
