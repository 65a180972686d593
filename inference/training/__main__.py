"""`python -m inference.training DIR… [--write]`: learn the scorer, print cross-validated figures, write `scorer.json`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from inference.document import Document
from inference.evaluation.likeness import same
from inference.invoice import HEADER, Reading, value_as_json
from inference.readers.layout import LayoutReader
from inference.readers.layout import scorer as shipped_scorer
from inference.readers.layout.scorer import Scorer
from inference.training.examples import Example, groups, load, words_folder
from inference.training.fitting import (
    SEED,
    Choice,
    calibrate,
    coverage,
    expected_calibration_error,
)
from inference.training.folds import FOLDS, GROUPS, Marked, fit, mark, unseen_choice

MODELS = tuple(dict.fromkeys(GROUPS.values()))


def main() -> int:
    """Learns from the folders named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m inference.training", description=__doc__)
    parser.add_argument(
        "folders", nargs="+", type=Path, help="documents with truth, as `vouch eval` takes them"
    )
    parser.add_argument("--write", action="store_true", help="replace the shipped scorer.json")
    parser.add_argument(
        "--oof", type=Path, help="write what was read of documents not seen, as JSON readings"
    )
    parser.add_argument(
        "--words", type=Path, default=words_folder(), help="where the words of documents are kept once read"
    )
    options = parser.parse_args()
    examples = load(options.folders, [term for term in HEADER if term != "document_type"], options.words)
    marked = mark(examples, groups(examples))
    by_fold = [fit([m for m in marked if m.fold != number], MODELS) for number in range(FOLDS)]
    choices = {group: _unseen(marked, by_fold, group) for group in MODELS}
    if options.write:
        models = _calibrated(fit(marked, MODELS), {g: [c for _, c in found] for g, found in choices.items()})
        node = {"learned_from": _sources(examples), "seed": SEED, "folds": FOLDS, "models": models}
        target = Path(shipped_scorer.__file__).with_name(shipped_scorer.FILE)
        target.write_text(json.dumps(node, separators=(",", ":"), ensure_ascii=False) + "\n", "utf-8")
        sys.stdout.write(f"{target.name}: {target.stat().st_size // 1024} KB\n")
    tally = Tally()
    tested: list[tuple[Example, Scorer]] = []
    for number, models in enumerate(by_fold):
        known = {g: [c for f, c in found if f != number] for g, found in choices.items()}
        scorer = Scorer.from_json({"models": _calibrated(models, known)})
        tested += [(m.example, scorer) for m in marked if m.fold == number and not m.example.made]
    with ProcessPoolExecutor(2) as pool:
        readings = pool.map(_read, (e.document for e, _ in tested), (s for _, s in tested), chunksize=8)
        for (example, _), reading in zip(tested, readings, strict=True):
            tally.count(example, reading)
            if options.oof:
                _keep(reading, options.oof / example.set / f"{example.id}.json")
    tally.show(sys.stdout)
    return 0


def _unseen(
    marked: Sequence[Marked], by_fold: Sequence[Mapping[str, Any]], group: str
) -> list[tuple[int, Choice]]:
    """What each fold's model chooses on its own documents, generated ones left out."""
    found: list[tuple[int, Choice]] = []
    for number, models in enumerate(by_fold):
        scorer = Scorer.from_json({"models": models})
        for entry in marked:
            if entry.fold != number or entry.example.made:
                continue
            for term in (t for t in GROUPS if GROUPS[t] == group):
                known = term in entry.example.truth or term in entry.example.absent
                if known and (choice := unseen_choice(scorer, entry, term)):
                    found.append((number, choice))
    return found


def _calibrated(models: Mapping[str, Any], choices: Mapping[str, Sequence[Choice]]) -> dict[str, Any]:
    return {group: model | {"calibration": calibrate(choices[group])} for group, model in models.items()}


def _sources(examples: Sequence[Example]) -> dict[str, int]:
    """How many documents of each set were learned from."""
    return {name: sum(e.set == name for e in examples) for name in sorted({e.set for e in examples})}


def _read(document: Document, scorer: Scorer) -> Reading:
    return LayoutReader(scorer).read(document)


def _keep(reading: Reading, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(reading.as_json()), "utf-8")


class Tally:
    """Counts what was read of documents that the scorer had not seen."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = {}
        self.given: list[tuple[str, float, bool]] = []
        self.total = 0
        self.by_folder: dict[str, list[int]] = {}

    def count(self, example: Example, reading: Reading) -> None:
        """Compares what was read of one document with its truth."""
        for term, wanted in example.truth.items():
            found = reading.get(term)
            counts = self.counts.setdefault(term, [0, 0, 0])
            right = found is not None and same(HEADER[term].kind, wanted, value_as_json(found.value))
            outcome = 0 if right else 2 if found is None else 1
            counts[outcome] += 1
            self.by_folder.setdefault(example.set.partition("/")[0], [0, 0, 0])[outcome] += 1
            self.total += 1
            if found is not None:
                self.given.append((term, found.confidence, right))

    def show(self, out: Any) -> None:
        """Accuracy, precision and mean confidence per term, accuracy per folder; calibration of learned terms and of all."""
        for term, (right, wrong, missing) in sorted(self.counts.items()):
            total, given = right + wrong + missing, max(1, right + wrong)
            learned = "*" if term in GROUPS else " "
            mean = sum(c for t, c, _ in self.given if t == term) / given
            out.write(
                f"{learned} {term:26} {total:4} in truth  accuracy {right / total:6.1%}  precision {right / given:6.1%}"
                f"  confidence {mean:6.1%}  {wrong} wrong, {missing} missing\n"
            )
        for folder, (right, wrong, missing) in self.by_folder.items():
            total, given = right + wrong + missing, max(1, right + wrong)
            out.write(
                f"{folder}: accuracy {right / total:.1%}, precision {right / given:.1%}, {total} in truth\n"
            )
        for name, wanted in (("learned terms", set(GROUPS)), ("all terms", set(self.counts))):
            part = [(c, r) for t, c, r in self.given if t in wanted]
            total = sum(sum(n) for t, n in self.counts.items() if t in wanted)
            chance, right = np.array([c for c, _ in part]), np.array([r for _, r in part])
            sure = right[chance >= 0.99]
            out.write(
                f"{name}: ece {expected_calibration_error(chance, right):.4f}, coverage at 1 % error "
                f"{coverage(chance, right, total):.3f}, at confidence 0.99 {int((~sure).sum())} wrong of {len(sure)}\n"
            )


if __name__ == "__main__":
    raise SystemExit(main())
