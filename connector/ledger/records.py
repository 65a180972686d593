"""The ledger's tables. Every row is written once or moves forward; none is deleted by the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from connector.ledger.states import JobState


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in UTC, also on SQLite, which has no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To UTC. Raises ValueError on a naive datetime."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Back as UTC."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Names of constraints are fixed so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[str]: JSON, list[int]: JSON}  # noqa: RUF012


class SeenAttachment(Base):
    """An attachment that a poll found. Identity: backend + id + checksum."""

    __tablename__ = "attachment"
    __table_args__ = (UniqueConstraint("backend", "erp_id", "checksum"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    backend: Mapped[str] = mapped_column(String(64))
    erp_id: Mapped[int]
    checksum: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Text)
    mimetype: Mapped[str] = mapped_column(String(128))
    size: Mapped[int]
    model: Mapped[str] = mapped_column(String(64))
    record_id: Mapped[int]
    is_main: Mapped[bool]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Job(Base):
    """A Document's passage through the pipeline. `generation` counts how often a person sent it again."""

    __tablename__ = "job"
    __table_args__ = (
        # The next due Job is found without a look at the others.
        Index("ix_job_claim", "state", "priority", "not_before", "id"),
        # The list of documents: its pages, and how many stand in each state.
        Index("ix_job_listed", "updated_at", "id", "backend", "state", "company_id"),
        Index("ix_job_counted", "backend", "state", "company_id"),
        # One worker at a time on one ERP record, whatever the number of processes.
        Index(
            "uq_job_record_held",
            "backend",
            "model",
            "record_id",
            unique=True,
            sqlite_where=text("state IN ('running', 'applying')"),
            postgresql_where=text("state IN ('running', 'applying')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id"), unique=True)
    backend: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(64))
    record_id: Mapped[int]
    priority: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16), default=JobState.QUEUED)
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    generation: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    delays: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    lease_owner: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[datetime | None]
    document_sha256: Mapped[str | None] = mapped_column(String(64))
    company_id: Mapped[int | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    attachment: Mapped[SeenAttachment] = relationship(lazy="joined")


class Transition(Base):
    """One change of a Job's state, append-only: the story of a document. `actor` is a worker or a person."""

    __tablename__ = "transition"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    before: Mapped[str] = mapped_column(String(16))
    after: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64))
    message: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime]


class Attempt(Base):
    """One try at a Job: the last step begun, and how it ended (`done`, `later`, `failed`, `crashed`)."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    worker: Mapped[str] = mapped_column(String(128))
    step: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(16), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ReadingRecord(Base):
    """What a Reader found; `body` is the JSON of `vouch read`."""

    __tablename__ = "reading"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    reader: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(32))
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Mark(Base):
    """What a Job's document is known again by: `kind` is `file`, `page_image` or `e_invoice`."""

    __tablename__ = "mark"
    __table_args__ = (Index("ix_mark_value", "value", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(128))


class ProposalRecord(Base):
    """What Vouch would write and what was decided; `body` is `Proposal.as_json()`, `score` and `held` are of the
    Decision."""

    __tablename__ = "proposal"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("reading.id"))
    body: Mapped[dict[str, Any]]
    outcome: Mapped[str] = mapped_column(String(16))
    reasons: Mapped[list[str]]
    at: Mapped[datetime]
    score: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    held: Mapped[bool] = mapped_column(default=False, server_default=false())


class EffectRecord(Base):
    """One intended ERP write. `status`: `intended` (may have happened), `done`, `void` (shown not to have happened)."""

    __tablename__ = "effect"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    model: Mapped[str] = mapped_column(String(64))
    record_id: Mapped[int]
    leads_to: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(16), default="intended")
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class Review(Base):
    """A queue item: what a person is asked, and what they said. Open while `settled_at` is empty.

    `topics` are ids of what made it doubtful (see `mappings.policy.Decision`). Who works on it holds the claim until
    `claimed_until`; `seconds` is the active work from claim to verdict, None where nobody measured it. `asked_at` and
    `question` are of the last question that a person sent back. `record` is the ERP record as it was read for the
    review, `seen` as it was found changed later (see `connector.settling.snapshot`), `activity_id` the to-do there.
    `topic` is the first of the topics, `number` the document's own, `worth` the amount as a number in its own currency,
    `assignee` (a login) who is to do it.
    """

    __tablename__ = "review"
    __table_args__ = (
        # The queue is the open ones, oldest first; the others are history.
        Index(
            "ix_review_open",
            "opened_at",
            "id",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        # Only of them: SQLite would take it for the open ones, and sort those itself.
        Index(
            "ix_review_settled_at",
            "settled_at",
            sqlite_where=text("settled_at IS NOT NULL"),
            postgresql_where=text("settled_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), unique=True)
    title: Mapped[str] = mapped_column(Text)
    vendor: Mapped[str] = mapped_column(Text, default="")
    amount: Mapped[str] = mapped_column(String(32), default="")
    currency: Mapped[str] = mapped_column(String(3), default="")
    reasons: Mapped[list[str]]
    opened_at: Mapped[datetime] = mapped_column(index=True)
    settled_at: Mapped[datetime | None]
    verdict: Mapped[str] = mapped_column(String(32), default="")
    actor: Mapped[str] = mapped_column(String(128), default="")
    company_id: Mapped[int | None]
    company: Mapped[str] = mapped_column(Text, default="", server_default="")
    topics: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    claimed_by: Mapped[str] = mapped_column(String(128), default="", server_default="")
    claimed_name: Mapped[str] = mapped_column(String(128), default="", server_default="")
    claimed_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    seconds: Mapped[int | None]
    asked_at: Mapped[datetime | None]
    question: Mapped[str] = mapped_column(Text, default="", server_default="")
    activity_id: Mapped[int | None]
    record: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    seen: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    topic: Mapped[str] = mapped_column(String(128), default="", server_default="")
    number: Mapped[str] = mapped_column(Text, default="", server_default="")
    worth: Mapped[float | None] = mapped_column(Float)
    assignee: Mapped[str] = mapped_column(String(128), default="", server_default="")
    assignee_name: Mapped[str] = mapped_column(String(128), default="", server_default="")

    job: Mapped[Job] = relationship(lazy="joined")


class DraftRecord(Base):
    """A person's edits of a bill in review that are not settled yet, in the order they were made."""

    __tablename__ = "draft"

    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), primary_key=True, autoincrement=False)
    edits: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime]


class CorrectionRecord(Base):
    """A value that a person changed before the bill was written: `target` as in the review's JSON, `term` the business
    term it came from, `before` what was proposed and `after` what was written, as JSON, and where it stands on the
    page (`box` in fractions of the page)."""

    __tablename__ = "correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    target: Mapped[str] = mapped_column(String(128))
    term: Mapped[str | None] = mapped_column(String(64))
    before: Mapped[Any] = mapped_column(JSON)
    after: Mapped[Any] = mapped_column(JSON)
    page: Mapped[int | None]
    box: Mapped[list[float] | None] = mapped_column(JSON)
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(index=True)


class JudgedRecord(Base):
    """A value that a model read, what spoke for it (`signs`), and whether a person found it right."""

    __tablename__ = "judged_value"
    __table_args__ = (UniqueConstraint("reading_id", "term"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    reading_id: Mapped[int] = mapped_column(ForeignKey("reading.id"))
    term: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(128), index=True)
    right: Mapped[bool]
    signs: Mapped[dict[str, Any]]
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime]


class LessonRecord(Base):
    """One document's word on one Subject (see `mappings.memory`); `subject` is the Subject's id."""

    __tablename__ = "lesson"
    __table_args__ = (UniqueConstraint("backend", "subject", "document"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    backend: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16))
    term: Mapped[str] = mapped_column(String(32))
    words: Mapped[str] = mapped_column(Text)
    vendor_id: Mapped[int]
    company_id: Mapped[int]
    printed: Mapped[str] = mapped_column(Text)
    value: Mapped[list[int]]
    label: Mapped[str] = mapped_column(Text)
    vendor: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(String(64))
    day: Mapped[date]
    set_by: Mapped[str] = mapped_column(String(128))


class VerdictRecord(Base):
    """What became of a Proposal: the bill as people posted it. One a Job, so that no bill is learned twice.

    `would_fill` says that it was filled, or held back though sure; `wrong` and `changed` name the values that people
    posted otherwise, `changed` those that were only suggested; `proposed` all that were compared, None for a Verdict of
    before they were kept.
    """

    __tablename__ = "verdict"
    __table_args__ = (
        # All that where a vendor stands is told from.
        Index("ix_verdict_vendor", "backend", "vendor_id", "at", "id", "would_fill", "right"),
        Index("ix_verdict_at", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), unique=True)
    backend: Mapped[str] = mapped_column(String(64))
    vendor_id: Mapped[int]
    vendor: Mapped[str] = mapped_column(Text)
    would_fill: Mapped[bool]
    score: Mapped[float] = mapped_column(Float)
    right: Mapped[bool]
    wrong: Mapped[list[str]]
    changed: Mapped[list[str]]
    proposed: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    at: Mapped[datetime]


class ShadowRecord(Base):
    """A person's choice whether a vendor's bills go to a person although they are sure."""

    __tablename__ = "shadow"

    backend: Mapped[str] = mapped_column(String(64), primary_key=True)
    vendor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vendor: Mapped[str] = mapped_column(Text)
    is_on: Mapped[bool]
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime]


class Cursor(Base):
    """How far a Backend has been polled, how the last poll ended, and when the one under way, if it is a long one, got further."""

    __tablename__ = "cursor"

    backend: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[datetime | None]
    last_id: Mapped[int] = mapped_column(default=0)
    polled_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")
    progress_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """What the review list shows of a document besides the reasons."""

    title: str
    vendor: str = ""
    amount: str = ""
    currency: str = ""
    company_id: int | None = None
    company: str = ""
    topics: Sequence[str] = ()
    number: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the ledger knows about one Job, in order."""

    job: Job
    transitions: tuple[Transition, ...]
    attempts: tuple[Attempt, ...]
    readings: tuple[ReadingRecord, ...]
    proposals: tuple[ProposalRecord, ...]
    effects: tuple[EffectRecord, ...]
    review: Review | None
