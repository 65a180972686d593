"""How many wait, and the groups of the queue, kept until the queue changes: people who look at it cost one look each time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from connector.ledger.queue import Counted, Group, Queue, Sight, Sought, Stamp

MOST = 256
"""So many answers are kept at once; the one asked for longest ago goes first."""


class Counts:
    """`Queue.count` and `Queue.groups`, kept for as long as `Stamp.reviews` stays. Safe to share between threads."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._stamp = ""
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, stamp: Stamp, sight: Sight, sought: Sought) -> int:
        """How many there are at this stamp."""
        return self._get(stamp, sight, sought, None, lambda: self._queue.count(sight, sought))

    def groups(self, stamp: Stamp, sight: Sight, sought: Sought, by: Group) -> list[Counted]:
        """The groups at this stamp."""
        return list(self._get(stamp, sight, sought, by, lambda: self._queue.groups(sight, sought, by)))

    def _get(
        self, stamp: Stamp, sight: Sight, sought: Sought, by: Group | None, ask: Callable[[], Any]
    ) -> Any:
        # Ages pass without any change of the queue.
        if by is Group.AGE or Group.AGE in sought.groups:
            return ask()
        key = (sight, tuple(sorted(sought.groups.items())), sought.words, sought.backend, by)
        with self._lock:
            if self._stamp != stamp.reviews:
                self._kept.clear()
                self._stamp = stamp.reviews
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = ask()
        # What was counted while the queue changed may be of after the change: it is told, but not kept.
        if self._queue.stamp().reviews == stamp.reviews:
            with self._lock:
                if self._stamp == stamp.reviews:
                    self._kept[key] = found
                    if len(self._kept) > MOST:
                        self._kept.popitem(last=False)
        return found
