"""Shadow mode: a vendor's bills go to a person although they would be filled, and it is counted how that would have gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """One posted bill of a vendor: whether it was or would have been filled, and whether that was right."""

    would_fill: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Shadow:
    """Where a vendor stands. `switch` is what a person chose, None: nothing; `bills` are its posted ones, oldest first.

    Without a choice a vendor is in shadow for its first `first` bills, and on until as many in a row have none that would
    have been filled wrongly.
    """

    vendor: str
    switch: bool | None
    bills: Sequence[Shown]
    first: int = 0

    @property
    def would_fill(self) -> int:
        """How many of the bills were or would have been filled."""
        return sum(bill.would_fill for bill in self.bills)

    @property
    def wrong(self) -> int:
        """How many of those were wrong."""
        return sum(bill.would_fill and not bill.right for bill in self.bills)

    @property
    def is_on(self) -> bool:
        """Whether the vendor's next bill goes to a person."""
        if self.switch is not None:
            return self.switch
        recent = self.bills[-self.first :] if self.first else ()
        return len(recent) < self.first or any(b.would_fill and not b.right for b in recent)

    @property
    def tally(self) -> str:
        """`46 of 50 bills would have been filled, 0 wrong`."""
        return f"{self.would_fill} of {len(self.bills)} bills would have been filled, {self.wrong} wrong"

    @property
    def sentence(self) -> str:
        """Why a bill that is sure goes to a person."""
        return f"{self.vendor} is in shadow mode: all is sure, and Vouch would have filled this. So far {self.tally}."
