"""Notices when somebody sets the clock: what is timed by it must not wait for a time that has been already."""

from __future__ import annotations

import time
from datetime import timedelta

NOTICED = timedelta(seconds=5)
"""Smaller steps are how a clock is kept right."""


class Watch:
    """Compares the wall clock with one that nobody sets."""

    def __init__(self) -> None:
        self._ahead = _ahead()

    def jump(self) -> timedelta:
        """How far the clock was set since the last look, forward or back (negative); zero for less than `NOTICED`."""
        ahead = _ahead()
        moved = timedelta(seconds=ahead - self._ahead)
        if abs(moved) < NOTICED:
            return timedelta()
        self._ahead = ahead
        return moved


def _ahead() -> float:
    return time.time() - time.monotonic()
