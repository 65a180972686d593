"""Put the parts together from the settings; the only place where they meet."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from structlog.typing import FilteringBoundLogger

from connector.backup.occupancy import occupied
from connector.erp.odoo import OdooErp
from connector.erp.people import OdooPeople
from connector.erp.wire import Connection
from connector.errors import SettingsError
from connector.execution.inline import Worker
from connector.judgement import Owner
from connector.ledger.accepted import AcceptedReaders
from connector.ledger.chain import note_settings
from connector.ledger.documents import DocumentStore
from connector.ledger.judged import JudgedValues
from connector.ledger.key_ends import KeyEnds
from connector.ledger.migrate import open_ledger
from connector.ledger.retention import GRACE
from connector.ledger.store import utc_now
from connector.ledger.uploads import UploadLog
from connector.model import Desk, opened_desk, unacknowledged
from connector.pipeline import Pipeline
from connector.purging import Purging
from connector.renewal import KeyKeeper
from connector.replay import identity_of
from connector.sandbox import opened_sandbox
from connector.settings import NO_BACKEND
from connector.uploads import Uploads
from mappings.policy import Policy

if TYPE_CHECKING:
    from connector.erp.people import People
    from connector.erp.port import Erp
    from connector.ledger.store import Ledger
    from connector.settings import BackendSettings, Settings
    from inference.invoice import Reading
    from inference.isolation import Sandbox
    from inference.readers import Recipient

log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """The living parts of one process. `desk` reads documents; `screen` draws pages, so that a person never waits for
    what is being read."""

    settings: Settings
    ledger: Ledger
    documents: DocumentStore
    pipelines: Mapping[str, Pipeline]
    people: Mapping[str, People]
    worker: Worker
    keys: Mapping[str, KeyKeeper]
    screen: Sandbox
    desk: Desk


@contextmanager
def open_service(settings: Settings) -> Generator[Service]:
    """Ledger, ERP connections, pipelines and worker, closed at the end. Raises errors of `connector.errors`."""
    if not settings.backends:
        raise SettingsError(NO_BACKEND)
    with ExitStack() as stack:
        ledger = stack.enter_context(opened_ledger(settings))
        note_settings(ledger.engine, told_settings(settings))
        documents = DocumentStore(settings.folder / "documents")
        documents.sweep((utc_now() - GRACE).timestamp())
        if condition := unacknowledged(settings):
            log.warning("licence", condition=condition)
        desk = stack.enter_context(
            opened_desk(settings, processes=settings.reading.processes, reviewed=JudgedValues(ledger.engine))
        )
        pipelines: dict[str, Pipeline] = {}
        people: dict[str, People] = {}
        keepers: dict[str, KeyKeeper] = {}
        for name, backend in settings.backends.items():
            erp = OdooErp(connection(name, backend, settings), declared=backend.field_map())
            stack.callback(erp.close)
            people[name] = OdooPeople(erp)
            keepers[name] = KeyKeeper(erp, backend, KeyEnds(ledger.engine))
            pipelines[name] = make_pipeline(settings, name, erp, ledger, documents, desk)
            stack.callback(pipelines[name].close)
        worker = Worker(ledger, pipelines, settings.workers)
        screen = stack.enter_context(opened_sandbox(settings))
        yield Service(settings, ledger, documents, pipelines, people, worker, keepers, screen, desk)


def told_settings(settings: Settings) -> dict[str, Any]:
    """What the audit tells of the settings: whom Vouch talks to, what reads, and what may be written. No secret."""
    return {
        "reader": identity_of(settings),
        "backends": {
            name: f"{backend.url.host}:{backend.url.port}/{backend.database}"
            for name, backend in settings.backends.items()
        },
        "model": f"{settings.vlm.url.host}:{settings.vlm.url.port}" if settings.vlm.url else "",
        "policy": settings.policy.model_dump(mode="json"),
        "retention": settings.retention.model_dump(mode="json"),
        "web": settings.web.host,
    }


@contextmanager
def opened_ledger(settings: Settings) -> Generator[Ledger]:
    """The ledger alone, for commands that do not talk to an ERP."""
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with occupied(settings.folder), closing(open_ledger(settings.ledger)) as ledger:
        yield ledger


def connection(name: str, backend: BackendSettings, settings: Settings) -> Connection:
    """What the adapter needs to know to reach one Odoo."""
    return Connection(
        name=name,
        url=str(backend.url).rstrip("/"),
        database=backend.database,
        secret=backend.secret(),
        reread=backend.secret if backend.secret_file else None,
        login=backend.login,
        protocol=backend.protocol,
        timeout=backend.timeout_seconds,
        longest_request=backend.longest_request_seconds,
        companies=backend.companies,
        max_attachment_megabytes=int(settings.reading.max_megabytes),
        verify_tls=backend.verify_tls,
        ca_file=str(backend.ca_file or ""),
    )


def make_pipeline(
    settings: Settings,
    name: str,
    erp: Erp,
    ledger: Ledger,
    documents: DocumentStore,
    desk: Desk,
) -> Pipeline:
    """The pipeline of one Backend."""
    return Pipeline(
        erp=erp,
        ledger=ledger,
        documents=documents,
        read=make_read(desk),
        look_again=desk.look_again,
        owner=owner_of(settings, ledger),
        review_url=lambda job_id: f"{settings.web_url}/documents/{job_id}",
        reviewer=settings.backends[name].reviewer,
        longest_request=timedelta(seconds=settings.backends[name].longest_request_seconds),
    )


def owner_of(settings: Settings, ledger: Ledger | None = None) -> Owner:
    """What the owner set of the policy; with a ledger also whether what reads is accepted there."""
    asked = settings.policy
    identity = identity_of(settings)

    def unproven() -> bool:
        return (
            ledger is not None
            and asked.require_replay
            and not AcceptedReaders(ledger.engine).allows(identity)
        )

    return Owner(
        Policy(asked.fill_confidence, asked.fill_sure_header, asked.tolerance, line_styles=asked.line_styles),
        asked.error_budget,
        asked.budget_confidence,
        asked.shadow_bills,
        unproven,
    )


def make_uploads(service: Service, arrived: Callable[[str], None]) -> Uploads:
    """What sends documents to the Backends that programs and people brought; `arrived` hears of each that has a bill."""
    patience = max(one.longest_request_seconds for one in service.settings.backends.values())
    return Uploads(
        UploadLog(service.ledger.engine),
        service.documents,
        {name: pipeline.erp for name, pipeline in service.pipelines.items()},
        arrived,
        timedelta(seconds=patience),
    )


def purging_of(settings: Settings, ledger: Ledger, erps: Mapping[str, Erp]) -> Purging | None:
    """What purges by age, as the settings want it; None where they want nothing purged."""
    asked = settings.retention
    if asked.documents_days is None and asked.readings_days is None:
        return None
    return Purging(asked, ledger.engine, DocumentStore(settings.folder / "documents"), erps)


def make_read(desk: Desk) -> Callable[[bytes, str, Recipient], Reading]:
    """Bytes in, Reading out."""

    def read(data: bytes, name: str, recipient: Recipient) -> Reading:
        return desk.read(data, name, recipient)[1]

    return read
