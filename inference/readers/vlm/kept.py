"""Answers kept by what was asked: the same image, model, words and schema are never sent twice.

One JSON file an answer, named by the hash of the question, two levels deep; the ones unused for longest go first.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from inference.readers.vlm.certainty import Certainty

_TIDY_EVERY = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as the model gave it; `certainties` by path in it, empty where the server told none."""

    text: str
    cut: bool
    certainties: Mapping[str, Certainty]


def key_of(*parts: str) -> str:
    """The name of a question: image, model, prompt, schema and so on."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class KeptAnswers:
    """A folder of at most so many megabytes. Safe for many threads and processes."""

    def __init__(self, folder: Path, megabytes: float) -> None:
        self._folder, self._most = folder, megabytes * 1e6
        self._lock = threading.Lock()
        self._until_tidy = 0

    def get(self, key: str) -> Told | None:
        """The answer to a question, or None where there is none, or only a damaged one."""
        path = self._path(key)
        try:
            found = _told(json.loads(path.read_text("utf-8")))
            os.utime(path)
        except (OSError, ValueError, KeyError, TypeError):
            # To ask again costs a second; to believe half an answer may cost a wrong bill.
            return None
        return found

    def put(self, key: str, told: Told) -> None:
        """Keep an answer. Either the whole file is there afterwards or none; none where the disk takes no more: it will
        be asked for again."""
        path = self._path(key)
        node = {"text": told.text, "cut": told.cut, "certainties": dict(told.certainties)}
        try:
            _write(path, json.dumps(node))
        except OSError as error:
            log.warning("an answer of the model is not kept: %s", error)
            return
        with self._lock:
            self._until_tidy -= 1
            due = self._until_tidy < 0
            self._until_tidy = _TIDY_EVERY if due else self._until_tidy
        if due:
            self._tidy()

    def _tidy(self) -> None:
        """Remove the ones unused for longest, until a tenth of the room is free."""
        files = [
            (stat.st_mtime, stat.st_size, path) for path in self._folder.glob("*/*") if (stat := _stat(path))
        ]
        excess = sum(size for _, size, _ in files) - self._most
        if excess <= 0:
            return
        excess += self._most / 10
        for _, size, path in sorted(files):
            path.unlink(missing_ok=True)
            excess -= size
            if excess <= 0:
                return

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"


def _write(path: Path, text: str) -> None:
    """The whole file or none. Raises OSError."""
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile(
        "w", dir=path.parent, prefix=f"{path.stem}.", delete=False, encoding="utf-8"
    ) as draft:
        try:
            draft.write(text)
            draft.flush()
        except OSError:
            os.unlink(draft.name)
            raise
    os.replace(draft.name, path)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:  # Another process tidies too.
        return None


def _told(node: dict[str, Any]) -> Told:
    certainties = {
        str(path): Certainty(float(mean), float(least), int(free))
        for path, (mean, least, free) in node["certainties"].items()
    }
    if not isinstance(node["text"], str) or not isinstance(node["cut"], bool):
        raise TypeError("no answer")
    return Told(node["text"], node["cut"], certainties)
