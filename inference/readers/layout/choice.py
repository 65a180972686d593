"""The choice among candidates: the best by the scorer, or none of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inference.confidence import AMBIGUOUS, HIGHEST
from inference.readers.layout.candidates import Finding
from inference.readers.layout.scorer import Model, share_of

LEAST = 0.25
"""A value less probable than that is left out."""

_LOOKED_AT = 12
"""The best candidates of each side that are tried in pairs."""

Same = Callable[[Finding, Finding], bool]
"""Whether two candidates mean the same value."""


@dataclass(frozen=True)
class Scored:
    """A candidate and its utility as the value of a term."""

    finding: Finding
    utility: float


def scored(findings: Sequence[Finding], model: Model) -> list[Scored]:
    """The candidates with their utilities, best first."""
    return sorted((Scored(f, model.utility(f.marks)) for f in findings), key=lambda s: -s.utility)


def choose(findings: Sequence[Finding], model: Model, term: str) -> Finding | None:
    """The best candidate of a term whose values are all different, or None."""
    return chosen(scored(findings, model), model, term, lambda one, other: one is other)


def chosen(ranked: Sequence[Scored], model: Model, term: str, same: Same) -> Finding | None:
    """The first of the ranked candidates as the finding of a term, with its probability; None where that is too low.

    `same` says which candidates mean the same value and so are no rivals.
    """
    if not ranked:
        return None
    best, share, margin = compared(ranked, model, same)
    chance = model.chance(share, best.marks)
    if share < 1e-6 or chance < LEAST:
        return None
    if best.features.ambiguous:
        chance = min(chance, AMBIGUOUS)
    features = replace(best.features, margin=margin)
    return replace(best, term=term, score=share, features=features, probability=min(HIGHEST, chance))


def compared(ranked: Sequence[Scored], model: Model, same: Same) -> tuple[Finding, float, float]:
    """The first candidate, its share (0–1), and the distance of its share to that of its best rival (0–1)."""
    best = ranked[0].finding
    mine = [same(s.finding, best) for s in ranked]
    utilities = [s.utility for s in ranked]
    rivals = [u for u, own in zip(utilities, mine, strict=True) if not own]
    rival = share_of(utilities, [u == max(rivals) for u in utilities], model.none) if rivals else 0.0
    share = share_of(utilities, mine, model.none)
    return best, share, max(0.0, share - rival)


def likeliest_pair(
    ones: Sequence[Scored], others: Sequence[Scored], none: tuple[float, float], same: Same
) -> tuple[list[Scored], list[Scored]]:
    """Two rankings, each from its candidate of the likeliest pair on; a pair of the same value is none.

    A candidate below none of its side would not be given, so it neither helps nor harms the other.
    """
    best, most = (0, 0), -math.inf
    for i, one in enumerate(ones[:_LOOKED_AT]):
        for j, other in enumerate(others[:_LOOKED_AT]):
            together = max(one.utility, none[0]) + max(other.utility, none[1])
            if together > most and not same(one.finding, other.finding):
                best, most = (i, j), together
    if most == -math.inf and ones and others:
        # All are the same value: the likelier side has it.
        left = ones[0].utility - none[0] >= others[0].utility - none[1]
        return (list(ones), []) if left else ([], list(others))
    return list(ones[best[0] :]), list(others[best[1] :])
