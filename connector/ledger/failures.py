"""Failures to sign in, so that neither a restart nor another process forgets them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Engine, String, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from connector.ledger.records import Base
from connector.ledger.store import utc_now

if TYPE_CHECKING:
    from sqlalchemy import Select

MOST_KEYS = 20_000
FORGOTTEN = timedelta(hours=1)
AHEAD = timedelta(minutes=1)

Wait = Callable[[int], timedelta]
"""How long the next try has to wait after so many failures."""


class FailureRecord(Base):
    """Failures of one login or address. `key` is a SHA-256: what people type into the wrong field is not kept."""

    __tablename__ = "sign_in_failure"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)


class Failures:
    """The failures of a ledger: all are forgotten after an hour, and the oldest first beyond `most`. Safe to share
    between threads and processes."""

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime] = utc_now, most: int = MOST_KEYS
    ) -> None:
        self._engine, self._clock, self._most = engine, clock, most

    def begin(self, keys: Mapping[str, Wait]) -> timedelta:
        """Nothing, and each key has one failure more; or how long it still has to wait."""
        now = self._clock()
        self._bring_back(now)
        self._forget(now)
        waits = {_hashed(key): wait for key, wait in keys.items()}
        with Session(self._engine) as session, session.begin():
            insert = (postgresql if session.connection().dialect.name == "postgresql" else sqlite).insert
            # Always in this order, so that two who share a key wait for each other and not in a circle.
            rows = [{"key": key, "failures": 0, "at": now} for key in sorted(waits)]
            session.execute(insert(FailureRecord).values(rows).on_conflict_do_nothing())
            kept = list(
                session.scalars(
                    select(FailureRecord)
                    .where(FailureRecord.key.in_(waits))
                    .order_by(FailureRecord.key)
                    .with_for_update()
                )
            )
            wait = max(one.at + waits[one.key](one.failures) - now for one in kept)
            if wait > timedelta():
                # Nor are keys kept that were not tried: a flood of them would push out the older ones.
                session.rollback()
                return wait
            for one in kept:
                one.failures, one.at = (1 if now - one.at > FORGOTTEN else one.failures + 1), now
        return timedelta()

    def forgive(self, whole: str, one: str) -> None:
        """A try was good: all failures of the first key are forgotten, and one of the second."""
        forgiven, lessened = _hashed(whole), _hashed(one)
        with Session(self._engine) as session, session.begin():
            chosen = select(FailureRecord).where(FailureRecord.key.in_((forgiven, lessened)))
            for kept in session.scalars(chosen.order_by(FailureRecord.key).with_for_update()):
                if kept.key == lessened and kept.failures > 1:
                    kept.failures -= 1
                else:
                    session.delete(kept)

    def _bring_back(self, now: datetime) -> None:
        """A failure in the future was before the clock was put back: it counts as of now, and is not waited for longer."""
        with Session(self._engine.execution_options(read_only=True)) as session:
            newest = session.scalar(select(func.max(FailureRecord.at)))
        if newest is not None and newest > now + AHEAD:
            with Session(self._engine) as session, session.begin():
                ahead = update(FailureRecord).where(FailureRecord.at > now + AHEAD)
                session.execute(ahead.values(at=now).execution_options(synchronize_session=False))

    def _forget(self, now: datetime) -> None:
        """Purge what is old, and the oldest of too many; what another has in hand is left to it."""
        with Session(self._engine.execution_options(read_only=True)) as session:
            count = session.scalar(select(func.count()).select_from(FailureRecord)) or 0
            oldest = session.scalar(select(func.min(FailureRecord.at)))
        keys = select(FailureRecord.key)
        if oldest is not None and now - oldest > FORGOTTEN:
            self._delete(keys.where(FailureRecord.at < now - FORGOTTEN))
        if count > self._most:
            self._delete(keys.order_by(FailureRecord.at).limit(count - self._most))

    def _delete(self, chosen: Select[str]) -> None:
        with Session(self._engine) as session, session.begin():
            keys = session.scalars(chosen.with_for_update(skip_locked=True)).all()
            session.execute(delete(FailureRecord).where(FailureRecord.key.in_(keys)))


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
