"""Writes of which it is not known whether they happened: whether Odoo may still be at one."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from connector.errors import RetriableError, VouchError
from connector.ledger.store import utc_now
from connector.ledger.tries import sent_at

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from connector.ledger.records import EffectRecord


class Unsure:
    """Knows for how long a write may still happen. `longest` is the time that Odoo works on a request at most.

    The wall clock may be set meanwhile: what this process sent is measured by a clock that nobody sets, and what seems
    to have been sent in the future counts from now on. Safe to share between threads.
    """

    def __init__(self, engine: Engine, longest: timedelta) -> None:
        self._engine, self._longest = engine, longest
        self._until: dict[str, float] = {}

    @contextmanager
    def sending(self, key: str) -> Generator[None]:
        """While the Effect of that key is sent; remembered where it is not known afterwards what came of it."""
        self._until[key] = time.monotonic() + self._longest.total_seconds()
        try:
            yield
        except VouchError as error:
            if not isinstance(error, RetriableError):
                self._until.pop(key, None)
            raise
        self._until.pop(key, None)

    def require_over(self, effect: EffectRecord) -> None:
        """Raises RetriableError while Odoo may still be at an Effect."""
        young = sent_at(self._engine, effect) + self._longest
        if time.monotonic() < self._until.get(effect.key, 0.0) or utc_now() < young:
            raise RetriableError(
                "A write was interrupted and Odoo may still be at it. Vouch looks again later."
            )
        self._until.pop(effect.key, None)
