"""Much at once: what waits stays small, and nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from connector.erp.port import SyncCursor
from connector.execution.prompt import PAUSE_SECONDS, Prompt
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.store import AT_ONCE, Ledger
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
    assert ledger.remember("main", found) == 2 * AT_ONCE
    assert sum(ledger.counts().values()) == 3 * AT_ONCE


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
