"""Confidence of what a model reads: conservative until people have judged enough, then what they found."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ledger.judged import JudgedValues
from connector.ledger.migrate import open_ledger
from inference.invoice import Box, Check, Evidence, Field, Reading, Status, Usage
from inference.readers.vlm.agreement import header_of
from inference.readers.vlm.certainty import Certainty
from inference.readers.vlm.combine import combined, outcomes
from inference.readers.vlm.confidence import ALONE, BY_HAND, NOWHERE, TOGETHER, Calibration, Signs
from inference.readers.vlm.learning import LEAST_VALUES, JudgedValue, learned
from inference.readers.vlm.merge import Merged
from inference.readers.vlm.placing import Said
from tests.unit.test_ledger import attachment, poll

FILLS = 0.9
PLACE = Evidence(1, Box(0.1, 0.1, 0.2, 0.12), "A-7")

certainty = st.builds(
    lambda mean, share: Certainty(mean, mean * share, 3), st.floats(0.01, 1), st.floats(0.01, 1)
)
signs = st.builds(
    Signs,
    st.none() | certainty,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.floats(0, 1),
    st.sampled_from((-1, 0, 1)),
)
judged = st.builds(JudgedValue, signs, st.booleans())


@given(signs)
def test_set_by_hand_the_model_alone_never_fills(sign: Signs) -> None:
    only, both = (BY_HAND.probability(replace(sign, layout=layout)) for layout in (None, sign.layout or 0.5))
    assert 0 < only <= both <= TOGETHER
    assert only <= ALONE < FILLS


@settings(max_examples=40, deadline=None)
@given(st.lists(judged, min_size=1, max_size=20), st.booleans(), signs)
def test_whatever_people_said_a_value_that_stands_nowhere_never_fills(
    told: list[JudgedValue], all_right: bool, sign: Signs
) -> None:
    said = [JudgedValue(one.signs, all_right or one.right) for one in told] * LEAST_VALUES
    chance = learned(said).probability(replace(sign, placed=False))
    assert 0 <= chance <= NOWHERE


@given(st.lists(judged, max_size=LEAST_VALUES - 1))
def test_too_few_values_change_nothing(told: list[JudgedValue]) -> None:
    assert learned(told) == BY_HAND


@given(signs)
def test_signs_survive_the_ledger(sign: Signs) -> None:
    again = Signs.from_json(sign.as_json())
    assert again.features() == pytest.approx(sign.features(), abs=0.02, rel=0.02)
    assert again.as_json() == sign.as_json()


def drawn(
    count: int, right: float, *, seed: int = 1, telling: bool = True, **given: Any
) -> list[JudgedValue]:
    """Values of one kind, that share of them right; where it is `telling`, the model is surer of those that are."""
    source = random.Random(seed)
    values: list[JudgedValue] = []
    for _ in range(count):
        fine = source.random() < right
        mean = source.uniform(0.85, 1.0) if fine or not telling else source.uniform(0.3, 0.95)
        values.append(JudgedValue(Signs(Certainty(mean, mean / 2, 4), placed=True, **given), fine))
    return values


def test_a_model_that_people_found_right_alone_may_fill_and_one_they_did_not_may_not() -> None:
    good, poor = (learned(drawn(600, right, telling=False)) for right in (0.99, 0.7))
    sure = Signs(Certainty(0.99, 0.97, 5), placed=True)
    assert good.probability(sure) >= FILLS > BY_HAND.probability(sure)
    assert poor.probability(sure) < BY_HAND.probability(sure)
    # Never surer than the share that was right, less what chance allows.
    assert good.probability(sure) <= 0.99
    assert (good.reviewed, BY_HAND.reviewed) == (600, 0)


def test_what_was_learned_of_one_kind_leaves_the_bounds_of_the_other() -> None:
    calibration = learned(drawn(600, 0.999))
    assert calibration.together == TOGETHER
    assert learned(drawn(600, 0.999, layout=0.95)).alone == ALONE


def test_learned_probabilities_are_those_of_values_not_seen() -> None:
    """On new values of the same kind: the mean distance of confidence and share right is less than half of what it was."""
    kinds = [
        (0.97, {"layout": 0.95}), (0.8, {}), (0.9, {"checks": 1}), (0.5, {"ambiguous": True}), (0.3, {"checks": -1}),
    ]  # fmt: skip
    training = [
        value for at, (right, more) in enumerate(kinds) for value in drawn(400, right, seed=at, **more)
    ]
    others = [
        value for at, (right, more) in enumerate(kinds) for value in drawn(400, right, seed=100 + at, **more)
    ]
    calibration = learned(training)
    assert 2 * _distance(calibration, others) < _distance(BY_HAND, others)


def _distance(calibration: Calibration, values: list[JudgedValue]) -> float:
    """Expected calibration error over ten bins of equal counts."""
    ranked = sorted((calibration.probability(value.signs), value.right) for value in values)
    size = len(ranked) // 10
    bins = [ranked[at : at + size] for at in range(0, len(ranked), size)]
    return sum(abs(sum(chance - right for chance, right in one)) for one in bins) / len(ranked)


def test_a_check_is_a_sign_that_is_learned_and_never_changes_a_value() -> None:
    fields = {
        "total_without_vat": Field("100", 0.9, (PLACE,)), "seller_name": Field("Example GmbH", 0.9, (PLACE,)),
    }  # fmt: skip
    said = {"seller_name": Said("Example GmbH", "Example GmbH", 1, PLACE, Certainty(0.9, 0.9, 3))}
    reading = combined(Merged(said, (), ()), Reading("layout", {"seller_name": fields["seller_name"]}))
    assert reading.fields["seller_name"].signs["layout"] == 0.9
    assert (
        Reading.from_json(reading.as_json()).fields["seller_name"].signs
        == reading.fields["seller_name"].signs
    )
    told = outcomes(
        [
            Check("totals", Status.PASS, ""),
            Check("lines_sum", Status.FAIL, ""),
            Check("due_date", Status.NOT_APPLICABLE, ""),
        ]
    )
    assert told == {"total_without_vat": -1, "total_vat": 1, "total_with_vat": 1}
    calibration = learned(drawn(400, 0.95, checks=1) + drawn(400, 0.2, checks=-1))
    from inference.invoice import HEADER

    passed, failed = (
        header_of(said, {}, HEADER, frozenset(HEADER), calibration, {"seller_name": outcome})["seller_name"]
        for outcome in (1, -1)
    )
    assert passed.value == failed.value
    assert passed.confidence > failed.confidence


@pytest.fixture
def values(tmp_path: Path) -> Any:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.remember("main", poll(*(attachment(number) for number in range(1, 41))))
    moments = iter(datetime(2026, 11, 2, tzinfo=UTC) + timedelta(seconds=second) for second in range(10_000))
    yield JudgedValues(ledger.engine, lambda: next(moments)), ledger
    ledger.close()


def reading(model: str = "glm-4v-9b") -> Reading:
    sign = Signs(Certainty(0.99, 0.9, 4), placed=True).as_json()
    names = ("invoice_number", "seller_name", "payment_reference", "buyer_name", "purchase_order_reference")
    fields = {name: Field(f"{name} 7", 0.8, (PLACE,), signs=sign) for name in names}
    fields["currency"] = Field("EUR", 0.9)
    return Reading("vlm", fields, usage=Usage(model, 1))


def test_what_a_person_left_standing_is_learned_from_and_only_that(values: Any) -> None:
    store, ledger = values
    job = ledger.claim("test", ["main"])
    assert store.keep(job.id, {"invoice_number": "A-7"}, "person:a") == 0
    ledger.keep_reading(job, "vlm", "1", reading().as_json())
    standing = {
        "invoice_number": "invoice_number 7", "seller_name": "Another GmbH", "payment_reference": "",
        "currency": "EUR", "due_date": "2026-01-01",
    }  # fmt: skip
    # The currency has no signs, and nobody read a due date or was shown the buyer.
    assert store.keep(job.id, standing, "person:a") == 3
    assert [one.right for one in store.newest("glm-4v-9b")].count(True) == 1
    # Judged again: the later word counts, once.
    assert store.keep(job.id, {"seller_name": "seller_name 7"}, "person:b") == 1
    assert store.count("glm-4v-9b") == 3
    assert [one.right for one in store.newest("glm-4v-9b")].count(True) == 2
    assert store.count("glm-ocr") == 0


def test_a_running_service_learns_from_the_next_review_on_and_for_each_model_alone(values: Any) -> None:
    store, ledger = values
    calibration, other = store.calibration("glm-4v-9b"), store.calibration("glm-ocr")
    standing = {name: str(found.value) for name, found in reading().fields.items()}
    for number in range(40):
        job = ledger.claim("test", ["main"])
        ledger.keep_reading(job, "vlm", "1", reading().as_json())
        store.keep(job.id, standing, "person:a")
        assert calibration().reviewed == (200 if number == 39 else 0)
    assert calibration() is calibration()
    assert calibration().alone > ALONE
    assert other() == BY_HAND
    # One word of a person, and it is made anew.
    store.keep(job.id, {"seller_name": ""}, "person:b")
    assert (
        calibration().alone
        < learned([JudgedValue(Signs(Certainty(0.99, 0.9, 4), placed=True), True)] * 200).alone
    )
