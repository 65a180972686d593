"""Proposal -> Decision: fill what is sure, send what is not to a person, leave alone what is not ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What happens to a record."""

    FILL = "fill"
    REVIEW = "review"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Policy:
    """The owner's dial. A value below `fill_confidence` is not sure.

    With `fill_sure_header` a record that goes to review still gets the header values that are sure; its lines,
    and everything a failed Check names, wait for the person.
    """

    fill_confidence: float = 0.90
    fill_sure_header: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, the reasons in plain sentences, and the names of the header values to write now."""

    outcome: Outcome
    reasons: tuple[str, ...]
    write: tuple[str, ...] = ()
