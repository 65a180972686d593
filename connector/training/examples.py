"""One approved document as examples: a page's picture, our words, and the answer that was right.

Picture, words and answer have the form in which the vision Reader asks (`inference.readers.vlm`), so that a model can be
fine-tuned on them as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector.training.redaction import TERMS, secret_boxes, without_secrets
from inference.invoice import Box, Reading
from inference.readers.vlm.prompt import harmless, language_of, prompt
from inference.readers.vlm.schema import DOCUMENT_TYPE, HEADER_KEYS, LINE_KEYS, VAT_KEYS, Part
from inference.textrow import text_rows
from inference.vllm.images import PageImage

if TYPE_CHECKING:
    from connector.ledger.approved import Approved, Place
    from inference.invoice import Row
    from inference.isolation import PageView, Sandbox
    from inference.vllm.profile import Profile


@dataclass(frozen=True, slots=True)
class Example:
    """A page: its number, its picture as PNG, what is asked, and the answer."""

    page: int
    image: PageImage
    question: str
    answer: str


def examples(
    kept: Approved, data: bytes, sandbox: Sandbox, profile: Profile, *, redact: bool
) -> list[Example]:
    """The examples of a document: one for each page that proves a value. Raises DocumentError.

    Of a Term that people put right, the words in the box that they found it in count.
    """
    reading = Reading.from_json(kept.body)
    places = {term: place for term, place in kept.corrected.items() if place is not None}
    pages = _proved_pages(reading) | {page for page, _ in places.values()}
    view = sandbox.view(data, kept.name, None, profile.image, lambda _reading, _pages: ())
    language = language_of(row.text for page in view.pages for row in text_rows(page))
    question, made = prompt(Part.ALL, language), list[Example]()
    for page in view.pages:
        if page.number in pages:
            covered = [*secret_boxes(page), *_secret_places(reading, places, page.number)] if redact else []
            image = PageImage(sandbox.whole(data, kept.name, page.number, profile.image, covered))
            answer = _answer(reading, page, places, redact=redact)
            text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
            made.append(Example(page.number, image, question, text))
    return made


def can_tell(kept: Approved) -> bool:
    """Whether it is known what the pages print for all that people put right."""
    return all(place is not None and term in HEADER_KEYS.values() for term, place in kept.corrected.items())


def _proved_pages(reading: Reading) -> frozenset[int]:
    rows = (reading.fields, *reading.lines, *reading.vat_breakdown)
    return frozenset(
        one.page for row in rows for field in row.values() for one in field.evidence if one.page is not None
    )


def _secret_places(reading: Reading, corrected: Mapping[str, Place], page: int) -> Iterator[Box]:
    for term in TERMS:
        if term in corrected and corrected[term][0] == page:
            yield Box(*corrected[term][1])
        field = reading.get(term)
        for one in field.evidence if field else ():
            if one.page == page and one.box is not None:
                yield Box(*one.box)


def _answer(
    reading: Reading, page: PageView, corrected: Mapping[str, Place], *, redact: bool
) -> dict[str, Any]:
    """As `answer_schema(Part.ALL)` has it: what this page prints, as printed."""
    header = _printed(reading.fields, page.number)
    for term, (number, box) in corrected.items():
        header[term] = _words_in(page, Box(*box)) if number == page.number else ""
    if DOCUMENT_TYPE in reading.fields:
        header[DOCUMENT_TYPE] = reading.text(DOCUMENT_TYPE) or ""
    node: dict[str, Any] = _keyed(header, HEADER_KEYS, redact=redact)
    for name, rows, keys in (("taxes", reading.vat_breakdown, VAT_KEYS), ("lines", reading.lines, LINE_KEYS)):
        printed = [_printed(row, page.number) for row in rows]
        node[name] = [_keyed(row, keys, redact=redact) for row in printed if row]
    return node


def _words_in(page: PageView, box: Box) -> str:
    """The words whose middle is in a box."""
    inside = [
        token.text
        for token in page.tokens
        if box.x0 <= (token.box.x0 + token.box.x1) / 2 <= box.x1
        and box.y0 <= (token.box.y0 + token.box.y1) / 2 <= box.y1
    ]
    return harmless(" ".join(inside))


def _printed(row: Row, page: int) -> dict[str, str]:
    """By Term the words of a page that prove a value."""
    found: dict[str, str] = {}
    for term, field in row.items():
        words = [one.text for one in field.evidence if one.page == page and one.text]
        if words:
            found[term] = harmless(words[0])
    return found


def _keyed(texts: Mapping[str, str], keys: Mapping[str, str], *, redact: bool) -> dict[str, str]:
    said = without_secrets(texts) if redact else texts
    return {key: said.get(term, "") for key, term in keys.items()}
