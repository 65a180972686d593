"""Looking at the audit: whether it is whole, where it ends, and what it says."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from connector.errors import SettingsError
from connector.ledger.audit import (
    BEGINNING,
    ERASED,
    AuditDetail,
    AuditEntry,
    Deed,
    audit,
    canonical,
    digest_of,
    hash_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_ONCE = 1000
SETTINGS, SERVICE = "settings.changed", "service"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the chain ended once, kept elsewhere: it cannot be cut or rewritten before that point unnoticed."""

    sequence: int
    hash: str

    @classmethod
    def from_text(cls, words: str) -> Anchor:
        """From `SEQUENCE:HASH`. Raises SettingsError for anything else."""
        number, _, digest = words.strip().partition(":")
        if not number.isdigit() or len(digest) != len(BEGINNING):
            raise SettingsError(
                f"“{words.strip()[:80]}” is no anchor. Give one as `vouch audit anchor` printed it: NUMBER:HASH."
            )
        return cls(int(number), digest)

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Link:
    """An entry with its detail; without one (`salt` and `body` None) where that was deleted."""

    sequence: int
    at: str
    action: str
    subject: str
    digest: str
    previous: str
    hash: str
    salt: str | None
    body: str | None

    @property
    def values(self) -> dict[str, Any]:
        """The detail as it is; nothing where it was deleted."""
        return json.loads(self.body) if self.body else {}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the entry of that sequence, in a sentence."""

    sequence: int
    message: str


def faults(
    links: Iterable[Link], announced: frozenset[int] = frozenset(), anchor: Anchor | None = None
) -> Iterator[Fault]:
    """What is wrong with a chain, given in the order of its sequence; nothing where it is whole.

    `announced` are the entries whose details an erasure named. Without an anchor entries that are missing at the end, and
    a chain that was written anew from some entry on, cannot be told.
    """
    expected, previous, anchored = 1, BEGINNING, anchor is None or anchor == Anchor(0, BEGINNING)
    for link in links:
        if link.sequence < expected:
            yield Fault(link.sequence, f"Entry {link.sequence} stands there twice.")
        elif link.sequence > expected:
            gap = f"{expected}" if link.sequence == expected + 1 else f"{expected} to {link.sequence - 1}"
            yield Fault(expected, f"Entry {gap} is missing.")
        elif link.previous != previous:
            yield Fault(link.sequence, f"Entry {link.sequence} does not follow the entry before it.")
        hashed = hash_of(link.sequence, link.at, link.action, link.subject, link.digest, link.previous)
        if link.hash != hashed:
            yield Fault(link.sequence, f"Entry {link.sequence} was changed.")
        if link.salt is None or link.body is None:
            if link.sequence not in announced:
                yield Fault(
                    link.sequence, f"The detail of entry {link.sequence} is gone, and no erasure names it."
                )
        elif digest_of(link.salt, link.body) != link.digest:
            yield Fault(link.sequence, f"The detail of entry {link.sequence} was changed.")
        if anchor and link.sequence == anchor.sequence:
            anchored = True
            if link.hash != anchor.hash:
                yield Fault(
                    link.sequence, f"Entry {link.sequence} is not the one that the anchor was taken of."
                )
        expected, previous = link.sequence + 1, link.hash
    if anchor and not anchored:
        yield Fault(
            expected, f"The audit ends at entry {expected - 1}, the anchor was taken at {anchor.sequence}."
        )


class Chain:
    """The audit of a ledger, read only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(read_only=True)

    def head(self) -> Anchor:
        """Where the chain ends now."""
        newest = select(AuditEntry.sequence, AuditEntry.hash).order_by(AuditEntry.sequence.desc()).limit(1)
        with Session(self._engine) as session:
            found = session.execute(newest).first()
        return Anchor(found[0], found[1]) if found else Anchor(0, BEGINNING)

    def verify(self, anchor: Anchor | None = None) -> tuple[int, list[Fault]]:
        """How many entries there are, and what is wrong; all of one moment."""
        with Session(self._engine) as session, session.begin():
            announced = _announced(session)
            counted = 0

            def counting() -> Iterator[Link]:
                nonlocal counted
                for link in _links(session):
                    counted += 1
                    yield link

            found = list(faults(counting(), announced, anchor))
            known = select(AuditEntry.sequence).where(AuditEntry.sequence == AuditDetail.sequence).exists()
            stray = session.scalars(select(AuditDetail.sequence).where(~known))
            found += [Fault(number, f"There is a detail {number}, but no such entry.") for number in stray]
        return counted, found

    def newest(self, limit: int = 50, subject: str = "", action: str = "") -> Sequence[Link]:
        """The newest entries, last first; only those of a subject, or of actions that begin so."""
        with Session(self._engine) as session, session.begin():
            return list(_links(session, subject, action, newest=limit))


def _links(session: Session, subject: str = "", action: str = "", newest: int = 0) -> Iterator[Link]:
    entry, detail = AuditEntry, AuditDetail
    chosen = select(
        entry.sequence,
        entry.at,
        entry.action,
        entry.subject,
        entry.digest,
        entry.previous,
        entry.hash,
        detail.salt,
        detail.body,
    ).outerjoin(detail, detail.sequence == entry.sequence)
    if subject:
        chosen = chosen.where(entry.subject == subject)
    if action:
        chosen = chosen.where(entry.action.startswith(action, autoescape=True))
    order = entry.sequence.desc() if newest else entry.sequence
    chosen = chosen.order_by(order).limit(newest or None)
    for row in session.execute(chosen.execution_options(yield_per=AT_ONCE)):
        yield Link(*row)


def _announced(session: Session) -> frozenset[int]:
    """The entries whose details were deleted by an erasure that the chain itself holds."""
    erasures = (
        select(AuditEntry.digest, AuditDetail.salt, AuditDetail.body)
        .join(AuditDetail, AuditDetail.sequence == AuditEntry.sequence)
        .where(AuditEntry.action == "person.erased")
    )
    found: set[int] = set()
    for digest, salt, body in session.execute(erasures):
        if digest_of(salt, body) == digest:
            detail: Mapping[str, Any] = json.loads(body)
            found.update(detail[ERASED])
    return frozenset(found)


def note_settings(engine: Engine, settings: Mapping[str, Any]) -> None:
    """Audit the settings that matter at the start of a service, where they are others than those told last."""
    last = Chain(engine).newest(1, subject=SERVICE, action=SETTINGS)
    told = {name: value for name, value in last[0].values.items() if name != "actor"} if last else None
    if told != json.loads(canonical(settings)):
        with Session(engine) as session, session.begin():
            audit(session, Deed(SETTINGS, SERVICE, f"process:{socket.gethostname()}", settings))
