"""Labelled documents to learn from: their words, their truth, and which belong to one vendor or template."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from PIL.Image import Image

from inference.document import Document, Origin, open_document
from inference.errors import DocumentError
from inference.evaluation.folder import Case, find_cases
from inference.evaluation.likeness import fold
from inference.evaluation.truth import read_truth
from inference.invoice import Box, DocumentType
from inference.page import Token

TWINS = 0.4
"""Documents that share this part of their wordings are of one template."""

COMPLETE = "complete"
"""The key of a truth that names every value of the page, so that an absent term is really absent."""

_NOT_ON_RECEIPTS = (
    "buyer_name",
    "buyer_vat_id",
    "due_date",
    "purchase_order_reference",
    "order_number",
    "order_date",
)


@dataclass(frozen=True)
class WordsPage:
    """A page of which only the words are kept."""

    number: int
    width: float
    height: float
    ocr: bool
    tokens: tuple[Token, ...]

    def image(self, dpi: int = 200) -> Image:
        """There is none: training reads words only."""
        raise NotImplementedError(f"page {self.number} was kept without its picture ({dpi} dpi)")


@dataclass(frozen=True)
class Example:
    """A document, the values it really bears (plain strings, by term), the terms it surely lacks.

    `weight` is what it counts for; a `made` document was generated and is not measured.
    """

    id: str
    set: str
    document: Document
    truth: Mapping[str, str]
    absent: frozenset[str]
    made: bool

    @property
    def weight(self) -> float:
        """Generated bills look alike, so each counts for less."""
        return 0.15 if self.made else 1.0


def load(folders: Sequence[Path], terms: Sequence[str], words: Path) -> list[Example]:
    """The labelled documents of the folders that bear a value of one of the terms, in order.

    A set is named with its folder ("scans/receipts"). The words of each document are read once and kept in the folder
    `words`.
    """
    found: list[Example] = []
    for folder in folders:
        for case in find_cases(folder):
            example = _example(case, f"{folder.name}/{case.set}", terms, words)
            if example is not None and example.truth:
                found.append(example)
    return found


def groups(examples: Sequence[Example]) -> list[int]:
    """A number per example; those of one seller or one template share it, so that no fold sees a twin."""
    parent = list(range(len(examples)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    wordings = [_wordings(example.document) for example in examples]
    sellers: dict[str, int] = {}
    for place, example in enumerate(examples):
        seller = fold(example.truth.get("seller_name", ""))[:10]
        if seller:
            parent[root(place)] = root(sellers.setdefault(seller, place))
        for other in range(place):
            both = wordings[place] | wordings[other]
            if both and len(wordings[place] & wordings[other]) > TWINS * len(both):
                parent[root(place)] = root(other)
    return [root(place) for place in range(len(examples))]


def _wordings(document: Document) -> frozenset[str]:
    """The words without digits that a page is printed with."""
    words = (fold(token.text) for page in document.pages for token in page.tokens)
    return frozenset(word for word in words if len(word) > 2 and word.isalpha())


def _example(case: Case, name: str, terms: Sequence[str], words: Path) -> Example | None:
    document = words_of(case.document.read_bytes(), case.document.name, words)
    if document is None or not document.pages:
        return None
    truth = read_truth(case.truth)
    node = cast("dict[str, Any]", json.loads(case.truth.read_text("utf-8")))
    made = bool(node.get(COMPLETE))
    values = {term: truth.fields[term] for term in terms if term in truth.fields}
    lacking = terms if made else _NOT_ON_RECEIPTS if truth.document_type is DocumentType.RECEIPT else ()
    return Example(case.id, name, document, values, frozenset(lacking) - values.keys(), made)


def words_of(data: bytes, name: str, words: Path) -> Document | None:
    """The document with its words only, kept in the folder `words`; None where it cannot be opened."""
    digest = hashlib.sha256(data).hexdigest()
    kept = words / f"{digest}.json"
    if not kept.exists():
        try:
            document = open_document(data, name)
            node = [
                {
                    "width": page.width,
                    "height": page.height,
                    "ocr": page.ocr,
                    "tokens": [[t.text, *t.box, t.score] for t in page.tokens],
                }
                for page in document.pages
            ]
        except DocumentError:
            return None
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(node), "utf-8")
    pages = tuple(_pages(json.loads(kept.read_text("utf-8"))))
    return Document(name, digest, "application/pdf", Origin.BORN_DIGITAL, pages)


def _pages(nodes: Sequence[Mapping[str, Any]]) -> Iterator[WordsPage]:
    for number, node in enumerate(nodes, 1):
        tokens = tuple(
            Token(text, Box(x0, y0, x1, y1), score) for text, x0, y0, x1, y1, score in node["tokens"]
        )
        yield WordsPage(number, node["width"], node["height"], node["ocr"], tokens)


def words_folder() -> Path:
    """Where words are kept when no folder is named: in the cache."""
    return Path(os.environ.get("VOUCH_CACHE") or Path.home() / ".cache" / "vouch") / "training" / "words"
