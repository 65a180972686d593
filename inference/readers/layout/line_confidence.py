"""How surely a value of a line is right, from what speaks for the line and its table.

One logistic table per group of terms, fitted by `python -m tests.bench.fit_lines` (which prints it, with its
reliability on documents left out of the fit, by vendor).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from inference.confidence import AMBIGUOUS, FAILED_CHECK, Features

if TYPE_CHECKING:
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
            "one": 0.44, "agrees": 1.42, "disagrees": -0.51, "full": 0.53, "summed": 0.89,
            "missed": -0.29, "headed": 0.34, "support": 0.44, "proved": 0.22, "named": 0.8,
            "short": 0.7, "long": -0.5, "ocr": 0.57, "scanned": -0.55, "unsure": 0.0,
        },
        "identifier": {
            "one": 0.41, "agrees": 0.35, "disagrees": 0.03, "full": 0.15, "summed": 0.46,
            "missed": -0.14, "headed": 0.38, "support": -0.21, "proved": 0.55, "named": 0.76,
            "short": 0.51, "long": -1.38, "ocr": 0.41, "scanned": -0.15, "unsure": 0.0,
        },
        "name": {
            "one": 0.72, "agrees": 0.79, "disagrees": -0.3, "full": 0.51, "summed": 0.31,
            "missed": 0.11, "headed": 0.06, "support": 0.71, "proved": 0.13, "named": 0.66,
            "short": 0.35, "long": -0.12, "ocr": 0.78, "scanned": -1.09, "unsure": 0.0,
        },
        "price": {
            "one": 0.37, "agrees": 0.49, "disagrees": -0.56, "full": 0.37, "summed": -0.13,
            "missed": 0.5, "headed": 0.48, "support": 0.78, "proved": 0.93, "named": 0.32,
            "short": 0.89, "long": -2.0, "ocr": 0.43, "scanned": -0.38, "unsure": 0.0,
        },
        "quantity": {
            "one": 0.16, "agrees": 1.66, "disagrees": -0.28, "full": 0.16, "summed": 0.17,
            "missed": -0.11, "headed": 0.95, "support": 0.39, "proved": 0.94, "named": 0.48,
            "short": 0.24, "long": -1.2, "ocr": 0.18, "scanned": -0.39, "unsure": 0.0,
        },
        "rate": {
            "one": 0.75, "agrees": 0.49, "disagrees": 0.07, "full": 0.33, "summed": 0.94,
            "missed": -0.19, "headed": 0.7, "support": 0.72, "proved": 0.56, "named": 0.74,
            "short": 0.49, "long": -0.8, "ocr": 0.79, "scanned": -0.4, "unsure": 0.0,
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
