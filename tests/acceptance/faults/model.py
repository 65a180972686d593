"""Faults between the service and its model server: the vision reader in this process, a real Odoo, a proxy between."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.erp.wire import JSON2
from connector.model import Desk
from connector.settings import Settings
from inference.invoice import Reading
from inference.isolation import Sandbox
from inference.readers import Recipient
from inference.readers.vlm.desk import VisionDesk
from inference.readers.vlm.kept import KeptAnswers
from inference.readers.vlm.reader import VisionReader
from inference.vllm.client import Endpoint
from inference.vllm.profile import DEFAULT, load_profile
from tests.acceptance.faults.catalogue import PATIENCE
from tests.acceptance.faults.model_kinds import ModelKind
from tests.acceptance.faults.proxy import AUTHORITY, Asked
from tests.acceptance.faults.service import PATIENT, Outcome, Proxies, Service, as_it_must_be, told_well
from tests.acceptance.invariants import Paper
from tests.acceptance.many import page_bills
from tests.integration.odoo_server import OdooDatabase
from tests.integration.recorded_model import KEY, RecordedModel, true_answer
from tests.samples.generate import TODAY


def asks(asked: Asked) -> bool:
    """Whether it is a question about a page."""
    return asked.path == "/v1/chat/completions"


@dataclass
class ModelReading:
    """Reads with the model at an address. `right` says whether the model there reads what the pages say."""

    folder: Path
    right: bool = True
    truth: Mapping[str, Any] = field(default_factory=dict[str, Any])
    _sandbox: Sandbox = field(init=False)
    _vision: VisionReader | None = field(default=None, init=False)
    _desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self._sandbox = Sandbox(Settings().reading.limits, "layout")
        self._pages = page_bills(TODAY)
        # Kept apart, so that its files are not taken for the service's.
        self._answers = KeptAnswers(self.folder, 1)

    def begin(self, url: str, patience: float) -> None:
        """From now on by a client of its own, as after a start of the program."""
        self._end()
        authority = str(AUTHORITY) if url.startswith("https") else ""
        # Two pages in a row that fail open the breaker: what waits meanwhile must not wait for long here.
        where = Endpoint(
            url,
            load_profile(DEFAULT),
            key=KEY,
            ca_file=authority,
            timeout_seconds=patience,
            pause_seconds=0.5,
        )
        self._vision = VisionReader(where, self._answers, document_seconds=4 * patience)
        self._desk = Desk(VisionDesk(self._sandbox, self._vision))

    def deliver(self, service: Service, kind: ModelKind) -> dict[int, Paper]:
        """A new bill in Odoo, and what must become of it."""
        made, self.truth = next(self._pages)
        expected = kind.ends if self.right else None
        return {service.odoo.draft_bill(made.file): Paper(made.paper.lines, made.paper.total, expected)}

    def read(self, data: bytes, name: str, recipient: Recipient) -> Reading:
        """As the service reads."""
        return self._desk.read(data, name, recipient)[1]

    def close(self) -> None:
        """End its processes."""
        self._end()
        self._sandbox.close()

    def _end(self) -> None:
        if self._vision is not None:
            self._vision.close()


@dataclass
class ModelSide:
    """A service whose documents are read by the model behind the proxies."""

    service: Service
    reading: ModelReading
    proxies: Proxies


@contextmanager
def opened(database: OdooDatabase, folder: Path, real: str = "") -> Generator[ModelSide]:
    """With the `real` model server at an address, whose weights mean nothing, else one that reads what the pages say."""
    data = folder / "data"
    data.mkdir(parents=True)
    with ExitStack() as stack:
        reading = ModelReading(folder / "answers", right=not real)
        stack.callback(reading.close)
        service = Service(database, data, JSON2, reading.read)
        stack.callback(service.close)
        model = RecordedModel(lambda asked: true_answer(reading.truth, asked.keys))
        proxies = Proxies(real or stack.enter_context(model.serving()).url)
        stack.callback(proxies.close)
        yield ModelSide(service, reading, proxies)


def tried_at_model(side: ModelSide, kind: ModelKind, patience: float = PATIENT) -> Outcome:
    """One fault at every question about a page for a whole round, then rounds until all is quiet."""
    service, proxies = side.service, side.proxies
    proxy = proxies.tls if kind.tls else proxies.plain
    service.defects.clear()
    service.connect(service.database.url, anew=False)
    side.reading.begin(proxy.url, PATIENCE if kind.slow else patience)
    papers = side.reading.deliver(service, kind)
    proxy.begin(kind.fault, asks)
    told = service.round() + service.messages(papers)
    tries, meanwhile = proxy.tries, _states(service, papers)
    proxy.end()
    rounds = service.until_quiet()
    told += service.messages(papers)
    problems = [*as_it_must_be(service, papers), *told_well(service, kind.told, told)]
    problems += _meanwhile(kind, meanwhile, right=side.reading.right)
    if not tries:
        problems.append("the fault met no request")
    problems += [f"a redirect was followed: {asked.path}" for asked in proxies.trap.asked]
    return Outcome(kind.name, "model", service.protocol, tries, told, rounds, problems)


def _states(service: Service, papers: Mapping[int, Paper]) -> set[str]:
    return {job.state for job in service.ledger.jobs(limit=10) if job.record_id in papers}


def _meanwhile(kind: ModelKind, states: set[str], *, right: bool) -> Iterator[str]:
    """A fault that passes decides nothing; one that is an answer is not waited out."""
    allowed = {"waits": {"queued"}, "asks": {"in_review"}, "fills": {"filled"} if right else {"in_review"}}
    if states != allowed[kind.meanwhile]:
        yield f"while it lasted the document was {states}, not {allowed[kind.meanwhile]}"
