"""Contrast for recognition: ink made black and paper white, on dim photographs and pale prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

# Shares of the pixels that are darker than ink must be, and than paper need be.
INK, PAPER = 0.005, 0.95
# Grey levels between ink and paper below which a page is blank: there is nothing to bring out but noise; and from
# which recognition reads it as well as it is: on photographs with more, stretching mends no more words than it spoils.
LEAST_SPREAD, ENOUGH_SPREAD = 24, 100


def stretched(image: Image) -> Image:
    """An RGB image, where it is dim, with ink and paper at the ends of the range; the same for all colours, so that none
    is shifted."""
    counts = image.convert("L").histogram()
    dark, light = _level(counts, INK), _level(counts, PAPER)
    if not LEAST_SPREAD <= light - dark < ENOUGH_SPREAD:
        return image
    table = [min(255, max(0, round((level - dark) * 255 / (light - dark)))) for level in range(256)]
    return image.point(table * 3)


def _level(counts: list[int], share: float) -> int:
    """The grey level that `share` of the pixels stay under."""
    left = share * sum(counts)
    for level, count in enumerate(counts):
        left -= count
        if left <= 0:
            return level
    return 255
