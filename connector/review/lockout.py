"""Guessing is slow: after some failures each further try has to wait, twice as long every time."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_KEYS = 20_000
FORGOTTEN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """`free` failures cost nothing; the waits after that double from one second up to `longest`."""

    free: int
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long the next try has to wait after so many failures."""
        if failures < self.free:
            return timedelta()
        return min(timedelta(seconds=2 ** min(failures - self.free, 20)), self.longest)


BY_LOGIN = Rule(5, timedelta(minutes=5))
BY_ADDRESS = Rule(20, timedelta(minutes=15))


class Lockout:
    """Failures by login and by address, in memory: the oldest are forgotten first, and all after an hour."""

    def __init__(self, clock: Callable[[], datetime], most: int = MOST_KEYS) -> None:
        self._clock, self._most = clock, most
        self._failed: OrderedDict[Hashable, tuple[int, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, backend: str, login: str, address: str) -> timedelta:
        """Nothing, and the try counts as a failure until it is forgiven; or how long it still has to wait."""
        now = self._clock()
        with self._lock:
            kept = [
                (key, rule, *self._failed.get(key, (0, now))) for key, rule in _keys(backend, login, address)
            ]
            wait = max(at + rule.wait(failures) - now for _, rule, failures, at in kept)
            if wait > timedelta():
                return wait
            for key, _, failures, at in kept:
                self._failed.pop(key, None)
                self._failed[key] = (1 if now - at > FORGOTTEN else failures + 1, now)
            while len(self._failed) > self._most:
                self._failed.popitem(last=False)
        return timedelta()

    def forgive(self, backend: str, login: str, address: str) -> None:
        """A try was good: the login's failures are forgotten, and this one of the address."""
        with self._lock:
            (by_login, _), (by_address, _) = _keys(backend, login, address)
            self._failed.pop(by_login, None)
            failures, at = self._failed.get(by_address, (0, self._clock()))
            if failures > 1:
                self._failed[by_address] = (failures - 1, at)
            else:
                self._failed.pop(by_address, None)


def network(address: str) -> str:
    """What is one place for counting: the address, or the /64 that IPv6 gives to one customer."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))


def _keys(backend: str, login: str, address: str) -> tuple[tuple[Hashable, Rule], tuple[Hashable, Rule]]:
    return (("login", backend, login.strip().lower()[:256]), BY_LOGIN), (
        ("address", network(address)),
        BY_ADDRESS,
    )
