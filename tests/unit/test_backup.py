"""A backup is whole or not there, restores to its moment where there is nothing yet, and survives being killed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from connector.backup.manifest import Manifest
from connector.backup.occupancy import occupied
from connector.backup.restore import restore
from connector.backup.snapshot import postgresql_program
from connector.backup.write import back_up
from connector.cli import app
from connector.errors import FatalError, SettingsError
from connector.ledger.chain import Anchor, Chain
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from tests.unit.test_audit import settled
from tests.unit.test_ledger import attachment, clock, ledger, ledger_url, poll

__all__ = ["clock", "ledger", "ledger_url"]

RESTORE = """
import sys
from pathlib import Path
from connector.backup.restore import restore
restore(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), "test")
"""


@pytest.fixture
def documents(tmp_path: Path) -> DocumentStore:
    return DocumentStore(tmp_path / "documents")


@pytest.fixture
def empty_url(tmp_path: Path) -> str:
    """Another empty database of the same kind."""
    (tmp_path / "other").mkdir()
    return f"sqlite:///{tmp_path / 'other' / 'ledger.db'}"


def read(ledger: Ledger, documents: DocumentStore, number: int, data: bytes) -> None:
    """A document that was read and left to a person."""
    ledger.remember("main", poll(attachment(number)))
    job = ledger.claim("a", ["main"])
    assert job is not None
    ledger.keep_document(job, documents.put(data))
    ledger.keep_reading(job, "layout", "0.1", {"fields": {}})
    ledger.finish(job, JobState.SKIPPED, "test", "")


def test_a_backup_brings_back_ledger_documents_and_audit(
    ledger: Ledger, documents: DocumentStore, empty_url: str, tmp_path: Path
) -> None:
    read(ledger, documents, 1, b"one")
    settled(ledger, 2)
    ledger.remember("main", poll(attachment(3)))
    held = ledger.claim("gone", ["main"])
    file = tmp_path / "backup"
    end = Chain(ledger.engine).head()
    manifest = back_up(ledger.engine, documents, file, "bea")
    assert (manifest.documents, manifest.missing, manifest.audit) == (1, (), str(end))
    assert oct(file.stat().st_mode)[-3:] == "600"
    read(ledger, documents, 4, b"after the backup")

    folder = tmp_path / "other"
    assert restore(file, empty_url, folder, "bea") == manifest
    again = open_ledger(empty_url)
    try:
        assert [
            (job.id, job.state, job.generation) for job in sorted(again.jobs(), key=lambda job: job.id)
        ] == [
            (1, "skipped", 100),
            (2, "in_review", 100),
            (3, "running", 0),
        ]
        assert again.cursor("main").last_id == 3
        assert again.recover(lambda owner: owner == "gone") == 1
        assert held is not None
        chain = Chain(again.engine)
        assert chain.verify(end)[1] == []
        restored = next(one for one in chain.newest() if one.action == "ledger.restored")
        assert restored.values["audit"] == str(end)
        sha256 = again.jobs([JobState.SKIPPED])[0].document_sha256
        assert sha256 is not None
        assert DocumentStore(folder / "documents").get(sha256) == b"one"
    finally:
        again.close()
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith((".", "restore"))) == []
    made = next(one for one in Chain(ledger.engine).newest() if one.action == "backup.made")
    assert made.values["actor"] == "bea"


def test_a_backup_is_of_one_moment_while_others_write(
    ledger: Ledger, documents: DocumentStore, empty_url: str, tmp_path: Path
) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            read(ledger, documents, number, f"document {number}".encode())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not ledger.counts()[JobState.SKIPPED]:
            time.sleep(0.01)
        manifest = back_up(ledger.engine, documents, tmp_path / "backup", "bea")
    finally:
        stop.set()
        writer.join()
    assert manifest.missing == ()
    restore(tmp_path / "backup", empty_url, tmp_path / "other", "bea")
    again = open_ledger(empty_url)
    assert Chain(again.engine).verify(Anchor.from_text(manifest.audit))[1] == []
    stories = [again.story(job.id) for job in again.jobs(limit=100_000)]
    for story in stories:
        assert story is not None
        assert [one.after for one in story.transitions][-1:] in ([story.job.state], [])
    again.close()


def test_nothing_is_overwritten(
    ledger: Ledger, documents: DocumentStore, ledger_url: str, empty_url: str, tmp_path: Path
) -> None:
    read(ledger, documents, 1, b"one")
    file = tmp_path / "backup"
    back_up(ledger.engine, documents, file, "bea")
    before = file.read_bytes()
    with pytest.raises(SettingsError, match="there already"):
        back_up(ledger.engine, documents, file, "bea")
    assert file.read_bytes() == before
    ledger.close()
    with pytest.raises(FatalError, match="not empty"):
        restore(file, ledger_url, tmp_path, "bea")
    (tmp_path / "other").mkdir(exist_ok=True)
    with occupied(tmp_path / "other"), pytest.raises(FatalError, match="running"):
        restore(file, empty_url, tmp_path / "other", "bea")
    with (
        occupied(tmp_path, alone=True),
        pytest.raises(FatalError, match="restore is at work"),
        occupied(tmp_path),
    ):
        pass


def test_a_document_that_is_not_kept_any_more_is_named(
    ledger: Ledger, documents: DocumentStore, tmp_path: Path
) -> None:
    read(ledger, documents, 1, b"one")
    [job] = ledger.jobs()
    assert job.document_sha256 is not None
    kept = documents.folder / job.document_sha256[:2] / job.document_sha256
    kept.write_bytes(b"0ne")
    with pytest.raises(FatalError, match="damaged"):
        back_up(ledger.engine, documents, tmp_path / "backup", "bea")
    assert not (tmp_path / "backup").exists()
    kept.unlink()
    assert back_up(ledger.engine, documents, tmp_path / "backup", "bea").missing == (job.document_sha256,)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("good")
    ledger, documents = open_ledger(f"sqlite:///{folder / 'ledger.db'}"), DocumentStore(folder / "documents")
    read(ledger, documents, 1, b"one")
    back_up(ledger.engine, documents, folder / "backup", "bea")
    ledger.close()
    return (folder / "backup").read_bytes()


def refused(data: bytes, folder: Path) -> bool:
    """Whether a restore is refused, and leaves nothing behind."""
    file, target = folder / f"b{time.monotonic_ns()}", folder / f"t{time.monotonic_ns()}"
    file.write_bytes(data)
    try:
        restore(file, f"sqlite:///{target / 'ledger.db'}", target, "bea")
    except FatalError:
        assert not (target / "ledger.db").exists()
        assert not (target / "documents").exists()
        return True
    return False


@hypothesis_settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_backup_is_refused(
    good: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    with tarfile.open(fileobj=io.BytesIO(good)) as archive:
        content = [(one.offset_data, one.size) for one in archive]
    start, size = data.draw(st.sampled_from(content))
    at = data.draw(st.integers(start, start + size - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(good)
    changed[at] ^= 1 << bit
    assert refused(bytes(changed), folder) or _only_told_otherwise(bytes(changed), good)


def _only_told_otherwise(changed: bytes, good: bytes) -> bool:
    """The manifest's own words (version, time, missing) are not hashed; what they say of the data is compared."""

    def told(data: bytes) -> dict[str, object]:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            source = archive.extractfile("manifest.json")
            assert source is not None
            return Manifest.from_bytes(source.read()).model_dump()

    one, two = told(changed), told(good)
    return {name for name in one if one[name] != two[name]} <= {"vouch", "at", "audit", "missing"}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_cut_backup_is_refused(good: bytes, tmp_path: Path, share: float) -> None:
    assert refused(good[: int(len(good.rstrip(b"\0")) * share)], tmp_path)


@pytest.mark.parametrize(
    "name", ["../escape", "/tmp/escape", "documents/../../escape", "documents/zz", "ledger.db"]
)
def test_a_member_that_does_not_belong_is_refused(good: bytes, tmp_path: Path, name: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(good)) as source, tarfile.open(fileobj=out, mode="w") as target:
        for member in source:
            target.addfile(member, source.extractfile(member))
            if member.name == "ledger.db":
                extra = tarfile.TarInfo(name)
                extra.size = 2
                target.addfile(extra, io.BytesIO(b"no"))
    assert refused(out.getvalue(), tmp_path)
    assert not (tmp_path / "escape").exists()


def test_a_link_in_a_backup_is_refused(good: bytes, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as target:
        link = tarfile.TarInfo("ledger.db")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        target.addfile(link)
    assert refused(out.getvalue(), tmp_path)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("large")
    ledger, documents = open_ledger(f"sqlite:///{folder / 'ledger.db'}"), DocumentStore(folder / "documents")
    for number in range(1, 41):
        read(ledger, documents, number, os.urandom(200_000))
    back_up(ledger.engine, documents, folder / "backup", "bea")
    ledger.close()
    return folder / "backup"


def test_a_restore_killed_anywhere_can_be_run_again(large: Path, tmp_path: Path) -> None:
    folder = tmp_path / "restored"
    url = f"sqlite:///{folder / 'ledger.db'}"
    killed = 0
    for milliseconds in (0, 5, 15, 30, 60, 100, 160, 250):
        process = subprocess.Popen([sys.executable, "-c", RESTORE, str(large), url, str(folder)])
        while not (folder / ".restore").exists() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(milliseconds / 1000)
        process.kill()
        process.wait()
        if (folder / "ledger.db").exists():
            break
        killed += 1
    assert killed > 0
    if not (folder / "ledger.db").exists():
        restore(large, url, folder, "bea")
    ledger = open_ledger(url)
    assert ledger.counts()[JobState.SKIPPED] == 40
    store = DocumentStore(folder / "documents")
    assert all(store.get(job.document_sha256 or "") for job in ledger.jobs())
    assert Chain(ledger.engine).verify()[1] == []
    ledger.close()


def test_a_backup_killed_anywhere_leaves_none_or_a_whole_one(
    ledger: Ledger, documents: DocumentStore, ledger_url: str, tmp_path: Path
) -> None:
    for number in range(1, 21):
        read(ledger, documents, number, os.urandom(100_000))
    program = (
        "import sys; from pathlib import Path; from connector.backup.write import back_up;"
        "from connector.ledger.documents import DocumentStore; from connector.ledger.store import Ledger;"
        "back_up(Ledger.connect(sys.argv[1]).engine, DocumentStore(Path(sys.argv[2])), Path(sys.argv[3]), 'test')"
    )
    for milliseconds in (0, 10, 30, 80):
        file = tmp_path / f"backup-{milliseconds}"
        process = subprocess.Popen(
            [sys.executable, "-c", program, ledger_url, str(documents.folder), str(file)]
        )
        while not list(tmp_path.glob(".vouch-backup-*")) and process.poll() is None:
            time.sleep(0.001)
        time.sleep(milliseconds / 1000)
        process.kill()
        process.wait()
        # What it left goes with the next.
        back_up(ledger.engine, documents, tmp_path / f"next-{milliseconds}", "bea")
        assert list(tmp_path.glob(".vouch-backup-*")) == []
        if file.exists():
            restored = tmp_path / f"restored-{milliseconds}"
            restore(file, f"sqlite:///{restored / 'ledger.db'}", restored, "bea")


def test_the_commands_back_up_and_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCH_DATA_DIR", str(tmp_path / "one"))
    (tmp_path / "one").mkdir()
    ledger = open_ledger(f"sqlite:///{tmp_path / 'one' / 'ledger.db'}")
    settled(ledger, 1)
    ledger.close()
    run, file = CliRunner().invoke, str(tmp_path / "backup")
    written = run(app, ["backup", file, "--json"])
    assert written.exit_code == 0
    monkeypatch.setenv("VOUCH_DATA_DIR", str(tmp_path / "two"))
    told = run(app, ["restore", file, "--json"])
    assert told.exit_code == 0
    assert json.loads(told.stdout) == json.loads(written.stdout)
    assert json.loads(run(app, ["status", "--json"]).stdout)["documents"]["in_review"] == 1
    monkeypatch.setenv("VOUCH_DATA_DIR", str(tmp_path / "one"))
    assert isinstance(run(app, ["restore", file]).exception, FatalError)


def test_programs_of_the_database_get_its_password_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\nenv > "{tmp_path}/environment"\necho "$@" > "{tmp_path}/words"\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("VOUCH_BACKENDS__MAIN__API_KEY", "odoo-secret")
    postgresql_program("pg_dump", "postgresql://vouch:db-secret@127.0.0.1/ledger", ["--format=custom"])
    environment, words = ((tmp_path / name).read_text() for name in ("environment", "words"))
    assert "PGPASSWORD=db-secret" in environment
    assert "odoo-secret" not in environment
    assert "secret" not in words
