"""A sample of `make faults`: a fault between the service and a real Odoo for a whole round, and then all is as it must be."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from connector.erp.wire import JSON2, JSONRPC
from deploy.odoo.installation import Installation
from tests.acceptance.faults.catalogue import KINDS
from tests.acceptance.faults.service import Proxies, Service, tried
from tests.integration.odoo_server import cloned

BY_NAME = {kind.name: kind for kind in KINDS}
SAMPLE = (
    ("serialization failure", "fill"),
    ("answer lost after it acted", "fill"),
    ("half an answer", "activity"),
    ("reset before the request", "attachment"),
    ("429 with Retry-After", "record"),
    ("502 page", "discovery"),
    ("a number for a result", "fill"),
    ("rows without their fields", "record"),
    ("NaN", "catalog"),
    ("deeply nested", "notes"),
    ("redirect", "discovery"),
    ("redirect", "login"),
    ("certificate ran out", "record"),
)


@pytest.fixture(scope="module")
def service(
    request: pytest.FixtureRequest, development_odoo: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    found = Service(cloned(development_odoo, name), tmp_path_factory.mktemp("faults"), request.param)
    yield found
    found.close()
    development_odoo.drop(name)


@pytest.fixture(scope="module")
def proxies(service: Service) -> Iterator[Proxies]:
    found = Proxies(service.database.url)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("service", "fault", "stage"),
    [(JSON2, *case) for case in SAMPLE] + [(JSONRPC, *case) for case in SAMPLE[:4]],
    indirect=["service"],
)
def test_nothing_is_lost_and_the_cause_is_told(
    service: Service, proxies: Proxies, fault: str, stage: str
) -> None:
    outcome = tried(service, proxies, BY_NAME[fault], stage)
    assert not outcome.problems, outcome
