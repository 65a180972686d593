"""The real `vouch run` while the network, the disk, the ledger and the clock fail: it goes on by itself, nothing is lost or
done twice, no secret is told. VOUCH_TEST_FULL=1 tries more of each."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from connector.ledger.states import JobState
from deploy.odoo.installation import Installation
from tests.acceptance.command import wait_for
from tests.acceptance.faults.catalogue import KINDS
from tests.acceptance.faults.living import PATIENCE, Clock, Disk, Living, living, made_clock, mounted
from tests.acceptance.faults.service import STAGES
from tests.acceptance.many import doubtful_bills, sure_bills
from tests.integration.odoo_server import OdooDatabase, cloned
from tests.samples.generate import TODAY

FULL = os.environ.get("VOUCH_TEST_FULL") == "1"
BY_NAME = {kind.name: kind for kind in KINDS}
FAULTS = [("answer lost after it acted", "fill")]
if FULL:
    FAULTS += [
        (name, stage)
        for name in (
            "half an answer",
            "reset before the request",
            "429 with Retry-After",
            "serialization failure",
            "null for a result",
            "a web page",
            "delay",
        )
        for stage in ("discovery", "catalog", "notes", "attachment", "record", "fill", "activity")
    ]
    FAULTS += [
        ("answer lost after it acted", "activity"),
        ("502 page", "discovery"),
        ("502 page", "fill"),
        ("silence after it acted", "fill"),
    ]


@pytest.fixture(scope="module")
def database(development_odoo: Installation) -> Iterator[OdooDatabase]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield cloned(development_odoo, name)
    development_odoo.drop(name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("living")


@pytest.fixture(scope="module")
def disk(folder: Path) -> Iterator[Disk]:
    with mounted(folder / "disk") as found:
        yield found


@pytest.fixture(scope="module")
def clock(folder: Path) -> Clock:
    return made_clock(folder)


@pytest.fixture(scope="module")
def service(database: OdooDatabase, folder: Path, disk: Disk, clock: Clock) -> Iterator[Living]:
    with living(database, folder, disk.folder, clock.variables()) as found:
        yield found


@pytest.fixture
def bills(service: Living, request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test does ends well, whatever it was."""
    yield
    service.settled()
    assert not list(service.problems())


SURE, DOUBTFUL = sure_bills(TODAY, 20_001), doubtful_bills(TODAY, 20_001)


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("bills")
@pytest.mark.parametrize(("fault", "stage"), FAULTS)
def test_a_fault_on_the_way_to_odoo(service: Living, fault: str, stage: str) -> None:
    kind, proxy = BY_NAME[fault], service.proxy
    token = service.hook() if not service.papers else ""
    proxy.begin(kind.fault, STAGES[stage])
    service.deliver(next(DOUBTFUL if stage == "activity" else SURE))
    if token:
        call = httpx.post(
            f"{service.url}/api/v1/hooks/odoo/main",
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE,
        )
        assert call.status_code == 202
    wait_for(lambda: proxy.tries, PATIENCE)
    if not kind.quiet:
        service.until_said(kind.told)
    proxy.end()


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("bills")
@pytest.mark.parametrize("doubtful", [False, True] if FULL else [False])
def test_a_full_disk(service: Living, disk: Disk, doubtful: bool) -> None:
    disk.fill()
    try:
        service.deliver(next(DOUBTFUL if doubtful else SURE))
        service.until_said("make room on (it|its disk)")
        assert httpx.get(f"{service.url}/healthz", timeout=PATIENCE).is_success
    finally:
        disk.empty()


@contextmanager
def locked(service: Living) -> Iterator[None]:
    """Another program has begun to write, and does not end."""
    with closing(
        sqlite3.connect(service.folder / "ledger.db", timeout=PATIENCE, isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("bills")
@pytest.mark.parametrize("stage", ["attachment", "fill"] if FULL else ["fill"])
def test_a_ledger_locked_for_long(service: Living, stage: str) -> None:
    """The lock is taken while a request is on its way, so that its outcome cannot be recorded."""
    proxy = service.proxy
    proxy.begin(BY_NAME["silence after it acted"].fault, STAGES[stage])
    bill = service.deliver(next(SURE))
    wait_for(lambda: proxy.tries, PATIENCE)
    with locked(service):
        proxy.end()
        service.until_said("held the ledger's lock for more than .*: end what has it open")
        assert httpx.get(f"{service.url}/healthz", timeout=PATIENCE).is_success
    service.settled()
    [job] = [job for job in service.ledger.jobs(limit=100) if job.record_id == bill]
    assert (job.crashes, job.state) == (0, JobState.FILLED)


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("bills")
@pytest.mark.parametrize("back", ["-2d", "-5h"] if FULL else ["-2d"])
def test_the_clock_put_back(service: Living, clock: Clock, back: str) -> None:
    """What was put off, and when is polled next, would else wait until the clock has gone through that time once more."""
    proxy, person = service.proxy, service.sign_in()
    proxy.begin(BY_NAME["502 page"].fault, STAGES["attachment"])
    service.deliver(next(SURE))
    service.until_said("HTTP 502")
    clock.set(back)
    proxy.end()
    service.until_said("the clock was set")
    service.settled(hurry=False)
    # A poll finds it, though the next one was to be in the future.
    service.deliver(next(SURE))
    service.settled(hurry=False)
    with closing(person):
        assert person.get("/reviews").url.path == "/sign-in"
    with closing(service.sign_in()) as again:
        assert again.get("/reviews").url.path == "/reviews"
    clock.set("+0")
    service.until_said("the clock was set")


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("bills")
@pytest.mark.parametrize("on", ["+3d", "+5h"] if FULL else ["+3d"])
def test_the_clock_put_forward_during_a_write(service: Living, clock: Clock, on: str) -> None:
    """Its lease seems to have run out, and Odoo's time for the request to be over."""
    proxy, person = service.proxy, service.sign_in()
    proxy.begin(BY_NAME["silence after it acted"].fault, STAGES["fill"])
    service.deliver(next(SURE))
    wait_for(lambda: proxy.tries, PATIENCE)
    clock.set(on)
    service.until_said("the clock was set")
    proxy.end()
    service.settled()
    with closing(person):
        assert person.get("/reviews").url.path == "/sign-in"
    clock.set("+0")
    service.until_said("the clock was set")
