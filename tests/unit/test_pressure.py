"""Much at once: what waits stays small, and nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import event

from connector.erp.port import SyncCursor
from connector.execution.prompt import PAUSE_SECONDS, Prompt
from connector.ledger import attachments, progress
from connector.ledger.attachments import AT_ONCE
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.progress import Progress
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from tests.unit.test_ledger import attachment, poll


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


def test_a_large_poll_is_kept_in_short_transactions_and_its_cursor_last(ledger: Ledger) -> None:
    kept: list[tuple[int, SyncCursor]] = []

    def committed(_connection: object) -> None:
        if not reading:
            reading.append(True)
            kept.append((sum(ledger.counts().values()), ledger.cursor("main")))
            reading.clear()

    reading: list[bool] = []
    found = poll(*(attachment(number) for number in range(1, 5 * AT_ONCE + 2)))
    event.listen(ledger.engine, "commit", committed)
    assert ledger.remember("main", found) == 5 * AT_ONCE + 1
    # What was committed before each of the commits.
    assert [count for count, _ in kept] == [AT_ONCE * part for part in range(6)]
    assert {cursor for _, cursor in kept} == {SyncCursor()}
    assert ledger.cursor("main") == found.cursor
    assert ledger.remember("main", found) == 0


def test_others_write_while_a_large_poll_is_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        ledger.poll_failed("another", str(len(pauses)))

    monkeypatch.setattr(attachments, "time", SimpleNamespace(sleep=pause))
    ledger.remember("main", poll(*(attachment(number) for number in range(1, 4 * AT_ONCE + 1))))
    # Longer than the tenth of a second after which SQLite's waiting writers look again.
    assert len(pauses) == 3
    assert min(pauses) > 0.1
    assert {one.backend: one.error for one in ledger.polls()} == {"main": "", "another": "3"}


def test_a_large_poll_that_broke_off_is_found_again(ledger: Ledger) -> None:
    found = poll(*(attachment(number) for number in range(1, 3 * AT_ONCE + 1)))
    parts = iter(range(3))

    def broken(_connection: object) -> None:
        if next(parts) == 1:
            raise OSError("the disk is full")

    event.listen(ledger.engine, "commit", broken)
    with pytest.raises(OSError, match="full"):
        ledger.remember("main", found)
    event.remove(ledger.engine, "commit", broken)
    assert ledger.cursor("main") == SyncCursor()
    [known] = ledger.polls()
    assert known.progress_at is not None
    assert known.polled_at is None
    assert ledger.remember("main", found) == 2 * AT_ONCE
    assert sum(ledger.counts().values()) == 3 * AT_ONCE


def test_a_long_poll_tells_now_and_then_that_it_gets_further(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, told = [0.0], list[float]()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(ledger, "poll_goes_on", lambda _: told.append(now[0]))
    further = Progress(ledger, "main")
    for _ in range(35):
        further()
        now[0] += 1
    assert told == [10, 20, 30]


def test_what_is_kept_is_not_looked_up_with_every_poll(ledger: Ledger) -> None:
    found = poll(*(attachment(number) for number in range(1, 3 * AT_ONCE + 1)))
    asked: list[str] = []

    def asking(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    ledger.remember("main", found)
    event.listen(ledger.engine, "before_cursor_execute", asking)
    assert ledger.remember("main", found) == 0
    assert len(asked) < 10, asked
    # One that was changed and changed back is another object.
    moved = replace(found, attachments=(attachment(1, record=77), *found.attachments[1:]))
    assert ledger.remember("main", moved) == 1
    back = replace(found, attachments=(attachment(1), *found.attachments[1:]))
    assert ledger.remember("main", back) == 1
    # After a restore of the ERP everything is looked at.
    asked.clear()
    assert ledger.remember("main", replace(back, went_back=True)) == 0
    assert len([one for one in asked if "FROM job JOIN attachment" in one]) == 3


def test_what_moved_while_it_was_worked_on_is_found_again(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(1)))
    job = ledger.claim("test", ["main"])
    assert job
    moved = poll(attachment(1, record=77))
    assert ledger.remember("main", moved) == 0
    ledger.finish(job, JobState.SKIPPED, "gone", "It was moved.")
    assert ledger.remember("main", moved) == 1
    assert ledger.remember("main", moved) == 0
    [job] = ledger.jobs()
    assert (job.state, job.record_id) == (JobState.QUEUED, 77)


def test_the_next_job_is_claimed_without_a_look_at_all_that_wait(ledger: Ledger) -> None:
    ledger.remember("main", poll(*(attachment(number) for number in range(1, 20))))
    asked: list[tuple[str, object]] = []

    def asking(_c: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        if statement.startswith("SELECT") and "ORDER BY" in statement:
            asked.append((statement, values))

    event.listen(ledger.engine, "before_cursor_execute", asking)
    assert ledger.claim("test", ["main"])
    event.remove(ledger.engine, "before_cursor_execute", asking)
    [(statement, values)] = [one for one in asked if "job.priority" in one[0].partition("ORDER BY")[2]]
    with ledger.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # pyright: ignore[reportArgumentType]
        steps = [str(row[-1]) for row in plan]
    assert any("ix_job_claim" in step for step in steps), steps
    assert not [step for step in steps if "TEMP B-TREE" in step or step.startswith("SCAN")], steps


class Polled:
    """A pipeline that counts its polls."""

    def __init__(self) -> None:
        self.polls, self.was = 0, threading.Event()

    def discover(self) -> int:
        self.polls += 1
        self.was.set()
        return 0


def test_a_burst_of_ten_thousand_calls_is_a_poll_or_two() -> None:
    polled = Polled()
    prompt = Prompt({"main": polled}, lambda: None)  # pyright: ignore[reportArgumentType]
    thread = threading.Thread(target=prompt.run, args=(lambda: None,))
    begun = time.monotonic()
    thread.start()
    for _ in range(10_000):
        prompt.ask("main")
        prompt.ask("unknown")
    assert polled.was.wait(60)
    prompt.stop()
    thread.join()
    assert polled.polls <= 1 + (time.monotonic() - begun) / PAUSE_SECONDS


def test_drafts_that_killed_processes_left_go(tmp_path: Path) -> None:
    store = DocumentStore(tmp_path)
    sha256 = store.put(b"a bill")
    store.remove(sha256)
    left = tmp_path / sha256[:2] / f"{sha256}.killed"
    other = tmp_path / sha256[:2] / f"{sha256[:2]}{'0' * 62}.killed"
    for path in (left, other):
        path.write_bytes(b"a b")
    assert store.put(b"a bill") == sha256
    assert not left.exists()
    assert store.sweep(other.stat().st_mtime) == 0
    assert store.sweep(time.time() + 1) == 1
    assert not other.exists()
    assert store.get(sha256) == b"a bill"
