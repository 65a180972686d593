"""A part of `make crash`: killed at some of the points of each kind, nothing is lost and nothing made twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector.ledger.records import Job
from connector.ledger.states import JobState
from connector.ledger.store import MAX_CRASHES
from deploy.odoo.installation import Installation
from tests.acceptance.crash import lives, stages
from tests.acceptance.crash.office import Office, Point, opened
from tests.acceptance.crash.tally import Tally
from tests.acceptance.many import damaged_files, doubtful_bills, sure_bills

# Each kill takes a start of the program, which a busy machine makes slow.
pytestmark = pytest.mark.timeout(1800)

TODAY = datetime.now().astimezone().date()
WRITTEN = Point("call account.move/web_save: after")


@pytest.fixture(scope="module")
def office(development_odoo: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened(development_odoo, tmp_path_factory.mktemp("crash")) as made:
        yield made


@pytest.fixture(scope="module")
def shadow(development_odoo: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One in which sure bills are held back for a person."""
    with opened(development_odoo, tmp_path_factory.mktemp("shadow")) as made:
        made.environment["VOUCH_POLICY__SHADOW_BILLS"] = "99"
        yield made


def held(tally: Tally, kills: int) -> None:
    assert tally.losses == []
    assert tally.count >= kills, tally.table()


@pytest.mark.parametrize("kind", [sure_bills, doubtful_bills])
def test_a_round(office: Office, kind: type) -> None:
    tally = Tally(share=12)
    stages.passages(tally, office, "round", kind(TODAY))
    held(tally, 3)


def test_a_round_over_the_older_protocol(development_odoo: Installation, tmp_path: Path) -> None:
    with opened(development_odoo, tmp_path, "jsonrpc") as made:
        tally = Tally(share=16)
        stages.passages(tally, made, "round", sure_bills(TODAY))
        held(tally, 2)


def test_the_whole_service_at_random_moments(office: Office) -> None:
    tally = Tally()
    lives.lives(tally, office, "service", sure_bills(TODAY, 801), doubtful_bills(TODAY, 801), 2)
    held(tally, 2)


def test_a_bill_that_is_taken_up(office: Office) -> None:
    tally = Tally(share=12)
    stages.recoveries(tally, office, "taking up", sure_bills(TODAY, 301))
    held(tally, 4)


def test_a_verdict(shadow: Office) -> None:
    tally = Tally()
    stages.verdicts(tally, shadow, "approve", sure_bills(TODAY), sent_again=1)
    held(tally, 2)


def test_an_upload(office: Office) -> None:
    tally = Tally(share=2)
    stages.uploads(tally, office, "upload", sure_bills(TODAY, 401))
    held(tally, 2)


def test_a_document_that_ends_its_worker_again_and_again_is_told_to_a_person(office: Office) -> None:
    """It is set aside with its attempts, and the bill in Odoo has a to-do; the next telling is the next wish."""
    bill = office.deliver(next(sure_bills(TODAY, 601)))
    office.papers[bill] = next(damaged_files()).paper
    for _ in range(MAX_CRASHES):
        spec = office.spec("work", Point("call ir.attachment/search_read: after"), bill)
        assert office.killed(spec, *stages.ROUND).killed
    office.settle()
    assert office.broken() == []
    with Session(office.engine) as session:
        job = session.scalars(select(Job).where(Job.record_id == bill)).one()
    assert (job.state, job.reason) == (JobState.FAILED, "crashed")
    [to_do] = office.odoo.find(
        "mail.activity", [["res_model", "=", "account.move"], ["res_id", "=", bill]], ["summary", "note"]
    )
    assert "was set aside" in to_do["summary"]
    assert "step “fetch”" in to_do["note"]
    # Telling, too, may be interrupted.
    office.run("retry", str(job.id))
    for _ in range(MAX_CRASHES):
        spec = office.spec("work", Point("call ir.attachment/search_read: after"), bill)
        assert office.killed(spec, *stages.ROUND).killed
    assert office.killed(office.spec("work", WRITTEN, bill), *stages.ROUND).killed
    office.settle()
    assert office.broken() == []


def test_a_backup(office: Office, tmp_path: Path) -> None:
    tally = Tally(share=4)
    stages.backups(tally, office, "backup")
    held(tally, 1)
