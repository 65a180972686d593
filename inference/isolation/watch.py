"""A process is watched while it works on a question: how long it takes, and how much memory it has."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

LOOK_SECONDS = 0.05
"""Between two looks at the memory: what fills a gigabyte in a second is found 50 MB too late."""
PROCESSES = Path("/proc")


class Excess(StrEnum):
    """What a process had too much of."""

    TIME = "time"
    MEMORY = "memory"


class Watch:
    """Within it, `stop` is called once `seconds` are over, or the process `pid` has more than `megabytes` in memory;
    `found` says which. Only Linux tells the memory of others so cheaply (proc(5), statm); elsewhere time alone counts."""

    def __init__(self, pid: int, seconds: float, megabytes: float, stop: Callable[[], None]) -> None:
        self.found: Excess | None = None
        self._statm, self._end = PROCESSES / str(pid) / "statm", time.monotonic() + seconds
        self._pages = megabytes * 1e6 / resource.getpagesize()
        self._stop, self._over = stop, threading.Event()
        self._thread = threading.Thread(target=self._look, name=f"watch-{pid}", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # So that nothing is stopped once the question is answered.
        self._thread.join()

    def _look(self) -> None:
        tells = self._statm.exists()
        while not self._over.wait(LOOK_SECONDS if tells else max(0.0, self._end - time.monotonic())):
            if time.monotonic() >= self._end:
                self.found = Excess.TIME
            elif tells and self._resident() > self._pages:
                self.found = Excess.MEMORY
            if self.found:
                self._stop()
                return

    def _resident(self) -> int:
        """Pages of the process in memory; none once it has ended."""
        try:
            return int(self._statm.read_text().split()[1])
        except (OSError, IndexError):
            return 0
