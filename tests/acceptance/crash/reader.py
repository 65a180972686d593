"""A process that reads documents and outlives those who are killed: each would spend most of its time on starting its own.

It knows neither Odoo nor the ledger, and what is left of one that dies with its service is for `stages.lives`, which starts
everything as it is.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

from inference.errors import DocumentError
from inference.isolation import sandbox
from inference.page import Limits

STARTED = sandbox._Process


class Kept(STARTED):
    """A reader process that whoever borrowed it leaves as it is."""

    @property
    def is_gone(self) -> bool:
        """Only its parent knows; to others it shows when they ask."""
        return False

    @property
    def is_worn(self) -> bool:
        return False

    def end(self) -> None:
        """It is only borrowed."""

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def is_whole(self) -> bool:
        """Whether it waits for a question: who was killed in the middle of one leaves half of it, or its answer."""
        try:
            return "megabytes" in self.ask({"ask": "memory", "name": ""}, b"")[0]
        except (DocumentError, UnicodeDecodeError):
            return False

    def discard(self) -> None:
        """By its parent: end it for good."""
        super().end()


class Reader:
    """One that is whole, for one borrower at a time."""

    def __init__(self) -> None:
        self._kept: Kept | None = None

    def ready(self) -> Kept:
        """The same as long as it is whole."""
        if self._kept and not self._kept.is_whole():
            self._kept.discard()
            self._kept = None
        self._kept = self._kept or Kept(Limits(), "auto")
        return self._kept


def lend(kept: Kept) -> None:
    """In the borrower: the first process that a Sandbox would start is this one."""
    left = [kept]

    def started(*asked: Any) -> STARTED:
        return left.pop() if left else STARTED(*asked)

    sandbox._Process = started
