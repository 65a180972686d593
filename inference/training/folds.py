"""Cross-validation by vendor and template: what the scorer chooses on documents it has not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from inference.document import Document
from inference.evaluation.likeness import fold, same
from inference.invoice import HEADER, value_as_json
from inference.readers.layout import LayoutReader
from inference.readers.layout.candidates import Finding
from inference.readers.layout.choice import Scored, compared, likeliest_pair, scored
from inference.readers.layout.parties import same_party
from inference.readers.layout.scorer import Scorer
from inference.readers.layout.tax_ids import same_id
from inference.training.examples import Example
from inference.training.fitting import SEED, Choice, Question, fit_logit

FOLDS = 5
GROUPS: Mapping[str, str] = {
    "invoice_number": "identifier", "purchase_order_reference": "identifier", "order_number": "identifier",
    "issue_date": "date", "due_date": "date",
    "seller_name": "seller_name", "buyer_name": "buyer_name",
    "seller_vat_id": "seller_vat_id", "buyer_vat_id": "buyer_vat_id",
}  # fmt: skip
"""The model that chooses each term."""

PAIRS = (("seller_name", "buyer_name", same_party), ("seller_vat_id", "buyer_vat_id", same_id))
"""Terms that are chosen together, and which of their candidates are the same value."""

AFTER_NAMES = ("seller_vat_id", "buyer_vat_id")
"""Terms whose marks depend on the names that were chosen."""


@dataclass
class Marked:
    """An example with the candidates of each term."""

    example: Example
    group: int
    fold: int
    candidates: dict[str, list[Finding]] = field(default_factory=dict[str, "list[Finding]"])


def verdict(example: Example, term: str, finding: Finding) -> bool | None:
    """Whether a candidate is the value of a term; None where the truth does not tell."""
    given = value_as_json(finding.value)
    wanted = example.truth.get(term)
    if wanted is not None:
        right = same(HEADER[term].kind, wanted, given)
        # A sentence that holds the name is no answer, nor is it a wrong one.
        if right and term.endswith("_name") and len(fold(given)) > 2 * len(fold(wanted)) + 8:
            return None
        return right
    if term in example.absent:
        return False
    twins = (t for t in GROUPS if t != term and GROUPS[t] == GROUPS[term] and t in example.truth)
    return False if any(same(HEADER[t].kind, example.truth[t], given) for t in twins) else None


def questions(marked: Sequence[Marked], group: str) -> list[Question]:
    """What a group's model learns from: the terms of which the truth is known, candidates it does not judge left out.

    Documents of one template count together as the square root of their number.
    """
    twins = Counter(entry.group for entry in marked)
    found: list[Question] = []
    for entry in marked:
        example = entry.example
        for term in (t for t in GROUPS if GROUPS[t] == group):
            known = [(f, verdict(example, term, f)) for f in entry.candidates.get(term, ())]
            judged = [(f, right) for f, right in known if right is not None]
            reachable = any(right for _, right in judged)
            if judged and (reachable or term in example.absent):
                weight = example.weight / twins[entry.group] ** 0.5
                found.append(Question([f.marks for f, _ in judged], [r for _, r in judged], weight))
    return found


def fit(marked: Sequence[Marked], names: Sequence[str]) -> dict[str, Any]:
    """The models of the groups as `scorer.json` has them."""
    return {group: fit_logit(group, questions(marked, group)) for group in names}


def split(group_of: Sequence[int], weight: Sequence[float]) -> list[int]:
    """A fold per example: whole groups, the weightiest first into the fold that has least.

    Real documents weigh most, so that generated ones do not crowd them into one fold.
    """
    sizes = {g: sum(w for own, w in zip(group_of, weight, strict=True) if own == g) for g in set(group_of)}
    order = np.random.default_rng(SEED).permutation(sorted(sizes))
    filled = [0.0] * FOLDS
    fold_of: dict[int, int] = {}
    for group in sorted(order, key=lambda g: -sizes[int(g)]):
        target = filled.index(min(filled))
        fold_of[int(group)] = target
        filled[target] += sizes[int(group)]
    return [fold_of[g] for g in group_of]


def unseen_choice(scorer: Scorer, entry: Marked, term: str) -> Choice | None:
    """What a scorer that has not seen the document chooses for a term, as the reader does: names and ids in pairs."""
    model = scorer[GROUPS[term]]
    same_value = next((pair[2] for pair in PAIRS if term in pair[:2]), _itself)
    ranked = _ranked(scorer, entry, term)
    if not ranked:
        return None
    best, share, _ = compared(ranked, model, same_value)
    wanted = entry.example.truth.get(term)
    right = wanted is not None and same(HEADER[term].kind, wanted, value_as_json(best.value))
    return Choice(share, best.marks, right)


def _ranked(scorer: Scorer, entry: Marked, term: str) -> list[Scored]:
    """The candidates of a term, best first, led by the one of the likeliest pair."""
    for first, second, same_value in PAIRS:
        if term in (first, second):
            sides = [scored(entry.candidates.get(t, []), scorer[GROUPS[t]]) for t in (first, second)]
            none = scorer[GROUPS[first]].none, scorer[GROUPS[second]].none
            return likeliest_pair(sides[0], sides[1], none, same_value)[term == second]
    return scored(entry.candidates.get(term, []), scorer[GROUPS[term]])


def _itself(one: Finding, other: Finding) -> bool:
    return one is other


def mark(examples: Sequence[Example], group_of: Sequence[int], jobs: int = 2) -> list[Marked]:
    """All candidates; those that depend on names are marked by names that an unseeing scorer chose."""
    with ProcessPoolExecutor(jobs) as pool:
        documents = [e.document for e in examples]
        folds = split(group_of, [e.weight**2 for e in examples])
        found = pool.map(_candidates, documents, [Scorer({})] * len(documents), chunksize=8)
        marked = [Marked(e, g, f, c) for e, g, f, c in zip(examples, group_of, folds, found, strict=True)]
        for number in range(FOLDS):
            models = fit([m for m in marked if m.fold != number], ("seller_name", "buyer_name"))
            entries = [
                m for m in marked if m.fold == number and any(t in m.example.truth for t in AFTER_NAMES)
            ]
            documents = [m.example.document for m in entries]
            unseeing = [Scorer.from_json({"models": models})] * len(entries)
            again = pool.map(_candidates, documents, unseeing, chunksize=8)
            for entry, candidates in zip(entries, again, strict=True):
                entry.candidates |= {term: candidates[term] for term in AFTER_NAMES}
    return marked


def _candidates(document: Document, scorer: Scorer) -> dict[str, list[Finding]]:
    """The candidates by term without their places, which are of no use to training."""
    found = LayoutReader(scorer).candidates(document)
    placeless = {id(f): replace(f, spans=()) for findings in found.values() for f in findings}
    return {term: [placeless[id(f)] for f in findings] for term, findings in found.items()}
