"""Pages of the documents kept, as pictures for the screen: small, and drawn once while they are in use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.errors import DocumentError

if TYPE_CHECKING:
    from connector.ledger.documents import DocumentStore
    from inference.isolation import Sandbox
    from inference.page import Token

LONG_SIDE = 1900
LARGEST = 200_000
KEPT_BYTES = 64_000_000
KEPT_DOCUMENTS = 256
DRAWN_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Paper:
    """A document's pages, or the sentence that says why there are none to show.

    A page is its size in points, or None for a scan or a photograph: its size is known once it is turned upright, which
    takes recognition and must not hold up the bill page.
    """

    sizes: tuple[tuple[float, float] | None, ...] = ()
    problem: str = ""


class PageImages:
    """Page sizes and WebP pictures by SHA-256, the ones used last kept in memory. Safe to share between threads."""

    def __init__(self, documents: DocumentStore, sandbox: Sandbox) -> None:
        self._documents, self._sandbox = documents, sandbox
        self._papers: OrderedDict[str, Paper] = OrderedDict()
        self._pictures: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._words: OrderedDict[tuple[str, int], tuple[Token, ...]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._drawing = tuple(threading.Lock() for _ in range(DRAWN_AT_ONCE))

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
            paper = Paper(self._sandbox.open(data, "document").sizes)
        except DocumentError as error:
            paper = Paper(problem=str(error))
        with self._lock:
            self._papers[sha256] = paper
            while len(self._papers) > KEPT_DOCUMENTS:
                self._papers.popitem(last=False)
        return paper

    def words(self, sha256: str, number: int) -> tuple[Token, ...] | None:
        """The words of page `number` (from 1) with their places; None when there is no such page. Raises DocumentError."""
        key = (sha256, number)
        with self._lock:
            if key in self._words:
                self._words.move_to_end(key)
                return self._words[key]
        data = self._documents.get(sha256)
        found = self._sandbox.words(data, number) if data else None
        if found is None:
            return None
        with self._lock:
            self._words[key] = found
            while len(self._words) > KEPT_DOCUMENTS:
                self._words.popitem(last=False)
        return found

    def picture(self, sha256: str, number: int) -> bytes | None:
        """Page `number` (from 1) as WebP; None when there is no such page. Raises DocumentError."""
        key = (sha256, number)
        # Who asks for a page that is being drawn waits for it: a page is drawn once.
        with self._drawing[hash(key) % len(self._drawing)]:
            return self._kept(key) or self._drawn(key)

    def _kept(self, key: tuple[str, int]) -> bytes | None:
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
            return self._pictures.get(key)

    def _drawn(self, key: tuple[str, int]) -> bytes | None:
        sha256, number = key
        data = self._documents.get(sha256)
        picture = self._sandbox.picture(data, number, LONG_SIDE, LARGEST) if data else None
        if picture is None:
            return None
        with self._lock:
            self._bytes += len(picture) - len(self._pictures.get(key, b""))
            self._pictures[key] = picture
            while self._bytes > KEPT_BYTES:
                self._bytes -= len(self._pictures.popitem(last=False)[1])
        return picture
