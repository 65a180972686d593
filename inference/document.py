"""Documents: bytes opened into pages, words with boxes, and embedded data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from inference.invoice import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image


class Origin(StrEnum):
    """How a document came to be; the `kind` in the contract of `vouch read --json`."""

    BORN_DIGITAL = "born-digital"
    SCAN = "scan"
    IMAGE = "image"
    DATA = "data"


class Token(NamedTuple):
    """A word (or, without spaces, a run of characters) on a page. `score` is the OCR's own, 1.0 from a text layer."""

    text: str
    box: Box
    score: float = 1.0


class Attached(NamedTuple):
    """A file embedded in a PDF: its name and bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may ask of us before it is refused."""

    megabytes: float = 40.0
    pages: int = 50
    megapixels: float = 50.0


class Page(Protocol):
    """One page. `number` counts from 1; `width` and `height` are in points (1/72 inch)."""

    number: int
    width: float
    height: float

    @property
    def tokens(self) -> Sequence[Token]:
        """The words in reading order, from the text layer where it is usable, else by OCR (on first use)."""
        ...

    @property
    def ocr(self) -> bool:
        """Whether `tokens` came from OCR."""
        ...

    def image(self, dpi: int = 200) -> Image:
        """The page rendered upright in RGB."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """Opened bytes. `attached` holds the files embedded in a PDF, `sha256` the identity of the content."""

    name: str
    sha256: str
    mime: str
    origin: Origin
    pages: Sequence[Page]
    attached: tuple[Attached, ...] = ()
