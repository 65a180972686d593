"""Guessing is slow: after some failures each further try has to wait, twice as long every time."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connector.ledger.failures import MOST_KEYS, Failures

if TYPE_CHECKING:
    from sqlalchemy import Engine


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
    """Failures by login and by address, kept in the ledger."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], most: int = MOST_KEYS) -> None:
        self._failures = Failures(engine, clock, most)

    def begin(self, backend: str, login: str, address: str) -> timedelta:
        """Nothing, and the try counts as a failure until it is forgiven; or how long it still has to wait."""
        by_login, by_address = _keys(backend, login, address)
        return self._failures.begin({by_login: BY_LOGIN.wait, by_address: BY_ADDRESS.wait})

    def forgive(self, backend: str, login: str, address: str) -> None:
        """A try was good: the login's failures are forgotten, and this one of the address."""
        self._failures.forgive(*_keys(backend, login, address))


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


def _keys(backend: str, login: str, address: str) -> tuple[str, str]:
    return f"login {backend} {login.strip().lower()[:256]}", f"address {network(address)}"
