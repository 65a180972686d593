"""One process at a time, where several would make the same thing."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_one(lock: Path, waiting: str = "") -> Generator[None]:
    """Hold the lock, a file made where it is missing; who comes second says `waiting` and waits. A crash frees it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                print(waiting, file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


__all__ = ["only_one"]
