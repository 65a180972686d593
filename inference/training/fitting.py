"""Fitting one model: a conditional logit drawn towards what is known beforehand, and its calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from sklearn.linear_model import LogisticRegression

from inference.readers.layout.scorer import calibrated

SEED = 20260301
STRENGTH = 0.006
"""The variance of the weights around those known beforehand, in units of one standard deviation of a mark."""

NONE = "none of them"

_OF_THE_PAGE = frozenset({"ocr", "scanned"})
"""Marks for the calibration only: that the pictures among the examples are receipts says nothing of a candidate."""

BEFOREHAND: Mapping[str, Mapping[str, float]] = {
    "seller_name": {
        "rule_seller": 4, "letterhead": 2, "rule_buyer": -2, "label": -0.5, "sentence": -0.5, "short": -1, "signed": 2,
        "order_letterhead": -2, "order_headed": 1, "told": -2, "unplaced": -0.5, "house_last": -1, NONE: -1,
    },
    "buyer_name": {
        "rule_buyer": 5, "rule_seller": -2, "buyer_heading": 2, "label": -1, "address": -1, "sender": -1,
        "person_under": -4, "over_person": 3, "told": -3, "unplaced": -2, "name_label": 1.5, "block_street": 1,
        "order_letterhead": 3, "order_headed": 1, "under_colon": 0.5, "house_last": -1, NONE: 1,
    },
    "identifier": {"label": 8, "rival": -2, "tied": -1, NONE: 2.4},
    "date": {"label": 8, "rival": -2, "tied": -1, NONE: 2.4},
    "seller_vat_id": {
        "seller_label": 1.5, "buyer_label": -4, "buyer_block": -4, "seller_block": 1, "other_block": -4, "tax_label": 1,
        "said_seller": 3, "said_other": -4, "check": 0.5, "person": -1, "nearer": 0.03, NONE: -2,
    },
    "buyer_vat_id": {
        "buyer_label": 4, "buyer_block": 4, "seller_block": -3, "other_block": -3, "check": 0.5, "nearer": -0.03, "order": -0.4, NONE: 2,
    },
}  # fmt: skip
"""The weights that rules would give: where examples say nothing, these hold."""


@dataclass(frozen=True)
class Question:
    """The marked candidates for one term of one document, and which of them are right; none where `right` has no True.

    `ocr` is the score of each, `weight` what the document counts for.
    """

    marks: Sequence[Mapping[str, float]]
    right: Sequence[bool]
    weight: float


class Choice(NamedTuple):
    """What was chosen for a term of a document that the model had not seen, and whether it is right."""

    share: float
    marks: Mapping[str, float]
    right: bool


NEUTRAL = {"bias": 0.0, "odds": 1.0} | dict.fromkeys(
    ("misread", "narrow", "unsupported", "bare_receipt", "failed", "failed_scan"), 0.0
)


def fit_logit(group: str, questions: Sequence[Question]) -> dict[str, Any]:
    """The model as `scorer.json` has it, not yet calibrated."""
    names = [*sorted({name for q in questions for marks in q.marks for name in marks} - _OF_THE_PAGE), NONE]
    rows: list[list[float]] = []
    right: list[bool] = []
    starts: list[int] = []
    for question in questions:
        starts.append(len(rows))
        rows += [[marks.get(name, 0.0) for name in names] for marks in question.marks]
        rows.append([0.0] * (len(names) - 1) + [1.0])
        right += [*question.right, not any(question.right)]
    matrix = np.array(rows)
    spread = matrix.std(axis=0) + 1e-6
    # The utility of none wants no scale of its own.
    spread[-1] = 1.0
    beforehand = np.array([BEFOREHAND[group].get(name, 0.0) for name in names]) * spread
    weight = np.array([q.weight for q in questions])
    fitted = _most_likely(
        matrix / spread, np.array(right), np.array(starts), weight / weight.mean(), beforehand
    )
    raw = fitted / spread
    return {
        "weights": {n: round(float(w), 4) for n, w in zip(names[:-1], raw, strict=False) if abs(w) > 5e-4},
        "none": round(float(raw[-1]), 4),
        "calibration": NEUTRAL,
    }


def _most_likely(
    matrix: NDArray[np.float64],
    right: NDArray[np.bool_],
    starts: NDArray[np.int64],
    weight: NDArray[np.float64],
    beforehand: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The weights with the most likelihood, held to those known beforehand."""
    counts = np.diff(np.append(starts, len(matrix)))
    question = np.repeat(np.arange(len(starts)), counts)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        utility = matrix @ weights
        most = np.maximum.reduceat(utility, starts)
        part = np.exp(utility - most[question])
        whole = np.add.reduceat(part, starts)
        good = np.add.reduceat(part * right, starts) + 1e-300
        pull = weight[question] * (part / whole[question] - part * right / good[question])
        off = weights - beforehand
        value = float((weight * (np.log(whole) - np.log(good))).sum() + off @ off / (2 * STRENGTH))
        return value, matrix.T @ pull + off / STRENGTH

    search = cast("Any", optimize).minimize
    result: Any = search(loss, beforehand.copy(), jac=True, method="L-BFGS-B", options={"maxiter": 120})
    return np.asarray(result.x, dtype=np.float64)


def calibrate(choices: Sequence[Choice]) -> dict[str, float]:
    """The weights of the logistic calibration on choices that the model had not seen."""
    names = list(NEUTRAL)
    seen = [calibrated(c.share, c.marks) for c in choices]
    matrix = np.array([[s[name] for name in names[1:]] for s in seen])
    # One right and one wrong choice of middling share keep the fit from certainty.
    middle = np.zeros((2, len(names) - 1))
    right = np.array([*(c.right for c in choices), True, False])
    model: Any = LogisticRegression(C=10.0, max_iter=2000)
    model.fit(np.vstack([matrix, middle]), right)
    weights = [float(model.intercept_[0]), *map(float, model.coef_[0])]
    return {name: round(weight, 5) for name, weight in zip(names, weights, strict=True)}


def expected_calibration_error(
    chance: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 10
) -> float:
    """The mean distance between confidence and accuracy over bins of equal count."""
    order = np.argsort(-chance)
    parts = np.array_split(order, min(bins, len(order)))
    return float(sum(abs(chance[p].sum() - right[p].sum()) for p in parts) / len(order))


def coverage(chance: NDArray[np.float64], right: NDArray[np.bool_], total: int, error: float = 0.01) -> float:
    """The largest share of `total` values, by falling confidence, whose error stays within `error`."""
    order = np.argsort(-chance)
    wrong = np.cumsum(~right[order])
    fine = np.nonzero(wrong <= error * np.arange(1, len(order) + 1))[0]
    return float((fine[-1] + 1) / total) if len(fine) else 0.0
