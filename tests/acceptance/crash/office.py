"""A database of a real Odoo with a ledger beside it, and the real command on both, which may be killed at a point."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

import httpx
from sqlalchemy import URL, Engine, update
from sqlalchemy.orm import Session

from connector.ledger.engine import make_engine
from connector.ledger.records import Job
from connector.ledger.states import JobState
from connector.ledger.store import utc_now
from deploy.odoo.administrator import Administrator
from deploy.odoo.installation import Installation
from deploy.odoo.postgres import ROLE, SOCKET_PORT, Cluster
from tests.acceptance import invariants
from tests.acceptance.command import settings_for, wait_for
from tests.acceptance.crash.points import Spec, Wanted
from tests.acceptance.invariants import Paper
from tests.acceptance.many import Made
from tests.integration.odoo_server import cloned

KILLED = -9
ROOT = Path(__file__).parents[3]


class Point(NamedTuple):
    """The `nth` (from 1) of the points of that name."""

    name: str
    nth: int = 1


@dataclass(frozen=True)
class Ended:
    """How a process ended: whether it was killed at its point, what that was called, and what it said."""

    killed: bool
    points: tuple[str, ...]
    said: str = ""

    @property
    def point(self) -> str:
        """The last one passed."""
        return self.points[-1] if self.points else ""


class Nursery:
    """Where processes come from in which all of Vouch is imported already: one at a time."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.crash.points"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd=ROOT,
        )
        self._last: Process | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="vouch-said-"))

    def start(self, environment: Mapping[str, str], spec: Spec, words: Sequence[str]) -> Process:
        """The command, started."""
        out, err = self._folder / "out", self._folder / "err"
        wanted = Wanted(list(words), dict(environment), spec, str(out), str(err))
        assert self._parent.stdin
        assert self._parent.stdout
        assert self._last is None or self._last.ran(), "one at a time"
        self._parent.stdin.write(json.dumps(asdict(wanted)).encode() + b"\n")
        number = int(self._parent.stdout.readline())
        self._last = Process(number, self._parent.stdout, tuple(words), out, err)
        return self._last

    def close(self) -> None:
        """No more processes."""
        self._parent.kill()
        self._parent.communicate()
        shutil.rmtree(self._folder)


@dataclass
class Process:
    """A process of the nursery."""

    pid: int
    _told: IO[bytes]
    words: tuple[str, ...]
    out: Path
    err: Path
    _code: int | None = None

    def wait(self, seconds: float) -> int:
        """Its exit code, negative for a signal."""
        if self._code is None:
            ready, _, _ = select.select([self._told], [], [], seconds)
            assert ready, f"{self.words} did not end in {seconds} s"
            self._code = int(self._told.readline())
        return self._code

    def ran(self) -> bool:
        """Whether it has ended."""
        return self._code is not None or bool(select.select([self._told], [], [], 0)[0])

    def send(self, sign: signal.Signals) -> None:
        """Send it a signal, where it is still there."""
        if not self.ran():
            os.kill(self.pid, sign)


@dataclass
class Office:
    """A database, the variables that point `vouch` at it, and what was delivered there."""

    odoo: Administrator
    environment: dict[str, str]
    folder: Path
    engine: Engine
    papers: dict[int, Paper] = field(default_factory=dict[int, Paper])
    kind: str = ""
    nursery: Nursery = field(default_factory=lambda: Nursery())

    def deliver(self, made: Made) -> int:
        """Put a document on a draft bill, as a person does; the bill's id."""
        bill = self.odoo.draft_bill(made.file)
        self.papers[bill] = made.paper
        return bill

    def run(self, *words: str, alone: bool = False) -> dict[str, Any]:
        """The command to its end, which nobody disturbs; its JSON."""
        ended = self.killed(self.spec("none", alone=alone), *words, "--json")
        assert not ended.killed, words
        return json.loads(ended.said)

    def watched(self, spec: Spec, *words: str) -> Process:
        """The command, started, with a point in its way."""
        return self.nursery.start(self.environment, spec, words)

    def ended(self, process: Process, spec: Spec) -> Ended:
        """Wait for it."""
        code = process.wait(300)
        seen = Path(spec.seen)
        points = tuple(seen.read_text().splitlines()) if seen.exists() else ()
        seen.unlink(missing_ok=True)
        # A signal to stop ends at once what has only begun to start.
        assert code in (KILLED, 0, 5, -signal.SIGTERM), f"{process.words}: {code}\n{process.err.read_text()}"
        return Ended(code == KILLED, points, process.out.read_text())

    def spec(
        self, scope: str, at: Point | None = None, subject: int = 0, late: float = 0.0, *, alone: bool = False
    ) -> Spec:
        """Where to die; nowhere without `at`, then the points are written down."""
        seen = str(self.folder.parent / f"seen-{uuid.uuid4().hex[:8]}")
        name, nth = (at.name, at.nth) if at else ("", 0)
        return Spec(seen, scope, name, nth, subject, late, alone)

    def killed(self, spec: Spec, *words: str) -> Ended:
        """The command until its point, or its end where it does not come there."""
        return self.ended(self.watched(spec, *words), spec)

    def settle(self, rounds: int = 40) -> None:
        """Rounds until all is quiet. Raises AssertionError where it does not become so."""
        for _ in range(rounds):
            self.run("sync", "--once")
            if not (left := invariants.waiting(self.engine)):
                return
            # What waits for its next try waits no longer; what a server held that is gone has its lease to wait for.
            with Session(self.engine) as session, session.begin():
                due = update(Job).where(Job.state == JobState.QUEUED).values(not_before=utc_now())
                session.execute(due)
            time.sleep(1 if left.get("queued") else 3)
        raise AssertionError(f"it does not become quiet: {invariants.waiting(self.engine)}")

    def broken(self, untouched: Mapping[int, Any] | None = None) -> list[str]:
        """Everything that is not as it must be."""
        return invariants.broken(self.engine, self.odoo, self.papers, self.folder, untouched)

    # -- the web server -----------------------------------------------------------------------------------------------------

    @contextmanager
    def serving(self, spec: Spec | None = None) -> Generator[Client]:
        """`vouch web`, with a point in its way, and a program's access to it."""
        with self.running("web", spec=spec) as client:
            client.wait()
            yield client
            client.process.send(signal.SIGTERM)

    @contextmanager
    def running(self, *words: str, spec: Spec | None = None) -> Generator[Client]:
        """A command with a web server, which may not answer yet; after the block it ends, or was killed."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        spec, token = spec or self.spec("none"), self.token()
        environment = {**self.environment, "VOUCH_WEB__PORT": str(port)}
        process = self.nursery.start(environment, spec, words)
        client = Client(f"http://127.0.0.1:{port}", token, process)
        try:
            yield client
            client.ended = self.ended(process, spec)
        finally:
            process.send(signal.SIGKILL)
            process.wait(60)

    def token(self) -> str:
        """An API token that may do all that is done here; made once."""
        if "token" not in self._kept:
            scopes = ("documents:write", "reviews:read", "reviews:write")
            words = [word for scope in scopes for word in ("--scope", scope)]
            self._kept["token"] = self.run("token", "create", "crash", *words, alone=True)["token"]
        return self._kept["token"]

    _kept: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Client:
    """A program's access to a running server."""

    url: str
    token: str
    process: Process
    ended: Ended = Ended(False, ())

    def wait(self) -> None:
        """Until the server answers."""

        def answers() -> bool:
            assert not self.process.ran(), f"the server ended by itself: {self.process.err.read_text()}"
            try:
                return httpx.get(f"{self.url}/healthz", timeout=30).is_success
            except httpx.TransportError:
                return False

        wait_for(answers, 120)

    def send(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """The answer, None where the server died of it."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        try:
            return httpx.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=120, **more)
        except httpx.TransportError:
            return None


@contextmanager
def opened(
    installation: Installation,
    folder: Path,
    protocol: str = "json2",
    *,
    postgres: bool = False,
    longest_request: int = 4,
) -> Generator[Office]:
    """A fresh database and a fresh ledger in `folder`, both gone afterwards. What Odoo has not done of a request after
    `longest_request` seconds it will not do any more."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    cluster = Cluster(installation.places)
    database = cloned(installation, name)
    data = folder / "data"
    environment = settings_for(database, protocol, data) | {
        "VOUCH_WORKERS": "1",
        "VOUCH_BACKENDS__MAIN__LONGEST_REQUEST_SECONDS": str(longest_request),
        "VOUCH_WEB__ALLOW_POSTING": "true",
        "VOUCH_WEB__REQUESTS_PER_MINUTE": "100000",
    }
    url = f"sqlite:///{data / 'ledger.db'}"
    if postgres:
        cluster.ask(f'CREATE DATABASE "{name}_ledger"')
        where = {"host": str(installation.places.socket_folder), "port": str(SOCKET_PORT)}
        url = URL.create(
            "postgresql+psycopg2", ROLE, database=f"{name}_ledger", query=where
        ).render_as_string()
        environment["VOUCH_LEDGER_URL"] = url
    engine = make_engine(url)
    office = Office(Administrator(database.url, name), environment, data, engine)
    try:
        yield office
    finally:
        office.nursery.close()
        engine.dispose()
        installation.drop(name)
        if postgres:
            cluster.drop(f"{name}_ledger")
