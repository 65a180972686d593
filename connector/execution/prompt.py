"""Polls out of turn: a Backend that said there is something new is looked at within a second or two."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog
from structlog.typing import FilteringBoundLogger

from connector.errors import VouchError

if TYPE_CHECKING:
    from connector.pipeline import Pipeline

GATHER_SECONDS = 0.5
"""Calls so close together are one: a mail with ten bills makes ten."""
PAUSE_SECONDS = 3.0
"""A Backend is polled out of turn so often at most."""
SWEEP_SECONDS = 10.0

log: FilteringBoundLogger = structlog.get_logger()


class Prompt:
    """A thread that polls Backends when asked to, and sweeps now and then."""

    def __init__(self, pipelines: Mapping[str, Pipeline], found: Callable[[], None]) -> None:
        self._pipelines, self._found = pipelines, found
        self._asked: set[str] = set()
        self._polled: dict[str, float] = {}
        self._changed, self._stopping = threading.Condition(), False

    def ask(self, backend: str) -> None:
        """Poll it soon."""
        with self._changed:
            self._asked.add(backend)
            self._changed.notify()

    def stop(self) -> None:
        """Return from `run`."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def run(self, sweep: Callable[[], None]) -> None:
        """Poll what is asked for and sweep, until `stop`."""
        swept = 0.0
        while not self._stopping:
            with self._changed:
                if not self._asked:
                    self._changed.wait(1.0)
                asked = bool(self._asked)
            if asked:
                self._rest(GATHER_SECONDS)
                for backend in self._due():
                    self._poll(backend)
            if time.monotonic() - swept >= SWEEP_SECONDS:
                try:
                    sweep()
                except VouchError as error:
                    # What waits stays where it is, for the next sweep.
                    log.error("sweep failed", cause=str(error))
                swept = time.monotonic()

    def _due(self) -> list[str]:
        now = time.monotonic()
        with self._changed:
            due = [one for one in self._asked if now - self._polled.get(one, -PAUSE_SECONDS) >= PAUSE_SECONDS]
            self._asked.difference_update(due)
        return [one for one in due if one in self._pipelines]

    def _poll(self, backend: str) -> None:
        self._polled[backend] = time.monotonic()
        try:
            if self._pipelines[backend].discover():
                self._found()
        except VouchError as error:
            # The ledger has the cause, and the schedule tries again.
            log.error("poll failed", backend=backend, cause=str(error))

    def _rest(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, seconds)
