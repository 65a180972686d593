"""An Odoo with a PostgreSQL of its own, both of which may go down, and the real `vouch run` with a person at its queue."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from connector.ledger.engine import make_engine
from connector.ledger.records import Attempt, Cursor, Job
from connector.ledger.states import JobState
from connector.ledger.store import utc_now
from deploy.odoo.administrator import Administrator
from deploy.odoo.installation import Installation
from deploy.odoo.postgres import ROLE, SOCKET_PORT, Cluster, programs
from tests.acceptance import invariants
from tests.acceptance.command import settings_for, start, vouch, wait_for
from tests.acceptance.invariants import Paper
from tests.acceptance.many import Made, doubtful_bills, sure_bills
from tests.acceptance.own_odoo import OwnOdoo
from tests.integration.odoo_server import OdooDatabase, cloned
from tests.samples.generate import TODAY

PATIENCE = 240
"""Seconds within which a busy machine does what it does in a moment else."""
LONGEST_REQUEST = 20
"""Seconds after which what Odoo was asked and did not answer has not happened: it was killed."""
KNOWN = (
    r"cannot be reached|connection to .* was lost|did not answer in time|not available|HTTP 50[0234]|is not known whether|"
    r"does not show the database|Odoo was busy|an app is being updated|may still be at it|interrupted|finding out whether|"
    r"web page|could not be read back|has no database .* PostgreSQL"
)
"""What is told while an Odoo is down."""


class OwnCluster(Cluster):
    """A PostgreSQL of the test's own, with a copy of one database of the development Odoo."""

    def __init__(self, installation: Installation) -> None:
        folder = Path(tempfile.gettempdir()) / f"vouch-{uuid.uuid4().hex[:8]}"
        self.places = replace(installation.places, cluster=folder)
        super().__init__(self.places)

    @property
    def socket_folder(self) -> Path:
        """Where it listens."""
        return self.places.socket_folder

    def take(self, installation: Installation, name: str) -> None:
        """Bring a database here."""
        self.ask(f'CREATE DATABASE "{name}"')
        words = ("-p", str(SOCKET_PORT), "-U", ROLE, "-d", name)
        folder = programs()
        assert folder
        source = ("-h", str(installation.places.socket_folder), *words)
        target = ("-h", str(self.socket_folder), *words)
        with subprocess.Popen([folder / "pg_dump", *source], stdout=subprocess.PIPE) as dumped:
            loading = [folder / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *target, "-1"]
            subprocess.run(loading, stdin=dumped.stdout, stdout=subprocess.DEVNULL, check=True)
        assert dumped.returncode == 0
        self.ask("ANALYZE", name)
        # Development does without: what Odoo has committed and answered for would be gone with the crash.
        self.ask("ALTER SYSTEM SET synchronous_commit = on")
        self.ask("SELECT pg_reload_conf()")

    def crash(self) -> None:
        """End it at once, as when its machine fails: what was not committed is rolled back at the next start."""
        number = int((self.places.cluster_data / "postmaster.pid").read_text().split()[0])
        os.kill(number, signal.SIGQUIT)
        wait_for(lambda: not (self.places.cluster_data / "postmaster.pid").exists() or None, PATIENCE)


@dataclass
class Person:
    """Approves whatever waits for a person, one after the other; the same wish again until it is answered."""

    url: str
    token: str
    engine: Engine
    answers: Counter[str] = field(default_factory=Counter[str])
    told: set[str] = field(default_factory=set[str])
    approved: set[int] = field(default_factory=set[int])
    keys: dict[int, str] = field(default_factory=dict[int, str])
    stop: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Until stopped."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=f"{self.url}/api/v1", headers=bearer, timeout=PATIENCE) as client:
            while not self.stop.wait(0.3):
                with Session(self.engine.execution_options(read_only=True)) as session:
                    asked = list(session.scalars(select(Job.id).where(Job.state == JobState.IN_REVIEW)))
                for job in asked:
                    if not self.stop.is_set():
                        self._approve(client, job)

    def _approve(self, client: httpx.Client, job: int) -> None:
        bill = client.get(f"/reviews/{job}")
        if not self._noted("look", bill):
            return
        seen = bill.json()
        wish = {
            "verdict": "approve",
            "version": seen["version"],
            "key": self.keys.setdefault(job, uuid.uuid4().hex),
            "acknowledged": [question["id"] for question in seen["questions"]],
        }
        if self._noted("approve", client.post(f"/reviews/{job}/verdict", json=wish)):
            self.approved.add(job)

    def _noted(self, what: str, answer: httpx.Response) -> bool:
        told = {} if answer.is_success else answer.json()
        self.answers[f"{what} {answer.status_code} {told.get('error', '')}".strip()] += 1
        if told:
            self.told.add(f"{told['error']}: {told['message']}")
        return answer.is_success


@dataclass
class Stand:
    """All of it, running."""

    database: OdooDatabase
    cluster: OwnCluster
    server: OwnOdoo
    environment: Mapping[str, str]
    folder: Path
    engine: Engine
    person: Person
    service: subprocess.Popen[str]
    papers: dict[int, Paper] = field(default_factory=dict[int, Paper])
    told: set[str] = field(default_factory=set[str])
    _odoo: Administrator | None = None
    _sure: Iterator[Made] = field(default_factory=lambda: sure_bills(TODAY))
    _doubtful: Iterator[Made] = field(default_factory=lambda: doubtful_bills(TODAY))

    @property
    def odoo(self) -> Administrator:
        """The administrator."""
        if self._odoo is None:
            self._odoo = Administrator(self.server.url, self.database.database)
        return self._odoo

    def deliver(self, sure: int, doubtful: int) -> None:
        """So many documents that are filled in the end: the doubtful ones once the person has approved them."""
        made = [next(self._sure) for _ in range(sure)] + [next(self._doubtful) for _ in range(doubtful)]
        for one in made:
            bill = self.odoo.draft_bill(one.file)
            self.papers[bill] = Paper(one.paper.lines, one.paper.total, JobState.FILLED)

    def settled(self) -> int:
        """How many documents are where they must be in the end."""
        with Session(self.engine.execution_options(read_only=True)) as session:
            return len(session.scalars(select(Job.id).where(Job.state == JobState.FILLED)).all())

    def until(self, count: int) -> None:
        """Wait until so many are."""
        wait_for(lambda: self.settled() >= count or None, PATIENCE)

    def until_told(self) -> None:
        """Wait until the service has noticed that Odoo is down."""
        wait_for(self._troubles, PATIENCE)

    def _troubles(self) -> set[str]:
        """What is told now of what does not work."""
        assert self.service.poll() is None, "the service ended by itself"
        with Session(self.engine.execution_options(read_only=True)) as session:
            polls = {error for error in session.scalars(select(Cursor.error)) if error}
        self.told |= polls
        return polls

    def until_quiet(self) -> None:
        """Wait until every document is filled; what was put off is due at once."""

        def quiet() -> bool:
            self._troubles()
            with Session(self.engine) as session, session.begin():
                due = update(Job).where(Job.state == JobState.QUEUED, Job.not_before > utc_now())
                session.execute(due.values(not_before=utc_now()))
            return self.settled() >= len(self.papers) and not invariants.waiting(self.engine)

        try:
            wait_for(quiet, PATIENCE)
        except AssertionError:
            return  # what is not as it must be is told by `broken`

    def broken(self) -> list[str]:
        """Everything that is not as it must be, once all is quiet."""
        found = invariants.broken(self.engine, self.odoo, self.papers, self.folder)
        with Session(self.engine.execution_options(read_only=True)) as session:
            attempts = session.scalars(select(Attempt.error).where(Attempt.error != ""))
            self.told |= set(attempts) | self.person.told
        found += [
            f"told as it should not be: {one}" for one in sorted(self.told) if not re.search(KNOWN, one)
        ]
        allowed = re.compile(r"(look|approve) (200|503 away|409 stale|404 settled)")
        found += [
            f"the person got {count} × {one}"
            for one, count in self.person.answers.items()
            if not allowed.fullmatch(one)
        ]
        return found


@contextmanager
def standing(installation: Installation, folder: Path) -> Generator[Stand]:
    """Everything of it, gone afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    cluster = OwnCluster(installation)
    copied = cloned(installation, name)
    addons = folder / "addons"
    addons.mkdir()
    server = OwnOdoo(installation, folder, changes={"db_host": cluster.socket_folder, "addons_path": addons})
    try:
        cluster.start()
        cluster.take(installation, name)
        server.start()
        with _serving(server.serving(copied), cluster, server, folder / "data") as stand:
            yield stand
    finally:
        server.stop()
        cluster.stop()
        shutil.rmtree(cluster.places.cluster, ignore_errors=True)
        installation.drop(name)


@contextmanager
def _serving(database: OdooDatabase, cluster: OwnCluster, server: OwnOdoo, data: Path) -> Generator[Stand]:
    """`vouch run` on it, and the person."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    environment = settings_for(database, "json2", data) | {
        "VOUCH_WORKERS": "2",
        "VOUCH_BACKENDS__MAIN__LONGEST_REQUEST_SECONDS": str(LONGEST_REQUEST),
        "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": "1",
        "VOUCH_BACKENDS__MAIN__SCHEDULE__JITTER_SECONDS": "0",
        "VOUCH_WEB__PORT": str(port),
        "VOUCH_WEB__SIGN_IN": "false",
        "VOUCH_WEB__REQUESTS_PER_MINUTE": "100000",
    }
    scopes = [word for scope in ("reviews:read", "reviews:write") for word in ("--scope", scope)]
    made = vouch(environment, "token", "create", "person", *scopes, "--json")
    assert made.returncode == 0, made.stderr
    token = json.loads(made.stdout)["token"]
    engine = make_engine(f"sqlite:///{data / 'ledger.db'}")
    url = f"http://127.0.0.1:{port}"
    service = start(environment, "run")
    person = Person(url, token, engine)
    working = threading.Thread(target=person.work)
    try:
        wait_for(lambda: _answers(url), PATIENCE)
        working.start()
        yield Stand(database, cluster, server, environment, data, engine, person, service)
    finally:
        person.stop.set()
        if working.ident:
            working.join()
        service.terminate()
        with suppress(subprocess.TimeoutExpired):
            service.communicate(timeout=PATIENCE)
        service.kill()
        engine.dispose()


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/healthz", timeout=PATIENCE).is_success
    return False
