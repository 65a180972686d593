"""What settling needs of a Backend that is worked on: its ERP, its data, and what was learned there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, timedelta

    from connector.erp.port import Erp
    from connector.held_data import HeldData
    from connector.judgement import Judge, Knowledge
    from connector.ledger.store import Ledger
    from connector.unsure import Unsure


class WorkingBackend(Protocol):
    """A Backend at work; `connector.pipeline.Pipeline` is one.

    `longest_request` is how long the ERP may work on a write, `review_url(number)` the page of a document.
    """

    @property
    def erp(self) -> Erp: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def data(self) -> HeldData: ...
    @property
    def judge(self) -> Judge: ...
    @property
    def unsure(self) -> Unsure: ...
    @property
    def longest_request(self) -> timedelta: ...
    @property
    def review_url(self) -> Callable[[int], str]: ...
    @property
    def today(self) -> Callable[[], date]: ...

    def knowledge(self) -> Knowledge:
        """What was learned, as of this round."""
        ...

    def forget(self) -> None:
        """What is known of the ledger's Lessons is read anew for the next match."""
        ...

    def reviewer_id(self) -> int | None:
        """The person who gets the to-dos; None leaves it to the record."""
        ...
