"""The place on a page where a wrong value was seen, as inline SVG: part of the page's picture, and a frame."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from inference.invoice import Box

# What is shown: at least so much of the page's breadth, so that a person finds the place, in this shape.
BREADTH, SHAPE = 0.5, 2.75
_LOSSY = b"VP8 "


def place(page: bytes, box: Box) -> Markup:
    """The surroundings of the box on a page, a WebP; empty where that is none.

    The picture comes from a process that opened a hostile file: only its size is looked at, the browser draws it.
    """
    size = _size(page)
    if size is None:
        return Markup()
    wide, high = size
    x0, x1, y0, y1 = box.x0 * wide, box.x1 * wide, box.y0 * high, box.y1 * high
    breadth = min(wide, max(wide * BREADTH, (x1 - x0) * 1.3, (y1 - y0) * 1.6 * SHAPE))
    height = breadth / SHAPE
    left = min(max(0.0, (x0 + x1 - breadth) / 2), wide - breadth)
    top = min(max(0.0, (y0 + y1 - height) / 2), max(0.0, high - height))
    data = base64.b64encode(page).decode()
    return Markup(  # noqa: S704 - numbers and base64 only
        f'<svg class="place" viewBox="{left:.1f} {top:.1f} {breadth:.1f} {height:.1f}" role="img"'
        f' aria-label="the place on the page"><image href="data:image/webp;base64,{data}" width="{wide}"'
        f' height="{high}"/><rect class="frame" x="{x0 - 3:.1f}" y="{y0 - 3:.1f}" width="{x1 - x0 + 6:.1f}"'
        f' height="{y1 - y0 + 6:.1f}"/></svg>'
    )


def _size(webp: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a lossy WebP (RFC 9649, section 2.5; RFC 6386, section 9.1)."""
    if len(webp) < 30 or webp[8:16] != b"WEBP" + _LOSSY:
        return None
    wide, high = (int.from_bytes(webp[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    return (wide, high) if wide and high else None
