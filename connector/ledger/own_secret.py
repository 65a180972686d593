"""A secret that the ledger and its backups alone hold: what Vouch signs in notes is known again as Vouch's, whoever wrote it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from connector.ledger.records import Base

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOTES = "notes"
_DIGITS = 32


class OwnSecret(Base):
    """256 random bits in hex, made on first use and never changed."""

    __tablename__ = "own_secret"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))


class Seal:
    """Seals keys that people's own notes bear (HMAC-SHA256, RFC 2104, cut to 128 bits)."""

    def __init__(self, secret: str) -> None:
        self._secret = bytes.fromhex(secret)

    def sealed(self, key: str) -> str:
        """The key with its seal behind it."""
        return key + self._of(key)

    def holds(self, sealed: str) -> bool:
        """Whether it was sealed with this secret."""
        key, seal = sealed[:-_DIGITS], sealed[-_DIGITS:]
        return bool(key) and hmac.compare_digest(self._of(key).encode(), seal.encode())

    def _of(self, key: str) -> str:
        return hmac.new(self._secret, f"note {key}".encode(), hashlib.sha256).hexdigest()[:_DIGITS]


@lru_cache(maxsize=16)
def seal_of(engine: Engine) -> Seal:
    """The seal of a ledger."""
    known = select(OwnSecret.value).where(OwnSecret.name == NOTES)
    reading = engine.execution_options(read_only=True)
    with Session(reading) as session:
        found = session.scalar(known)
    if found is None:
        try:
            with Session(engine) as session, session.begin():
                session.add(OwnSecret(name=NOTES, value=secrets.token_hex(32)))
        except IntegrityError:
            # Another process made it at the same moment.
            pass
        with Session(reading) as session:
            found = session.scalars(known).one()
    return Seal(found)
