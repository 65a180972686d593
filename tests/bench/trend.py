"""Whether a series of measurements grows: its slope with a confidence interval that asks nothing of how it is distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import sqrt
from statistics import NormalDist, fmean, median

BATCHES = 20
"""Neighbours are alike (memory, files): a batch's mean is nearly free of it, and so many of them tell a slope."""


@dataclass(frozen=True)
class Trend:
    """The mean, and the growth per unit of x: the median of the slopes of all pairs, and the bounds of its interval."""

    mean: float
    slope: float
    low: float
    high: float


def trend(points: Sequence[tuple[float, float]], confidence: float = 0.95) -> Trend:
    """The trend of (x, y), in the order of x, by their batches' means.

    Theil and Sen's slope, which a peak does not move, with the interval from Kendall's variance of the order: P. K. Sen,
    “Estimates of the regression coefficient based on Kendall's tau”, JASA 63 (1968). Of fewer than four batches nothing can
    be told: the bounds are infinite.
    """
    batches = _batches(points)
    slopes = sorted((y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in combinations(batches, 2) if x1 > x0)
    mean = fmean(y for _, y in points) if points else 0.0
    count = len(batches)
    if count < 4 or not slopes:
        return Trend(mean, median(slopes) if slopes else 0.0, float("-inf"), float("inf"))
    spread = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    aside = NormalDist().inv_cdf((1 + confidence) / 2) * spread
    first, last = int((len(slopes) - aside) / 2) - 1, int((len(slopes) + aside) / 2) + 1
    if first < 0 or last >= len(slopes):
        return Trend(mean, median(slopes), float("-inf"), float("inf"))
    return Trend(mean, median(slopes), slopes[first], slopes[last])


def _batches(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most so many means, of as many neighbours each."""
    count = min(BATCHES, len(points))
    ends = [len(points) * at // count for at in range(count + 1)] if count else []
    return [
        (fmean(x for x, _ in points[one:end]), fmean(y for _, y in points[one:end]))
        for one, end in pairwise(ends)
    ]
