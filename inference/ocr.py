"""Words by OCR: PP-OCRv6 through RapidOCR on OpenVINO. The weights lie in the wheel; the network is never used.

The detector gives a quadrilateral per line; the recogniser (CTC) gives the column of each character along it, from
which each word gets its own box.
"""

from __future__ import annotations

import math
import statistics
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image

from inference.contrast import stretched
from inference.invoice import Box
from inference.ocr_models import engine, keep_small
from inference.page import Token
from inference.spacing import blank_shares, unread_spaces
from inference.upright import Turn, turned_image
from inference.words import clean, reading_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOCK = threading.Lock()
# Pixels to which an image is reduced: more cost time and find nothing more. A long receipt keeps its breadth.
LONGER_SIDE, SHORTER_SIDE = 2000, 800
# No page is longer than this many times its breadth, or has fewer pixels across.
MOST_ELONGATED, LEAST_SIDE = 12, 16
LEAST_SCORE = 0.5
# A page that reads worse than this may be upside down; so many of its lines are read both ways to find out.
DOUBTFUL_SCORE = 0.85
PROBED_LINES = 6
# Pixels of height of the strips that the recogniser reads (fixed by the model), and the steps of their width.
STRIP_HEIGHT, STRIP_STEP, STRIPS_AT_ONCE = 48, 32, 4
# Degrees off level or upright beyond which a line is no part of the page's lines.
MOST_SLANT = 18.0
# Tilt in degrees below which lines are straight enough, and above which the estimate is not a tilt.
LEAST_TILT, MOST_TILT = 0.3, 20.0

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]
"""A quadrilateral in pixels, from the upper left clockwise."""


class Area(NamedTuple):
    """Where the detector sees a line, and that line cut out and straightened (BGR)."""

    corners: Corners
    pixels: Any


class Line(NamedTuple):
    """A line as recognised: its corners, its text, the column (in fractions of its length) of each character, the
    recogniser's score 0–1, and the blank between each two characters as a share of the line's height."""

    corners: Corners
    text: str
    columns: tuple[float, ...]
    score: float
    blanks: tuple[float, ...]


class Recognised(NamedTuple):
    """What OCR found: the words, with boxes on the page as `turn` leaves it."""

    tokens: list[Token]
    turn: Turn


def recognise(image: Image.Image) -> Recognised:
    """The words on an RGB image of any size, in reading order. Needs about one second a page on two cores."""
    if max(image.size) > MOST_ELONGATED * min(image.size) or min(image.size) < LEAST_SIDE:
        return Recognised([], Turn())  # a rule or a speck; the detector would blow it up beyond measure
    scale = max(LONGER_SIDE / max(image.size), SHORTER_SIDE / min(image.size))
    if scale < 1.0:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    image = stretched(image)
    with _LOCK:
        quarters, lines = _upright_lines(image)
        keep_small()
    tilt = _tilt(lines)
    return Recognised(_tokens(lines, turned_image(image, quarters).size, tilt), Turn(quarters, tilt))


def read_strips(images: Sequence[Image.Image]) -> list[str]:
    """What each RGB image of one upright line says; nothing where it cannot be read."""
    import numpy

    nowhere = (0.0, 0.0)
    corners = (nowhere, nowhere, nowhere, nowhere)
    areas = [Area(corners, numpy.ascontiguousarray(numpy.asarray(image)[:, :, ::-1])) for image in images]
    with _LOCK:
        lines = _read(areas)
        keep_small()
    return [line.text if line.score >= LEAST_SCORE else "" for line in lines]


def _upright_lines(image: Image.Image) -> tuple[int, list[Line]]:
    """The lines, and how many quarter turns counter-clockwise make them stand upright.

    An upright page costs nothing more: only lines that run down the page, or that read badly, are tried otherwise.
    """
    quarters = 0
    areas = _detect(image)
    if _run_down(areas):
        quarters = 1
        areas = _detect(turned_image(image, 1))
    lines = _read(areas)
    if _mean_score(lines) < DOUBTFUL_SCORE and _better_upside_down(areas):
        quarters += 2
        lines = _read(_detect(turned_image(image, quarters)))
    return quarters, [line for line in lines if line.score >= LEAST_SCORE and line.text.strip()]


def _run_down(areas: Sequence[Area]) -> bool:
    """Whether more text runs down the page than across it."""
    across = down = 0.0
    for (upper_left, upper_right, _, lower_left), _ in areas:
        width, height = math.dist(upper_left, upper_right), math.dist(upper_left, lower_left)
        if max(width, height) > 2 * min(width, height):
            across, down = (across, down + height) if height > width else (across + width, down)
    return down > across


def _better_upside_down(areas: Sequence[Area]) -> bool:
    """Whether the longest lines read better the other way round."""
    longest = sorted(areas, key=lambda area: -area.pixels.shape[1])[:PROBED_LINES]
    as_is = _mean_score(_read(longest))
    turned = _mean_score(_read([area._replace(pixels=area.pixels[::-1, ::-1]) for area in longest]))
    return turned > as_is + 0.1


def _mean_score(lines: Sequence[Line]) -> float:
    """The mean by character: a page of specks and one good line is a good page."""
    weight = sum(len(line.text) for line in lines)
    return sum(line.score * len(line.text) for line in lines) / weight if weight else 0.0


def _tilt(lines: Sequence[Line]) -> float:
    """Degrees by which the long lines fall to the right, 0.0 where there are too few to say."""
    slopes: list[float] = []
    for line in lines:
        (x0, y0), (x1, y1) = line.corners[0], line.corners[1]
        (x3, y3), (x2, y2) = line.corners[3], line.corners[2]
        run, rise = (x1 - x0) + (x2 - x3), (y1 - y0) + (y2 - y3)
        depth = math.hypot(x3 - x0, y3 - y0)
        if run > 8 * depth:
            slopes.append(math.degrees(math.atan2(rise, run)))
    if len(slopes) < 3:
        return 0.0
    tilt = statistics.median(slopes)
    return tilt if LEAST_TILT < abs(tilt) < MOST_TILT else 0.0


def _tokens(lines: Sequence[Line], size: tuple[int, int], tilt: float) -> list[Token]:
    """The words of `lines`, which stand on an image of `size` pixels before it is levelled."""
    level = Turn(0, tilt)
    width, height = level.size(*size)
    found: list[Token] = []
    for line in lines:
        if _on_a_slant(line, tilt):
            continue
        for text, start, end in _split(line):
            upper_left, upper_right, lower_right, lower_left = line.corners
            points = [
                level.levelled(*_between(a, b, share), *size)
                for a, b in ((upper_left, upper_right), (lower_left, lower_right))
                for share in (start, end)
            ]
            box = Box(
                max(0.0, min(x for x, _ in points) / width),
                max(0.0, min(y for _, y in points) / height),
                min(1.0, max(x for x, _ in points) / width),
                min(1.0, max(y for _, y in points) / height),
            )
            if box.x1 > box.x0 and box.y1 > box.y0:
                found.append(Token(text, box, line.score))
    return reading_order(found)


def _on_a_slant(line: Line, tilt: float) -> bool:
    """Whether the line is a stamp or watermark across the page rather than one of its lines."""
    (x0, y0), (x1, y1) = line.corners[0], line.corners[1]
    off = (math.degrees(math.atan2(y1 - y0, x1 - x0)) - tilt) % 90
    return min(off, 90 - off) > MOST_SLANT and math.dist(line.corners[0], line.corners[1]) > 2 * math.dist(
        line.corners[0], line.corners[3]
    )


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _split(line: Line) -> list[tuple[str, float, float]]:
    """The words of a line with start and end as fractions of its length: split at spaces and at clear gaps."""
    if len(line.columns) != len(line.text):
        return [(clean(line.text), 0.0, 1.0)]
    steps = [b - a for a, b in pairwise(line.columns)]
    usual = statistics.median(steps) if steps else 1.0
    spaces = unread_spaces(line.text, line.blanks)
    found: list[tuple[str, float, float]] = []
    start = 0
    for end in range(1, len(line.text) + 1):
        last = end == len(line.text)
        if not (
            last or spaces[end - 1] or steps[end - 1] > usual * _unread_space(*line.text[end - 1 : end + 1])
        ):
            continue
        # The detector's ends are better than half a step beside the outermost characters.
        left = 0.0 if start == 0 else line.columns[start] - usual / 2
        right = 1.0 if last else line.columns[end - 1] + usual / 2
        # The model prefers the multiplication sign to the letter x.
        text = clean(line.text[start:end].strip()).replace("×", "x")
        if text:
            found.append((text, max(0.0, left), min(1.0, right)))
        start = end
    return found


def _unread_space(left: str, right: str) -> float:
    """How many usual steps between two characters mean a space, read or not: "Table:206", "0,95 2" on receipts."""
    if left.isspace() != right.isspace():
        return -1.0
    if left in ":;" or (left == "," and right.isalpha()):
        return 2.2
    return 2.6 if left.isdigit() and right.isdigit() else math.inf


def _detect(image: Image.Image) -> list[Area]:
    import numpy

    pixels = numpy.ascontiguousarray(numpy.asarray(image)[:, :, ::-1])  # BGR, as OpenCV has it
    areas: list[Area] = []
    for corners, crop in zip(*engine().detect(pixels), strict=True):
        upper_left, upper_right, lower_right, lower_left = ((float(x), float(y)) for x, y in corners)
        areas.append(Area((upper_left, upper_right, lower_right, lower_left), crop))
    return areas


def _read(areas: Sequence[Area]) -> list[Line]:
    """The line in each area. Areas of like length are read together, in strips no longer than they need: RapidOCR by
    itself makes every strip as long as a third of a page, and most of its work is on blank paper."""
    by_length = sorted(range(len(areas)), key=lambda i: _strip_width(areas[i]))
    lines: dict[int, Line] = {}
    for start in range(0, len(by_length), STRIPS_AT_ONCE):
        at_once = by_length[start : start + STRIPS_AT_ONCE]
        width = max(_strip_width(areas[i]) for i in at_once)
        lines |= zip(at_once, _read_strips([areas[i] for i in at_once], width), strict=True)
    return [lines[i] for i in range(len(areas))]


def _strip_width(area: Area) -> int:
    """Columns of the strip for the recogniser, in few sizes: it prepares itself anew for each."""
    height, width = area.pixels.shape[:2]
    return max(1, math.ceil(STRIP_HEIGHT * width / height / STRIP_STEP)) * STRIP_STEP


def _read_strips(areas: Sequence[Area], width: int) -> Iterator[Line]:
    read = engine().read([area.pixels for area in areas], STRIP_HEIGHT, width)
    for area, text, score, word in zip(areas, read.txts, read.scores, read.word_results, strict=True):
        columns = _columns(text, word)
        yield Line(area.corners, text, columns, float(score), blank_shares(area.pixels, columns))


def _columns(text: str, word: Any) -> tuple[float, ...]:
    """The middle of each character of `text` as a fraction of the line; white space stands where the last one was."""
    inked = iter([column for group in word.word_cols for column in group])
    columns: list[float] = []
    for char in text:
        column = None if char.isspace() else next(inked, None)
        if column is None:
            columns.append(columns[-1] if columns else 0.0)
        else:
            columns.append((column + 0.5) / word.line_txt_len)
    return tuple(columns)
