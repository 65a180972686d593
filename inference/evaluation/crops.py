"""The place on the page where a wrong value was seen, as a small JPEG with a frame around it."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from inference.invoice import Box
    from inference.page import Page

DPI = 120
# What is shown around the words: at least so much of the page's breadth and height, so that a person finds the place.
BREADTH, HEIGHT = 0.5, 0.12
LONGEST_SIDE = 640
QUALITY = 62
FRAME = (200, 60, 20)


def crop(page: Page, box: Box) -> bytes:
    """The surroundings of the box, framed, in at most `LONGEST_SIDE` pixels. Raises DocumentError."""
    image = page.image(DPI).convert("RGB")
    x0, x1 = _widened(box.x0, box.x1, BREADTH)
    y0, y1 = _widened(box.y0, box.y1, HEIGHT)
    wide, high = image.size
    part = image.crop((int(x0 * wide), int(y0 * high), max(int(x1 * wide), 1), max(int(y1 * high), 1)))
    scale = min(1.0, LONGEST_SIDE / max(part.size))
    size = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    part = part.resize(size, Image.Resampling.LANCZOS)
    across, down = size[0] / max(x1 - x0, 1e-6), size[1] / max(y1 - y0, 1e-6)
    frame = (
        (box.x0 - x0) * across - 3,
        (box.y0 - y0) * down - 3,
        (box.x1 - x0) * across + 3,
        (box.y1 - y0) * down + 3,
    )
    ImageDraw.Draw(part).rectangle(frame, outline=FRAME, width=2)
    out = BytesIO()
    part.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _widened(low: float, high: float, least: float) -> tuple[float, float]:
    """At least so wide, with some room on both sides, within the page."""
    reach = max(least, (high - low) * 1.4) / 2
    middle = min(max((low + high) / 2, reach), 1 - reach) if reach < 0.5 else 0.5
    return max(0.0, middle - reach), min(1.0, middle + reach)
