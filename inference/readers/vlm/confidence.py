"""Confidence of what a vision model reads: from what speaks for a value to the probability that it is right.

The weights are set by hand and low on purpose: the model alone is never sure enough to fill, and the model and the
layout Reader together only where the value stands on the page. They are for measured figures to replace.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from inference.readers.vlm.certainty import Certainty

NOWHERE = 0.5
"""The most that a value is trusted that stands nowhere on the page."""
ALONE = 0.85
"""The most that a value is trusted that only one Reader has."""
DISPUTED = 0.5
"""The most that a value is trusted where the Readers differ."""
TOGETHER = 0.97
"""The most that a value is trusted that both Readers have."""
UNREADABLE = 0.6
"""The most that a value is trusted that can be read in two ways."""

_BIAS = -1.2
_PLACED, _AMBIGUOUS = 1.6, -0.8
_MEAN, _LEAST = 1.0, 0.4
_UNKNOWN = Certainty(0.5, 0.3, 0)
"""What stands for the model's certainty where the server tells none."""
_MOST_FROM_LAYOUT = 3.0


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a value: the model's own certainty (None: unknown), whether it stands on the page, whether it
    stands there several times, whether its text can be read in two ways, whether a second look saw the same."""

    certainty: Certainty | None = None
    placed: bool = False
    ambiguous: bool = False
    two_ways: bool = False
    seen_again: bool = False


def alone(signs: Signs) -> float:
    """The probability that the model's value is right, with nobody else's word on it."""
    return min(_chance(_odds(signs)), _most(signs, ALONE))


def together(signs: Signs, layout: float) -> float:
    """The probability that a value is right which the layout Reader has too, with that confidence."""
    other = min(_MOST_FROM_LAYOUT, max(0.0, math.log(layout / (1 - layout)) if 0 < layout < 1 else 0.0))
    return min(_chance(_odds(signs) + other), _most(signs, TOGETHER))


def _odds(signs: Signs) -> float:
    certainty = signs.certainty or _UNKNOWN
    odds = _BIAS + _MEAN * certainty.mean + _LEAST * certainty.least
    odds += _PLACED if signs.placed else 0.0
    odds += _AMBIGUOUS if signs.ambiguous and not signs.seen_again else 0.0
    return odds


def _most(signs: Signs, otherwise: float) -> float:
    if not signs.placed:
        return NOWHERE
    return min(otherwise, UNREADABLE) if signs.two_ways else otherwise


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))
