"""API keys of reviewers' own, so that Odoo shows their verdicts as theirs. In memory only: no disk, no log has them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.erp.port import Erp

MOST = 500
Owner = tuple[str, int]
"""Backend and id of the user there."""


class OwnKeys:
    """Backends as single persons, each until it is given up or older than `longest`."""

    def __init__(self, longest: timedelta, clock: Callable[[], datetime]) -> None:
        self._longest, self._clock = longest, clock
        self._kept: OrderedDict[Owner, tuple[Erp, datetime, datetime | None]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, owner: Owner, erp: Erp, ends_at: datetime | None = None) -> None:
        """From now on the person's verdicts are written by this one, whose key ends then."""
        with self._lock:
            old = [self._kept.pop(owner, None)]
            self._kept[owner] = (erp, self._clock(), ends_at)
            while len(self._kept) > MOST:
                old.append(self._kept.popitem(last=False)[1])
        for one in old:
            if one:
                one[0].close()

    def of(self, owner: Owner) -> Erp | None:
        """The Backend as that person, where they gave a key."""
        with self._lock:
            found = self._kept.get(owner)
        if found is None:
            return None
        if self._clock() - found[1] > self._longest:
            self.give_up(owner)
            return None
        return found[0]

    def ends(self, backend: str | None, user_id: int | None) -> datetime | None:
        """When the person's key ends, where they gave one and Odoo told."""
        if backend is None or user_id is None:
            return None
        with self._lock:
            found = self._kept.get((backend, user_id))
        return found[2] if found else None

    def give_up(self, owner: Owner) -> None:
        """Forget the person's key."""
        with self._lock:
            found = self._kept.pop(owner, None)
        if found:
            found[0].close()
