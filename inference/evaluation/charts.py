"""Two diagrams of confidence as inline SVG. Only numbers go in; colours come from the report's style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from inference.plane import Plane

if TYPE_CHECKING:
    from markupsafe import Markup

    from inference.evaluation.figures import Calibration

MOST_POINTS = 300
LEAST_RISK = 0.04


def reliability(found: Calibration) -> Markup:
    """A point per bin: how sure the values were, and how many of them were right, with Wilson's interval."""
    lows = [min(one.confidence, one.right.interval[0]) for one in found.bins]
    low = min(0.9, math.floor(min(lows, default=0) * 10) / 10)
    plane = Plane(low, 1, low, 1)
    marks = [plane.axes("how sure Vouch was", "how many were right"), plane.line((low, low), (1, 1), "ideal")]
    for one in found.bins:
        bottom, top = one.right.interval
        told = f"{one.confidence:.1%} sure: {one.right.hits} of {one.right.n} right ({one.right.value:.1%})"
        marks.append(plane.line((one.confidence, bottom), (one.confidence, top), "reach"))
        marks.append(plane.point(one.confidence, one.right.value, told))
    return plane.drawing(marks, "Reliability diagram")


def risk_coverage(found: Calibration, allowed: float) -> Markup:
    """How many values are wrong, when only the surest ones are taken; the `allowed` share is marked."""
    risks = [risk for _, risk in found.curve]
    # A mistake among the very first values is a high share of few; it must not flatten the rest.
    settled = risks[len(risks) // 20 :]
    most = max(LEAST_RISK, *settled, 0) * 1.1
    plane = Plane(0, 1, 0, most)
    marks = [
        plane.axes("share of the values, surest first", "wrong among them"),
        plane.line((0, allowed), (1, allowed), "limit"),
        plane.curve([(share, min(risk, most)) for share, risk in _thin(found.curve)], "curve"),
    ]
    if found.coverage.hits:
        share = found.coverage.value
        marks.append(plane.line((share, 0), (share, allowed), "limit"))
        x, y = plane.at(share, allowed)
        marks.append(
            f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="4"/><text class="note" x="{x:.1f}" y="{y - 9:.1f}"'
            f' text-anchor="{"end" if share > 0.5 else "start"}">{share:.1%} of the values</text>'
        )
    return plane.drawing(marks, "Risk by coverage")


def _thin(curve: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    step = max(1, math.ceil(len(curve) / MOST_POINTS))
    return [*curve[::step], *curve[-1:]]
