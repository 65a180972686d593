"""Odoo's database restored from yesterday's backup, with a ledger that knows what came after: nothing stays unfilled."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.erp.wire import JSON2
from deploy.odoo.installation import Installation
from deploy.odoo.postgres import Cluster
from tests.acceptance import invariants
from tests.acceptance.faults.service import Service
from tests.acceptance.invariants import BILL, Paper
from tests.acceptance.many import Made, doubtful_bills, sure_bills
from tests.integration.odoo_server import OdooDatabase, cloned
from tests.samples.generate import TODAY


@dataclass
class Backups:
    """Backups of a test's database, taken and restored as an administrator of PostgreSQL does."""

    installation: Installation
    database: OdooDatabase

    def copy(self, source: str, name: str) -> None:
        places = self.installation.places
        cluster = Cluster(places)
        cluster.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'")
        cluster.copy(source, name)

    def take(self) -> None:
        self.copy(self.database.database, self._name)

    def restore(self) -> None:
        Cluster(self.installation.places).drop(self.database.database)
        self.copy(self._name, self.database.database)

    def drop(self) -> None:
        Cluster(self.installation.places).drop(self._name)

    @property
    def _name(self) -> str:
        return f"{self.database.database}_kept"


@pytest.fixture
def service(development_odoo: Installation, tmp_path: Path) -> Iterator[Service]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    found = Service(cloned(development_odoo, name), tmp_path, JSON2)
    found.connect(found.database.url)
    yield found
    found.close()
    development_odoo.drop(name)


def put(service: Service, *made: Made) -> dict[int, Paper]:
    return {service.odoo.draft_bill(one.file): one.paper for one in made}


def assert_all_is_as_it_must_be(service: Service, papers: dict[int, Paper]) -> None:
    assert service.until_quiet() < 12
    found = [
        *service.defects,
        *invariants.of_ledger(service.ledger.engine),
        *invariants.of_bills(service.ledger.engine, service.odoo, papers),
    ]
    assert not found, found


def test_what_was_written_after_the_backup_is_written_again(
    service: Service, development_odoo: Installation
) -> None:
    backups = Backups(development_odoo, service.database)
    sure, doubtful = sure_bills(TODAY), doubtful_bills(TODAY)
    before = put(service, next(sure), next(doubtful))
    service.until_quiet()
    waiting = put(service, next(sure), next(doubtful))
    backups.take()
    service.until_quiet()
    late = [next(sure), next(doubtful)]
    after = put(service, *late)
    service.until_quiet()
    assert_all_is_as_it_must_be(service, before | waiting | after)

    backups.restore()
    backups.drop()
    service.round()
    assert not service.odoo.find(BILL, [["id", "in", list(after)]], ["id"])
    stands = before | waiting
    assert service.until_quiet() < 12
    jobs = {job.record_id: job for job in service.ledger.jobs() if job.record_id in waiting}
    assert {job.generation for job in jobs.values()} == {1}
    _assert_written(service, stands)

    # The mail server delivers the same mails again, the other way round: each gets an id of the other's.
    again = put(service, *reversed(late))
    assert set(again) == set(after), "the test needs ids that are given a second time"
    same = put(service, next(sure))
    service.until_quiet()
    _assert_written(service, stands | again | same)


def test_the_same_document_under_the_same_id_is_a_new_one(
    service: Service, development_odoo: Installation
) -> None:
    backups = Backups(development_odoo, service.database)
    sure = sure_bills(TODAY, 301)
    before = put(service, next(sure))
    service.until_quiet()
    backups.take()
    late = next(sure)
    [number] = put(service, late)
    service.until_quiet()
    backups.restore()
    backups.drop()
    # Nobody has looked between the restore and the second delivery.
    again = put(service, late)
    assert list(again) == [number]
    service.until_quiet()
    _assert_written(service, before | again)


def _assert_written(service: Service, papers: dict[int, Paper]) -> None:
    """Every bill is as its paper says, with one note and to-do of its last Effect."""
    assert not service.defects, service.defects
    found = [*invariants.of_ledger(service.ledger.engine)]
    for number, paper in papers.items():
        [bill] = service.odoo.find(
            BILL, [["id", "=", number]], ["amount_total", "invoice_line_ids", "activity_ids"]
        )
        domain = [["model", "=", BILL], ["res_id", "=", number], ["body", "ilike", "<small>Vouch"]]
        notes = service.odoo.find("mail.message", domain, ["id"])
        filled = paper.expected == "filled"
        wanted = (float(paper.total), paper.lines, 1, 0) if filled else (0.0, 0, 1, 1)
        there = (bill["amount_total"], len(bill["invoice_line_ids"]), len(notes), len(bill["activity_ids"]))
        if there != wanted:
            found.append(f"bill {number} should be {wanted} and is {there}")
    assert not found, found
