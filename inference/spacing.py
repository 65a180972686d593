"""Spaces that recognition leaves out: "Nr.2025-34672", "Lane·Nottingham". They show as blank columns of the line."""

from __future__ import annotations

import statistics
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# Blank columns, as a share of the line's height, that are a space. Within words they stay under 0.17, beside the
# digit 1 under 0.25, between full-width signs under 0.4; read spaces have 0.15 to 0.28.
ANYWHERE, BETWEEN_KINDS, BETWEEN_LETTERS, BESIDE_ONE, AFTER_MARK, BESIDE_DOT = (
    0.45,
    0.2,
    0.2,
    0.27,
    0.17,
    0.16,
)
# How many times wider than the usual gap of its line it must be: letters may be set wide, or all alike.
RELATIVE = 2.0
# From here on scripts are written without spaces between words.
IDEOGRAPHS = "\u2e80"


def blank_shares(pixels: Any, columns: Sequence[float]) -> tuple[float, ...]:
    """The widest run of columns without ink between each two characters, as a share of the line's height.

    `pixels` is the line, shape (height, width, 3), `columns` the middle of each character as a fraction of its length.
    """
    import numpy

    grey = pixels.mean(axis=2)
    height, width = grey.shape
    inner = grey[height // 10 : max(1, height - height // 10)]
    dark, middle, light = numpy.percentile(inner[::2, ::2], (2, 50, 98))
    if middle - dark < light - middle:
        inner, dark, light = -inner, -light, -dark  # white on black
    inked = inner.min(axis=0) < (dark + light) / 2
    places = numpy.flatnonzero(inked)
    shares: list[float] = []
    for left, right in pairwise(columns):
        start, end = int(left * width), int(right * width) + 1
        ink = places[numpy.searchsorted(places, start) : numpy.searchsorted(places, end)]
        widest = numpy.diff(ink, prepend=start - 1, append=end).max() - 1
        shares.append(float(widest) / height)
    return tuple(shares)


def unread_spaces(text: str, shares: Sequence[float]) -> list[bool]:
    """Whether the blank between each two characters of `text` must be a space."""
    within = [share for (a, b), share in zip(pairwise(text), shares, strict=True) if not (a + b).isspace()]
    usual = statistics.median(within) if within else 0.0
    return [share >= RELATIVE * usual and share >= _least(text, place) for place, share in enumerate(shares)]


def _least(text: str, place: int) -> float:
    """The least share that is a space between the characters at `place` and after it."""
    left, right = text[place], text[place + 1]
    if "·" in left + right:
        return BESIDE_DOT
    if left.isdigit() and right.isdigit():
        return ANYWHERE  # figures may be grouped by thin spaces
    if left in ".,:;" and _letter(right):
        return AFTER_MARK
    if left == ":" or (left == "." and place and _letter(text[place - 1]) and right.isdigit()):
        return BESIDE_ONE if right == "1" else AFTER_MARK
    if left == "%" and right.isalnum():
        return BETWEEN_KINDS
    if _letter(left) and _letter(right):
        return BETWEEN_LETTERS
    if (_letter(left) and right.isdigit()) or (left.isdigit() and _letter(right)):
        return BESIDE_ONE if "1" in left + right else BETWEEN_KINDS
    return ANYWHERE


def _letter(char: str) -> bool:
    return char.isalpha() and char < IDEOGRAPHS
