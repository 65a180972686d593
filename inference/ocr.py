"""Words by OCR: PP-OCRv6 through RapidOCR on OpenVINO. The weights lie in the wheel; the network is never used.

The detector gives a quadrilateral per line; the recogniser (CTC) gives the column of each character along it, from
which each word gets its own box.
"""

from __future__ import annotations

import logging
import math
import statistics
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image

from inference.document import Token
from inference.invoice import Box
from inference.words import clean, reading_order

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOCK = threading.Lock()
THREADS = 2
# The recogniser needs letters of some 15 pixels; more pixels than this cost time and find nothing more.
LONGEST_SIDE = 2000
LEAST_SCORE = 0.5
# Tilt in degrees below which lines are straight enough, and above which the estimate is not a tilt.
LEAST_TILT, MOST_TILT = 0.3, 20.0

Point = tuple[float, float]


class Line(NamedTuple):
    """A line as recognised: its corners in pixels from the upper left clockwise, its text, the column (in fractions
    of its length) of each character, and the recogniser's score 0–1."""

    corners: tuple[Point, Point, Point, Point]
    text: str
    columns: tuple[float, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Recognised:
    """What OCR found on an image: the words, with boxes on the image as `upright` returns it."""

    tokens: list[Token]
    quarters: int = 0
    """Quarter turns counter-clockwise that make the page upright."""
    tilt: float = 0.0
    """Degrees counter-clockwise that make its lines level, after the quarter turns."""

    @property
    def sideways(self) -> bool:
        """Whether width and height change places."""
        return self.quarters % 2 == 1

    def upright(self, image: Image.Image) -> Image.Image:
        """`image` turned and levelled, at any resolution; uncovered corners are white."""
        return _level(_turned(image, self.quarters), self.tilt)


def recognise(image: Image.Image) -> Recognised:
    """The words on an RGB image of any size, in reading order. Needs about one second a page on two cores."""
    scale = min(1.0, LONGEST_SIDE / max(image.size))
    if scale < 1.0:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    with _LOCK:
        quarters, lines = _upright_lines(image)
    turned = _turned(image, quarters)
    tilt = _tilt(lines)
    return Recognised(_tokens(lines, turned.size, tilt), quarters, tilt)


def _upright_lines(image: Image.Image) -> tuple[int, list[Line]]:
    return 0, _lines(image)


def _turned(image: Image.Image, quarters: int) -> Image.Image:
    turn = {
        1: Image.Transpose.ROTATE_90,
        2: Image.Transpose.ROTATE_180,
        3: Image.Transpose.ROTATE_270,
    }.get(quarters % 4)
    return image if turn is None else image.transpose(turn)


def _level(image: Image.Image, tilt: float) -> Image.Image:
    if tilt == 0.0:
        return image
    return image.rotate(tilt, Image.Resampling.BICUBIC, fillcolor="white")


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
    width, height = size
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))

    def levelled(x: float, y: float) -> Point:
        # The rotation of `_level` about the centre of the image.
        dx, dy = x - width / 2, y - height / 2
        return dx * cos + dy * sin + width / 2, dy * cos - dx * sin + height / 2

    found: list[Token] = []
    for line in lines:
        for text, start, end in _split(line):
            upper_left, upper_right, lower_right, lower_left = line.corners
            points = [
                levelled(*_between(a, b, share))
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


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _split(line: Line) -> list[tuple[str, float, float]]:
    """The words of a line with start and end as fractions of its length: split at spaces."""
    if len(line.columns) != len(line.text):
        return [(clean(line.text), 0.0, 1.0)]
    steps = [b - a for a, b in zip(line.columns, line.columns[1:], strict=False)]
    half = statistics.median(steps) / 2 if steps else 0.5
    found: list[tuple[str, float, float]] = []
    start = 0
    for end in range(len(line.text) + 1):
        if end < len(line.text) and not line.text[end].isspace():
            continue
        text = clean(line.text[start:end])
        if text:
            first, last = line.columns[start] - half, line.columns[end - 1] + half
            # The detector's ends are better than half a step beside the outermost characters.
            found.append(
                (
                    text,
                    0.0 if start == 0 else max(0.0, first),
                    1.0 if end == len(line.text) else min(1.0, last),
                )
            )
        start = end + 1
    return found


def _lines(image: Image.Image) -> list[Line]:
    import numpy
    from rapidocr.main import RapidOCRError

    engine = _engine()
    pixels = numpy.asarray(image)[:, :, ::-1]  # BGR, as OpenCV has it
    try:
        crops, detected = engine.detect_and_crop(numpy.ascontiguousarray(pixels), {})
    except RapidOCRError:
        return []  # no text on it
    read = engine.recognize_txt(crops)
    lines: list[Line] = []
    for corners, text, score, word in zip(
        detected.boxes, read.txts, read.scores, read.word_results, strict=True
    ):
        if score < LEAST_SCORE or not text.strip():
            continue
        columns = _columns(text, word)
        upper_left, upper_right, lower_right, lower_left = ((float(x), float(y)) for x, y in corners)
        quadrilateral = upper_left, upper_right, lower_right, lower_left
        lines.append(Line(quadrilateral, text, columns, float(score)))
    return lines


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


@cache
def _engine() -> Any:
    """The one engine of this process. Raises FileNotFoundError rather than let RapidOCR download a model."""
    import rapidocr
    from rapidocr import EngineType, RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.WARNING)
    models = Path(rapidocr.__file__).parent / "models"
    detector, recogniser = models / "PP-OCRv6_det_small.onnx", models / "PP-OCRv6_rec_small.onnx"
    for model in (detector, recogniser):
        if not model.is_file():
            raise FileNotFoundError(f"{model} is missing: install the package rapidocr again.")
    return RapidOCR(
        params={
            "Global.log_level": "warning",
            "Global.use_cls": False,
            "Global.return_word_box": True,
            "Global.use_vertical_padding": False,
            "Det.engine_type": EngineType.OPENVINO,
            "Det.model_path": str(detector),
            "Rec.engine_type": EngineType.OPENVINO,
            "Rec.model_path": str(recogniser),
            "EngineConfig.openvino.inference_num_threads": THREADS,
        }
    )
