"""Pages of the documents kept, as pictures for the screen: small, and drawn once while they are in use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from inference.document import Origin, open_document
from inference.errors import DocumentError
from inference.page import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

    from connector.ledger.documents import DocumentStore

LONG_SIDE = 1900
LARGEST = 200_000
KEPT_BYTES = 64_000_000
KEPT_DOCUMENTS = 256


@dataclass(frozen=True, slots=True)
class Paper:
    """A document's pages, or the sentence that says why there are none to show.

    A page is its size in points, or None for a picture: its size is known once it is turned upright, which takes
    recognition and must not hold up the bill page.
    """

    sizes: tuple[tuple[float, float] | None, ...] = ()
    problem: str = ""


class PageImages:
    """Page sizes and WebP pictures by SHA-256, the ones used last kept in memory. Safe to share between threads."""

    def __init__(self, documents: DocumentStore, limits: Limits) -> None:
        self._documents, self._limits = documents, limits
        self._papers: OrderedDict[str, Paper] = OrderedDict()
        self._pictures: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def paper(self, sha256: str) -> Paper:
        """The pages of a document that is kept; `gone` as the problem when it is not."""
        with self._lock:
            if sha256 in self._papers:
                self._papers.move_to_end(sha256)
                return self._papers[sha256]
        data = self._documents.get(sha256)
        if data is None:
            return Paper(problem="gone")
        try:
            document = open_document(data, "document", self._limits)
            known = document.origin is not Origin.IMAGE
            paper = Paper(tuple((page.width, page.height) if known else None for page in document.pages))
        except DocumentError as error:
            paper = Paper(problem=str(error))
        with self._lock:
            self._papers[sha256] = paper
            while len(self._papers) > KEPT_DOCUMENTS:
                self._papers.popitem(last=False)
        return paper

    def picture(self, sha256: str, number: int) -> bytes | None:
        """Page `number` (from 1) as WebP; None when there is no such page. Raises DocumentError."""
        key = (sha256, number)
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
                return self._pictures[key]
        data = self._documents.get(sha256)
        pages = open_document(data, "document", self._limits).pages if data else ()
        if not 1 <= number <= len(pages):
            return None
        page = pages[number - 1]
        dpi = max(1, min(300, int(LONG_SIDE * 72 / max(page.width, page.height, 1))))
        picture = encode(page.image(dpi))
        with self._lock:
            self._bytes += len(picture) - len(self._pictures.get(key, b""))
            self._pictures[key] = picture
            while self._bytes > KEPT_BYTES:
                self._bytes -= len(self._pictures.popitem(last=False)[1])
        return picture


def encode(image: Image) -> bytes:
    """WebP of at most LARGEST bytes: first less quality, then, for noisy scans, fewer pixels."""
    image = image.convert("RGB")
    image.thumbnail((LONG_SIDE, LONG_SIDE))
    while True:
        for quality in (80, 60, 40):
            out = BytesIO()
            image.save(out, "WEBP", quality=quality, method=4)
            if out.tell() <= LARGEST:
                return out.getvalue()
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))
