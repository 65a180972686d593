"""What a code says about a bill, in business terms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.invoice import Value


@dataclass(frozen=True, slots=True)
class Claim:
    """A value for one of `terms`; several where the code's standard leaves open which one is meant.

    One that is `weak` can only confirm: the payee of a transfer may be a bank's customer and not the seller.
    """

    terms: tuple[str, ...]
    value: Value
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Claims:
    """All that one code says. `source` names the standard for people."""

    source: str
    claims: tuple[Claim, ...]


class Collector:
    """Collects claims, leaving out what is empty or no such value."""

    def __init__(self) -> None:
        self._claims: list[Claim] = []

    def text(self, value: object, *terms: str, weak: bool = False) -> None:
        """Add a text or identifier."""
        if isinstance(value, str) and 0 < len(value.strip()) <= 200 and value.isprintable():
            self._claims.append(Claim(terms, value.strip(), weak))

    def amount(self, value: object, *terms: str, weak: bool = False) -> None:
        """Add an amount written as xs:decimal, in digits or as a number of JSON."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = repr(value)
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,14}(\.\d{1,6})?", value.strip()):
            self._claims.append(Claim(terms, Decimal(value.strip()), weak))

    def day(self, value: object, pattern: str, *terms: str) -> None:
        """Add a date whose year, month and day are the groups `y`, `m` and `d` of `pattern`."""
        found = re.fullmatch(pattern, value.strip()) if isinstance(value, str) else None
        if found is None:
            return
        year = int(found["y"]) + (2000 if len(found["y"]) == 2 else 0)
        try:
            day = date(year, int(found["m"]), int(found["d"]))
        except ValueError:
            return
        if day.year >= 1970:
            self._claims.append(Claim(terms, day))

    def of(self, source: str) -> Claims | None:
        """The claims, or None where there are none."""
        return Claims(source, tuple(self._claims)) if self._claims else None
