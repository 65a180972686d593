"""A sample of `make interleavings`: a person edits a bill in a real Odoo between the RPCs of the service."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from connector.erp.wire import JSON2
from deploy.odoo.installation import Installation
from tests.acceptance.faults.proxy import Proxy
from tests.acceptance.faults.service import Service
from tests.acceptance.interleavings.edits import EDITS, Place
from tests.acceptance.interleavings.schedule import Plan, guard, place_in, plans, play
from tests.integration.odoo_server import cloned

WRITE = 4
"""Which RPC for a bill is the write, where the connection has asked what it asks once."""


@dataclass(frozen=True)
class Table:
    service: Service
    proxy: Proxy
    place: Place


@pytest.fixture(scope="module")
def table(development_odoo: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    service = Service(cloned(development_odoo, name), tmp_path_factory.mktemp("interleavings"), JSON2)
    place = place_in(service.odoo)
    guard(service.database)
    proxy = Proxy(service.database.url)
    service.connect(proxy.url)
    yield Table(service, proxy, place)
    proxy.close()
    service.close()
    development_odoo.drop(name)


def test_what_a_person_writes_stays(table: Table) -> None:
    found = play(table.service, table.proxy, table.service.odoo, table.place, list(plans(len(EDITS), 5)))
    assert not [problem for played in found for problem in played.problems], found


def test_what_a_person_saves_between_the_last_look_and_the_write_stays(table: Table) -> None:
    batch = [Plan(edit, WRITE, "before", 0.0, False, False) for edit in EDITS if edit.touches]
    found = play(table.service, table.proxy, table.service.odoo, table.place, batch)
    assert sum(played.in_window for played in found) >= len(batch) - 1, found
    assert not [problem for played in found for problem in played.problems], found
