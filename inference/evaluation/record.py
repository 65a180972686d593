"""A run as a whole, and as JSON: what `vouch eval --json` writes and `--compare` reads. docs/eval.md shows its shape."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inference.evaluation.figures import by_set, figures
from inference.evaluation.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from inference.evaluation.compare import Comparison
    from inference.evaluation.targets import Reached

FORMAT = 1


class RecordError(Exception):
    """A file is no record of a run. The message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was evaluated, by what, when, and what each document came to.

    `folder` is its name, without the path. `planned` is how many documents there were; fewer outcomes mean that a
    person interrupted the run.
    """

    version: str
    folder: str
    document: str
    reader: str
    finished: str
    planned: int
    outcomes: tuple[Outcome, ...]

    @property
    def interrupted(self) -> bool:
        """Whether documents were left out."""
        return len(self.outcomes) < self.planned

    def as_json(
        self, targets: Sequence[Reached] = (), comparison: Comparison | None = None
    ) -> dict[str, Any]:
        """See docs/eval.md."""
        node: dict[str, Any] = {
            "format": FORMAT,
            "vouch": self.version,
            "folder": self.folder,
            "document": self.document,
            "reader": self.reader,
            "finished": self.finished,
            "planned": self.planned,
            "figures": figures(self.outcomes).as_json(),
            "sets": {name: figures(group).as_json() for name, group in by_set(self.outcomes).items()},
        }
        if targets:
            node["targets"] = [one.as_json() for one in targets]
        if comparison:
            node["comparison"] = comparison.as_json()
        return node | {"documents": [outcome.as_json() for outcome in self.outcomes]}


def read_record(file: Path) -> Record:
    """A run kept as JSON. Raises RecordError."""
    try:
        node = json.loads(file.read_text("utf-8"))
        if node["format"] != FORMAT:
            raise RecordError(
                f"{file}: has format {node['format']}, and only {FORMAT} is known. Run it again."
            )
        return Record(
            node["vouch"],
            node["folder"],
            node["document"],
            node["reader"],
            node["finished"],
            node["planned"],
            tuple(Outcome.from_json(outcome) for outcome in node["documents"]),
        )
    except OSError as error:
        raise RecordError(f"{file}: cannot be opened: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(
            f"{file}: is not what vouch eval --json writes ({type(error).__name__}: {error})."
        ) from error
