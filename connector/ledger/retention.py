"""What is not kept for ever: documents, and what was read of them, once they are settled for long enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, func, or_, select
from sqlalchemy.orm import Session

from connector.erp.port import BILL
from connector.ledger.audit import Deed, audit
from connector.ledger.documents import DocumentStore
from connector.ledger.learning import WATCHED
from connector.ledger.records import (
    Cursor,
    EffectRecord,
    Job,
    ProposalRecord,
    ReadingRecord,
    Transition,
    VerdictRecord,
)
from connector.ledger.states import JobState
from connector.ledger.store import utc_now
from connector.ledger.uploads import UploadRecord, UploadState

SETTLED = (JobState.FILLED, JobState.SKIPPED)
"""Nothing more is to be done about these; all others are open."""
UNSENT = (UploadState.WAITING, UploadState.SENDING)
GRACE = timedelta(hours=1)
"""A file younger than that may be one whose Job is about to name it."""
PURGED = "purged"
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Purge:
    """What was purged, or would be: files with the numbers of their documents, documents whose Readings went, and
    numbers of uploads that are over."""

    files: Mapping[str, tuple[int, ...]]
    readings: tuple[int, ...]
    megabytes: float
    uploads: tuple[int, ...] = ()


def emptied(body: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a Reading, Proposal or Effect without what it says; its parts stay, so that it can still be read."""
    bare: dict[str, Any] = {
        name: {} if isinstance(value, dict) else [] if isinstance(value, list) else value
        for name, value in body.items()
        if name not in ("note", "page_image")
    }
    return bare | {PURGED: True}


def empty_readings(session: Session, job_ids: Sequence[int]) -> None:
    """Take out of the ledger what was read of documents, proposed and written. Marks, by which they are known again, stay."""
    for record in (ReadingRecord, ProposalRecord, EffectRecord):
        for kept in session.scalars(select(record).where(record.job_id.in_(job_ids))):
            kept.body = emptied(kept.body)
            if isinstance(kept, ProposalRecord):
                kept.reasons = []


def last_recorded(engine: Engine) -> datetime | None:
    """The last moment on record: the last change of a document's state, or a poll after it. None in an empty ledger."""
    last = select(Transition.at).order_by(Transition.id.desc()).limit(1)
    with Session(engine.execution_options(read_only=True)) as session:
        found = (session.scalar(last), session.scalar(select(func.max(Cursor.polled_at))))
    return max((at for at in found if at), default=None)


class Retention:
    """Purges by age. Safe beside a working service: what is open is never touched."""

    def __init__(
        self, engine: Engine, documents: DocumentStore, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._engine, self._documents, self._clock = engine, documents, clock

    def purge(
        self, documents_days: int | None, readings_days: int | None, actor: str, *, dry_run: bool = False
    ) -> Purge:
        """Delete what is older; with `dry_run` only say what."""
        files = self._due_files(documents_days) if documents_days is not None else {}
        uploads = self._due_uploads(documents_days) if documents_days is not None else []
        readings = self._due_readings(readings_days) if readings_days is not None else []
        size = sum(self._documents.size(sha256) for sha256 in files) / 1e6
        if not dry_run:
            for sha256, job_ids in files.items():
                # Told before it is done: a purge that was killed between is told again, and not left untold.
                with Session(self._engine) as session, session.begin():
                    for number in job_ids:
                        audit(
                            session, Deed("document.purged", f"document {number}", actor, {"sha256": sha256})
                        )
                self._documents.remove(sha256)
            for start in range(0, len(readings), AT_ONCE):
                part = readings[start : start + AT_ONCE]
                with Session(self._engine) as session, session.begin():
                    empty_readings(session, part)
                    for number in part:
                        audit(session, Deed("reading.purged", f"document {number}", actor))
            for start in range(0, len(uploads), AT_ONCE):
                part = uploads[start : start + AT_ONCE]
                with Session(self._engine) as session, session.begin():
                    session.execute(delete(UploadRecord).where(UploadRecord.id.in_(part)))
                    audit(session, Deed("uploads.purged", "ledger", actor, {"uploads": part}))
        return Purge(files, tuple(readings), size, tuple(uploads))

    def _due_files(self, days: int) -> dict[str, tuple[int, ...]]:
        """Files that nothing open and nothing younger names, with the numbers of the documents that name them."""
        due: dict[str, tuple[int, ...]] = {}
        before = self._clock() - timedelta(days=days)
        with Session(self._engine.execution_options(read_only=True)) as session:
            waiting = set(session.scalars(select(UploadRecord.sha256).where(UploadRecord.state.in_(UNSENT))))
            for sha256 in self._kept_files():
                jobs = session.execute(
                    select(Job.id, Job.state, Job.updated_at).where(Job.document_sha256 == sha256)
                ).all()
                if sha256 not in waiting and all(state in SETTLED and at < before for _, state, at in jobs):
                    due[sha256] = tuple(number for number, _, _ in jobs)
        return due

    def _due_uploads(self, days: int) -> list[int]:
        """Uploads that are over for so long, and whose bill is open nowhere here."""
        still_open = (
            select(Job.id)
            .where(
                Job.backend == UploadRecord.backend,
                Job.model == BILL,
                Job.record_id == UploadRecord.record_id,
                Job.state.not_in(SETTLED),
            )
            .exists()
        )
        chosen = select(UploadRecord.id).where(
            UploadRecord.state.not_in(UNSENT),
            UploadRecord.not_before < self._clock() - timedelta(days=days),
            ~still_open,
        )
        with Session(self._engine.execution_options(read_only=True)) as session:
            return list(session.scalars(chosen.order_by(UploadRecord.id)))

    def _kept_files(self) -> Iterator[str]:
        youngest = (self._clock() - GRACE).timestamp()
        for path in self._documents.files():
            if path.stat().st_mtime < youngest:
                yield path.name

    def _due_readings(self, days: int) -> list[int]:
        """Settled documents whose bill was compared with what people posted, or never will be."""
        now = self._clock()
        compared = select(VerdictRecord.id).where(VerdictRecord.job_id == Job.id).exists()
        done: ColumnElement[bool] = or_(
            Job.state == JobState.SKIPPED, compared, Job.updated_at < now - WATCHED
        )
        chosen = select(Job.id).where(
            Job.state.in_(SETTLED), Job.updated_at < now - timedelta(days=days), done
        )
        with Session(self._engine.execution_options(read_only=True)) as session:
            found = select(ReadingRecord.job_id, ReadingRecord.body).where(ReadingRecord.job_id.in_(chosen))
            left = {number for number, body in session.execute(found) if not body.get(PURGED)}
        return sorted(left)
