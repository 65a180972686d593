"""`vouch restore`: a backup put back where there is nothing yet. Killed anywhere, it can be run again.

Documents are put first and the ledger last, in one step, so that there is either no ledger or the whole one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from pathlib import Path
from typing import IO

from sqlalchemy import delete, func, inspect, make_url, select, text, update
from sqlalchemy.orm import Session

from connector.backup.manifest import DOCUMENTS, NAME, POSTGRESQL, SQLITE, Manifest
from connector.backup.occupancy import occupied
from connector.backup.snapshot import postgresql_program
from connector.backup.write import CHUNK
from connector.errors import FatalError
from connector.ledger import schema
from connector.ledger.audit import AuditEntry, Deed, audit
from connector.ledger.documents import DocumentStore
from connector.ledger.engine import make_engine
from connector.ledger.migrate import open_ledger
from connector.ledger.records import Job, SeenAttachment
from connector.ledger.sessions import SessionRecord
from connector.ledger.states import FINAL
from connector.recognition import RESTORED

WORK = ".restore"
_SHA256 = 64


def restore(file: Path, url: str, folder: Path, actor: str) -> Manifest:
    """Put a backup into the empty ledger at `url` and the documents below `folder`; what the backup says of itself.

    Raises FatalError where the backup is not whole, of another kind of database or of a newer version, and where the
    ledger is not empty or in use; then nothing was changed.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with occupied(folder, alone=True):
        _require_empty(url)
        work = folder / WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        manifest = _unpack(file, work)
        member = POSTGRESQL if make_url(url).get_backend_name() == "postgresql" else SQLITE
        if manifest.ledger != member:
            raise FatalError(
                f"The backup has the ledger of another kind of database ({manifest.ledger}, here it would be {member}). "
                "Set ledger_url to a database like the one it was made of."
            )
        if manifest.revision not in schema.known():
            raise FatalError(
                f"The backup was made by a newer Vouch (schema {manifest.revision}). Restore it with that version."
            )
        store = DocumentStore(folder / "documents")
        if member == SQLITE:
            _mark(f"sqlite:///{work / SQLITE}", manifest, actor)
            _place_documents(work, store)
            _place_sqlite(work / SQLITE, Path(make_url(url).database or ""))
        else:
            _place_documents(work, store)
            words = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction"]
            postgresql_program("pg_restore", url, [*words, str(work / POSTGRESQL)])
            _mark(url, manifest, actor)
        shutil.rmtree(work)
    return manifest


def _require_empty(url: str) -> None:
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").exists():
        return
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            for table in (SeenAttachment, AuditEntry):
                if table.__tablename__ in tables and connection.scalar(
                    select(func.count()).select_from(table)
                ):
                    raise FatalError(
                        "The ledger is not empty, and nothing in it is overwritten. To restore in its place, move it away "
                        "first (the folder data_dir, or the database of ledger_url)."
                    )
            if engine.dialect.name == "postgresql":
                others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                if connection.scalar(text(others)):
                    raise FatalError(
                        "Others are connected to the ledger's database. Stop every Vouch on it, then try again."
                    )
    finally:
        engine.dispose()


# -- unpacking ------------------------------------------------------------------------------------------------------------


def _unpack(file: Path, work: Path) -> Manifest:
    """Check every byte of a backup and lay its members down in `work`."""
    damaged = FatalError(f"{file} is no whole backup of Vouch. Take another one.")
    (work / DOCUMENTS).mkdir(mode=0o700)
    ledger, manifest, documents = "", None, 0
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                source = archive.extractfile(member) if member.isreg() else None
                if source is None or manifest is not None:
                    raise damaged
                if member.name == NAME:
                    manifest = Manifest.from_bytes(source.read(CHUNK))
                elif member.name in (SQLITE, POSTGRESQL) and not ledger:
                    ledger = _laid(source, work / member.name)
                elif _is_document(member.name):
                    documents += 1
                    if _laid(source, work / member.name) != member.name.removeprefix(DOCUMENTS):
                        raise damaged
                else:
                    raise damaged
    except (OSError, tarfile.TarError) as error:
        raise FatalError(f"{file} cannot be read as a backup: {error}. Take another one.") from error
    if manifest is None or manifest.documents != documents or manifest.ledger_sha256 != ledger:
        raise damaged
    return manifest


def _is_document(name: str) -> bool:
    sha256 = name.removeprefix(DOCUMENTS)
    return name.startswith(DOCUMENTS) and len(sha256) == _SHA256 and set(sha256) <= set("0123456789abcdef")


def _laid(source: IO[bytes], place: Path) -> str:
    """Copy a member to its place; its SHA-256 in hex."""
    found = hashlib.sha256()
    with open(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as sink:
        while chunk := source.read(CHUNK):
            found.update(chunk)
            sink.write(chunk)
        sink.flush()
        os.fsync(sink.fileno())
    return found.hexdigest()


# -- putting in place -----------------------------------------------------------------------------------------------------


def _place_documents(work: Path, store: DocumentStore) -> None:
    for file in (work / DOCUMENTS).iterdir():
        store.adopt(file)


def _place_sqlite(restored: Path, ledger: Path) -> None:
    # A log of the empty ledger must not be taken for one of the restored.
    for end in ("-wal", "-shm", ""):
        Path(f"{ledger}{end}").unlink(missing_ok=True)
    os.replace(restored, ledger)


def _mark(url: str, manifest: Manifest, actor: str) -> None:
    """Bring the ledger up to date, and let it know that it was restored."""
    ledger = open_ledger(url)
    with Session(ledger.engine) as session, session.begin():
        # What a person wishes from here on has keys that no note bears yet.
        session.execute(
            update(Job).where(Job.state.in_(list(FINAL))).values(generation=Job.generation + RESTORED)
        )
        # Who signed out since would be in again.
        session.execute(delete(SessionRecord))
        values = {"at": manifest.at.isoformat(), "audit": manifest.audit, "documents": manifest.documents}
        audit(session, Deed("ledger.restored", "ledger", actor, values))
    if ledger.engine.dialect.name == "sqlite":
        with ledger.engine.connect() as connection:
            # The file alone is moved, so nothing may be left in the log beside it.
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()
