"""The ledger as it is at one moment, into a file of its own, while others go on writing."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, make_url, select, text
from sqlalchemy.orm import Session

from connector.backup.manifest import POSTGRESQL, SQLITE
from connector.errors import FatalError
from connector.ledger.audit import BEGINNING, AuditEntry
from connector.ledger.chain import Anchor
from connector.ledger.engine import make_engine
from connector.ledger.records import Job
from connector.ledger.retention import UNSENT
from connector.ledger.schema import head
from connector.ledger.uploads import UploadRecord
from inference.environment import for_others

if TYPE_CHECKING:
    from sqlalchemy import Engine

LONGEST_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A ledger in a file: its name in the backup, its moment, its audit's end and the documents that it names."""

    member: str
    at: datetime
    audit: Anchor
    documents: tuple[str, ...]
    revision: str


def take(engine: Engine, file: Path) -> Snapshot:
    """Write the ledger as it is now. Raises FatalError where that cannot be done."""
    if engine.dialect.name == "sqlite":
        return _sqlite(engine, file)
    if engine.dialect.name == "postgresql":
        return _postgresql(engine, file)
    raise FatalError(f"There is no backup of a ledger on {engine.dialect.name}: use that database's own.")


def _sqlite(engine: Engine, file: Path) -> Snapshot:
    at = datetime.now(UTC)
    with engine.connect() as connection:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        target = sqlite3.connect(file)
        try:
            # All pages in one step: others may write before and after, not meanwhile.
            source.backup(target, pages=-1)
            [(answer,)] = target.execute("PRAGMA integrity_check(1)")
        finally:
            target.close()
    if answer != "ok":
        raise FatalError(f"The ledger is damaged: {answer}. Restore an earlier backup.")
    copied = make_engine(f"sqlite:///{file}")
    try:
        with Session(copied.execution_options(read_only=True)) as session:
            return _described(session, SQLITE, at)
    finally:
        copied.dispose()


def _postgresql(engine: Engine, file: Path) -> Snapshot:
    at = datetime.now(UTC)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        shared = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        with Session(connection.execution_options(read_only=True)) as session:
            found = _described(session, POSTGRESQL, at)
            words = [
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--snapshot={shared}",
                f"--file={file}",
            ]
            postgresql_program("pg_dump", engine.url, words)
    return found


def _described(session: Session, member: str, at: datetime) -> Snapshot:
    newest = select(AuditEntry.sequence, AuditEntry.hash).order_by(AuditEntry.sequence.desc()).limit(1)
    end = session.execute(newest).first()
    named = select(Job.document_sha256).where(Job.document_sha256.is_not(None)).distinct()
    unsent = select(UploadRecord.sha256).where(UploadRecord.state.in_(UNSENT))
    documents = {sha256 for sha256 in (*session.scalars(named), *session.scalars(unsent)) if sha256}
    anchor = Anchor(end[0], end[1]) if end else Anchor(0, BEGINNING)
    return Snapshot(member, at, anchor, tuple(sorted(documents)), head())


def postgresql_program(name: str, url: URL | str, words: Sequence[str]) -> None:
    """Run a program of PostgreSQL on the ledger's database; its password never stands on the command line.

    Raises FatalError where it is missing or fails.
    """
    place, program = make_url(url), shutil.which(name)
    if program is None:
        raise FatalError(
            f"{name} is not installed on this machine. Install PostgreSQL's client programs, of the server's version or "
            "newer (apt-get install postgresql-client)."
        )
    environment = for_others() | ({"PGPASSWORD": str(place.password)} if place.password else {})
    given = {
        "--host": place.host or place.query.get("host"),
        "--port": place.port or place.query.get("port"),
        "--username": place.username,
        "--dbname": place.database,
    }
    where = [f"{option}={value}" for option, value in given.items() if value]
    done = subprocess.run(  # noqa: S603 (a program of the path, words of ours, no shell)
        [program, "--no-password", *where, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if done.returncode:
        raise FatalError(f"{name} failed: {done.stderr.strip()[-500:]}")
