"""The ledger's tests on a real PostgreSQL, and what only two processes on one ledger can do to each other."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import URL, text

from connector.errors import LedgerAway
from connector.ledger import engine
from connector.ledger.migrate import open_ledger
from connector.ledger.states import JobState
from connector.review.lockout import BY_LOGIN
from deploy.odoo.installation import Installation
from deploy.odoo.postgres import ROLE, SOCKET_PORT, Cluster
from tests.unit import (
    test_audit,
    test_backup,
    test_insight,
    test_learning,
    test_lockout,
    test_queue,
    test_replay,
    test_retention,
)
from tests.unit import test_ledger as shared
from tests.unit.test_backup import documents
from tests.unit.test_insight import bench
from tests.unit.test_ledger import attachment, clock, ledger, poll
from tests.unit.test_queue import waiting

__all__ = ["bench", "clock", "documents", "ledger", "waiting"]

# The same tests; `ledger_url` below leads them here.
globals().update(
    {
        name: test
        for name, test in [
            *vars(shared).items(),
            *vars(test_learning).items(),
            *vars(test_audit).items(),
            *vars(test_insight).items(),
            *vars(test_queue).items(),
            *vars(test_lockout).items(),
            *vars(test_replay).items(),
            *vars(test_retention).items(),
        ]
        if name.startswith("test_")
        and {"bench", "ledger", "ledger_url", "waiting"} & set(test.__code__.co_varnames)
    }
)

test_a_backup_brings_back = test_backup.test_a_backup_brings_back_ledger_documents_and_audit
test_a_backup_is_of_one_moment = test_backup.test_a_backup_is_of_one_moment_while_others_write
test_nothing_is_overwritten = test_backup.test_nothing_is_overwritten

CLAIMER = """
import sys, time
from connector.ledger.states import JobState
from connector.ledger.store import Ledger

ledger, name = Ledger.connect(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
while job := ledger.claim(name, ["main"]):
    print(job.record_id, "begin", time.monotonic_ns())
    time.sleep(0.002)
    print(job.record_id, "end", time.monotonic_ns())
    ledger.finish(job, JobState.SKIPPED, "test", "")
ledger.close()
"""

GUESSER = """
import sys
from connector.ledger.store import Ledger, utc_now
from connector.review.lockout import Lockout

ledger, start = Ledger.connect(sys.argv[1]), utc_now()
# Time stands still, so that every try beyond the free ones has to wait.
lockout = Lockout(ledger.engine, lambda: start.replace(minute=0, second=0, microsecond=0))
print("ready", flush=True)
sys.stdin.readline()
print(sum(not lockout.begin("main", "anna", "192.0.2.1") for _ in range(20)))
ledger.close()
"""

POLLER = """
import sys
from connector.ledger.store import Ledger
from tests.unit.test_ledger import attachment, poll

ledger = Ledger.connect(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(sum(ledger.remember("main", poll(attachment(n))) for n in range(1, 200)))
ledger.close()
"""


@pytest.fixture
def ledger_url(development_odoo: Installation) -> Iterator[str]:
    """An empty database in the cluster of the development Odoo, dropped afterwards."""
    yield from empty_database(development_odoo)


@pytest.fixture
def empty_url(development_odoo: Installation) -> Iterator[str]:
    """Another one."""
    yield from empty_database(development_odoo)


def empty_database(installation: Installation) -> Iterator[str]:
    cluster, name = Cluster(installation.places), f"test_{uuid.uuid4().hex[:12]}"
    cluster.ask(f'CREATE DATABASE "{name}"')
    where = {"host": str(installation.places.socket_folder), "port": str(SOCKET_PORT)}
    yield URL.create("postgresql+psycopg2", ROLE, database=name, query=where).render_as_string()
    cluster.drop(name)


def at_once(program: str, url: str, names: tuple[str, ...] = ("a", "b", "c")) -> list[str]:
    """What processes print that begin at the same moment."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, url, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(names), answers
    return [printed for printed, _ in answers]


def test_processes_claiming_at_once_never_hold_the_same_record(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    ledger.remember("main", poll(*(attachment(n + 1, record=n // 30 + 1) for n in range(120))))
    printed = at_once(CLAIMER, ledger_url)
    assert ledger.counts()[JobState.SKIPPED] == 120
    ledger.close()
    events = sorted(
        (int(at), record, what) for text in printed for record, what, at in map(str.split, text.splitlines())
    )
    held: set[str] = set()
    for _, record, what in events:
        if what == "begin":
            assert record not in held
            held.add(record)
        else:
            held.remove(record)
    # There was always a free record: nobody may have stopped early because another was faster at one.
    assert min(text.count("begin") for text in printed) > 10


def test_processes_count_failures_together(ledger_url: str) -> None:
    open_ledger(ledger_url).close()
    assert sum(int(let) for let in at_once(GUESSER, ledger_url)) == BY_LOGIN.free


def test_processes_polling_at_once_remember_each_attachment_once(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    new = [int(text) for text in at_once(POLLER, ledger_url)]
    assert ledger.counts()[JobState.QUEUED] == 199
    assert sum(new) == 199
    ledger.close()


def test_no_state_follows_that_may_not_on_postgresql(ledger_url: str) -> None:
    machine = type("LedgerMachineOnPostgres", (shared.LedgerMachine,), {"url": ledger_url})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=8, stateful_step_count=25, deadline=None)
    )


def test_a_lock_or_a_restart_of_postgresql_passes(
    development_odoo: Installation, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that another session holds is not waited for for ever; a database that ends every connection and takes no
    new ones, as while it restarts, is told; and then the work goes on."""
    monkeypatch.setattr(engine, "LOCK_SECONDS", 1)
    ledger, cluster = open_ledger(ledger_url), Cluster(development_odoo.places)
    ledger.remember("main", poll(attachment(1), attachment(2)))
    other = engine.make_engine(ledger_url)
    with other.connect() as holding, holding.begin():
        holding.execute(text("LOCK TABLE job IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(LedgerAway, match="end what has it open"):
            ledger.claim("w", ["main"])
    other.dispose()
    job = ledger.claim("w", ["main"])
    assert job
    name = ledger.engine.url.database
    cluster.ask(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    cluster.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    with pytest.raises(LedgerAway, match="look at its database"):
        ledger.postpone(job, "away")
    cluster.ask(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    ledger.postpone(job, "away")
    assert [one.crashes for one in ledger.jobs()] == [0, 0]
    assert ledger.claim("w", ["main"])
    ledger.close()
