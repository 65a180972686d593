"""The service in this process, with a proxy before a real Odoo: rounds while a fault lasts, and rounds until all is quiet."""

from __future__ import annotations

import re
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from connector.erp.odoo import OdooErp
from connector.erp.wire import JSON2, Connection
from connector.errors import VouchError
from connector.execution.inline import Worker
from connector.judgement import Owner
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.store import Ledger
from connector.pipeline import Pipeline, Read
from deploy.odoo.administrator import Administrator
from tests.acceptance import invariants
from tests.acceptance.faults.catalogue import PATIENCE, Kind
from tests.acceptance.faults.proxy import AUTHORITY, Asked, Proxy
from tests.acceptance.many import Made, doubtful_bills, sure_bills
from tests.integration.odoo_server import OdooDatabase
from tests.integration.recorded_model import KEY as MODEL_KEY
from tests.integration.settling import look_again, read
from tests.samples.generate import TODAY

ROUNDS = 12
PATIENT = 60.0
"""Seconds that an Odoo on a busy machine may take where no fault is about time."""


COLD = ("version", "login", "fields", "reference")
"""Kinds of RPC that are made once a connection; the other stages go on with the one there is."""


def _writes(asked: Asked, field: str) -> bool:
    if asked.call != "account.move.web_save":
        return False
    content = asked.content
    vals = content["vals"] if "vals" in content else content["positional"][1]
    return field in vals


STAGES: dict[str, Callable[[Asked], bool]] = {
    "version": lambda asked: asked.call == "/web/version",
    "login": lambda asked: asked.call in ("res.users.context_get", "common.login"),
    "fields": lambda asked: asked.call.endswith(".fields_get"),
    "discovery": lambda asked: asked.call == "ir.attachment.search_read" and b'"datas"' not in asked.body,
    "catalog": lambda asked: asked.call == "res.partner.search_read",
    "notes": lambda asked: asked.call == "mail.message.search_read",
    "attachment": lambda asked: asked.call == "ir.attachment.search_read" and b'"datas"' in asked.body,
    "record": lambda asked: asked.call == "account.move.web_read",
    "reference": lambda asked: (
        asked.call in ("ir.model.data.check_object_reference", "mail.activity.default_get")
    ),
    "fill": lambda asked: _writes(asked, "invoice_line_ids"),
    "activity": lambda asked: _writes(asked, "activity_ids"),
}
"""Every kind of RPC that a round makes, by what it is for."""


@dataclass
class Outcome:
    """What came of one fault at one kind of RPC."""

    kind: str
    stage: str
    protocol: str
    tries: int
    told: list[str]
    rounds: int
    problems: list[str]


@dataclass
class Service:
    """A ledger that goes on, and a connection that is new in each case."""

    database: OdooDatabase
    folder: Path
    protocol: str
    read: Read = read
    ledger: Ledger = field(init=False)
    odoo: Administrator = field(init=False)
    defects: list[str] = field(default_factory=list[str])
    known: set[str] = field(default_factory=set[str])
    _sure: Iterator[Made] = field(init=False)
    _doubtful: Iterator[Made] = field(init=False)
    _erp: OdooErp | None = field(default=None, init=False)
    _pipeline: Pipeline | None = field(default=None, init=False)
    _connected: tuple[str, float, float] = field(default=("", 0, 0), init=False)

    def __post_init__(self) -> None:
        self.ledger = open_ledger(f"sqlite:///{self.folder / 'ledger.db'}")
        self.odoo = Administrator(self.database.url, self.database.database)
        first = 1 if self.protocol == JSON2 else 5001
        self._sure, self._doubtful = sure_bills(TODAY, first), doubtful_bills(TODAY, first)

    def close(self) -> None:
        """Give back connections."""
        if self._erp is not None:
            self._erp.close()
        self.ledger.close()

    def connect(
        self, url: str, *, anew: bool = True, patience: float = PATIENT, write: float = PATIENT
    ) -> None:
        """Begin `anew`, as after a start of the program; else only where address or patience are others.

        `patience` is how many seconds an answer is waited for, `write` how many that of a write.
        """
        wanted = (url, patience, write)
        if self._erp is not None:
            if not anew and wanted == self._connected:
                return
            self._erp.close()
        self._connected = wanted
        secret = self.database.api_key if self.protocol == JSON2 else self.database.password
        self._erp = OdooErp(
            Connection(
                "main",
                url,
                self.database.database,
                SecretStr(secret),
                self.database.login,
                self.protocol,
                timeout=patience,
                longest_request=write,
                max_attachment_megabytes=5,
                ca_file=str(AUTHORITY) if url.startswith("https") else "",
            )
        )
        self._pipeline = Pipeline(
            self._erp,
            self.ledger,
            DocumentStore(self.folder / "documents"),
            self.read,
            look_again,
            Owner(),
            lambda job: f"http://127.0.0.1:8170/documents/{job}",
            longest_request=timedelta(seconds=2 * PATIENCE),
            today=lambda: TODAY,
        )

    @property
    def pipeline(self) -> Pipeline:
        """That of the connection there is."""
        assert self._pipeline is not None, "connected before"
        return self._pipeline

    def deliver(self, *, doubtful: bool = False) -> dict[int, invariants.Paper]:
        """A new bill in Odoo, and what its document says."""
        made = next(self._doubtful if doubtful else self._sure)
        return {self.odoo.draft_bill(made.file): made.paper}

    def round(self) -> list[str]:
        """Poll once and work until nothing is due; what was told."""
        told = list[str]()
        worker = Worker(self.ledger, {"main": self.pipeline}, 2)

        def tried(what: Callable[[], Any]) -> None:
            try:
                what()
            except VouchError as error:
                told.append(f"{type(error).__name__}: {error}")
            except Exception:
                self.defects.append(traceback.format_exc())

        tried(self.pipeline.discover)
        tried(lambda: worker.run_until_idle(lambda _job, _state: None))
        return told

    def until_quiet(self) -> int:
        """Rounds until nothing waits, each made due at once; how many there were."""
        for count in range(1, ROUNDS + 1):
            self.ledger.retry("test", states=())
            if not self.round() and not invariants.waiting(self.ledger.engine):
                return count
            threading.Event().wait(PATIENCE / 4)
        return ROUNDS

    def messages(self, bills: dict[int, invariants.Paper]) -> list[str]:
        """What the ledger says of these bills' documents now and said in each attempt."""
        found: list[str] = []
        for job in self.ledger.jobs(limit=10):
            if job.record_id in bills and (story := self.ledger.story(job.id)):
                found += [job.message, *(attempt.error for attempt in story.attempts)]
        return [message for message in found if message]

    def keys(self) -> tuple[str, ...]:
        """Secrets long enough to stand nowhere by chance."""
        return (self.database.api_key, MODEL_KEY)

    def secrets(self) -> tuple[str, ...]:
        """What must stand in no sentence."""
        return (*self.keys(), f'"{self.database.password}"')


@dataclass
class Proxies:
    """A plain proxy and one with TLS before the same server, and a trap where redirects lead."""

    target: str

    def __post_init__(self) -> None:
        self.trap = Proxy(self.target)
        self.plain = Proxy(self.target, elsewhere=self.trap.url)
        self.tls = Proxy(self.target, presents="good", elsewhere=self.trap.url)

    def close(self) -> None:
        """Stop listening."""
        for one in (self.trap, self.plain, self.tls):
            one.close()


def tried(service: Service, proxies: Proxies, kind: Kind, stage: str) -> Outcome:
    """One fault at one kind of RPC for a whole round, then rounds until all is quiet; everything that is not as it must be."""
    proxy = proxies.tls if kind.tls else proxies.plain
    service.defects.clear()
    hasty = {"patience": PATIENCE, "write": 2 * PATIENCE} if kind.slow else {}
    service.connect(proxy.url, anew=stage in COLD, **hasty)
    papers = service.deliver(doubtful=stage in ("activity", "reference"))
    proxy.begin(kind.fault, STAGES[stage])
    told = service.round() + service.messages(papers)
    tries = proxy.tries
    proxy.end()
    rounds = service.until_quiet()
    told += service.messages(papers)
    if kind.refuses:
        papers = {number: invariants.Paper(paper.lines, paper.total) for number, paper in papers.items()}
    # A version that cannot be had at one address is asked for at the other.
    problems = [
        *as_it_must_be(service, papers),
        *told_well(service, "" if stage == "version" else kind.told, told),
    ]
    if not tries:
        problems.append("the fault met no request")
    problems += [f"a redirect was followed: {asked.path}" for asked in proxies.trap.asked]
    return Outcome(kind.name, stage, service.protocol, tries, told, rounds, problems)


def as_it_must_be(service: Service, papers: dict[int, invariants.Paper]) -> Iterator[str]:
    """What is not as it must be once all is quiet: in the ledger, in Odoo, in the folder, in the program."""
    engine = service.ledger.engine
    for problem in invariants.of_ledger(engine):
        if problem not in service.known:
            service.known.add(problem)
            yield problem
    yield from invariants.of_bills(engine, service.odoo, papers)
    yield from invariants.of_folder(service.folder)
    yield from invariants.of_secrets(service.folder, service.keys())
    yield from service.defects


def told_well(service: Service, wanted: str, told: list[str]) -> Iterator[str]:
    """What is wrong with the sentences told; `wanted` is what one of them must match, empty for nothing."""
    if wanted and not any(re.search(wanted, one) for one in told):
        yield f"nothing told matches {wanted!r}: {told}"
    for one in told:
        if any(secret in one for secret in service.secrets()) or "Traceback" in one:
            yield f"a secret or a traceback is told: {one}"
        if len(one) > 1200:
            yield f"too long to read: {one[:300]}…"
