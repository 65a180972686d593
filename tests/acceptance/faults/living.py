"""The real `vouch run` as a process of its own, with a proxy before a real Odoo, a disk that can be filled and a clock that
can be set."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from connector.ledger.migrate import open_ledger
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from deploy.odoo.administrator import Administrator
from tests.acceptance import invariants
from tests.acceptance.command import settings_for, vouch, wait_for
from tests.acceptance.faults.proxy import Proxy
from tests.acceptance.many import Made
from tests.integration.odoo_server import OdooDatabase
from tests.integration.recorded_model import KEY as MODEL_KEY

PATIENCE = 300.0
"""Seconds that a busy machine may take for anything here."""
ROOM = 24 << 20
"""Bytes of the disk."""
AWAKE = """
import select, sys, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
from connector.cli import main
main()
"""
"""The command; libfaketime lets fail what Python's own sleep calls (clock_nanosleep until a time of a clock it leaves alone)."""
SETTLED = {JobState.FILLED, JobState.IN_REVIEW}


@dataclass
class Disk:
    """A file system of its own, so that it can be full."""

    folder: Path

    @property
    def _filler(self) -> Path:
        return self.folder / "filler.log"

    def fill(self) -> None:
        """Take what room there is left, to the last block."""
        with self._filler.open("wb", buffering=0) as file:
            for block in (1 << 16, 1 << 12):
                try:
                    while True:
                        file.write(b"x" * block)
                except OSError:
                    continue

    def empty(self) -> None:
        """Give it back."""
        self._filler.unlink()


@contextmanager
def mounted(folder: Path) -> Generator[Disk]:
    """A small disk at a folder. Skips where this user may mount none."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=700", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a disk that can be full needs root on Linux")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@dataclass
class Clock:
    """A file that the processes under libfaketime take their wall clock from; the clock that nobody sets stays."""

    file: Path
    library: str

    def set(self, offset: str) -> None:
        """Be so far from the true time from now on: `+3d`, `-5h`, `+0`."""
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{offset}\n")
        draft.replace(self.file)

    def variables(self) -> Mapping[str, str]:
        """What a process needs to go by it. https://github.com/wolfcw/libfaketime"""
        return {
            "LD_PRELOAD": self.library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }


def made_clock(folder: Path) -> Clock:
    """A clock that is right. Fetches libfaketime from Debian, unpacked beside the system; skips where it cannot be had."""
    place = f"usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketime.so.1"
    installed = Path("/") / place
    if not installed.exists():
        archives = folder / "libfaketime"
        archives.mkdir()
        fetch = ["apt-get", "-o", "APT::Sandbox::User=", "download", "-qq", "libfaketime"]
        if not shutil.which("apt-get") or subprocess.run(fetch, cwd=archives, check=False).returncode:
            pytest.skip("a clock that can be set needs Debian's package libfaketime")
        [package] = archives.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", str(package), str(archives)], check=True)
        installed = archives / place
    clock = Clock(folder / "clock", str(installed))
    clock.set("+0")
    return clock


@dataclass
class Living:
    """`vouch run`, what was delivered to it, and all it said."""

    odoo: Administrator
    proxy: Proxy
    folder: Path
    environment: Mapping[str, str]
    secrets: list[str]
    log: Path
    ledger: Ledger = field(init=False)
    papers: dict[int, invariants.Paper] = field(default_factory=dict[int, invariants.Paper])
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _read: int = field(default=0, init=False)

    @property
    def url(self) -> str:
        """Of its web server."""
        return f"http://127.0.0.1:{self.environment['VOUCH_WEB__PORT']}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", AWAKE, "run"],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, PATIENCE)

    def stop(self) -> int:
        """End it as a service manager does; its exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """End it, where a test has not."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def deliver(self, made: Made) -> int:
        """Put a document on a draft bill, as a person does; the bill's id."""
        bill = self.odoo.draft_bill(made.file)
        self.papers[bill] = made.paper
        return bill

    def said(self) -> str:
        """What it said since this was asked last."""
        text = self.log.read_text(errors="replace")
        new, self._read = text[self._read :], len(text)
        return new

    def until_said(self, pattern: str) -> str:
        """Wait until it says what matches; all that it said since it was asked last."""
        found = list[str]()

        def heard() -> bool:
            self.require_alive()
            found.append(self.said())
            return re.search(pattern, "".join(found)) is not None

        wait_for(heard, PATIENCE)
        return "".join(found)

    def require_alive(self) -> None:
        """It is still the same process."""
        assert self._process
        assert self._process.poll() is None, self.log.read_text(errors="replace")[-3000:]

    def settled(self, *, hurry: bool = True) -> None:
        """Wait until everything delivered has ended; `hurry` makes what waits due at once."""

        def all_settled() -> bool:
            self.require_alive()
            if hurry:
                self.ledger.retry("test", states=())
            ended = {job.record_id for job in self.ledger.jobs(limit=100) if job.state in SETTLED}
            return set(self.papers) <= ended

        wait_for(all_settled, PATIENCE)

    def problems(self) -> Iterator[str]:
        """Everything that is not as it must be."""
        yield from invariants.broken(self.ledger.engine, self.odoo, self.papers, self.folder)
        yield from invariants.of_secrets(self.folder, self.secrets)
        text = self.log.read_text(errors="replace")
        yield from (
            f"the log holds the secret that begins with {one[:4]}" for one in self.secrets if one in text
        )
        if "Traceback" in text:
            yield f"the log holds a traceback: {text[text.index('Traceback') :][:3000]}"

    def hook(self) -> str:
        """A token by which Odoo may say that there is something new; a secret too."""
        words = ("token", "create", "odoo", "--scope", "hooks:write", "--backend", "main", "--json")
        made = vouch(self.environment, *words)
        assert made.returncode == 0, made.stderr
        self.secrets.append(json.loads(made.stdout)["token"])
        return self.secrets[-1]

    def sign_in(self) -> httpx.Client:
        """A person at the queue; what opens their session is a secret too."""
        person = httpx.Client(
            base_url=self.url, headers={"Origin": self.url}, follow_redirects=True, timeout=PATIENCE
        )
        token = re.search(r'name="token" value="([^"]+)"', person.get("/sign-in").text)
        assert token
        form = {"token": token[1], "backend": "main", "login": "accountant", "secret": "accountant"}
        assert person.post("/sign-in", data=form).url.path == "/reviews"
        self.secrets += [value for value in person.cookies.values() if len(value) > 16]
        return person

    def _answers(self) -> bool:
        self.require_alive()
        try:
            return httpx.get(f"{self.url}/healthz", timeout=PATIENCE).is_success
        except httpx.TransportError:
            return False


@contextmanager
def living(
    database: OdooDatabase, folder: Path, data: Path, more: Mapping[str, str] | None = None
) -> Generator[Living]:
    """The service, started; its ledger and documents in `data`."""
    proxy = Proxy(database.url)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    environment = {
        **settings_for(database, "json2", data),
        "VOUCH_LOG_LEVEL": "debug",
        "VOUCH_WEB__PORT": str(port),
        "VOUCH_BACKENDS__MAIN__URL": proxy.url,
        "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": "5",
        "VOUCH_BACKENDS__MAIN__SCHEDULE__JITTER_SECONDS": "0",
        "VOUCH_BACKENDS__MAIN__LONGEST_REQUEST_SECONDS": "10",
        "VOUCH_VLM__API_KEY": MODEL_KEY,
        **(more or {}),
    }
    odoo = Administrator(database.url, database.database)
    found = Living(odoo, proxy, data, environment, [database.api_key, MODEL_KEY], folder / "vouch.log")
    with closing(open_ledger(f"sqlite:///{data / 'ledger.db'}")) as ledger:
        found.ledger = ledger
        try:
            found.start()
            yield found
        finally:
            found.kill()
            proxy.close()
