"""The error budget: how sure a bill must be, so that at most the allowed share of filled bills is wrong.

The evidence are this database's own bills: those that Vouch judged and people then reviewed and posted. Each has a score,
the confidence it rested on, and was right or wrong. The threshold is the smallest score from which on the upper
confidence bound of the share of wrong bills stays within the budget. The bound is exact (C. J. Clopper, E. S. Pearson:
The use of confidence or fiducial limits illustrated in the case of the binomial, Biometrika 26, 1934). Several
thresholds are tried on the same bills, as in "Learn then Test" (Angelopoulos, Bates, Candès, Jordan, Lei, 2021) with
fixed-sequence testing: the order is chosen from the scores alone, from a strict threshold downwards, and the first one
that fails ends it; so the chance to accept any threshold whose true share is over the budget is at most 1 − confidence.
That is so for one evaluation on bills of the kind that will come; bills that people post without looking teach nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p

STEPS = (0.995, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.93, 0.92, 0.91)
"""The thresholds tried besides the floor, strictest first."""

BORNE = 2
"""The search begins where there are bills enough to bear so many wrong ones."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One posted bill: the confidence its Proposal rested on, and whether it was right."""

    score: float
    right: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """The threshold that is proven, None where none is yet; the bills at or above it (or the floor), and the bound.

    `needed` is how many bills without a wrong one would do at least.
    """

    threshold: float | None
    bills: int
    wrong: int
    bound: float
    needed: int


def prove(trials: Sequence[Trial], budget: float, confidence: float, floor: float) -> Proof:
    """The smallest threshold from `floor` on that keeps the share of wrong bills within `budget`.

    `budget`, `confidence` and `floor` are shares, each over 0; budget and confidence under 1.
    """
    needed = fewest(budget, confidence)
    steps = [*(step for step in STEPS if step > floor), floor]
    counted = [_count(trials, step) for step in steps]
    proven = Proof(None, *counted[-1], upper_bound(counted[-1][1], counted[-1][0], confidence), needed)
    enough = fewest(budget, confidence, BORNE)
    start = next((i for i, (bills, _) in enumerate(counted) if bills >= enough), len(steps) - 1)
    for step, (bills, wrong) in zip(steps[start:], counted[start:], strict=True):
        bound = upper_bound(wrong, bills, confidence)
        if bound > budget:
            break
        proven = Proof(step, bills, wrong, bound, needed)
    return proven


def _count(trials: Sequence[Trial], step: float) -> tuple[int, int]:
    fitting = [trial for trial in trials if trial.score >= step]
    return len(fitting), sum(not trial.right for trial in fitting)


def upper_bound(wrong: int, bills: int, confidence: float) -> float:
    """The share p at which `wrong` or fewer of `bills` have the probability 1 − confidence; 1 without bills."""
    if wrong >= bills:
        return 1.0
    low, high = wrong / bills, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(wrong, bills, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def fewest(budget: float, confidence: float, wrong: int = 0) -> int:
    """How many bills, `wrong` of them wrong, are the fewest that prove the budget."""
    low, high = wrong, wrong + 1
    while upper_bound(wrong, high, confidence) > budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if upper_bound(wrong, middle, confidence) <= budget else (middle, high)
    return high


def _at_most(count: int, bills: int, share: float) -> float:
    """P(X ≤ count) for a binomial X."""
    if share >= 1.0:
        return 0.0
    ways = lgamma(bills + 1)
    terms = (
        ways
        - lgamma(k + 1)
        - lgamma(bills - k + 1)
        + (k * log(share) if k else 0.0)
        + (bills - k) * log1p(-share)
        for k in range(count + 1)
        if share > 0 or k == 0
    )
    return sum(exp(term) for term in terms if term > -inf)


def percent(share: float) -> str:
    """A share in percent with up to two decimals."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"
