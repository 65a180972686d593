"""Documents that programs sent to be put into an ERP: kept before the ERP is asked, so that none is lost or made twice."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Engine, Index, String, Text, UniqueConstraint, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from connector.ledger.records import Base, Job
from connector.ledger.store import utc_now

FARTHEST, SOON = timedelta(hours=2), timedelta(minutes=10)


class UploadState(StrEnum):
    """`waiting` to be sent, `sending` (may have happened), `done`, or `refused` by the ERP."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"


class UploadRecord(Base):
    """One document. `key` and `request` are SHA-256: of what the sender calls it by, and of what was asked.

    `mark` stands in the ERP with the document, to find it again; `not_before` is when it may be tried next.
    """

    __tablename__ = "upload"
    __table_args__ = (
        UniqueConstraint("backend", "actor", "key"),
        Index("ix_upload_due", "state", "not_before"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    backend: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(128))
    key: Mapped[str] = mapped_column(String(64))
    request: Mapped[str] = mapped_column(String(64))
    mark: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    move_type: Mapped[str] = mapped_column(String(16))
    company_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16))
    record_id: Mapped[int | None]
    message: Mapped[str] = mapped_column(Text)
    tries: Mapped[int]
    at: Mapped[datetime]
    not_before: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Sent:
    """A document as its sender gave it; the bytes are kept by their SHA-256."""

    backend: str
    actor: str
    key: str
    request: str
    name: str
    sha256: str
    move_type: str
    company_id: int | None


class UploadLog:
    """The uploads of a ledger. Safe to share between threads and processes."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock

    def receive(self, sent: Sent) -> UploadRecord:
        """Keep it, or give the one that has its key already. Raises ValueError where that asked for something else."""
        now = self._clock()
        made = UploadRecord(
            backend=sent.backend,
            actor=sent.actor,
            key=sent.key,
            request=sent.request,
            mark=uuid.uuid4().hex,
            name=sent.name,
            sha256=sent.sha256,
            move_type=sent.move_type,
            company_id=sent.company_id,
            state=UploadState.WAITING,
            message="",
            tries=0,
            at=now,
            not_before=now,
        )
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                session.add(made)
            return made
        except IntegrityError:
            known = select(UploadRecord).where(
                UploadRecord.backend == sent.backend,
                UploadRecord.actor == sent.actor,
                UploadRecord.key == sent.key,
            )
            with self._read() as session:
                found = session.scalars(known).one()
        if found.request != sent.request:
            raise ValueError(sent.key)
        return found

    def get(self, number: int) -> UploadRecord | None:
        """One upload."""
        with self._read() as session:
            return session.get(UploadRecord, number)

    def job(self, upload: UploadRecord) -> Job | None:
        """The Job that its bill was discovered as, the main one first."""
        found = (
            select(Job)
            .where(
                Job.backend == upload.backend,
                Job.model == "account.move",
                Job.record_id == upload.record_id,
            )
            .order_by(Job.priority, Job.id)
            .limit(1)
        )
        with self._read() as session:
            return session.scalar(found) if upload.record_id else None

    def due(self, backends: Collection[str], limit: int = 20) -> list[int]:
        """Those that may be tried now, the longest waiting first.

        One put off further than any is was put off before the clock was put back: it is tried in `SOON`.
        """
        far = self._is_open() & (UploadRecord.not_before > self._clock() + FARTHEST)
        with self._read() as session:
            lost = session.scalar(select(UploadRecord.id).where(far).limit(1))
        if lost is not None:
            with Session(self._engine) as session, session.begin():
                session.execute(update(UploadRecord).where(far).values(not_before=self._clock() + SOON))
        chosen = (
            select(UploadRecord.id)
            .where(self._open(), UploadRecord.backend.in_(backends))
            .order_by(UploadRecord.not_before)
            .limit(limit)
        )
        with self._read() as session:
            return list(session.scalars(chosen))

    def begin(self, number: int, lease: timedelta) -> UploadRecord | None:
        """Take it in hand for `lease`; None where it is not due, or another has it."""
        now = self._clock()
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            taken = session.execute(
                update(UploadRecord)
                .where(UploadRecord.id == number, self._open())
                .values(state=UploadState.SENDING, tries=UploadRecord.tries + 1, not_before=now + lease)
                .returning(UploadRecord.id)
            ).first()
            return session.get(UploadRecord, number) if taken else None

    def settle(
        self,
        number: int,
        state: UploadState,
        message: str = "",
        record_id: int | None = None,
        wait: timedelta = timedelta(),
    ) -> UploadRecord:
        """Keep how a try ended; the upload as it is now."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            kept = session.get_one(UploadRecord, number)
            kept.state, kept.message, kept.record_id = state, message, record_id
            kept.not_before = self._clock() + wait
            return kept

    def _open(self) -> ColumnElement[bool]:
        return self._is_open() & (UploadRecord.not_before <= self._clock())

    def _is_open(self) -> ColumnElement[bool]:
        return UploadRecord.state.in_((UploadState.WAITING, UploadState.SENDING))

    def _read(self) -> Session:
        return Session(self._engine.execution_options(read_only=True), expire_on_commit=False)
