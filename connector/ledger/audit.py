"""The audit: an append-only chain of what was done, written in the transaction that did it.

An entry says when, what and about which subject, and holds a salted digest of its detail and the hash of the entry before
it; so nothing in the chain is personal. Who did it and with which values stands in the detail beside it, which a
person's erasure may delete: the chain stays whole, and the erasure is itself an entry that names what it deleted.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import String, Text, event, insert, inspect, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from connector.ledger.records import (
    Base,
    CorrectionRecord,
    EffectRecord,
    ShadowRecord,
    Transition,
    VerdictRecord,
)

BEGINNING = "0" * 64
"""What the first entry follows."""
ERASED = "erased"
"""Key of a detail that lists the entries (by sequence) whose details were deleted with it."""
_APPENDING = 0x566F756368
_PENDING = "audit"
_COLUMNS = ("sequence", "at", "action", "subject", "digest", "previous", "hash")


class AuditEntry(Base):
    """One link of the chain; `hash` covers all other columns."""

    __tablename__ = "audit"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(128))
    digest: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditDetail(Base):
    """What an entry's `digest` is of: who did it, and the values, as canonical JSON."""

    __tablename__ = "audit_detail"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    salt: Mapped[str] = mapped_column(String(32))
    body: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be audited. `subject` is impersonal: a number, a key, the name of a Backend. No secret is in it."""

    action: str
    subject: str
    actor: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


def audit(session: Session, deed: Deed) -> None:
    """Append an entry with the commit of this session's transaction; none where it is rolled back."""
    session.info.setdefault(_PENDING, []).append(deed)


def canonical(node: Any) -> str:
    """The one JSON text of a value."""
    return json.dumps(node, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(salt: str, body: str) -> str:
    """SHA-256 of a detail, in hex."""
    return hashlib.sha256(f"{salt}{body}".encode()).hexdigest()


def hash_of(sequence: int, at: str, action: str, subject: str, digest: str, previous: str) -> str:
    """SHA-256 of an entry, in hex."""
    return hashlib.sha256(canonical([sequence, at, action, subject, digest, previous]).encode()).hexdigest()


# -- what is audited of the records by itself -----------------------------------------------------------------------------


def _fingerprint(node: Any) -> str:
    return hashlib.sha256(canonical(node).encode()).hexdigest()


def _made(record: object) -> Iterator[Deed]:
    """What a new row means."""
    match record:
        case Transition():
            # The message is kept once, in the story; here stands what proves that it is still the same.
            values = {
                "transition": record.id,
                "before": record.before,
                "after": record.after,
                "reason": record.reason,
                "message": _fingerprint(record.message),
            }
            yield Deed("document.moved", f"document {record.job_id}", record.actor, values)
        case EffectRecord():
            yield _effect(record)
        case VerdictRecord():
            values = {"right": record.right, "wrong": record.wrong, "changed": record.changed}
            yield Deed("bill.judged", f"document {record.job_id}", "vouch", values)
        case CorrectionRecord():
            values = {
                "target": record.target,
                "term": record.term,
                "before": _fingerprint(record.before),
                "after": _fingerprint(record.after),
            }
            yield Deed("value.corrected", f"document {record.job_id}", record.actor, values)
        case ShadowRecord():
            yield _shadow(record)
        case _:
            pass


def _changed(record: object) -> Iterator[Deed]:
    """What a changed row means."""
    match record:
        case EffectRecord() if _differs(record, "status"):
            yield _effect(record)
        case ShadowRecord():
            yield _shadow(record)
        case _:
            pass


def _effect(record: EffectRecord) -> Deed:
    values = {
        "effect": record.id,
        "key": record.key,
        "model": record.model,
        "record": record.record_id,
        "leads_to": record.leads_to,
        "body": _fingerprint(record.body),
    }
    return Deed(f"effect.{record.status}", f"document {record.job_id}", "vouch", values)


def _shadow(record: ShadowRecord) -> Deed:
    return Deed(
        "shadow.switched", f"vendor {record.backend}/{record.vendor_id}", record.actor, {"on": record.is_on}
    )


def _differs(record: object, column: str) -> bool:
    return inspect(record).attrs[column].history.has_changes()  # type: ignore[union-attr]


# -- appending ------------------------------------------------------------------------------------------------------------


def _collect(session: Session, _context: Any) -> None:
    for record in session.new:
        for deed in _made(record):
            audit(session, deed)
    for record in session.dirty:
        for deed in _changed(record):
            audit(session, deed)


def _append(session: Session) -> None:
    """Link what is pending to the chain, as the last thing before the commit, so that others wait least for it."""
    session.flush()
    pending: list[Deed] = session.info.pop(_PENDING, [])
    if not pending:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        # A chain has one writer at a time; SQLite has one anyway.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPENDING})
    last = connection.execute(
        select(AuditEntry.sequence, AuditEntry.hash).order_by(AuditEntry.sequence.desc()).limit(1)
    ).first()
    sequence, previous = (last[0], last[1]) if last else (0, BEGINNING)
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    entries: list[dict[str, Any]] = []
    details: list[dict[str, Any]] = []
    for deed in pending:
        sequence += 1
        salt, body = secrets.token_hex(16), canonical({"actor": deed.actor, **deed.values})
        link = (sequence, at, deed.action, deed.subject, digest_of(salt, body), previous)
        previous = hash_of(*link)
        entries.append(dict(zip(_COLUMNS, (*link, previous), strict=True)))
        details.append({"sequence": sequence, "salt": salt, "body": body})
    connection.execute(insert(AuditEntry), entries)
    connection.execute(insert(AuditDetail), details)


def _forget(session: Session) -> None:
    session.info.pop(_PENDING, None)


event.listen(Session, "after_flush", _collect)
event.listen(Session, "before_commit", _append)
event.listen(Session, "after_rollback", _forget)
