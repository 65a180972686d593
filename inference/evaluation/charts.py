"""Two diagrams of confidence as inline SVG. Only numbers go in; colours come from the report's style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from inference.evaluation.figures import Calibration

WIDTH, HEIGHT = 400, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 22, 10, 40
MOST_POINTS = 300
LEAST_RISK = 0.04


@dataclass(frozen=True, slots=True)
class _Plane:
    """From values to pixels, on both axes."""

    x0: float
    x1: float
    y0: float
    y1: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x0) / (self.x1 - self.x0)
        up = (y - self.y0) / (self.y1 - self.y0)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def line(self, start: tuple[float, float], end: tuple[float, float], style: str) -> str:
        (x1, y1), (x2, y2) = self.at(*start), self.at(*end)
        return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'

    def axes(self, across: str, up: str) -> str:
        parts: list[str] = []
        for x in _ticks(self.x0, self.x1):
            px, py = self.at(x, self.y0)
            parts.append(
                f'<text class="tick" x="{px:.1f}" y="{py + 15:.1f}" text-anchor="middle">{x:.0%}</text>'
            )
        for y in _ticks(self.y0, self.y1):
            px, py = self.at(self.x0, y)
            parts.append(self.line((self.x0, y), (self.x1, y), "grid"))
            parts.append(
                f'<text class="tick" x="{px - 6:.1f}" y="{py + 4:.1f}" text-anchor="end">{y:.0%}</text>'
            )
        middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
        parts.append(f'<text class="axis" x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{across}</text>')
        parts.append(
            f'<text class="axis" transform="translate(11 {TOP + (HEIGHT - TOP - BOTTOM) / 2}) rotate(-90)"'
            f' text-anchor="middle">{up}</text>'
        )
        return "".join(parts)


def reliability(found: Calibration) -> Markup:
    """A point per bin: how sure the values were, and how many of them were right, with Wilson's interval."""
    lows = [min(one.confidence, one.right.interval[0]) for one in found.bins]
    low = min(0.9, math.floor(min(lows, default=0) * 10) / 10)
    plane = _Plane(low, 1, low, 1)
    marks = [plane.axes("how sure Vouch was", "how many were right"), plane.line((low, low), (1, 1), "ideal")]
    for one in found.bins:
        bottom, top = one.right.interval
        x, y = plane.at(one.confidence, one.right.value)
        marks.append(plane.line((one.confidence, bottom), (one.confidence, top), "reach"))
        marks.append(
            f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{one.confidence:.1%} sure: '
            f"{one.right.hits} of {one.right.n} right ({one.right.value:.1%})</title></circle>"
        )
    return _drawing(marks, "Reliability diagram")


def risk_coverage(found: Calibration, allowed: float) -> Markup:
    """How many values are wrong, when only the surest ones are taken; the `allowed` share is marked."""
    risks = [risk for _, risk in found.curve]
    # A mistake among the very first values is a high share of few; it must not flatten the rest.
    settled = risks[len(risks) // 20 :]
    most = max(LEAST_RISK, *settled, 0) * 1.1
    plane = _Plane(0, 1, 0, most)
    points = " ".join(
        f"{x:.1f},{y:.1f}"
        for x, y in (plane.at(share, min(risk, most)) for share, risk in _thin(found.curve))
    )
    marks = [
        plane.axes("share of the values, surest first", "wrong among them"),
        plane.line((0, allowed), (1, allowed), "limit"),
        f'<polyline class="curve" points="{points}"/>',
    ]
    if found.coverage.hits:
        share = found.coverage.value
        marks.append(plane.line((share, 0), (share, allowed), "limit"))
        x, y = plane.at(share, allowed)
        marks.append(
            f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="4"/><text class="note" x="{x:.1f}" y="{y - 9:.1f}"'
            f' text-anchor="{"end" if share > 0.5 else "start"}">{share:.1%} of the values</text>'
        )
    return _drawing(marks, "Risk by coverage")


def _thin(curve: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    step = max(1, math.ceil(len(curve) / MOST_POINTS))
    return [*curve[::step], *curve[-1:]]


def _ticks(low: float, high: float) -> list[float]:
    """Round values within the bounds, four to eight of them."""
    span = high - low
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    step = next((step for step in steps if span / step <= 7), 1.0)
    first = math.ceil(low / step - 1e-9)
    return [place * step for place in range(first, math.floor(high / step + 1e-9) + 1)]


def _drawing(marks: Sequence[str], title: str) -> Markup:
    inner = "".join(marks)
    return Markup(  # noqa: S704 - numbers and fixed words only
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{inner}</svg>'
    )
