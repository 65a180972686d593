"""How many requests one caller may make: a bucket of tokens for each, refilled steadily."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime

MOST_KEYS = 20_000


class Rates:
    """Buckets in memory, `per_minute` deep and refilled at that rate; the ones used longest ago are forgotten first."""

    def __init__(self, per_minute: int, clock: Callable[[], datetime], most: int = MOST_KEYS) -> None:
        self._per_minute, self._clock, self._most = per_minute, clock, most
        self._left: OrderedDict[Hashable, tuple[float, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: Hashable) -> float:
        """Zero, and one request is counted; or after how many seconds the caller may come again."""
        now, rate = self._clock(), self._per_minute / 60
        with self._lock:
            left, at = self._left.pop(caller, (float(self._per_minute), now))
            left = min(float(self._per_minute), left + max((now - at).total_seconds(), 0.0) * rate)
            wait = 0.0 if left >= 1 else (1 - left) / rate
            self._left[caller] = (left if wait else left - 1, now)
            while len(self._left) > self._most:
                self._left.popitem(last=False)
        return wait
