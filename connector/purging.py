"""Purging by age: only by a clock that is believed, since what is gone does not come back when it is set right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.orm import Session
from structlog.typing import FilteringBoundLogger

from connector.errors import VouchError
from connector.execution.clock import BelievedClock, ClockDoubted, steady
from connector.ledger.audit import Deed, audit
from connector.ledger.chain import Chain
from connector.ledger.retention import Purge, Retention, last_recorded
from connector.ledger.store import utc_now

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from connector.erp.port import Erp
    from connector.ledger.documents import DocumentStore
    from connector.settings.keeping import RetentionSettings

PUT_OFF, RESUMED = "purge.put_off", "purge.resumed"

log: FilteringBoundLogger = structlog.get_logger()


class Purging:
    """What purges by age, as the settings want it. One for the life of a process: it sees when the clock is set."""

    def __init__(
        self,
        asked: RetentionSettings,
        engine: Engine,
        documents: DocumentStore,
        erps: Mapping[str, Erp],
        clock: Callable[[], datetime] = utc_now,
        ticks: Callable[[], float] = steady,
    ) -> None:
        self._asked, self._engine, self._documents = asked, engine, documents
        self._others = {name: partial(_time_of, erp) for name, erp in erps.items()}
        self._clock = clock
        self._believed = BelievedClock(last_recorded(engine), clock, ticks)

    def purge(self, actor: str) -> Purge:
        """Delete what is old. Raises ClockDoubted, and then nothing was deleted."""
        try:
            now = self._believed.now(self._others)
        except ClockDoubted as error:
            why = f"Nothing was purged. {error}"
            if not put_off(self._engine):
                self._note(PUT_OFF, actor, why)
            raise ClockDoubted(why) from None
        if put_off(self._engine):
            self._note(RESUMED, actor)
        return self._retention(lambda: now).purge(
            self._asked.documents_days, self._asked.readings_days, actor
        )

    def daily(self) -> None:
        """The same for the service, told in its log where something went."""
        done = self.purge("vouch")
        if done.files or done.readings or done.uploads:
            log.info(
                "purged", documents=len(done.files), readings=len(done.readings), uploads=len(done.uploads)
            )

    def due(self) -> Purge:
        """What would go now; nothing is deleted."""
        return self._retention(self._clock).purge(
            self._asked.documents_days, self._asked.readings_days, "", dry_run=True
        )

    def _retention(self, clock: Callable[[], datetime]) -> Retention:
        return Retention(self._engine, self._documents, clock)

    def _note(self, action: str, actor: str, why: str = "") -> None:
        with Session(self._engine) as session, session.begin():
            audit(session, Deed(action, "ledger", actor, {"why": why} if why else {}))


def put_off(engine: Engine) -> str:
    """Why the last purge was put off; empty where it was not, or purging has been resumed."""
    newest = Chain(engine).newest(1, action="purge.")
    return str(newest[0].values.get("why", "")) if newest and newest[0].action == PUT_OFF else ""


def _time_of(erp: Erp) -> datetime | None:
    try:
        return erp.clock()
    except VouchError:
        # Why it does not answer is told where it is polled.
        return None
