"""Pages typed as text, each word with the box that its place in the text gives it, and what the layout reader reads."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from inference.document import Document, Origin
from inference.invoice import Box, Reading
from inference.page import Token
from inference.readers import Recipient
from inference.readers.layout import LayoutReader

READER = LayoutReader()


@dataclass(frozen=True)
class TypedPage:
    """A page typed on a grid of 100 columns: words stand where they stand in the text."""

    text: str
    number: int = 1
    width: float = 600.0
    height: float = 840.0
    ocr: bool = False

    @property
    def tokens(self) -> list[Token]:
        words: list[Token] = []
        for line, row in enumerate(self.text.splitlines()):
            start = 0
            for word in row.split(" "):
                if word:
                    y = 0.05 + line * 0.016
                    words.append(Token(word, Box(start / 100, y, (start + len(word)) / 100, y + 0.012)))
                start += len(word) + 1
        return words

    def image(self, dpi: int = 200) -> Image.Image:  # noqa: ARG002
        raise AssertionError("the reader asked for a picture of a page with words")


@dataclass(frozen=True)
class Photo:
    """A page of which OCR has read the words."""

    text: str
    tokens: list[Token]
    width: float
    height: float
    number: int = 1
    ocr: bool = True

    def image(self, dpi: int = 200) -> Image.Image:  # noqa: ARG002
        raise AssertionError("the reader asked for a picture of a page with words")


def read(*pages: str, recipient: Recipient | None = None) -> Reading:
    typed = tuple(TypedPage(text, number) for number, text in enumerate(pages, 1))
    return READER.read(Document("typed", "0" * 64, "application/pdf", Origin.BORN_DIGITAL, typed), recipient)


def askew(text: str, slope: float) -> Document:
    """A page typed as text and photographed askew: words at the right stand higher by so much of the way to them."""
    page = TypedPage(text, width=500.0, ocr=True)
    rise = slope * page.width / page.height
    tokens = [
        Token(t.text, Box(t.box.x0, t.box.y0 - rise * t.box.x0, t.box.x1, t.box.y1 - rise * t.box.x0), 0.99)
        for t in page.tokens
    ]
    return Document(
        "photo", "0" * 64, "image/jpeg", Origin.BORN_DIGITAL, (Photo(text, tokens, page.width, page.height),)
    )
