"""OFD, the Chinese fixed-layout format (GB/T 33190-2016) in which electronic fapiao come: a zip of XML pages in
millimetres. Words with boxes come from its text objects; the issuer's own data from its attachments."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from inference.errors import DamagedDocument, OversizedDocument
from inference.ofd_ink import HEAD, Ink, Resources, covers, has_clear_parts, text_ink
from inference.ofd_marks import marks
from inference.page import Attached, Limits, Token
from inference.words import Character, clean, words
from inference.xml import Node, parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL import ImageFont
    from PIL.Image import Image

POINTS_PER_MM = 72 / 25.4
MOST_FILES = 2000
MOST_BYTES = 20_000_000
# Ascent and descent of a font in em, where OFD gives only the baseline.
ASCENT, DESCENT = 0.86, 0.14
_IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Glyph(NamedTuple):
    """A character as placed: its origin on the baseline, its advance and the font size, in millimetres."""

    text: str
    x: float
    y: float
    advance: float
    size: float


class Drawn(NamedTuple):
    """One object as it is drawn: a text, or the lines of a path or frame of a picture, in millimetres. Lines are
    `breadth` wide, or enclose what is filled where they have none."""

    ink: Ink
    glyphs: Sequence[Glyph] = ()
    lines: Sequence[Sequence[tuple[float, float]]] = ()
    breadth: float = 0.0


class OfdPage:
    """One page of an OFD file. Its picture shows text in the colour that it has, lines, and what covers the text: not
    seals, and not letters in fonts that the file brings along, whose looks the words do not tell."""

    ocr = False

    def __init__(
        self, number: int, layers: Sequence[Node], size_mm: tuple[float, float], resources: Resources
    ) -> None:
        self.number = number
        self.width, self.height = (side * POINTS_PER_MM for side in size_mm)
        # Read at once, so that a bad number is found while the document is opened.
        self._glyphs = [_glyphs(text) for layer in layers for text in layer.descendants("TextObject")]
        self._drawn = [drawn for root in layers for drawn in _drawn(root, resources)]

    @property
    def tokens(self) -> Sequence[Token]:
        """The words in reading order."""
        return self._tokens

    @cached_property
    def _tokens(self) -> list[Token]:
        return words(self._characters(), self.width, self.height)

    def _characters(self) -> Iterator[Character]:
        for run in self._glyphs:
            for x, y, advance, size, text in ((g.x, g.y, g.advance, g.size, clean(g.text)) for g in run):
                box = (x, y - ASCENT * size, x + advance, y + DESCENT * size)
                left, top, right, bottom = (side * POINTS_PER_MM for side in box)
                yield Character(text or " ", (left, top, right, bottom))
            yield Character(" ", (0, 0, 0, 0))

    def image(self, dpi: int = 200) -> Image:
        """The page in RGB at `dpi`, drawn with the fonts of this machine."""
        from PIL import Image, ImageDraw

        scale = dpi / 25.4
        picture = Image.new("RGB", (round(self.width / 72 * dpi), round(self.height / 72 * dpi)), "white")
        draw = ImageDraw.Draw(picture)
        for ink, glyphs, lines, breadth in self._drawn:
            for line in lines:
                points = [(x * scale, y * scale) for x, y in line]
                if breadth:
                    draw.line(points, fill=ink.on_paper, width=max(1, round(breadth * scale)))
                elif len(points) > 2:
                    draw.polygon(points, fill=ink.on_paper)
            for glyph in glyphs:
                if glyph.text.strip():
                    draw.text(
                        (glyph.x * scale, glyph.y * scale),
                        glyph.text,
                        fill=ink.on_paper,
                        font=_font(max(1, round(glyph.size * scale))),
                        anchor="ls",
                    )
        return picture


def open_ofd(data: bytes, limits: Limits) -> tuple[list[OfdPage], tuple[Attached, ...]]:
    """The pages and attached files. Raises DamagedDocument or OversizedDocument."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(_Package(archive), limits)
    except DamagedDocument:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        ValueError,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise DamagedDocument(
            f"The OFD file is damaged or incomplete ({error}). Ask the sender for it again."
        ) from error


class _Package:
    """The zip file, read under a limit of files and of unpacked bytes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        if len(archive.namelist()) > MOST_FILES:
            raise OversizedDocument(f"The OFD file holds more than {MOST_FILES} files, which no bill does.")
        self._archive = archive
        self._left = MOST_BYTES

    def read(self, path: str) -> bytes:
        """The bytes of one file. Raises KeyError where it is missing."""
        with self._archive.open(path.lstrip("/")) as file:
            content = file.read(self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise OversizedDocument(f"The OFD file unpacks to more than {MOST_BYTES / 1e6:.0f} MB.")
        return content

    def start(self, path: str) -> bytes:
        """The first bytes of one file, enough to tell what it is. Raises KeyError where it is missing."""
        with self._archive.open(path.lstrip("/")) as file:
            return file.read(HEAD)

    def xml(self, path: str) -> Node:
        """The root of one file."""
        return parse_xml(self.read(path))


def _read(package: _Package, limits: Limits) -> tuple[list[OfdPage], tuple[Attached, ...]]:
    head = package.xml("OFD.xml")
    root = head.first("DocBody/DocRoot")
    if root is None:
        raise DamagedDocument("The OFD file names no document. Ask the sender for it again.")
    document, folder = package.xml(root.text), posixpath.dirname(root.text)
    nodes = document.all("Pages/Page")
    if not nodes:
        raise DamagedDocument("The OFD file has no pages. Ask the sender for it again.")
    if len(nodes) > limits.pages:
        raise OversizedDocument(
            f"The OFD file has {len(nodes)} pages, more than the limit of {limits.pages}. Split it, or raise the limit."
        )
    templates = {
        node.attribute("ID"): package.xml(_beside(folder, node.attribute("BaseLoc")))
        for node in document.all("CommonData/TemplatePage")
    }
    resources = _resources(package, document, folder)
    pages: list[OfdPage] = []
    drawn: list[Node] = []
    for number, node in enumerate(nodes, 1):
        content = package.xml(_beside(folder, node.attribute("BaseLoc")))
        used = [
            (templates[one.attribute("TemplateID")], one.attribute("ZOrder") == "Foreground")
            for one in content.all("Template")
            if one.attribute("TemplateID") in templates
        ]
        below, above = ([layer for layer, front in used if front is so] for so in (False, True))
        layers = [*below, content, *above]
        drawn += layers
        pages.append(OfdPage(number, layers, _page_size([content, *layers], document), resources))
    own = marks(head, document, folder, drawn, package.xml)
    return pages, (*_attachments(package, document, folder), *((own,) if own else ()))


def _resources(package: _Package, document: Node, folder: str) -> Resources:
    """What pages refer to; what is listed and missing is not there for them either."""
    roots: list[Node] = []
    clear: list[str] = []
    for listed in document.all("CommonData/PublicRes|DocumentRes"):
        path = _beside(folder, listed.text)
        try:
            root = package.xml(path)
        except KeyError:
            continue
        roots.append(root)
        base = _beside(posixpath.dirname(path), root.attribute("BaseLoc"))
        for medium in root.descendants("MultiMedia"):
            named = medium.first("MediaFile")
            try:
                if named and has_clear_parts(package.start(_beside(base, named.text))):
                    clear.append(medium.attribute("ID"))
            except KeyError:
                continue
    return Resources.of(roots, clear)


def _beside(folder: str, path: str) -> str:
    return posixpath.normpath(path.lstrip("/") if path.startswith("/") else posixpath.join(folder, path))


def _page_size(pages: Sequence[Node], document: Node) -> tuple[float, float]:
    """In millimetres: of the page itself, its template, or the document."""
    areas = [page.first("Area/PhysicalBox") for page in pages] + [
        document.first("CommonData/PageArea/PhysicalBox")
    ]
    for area in areas:
        if area is not None:
            _, _, width, height = _numbers(area.text)
            if 10 <= width <= 3000 and 10 <= height <= 3000:
                return width, height
    raise DamagedDocument("The OFD file gives no page size. Ask the sender for it again.")


def _attachments(package: _Package, document: Node, folder: str) -> Iterator[Attached]:
    listed = document.first("Attachments")
    if listed is None:
        return
    path = _beside(folder, listed.text)
    for node in package.xml(path).all("Attachment/FileLoc"):
        name = _beside(posixpath.dirname(path), node.text)
        yield Attached(posixpath.basename(name), package.read(name))


def _glyphs(node: Node) -> list[Glyph]:
    """The characters of a text object (GB/T 33190 clause 11): its boundary's corner plus its matrix's image."""
    left, top, *_ = _numbers(node.attribute("Boundary"))
    a, b, c, d, e, f = _numbers(node.attribute("CTM")) if node.attribute("CTM") else _IDENTITY
    size = _number(node.attribute("Size")) * abs(d or a)
    glyphs: list[Glyph] = []
    for code in node.all("TextCode"):
        text = code.text
        x, y = _number(code.attribute("X")), _number(code.attribute("Y"))
        right, down = (
            _deltas(code.attribute("DeltaX"), len(text)),
            _deltas(code.attribute("DeltaY"), len(text)),
        )
        for index, char in enumerate(text):
            usual = size * (0.5 if ord(char) < 0x2E80 else 1.0)
            step = right[index] * abs(a) if index < len(right) and right[index] > 0 else usual
            glyphs.append(
                Glyph(char, left + a * x + c * y + e, top + b * x + d * y + f, min(step, 1.2 * usual), size)
            )
            x += right[index] if index < len(right) else (0.0 if down else usual)
            y += down[index] if index < len(down) else 0.0
    return glyphs


def _drawn(root: Node, resources: Resources) -> Iterator[Drawn]:
    """The objects of a page or template that can be seen, the lowest first."""
    order = {"Background": 0, "Foreground": 2}
    for layer in sorted(root.descendants("Layer"), key=lambda one: order.get(one.attribute("Type"), 1)):
        for node in layer.descendants("*"):
            if node.name == "TextObject":
                if ink := text_ink(node, layer, resources):
                    yield Drawn(ink, _glyphs(node))
            elif node.name == "PathObject":
                lines = list(_strokes(node))
                if ink := covers(node, layer, resources):
                    yield Drawn(ink, (), lines)
                if node.attribute("Stroke").lower() != "false" and (
                    ink := resources.ink(node, layer, "StrokeColor")
                ):
                    yield Drawn(ink, (), lines, _breadth(node, layer, resources))
            elif node.name == "ImageObject" and (ink := covers(node, layer, resources)):
                x, y, width, height, *_ = _numbers(node.attribute("Boundary"))
                frame = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
                yield Drawn(ink, (), [frame])


def _breadth(node: Node, layer: Node, resources: Resources) -> float:
    a, *_, d, _, _ = _numbers(node.attribute("CTM")) if node.attribute("CTM") else _IDENTITY
    return max(0.01, resources.breadth(node, layer) * max(abs(a), abs(d)))


def _deltas(text: str, most: int) -> list[float]:
    """Advances between characters: `g 3 1.5` stands for three times 1.5."""
    parts, found = text.split(), list[float]()
    while parts and len(found) < most:
        part = parts.pop(0)
        if part == "g" and len(parts) >= 2:
            found.extend([_number(parts[1])] * min(int(parts[0]), most))
            del parts[:2]
        else:
            found.append(_number(part))
    return found


def _strokes(node: Node) -> Iterator[list[tuple[float, float]]]:
    """The lines of a path object in millimetres, curves as the chord to their end."""
    left, top, *_ = _numbers(node.attribute("Boundary"))
    a, b, c, d, e, f = _numbers(node.attribute("CTM")) if node.attribute("CTM") else _IDENTITY
    data = node.first("AbbreviatedData")
    line: list[tuple[float, float]] = []
    points: list[float] = []
    for part in [*(data.text.split() if data else []), "M"]:
        if not part.isalpha():
            points.append(_number(part))
            continue
        if len(points) >= 2:
            x, y = points[-2:]
            line.append((left + a * x + c * y + e, top + b * x + d * y + f))
        points.clear()
        if part in "MS" and len(line) > 1:
            yield line
        if part in "MS":
            line = []


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(_number(part) for part in text.split())


def _number(text: str) -> float:
    """A length in millimetres or a factor. Raises ValueError for what no page has."""
    number = float(text or 0)
    if not -1e5 < number < 1e5:
        raise ValueError(f"{text} is beyond any page")
    return number


@lru_cache(64)
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font with Chinese characters where the machine has one, else Pillow's own."""
    from PIL import ImageFont as Fonts

    for name in ("NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "wqy-zenhei.ttc", "msyh.ttc", "simsun.ttc"):
        try:
            return Fonts.truetype(name, pixels)
        except OSError:
            continue
    return Fonts.load_default(pixels)
