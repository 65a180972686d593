"""`python -m tests.bench.fit_lines DIR`: fit the confidence of lines on a folder of documents with truth.

Every document of DIR and some generated ones, clean and as scans, are read; each value of each line is right or
wrong by the truth. Per group of terms a logistic regression is fitted; its reliability is told out of fold, where
documents of one vendor or template are never in both. The table is printed for `line_confidence.WEIGHTS`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import fuzz
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from inference.document import Document, open_document
from inference.evaluation.folder import find_cases
from inference.invoice import Value
from inference.readers import Recipient
from inference.readers.layout import find_all
from inference.readers.layout.lexicon import fold
from inference.readers.layout.line_confidence import GROUPS, signs
from inference.readers.layout.line_findings import line_findings
from inference.readers.layout.rows import sheet_of
from tests.samples import degrade
from tests.samples.random_documents import random_documents

TERMS = {
    "description": "item_name", "subtotal": "line_net_amount", "unit_price": "net_price",
    "tax_rate": "vat_rate", "product_code": "item_seller_id",
}  # fmt: skip
"""Names of the truth of other collections, and the terms they stand for."""

GENERATED = 0.3
"""The weight of a value of a generated document beside one of a real document."""

_FOLDS = 10


@dataclass(frozen=True)
class Example:
    """One value of a line: its group, what speaks for it, whether it is right, and whose document it is on."""

    group: str
    signs: Mapping[str, float]
    right: bool
    vendor: str
    weight: float


def examples(
    document: Document, truth: Sequence[Mapping[str, Any]], vendor: str, weight: float
) -> Iterator[Example]:
    """The values of the lines that the layout reader finds on a document, judged by its true lines."""
    wanted = [{TERMS.get(name, name): value for name, value in line.items()} for line in truth]
    _, _, lines = find_all(sheet_of(document), Recipient())
    for line in lines:
        found = line_findings(line)
        match = max(wanted, key=lambda true: _likeness(true, found), default=None)
        real = match is not None and _likeness(match, found) >= 1
        if real:
            wanted.remove(match)
        for term, finding in found.items():
            role = "discount" if term.startswith("discount") else term
            # Units are printed in words, true ones may be codes: a unit is as sure as its quantity.
            if role == "unit" or (real and term not in match):
                continue
            right = real and _same(match[term], finding.value)
            yield Example(
                GROUPS.get(role, "identifier"), signs(line, role, finding.features), right, vendor, weight
            )


def _likeness(true: Mapping[str, Any], found: Mapping[str, Any]) -> float:
    amounts = ("line_net_amount", "quantity", "net_price")
    same = [name in true and name in found and _same(true[name], found[name].value) for name in amounts]
    name = "item_name" in true and "item_name" in found and _same(true["item_name"], found["item_name"].value)
    return same[0] + name + 0.4 * same[1] + 0.3 * same[2]


def _same(true: object, given: Value) -> bool:
    if isinstance(given, Decimal):
        try:
            return abs(Decimal(str(true)) - given) <= Decimal("0.005")
        except InvalidOperation:
            return False
    one, other = fold(str(true)), fold(str(given))
    return bool(one and other) and (one in other or other in one or fuzz.ratio(one, other) >= 60)


@dataclass(frozen=True)
class Fitted:
    """The weights by group, and for each example the probability out of fold."""

    weights: Mapping[str, Mapping[str, float]]
    chances: Sequence[float]


def fit(found: Sequence[Example]) -> Fitted:
    """Logistic regressions, one per group; a group of one kind of outcome only is refused."""
    weights: dict[str, dict[str, float]] = {}
    chances = np.zeros(len(found))
    for group in sorted({example.group for example in found}):
        places = np.array([i for i, example in enumerate(found) if example.group == group])
        chosen = [found[i] for i in places]
        names = list(chosen[0].signs)
        table = np.array([[example.signs[name] for name in names] for example in chosen])
        right = np.array([example.right for example in chosen])
        weight = np.array([example.weight for example in chosen])
        vendors = [example.vendor for example in chosen]
        if right.all() or not right.any():
            raise ValueError(f"All values of the group {group} are alike: give it more documents.")
        folds = GroupKFold(min(_FOLDS, len(set(vendors))))
        for train, test in folds.split(table, right, vendors):
            chances[places[test]] = (
                _model().fit(table[train], right[train], weight[train]).predict_proba(table[test])[:, 1]
            )
        whole = _model().fit(table, right, weight)
        weights[group] = dict(zip(names, whole.coef_[0].round(2).tolist(), strict=True))
    return Fitted(weights, chances.clip(0.01, 0.995).tolist())


def _model() -> LogisticRegression:
    return LogisticRegression(C=0.5, fit_intercept=False, max_iter=2000)


def ece(chances: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """The expected calibration error over bins of equal count."""
    order = np.argsort(chances)
    parts = np.array_split(order, bins)
    off = [
        abs(np.mean(np.take(chances, part)) - np.mean(np.take(right, part))) * len(part)
        for part in parts
        if len(part)
    ]
    return float(sum(off) / len(order))


def report(found: Sequence[Example], fitted: Fitted) -> Iterator[str]:
    """The reliability out of fold on real documents, by group, and the table to ship."""
    for group in (*fitted.weights, "all"):
        kept = [i for i, e in enumerate(found) if e.weight == 1 and group in (e.group, "all")]
        if not kept:
            continue
        chances, right = [fitted.chances[i] for i in kept], [found[i].right for i in kept]
        sure = [r for c, r in zip(chances, right, strict=True) if c >= 0.95]
        yield (
            f"{group:10} {len(kept):5} values, {np.mean(right):6.1%} right, ECE {ece(chances, right):.3f},"
            f" {len(sure) / len(kept):4.0%} at 0.95 or more, {np.mean(sure) if sure else 0:6.1%} of those right"
        )
    yield "WEIGHTS = " + json.dumps(fitted.weights, indent=4)


def of_folder(folder: Path) -> Iterator[Example]:
    """The examples of every document of a folder that has true lines."""
    for case in find_cases(folder):
        truth = json.loads(case.truth.read_text("utf-8"))
        fields = truth.get("fields", {})
        lines = truth.get("lines") or fields.get("lines")
        if lines:
            vendor = truth.get("vendor") or fields.get("supplier_name") or case.set
            document = open_document(case.document.read_bytes(), case.document.name)
            yield from examples(document, lines, str(vendor), 1.0)


def generated(count: int, scans: int) -> Iterator[Example]:
    """The examples of so many generated documents, and of so many more as scans."""
    for number, (data, truth, bill) in enumerate(random_documents(count + scans, seed=1)):
        document = open_document(data if number < count else degrade.scan(data, number), "bill.pdf")
        yield from examples(document, truth["lines"], bill.design, GENERATED)


def main() -> int:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generated", type=int, default=150)
    parser.add_argument("--scans", type=int, default=40)
    options = parser.parse_args()
    found: Iterable[Example] = [*of_folder(options.folder), *generated(options.generated, options.scans)]
    found = list(found)
    for text in report(found, fit(found)):
        print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
