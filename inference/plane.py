"""A plane of a diagram: from values to pixels of an inline SVG. Colours come from the page's style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 400, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 22, 10, 40

Mark = tuple[float, str]
"""A place on an axis and what is written there."""


@dataclass(frozen=True, slots=True)
class Plane:
    """`x0`–`x1` and `y0`–`y1` are what the axes span, `width` and `height` the drawing in pixels."""

    x0: float
    x1: float
    y0: float
    y1: float
    width: int = WIDTH
    height: int = HEIGHT

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a value."""
        across = (x - self.x0) / (self.x1 - self.x0)
        up = (y - self.y0) / (self.y1 - self.y0)
        inner = self.width - LEFT - RIGHT, self.height - TOP - BOTTOM
        return LEFT + across * inner[0], self.height - BOTTOM - up * inner[1]

    def line(self, start: tuple[float, float], end: tuple[float, float], style: str) -> str:
        """A straight line; `style` is a class."""
        (x1, y1), (x2, y2) = self.at(*start), self.at(*end)
        return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'

    def curve(self, points: Sequence[tuple[float, float]], style: str) -> str:
        """A line through points."""
        return f'<polyline class="{style}" points="{self._places(points)}"/>'

    def area(self, points: Sequence[tuple[float, float]], style: str) -> str:
        """A filled polygon."""
        return f'<polygon class="{style}" points="{self._places(points)}"/>'

    def point(self, x: float, y: float, title: str, style: str = "point") -> str:
        """A dot that tells what it is."""
        px, py = self.at(x, y)
        return f'<circle class="{style}" cx="{px:.1f}" cy="{py:.1f}" r="4"><title>{escape(title)}</title></circle>'

    def axes(
        self,
        across: str,
        up: str,
        x_marks: Sequence[Mark] | None = None,
        y_marks: Sequence[Mark] | None = None,
    ) -> str:
        """Both axes with what they show; marks are percents where none are given."""
        parts: list[str] = []
        for x, written in percents(self.x0, self.x1) if x_marks is None else x_marks:
            px, py = self.at(x, self.y0)
            parts.append(
                f'<text class="tick" x="{px:.1f}" y="{py + 15:.1f}" text-anchor="middle">{escape(written)}</text>'
            )
        for y, written in percents(self.y0, self.y1) if y_marks is None else y_marks:
            px, py = self.at(self.x0, y)
            parts.append(self.line((self.x0, y), (self.x1, y), "grid"))
            parts.append(
                f'<text class="tick" x="{px - 6:.1f}" y="{py + 4:.1f}" text-anchor="end">{escape(written)}</text>'
            )
        middle = LEFT + (self.width - LEFT - RIGHT) / 2
        parts.append(
            f'<text class="axis" x="{middle}" y="{self.height - 6}" text-anchor="middle">{escape(across)}</text>'
        )
        parts.append(
            f'<text class="axis" transform="translate(11 {TOP + (self.height - TOP - BOTTOM) / 2}) rotate(-90)"'
            f' text-anchor="middle">{escape(up)}</text>'
        )
        return "".join(parts)

    def drawing(self, marks: Sequence[str], title: str, description: str = "") -> Markup:
        """The whole picture; `marks` come from the methods above, which escape all text."""
        said = f"<title>{escape(title)}</title>" + (
            f"<desc>{escape(description)}</desc>" if description else ""
        )
        return Markup(  # noqa: S704 - see above
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(title)}">{said}{"".join(marks)}</svg>'
        )

    def _places(self, points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))


def percents(low: float, high: float) -> list[Mark]:
    """Round shares within the bounds, four to eight of them, as percents."""
    span = high - low
    steps = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    step = next((step for step in steps if span / step <= 7), 1.0)
    digits = 1 if step < 0.01 else 0
    first = math.ceil(low / step - 1e-9)
    places = [place * step for place in range(first, math.floor(high / step + 1e-9) + 1)]
    return [(place, f"{place:.{digits}%}") for place in places]
