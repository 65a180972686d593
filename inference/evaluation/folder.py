"""A folder of documents with their truth, in any of three layouts.

`<set>/<id>/doc.*` with `truth.json` beside it; `<id>/doc.*` likewise; `<name>.pdf` (or another type) with
`<name>.json` or `<name>.truth.json` beside it, where the set is the folder it lies in. An `index.csv` with the columns
`set` and `id` gives the order of the documents; documents that it does not name follow by name.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inference.evaluation.truth import TruthError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TRUTH = "truth.json"
# Files that are no documents although they lie beside a truth.
_OTHERS = {".json", ".txt", ".md", ".csv", ".html", ".toml", ".py"}


class FolderError(Exception):
    """The folder has nothing to evaluate. The message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Case:
    """A document and its truth: `id` within its `set`, and where both lie."""

    id: str
    set: str
    document: Path
    truth: Path


def find_cases(folder: Path, document: str = "doc", sets: Iterable[str] = ()) -> list[Case]:
    """The documents with truth in a folder; where each has a folder of its own, the files named `document`.*.

    `sets` keeps only these. Raises FolderError where there are none, TruthError for an index that cannot be read.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder} is not a folder. Name one that holds documents and their truth.")
    cases = sorted({*_in_folders(folder, document), *_side_by_side(folder)}, key=lambda c: (c.set, c.id))
    order = _index(folder)
    if order:
        cases.sort(key=lambda case: order.get((case.set, case.id), len(order)))
    if not cases:
        raise FolderError(
            f"{folder} holds no document with truth. Put the truth beside each document: {document}.pdf and "
            f"{TRUTH} in a folder of their own, or NAME.pdf and NAME.json. docs/eval.md shows the forms."
        )
    wanted = set(sets)
    if missing := wanted - {case.set for case in cases}:
        names = ", ".join(sorted({case.set for case in cases}))
        raise FolderError(f"{folder} has no set “{', '.join(sorted(missing))}”. It has {names}.")
    return [case for case in cases if not wanted or case.set in wanted]


def legible(text: str) -> str:
    """The text with what no terminal should get (control characters, broken encodings) as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _in_folders(folder: Path, document: str) -> Iterator[Case]:
    for truth in folder.rglob(TRUTH):
        place = truth.parent
        named = sorted(f for f in place.glob(f"{document}.*") if f.suffix.lower() not in _OTHERS)
        if named:
            above = place.parent.relative_to(folder).as_posix()
            yield Case(legible(place.name), legible(folder.name if above == "." else above), named[0], truth)


def _side_by_side(folder: Path) -> Iterator[Case]:
    for truth in folder.rglob("*.json"):
        stem = truth.name.removesuffix(".json").removesuffix(".truth")
        if truth.name == TRUTH or not stem:
            continue
        place = truth.parent
        named = sorted(f for f in place.iterdir() if f.stem == stem and f.suffix.lower() not in _OTHERS)
        if named:
            above = place.relative_to(folder).as_posix()
            yield Case(legible(stem), legible(folder.name if above == "." else above), named[0], truth)


def _index(folder: Path) -> dict[tuple[str, str], int]:
    """The place of each document in `index.csv`."""
    file = folder / "index.csv"
    if not file.exists():
        return {}
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return {(row["set"], row["id"]): place for place, row in enumerate(csv.DictReader(lines))}
    except (KeyError, ValueError) as error:
        raise TruthError(f"{file}: needs the columns “set” and “id”, in UTF-8 ({error}).") from error
