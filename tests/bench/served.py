"""The web server over a crowd, in a process of its own as `vouch web` is, and the processor time that it takes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import uvicorn

from connector.erp.people import Admitted
from connector.erp.port import Effect
from connector.judgement import Owner
from connector.ledger.documents import DocumentStore
from connector.ledger.sessions import Lifetime, Sessions
from connector.ledger.store import Ledger
from connector.pipeline import Pipeline
from connector.review.app import create_app
from connector.review.deps import ReviewDeps, SignIn
from mappings.erp_data import ErpData, Record
from mappings.field_map import FieldMap, default_map
from tests.bench.crowd import NOW, Crowd, crowd
from tests.review_ledger import SANDBOX
from tests.unit.mappings_builder import demo_data, draft_bill

TICKS = os.sysconf("SC_CLK_TCK")
TOKEN = re.compile(r'name="vouch-token" content="([^"]+)"')


class StillErp:
    """An ERP that answers at once: what is measured is Vouch."""

    backend = "main"

    def erp_data(self) -> ErpData:
        return demo_data()

    def field_map(self) -> FieldMap:
        return default_map()

    def record(self, model: str, number: int) -> Record:
        return draft_bill(model=model, id=number)

    def apply(self, effect: Effect) -> Record:
        return self.record(effect.model, effect.record_id)


@contextmanager
def deps_of(made: Crowd, *, signed_in: bool = False) -> Iterator[ReviewDeps]:
    """The app's dependencies over the crowd's ledger; `signed_in` people only, where it is asked for."""
    ledger = Ledger.connect(made.url, lambda: NOW)
    documents, erp, never = DocumentStore(made.documents), cast("Any", StillErp()), cast("Any", None)
    pipeline = Pipeline(erp, ledger, documents, never, never, Owner(), str)
    yield ReviewDeps(
        ledger=ledger,
        documents=documents,
        record_url=lambda backend, model, number: f"http://127.0.0.1:9/{backend}/{model}/{number}",
        backends={"main": timedelta(days=1)},
        sandbox=SANDBOX,
        pipelines={"main": pipeline},
        erp=lambda _: erp,
        sign_in=SignIn({"main": cast("Any", None)}) if signed_in else None,
        clock=lambda: NOW,
    )
    ledger.close()


@dataclass(frozen=True)
class Server:
    """A served crowd."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def seconds(self) -> float:
        """The processor time that it has taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def served(documents: int, folder: Path | None = None, *, signed_in: bool = True) -> Generator[Server]:
    """A process that serves the crowd on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    asked = [str(port), str(documents), str(folder or ""), "signed-in" if signed_in else ""]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.served", *asked])
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url):
            if process.poll() is not None:
                raise RuntimeError(f"The server ended with {process.returncode}.")
            time.sleep(0.1)
        yield Server(url, process)
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


@contextmanager
def sessions(made: Crowd, count: int) -> Generator[list[str]]:
    """The cookies of so many people who are signed in."""
    ledger = Ledger.connect(made.url, lambda: NOW)
    kept = Sessions(ledger.engine, Lifetime(), lambda: NOW)
    people = [Admitted(n, f"person{n}", f"Person {n}", None, "rights") for n in range(1, count + 1)]
    cookies = [kept.open("main", one) for one in people]
    try:
        yield cookies
    finally:
        for cookie in cookies:
            kept.end(cookie)
        ledger.close()


def main() -> None:
    """Serve: port, documents, folder, `signed-in`."""
    port, documents, folder, signed_in = sys.argv[1:5]
    made = crowd(int(documents), Path(folder) if folder else None)
    with deps_of(made, signed_in=bool(signed_in)) as deps:
        uvicorn.run(create_app(deps), port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
