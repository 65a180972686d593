"""A Calibration from what people said of reviewed values.

A logistic regression whose prior is the Calibration set by hand (a Gaussian around its weights, found by Newton's method; C.
M. Bishop, Pattern Recognition and Machine Learning, 2006, 4.5.1): few values hardly move it, many do. How sure the
best values of a kind may be is counted, not fitted: the lower end of Wilson's interval of the share of the surer half
that was right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from inference.confidence import HIGHEST
from inference.evaluation.figures import Share
from inference.readers.vlm.confidence import BY_HAND, Calibration, Signs

LEAST_VALUES = 200
"""Fewer reviewed values change nothing."""
_STRENGTH = 1.0
"""Of the prior: one over the variance of each weight around that set by hand."""
_STEPS, _STILL = 50, 1e-9


class JudgedValue(NamedTuple):
    """What spoke for a value when it was read, and whether a person found it right."""

    signs: Signs
    right: bool


def learned(judged: Sequence[JudgedValue]) -> Calibration:
    """The Calibration that the values teach; the one set by hand where they are fewer than `LEAST_VALUES`."""
    if len(judged) < LEAST_VALUES:
        return BY_HAND
    names = tuple(BY_HAND.weights)
    seen = np.array([[value.signs.features()[name] for name in names] for value in judged])
    right = np.array([float(value.right) for value in judged])
    start = np.array([BY_HAND.weights[name] for name in names])
    calibration = Calibration(
        dict(zip(names, _fitted(seen, right, start), strict=True)), 1.0, 1.0, len(judged)
    )
    clear = [v for v in judged if v.signs.placed and not v.signs.two_ways and v.signs.checks >= 0]
    alone, both = (
        sorted(
            (v for v in clear if (v.signs.layout is None) is only),
            key=lambda v: -calibration.probability(v.signs),
        )
        for only in (True, False)
    )
    return replace(calibration, alone=_most(alone, BY_HAND.alone), together=_most(both, BY_HAND.together))


def _fitted(seen: np.ndarray, right: np.ndarray, start: np.ndarray) -> list[float]:
    weights, still = start.copy(), np.eye(len(start)) * _STRENGTH
    for _ in range(_STEPS):
        # Beyond 30 nothing changes but the warnings of numpy.
        chance = 1 / (1 + np.exp(-np.clip(seen @ weights, -30, 30)))
        slope = seen.T @ (chance - right) + _STRENGTH * (weights - start)
        curve = (seen * (chance * (1 - chance))[:, None]).T @ seen + still
        step = np.linalg.solve(curve, slope)
        weights = weights - step
        if float(np.abs(step).max()) < _STILL:
            break
    return [float(weight) for weight in weights]


def _most(ranked: Sequence[JudgedValue], by_hand: float) -> float:
    """Of the surer half of the values, which come first."""
    surest = ranked[: max(LEAST_VALUES, len(ranked) // 2)]
    if len(surest) < LEAST_VALUES:
        return by_hand
    return min(HIGHEST, Share(sum(value.right for value in surest), len(surest)).interval[0])
