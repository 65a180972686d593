"""QR codes found on rendered pages (zxing-cpp)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inference.appearance import Appearance
from inference.invoice import Box, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import zxingcpp
    from PIL.Image import Image

    from inference.page import Page

FIRST_PAGES = 2
"""Codes stand on the first pages, or on the last one with its payment slip."""
MOST_CODES = 8
MOST_CHARACTERS = 8_000
"""More than a QR code can hold."""
_SHOWN = 300


class Code(NamedTuple):
    """The text of a code and where it stands."""

    text: str
    page: int
    box: Box

    @property
    def evidence(self) -> Evidence:
        """Its place, and the start of its text."""
        return Evidence(self.page, self.box, self.text[:_SHOWN])


def find_codes(pages: Sequence[Page], appearance: Appearance | None = None) -> list[Code]:
    """The QR codes on the first pages and the last one, in reading order; `appearance` has the pages drawn already."""
    appearance = appearance or Appearance()
    chosen = [page for i, page in enumerate(pages) if i < FIRST_PAGES or i == len(pages) - 1]
    found = [code for page in chosen for code in _codes_on(page, appearance.grey(page))]
    return found[:MOST_CODES]


def _codes_on(page: Page, grey: Image) -> Iterator[Code]:
    import zxingcpp

    found = zxingcpp.read_barcodes(
        grey,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        text_mode=zxingcpp.TextMode.Plain,
        try_invert=False,
    )
    for barcode in sorted(found, key=lambda one: (one.position.top_left.y, one.position.top_left.x)):
        if 0 < len(barcode.text) <= MOST_CHARACTERS:
            yield Code(barcode.text, page.number, _box(barcode.position, grey.width, grey.height))


def _box(position: zxingcpp.Position, width: int, height: int) -> Box:
    corners = (position.top_left, position.top_right, position.bottom_left, position.bottom_right)
    across, down = [corner.x / width for corner in corners], [corner.y / height for corner in corners]
    return Box(max(min(across), 0.0), max(min(down), 0.0), min(max(across), 1.0), min(max(down), 1.0))
