"""Who is signed in: sessions kept by the hash of what the browser holds, so that the ledger alone opens none."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Engine, String, delete, or_, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from connector.ledger.audit import Deed, audit
from connector.ledger.records import Base
from connector.ledger.store import utc_now

if TYPE_CHECKING:
    from connector.erp.people import Admitted

SEEN_EVERY = timedelta(minutes=1)
"""A session's last use is noted so often at most: reading a page must not cost a write."""
AHEAD = timedelta(minutes=5)
"""A session used further in the future was used before the clock was put back: it ends, rather than live too long."""


class SessionRecord(Base):
    """One sign-in. `id` is the SHA-256 of the cookie; `companies` are the ids or empty for all."""

    __tablename__ = "session"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    backend: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int]
    login: Mapped[str] = mapped_column(String(256))
    name: Mapped[str] = mapped_column(String(256))
    companies: Mapped[list[int]]
    rights: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    checked_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives: `idle` without use, `longest` in all; the person is looked at in Odoo each `recheck`."""

    idle: timedelta = timedelta(minutes=60)
    longest: timedelta = timedelta(hours=12)
    recheck: timedelta = timedelta(minutes=5)


class Sessions:
    """The sessions of a ledger. Safe to share between threads."""

    def __init__(self, engine: Engine, lifetime: Lifetime, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock, self.lifetime = engine, clock, lifetime

    def open(self, backend: str, person: Admitted) -> str:
        """Begin a session; what the browser is to hold, 256 random bits. Ended ones are forgotten."""
        token, now = secrets.token_urlsafe(32), self._clock()
        with Session(self._engine) as session, session.begin():
            session.execute(delete(SessionRecord).where(self._over(now)))
            session.add(
                SessionRecord(
                    id=_hashed(token),
                    backend=backend,
                    user_id=person.user_id,
                    login=person.login[:256],
                    name=person.name[:256],
                    companies=sorted(person.companies or ()),
                    rights=person.rights,
                    opened_at=now,
                    seen_at=now,
                    checked_at=now,
                )
            )
            audit(
                session, Deed("session.opened", f"user {backend}/{person.user_id}", f"person:{person.login}")
            )
        return token

    def find(self, token: str) -> SessionRecord | None:
        """The session that the browser holds, where it has not ended."""
        now = self._clock()
        with Session(self._engine.execution_options(read_only=True), expire_on_commit=False) as session:
            found = session.get(SessionRecord, _hashed(token))
        if found is None or not now - self.lifetime.idle < found.seen_at <= now + AHEAD:
            return None
        if found.opened_at <= now - self.lifetime.longest:
            return None
        if now - found.seen_at >= SEEN_EVERY:
            self._note(found, seen_at=now)
        return found

    def is_due(self, found: SessionRecord) -> bool:
        """Whether it is time to look at the person in Odoo again."""
        return self._clock() - found.checked_at >= self.lifetime.recheck

    def checked(self, found: SessionRecord) -> None:
        """The person still has the rights that they signed in with."""
        self._note(found, checked_at=self._clock())

    def end(self, token: str) -> None:
        """Sign out."""
        with Session(self._engine) as session, session.begin():
            kept = session.get(SessionRecord, _hashed(token))
            if kept is not None:
                session.delete(kept)
                subject = f"user {kept.backend}/{kept.user_id}"
                audit(session, Deed("session.ended", subject, f"person:{kept.login}"))

    def end_all(self, backend: str, user_id: int, actor: str = "vouch") -> None:
        """Sign a person out everywhere."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                delete(SessionRecord).where(
                    SessionRecord.backend == backend, SessionRecord.user_id == user_id
                )
            )
            audit(session, Deed("session.ended", f"user {backend}/{user_id}", actor))

    def _note(self, found: SessionRecord, **at: datetime) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(update(SessionRecord).where(SessionRecord.id == found.id).values(**at))

    def _over(self, now: datetime) -> ColumnElement[bool]:
        return or_(
            SessionRecord.seen_at <= now - self.lifetime.idle,
            SessionRecord.seen_at > now + AHEAD,
            SessionRecord.opened_at <= now - self.lifetime.longest,
        )


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
