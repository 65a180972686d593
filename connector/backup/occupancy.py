"""Who uses a data folder: any number of commands and services at once, or one restore alone."""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from connector.errors import FatalError

NAME = "in-use.lock"


@contextmanager
def occupied(folder: Path, *, alone: bool = False) -> Generator[None]:
    """Hold the folder, with others or `alone`; the lock goes with the process, however that ends.

    Raises FatalError at once where it cannot be had.
    """
    with (folder / NAME).open("ab") as lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = "Vouch is running on" if alone else "A restore is at work in"
            raise FatalError(
                f"{other} {folder}. Wait until it has ended, or stop it, then try again."
            ) from error
        yield
