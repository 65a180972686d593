"""A long poll tells that it gets further, so that it is not taken for one that hangs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.ledger.store import Ledger

TOLD_EVERY = 10.0
"""Seconds; the least time after which a poll is overdue is 60."""


class Progress:
    """Called with every step of one poll, it tells the ledger now and then; of a short poll nothing."""

    def __init__(self, ledger: Ledger, backend: str) -> None:
        self._ledger, self._backend, self._told = ledger, backend, time.monotonic()

    def __call__(self) -> None:
        """One step further. Raises LedgerAway where that cannot be told."""
        if time.monotonic() - self._told >= TOLD_EVERY:
            self._ledger.poll_goes_on(self._backend)
            self._told = time.monotonic()
