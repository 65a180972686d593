"""What the ledger keeps of learning: Lessons, Verdicts on Proposals, and which vendors are in shadow mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connector.erp.port import BILL
from connector.ledger.audit import Deed, audit
from connector.ledger.records import (
    Job,
    LessonRecord,
    ProposalRecord,
    ReadingRecord,
    ShadowRecord,
    VerdictRecord,
)
from connector.ledger.states import JobState
from connector.ledger.store import utc_now
from mappings.budget import Trial
from mappings.lessons import Compared
from mappings.memory import Kind, Lesson, Subject
from mappings.shadow import Shadow, Shown

WATCHED = timedelta(days=400)
"""A bill that is not posted so long after it was judged is given up."""

NEWEST = 2000
"""So many of the newest Verdicts are evidence: vendors and readers change."""

LEARNABLE = (JobState.FILLED, JobState.IN_REVIEW, JobState.SKIPPED)
JUDGED = ("fill", "review")


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A Job whose bill has no Verdict yet."""

    job_id: int
    record_id: int
    name: str


@dataclass(frozen=True, slots=True)
class KeptProposal:
    """The last Proposal of a Job and the Reading it was made from, as they were kept."""

    body: Mapping[str, Any]
    reading: Mapping[str, Any]
    outcome: str
    score: float
    held: bool


@dataclass(frozen=True, slots=True)
class PostedBill:
    """A document whose bill was posted and compared, with what was read of it and proposed then."""

    job_id: int
    record_id: int
    name: str
    sha256: str
    proposal: Mapping[str, Any]
    reading: Mapping[str, Any]


class Learning:
    """The Lessons, Verdicts and shadow switches of a ledger. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock

    # -- lessons ------------------------------------------------------------------------------------------------------

    def lessons(self, backend: str) -> list[Lesson]:
        """All Lessons of a Backend."""
        with self._read() as session:
            rows = session.scalars(select(LessonRecord).where(LessonRecord.backend == backend))
            return [_lesson(row) for row in rows]

    def teach(self, backend: str, lessons: Iterable[Lesson]) -> None:
        """Keep Lessons; a document's later word on a Subject replaces its earlier one."""
        with Session(self._engine) as session, session.begin():
            _teach(session, backend, lessons)

    def set(self, backend: str, lesson: Lesson) -> None:
        """Keep what a person sets by hand, in place of all that was learned on the Subject."""
        with Session(self._engine) as session, session.begin():
            _forget(session, backend, [lesson.subject.id])
            _teach(session, backend, [lesson])
            audit(
                session,
                Deed("memory.set", f"lesson {lesson.subject.id}", lesson.set_by, {"to": list(lesson.value)}),
            )

    def forget(self, backend: str, subjects: Sequence[str], actor: str = "vouch") -> int:
        """Delete all Lessons on these Subjects (by id); how many Lessons there were."""
        with Session(self._engine) as session, session.begin():
            for one in subjects:
                audit(session, Deed("memory.forgotten", f"lesson {one}", actor))
            return _forget(session, backend, subjects)

    def unlearn(self, backend: str, document: str) -> None:
        """Delete the Lessons of one document: what was approved was taken back."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                delete(LessonRecord).where(LessonRecord.backend == backend, LessonRecord.document == document)
            )

    # -- posted bills ---------------------------------------------------------------------------------------------------

    def open_bills(self, backend: str, limit: int = 1000) -> list[OpenBill]:
        """Jobs on bills with a Proposal and without a Verdict, the newest first."""
        judged = (
            select(ProposalRecord.id)
            .where(ProposalRecord.job_id == Job.id, ProposalRecord.outcome.in_(JUDGED))
            .exists()
        )
        known = select(VerdictRecord.id).where(VerdictRecord.job_id == Job.id).exists()
        chosen = (
            select(Job)
            .where(
                Job.backend == backend,
                Job.model == BILL,
                Job.state.in_(LEARNABLE),
                Job.updated_at >= self._clock() - WATCHED,
                judged,
                ~known,
            )
            .order_by(Job.updated_at.desc(), Job.id.desc())
            .limit(limit)
        )
        with self._read() as session:
            return [OpenBill(job.id, job.record_id, job.attachment.name) for job in session.scalars(chosen)]

    def kept(self, job_id: int) -> KeptProposal | None:
        """The Job's last Proposal that a bill could be filled from, or None."""
        latest = (
            select(ProposalRecord, ReadingRecord.body)
            .join(ReadingRecord, ReadingRecord.id == ProposalRecord.reading_id)
            .where(ProposalRecord.job_id == job_id, ProposalRecord.outcome.in_(JUDGED))
            .order_by(ProposalRecord.id.desc())
            .limit(1)
        )
        with self._read() as session:
            row = session.execute(latest).first()
            if row is None:
                return None
            kept, reading = row
            return KeptProposal(kept.body, reading, kept.outcome, kept.score, kept.held)

    def posted(self, backend: str, limit: int) -> list[PostedBill]:
        """The bills that were compared last, the newest first, where what was read of them is still kept."""
        chosen = (
            select(Job)
            .join(VerdictRecord, VerdictRecord.job_id == Job.id)
            .where(VerdictRecord.backend == backend, Job.document_sha256.is_not(None))
            .order_by(VerdictRecord.at.desc(), VerdictRecord.id.desc())
            .limit(limit)
        )
        with self._read() as session:
            jobs = list(session.scalars(chosen))
        found: list[PostedBill] = []
        for job in jobs:
            kept = self.kept(job.id)
            if kept and kept.reading.get("fields") and job.document_sha256:
                found.append(
                    PostedBill(
                        job.id,
                        job.record_id,
                        job.attachment.name,
                        job.document_sha256,
                        kept.body,
                        kept.reading,
                    )
                )
        return found

    def learn(self, backend: str, job_id: int, kept: KeptProposal, compared: Compared) -> bool:
        """Keep the Verdict on a Proposal with its Lessons, in one transaction; False where there is one already."""
        verdict = VerdictRecord(
            job_id=job_id,
            backend=backend,
            vendor_id=compared.vendor_id,
            vendor=compared.vendor,
            would_fill=kept.outcome == "fill" or kept.held,
            score=kept.score,
            right=not compared.wrong,
            wrong=list(compared.wrong),
            changed=list(compared.changed),
            proposed=list(compared.proposed),
            at=self._clock(),
        )
        try:
            with Session(self._engine) as session, session.begin():
                session.add(verdict)
                session.flush()
                _teach(session, backend, compared.lessons)
        except IntegrityError:
            # Another process was faster; its Lessons are the same ones.
            return False
        return True

    def trials(self, backend: str) -> list[Trial]:
        """The newest Verdicts as evidence for the error budget: those that only confidence decided."""
        chosen = (
            select(VerdictRecord.score, VerdictRecord.right)
            .where(VerdictRecord.backend == backend, VerdictRecord.score > 0)
            .order_by(VerdictRecord.at.desc(), VerdictRecord.id.desc())
            .limit(NEWEST)
        )
        with self._read() as session:
            return [Trial(score, right) for score, right in session.execute(chosen)]

    # -- shadow mode ----------------------------------------------------------------------------------------------------

    def shadow(self, backend: str, vendor_id: int, vendor: str, first: int) -> Shadow:
        """Where one vendor stands; `first` is the setting for vendors of whom nobody chose."""
        with self._read() as session:
            return _shadow(session, backend, vendor_id, vendor, first)

    def shadows(self, backend: str, first: int) -> list[tuple[int, Shadow]]:
        """Where every vendor with a Verdict or a choice stands, with its id, by name."""
        with self._read() as session:
            names: dict[int, str] = {}
            for record in (VerdictRecord, ShadowRecord):
                rows = session.execute(
                    select(record.vendor_id, func.max(record.vendor))
                    .where(record.backend == backend, record.vendor_id != 0)
                    .group_by(record.vendor_id)
                )
                names.update((vendor_id, vendor) for vendor_id, vendor in rows)
            found = [
                (number, _shadow(session, backend, number, name, first)) for number, name in names.items()
            ]
        return sorted(found, key=lambda one: (one[1].vendor.casefold(), one[0]))

    def switch_shadow(self, backend: str, vendor_id: int, vendor: str, is_on: bool, actor: str) -> None:
        """Keep a person's choice for a vendor."""
        with Session(self._engine) as session, session.begin():
            session.merge(
                ShadowRecord(
                    backend=backend,
                    vendor_id=vendor_id,
                    vendor=vendor,
                    is_on=is_on,
                    actor=actor,
                    at=self._clock(),
                )
            )

    def _read(self) -> Session:
        return Session(self._engine.execution_options(read_only=True))


def _teach(session: Session, backend: str, lessons: Iterable[Lesson]) -> None:
    for lesson in lessons:
        about = lesson.subject
        session.execute(
            delete(LessonRecord).where(
                LessonRecord.backend == backend,
                LessonRecord.subject == about.id,
                LessonRecord.document == lesson.document,
            )
        )
        session.add(
            LessonRecord(
                backend=backend,
                subject=about.id,
                kind=about.kind,
                term=about.term,
                words=about.words,
                vendor_id=about.vendor_id,
                company_id=about.company_id,
                printed=lesson.printed,
                value=list(lesson.value),
                label=lesson.label,
                vendor=lesson.vendor,
                document=lesson.document,
                day=lesson.on,
                set_by=lesson.set_by,
            )
        )
        session.flush()


def _forget(session: Session, backend: str, subjects: Sequence[str]) -> int:
    wanted = (LessonRecord.backend == backend, LessonRecord.subject.in_(subjects))
    count = session.scalar(select(func.count(LessonRecord.id)).where(*wanted)) or 0
    session.execute(delete(LessonRecord).where(*wanted))
    return count


def _lesson(row: LessonRecord) -> Lesson:
    about = Subject(Kind(row.kind), row.term, row.words, row.vendor_id, row.company_id)
    return Lesson(
        about, row.printed, tuple(row.value), row.label, row.document, row.day, row.vendor, row.set_by
    )


def _shadow(session: Session, backend: str, vendor_id: int, vendor: str, first: int) -> Shadow:
    switch = session.get(ShadowRecord, (backend, vendor_id))
    rows = session.execute(
        select(VerdictRecord.would_fill, VerdictRecord.right)
        .where(VerdictRecord.backend == backend, VerdictRecord.vendor_id == vendor_id)
        .order_by(VerdictRecord.at, VerdictRecord.id)
    )
    bills = tuple(Shown(would_fill, right) for would_fill, right in rows)
    return Shadow(vendor, switch.is_on if switch else None, bills, first)
