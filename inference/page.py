"""Pages, their words with boxes, embedded files, and what a document may ask of us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from inference.invoice import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image


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
    seconds: float = 180.0
    """Of wall time from the bytes to the Reading; kept where the document is read in a process of its own."""
    memory_megabytes: int = 2000
    """In memory of that process, of which recognition takes about 800; and 2,000 more of address space."""

    @property
    def too_much_memory(self) -> str:
        """What is said of a document that takes more."""
        return (
            f"The document needs more than {self.memory_megabytes} MB of memory."
            " Send it smaller, or raise the limit of memory."
        )


class Words(Protocol):
    """A page as far as its words go."""

    @property
    def number(self) -> int:
        """Counts from 1."""
        ...

    @property
    def tokens(self) -> Sequence[Token]:
        """The words in reading order, from the text layer where it is usable, else by OCR (on first use)."""
        ...


class Page(Words, Protocol):
    """One page, made upright where it lies on its side; a page that needs OCR is read once to find out."""

    @property
    def width(self) -> float:
        """In points (1/72 inch)."""
        ...

    @property
    def height(self) -> float:
        """In points (1/72 inch)."""
        ...

    @property
    def ocr(self) -> bool:
        """Whether `tokens` came from OCR."""
        ...

    def image(self, dpi: int = 200) -> Image:
        """The page rendered upright in RGB."""
        ...
