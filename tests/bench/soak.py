"""`make soak`: a day of a mid-sized company in a short time, on the real service and a real Odoo; is all flat that must be?

`python -m tests.bench.soak [--documents N] [--minutes M]`. One process `vouch run` polls every two seconds instead of every minute,
learns every minute, is asked for pages, verdicts and polls by people and programs, and its documents are purged as they go.
Its memory, files, threads, and the ledger's size are measured along the way; 1 where one of them grows, or is not shown to
be flat: the interval of its growth must end below what may come in a day.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connector.ledger.records import Job
from connector.ledger.states import JobState
from connector.ledger.store import utc_now
from deploy.odoo.installation import Installation
from tests.acceptance import invariants
from tests.acceptance.command import vouch, wait_for
from tests.acceptance.crash.office import Office, opened
from tests.acceptance.many import Made, damaged_files, doubtful_bills, sure_bills
from tests.bench.trend import Trend, trend

MEGABYTE = 1e6
DAY = 2000
"""Documents of a day."""
PAGES = ("/reviews", "/documents", "/insight", "/healthz", "/readyz", "/metrics", "/api/v1/reviews?limit=50")


@dataclass(frozen=True)
class Measured:
    """The service at a moment. `memory` in MB of the process itself, `readers` of the processes that read for it."""

    seconds: float
    documents: int
    memory: float
    readers: float
    files: int
    threads: int
    ledger: float
    wal: float


@dataclass
class Watch:
    """Looks at a running service."""

    pid: int
    office: Office
    begun: float = field(default_factory=time.monotonic)
    seen: list[Measured] = field(default_factory=list[Measured])

    def look(self) -> Measured:
        """Measure once more."""
        root = Path(f"/proc/{self.pid}")
        with Session(self.office.engine) as session:
            states = Counter(session.scalars(select(Job.state)))
        children = [int(one) for one in (root / "task" / str(self.pid) / "children").read_text().split()]
        for task in root.glob("task/*/children"):
            children += [int(one) for one in task.read_text().split() if int(one) not in children]
        ledger = self.office.folder / "ledger.db"
        found = Measured(
            time.monotonic() - self.begun,
            sum(
                states[state]
                for state in (JobState.FILLED, JobState.IN_REVIEW, JobState.FAILED, JobState.SKIPPED)
            ),
            _status(self.pid, "VmRSS") / 1e3,
            sum(_status(child, "VmRSS") for child in children) / 1e3,
            len(os.listdir(root / "fd")),
            int(_status(self.pid, "Threads")),
            ledger.stat().st_size / MEGABYTE,
            _size(ledger.with_name("ledger.db-wal")),
        )
        self.seen.append(found)
        return found


def _status(pid: int, name: str) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return float(line.split()[1])
    return 0.0


def _size(path: Path) -> float:
    return path.stat().st_size / MEGABYTE if path.exists() else 0.0


# -- who is at it -------------------------------------------------------------------------------------------------------------


def mixed(today: datetime) -> Iterator[Made]:
    """Of ten documents seven are sure, two doubtful, one cannot be read."""
    sure, doubtful, damaged = sure_bills(today.date()), doubtful_bills(today.date()), damaged_files()
    for at in itertools.count():
        if at % 10 in (3, 7):
            made = next(doubtful)
            # A person may settle it before the end.
            yield replace(made, paper=replace(made.paper, expected=None))
        else:
            yield next(damaged if at % 10 == 9 else sure)


def bring(office: Office, count: int, stop: threading.Event) -> None:
    """Documents as they come; never more than thirty ahead of what is read."""
    for made in itertools.islice(mixed(datetime.now().astimezone()), count):
        office.deliver(made)
        while not stop.is_set() and sum(invariants.waiting(office.engine).values()) > 30:
            time.sleep(0.2)
        if stop.is_set():
            return


def ask(url: str, token: str, office: Office, stop: threading.Event, asked: Counter[str]) -> None:
    """People and programs: pages, bills, verdicts, calls of Odoo, and callers with a wrong token."""
    bearer = {"Authorization": f"Bearer {token}"}
    with (
        httpx.Client(base_url=url, timeout=120, headers=bearer) as client,
        httpx.Client(base_url=url, timeout=120) as person,
    ):
        for at in itertools.count():
            if stop.is_set():
                return
            with suppress(httpx.TransportError):
                asked[str(person.get(PAGES[at % len(PAGES)]).status_code)] += 1
                asked[str(client.post("/api/v1/hooks/odoo/main").status_code)] += 1
                wrong = {"Authorization": f"Bearer vouch_{uuid.uuid4().hex}"}
                asked[str(client.get("/api/v1/reviews", headers=wrong).status_code)] += 1
                if at % 10 == 0:
                    asked[_settle_one(client, office)] += 1
            stop.wait(0.3)


def _settle_one(client: httpx.Client, office: Office) -> str:
    """A person finds that the oldest one in review is not a bill."""
    with Session(office.engine) as session:
        chosen = select(Job.id).where(Job.state == JobState.IN_REVIEW).order_by(Job.id).limit(1)
        job = session.scalar(chosen)
    if job is None:
        return "none in review"
    bill = client.get(f"/api/v1/reviews/{job}")
    if not bill.is_success:
        return str(bill.status_code)
    body = {
        "verdict": "not_a_bill",
        "version": bill.json()["version"],
        "key": uuid.uuid4().hex,
        "reason": "So it was decided.",
        "acknowledged": [question["id"] for question in bill.json()["questions"]],
    }
    return f"verdict {client.post(f'/api/v1/reviews/{job}/verdict', json=body).status_code}"


def purge(office: Office, stop: threading.Event) -> None:
    """What is settled grows old at once, and is purged now and then, as it is once a day."""
    days = {"VOUCH_RETENTION__DOCUMENTS_DAYS": "1", "VOUCH_RETENTION__READINGS_DAYS": "1"}
    while not stop.wait(180):
        old = utc_now() - timedelta(days=40)
        settled = (JobState.FILLED, JobState.SKIPPED)
        with Session(office.engine) as session, session.begin():
            session.execute(update(Job).where(Job.state.in_(settled)).values(updated_at=old))
        for path in (office.folder / "documents").glob("??/*"):
            with suppress(FileNotFoundError):
                os.utime(path, (old.timestamp(), old.timestamp()))
        assert vouch({**office.environment, **days}, "purge").returncode == 0


# -- what is flat -------------------------------------------------------------------------------------------------------------


def warm(seen: Sequence[Measured]) -> Sequence[Measured]:
    """Without the warm-up, the first third."""
    return [one for one in seen if one.seconds >= seen[-1].seconds / 3]


MEASURES: dict[str, Callable[[Measured], float]] = {
    "memory, MB": lambda one: one.memory,
    "readers, MB": lambda one: one.readers,
    "files": lambda one: one.files,
    "threads": lambda one: one.threads,
    "ledger, MB": lambda one: one.ledger,
}
LIMITS = {"memory, MB": 60.0, "readers, MB": 200.0, "files": 5.0, "threads": 5.0, "ledger, MB": 100.0}
"""What may come in a day and is no leak: what is held for matching grows by the bills of the day, and the ledger keeps its
stories."""
LARGEST_WAL = 20.0
"""MB. SQLite folds it back into the ledger every few megabytes."""


def growths(seen: Sequence[Measured]) -> dict[str, Trend]:
    """By what is measured: its trend over the documents, after the warm-up."""
    after = warm(seen)
    return {
        name: trend([(one.documents, measure(one)) for one in after]) for name, measure in MEASURES.items()
    }


def told(name: str, found: Trend) -> str:
    """Whether a growth is within its limit, above it, or cannot be told apart from it yet."""
    if found.low * DAY > LIMITS[name]:
        return "GROWS"
    return "flat" if found.high * DAY <= LIMITS[name] else "not sure"


def table(seen: Sequence[Measured]) -> str:
    """The measurements, at most twenty of them."""
    head = "   min  documents  memory MB  readers MB  files  threads  ledger MB  wal MB"
    step = max(1, len(seen) // 20)
    lines = [
        f"{one.seconds / 60:6.1f} {one.documents:10} {one.memory:10.0f} {one.readers:11.0f} {one.files:6} "
        f"{one.threads:8} {one.ledger:10.1f} {one.wal:7.1f}"
        for one in [*seen[:-1:step], seen[-1]]
    ]
    return "\n".join([head, *lines])


def soak(
    office: Office, documents: int, minutes: float, every: float = 5.0
) -> tuple[list[Measured], Counter[str]]:
    """Run the service with everybody at it until all documents are settled or the time is over."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    changes = {
        "VOUCH_WORKERS": "2",
        "VOUCH_WEB__PORT": str(port),
        "VOUCH_WEB__SIGN_IN": "false",
        "VOUCH_LEARNING__INTERVAL_MINUTES": "1",
        "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": "2",
        "VOUCH_BACKENDS__MAIN__SCHEDULE__JITTER_SECONDS": "0",
    }
    served = replace(office, environment=office.environment | changes)
    token, url = _token(office), f"http://127.0.0.1:{port}"
    stop, asked = threading.Event(), Counter[str]()
    with _service(served) as process:
        wait_for(lambda: _answers(url), 120)
        watch = Watch(process.pid, served)
        work = [
            threading.Thread(target=bring, args=(office, documents, stop)),
            threading.Thread(target=ask, args=(url, token, office, stop, asked)),
            threading.Thread(target=purge, args=(office, stop)),
        ]
        for thread in work:
            thread.start()
        try:
            while watch.look().documents < documents and watch.seen[-1].seconds < minutes * 60:
                assert process.poll() is None, "the service ended by itself"
                time.sleep(every)
        finally:
            stop.set()
            for thread in work:
                thread.join()
        return watch.seen, asked


@contextmanager
def _service(office: Office) -> Generator[subprocess.Popen[bytes]]:
    """`vouch run`, which ends well when it is told to; what it says goes to a file, since nobody reads it meanwhile."""
    said = office.folder.parent / "said"
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector.cli", "run"],
            env={**os.environ, **office.environment},
            stdout=out,
            stderr=out,
        )
        try:
            yield process
            process.terminate()
            assert process.wait(120) == 0, said.read_text()
        finally:
            process.kill()
            process.wait()


def _token(office: Office) -> str:
    scopes = ("reviews:read", "reviews:write", "hooks:write", "insight:read", "metrics:read")
    words = [word for scope in scopes for word in ("--scope", scope)]
    return office.run("token", "create", "soak", *words, alone=True)["token"]


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/healthz", timeout=30).is_success
    return False


def report(office: Office, seen: Sequence[Measured], asked: Counter[str]) -> int:
    """Print it; how many things are not shown to be as they must be."""
    print(table(seen))
    after, largest = warm(seen), max(one.wal for one in seen)
    wrong = int(largest > LARGEST_WAL)
    print(f"\nlargest WAL {largest:.1f} MB, limit {LARGEST_WAL:.0f}")
    print(
        f"after the warm-up: {after[-1].documents - after[0].documents} documents, {len(after)} measurements in "
        f"{(after[-1].seconds - after[0].seconds) / 60:.0f} minutes; growth in a day of {DAY} documents:"
    )
    print("                         mean     growth      95 % interval   limit")
    for name, found in growths(seen).items():
        verdict = told(name, found)
        wrong += verdict != "flat"
        interval = f"{found.low * DAY:.1f} to {found.high * DAY:.1f}"
        print(
            f"{name:<20} {found.mean:8.1f} {found.slope * DAY:10.1f} {interval:>18} {LIMITS[name]:7.0f}  {verdict}"
        )
    print("answers:", ", ".join(f"{count} × {status}" for status, count in sorted(asked.items())))
    office.settle()
    broken = office.broken()
    print(f"{len(broken)} losses", *broken, sep="\n  ")
    return wrong + len(broken)


def main() -> int:
    """Soak and report; 1 where something grows or is lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--documents", type=int, default=DAY)
    parser.add_argument("--minutes", type=float, default=90)
    asked = parser.parse_args()
    installation = Installation()
    installation.start()
    with (
        tempfile.TemporaryDirectory(prefix="vouch-soak-") as folder,
        opened(installation, Path(folder)) as office,
    ):
        seen, answers = soak(office, asked.documents, asked.minutes)
        return 1 if report(office, seen, answers) else 0


if __name__ == "__main__":
    sys.exit(main())
