"""The learned scorer: what is chosen among candidates, when none of them, and how sure."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.confidence import Features
from inference.evaluation.likeness import fold
from inference.readers.layout.candidates import Finding
from inference.readers.layout.choice import choose, likeliest_pair, scored
from inference.readers.layout.scorer import Model, Scorer, share_of, shipped
from inference.training.fitting import NEUTRAL

CALIBRATION = NEUTRAL | {"misread": -3.0}
MODEL = Model({"label": 6.0}, 2.0, CALIBRATION)


def finding(value: str, label: float, ocr: float = 1.0) -> Finding:
    return Finding("", value, (), 0.0, Features(ocr=ocr), value, marks={"label": label, "ocr": ocr})


def alike(one: Finding, other: Finding) -> bool:
    return fold(str(one.value)) == fold(str(other.value))


def test_the_best_candidate_is_chosen_and_a_near_rival_makes_it_doubtful() -> None:
    alone = choose([finding("A-1", 1.0), finding("B-2", 0.0)], MODEL, "invoice_number")
    contested = choose([finding("A-1", 1.0), finding("B-2", 0.95)], MODEL, "invoice_number")
    assert alone is not None
    assert contested is not None
    assert (alone.term, alone.value, contested.value) == ("invoice_number", "A-1", "A-1")
    assert alone.probability is not None
    assert contested.probability is not None
    assert alone.probability > 0.95
    assert contested.probability < 0.7


def test_none_of_them_is_an_answer() -> None:
    assert choose([finding("A-1", 0.1), finding("B-2", 0.0)], MODEL, "invoice_number") is None
    assert choose([], MODEL, "invoice_number") is None


def test_words_that_were_hard_to_recognise_lower_the_probability() -> None:
    clear = choose([finding("A-1", 1.0)], MODEL, "invoice_number")
    faint = choose([finding("A-1", 1.0, ocr=0.4)], MODEL, "invoice_number")
    assert clear is not None
    assert faint is not None
    assert (faint.probability or 0) < (clear.probability or 0)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=8), st.floats(-50, 50))
def test_shares_of_all_and_of_none_make_a_whole(utilities: list[float], none: float) -> None:
    parts = [
        share_of(utilities, [i == place for i in range(len(utilities))], none)
        for place in range(len(utilities))
    ]
    assert all(0 <= part <= 1 for part in parts)
    assert sum(parts) == pytest.approx(share_of(utilities, [True] * len(utilities), none))
    assert sum(parts) <= 1 + 1e-9


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 1)), max_size=6),
    st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 1)), max_size=6),
)
def test_one_value_is_never_both_parties(
    ones: Sequence[tuple[str, float]], others: Sequence[tuple[str, float]]
) -> None:
    left = scored([finding(value, label) for value, label in ones], MODEL)
    right = scored([finding(value, label) for value, label in others], MODEL)
    first, second = likeliest_pair(left, right, (2.0, 2.0), alike)
    if first and second:
        assert not alike(first[0].finding, second[0].finding)


def test_the_shipped_model_trusts_what_labels_and_rules_say() -> None:
    scorer = shipped()
    assert {
        "identifier",
        "date",
        "seller_name",
        "buyer_name",
        "seller_vat_id",
        "buyer_vat_id",
    } <= scorer.models.keys()
    for group, mark in (
        ("identifier", "label"), ("date", "label"), ("seller_name", "rule_seller"), ("buyer_name", "rule_buyer"),
        ("seller_vat_id", "seller_block"), ("buyer_vat_id", "buyer_block"),
    ):  # fmt: skip
        assert scorer[group].weights[mark] > 0
        assert scorer[group].calibration["odds"] > 0


def test_a_model_without_its_parts_is_refused() -> None:
    with pytest.raises(KeyError):
        Scorer.from_json({"models": {"date": {"weights": {}}}})
