"""Pages made upright: by quarter turns, then by the few degrees that a scanner or a hand leaves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image


class Turn(NamedTuple):
    """What makes a page upright: quarter turns counter-clockwise (0–3), then degrees counter-clockwise."""

    quarters: int = 0
    tilt: float = 0.0

    def image(self, image: Image) -> Image:
        """`image` turned and levelled, at any resolution, nothing cut off; uncovered corners are white."""
        turned = turned_image(image, self.quarters)
        if self.tilt == 0.0:
            return turned
        import cv2
        import numpy
        from PIL import Image

        width, height = turned.size
        wide, high = (math.ceil(side) for side in self.size(*image.size))
        x0, y0 = self.levelled(0.5, 0.5, width, height)  # the middle of the first pixel
        cos, sin = math.cos(math.radians(self.tilt)), math.sin(math.radians(self.tilt))
        shift = numpy.array([[cos, sin, x0 - 0.5], [-sin, cos, y0 - 0.5]])
        pixels = cv2.warpAffine(
            numpy.asarray(turned), shift, (wide, high), flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255)
        )
        return Image.fromarray(pixels)

    def size(self, width: float, height: float) -> tuple[float, float]:
        """The width and height of what `image` makes of `width` × `height`."""
        if self.quarters % 2:
            width, height = height, width
        cos, sin = math.cos(math.radians(self.tilt)), abs(math.sin(math.radians(self.tilt)))
        return width * cos + height * sin, width * sin + height * cos

    def levelled(self, x: float, y: float, width: float, height: float) -> tuple[float, float]:
        """Where a point of a page of `width` × `height`, its quarter turns made, lies once the page is level."""
        # The rotation of `image`: about the middle, which stays the middle.
        cos, sin = math.cos(math.radians(self.tilt)), math.sin(math.radians(self.tilt))
        wide, high = Turn(0, self.tilt).size(width, height)
        dx, dy = x - width / 2, y - height / 2
        return dx * cos + dy * sin + wide / 2, dy * cos - dx * sin + high / 2


def turned_image(image: Image, quarters: int) -> Image:
    """`image` after quarter turns counter-clockwise."""
    from PIL.Image import Transpose

    transposes = (None, Transpose.ROTATE_90, Transpose.ROTATE_180, Transpose.ROTATE_270)
    transpose = transposes[quarters % 4]
    return image if transpose is None else image.transpose(transpose)


def turned_box(
    box: tuple[float, float, float, float], quarters: int, width: float, height: float
) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) on a page of `width` × `height` after quarter turns counter-clockwise of that page."""
    x0, y0, x1, y1 = box
    match quarters % 4:
        case 1:
            return y0, width - x1, y1, width - x0
        case 2:
            return width - x1, height - y1, width - x0, height - y0
        case 3:
            return height - y1, x0, height - y0, x1
        case _:
            return box
