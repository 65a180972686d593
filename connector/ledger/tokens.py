"""API tokens of programs, kept by their hash: the ledger alone opens nothing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, String, UniqueConstraint, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from connector.ledger.audit import Deed, audit
from connector.ledger.records import Base
from connector.ledger.store import utc_now

PREFIX = "vouch_"
"""Tells secret scanners, and people who find one, what it is."""
SCOPES = (
    "documents:write",
    "reviews:read",
    "reviews:write",
    "insight:read",
    "metrics:read",
    "hooks:write",
)
USED_EVERY = timedelta(minutes=5)


class TokenRecord(Base):
    """One token. `hash` is the SHA-256 of it; `companies` are ids, empty for all; without `expires_at` it never ends."""

    __tablename__ = "token"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), index=True)
    backend: Mapped[str] = mapped_column(String(64))
    companies: Mapped[list[int]]
    scopes: Mapped[list[str]]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class NonceRecord(Base):
    """A signed call that was taken, so that it is not taken again; kept as long as its time is near enough."""

    __tablename__ = "nonce"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Tokens:
    """The tokens of a ledger. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock

    def make(
        self,
        name: str,
        backend: str,
        scopes: Sequence[str],
        companies: Sequence[int] = (),
        lifetime: timedelta | None = None,
        actor: str = "vouch",
    ) -> str:
        """A new token, which is not shown again. Raises KeyError where the name is taken."""
        token, now = PREFIX + secrets.token_urlsafe(32), self._clock()
        made = TokenRecord(
            name=name,
            hash=hashed(token),
            backend=backend,
            companies=sorted(companies),
            scopes=sorted(scopes),
            made_at=now,
            expires_at=now + lifetime if lifetime else None,
        )
        try:
            with Session(self._engine) as session, session.begin():
                session.add(made)
                session.flush()
                values = {"name": name, "scopes": made.scopes, "companies": made.companies}
                audit(session, Deed("token.made", f"token {made.id}", actor, values))
        except IntegrityError:
            raise KeyError(name) from None
        return token

    def all(self) -> list[TokenRecord]:
        """Every token, also those that have ended, by name."""
        with self._read() as session:
            return list(session.scalars(select(TokenRecord).order_by(TokenRecord.name)))

    def revoke(self, name: str, actor: str = "vouch") -> bool:
        """End a token at once; whether there was one."""
        with Session(self._engine) as session, session.begin():
            found = session.scalar(
                delete(TokenRecord).where(TokenRecord.name == name).returning(TokenRecord.id)
            )
            if found is not None:
                audit(session, Deed("token.revoked", f"token {found}", actor, {"name": name}))
            return found is not None

    def find(self, token: str) -> TokenRecord | None:
        """The token, where it is one and has not ended."""
        return self._live(TokenRecord.hash == hashed(token)) if token.startswith(PREFIX) else None

    def named(self, name: str) -> TokenRecord | None:
        """The token of that name, where it has not ended."""
        return self._live(TokenRecord.name == name)

    def first_time(self, nonce: str, within: timedelta) -> bool:
        """Whether a signed call is taken for the first time; those older than `within` are forgotten."""
        now = self._clock()
        try:
            with Session(self._engine) as session, session.begin():
                session.execute(delete(NonceRecord).where(NonceRecord.at < now - within))
                session.add(NonceRecord(hash=hashed(nonce), at=now))
        except IntegrityError:
            return False
        return True

    def _live(self, condition: ColumnElement[bool]) -> TokenRecord | None:
        now = self._clock()
        with self._read() as session:
            found = session.scalar(select(TokenRecord).where(condition))
        if found is None or (found.expires_at is not None and found.expires_at <= now):
            return None
        if found.used_at is None or now - found.used_at >= USED_EVERY:
            with Session(self._engine) as session, session.begin():
                session.execute(update(TokenRecord).where(TokenRecord.id == found.id).values(used_at=now))
        return found

    def _read(self) -> Session:
        return Session(self._engine.execution_options(read_only=True), expire_on_commit=False)


def hashed(token: str) -> str:
    """SHA-256 in hex: with 256 random bits there is nothing to guess, so nothing to slow down."""
    return hashlib.sha256(token.encode()).hexdigest()
