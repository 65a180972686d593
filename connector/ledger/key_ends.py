"""When Vouch's API keys for its ERPs end, as last asked; for pages and figures of every process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from connector.ledger.records import Base
from connector.ledger.store import utc_now


class KeyEnd(Base):
    """One Backend's key, known by its SHA-256. `ends_at` is empty where it has no end, or none that can be seen, and `exact`
    where it is this key's and not the earliest of the user's; `message` says why it was not renewed, where that was tried."""

    __tablename__ = "key_end"

    backend: Mapped[str] = mapped_column(String(64), primary_key=True)
    ends_at: Mapped[datetime | None]
    fingerprint: Mapped[str] = mapped_column(String(64))
    exact: Mapped[bool]
    message: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class KeyEnds:
    """The ends of a ledger's keys. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock

    def keep(
        self,
        backend: str,
        ends_at: datetime | None,
        fingerprint: str,
        *,
        exact: bool = False,
        message: str = "",
    ) -> None:
        """What was found out just now."""
        found = KeyEnd(
            backend=backend,
            ends_at=ends_at,
            fingerprint=fingerprint,
            exact=exact,
            message=message,
            at=self._clock(),
        )
        with Session(self._engine) as session, session.begin():
            session.merge(found)

    def of(self, backend: str) -> KeyEnd | None:
        """One Backend's."""
        return next((one for one in self.all() if one.backend == backend), None)

    def all(self) -> Sequence[KeyEnd]:
        """Every Backend's, by name."""
        with Session(self._engine.execution_options(read_only=True), expire_on_commit=False) as session:
            return session.scalars(select(KeyEnd).order_by(KeyEnd.backend)).all()
