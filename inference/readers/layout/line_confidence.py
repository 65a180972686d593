"""How surely a value of a line is right, from what speaks for the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.confidence import Features, probability

if TYPE_CHECKING:
    from inference.readers.layout.lines import Line


def line_probability(line: Line, role: str, features: Features) -> float:
    """The probability (0.01–0.995) that the value of a line's role is right."""
    return probability(role, features)
