"""The interval of a slope holds the true one as often as it says, and a leak is told from noise."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.trend import trend


def series(rng: Random, slope: float, count: int, alike: float) -> list[tuple[float, float]]:
    """A line with noise of deviation 1, each value `alike` to the one before (AR(1))."""
    noise, points = 0.0, list[tuple[float, float]]()
    for at in range(count):
        noise = alike * noise + rng.gauss(0, 1) * (1 - alike**2) ** 0.5
        points.append((float(at), 100 + slope * at + noise))
    return points


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.8])
def test_the_interval_holds_the_slope_as_often_as_it_says(alike: float) -> None:
    rng, held = Random(7), 0
    for _ in range(300):
        slope = rng.choice([0.0, 0.01, -0.02])
        found = trend(series(rng, slope, 300, alike))
        held += found.low <= slope <= found.high
    assert held / 300 >= 0.92


def test_a_leak_is_told_and_noise_is_not() -> None:
    rng = Random(3)
    leaks = [trend(series(rng, 0.02, 300, 0.5)).low > 0 for _ in range(100)]
    noises = [trend(series(rng, 0.0, 300, 0.5)).low > 0 for _ in range(100)]
    assert sum(leaks) == 100
    assert sum(noises) <= 8


@given(
    st.lists(st.integers(0, 50), min_size=8, max_size=60),
    st.floats(-5, 5),
    st.integers(-100, 100),
)
def test_a_line_added_moves_slope_and_bounds_by_its_own(values: list[int], slope: float, start: int) -> None:
    plain = trend([(at, float(y)) for at, y in enumerate(values)])
    moved = trend([(at, y + start + slope * at) for at, y in enumerate(values)])
    assert moved.slope == pytest.approx(plain.slope + slope, abs=1e-6)
    assert (moved.low, moved.high) == pytest.approx((plain.low + slope, plain.high + slope), abs=1e-6)


def test_of_few_points_nothing_is_told() -> None:
    assert trend([]).high == float("inf")
    assert trend([(0, 1), (1, 2), (2, 3)]).low == float("-inf")
    # What never changes is flat as soon as there are enough.
    found = trend([(float(at), 7.0) for at in range(8)])
    assert (found.low, found.slope, found.high) == (0, 0, 0)
