"""A folder read and scored, document by document, in processes of their own."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.document import open_document
from inference.errors import DamagedDocument, DocumentError, OversizedDocument
from inference.evaluation.crops import crop
from inference.evaluation.folder import legible
from inference.evaluation.outcome import Outcome, Value, Verdict, score_document
from inference.evaluation.truth import read_truth
from inference.evaluation.workers import Lost, answers
from inference.page import Limits
from inference.reading import make_readers, read_document

if TYPE_CHECKING:
    from inference.document import Document
    from inference.evaluation.folder import Case
    from inference.invoice import Reading
    from inference.readers import Reader

CROPS_PER_DOCUMENT = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """How a folder is read: by which reader, in how many processes, at most how many seconds per document.

    `predictions` is a folder that gets each Reading as `<set>/<id>.json`; `crops` asks for pictures of what is wrong.
    """

    reader: str = "auto"
    jobs: int = 1
    seconds: float = 300.0
    limits: Limits = field(default_factory=Limits)
    predictions: Path | None = None
    crops: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """A document's Outcome, and JPEGs of the places of its wrong values, by name of the value."""

    outcome: Outcome
    crops: dict[str, bytes] = field(default_factory=dict[str, bytes])


def run(cases: Sequence[Case], plan: Plan) -> Generator[tuple[int, Scored]]:
    """Each case's position and result, as they are done. A document that cannot be read has a failure, and stops
    no other one; closing the generator ends the processes. Raises TruthError before anything is read."""
    truths = [read_truth(case.truth) for case in cases]
    tasks = [_task(case, plan) for case in cases]
    for place, answer in answers(read_case, tasks, plan.jobs, plan.seconds):
        if isinstance(answer, Lost):
            case = cases[place]
            missing = score_document(truths[place], None, name=case.id, group=case.set)
            yield (
                place,
                Scored(replace(missing, file=legible(case.document.name), failure=_lost(answer, plan))),
            )
        else:
            crops = {name: base64.b64decode(data) for name, data in answer["crops"].items()}
            yield place, Scored(Outcome.from_json(answer["outcome"]), crops)


def read_case(task: dict[str, Any]) -> dict[str, Any]:
    """In a worker: read one document and score it. `{"outcome", "crops": {NAME: JPEG in base64}}`."""
    truth, file = read_truth(Path(task["truth"])), Path(task["document"])
    limits = Limits(**task["limits"])
    document, reading, failure = None, None, None
    started = time.perf_counter()
    try:
        document = open_document(_bytes(file, limits), file.name, limits)
        reading = read_document(document, readers=_readers(task["reader"]))
    except DocumentError as error:
        failure = (error.reason, str(error))
    except (
        Exception
    ) as error:  # A defect in reading one document is a result about it, and the others still count.
        failure = ("defect", f"{type(error).__name__}: {error}")
    spent = (time.perf_counter() - started) * 1000
    outcome = score_document(truth, reading, name=task["id"], group=task["set"])
    outcome = replace(outcome, failure=failure, milliseconds=spent, file=legible(file.name))
    crops: dict[str, str] = {}
    if document is not None and reading is not None:
        outcome = replace(outcome, kind=document.origin.value, pages=len(document.pages))
        if task["predictions"]:
            _keep(document, reading, Path(task["predictions"]) / task["set"] / f"{task['id']}.json")
        if task["crops"]:
            crops = {name: base64.b64encode(data).decode() for name, data in _crops(document, outcome)}
    return {"outcome": outcome.as_json(), "crops": crops}


@cache
def _readers(name: str) -> tuple[Reader, ...]:
    return make_readers(name)


def _task(case: Case, plan: Plan) -> dict[str, Any]:
    return {
        "id": case.id,
        "set": case.set,
        "document": str(case.document),
        "truth": str(case.truth),
        "reader": plan.reader,
        "limits": asdict(plan.limits),
        "predictions": str(plan.predictions) if plan.predictions else None,
        "crops": plan.crops,
    }


def _bytes(file: Path, limits: Limits) -> bytes:
    try:
        if file.stat().st_size > limits.megabytes * 1e6:
            raise OversizedDocument(f"The file is larger than {limits.megabytes:g} MB. Raise the limit.")
        return file.read_bytes()
    except OSError as error:
        raise DamagedDocument(f"The file cannot be opened: {error.strerror}. Check its rights.") from error


def _lost(answer: Lost, plan: Plan) -> tuple[str, str]:
    if answer.exit_code is None:
        return (
            "slow",
            f"It took longer than {plan.seconds:g} seconds. Allow more time, or split the document.",
        )
    return "crashed", f"The process that read it ended with exit code {answer.exit_code}."


def _keep(document: Document, reading: Reading, file: Path) -> None:
    head = {
        "name": document.name,
        "sha256": document.sha256,
        "mime": document.mime,
        "pages": len(document.pages),
        "kind": document.origin.value,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    node = {"document": head} | reading.as_json()
    file.write_text(json.dumps(node, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _crops(document: Document, outcome: Outcome) -> Generator[tuple[str, bytes]]:
    """Pictures of the wrong values that have a place on a page, the surest first."""
    values = [*outcome.values, *([outcome.type] if outcome.type else [])]
    wrong = [value for value in values if value.verdict is Verdict.WRONG]
    wrong.sort(key=lambda value: -(value.confidence or 0))
    for value in wrong[:CROPS_PER_DOCUMENT]:
        if (picture := _crop(document, value)) is not None:
            yield value.name, picture


def _crop(document: Document, value: Value) -> bytes | None:
    proof = value.evidence
    if proof is None or proof.box is None or proof.page is None or proof.page > len(document.pages):
        return None
    try:
        return crop(document.pages[proof.page - 1], proof.box)
    except DocumentError:  # The words are known without the picture, as in an e-invoice that has no pages.
        return None
