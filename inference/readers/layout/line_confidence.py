"""How surely a value of a line is right, from what speaks for the line and its table.

One logistic table per group of terms, fitted by `python -m tests.bench.fit_lines` (which prints it, with its
reliability on documents left out of the fit, by vendor).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from inference.confidence import AMBIGUOUS, FAILED_CHECK, Features
from inference.readers.layout.lines import Line

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "line_net_amount": "amount", "line_total_with_vat": "amount",
        "quantity": "quantity", "unit": "quantity",
        "net_price": "price", "gross_price": "price", "discount": "price",
        "vat_rate": "rate", "item_name": "name",
    }
)  # fmt: skip
"""The group of a role in `WEIGHTS`; identifiers have no other."""

WEIGHTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "amount": {
            "one": 0.49, "agrees": 1.47, "disagrees": -0.33, "full": 0.53, "summed": 0.87,
            "missed": -0.22, "headed": 0.35, "support": 0.49, "proved": 0.19, "named": 0.7,
            "short": 0.62, "long": -0.59, "ocr": 0.61, "scanned": -0.56, "unsure": 0.0,
        },
        "identifier": {
            "one": 0.47, "agrees": 0.31, "disagrees": -0.16, "full": 0.46, "summed": 0.12,
            "missed": -0.49, "headed": 0.23, "support": -0.03, "proved": 0.44, "named": 0.99,
            "short": 0.4, "long": -1.19, "ocr": 0.46, "scanned": -0.33, "unsure": 0.0,
        },
        "name": {
            "one": 0.62, "agrees": 0.68, "disagrees": -0.34, "full": 0.47, "summed": 0.2,
            "missed": -0.21, "headed": -0.04, "support": 0.62, "proved": 0.1, "named": 1.68,
            "short": -0.07, "long": -0.28, "ocr": 0.69, "scanned": -1.52, "unsure": 0.0,
        },
        "price": {
            "one": 0.32, "agrees": 0.54, "disagrees": -0.56, "full": 0.43, "summed": -0.1,
            "missed": 0.41, "headed": 0.41, "support": 0.84, "proved": 0.96, "named": 0.38,
            "short": 0.8, "long": -1.99, "ocr": 0.38, "scanned": -0.41, "unsure": 0.0,
        },
        "quantity": {
            "one": 0.45, "agrees": 1.48, "disagrees": -0.54, "full": 0.45, "summed": -0.13,
            "missed": -0.55, "headed": 0.83, "support": 0.73, "proved": 0.72, "named": 0.4,
            "short": 0.18, "long": -1.28, "ocr": 0.48, "scanned": -0.65, "unsure": 0.0,
        },
        "rate": {
            "one": 0.76, "agrees": 0.49, "disagrees": 0.07, "full": 0.32, "summed": 0.97,
            "missed": -0.22, "headed": 0.71, "support": 0.72, "proved": 0.55, "named": 0.74,
            "short": 0.49, "long": -0.81, "ocr": 0.8, "scanned": -0.39, "unsure": 0.0,
        },
    }
)  # fmt: skip
"""Log-odds per unit of each sign, by group."""


def signs(line: Line, role: str, features: Features) -> dict[str, float]:
    """What speaks for a value of a line, 0–1 each; `one` is the constant.

    agrees, disagrees: the line's arithmetic. full: it has a quantity or a price. summed, missed: the lines add up
    to a printed total, or do not. headed: a heading names the columns. support: the share of lines that have this
    value. proved: the share of lines whose arithmetic holds. named: it has a description. short: few letters in it.
    """
    letters = sum(c.isalpha() for span in line.texts.get("item_name", []) for c in span.text)
    return {
        "one": 1.0,
        "agrees": float(line.consistent is True),
        "disagrees": float(line.consistent is False),
        "full": float(line.full),
        "summed": float(line.standing.summed is True),
        "missed": float(line.standing.summed is False),
        "headed": min(1.0, line.heading / 10),
        "support": line.standing.shares.get(role, 0.0),
        "proved": line.standing.proved,
        "named": float(letters > 2),
        "short": float(letters < 8),
        "long": min(1.0, letters / 200),
        "ocr": features.ocr,
        "scanned": features.scanned,
        "unsure": features.ambiguous,
    }


def line_probability(line: Line, role: str, features: Features) -> float:
    """The probability (0.01–0.995) that the value of a line's role is right."""
    weights = WEIGHTS[GROUPS.get(role, "identifier")]
    odds = sum(weights[name] * value for name, value in signs(line, role, features).items())
    chance = 1 / (1 + math.exp(-odds))
    if features.ambiguous:
        chance = min(chance, AMBIGUOUS)
    if features.arithmetic <= -1:
        chance = min(chance, FAILED_CHECK)
    return min(0.995, max(0.01, chance))
