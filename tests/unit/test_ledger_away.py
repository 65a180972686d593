"""The ledger is locked, its disk is full or its database is gone for a while: told with the remedy, nothing lost, and the
work goes on by itself."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc, text

from connector.errors import FatalError, LedgerAway, LedgerFull, NoRoom
from connector.execution.inline import Worker
from connector.execution.prompt import Prompt
from connector.ledger import documents, engine
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.records import Job
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from inference.readers.vlm.kept import KeptAnswers, Told
from tests.unit.test_ledger import attachment, poll


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOCK_SECONDS", 1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    opened.remember("main", poll(attachment(1), attachment(2)))
    yield opened
    opened.close()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_lock_is_told_with_what_to_do(ledger: Ledger, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(LedgerAway, match=r"more than 1 seconds .* end what has it open"):
        ledger.claim("w", ["main"])
    assert ledger.claim("w", ["main"])


def test_a_full_disk_is_told_with_what_to_do(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        row = text("UPDATE job SET message = :message")
        with pytest.raises(LedgerFull, match="make room on it"):
            connection.execute(row, {"message": "x" * 10_000_000})


@pytest.mark.parametrize(
    ("code", "kind"),
    [("55P03", LedgerAway), ("53100", LedgerFull), ("57P01", LedgerAway), (None, LedgerAway)],
)
def test_what_postgresql_says(code: str | None, kind: type[LedgerAway]) -> None:
    class Said(Exception):
        pgcode = code

    found = engine.away(exc.OperationalError("SELECT 1", {}, Said("as it says")))
    assert type(found) is kind
    assert "as it says" in str(found)


def test_a_database_that_refuses_is_told_of_without_the_password() -> None:
    url = "postgresql+psycopg2://vouch:hidden@127.0.0.1:9/vouch?tls=on"
    with pytest.raises(FatalError, match=r'option "tls".*Check what `ledger_url`') as refused:
        open_ledger(url)
    assert "hidden" not in "".join(traceback.format_exception(refused.value))


class Held:
    """A pipeline whose document is in hand while the ledger goes away."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.at_it, self.gone = threading.Event(), threading.Event()
        self.worked: list[int] = []

    def work(self, job: Job) -> JobState:
        self.worked.append(job.id)
        if not self.gone.is_set():
            self.at_it.set()
            self.gone.wait(60)
        self._ledger.finish(job, JobState.SKIPPED, "x", "Done.")
        return JobState.SKIPPED


def test_a_worker_goes_on_when_the_lock_is_gone(ledger: Ledger, tmp_path: Path) -> None:
    """What it had in hand is put back, and counts as no crash."""
    held = Held(ledger)
    worker = Worker(ledger, {"main": held}, 1)  # type: ignore[dict-item]
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert held.at_it.wait(60)
    with locked(tmp_path):
        held.gone.set()
        worker.heartbeat()
        assert thread.is_alive()
    _until(lambda: all(job.state == JobState.SKIPPED for job in _hurried(ledger)))
    worker.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert {job.crashes for job in ledger.jobs()} == {0}
    assert sorted(set(held.worked)) == [1, 2]


def _hurried(ledger: Ledger) -> Any:
    ledger.retry("test", states=())
    return ledger.jobs()


def _until(what: Any) -> None:
    waiting = threading.Event()
    for _ in range(600):
        if what():
            return
        waiting.wait(0.1)
    raise AssertionError("in vain")


def test_a_sweep_that_fails_ends_nothing() -> None:
    swept: list[int] = []
    prompt = Prompt({}, lambda: None)

    def sweep() -> None:
        swept.append(1)
        prompt.stop()
        raise LedgerAway("It is locked.")

    prompt.run(sweep)
    assert swept == [1]


def test_a_ledger_that_cannot_be_opened_is_fatal(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="ledger_url"):
        open_ledger(f"sqlite:///{tmp_path / 'nowhere' / 'ledger.db'}")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_document_without_room_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_file: int) -> None:
        raise OSError(number, os.strerror(number))

    store = DocumentStore(tmp_path / "documents")
    with monkeypatch.context() as patched:
        patched.setattr(documents.os, "fsync", full)
        with pytest.raises(NoRoom, match="make room on its disk"):
            store.put(b"a bill")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert store.get(store.put(b"a bill")) == b"a bill"


def test_an_answer_without_room_is_asked_for_again(tmp_path: Path) -> None:
    blocked = tmp_path / "answers"
    blocked.write_text("no folder")
    kept = KeptAnswers(blocked, 1)
    kept.put("0" * 64, Told("{}", False, {}))
    assert kept.get("0" * 64) is None
