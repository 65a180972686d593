"""The learned scorer: candidates of one term compared by what speaks for each, with "none of them" among them.

A conditional logit (McFadden 1974): each candidate has a utility, the weighted sum of its marks; its share of all
utilities, taken exponentially, is the chance that it is the value. "None of them" has a utility of its own. A
logistic calibration, fitted on documents that the weights were not fitted on, turns the share into a probability.
`scorer.json` is written by `python -m inference.training`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

FILE = "scorer.json"

_MOST_ODDS = 8.0
_SUPPORTS = (
    "domain", "at_foot", "repeated", "company", "seller_heading", "buyer_heading", "sender", "signed", "name_label",
)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """The scorer of one group of terms: the weights of marks, the utility of none, the calibration."""

    weights: Mapping[str, float]
    none: float
    calibration: Mapping[str, float]

    def utility(self, marks: Mapping[str, float]) -> float:
        """The utility of a candidate; absent marks count as 0."""
        return sum(weight * marks.get(name, 0.0) for name, weight in self.weights.items())

    def chance(self, share: float, marks: Mapping[str, float]) -> float:
        """The probability that the chosen candidate is right, from its share (0–1) and its marks."""
        odds = sum(
            self.calibration.get(name, 0.0) * value for name, value in calibrated(share, marks).items()
        )
        return 1 / (1 + math.exp(-odds))


def calibrated(share: float, marks: Mapping[str, float]) -> dict[str, float]:
    """What the calibration looks at.

    The log-odds of the share; how unsure the OCR is; whether the page is narrow like a receipt; whether nothing but
    its place says that a name is one, on a receipt above all; whether the check digits of an id fail, which on a
    scan may be a misread figure.
    """
    share = min(1 - 1e-9, max(1e-9, share))
    odds = math.log(share / (1 - share))
    narrow = marks.get("narrow", 0.0)
    unsupported = float("letterhead" in marks and not any(marks.get(name) for name in _SUPPORTS))
    failed = float(marks.get("check", 0.0) < 0)
    return {
        "bias": 1.0,
        "odds": max(-_MOST_ODDS, min(_MOST_ODDS, odds)),
        "misread": max(0.0, 1 - marks.get("ocr", 1.0)),
        "narrow": narrow,
        "unsupported": unsupported,
        "bare_receipt": narrow * unsupported,
        "failed": failed,
        "failed_scan": failed * marks.get("scanned", 0.0),
    }


def share_of(utilities: Sequence[float], mine: Sequence[bool], none: float) -> float:
    """The share of the candidates that are `mine`, among all and none of them."""
    most = max(none, *utilities)
    parts = [math.exp(utility - most) for utility in utilities]
    whole = math.exp(none - most) + sum(parts)
    return sum(part for part, own in zip(parts, mine, strict=True) if own) / whole


@dataclass(frozen=True)
class Scorer:
    """The models by group."""

    models: Mapping[str, Model]

    def __getitem__(self, group: str) -> Model:
        return self.models[group]

    def __contains__(self, group: str) -> bool:
        return group in self.models

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> Scorer:
        """The scorer that `scorer.json` describes. Raises KeyError or ValueError on what training never writes."""
        return cls({group: _model(found) for group, found in node["models"].items()})


@lru_cache(maxsize=1)
def shipped() -> Scorer:
    """The scorer that comes with the package, read on first use."""
    return Scorer.from_json(json.loads((files("inference.readers.layout") / FILE).read_text("utf-8")))


def _model(node: Mapping[str, Any]) -> Model:
    return Model(
        {name: float(weight) for name, weight in node["weights"].items()},
        float(node["none"]),
        {name: float(weight) for name, weight in node["calibration"].items()},
    )
