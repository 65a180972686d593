"""A person's data: found by names, addresses, account and telephone numbers, and taken out of all that Vouch keeps."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Column, Engine, String, Table, Text, delete, select, update
from sqlalchemy.orm import Session

from connector.errors import SettingsError
from connector.ledger.audit import ERASED, AuditDetail, AuditEntry, Deed, audit
from connector.ledger.records import (
    Base,
    EffectRecord,
    Job,
    LessonRecord,
    ProposalRecord,
    ReadingRecord,
    SeenAttachment,
)
from connector.ledger.retention import SETTLED, empty_readings
from connector.ledger.sessions import SessionRecord

if TYPE_CHECKING:
    from connector.ledger.documents import DocumentStore

SHORTEST = 4
BLANK = "[erased]"
_SEPARATORS = r"[\s.\-/()]*"
_READ = (ReadingRecord.__tablename__, ProposalRecord.__tablename__, EffectRecord.__tablename__)
_WHOLE = (LessonRecord.__tablename__, SessionRecord.__tablename__)
"""Rows that go as a whole: a Lesson's id is made of its words, and a session is one person's."""
_AT_ONCE = 500

Pages = Callable[[bytes], Iterable[str]]
"""Bytes of a document in, the words of its pages out."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a person's data is: `places` counts rows by table and column; `documents` are numbers of documents that
    say it, `open_documents` those of them that are not settled; `records` are what Odoo keeps of them; `files` are hashes."""

    places: dict[str, int]
    documents: tuple[int, ...]
    open_documents: tuple[int, ...]
    records: tuple[str, ...]
    files: tuple[str, ...]


def pattern_of(words: Sequence[str]) -> re.Pattern[str]:
    """What finds these words in any case and spacing; numbers also with other separators.

    Raises SettingsError for words too short to tell anybody.
    """
    parts: list[str] = []
    for one in words:
        bare = re.sub(r"[\s.\-/()]", "", one)
        if len(bare) < SHORTEST:
            raise SettingsError(
                f"“{one}” is too short: it would be found everywhere. Give at least {SHORTEST} characters."
            )
        is_number = sum(c.isdigit() for c in bare) * 2 > len(bare) and "@" not in bare
        spelt = (
            _SEPARATORS.join(map(re.escape, bare)) if is_number else r"\s+".join(map(re.escape, one.split()))
        )
        parts.append(rf"(?<!\w){spelt}(?!\w)")
    return re.compile("|".join(parts), re.IGNORECASE)


class People:
    """Finds and erases. `pages` reads the words of a document; without it documents are known by what was read of them."""

    def __init__(
        self,
        engine: Engine,
        documents: DocumentStore,
        answers: Path | None = None,
        pages: Pages | None = None,
    ) -> None:
        self._engine, self._documents, self._answers, self._pages = engine, documents, answers, pages

    def find(self, words: Sequence[str]) -> Found:
        """Where the words stand."""
        pattern = pattern_of(words)
        with Session(self._engine.execution_options(read_only=True)) as session:
            places: Counter[str] = Counter()
            numbers: set[int] = set()
            for table in _tables():
                for column, row in _hits(session, table, pattern):
                    places[f"{table.name}.{column}"] += 1
                    if table.name in _READ:
                        numbers.add(row["job_id"])
            numbers |= self._saying(session, pattern)
            if answers := sum(1 for _ in self._answering(pattern)):
                places["answers"] = answers
            jobs = list(session.scalars(select(Job).where(Job.id.in_(numbers)).order_by(Job.id)))
            shared = set(
                session.scalars(select(Job.document_sha256).where(Job.id.not_in(numbers)).distinct())
            )
            settled = [job for job in jobs if job.state in SETTLED]
            files = {job.document_sha256 for job in settled if job.document_sha256} - shared
            files -= {job.document_sha256 for job in jobs if job.state not in SETTLED}
            return Found(
                dict(sorted(places.items())),
                tuple(job.id for job in jobs),
                tuple(job.id for job in jobs if job.state not in SETTLED),
                tuple(f"{job.backend}: {job.model} {job.record_id}" for job in jobs),
                tuple(sorted(one for one in files if one and self._documents.size(one))),
            )

    def erase(self, words: Sequence[str], actor: str) -> Found:
        """Take the words out of everything but open documents; what was found. The audit says how much, not what."""
        found, pattern = self.find(words), pattern_of(words)
        settled = [number for number in found.documents if number not in found.open_documents]
        with Session(self._engine) as session, session.begin():
            # Open documents go on with what was read of them; all else is blanked.
            empty_readings(session, settled)
            for table in _tables():
                if table.name != AuditDetail.__tablename__:
                    _blank(session, table, pattern, frozenset(found.open_documents))
            details = _audited(session, pattern)
            session.execute(delete(AuditDetail).where(AuditDetail.sequence.in_(details)))
            values = {ERASED: details, "documents": settled, "files": len(found.files)}
            audit(session, Deed("person.erased", "ledger", actor, values))
        for sha256 in found.files:
            self._documents.remove(sha256)
        for file in self._answering(pattern):
            file.unlink(missing_ok=True)
        self._scrub()
        return found

    def _saying(self, session: Session, pattern: re.Pattern[str]) -> set[int]:
        """Documents whose pages say the words."""
        if self._pages is None:
            return set()
        said: set[int] = set()
        named = select(Job.document_sha256, Job.id).where(Job.document_sha256.is_not(None))
        numbers: dict[str, list[int]] = {}
        for sha256, number in session.execute(named):
            numbers.setdefault(sha256 or "", []).append(number)
        for sha256, those in numbers.items():
            data = self._documents.get(sha256)
            if data is not None and any(pattern.search(page) for page in self._pages(data)):
                said.update(those)
        return said

    def _answering(self, pattern: re.Pattern[str]) -> Iterator[Path]:
        """Kept answers of the model server in which the words stand."""
        for file in self._answers.glob("*/*") if self._answers else ():
            if file.is_file() and any(pattern.search(said) for said in _texts(json.loads(file.read_bytes()))):
                yield file

    def _scrub(self) -> None:
        """Leave nothing behind in the pages of the database that are free now."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            driver = connection.connection.driver_connection
            if connection.dialect.name == "sqlite" and driver is not None:
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _tables() -> list[Table]:
    return [table for table in Base.metadata.sorted_tables if table.name != AuditEntry.__tablename__]


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if isinstance(column.type, String | Text | JSON)]


def _hits(session: Session, table: Table, pattern: re.Pattern[str]) -> Iterator[tuple[str, Any]]:
    """Columns and rows of a table in which the words stand."""
    columns = _columns(table)
    if not columns:
        return
    for row in session.execute(select(table).execution_options(yield_per=_AT_ONCE)).mappings():
        for column in columns:
            if any(pattern.search(said) for said in _texts(row[column.name])):
                yield column.name, row


def _blank(session: Session, table: Table, pattern: re.Pattern[str], still_open: frozenset[int]) -> None:
    """Take the words out of a table's rows, but of what is told of open documents."""
    changes: dict[tuple[Any, ...], dict[str, Any]] = {}
    keys = list(table.primary_key.columns)
    spared = set(session.scalars(select(Job.attachment_id).where(Job.id.in_(still_open))))
    for column, row in _hits(session, table, pattern):
        number = row["id"] if table.name == Job.__tablename__ else row.get("job_id")
        if number in still_open or (table.name == SeenAttachment.__tablename__ and row["id"] in spared):
            continue
        key = tuple(row[one.name] for one in keys)
        changes.setdefault(key, {})[column] = _without(row[column], pattern)
    for key, values in changes.items():
        same = [column == value for column, value in zip(keys, key, strict=True)]
        whole = table.name in _WHOLE
        session.execute(delete(table).where(*same) if whole else update(table).where(*same).values(values))


def _audited(session: Session, pattern: re.Pattern[str]) -> list[int]:
    """Entries of the audit whose details say the words."""
    rows = session.execute(
        select(AuditDetail.sequence, AuditDetail.body).execution_options(yield_per=_AT_ONCE)
    )
    return [sequence for sequence, body in rows if pattern.search(body)]


def _texts(node: Any) -> Iterator[str]:
    """All strings in a value."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(value)


def _without(node: Any, pattern: re.Pattern[str]) -> Any:
    """The same value without the words."""
    if isinstance(node, str):
        return pattern.sub(BLANK, node)
    if isinstance(node, dict):
        return {name: _without(value, pattern) for name, value in node.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(node, list):
        return [_without(value, pattern) for value in node]  # pyright: ignore[reportUnknownVariableType]
    return node
