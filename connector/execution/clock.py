"""Notices when somebody sets the clock: what is timed by it must not wait for a time that has been already, and nothing is
deleted by it that is not old."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from connector.errors import RetriableError

NOTICED = timedelta(seconds=5)
"""Smaller steps are how a clock is kept right."""
BELIEVED = timedelta(hours=1)
"""So far may clocks be apart before nothing is deleted by them: far more than drift and a slow answer, far less than a
day, the shortest time for which documents are kept."""


class ClockDoubted(RetriableError):
    """The clock may be wrong: what cannot be undone waits."""


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


def steady() -> float:
    """Seconds by a clock that nobody sets; on Linux it goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class BelievedClock:
    """The wall clock, once others bear it out: those of other machines, and what was known to have been by then.

    `known` is the last moment on record when this begins. Work may have rested since: a later beginning is believed where
    another clock says the same, or there is none to ask.
    """

    def __init__(
        self,
        known: datetime | None,
        clock: Callable[[], datetime],
        ticks: Callable[[], float] = steady,
    ) -> None:
        self._clock, self._ticks = clock, ticks
        self._began, self._ticked = clock(), ticks()
        self._known = known or self._began

    def now(self, others: Mapping[str, Callable[[], datetime | None]]) -> datetime:
        """The time. `others` give theirs by name, None where they do not answer. Raises ClockDoubted, with the remedy."""
        answers = 0
        for name, ask in others.items():
            if (theirs := ask()) is None:
                continue
            answers += 1
            apart = self._clock() - theirs
            if abs(apart) > BELIEVED:
                raise ClockDoubted(
                    f"The clock is {span(apart)} {'ahead of' if apart > timedelta() else 'behind'} that of {name}: set right "
                    "the one that is wrong; it goes on by itself then."
                )
        asked = answers > 0 or not others
        now, ticked = self._clock(), self._ticks()
        # A clock that is put back and right again is not put forward.
        due = (max(self._known, self._began) if asked else self._known) + timedelta(
            seconds=ticked - self._ticked
        )
        beyond = now - due
        if beyond <= BELIEVED:
            if asked:
                self._known, self._began, self._ticked = due, due, ticked
            return now
        if asked:
            raise ClockDoubted(
                f"The clock was put forward by {span(beyond)} while Vouch was running: put it back, and it goes on by "
                "itself. Where it is right now, start Vouch again."
            )
        raise ClockDoubted(
            f"The clock is {span(beyond)} beyond the last that is on record, and nobody says what time it is ("
            f"{', '.join(others)}): it goes on by itself when one of these answers. Take out of the settings what is gone for good."
        )


def span(apart: timedelta) -> str:
    """A length of time in words, to the day, or to the hour where it is shorter."""
    days, hours = abs(apart).days, round(abs(apart).total_seconds() / 3600)
    return f"{days} days" if days > 1 else f"{hours} hours" if hours > 1 else "more than an hour"
