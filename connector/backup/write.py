"""`vouch backup`: a ledger's snapshot and the documents it names, as one tar file that is there whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from connector.backup import snapshot
from connector.backup.manifest import DOCUMENTS, FORMAT, NAME, Manifest
from connector.errors import FatalError, SettingsError
from connector.ledger.audit import Deed, audit

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from connector.ledger.documents import DocumentStore

CHUNK = 1 << 20
ROOM = ".vouch-backup-"


def back_up(engine: Engine, documents: DocumentStore, file: Path, actor: str) -> Manifest:
    """Write a backup; what it says of itself.

    Raises SettingsError where the file is there already or cannot be written, and FatalError for a damaged ledger or
    document. Others may go on working meanwhile.
    """
    if file.exists():
        raise SettingsError(
            f"{file} is there already. Choose another name: no backup is written over another."
        )
    try:
        with _room(file.parent) as folder:
            whole = folder / "whole"
            manifest = _write(engine, documents, folder, whole)
            digest = _sha256(whole)
            os.link(whole, file)  # unlike a rename it does not replace what came meanwhile
            _sync(file.parent)
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written: {error.strerror}. Check its folder and the room there."
        ) from error
    with Session(engine) as session, session.begin():
        values = {"at": manifest.at.isoformat(), "documents": manifest.documents, "sha256": digest}
        audit(session, Deed("backup.made", "ledger", actor, values))
    return manifest


@contextmanager
def _room(parent: Path) -> Generator[Path]:
    """A folder to write in, locked while this process lives; what killed ones left beside it goes."""
    with _locked(parent, fcntl.LOCK_EX):
        for left in parent.glob(f"{ROOM}*"):
            with suppress(BlockingIOError), _locked(left, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(left)
        folder = Path(tempfile.mkdtemp(prefix=ROOM, dir=parent))
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(lock)


@contextmanager
def _locked(folder: Path, how: int) -> Generator[None]:
    """Hold a folder's lock. Raises BlockingIOError where another process holds it and `how` does not wait."""
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, how)
        yield
    finally:
        os.close(number)


def _write(engine: Engine, documents: DocumentStore, folder: Path, whole: Path) -> Manifest:
    ledger = folder / "ledger"
    taken = snapshot.take(engine, ledger)
    missing: list[str] = []
    # Only its owner may read it: it holds what the documents say.
    with open(os.open(whole, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as sink:
        with tarfile.open(fileobj=sink, mode="w") as archive:
            archive.add(ledger, taken.member, filter=_plain)
            for sha256 in taken.documents:
                data = documents.get(sha256)
                if data is None:
                    missing.append(sha256)
                    continue
                if hashlib.sha256(data).hexdigest() != sha256:
                    raise FatalError(
                        f"The document {sha256} in {documents.folder} is damaged. Delete it; `vouch retry` fetches it again."
                    )
                _add(archive, DOCUMENTS + sha256, data)
            manifest = Manifest(
                format=FORMAT,
                vouch=version("vouch"),
                revision=taken.revision,
                ledger=taken.member,
                ledger_sha256=_sha256(ledger),
                at=taken.at,
                audit=str(taken.audit),
                documents=len(taken.documents) - len(missing),
                missing=tuple(missing),
            )
            _add(archive, NAME, manifest.model_dump_json().encode())
        sink.flush()
        os.fsync(sink.fileno())
    return manifest


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    archive.addfile(info, io.BytesIO(data))


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o600
    return info


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
