"""Training: what a truth teaches, twins kept together, and a model that learns what the examples say."""

from __future__ import annotations

from random import Random

import numpy as np

from inference.document import Document, Origin
from inference.invoice import Box
from inference.page import Token
from inference.readers.layout.scorer import Scorer
from inference.training.examples import Example, WordsPage, groups
from inference.training.fitting import (
    BEFOREHAND,
    Choice,
    Question,
    calibrate,
    coverage,
    expected_calibration_error,
    fit_logit,
)
from inference.training.folds import FOLDS, split


def example(name: str, words: str, seller: str) -> Example:
    tokens = tuple(Token(word, Box(0.1, 0.1, 0.2, 0.11)) for word in words.split())
    pages = (WordsPage(1, 600, 840, False, tokens),)
    document = Document(name, name, "application/pdf", Origin.BORN_DIGITAL, pages)
    return Example(name, "typed", document, {"seller_name": seller}, frozenset(), False)


def test_documents_of_one_seller_or_one_template_are_one_group() -> None:
    made = [
        example("a", "invoice number date total customer", "Morgenrot GmbH"),
        example("b", "rechnung nummer datum summe kunde", "Morgenrot GmbH"),
        example("c", "invoice number date total client", "Kiesel AG"),
        example("d", "faktura numer kwota nabywca razem", "Aalbek Sp. z o.o."),
    ]
    a, b, c, d = groups(made)
    assert a == b == c
    assert d != a


def test_folds_keep_groups_whole_and_are_all_used() -> None:
    rng = Random(7)
    group_of = [rng.randint(0, 30) for _ in range(200)]
    folds = split(group_of, [1.0] * len(group_of))
    assert len(set(folds)) == FOLDS
    assert all(
        len({f for f, g in zip(folds, group_of, strict=True) if g == group}) == 1 for group in set(group_of)
    )


def test_light_groups_do_not_crowd_the_weighty_ones_into_one_fold() -> None:
    group_of = [0] * 100 + [1] * 100 + [2] * 100 + [3] * 100 + list(range(4, 44))
    weight = [0.01] * 400 + [1.0] * 40
    folds = split(group_of, weight)
    weighty = [f for f, w in zip(folds, weight, strict=True) if w == 1]
    assert all(6 <= weighty.count(number) <= 10 for number in range(FOLDS))


def test_the_fit_learns_what_examples_say_and_keeps_to_rules_where_they_say_nothing() -> None:
    rng = Random(3)
    questions: list[Question] = []
    for _ in range(300):
        marks = [{"label": 0.5, "top": rng.random(), "rival": 0.0} for _ in range(4)]
        best = max(range(4), key=lambda i: marks[i]["top"])
        questions.append(Question(marks, [i == best for i in range(4)], 1.0))
    node = fit_logit("date", questions)
    assert node["weights"]["top"] > 1
    assert abs(node["weights"]["label"] - BEFOREHAND["date"]["label"]) < 0.5
    model = Scorer.from_json({"models": {"date": node}})["date"]
    assert model.utility({"label": 0.5, "top": 0.9}) > model.utility({"label": 0.5, "top": 0.1})


def test_calibration_lowers_shares_that_promise_too_much() -> None:
    rng = Random(5)
    choices = [Choice(0.99, {"ocr": 1.0}, rng.random() < 0.7) for _ in range(400)]
    node = {"weights": {}, "none": 0.0, "calibration": calibrate(choices)}
    chance = Scorer.from_json({"models": {"date": node}})["date"].chance(0.99, {"ocr": 1.0})
    assert 0.6 < chance < 0.8


def test_coverage_and_calibration_error_of_known_figures() -> None:
    chance = np.array([0.9] * 99 + [0.8])
    right = np.array([True] * 99 + [False])
    assert coverage(chance, right, 200) == 0.5
    assert coverage(np.array([0.9, 0.8]), np.array([False, True]), 2) == 0.0
    assert expected_calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0.0
