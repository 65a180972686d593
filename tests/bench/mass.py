"""`python -m tests.bench.mass [--attachments N] [--uploads N] [--minutes M]`: very much at once, on the real service and a real Odoo.

So many draft bills with a tiny file each appear in Odoo in one transaction, then as many documents as asked for are sent to
`POST /api/v1/documents` by eight senders. Told are what Odoo was asked, how long its database worked, the service's memory, and how
long its pages took meanwhile; 1 where an attachment is missing, out of order, or a document lost.
"""

from __future__ import annotations

import argparse
import itertools
import re
import socket
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector.ledger.records import Cursor, Job, SeenAttachment
from connector.ledger.states import JobState
from connector.ledger.uploads import UploadRecord
from deploy.odoo.administrator import MailedFile
from deploy.odoo.installation import Installation
from deploy.odoo.postgres import Cluster
from tests.acceptance.command import start, wait_for
from tests.acceptance.crash.office import Office, opened
from tests.acceptance.many import sure_bills
from tests.acceptance.own_odoo import OwnOdoo
from tests.samples.generate import TODAY

PAGES = ("/healthz", "/readyz", "/reviews", "/documents", "/metrics", "/insight")
SENDERS = 8
ANSWER = re.compile(r"\"(?:POST|GET) (\S+) HTTP/1\.[01]\" (\d{3}) - (\d+) (\d+\.\d+) (\d+\.\d+)")
"""Odoo's line for a request: path, status, SQL queries, their seconds, and the seconds of all else."""
COPIES = """
WITH bill AS (
    INSERT INTO account_move
    SELECT made.* FROM account_move AS one, generate_series(1, {count}) AS at, LATERAL jsonb_populate_record(one,
        jsonb_build_object('id', nextval('account_move_id_seq') + 0 * at, 'create_date', {now}, 'write_date', {now})) AS made
    WHERE one.id = {bill} RETURNING id
)
INSERT INTO ir_attachment
SELECT made.* FROM ir_attachment AS one, (SELECT id FROM bill ORDER BY id) AS bill, LATERAL jsonb_populate_record(one,
    jsonb_build_object('id', nextval('ir_attachment_id_seq') + 0 * bill.id, 'res_id', bill.id,
        'name', 'tiny_' || bill.id || '.txt', 'create_date', {now}, 'write_date', {now})) AS made
WHERE one.id = {attachment}
"""
NOW = "clock_timestamp() AT TIME ZONE 'UTC'"


@dataclass
class Asked:
    """What Odoo was asked in a time: requests by path, SQL queries, and the seconds of database and server."""

    requests: Counter[str] = field(default_factory=Counter[str])
    failed: int = 0
    queries: int = 0
    database: float = 0.0
    server: float = 0.0

    def __str__(self) -> str:
        most = ", ".join(f"{count} × {path}" for path, count in self.requests.most_common(4))
        return (
            f"{self.requests.total()} requests ({most}), {self.failed} failed; {self.queries} queries, "
            f"{self.database:.1f} s of the database, {self.server:.1f} s of Odoo"
        )


@dataclass
class OdooLog:
    """What Odoo wrote of the requests it answered, since the last look."""

    path: Path
    _read: int = 0

    def since(self) -> Asked:
        """What came since the last call."""
        found = Asked()
        with self.path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        self._read += len(text)
        for path, status, queries, database, server in ANSWER.findall(text.decode(errors="replace")):
            found.requests[path.removeprefix("/json/2/")] += 1
            found.failed += status[0] == "5"
            found.queries += int(queries)
            found.database += float(database)
            found.server += float(server)
        return found


@dataclass
class Person:
    """Somebody who looks at the pages, one after the other, and how long each took."""

    url: str
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answers: Counter[int] = field(default_factory=Counter[int])
    stop: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Until stopped."""
        with httpx.Client(base_url=self.url, timeout=120) as client:
            for page in itertools.cycle(PAGES):
                begun = time.monotonic()
                try:
                    self.answers[client.get(page).status_code] += 1
                except httpx.TransportError:
                    self.answers[0] += 1
                self.seconds[page].append(time.monotonic() - begun)
                if self.stop.wait(0.3):
                    return

    def told(self) -> str:
        """Median and longest of each page since the last call."""
        seen, self.seconds = self.seconds, defaultdict(list)
        parts = [
            f"{page} {sorted(found)[len(found) // 2]:.2f}/{max(found):.2f}" for page, found in seen.items()
        ]
        return ", ".join(parts) + f" s (median/longest); {dict(self.answers)}"


@dataclass(frozen=True)
class Stand:
    """The service, its ledger and its Odoo."""

    office: Office
    server: OwnOdoo
    log: OdooLog
    person: Person
    pid: int
    url: str

    def memory(self) -> tuple[float, float]:
        """Megabytes the process has, and had at most."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", text))
        return int(found["VmRSS"]) / 1e3, int(found["VmHWM"]) / 1e3

    def count(self, *states: JobState) -> int:
        """How many Jobs there are, of these states or all."""
        chosen = select(func.count(Job.id)).where(*([Job.state.in_(states)] if states else []))
        with Session(self.office.engine.execution_options(read_only=True)) as session:
            return session.scalar(chosen) or 0

    def polls(self) -> str:
        """When the last poll was kept."""
        with Session(self.office.engine.execution_options(read_only=True)) as session:
            return str(session.scalar(select(func.max(Cursor.polled_at))))

    def say(self, what: str) -> None:
        """Print what was asked of Odoo, and how the service stands."""
        now, most = self.memory()
        print(f"{what}\n  Odoo: {self.log.since()}\n  pages: {self.person.told()}")
        print(f"  memory {now:.0f} MB, at most {most:.0f} MB", flush=True)


# -- attachments --------------------------------------------------------------------------------------------------------------


def appear(stand: Stand, installation: Installation, count: int) -> float:
    """So many bills with a tiny file each, in one transaction; how many seconds PostgreSQL took."""
    odoo = stand.office.odoo
    bill = odoo.draft_bill(MailedFile("tiny.txt", "text/plain", b"tiny\n"))
    [row] = odoo.find("ir.attachment", [["res_model", "=", "account.move"], ["res_id", "=", bill]], ["id"])
    begun = time.monotonic()
    statement = COPIES.format(count=count - 1, bill=bill, attachment=row["id"], now=NOW)
    Cluster(installation.places).ask(statement, odoo._database)  # pyright: ignore[reportPrivateUsage]
    return time.monotonic() - begun


def attachments(stand: Stand, installation: Installation, count: int, minutes: float) -> Iterator[str]:
    """Have them appear, and watch them being found and worked on; a sentence for what is not as it must be."""
    wait_for(lambda: stand.polls() != "None", 120)
    stand.log.since()
    poll = stand.polls()
    wait_for(lambda: stand.polls() != poll, 300)
    stand.say("a poll that finds nothing")
    took = appear(stand, installation, count)
    print(f"{count} attachments made in {took:.0f} s")
    stand.log.since()
    begun = time.monotonic()
    while (found := stand.count()) < count and time.monotonic() < begun + 20 * 60:
        time.sleep(1)
    stand.say(f"{found} of {count} found after {time.monotonic() - begun:.0f} s")
    if found != count:
        yield f"{count - found} attachments were not found"
    with Session(stand.office.engine.execution_options(read_only=True)) as session:
        numbers = list(session.scalars(select(SeenAttachment.erp_id).join(Job).order_by(Job.id)))
    if numbers != sorted(numbers):
        yield "they were not found in order"
    for _ in range(2):
        poll, begun = stand.polls(), time.monotonic()
        settled = stand.count() - stand.count(JobState.QUEUED, JobState.RUNNING)
        wait_for(lambda before=poll: stand.polls() != before, 600)
        done = stand.count() - stand.count(JobState.QUEUED, JobState.RUNNING) - settled
        stand.say(
            f"until the next poll: {time.monotonic() - begun:.0f} s, {done} documents settled meanwhile"
        )
    begun, settled = time.monotonic(), stand.count(JobState.QUEUED)
    time.sleep(minutes * 60)
    rate = (settled - stand.count(JobState.QUEUED)) / (time.monotonic() - begun)
    stand.say(
        f"{rate:.1f} documents a second settled in {minutes:g} min, {stand.count(JobState.QUEUED)} wait"
    )
    yield from _order_of_work(stand)


def _order_of_work(stand: Stand) -> Iterator[str]:
    """Whether what was found first was worked on first."""
    with Session(stand.office.engine.execution_options(read_only=True)) as session:
        waiting = session.scalar(
            select(func.min(Job.id)).where(Job.state == JobState.QUEUED, Job.delays == 0)
        )
        done = session.scalar(select(func.max(Job.id)).where(Job.state == JobState.SKIPPED))
    if waiting and done and done > waiting + 8:
        yield f"document {done} was worked on before document {waiting}"


# -- uploads ------------------------------------------------------------------------------------------------------------------


def uploads(stand: Stand, count: int) -> Iterator[str]:
    """Eight senders at once; every document is kept once, and the pages are there meanwhile."""
    token = _token(stand.office)
    data = next(sure_bills(TODAY)).file.content
    stand.log.since()
    stand.person.told()
    before, begun = _kept(stand), time.monotonic()
    with httpx.Client(
        base_url=stand.url,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/pdf"},
        timeout=300,
        limits=httpx.Limits(max_connections=SENDERS),
    ) as client:

        def send(number: int) -> tuple[int, float]:
            sent = time.monotonic()
            content = data + b"\n% number " + str(number).encode() + b"\n"
            answer = client.post(f"/api/v1/documents?name=sent_{number}.pdf", content=content)
            return answer.status_code, time.monotonic() - sent

        with ThreadPoolExecutor(SENDERS) as pool:
            answers = list(pool.map(send, range(count)))
    seconds = time.monotonic() - begun
    slowest = sorted(took for _, took in answers)
    statuses = Counter(status for status, _ in answers)
    stand.say(
        f"{count} uploads in {seconds:.0f} s, {count / seconds:.1f} a second: {dict(statuses)}; median "
        f"{slowest[count // 2]:.2f} s, longest {slowest[-1]:.2f} s"
    )
    kept = _kept(stand)
    kept.subtract(before)
    print(f"  kept: {dict(kept)}")
    wanted = statuses[201] + statuses[202]
    if kept.total() != wanted or wanted != count:
        yield f"{count} sent, {wanted} taken, {kept.total()} kept"


def _kept(stand: Stand) -> Counter[str]:
    with Session(stand.office.engine.execution_options(read_only=True)) as session:
        return Counter(session.scalars(select(UploadRecord.state)))


def _token(office: Office) -> str:
    return office.run("token", "create", "mass", "--scope", "documents:write")["token"]


# -- all of it ----------------------------------------------------------------------------------------------------------------


@contextmanager
def standing(installation: Installation, folder: Path, interval: int) -> Generator[Stand]:
    """`vouch run` on a ledger of its own and an Odoo server of its own, with somebody at its pages."""
    server = OwnOdoo(installation, folder)
    server.start()
    with opened(installation, folder) as shared, socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
        url = f"http://127.0.0.1:{port}"
        free.close()
        office = replace(
            shared,
            environment=shared.environment
            | {
                "VOUCH_BACKENDS__MAIN__URL": server.url,
                "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": str(interval),
                "VOUCH_BACKENDS__MAIN__SCHEDULE__JITTER_SECONDS": "0",
                "VOUCH_BACKENDS__MAIN__LONGEST_REQUEST_SECONDS": "150",
                "VOUCH_WORKERS": "2",
                "VOUCH_WEB__PORT": str(port),
                "VOUCH_WEB__SIGN_IN": "false",
            },
        )
        process = start(office.environment, "run")
        person = Person(url)
        stand = Stand(office, server, OdooLog(folder / "odoo.log"), person, process.pid, url)
        watching = threading.Thread(target=person.look)
        try:
            wait_for(lambda: _answers(url), 120)
            watching.start()
            yield stand
            assert process.poll() is None, "the service ended by itself"
        finally:
            person.stop.set()
            if watching.ident:
                watching.join()
            process.terminate()
            _, errors = process.communicate(timeout=300)
            print(errors[-2000:], file=sys.stderr)
            server.stop()


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/healthz", timeout=30).is_success
    return False


def main(words: Sequence[str]) -> int:
    """Run both and print; 1 where something is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mass", description=__doc__)
    parser.add_argument("--attachments", type=int, default=100_000)
    parser.add_argument("--uploads", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--interval", type=int, default=60)
    asked = parser.parse_args(words)
    installation = Installation()
    installation.start()
    wrong: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="vouch-mass-") as folder,
        standing(installation, Path(folder), asked.interval) as stand,
    ):
        if asked.attachments:
            wrong += attachments(stand, installation, asked.attachments, asked.minutes)
        if asked.uploads:
            wrong += uploads(stand, asked.uploads)
    print(f"{len(wrong)} things wrong", *wrong, sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
