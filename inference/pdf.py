"""PDF files by PDFium (text layer, rendering) and qpdf (embedded files).

PDFium is not thread-safe, and its wrapper frees objects whenever Python collects them; so every visit takes the one
lock, opens the file, and leaves nothing of PDFium behind.
"""

from __future__ import annotations

import ctypes
import math
import re
import threading
from contextlib import contextmanager
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from inference.errors import DamagedDocument, EncryptedDocument, OversizedDocument
from inference.invoice import Box
from inference.page import Attached, Limits, Token
from inference.upright import Turn, turned_box
from inference.words import Character, clean, merged, reading_direction, words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from PIL.Image import Image

    from inference.ocr import Recognised

pdfium: Any = import_module("pypdfium2")  # it has no types
pdfium_c: Any = pdfium.raw

_LOCK = threading.Lock()
POINTS_PER_INCH = 72
OCR_DPI = 200
# Fewer words than this, and the page is looked at again by OCR where pictures or outlines may hold more.
FEW_WORDS = 10
# The share of a page under pictures from which words are looked for on them: where the text layer has few words at
# all, and where it has enough, but not so many for a whole page on the pictures.
LEAST_PICTURED, MOSTLY_PICTURED = 0.05, 0.3
FEW_WORDS_ON_PICTURES = 40
# Lines and curves from which a drawing may be letters drawn as outlines; a ruled table stays under 500.
OUTLINES = 600
# Cells across and down in which the cover of pictures is counted.
CELLS = 32
# Forms within forms that are looked into.
DEPTH = 3
# Quarter turns off level or upright (18 degrees) beyond which text is no part of the lines of a page.
MOST_SLANT = 0.2
# A dense A4 page has 10,000.
MOST_CHARACTERS = 100_000
# The least share of letters and digits in a text layer that can be believed; dot leaders and rules use up the rest.
LEAST_READABLE = 0.5


class TextLayer(NamedTuple):
    """The words a PDF page carries, the turn that makes them upright, and what tells whether they are all one sees."""

    tokens: list[Token]
    turn: Turn
    readable: float
    """The share of letters and digits among the characters."""
    pictured: float
    """The share of the page under pictures."""
    on_pictures: int
    """How many of the words stand on pictures."""
    outlined: bool
    """Whether there is enough drawn for letters drawn as outlines."""

    @property
    def whole(self) -> bool:
        """Whether it can be believed to have the words that one sees."""
        if self.readable < LEAST_READABLE:
            return False
        if len(self.tokens) < FEW_WORDS:
            return self.pictured < LEAST_PICTURED and not self.outlined
        return self.pictured < MOSTLY_PICTURED or self.on_pictures >= FEW_WORDS_ON_PICTURES * self.pictured


class Drawn:
    """The page of a document that was drawn last: what is recognised is looked at for codes next."""

    def __init__(self) -> None:
        self._last: tuple[int, int, Image] | None = None

    def get(self, number: int, dpi: int, draw: Callable[[], Image]) -> Image:
        """Page `number` at `dpi`, by `draw` where it was not the last one; not to be changed."""
        if self._last is None or self._last[:2] != (number, dpi):
            self._last = None  # before there are two of them
            self._last = number, dpi, draw()
        return self._last[2]


class PdfPage:
    """One page of a PDF, after /Rotate and the crop box."""

    def __init__(
        self, data: bytes, number: int, size: tuple[float, float], limits: Limits, drawn: Drawn
    ) -> None:
        self.number = number
        self._drawn = drawn
        self._data = data
        self._size = size
        self._limits = limits

    @cached_property
    def _text_layer(self) -> TextLayer:
        with _page(self._data, self.number) as page:
            return _read_text_layer(page, *self._size)

    @cached_property
    def _recognised(self) -> Recognised:
        from inference.ocr import recognise

        return recognise(self._raster(OCR_DPI))

    @property
    def _turn(self) -> Turn:
        return self._recognised.turn if self.ocr else self._text_layer.turn

    @property
    def width(self) -> float:
        """In points, upright."""
        return self._turn.size(*self._size)[0]

    @property
    def height(self) -> float:
        """In points, upright."""
        return self._turn.size(*self._size)[1]

    @property
    def ocr(self) -> bool:
        """Whether the text layer is missing, unreadable, or too thin for the pictures on the page."""
        return not self._text_layer.whole

    @property
    def tokens(self) -> Sequence[Token]:
        """The words in reading order; those of the text layer, where it is readable, before those by OCR."""
        return self._seen if self.ocr else self._text_layer.tokens

    @cached_property
    def _seen(self) -> Sequence[Token]:
        layer, (recognised, turn) = self._text_layer, self._recognised
        if not layer.tokens or layer.readable < LEAST_READABLE or layer.turn.quarters != turn.quarters:
            return recognised
        return merged(_levelled(layer.tokens, turn, self._size), recognised)

    def image(self, dpi: int = OCR_DPI) -> Image:
        """The page upright in RGB at `dpi`, or at fewer where it would go beyond the limit of megapixels."""
        return self._turn.image(self._raster(dpi))

    def _raster(self, dpi: int) -> Image:
        return self._drawn.get(self.number, dpi, partial(self._render, dpi))

    def _render(self, dpi: int) -> Image:
        with _page(self._data, self.number) as page:
            width, height = page.get_size()
            most = self._limits.megapixels * 1e6
            scale = min(
                dpi / POINTS_PER_INCH,
                math.sqrt(most / (width * height)),
                4 * math.sqrt(most) / max(width, height),
            )
            bitmap = page.render(scale=scale, rev_byteorder=True)
            try:
                return bitmap.to_pil().convert("RGB").copy()
            finally:
                bitmap.close()


def open_pdf(data: bytes, limits: Limits) -> tuple[list[PdfPage], tuple[Attached, ...]]:
    """The pages and the embedded files. Raises DocumentError by cause."""
    _require_whole(data)
    with _LOCK, _document(data) as document:
        count = len(document)
        if count == 0:
            raise DamagedDocument("The PDF has no pages. Ask the sender for it again.")
        if count > limits.pages:
            raise OversizedDocument(
                f"The PDF has {count} pages, more than the limit of {limits.pages}. Split it, or raise the limit."
            )
        sizes = [_page_size(document, index) for index in range(count)]
        attachments = document.count_attachments()
    drawn = Drawn()
    pages = [PdfPage(data, number, size, limits, drawn) for number, size in enumerate(sizes, 1)]
    if attachments == 0:
        return pages, ()
    from inference.embedded import embedded_files

    return pages, embedded_files(data)


def _require_whole(data: bytes) -> None:
    """A file that breaks off is refused even where PDFium can mend it: a missing last page is a wrong bill."""
    linear = re.search(rb"/Linearized\s[^>]{0,200}?/L\s+(\d{1,12})", data[:2048])
    if b"startxref" not in data or (linear and int(linear[1]) > len(data)):
        raise DamagedDocument("The PDF breaks off before its end. Ask the sender for it again.")


@contextmanager
def _document(data: bytes) -> Generator[Any]:
    handle = pdfium_c.FPDF_LoadMemDocument64(data, len(data), None)
    if not handle:
        if pdfium_c.FPDF_GetLastError() == pdfium_c.FPDF_ERR_PASSWORD:
            raise EncryptedDocument("The PDF is locked with a password. Ask the sender for an unlocked copy.")
        raise DamagedDocument("The PDF is damaged and cannot be opened. Ask the sender for it again.")
    document = pdfium.PdfDocument(handle)
    try:
        yield document
    finally:
        document.close()


@contextmanager
def _page(data: bytes, number: int) -> Generator[Any]:
    with _LOCK, _document(data) as document:
        try:
            page = document[number - 1]
            # What was filled into a form or stamped onto the page belongs to it.
            if pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY) == pdfium_c.FLATTEN_SUCCESS:
                page.close()
                page = document[number - 1]
            yield page
        except pdfium.PdfiumError as error:
            raise DamagedDocument(
                f"Page {number} of the PDF is damaged. Ask the sender for it again."
            ) from error


def _page_size(document: Any, index: int) -> tuple[float, float]:
    try:
        width, height = document.get_page_size(index)
    except pdfium.PdfiumError as error:
        raise DamagedDocument(
            f"Page {index + 1} of the PDF is damaged. Ask the sender for it again."
        ) from error
    if not (1 <= width <= 1e5 and 1 <= height <= 1e5):
        raise DamagedDocument(f"Page {index + 1} of the PDF has no usable size. Ask the sender for it again.")
    return width, height


def _read_text_layer(page: Any, width: float, height: float) -> TextLayer:
    text_page = page.get_textpage()
    to_page = _Mapping(page, width, height)
    visible = readable = 0
    characters: list[Character] = []
    count = text_page.count_chars()
    if count > MOST_CHARACTERS:
        raise OversizedDocument(
            f"A page has {count} characters, which no bill has. Send its pages as pictures."
        )
    for index in range(count):
        character = _character(text_page, index, to_page)
        if character is None:
            continue
        if character.text.strip():
            visible += 1
            readable += character.text.isalnum()
        plain = clean(character.text)
        if plain or not character.text:
            characters.append(character._replace(text=plain))
    # A sheet filled sideways is read sideways: the page is turned, not each word.
    across = reading_direction(characters)
    turn = Turn(-across % 4)
    upright = [
        character._replace(
            box=turned_box(character.box, turn.quarters, width, height),
            direction=(character.direction - across) % 4,
        )
        for character in characters
    ]
    found = words(upright, *turn.size(width, height))
    covered = _covered(
        [turned_box(to_page.box(*bounds), turn.quarters, width, height) for bounds in _pictures(page)],
        *turn.size(width, height),
    )
    return TextLayer(
        found,
        turn,
        readable / visible if visible else 1.0,
        len(covered) / CELLS**2,
        sum(_cell(token.box) in covered for token in found),
        len(found) < FEW_WORDS and _outlined(page),
    )


def _pictures(page: Any) -> Generator[tuple[float, float, float, float]]:
    """Left, bottom, right and top in user space of every picture on the page."""
    for found in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=DEPTH):
        bounds, form = found.get_bounds(), found.container
        while form is not None:
            bounds, form = form.get_matrix().on_rect(*bounds), form.container
        yield bounds


def _covered(
    boxes: Iterable[tuple[float, float, float, float]], width: float, height: float
) -> set[tuple[int, int]]:
    """The cells of the page whose middle is within a box (points)."""
    return {
        (column, row)
        for x0, y0, x1, y1 in boxes
        for column in range(max(0, round(x0 / width * CELLS)), min(CELLS, round(x1 / width * CELLS)))
        for row in range(max(0, round(y0 / height * CELLS)), min(CELLS, round(y1 / height * CELLS)))
    }


def _cell(box: Box) -> tuple[int, int]:
    return int((box.x0 + box.x1) / 2 * CELLS), int((box.y0 + box.y1) / 2 * CELLS)


def _outlined(page: Any) -> bool:
    """Whether as many lines and curves are drawn as a few words of outlines take."""
    segments = 0
    for found in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_PATH], max_depth=DEPTH):
        segments += max(0, pdfium_c.FPDFPath_CountSegments(found))
        if segments >= OUTLINES:
            return True
    return False


def _levelled(tokens: Sequence[Token], turn: Turn, size: tuple[float, float]) -> list[Token]:
    """Words of a page of `size` points where they stand once it is level; their boxes keep their size."""
    width, height = Turn(turn.quarters).size(*size)
    wide, high = turn.size(*size)
    found: list[Token] = []
    for token in tokens:
        x0, y0, x1, y1 = token.box
        x, y = turn.levelled((x0 + x1) / 2 * width, (y0 + y1) / 2 * height, width, height)
        dx, dy = (x1 - x0) / 2 * width, (y1 - y0) / 2 * height
        box = Box((x - dx) / wide, (y - dy) / high, (x + dx) / wide, (y + dy) / high)
        found.append(token._replace(box=box))
    return found


class _Mapping:
    """PDF user space to points on the page as shown: PDFium's own mapping, read off three corners."""

    def __init__(self, page: Any, width: float, height: float) -> None:
        # PDFium maps to whole device pixels: on a device this large that is exact enough.
        self._device = 1 << 20
        self._page = page
        origin, right, up = self._shown(0, 0), self._shown(1000, 0), self._shown(0, 1000)
        self.dx = origin[0] * width
        self.dy = origin[1] * height
        self.xx, self.xy = (right[0] - origin[0]) * width / 1000, (right[1] - origin[1]) * height / 1000
        self.yx, self.yy = (up[0] - origin[0]) * width / 1000, (up[1] - origin[1]) * height / 1000

    def _shown(self, x: float, y: float) -> tuple[float, float]:
        column, row = ctypes.c_int(), ctypes.c_int()
        pdfium_c.FPDF_PageToDevice(self._page, 0, 0, self._device, self._device, 0, x, y, column, row)
        return column.value / self._device, row.value / self._device

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1), origin top left."""
        ax, ay = self.xx * left + self.yx * bottom + self.dx, self.xy * left + self.yy * bottom + self.dy
        bx, by = self.xx * right + self.yx * top + self.dx, self.xy * right + self.yy * top + self.dy
        return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)

    def direction(self, angle: float) -> int | None:
        """The direction as shown, in quarter turns counter-clockwise, of text at `angle` (radians in user space);
        None for text on a slant."""
        cos, sin = math.cos(angle), math.sin(angle)
        shown = math.atan2(-(self.xy * cos + self.yy * sin), self.xx * cos + self.yx * sin) / (math.pi / 2)
        return round(shown) % 4 if abs(shown - round(shown)) < MOST_SLANT else None


def _character(text_page: Any, index: int, to_page: _Mapping) -> Character | None:
    """No text for what PDFium made up, as gaps are judged by our own rule; None for stamps and watermarks on a slant."""
    code = pdfium_c.FPDFText_GetUnicode(text_page, index)
    if pdfium_c.FPDFText_IsHyphen(text_page, index) == 1:
        code = ord("-")
    elif pdfium_c.FPDFText_IsGenerated(text_page, index) == 1:
        return Character("", (0, 0, 0, 0))
    char = chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else "\ufffd"
    if char.isspace():
        return Character(" ", (0, 0, 0, 0))
    # The cell (advance width, ascent to descent) shows gaps and lines best; a font without metrics has only ink.
    box = to_page.box(*text_page.get_charbox(index, loose=True))
    if box[2] <= box[0] or box[3] <= box[1]:
        box = to_page.box(*text_page.get_charbox(index))
    direction = to_page.direction(_angle(text_page, index))
    return None if direction is None else Character(char, box, direction)


def _angle(text_page: Any, index: int) -> float:
    """The direction of writing in radians; what PDFium cannot tell counts as left to right."""
    angle = pdfium_c.FPDFText_GetCharAngle(text_page, index)
    return -angle if angle >= 0 else 0.0
