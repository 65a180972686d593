"""Confidence of what a vision model reads: from what speaks for a value to the probability that it is right.

It starts with weights set by hand, low on purpose: the model alone is never sure enough to fill, and the model and the
layout Reader together only where the value stands on the page. `inference.readers.vlm.learning` makes a Calibration from
what people said of reviewed values. Whatever it learned, a value that stands nowhere on the page keeps `NOWHERE`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

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

_UNKNOWN = Certainty(0.5, 0.3, 0)
"""What stands for the model's certainty where the server tells none."""
_MOST_FROM_LAYOUT = 3.0


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a value: the model's own certainty (None: unknown), whether it stands on the page, whether it
    stands there several times, whether its text can be read in two ways, whether a second look saw the same, the
    layout Reader's confidence in the same value (None: it does not have it), and whether a check about it passed (1),
    failed (−1) or said nothing (0)."""

    certainty: Certainty | None = None
    placed: bool = False
    ambiguous: bool = False
    two_ways: bool = False
    seen_again: bool = False
    layout: float | None = None
    checks: int = 0

    def features(self) -> dict[str, float]:
        """As numbers, by the names of `BY_HAND`'s weights."""
        certainty, layout = self.certainty or _UNKNOWN, self.layout or 0.0
        odds = math.log(layout / (1 - layout)) if 0 < layout < 1 else _MOST_FROM_LAYOUT if layout else 0.0
        return {
            "bias": 1.0,
            "mean": certainty.mean,
            "least": certainty.least,
            "placed": float(self.placed),
            "ambiguous": float(self.ambiguous and not self.seen_again),
            "two_ways": float(self.two_ways),
            "seen_again": float(self.seen_again),
            "layout": min(_MOST_FROM_LAYOUT, max(0.0, odds)),
            "checks": float(self.checks),
        }

    def as_json(self) -> dict[str, float]:
        """What is not as in `Signs()`, as numbers."""
        told = {"mean": self.certainty.mean, "least": self.certainty.least} if self.certainty else {}
        flags = {name: float(getattr(self, name)) for name in _FLAGS if getattr(self, name)}
        layout = {} if self.layout is None else {"layout": self.layout}
        return {name: round(value, 4) for name, value in (told | flags | layout).items()}

    @classmethod
    def from_json(cls, node: Mapping[str, float]) -> Signs:
        """The inverse of `as_json`, to four digits. Raises KeyError or ValueError on what it never prints."""
        certainty = Certainty(float(node["mean"]), float(node["least"]), 1) if "mean" in node else None
        layout = float(node["layout"]) if "layout" in node else None
        flags = {name: bool(node.get(name)) for name in _FLAGS if name != "checks"}
        return cls(certainty, **flags, layout=layout, checks=int(node.get("checks", 0)))


_FLAGS = ("placed", "ambiguous", "two_ways", "seen_again", "checks")


@dataclass(frozen=True, slots=True)
class Calibration:
    """From Signs to a probability: log-odds per unit of each feature, the most that a value gets which only the model
    has (`alone`) or both Readers (`together`), and the number of `reviewed` values it learned from, 0 for none."""

    weights: Mapping[str, float]
    alone: float = ALONE
    together: float = TOGETHER
    reviewed: int = 0

    def probability(self, signs: Signs) -> float:
        """The probability that the value is right."""
        odds = sum(self.weights[name] * value for name, value in signs.features().items())
        return min(1 / (1 + math.exp(-odds)), self._most(signs))

    def _most(self, signs: Signs) -> float:
        if not signs.placed:
            return NOWHERE
        most = self.alone if signs.layout is None else self.together
        return min(most, UNREADABLE) if signs.two_ways else most


BY_HAND = Calibration(
    MappingProxyType(
        {
            "bias": -1.2, "mean": 1.0, "least": 0.4, "placed": 1.6, "ambiguous": -0.8, "two_ways": 0.0, "seen_again": 0.0,
            "layout": 1.0, "checks": 0.0,
        }
    )
)  # fmt: skip
"""Where it starts. What checks say counts through `inference.confidence.doubt_failed` until there is more to learn from."""
