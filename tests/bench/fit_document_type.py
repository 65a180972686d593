"""`python -m tests.bench.fit_document_type DIR [--write]`: fit what tells the type of a document, on DIR's with truth.

Every document of DIR and generated documents of every kind and language are read; a conditional logit over the types is
fitted, pulled towards `PRIOR`. What it is worth is told out of fold, where documents of one vendor or template are never
in both. Words that OCR has read once are kept in the cache, the same as those of `make train`.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.model_selection import GroupKFold

from inference.evaluation.folder import find_cases
from inference.evaluation.truth import read_truth
from inference.invoice import DocumentType
from inference.readers.layout import doctype
from inference.readers.layout.candidates import Values
from inference.readers.layout.doctype import Votes, evidence_of
from inference.readers.layout.header import Context
from inference.readers.layout.headings import find_headings
from inference.readers.layout.labels import find_labels
from inference.readers.layout.rows import sheet_of
from inference.training.examples import words_folder, words_of
from tests.samples.random_documents import random_documents

PRIOR = {"title": 1.6, "titled": 1.5, "signs": 1.2, "special": 1.0, "numbered": 0.8, "due": 0.3}
"""What the weights are pulled towards; all others towards nothing."""

PULL, PULL_OTHERS, PULL_FREQUENCY = 0.3, 0.6, 3.0
"""How strongly: how often a type is among these documents says little of others."""

GENERATED = 1.0
"""The weight of a generated document beside a real one. With less, the types of which real examples are few are doubted
more than they are wrong, and the real ones are told no better (log loss 0.146 at 0.3, 0.147 at 1)."""

FEW, LEAST, MOST = 25, 0.6, 6.0
"""Types with fewer than `FEW` documents count as if they had that many, within these bounds."""

KINDS = list(DocumentType)
FOLDS = 8

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """A document: its type, what speaks for each type, whose template it is, whether it is real, its name."""

    kind: DocumentType
    votes: Votes
    group: str
    real: bool
    name: str


@dataclass(frozen=True)
class Page:
    """A document still to be read: the name that tells its format, its bytes, and what is known of it."""

    file: str
    data: bytes
    kind: DocumentType
    group: str
    real: bool
    name: str


def example(page: Page) -> Example | None:
    """The example of a document; None where it has no words."""
    document = words_of(page.data, page.file, words_folder())
    if document is None:
        return None
    sheet = sheet_of(document)
    values = Values.of(sheet)
    headings = find_headings(sheet, values)
    context = Context(sheet, values, find_labels(sheet.rows), frozenset(i for h in headings for i in h.rows))
    if not sheet.rows:
        return None
    return Example(page.kind, evidence_of(context).votes, page.group, page.real, page.name)


def of_folder(folder: Path) -> Iterator[Page]:
    """Every document of a folder whose type is known."""
    for case in find_cases(folder):
        truth = read_truth(case.truth)
        if truth.document_type is None:
            continue
        data = case.document.read_bytes()
        group = f"{case.set}/{truth.fields.get('seller_name', case.id.rpartition('_')[2])[:6].casefold()}"
        yield Page(case.document.name, data, truth.document_type, group, True, case.id)


def generated(count: int) -> Iterator[Page]:
    """So many generated documents of all kinds."""
    for number, (data, _, bill) in enumerate(random_documents(count, 1)):
        kind = DocumentType(bill.document_type)
        yield Page("document.pdf", data, kind, bill.design, False, f"generated {number}, {bill.design}")


@dataclass(frozen=True)
class Table:
    """The examples as numbers: features by example and type, the true types, the weights."""

    names: list[str]
    features: Array
    kinds: NDArray[np.int64]
    weights: Array


def table_of(examples: Sequence[Example]) -> Table:
    """The table of examples; rare types weigh more."""
    names = sorted({name for e in examples for votes in e.votes.values() for name in votes})
    features = np.array([[[e.votes[k].get(n, 0.0) for n in names] for k in KINDS] for e in examples])
    counts = Counter(e.kind for e in examples if e.real)
    balance = {k: min(MOST, max(LEAST, FEW / max(1, counts[k]))) for k in KINDS}
    weights = np.array([balance[e.kind] if e.real else GENERATED for e in examples])
    return Table(names, features, np.array([KINDS.index(e.kind) for e in examples]), weights)


def fit(table: Table, chosen: NDArray[np.bool_]) -> Array:
    """The weights of the features, by maximum likelihood with a pull towards the prior."""
    prior = np.array([PRIOR.get(name, 0.0) for name in table.names])
    pull = np.array([_pull(name) for name in table.names])
    features, kinds, weights = table.features[chosen], table.kinds[chosen], table.weights[chosen]
    right = features[np.arange(len(kinds)), kinds]

    def loss(w: Array) -> tuple[float, Array]:
        chances = probabilities(features, w)
        likelihood = weights @ np.log(chances[np.arange(len(kinds)), kinds] + 1e-12)
        slope = np.einsum("n,nkf,nk->f", weights, features, chances) - weights @ right
        return float(pull @ (w - prior) ** 2 - likelihood), slope + 2 * pull * (w - prior)

    return minimize(loss, prior.copy(), jac=True, method="L-BFGS-B", options={"maxiter": 800}).x


def _pull(name: str) -> float:
    if name.startswith("is_"):
        return PULL_FREQUENCY
    return PULL if name in PRIOR else PULL_OTHERS


def probabilities(features: Array, weights: Array) -> Array:
    """The probability of each type, by example."""
    sums = features @ weights
    shares = np.exp(sums - sums.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def out_of_fold(table: Table, examples: Sequence[Example]) -> Array:
    """The probabilities of each example by weights fitted without its group."""
    chances = np.zeros((len(examples), len(KINDS)))
    groups = [e.group for e in examples]
    for _, held in GroupKFold(FOLDS).split(table.features, groups=groups):
        others = np.ones(len(examples), dtype=bool)
        others[held] = False
        chances[held] = probabilities(table.features[held], fit(table, others))
    return chances


def report(examples: Sequence[Example], chances: Array) -> Iterator[str]:
    """Accuracy by type, calibration, and what is wrong."""
    best = chances.argmax(axis=1)
    right = np.array([KINDS[b] is e.kind for b, e in zip(best, examples, strict=True)])
    for real in (True, False):
        kept = np.array([e.real is real for e in examples])
        if not kept.any():
            continue
        sure = chances.max(axis=1)
        bins = np.array_split(np.argsort(sure[kept]), 10)
        gap = sum(abs(sure[kept][b].mean() - right[kept][b].mean()) * len(b) for b in bins) / kept.sum()
        confident = (sure > 0.9) & ~right & kept
        yield (
            f"{'real' if real else 'generated'}: {kept.sum()} documents, {right[kept].mean():.1%} right,"
            f" ECE {gap:.3f}, {confident.sum()} wrong above 0.9"
        )
        for kind in KINDS:
            of_kind = kept & np.array([e.kind is kind for e in examples])
            if of_kind.any():
                yield f"  {kind:20} {right[of_kind].sum()}/{of_kind.sum()}"
    for example_, b, chance, ok in zip(examples, best, chances.max(axis=1), right, strict=True):
        if not ok and example_.real:
            yield f"wrong: {example_.name}: {example_.kind} read as {KINDS[b]}, {chance:.2f}"


def shipped(weights: Mapping[str, float], examples: Sequence[Example]) -> str:
    """`doctype.json`: the weights that matter, and of how many documents they come."""
    kept = {name: round(float(weight), 2) for name, weight in sorted(weights.items()) if abs(weight) > 0.05}
    real = sum(e.real for e in examples)
    node = {"learned_from": {"real": real, "generated": len(examples) - real}, "weights": kept}
    return json.dumps(node, indent=1) + "\n"


def main() -> int:
    """Fit, print, and write where that is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generated", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--write", action="store_true", help="replace the shipped doctype.json")
    options = parser.parse_args()
    pages = [*of_folder(options.folder), *generated(options.generated)]
    with ProcessPoolExecutor(options.jobs) as pool:
        examples = [found for found in pool.map(example, pages, chunksize=4) if found]
    table = table_of(examples)
    weights = fit(table, np.ones(len(examples), dtype=bool))
    for text in report(examples, out_of_fold(table, examples)):
        print(text)
    if options.write:
        target = Path(doctype.__file__).with_name(doctype.FILE)
        target.write_text(shipped(dict(zip(table.names, weights, strict=True)), examples), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
