"""Confidence: from what speaks for a value to the probability that it is right.

What the learned scorer chooses (names, tax ids, numbers, dates) is calibrated in `readers.layout.scorer`, lines in
`readers.layout.line_confidence`. The logistic table here serves the other header terms: its weights were fitted by
logistic regression on 1,379 header values of labelled documents, with a bias per group of terms. Fitted on one half
of the documents, the expected calibration error on the other half is 0.03.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from inference.invoice import HEADER, Check, Field, Kind, Row, Status


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for a value; 0 is neutral where a feature says nothing.

    label: how surely a label names it (0–1). relation: how well it stands to the label (0–1).
    margin: distance to the best other value (0–1). repeated: the value stands elsewhere too (0/1).
    arithmetic: figures agree (1), disagree (−1), or say nothing (0). check_digit: likewise.
    ambiguous: two readings of the same words (0/1). ocr: the lowest OCR score (0–1), 1 for a text layer.
    scanned: words come from OCR (0/1). negative: a negative total on no credit note (0/1).
    """

    label: float = 0.0
    relation: float = 0.0
    margin: float = 1.0
    repeated: float = 0.0
    arithmetic: float = 0.0
    check_digit: float = 0.0
    ambiguous: float = 0.0
    ocr: float = 1.0
    scanned: float = 0.0
    negative: float = 0.0


WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "label": 2.05,
        "relation": 0.59,
        "margin": 1.08,
        "repeated": 1.51,
        "arithmetic": 1.5,
        "check_digit": 0.6,
        "ambiguous": -3.83,
        "ocr": 3.35,
        "scanned": -0.41,
        "negative": -3.03,
    }
)
"""Log-odds per unit of each feature."""

BIAS: Mapping[str, float] = MappingProxyType(
    {
        "identifier": -1.65,
        "date": -2.59,
        "code": -2.14,
        "tax": -3.21,
        "seller": -3.38,
        "buyer": -3.88,
        "total": -3.6,
        "line": -4.4,
    }
)
"""Log-odds to start from, by the group of the term."""

HIGHEST = 0.995
"""No value is surer than that."""

FAILED_CHECK = 0.5
"""The most that a value is trusted whose check failed."""

FAILED_DIGITS = 0.9
"""The most that a tax id is trusted whose check digits failed: an id can be printed wrong. The check says so."""

AMBIGUOUS = 0.6
"""The most that a value is trusted that can be read in two ways."""

_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "document_type": "code", "currency": "code",
        "seller_name": "seller", "seller_address": "seller", "buyer_name": "buyer",
        "seller_vat_id": "tax", "buyer_vat_id": "tax", "seller_tax_id": "tax", "payment_account": "tax",
    }
)  # fmt: skip
_KIND_GROUPS: Mapping[Kind, str] = MappingProxyType({Kind.AMOUNT: "total", Kind.DATE: "date"})


def probability(term: str, features: Features) -> float:
    """The probability (0.01–`HIGHEST`) that the value of a header term is right, from its features."""
    odds = BIAS[group_of(term)]
    odds += sum(weight * getattr(features, name) for name, weight in WEIGHTS.items())
    chance = 1 / (1 + math.exp(-odds))
    if features.ambiguous or features.negative:
        chance = min(chance, AMBIGUOUS)
    if features.arithmetic <= -1:
        chance = min(chance, FAILED_CHECK)
    return min(HIGHEST, max(0.01, chance))


def group_of(term: str) -> str:
    """The group of a term in `BIAS`."""
    if term not in HEADER:
        return "line"
    return _GROUPS.get(term) or _KIND_GROUPS.get(HEADER[term].kind, "identifier")


def doubt_failed(fields: Mapping[str, Field], checks: Sequence[Check]) -> dict[str, Field]:
    """The fields with those lowered that a failed check is about, its sentence as their note.

    Where net total, VAT and total agree, lines that do not add up to them are doubted, not the totals.
    """
    doubted = dict(fields)
    agreed = any(check.id == "totals" and check.status is Status.PASS for check in checks)
    for check in checks:
        if check.status is not Status.FAIL or (check.id == "lines_sum" and agreed):
            continue
        for name in CONCERNS.get(check.id, ()):
            if name in doubted:
                most = FAILED_DIGITS if check.id in ("seller_vat_id", "buyer_vat_id") else FAILED_CHECK
                doubted[name] = doubted[name].doubted(most, check.message)
    return doubted


def doubt_amounts(lines: Sequence[Row], message: str) -> tuple[Row, ...]:
    """The lines with all their amounts lowered, because together they do not make the total."""
    amounts = ("line_net_amount", "line_total_with_vat")
    return tuple(
        {n: (f.doubted(AMBIGUOUS, message) if n in amounts else f) for n, f in line.items()} for line in lines
    )


def doubt_failed_lines(lines: Sequence[Row], failed: Sequence[int], message: str) -> tuple[Row, ...]:
    """The lines with the figures of those lowered whose own arithmetic failed, by their positions."""
    figures = {"quantity", "net_price", "line_net_amount", "discount_percent", "discount_amount"}
    return tuple(
        {n: (f.doubted(FAILED_CHECK, message) if n in figures else f) for n, f in line.items()}
        if position in failed
        else line
        for position, line in enumerate(lines)
    )


CONCERNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lines_sum": ("total_without_vat",),
        "vat_by_rate": ("total_vat",),
        "vat_plausible": ("total_vat",),
        "totals": ("total_without_vat", "total_vat", "total_with_vat"),
        "amount_due": ("amount_due", "prepaid_amount"),
        "due_date": ("due_date",),
        "seller_vat_id": ("seller_vat_id",),
        "buyer_vat_id": ("buyer_vat_id",),
        "payment_account": ("payment_account",),
        "currency": ("currency",),
    }
)
"""The header terms that each check of `inference.checks` is about."""
