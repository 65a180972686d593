"""The error budget keeps what it promises: simulated databases with true error rates drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.judgement import Owner, unproven
from mappings.budget import BORNE, STEPS, Trial, fewest, prove, upper_bound
from mappings.policy import Policy

FLOOR, CONFIDENCE = 0.90, 0.95
Curve = Callable[[float], float]


def bills(count: int, wrong: int, score: float = 0.95) -> list[Trial]:
    return [Trial(score, right=number >= wrong) for number in range(count)]


@pytest.mark.parametrize(
    ("wrong", "of", "bound"),
    # Clopper and Pearson's one-sided bounds: beta quantiles 0.95 of (wrong + 1, of − wrong).
    [(0, 299, 0.009969), (0, 10, 0.258866), (1, 10, 0.394163), (3, 1000, 0.007735), (5, 5, 1.0), (0, 0, 1.0)],
)
def test_the_bound_is_clopper_and_pearsons(wrong: int, of: int, bound: float) -> None:
    assert upper_bound(wrong, of, 0.95) == pytest.approx(bound, abs=1e-6)


@given(st.integers(0, 50), st.integers(1, 500), st.sampled_from([0.8, 0.95, 0.99]))
def test_more_bills_tighten_the_bound_and_wrong_ones_loosen_it(wrong: int, right: int, sure: float) -> None:
    bound = upper_bound(wrong, wrong + right, sure)
    assert wrong / (wrong + right) < bound
    assert upper_bound(wrong, wrong + right + 1, sure) < bound
    assert upper_bound(wrong + 1, wrong + right + 1, sure) > bound


def test_without_evidence_nothing_is_proven_and_the_sentence_says_what_is_missing() -> None:
    owner = Owner(Policy(), error_budget=0.01)
    proof = prove(bills(298, 0), 0.01, CONFIDENCE, FLOOR)
    assert (proof.threshold, proof.needed) == (None, 299)
    assert unproven(proof, owner) == (
        "it is not proven yet that at most 1 % of the bills would be wrong: 298 like it were posted so "
        "far (0 wrong), at least 299 are needed."
    )
    assert prove(bills(299, 0), 0.01, CONFIDENCE, FLOOR).threshold == FLOOR
    bad = prove(bills(400, 8), 0.01, CONFIDENCE, FLOOR)
    assert bad.threshold is None
    assert "400 bills like it posted so far 8 were wrong" in unproven(bad, owner)


def test_the_threshold_is_never_below_the_owners_own() -> None:
    assert prove(bills(5000, 0, 1.0), 0.05, CONFIDENCE, 0.97).threshold == 0.97
    assert prove(bills(5000, 0, 0.96), 0.05, CONFIDENCE, 0.97).threshold is None


def test_the_threshold_rises_above_what_is_wrong() -> None:
    trials = [*bills(1000, 1, 0.99), *bills(1000, 100, 0.92)]
    proof = prove(trials, 0.01, CONFIDENCE, FLOOR)
    assert proof.threshold == 0.93
    assert (proof.bills, proof.wrong) == (1000, 1)


def realised(curve: Curve, threshold: float, rng: Random) -> float:
    """The true share of wrong bills among those at or above a threshold."""
    scores = [score for _ in range(4000) if (score := rng.uniform(FLOOR, 1.0)) >= threshold]
    return sum(curve(score) for score in scores) / len(scores) if scores else 0.0


def failures(curve: Curve, count: int, budget: float, rng: Random, runs: int) -> int:
    """In how many of `runs` databases a threshold is accepted whose true share is over the budget."""
    truth = {step: realised(curve, step, rng) for step in (*STEPS, FLOOR)}
    wrong = 0
    for _ in range(runs):
        trials = [
            Trial(score, right=rng.random() >= curve(score))
            for score in (rng.uniform(FLOOR, 1.0) for _ in range(count))
        ]
        accepted = prove(trials, budget, CONFIDENCE, FLOOR).threshold
        wrong += accepted is not None and truth[accepted] > budget * 1.02  # the truth is itself estimated
    return wrong


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.floats(0.0, 0.08),
    st.floats(0.0, 0.08),
    st.floats(0.2, 4.0),
    st.integers(50, 1500),
    st.integers(0, 2**32),
)
def test_the_realised_error_keeps_within_the_budget(
    at_floor: float, at_top: float, bend: float, count: int, seed: int
) -> None:
    """Any curve of true error over the score, also one that rises: at most 5 % of databases may be misled."""

    def curve(score: float) -> float:
        part = ((score - FLOOR) / (1.0 - FLOOR)) ** bend
        return at_floor + (at_top - at_floor) * part

    runs = 60
    # Of 60 runs with a true chance of 5 %, more than 10 are wrong twice in 10,000.
    assert failures(curve, count, 0.02, Random(seed), runs) <= 10


@pytest.mark.parametrize("count", [fewest(0.02, CONFIDENCE) + 1, fewest(0.02, CONFIDENCE, BORNE) + 10, 1000])
def test_an_error_just_over_the_budget_is_hardly_ever_accepted(count: int) -> None:
    wrong = failures(lambda _: 0.0206, count, 0.02, Random(7), 200)
    # 5 % of 200 are 10; more than 22 would come once in 10,000.
    assert wrong <= 22


def test_the_budget_is_of_use_where_bills_are_right() -> None:
    rng = Random(3)
    runs = [
        prove(
            [Trial(rng.uniform(FLOOR, 1.0), rng.random() >= 0.001) for _ in range(1500)],
            0.01,
            CONFIDENCE,
            FLOOR,
        )
        for _ in range(50)
    ]
    assert sum(proof.threshold == FLOOR for proof in runs) >= 45
