"""Killed while a verdict is carried out, between its two writes too: nothing happens twice, and nothing is lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.erp.port import Effect
from connector.ledger.records import Job
from connector.ledger.settling import Settling
from connector.ledger.states import JobState
from mappings.erp_data import Record
from tests.integration.odoo_server import OdooDatabase
from tests.integration.settling import Desk, EventfulErp, Settler, answered, make_desk


@pytest.fixture
def desk(database: OdooDatabase, tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(database, tmp_path, posting=True)
    yield made
    made.close()


class Killed(BaseException):
    """The process ends here."""


class DyingErp(EventfulErp):
    """A process that is killed right before it posts, or right after."""

    posted_first = False

    def post(self, record_id: int) -> Record:
        if self.posted_first:
            super().post(record_id)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def settle_and_die(
    database: OdooDatabase, folder: Path, job_id: int, body: dict[str, Any], posted: bool
) -> None:
    """Send the verdict in this process, which dies of it."""
    kind = type("Dying", (DyingErp,), {"posted_first": posted})
    desk = make_desk(database, folder, posting=True, kind=kind)
    desk.settler().send("POST", f"/reviews/{job_id}/verdict", body)


def state(desk: Desk, job: Job) -> JobState:
    found = Settling(desk.ledger.engine).job(job.id)
    assert found is not None
    return JobState(found.state)


def taken_up(desk: Desk, job: Job) -> JobState:
    """What a worker makes of it once the lease has run out."""
    clock = desk.ledger._clock
    desk.ledger._clock = lambda: clock() + timedelta(hours=1)
    assert desk.ledger.recover(lambda _: False) == 1
    taken = desk.ledger.claim("other", ["main"])
    assert taken is not None
    assert taken.id == job.id
    ended = desk.pipeline.work(taken)
    desk.ledger._clock = clock
    return ended


@pytest.mark.parametrize("posted", [False, True], ids=["before posting", "after posting"])
@pytest.mark.parametrize("by", ["the person", "a worker"])
def test_killed_between_the_fill_and_the_posting(
    desk: Desk, database: OdooDatabase, tmp_path: Path, posted: bool, by: str
) -> None:
    person, job = desk.settler(), desk.in_review()
    seen = person.draft(job.id, {"target": "payment_reference", "value": "RF-KILLED"})
    body = {"verdict": "approve_and_post", "version": seen["version"], "key": uuid.uuid4().hex}
    body |= answered(seen)
    process = multiprocessing.get_context("spawn").Process(
        target=settle_and_die, args=(database, tmp_path, job.id, body, posted)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert state(desk, job) is JobState.APPLYING
    filled = desk.record(job, "state", "payment_reference", "invoice_line_ids", "amount_total")
    assert (filled["state"], filled["payment_reference"]) == ("posted" if posted else "draft", "RF-KILLED")
    if by == "a worker":
        assert taken_up(desk, job) is JobState.FILLED
    told = answer(person, job, body)
    assert (told["outcome"], told["state"]) == ("posted" if posted else "filled", "filled")
    assert told["message"] == ("" if posted else "It was filled, but is not posted.")
    assert answer(person, job, body) == told
    assert desk.record(job, "state", "payment_reference", "invoice_line_ids", "amount_total") == filled
    assert len([note for note in desk.notes(job) if "Approved" in note]) == 1
    assert desk.to_do(job) == []
    story = desk.ledger.story(job.id)
    assert story is not None
    assert story.review is not None
    assert story.review.verdict == "approve_and_post"
    assert {effect.status for effect in story.effects} == {"done"}


def answer(person: Settler, job: Job, body: dict[str, Any]) -> dict[str, Any]:
    """What the same wish gives when it is asked again."""
    found = person.send("POST", f"/reviews/{job.id}/verdict", body)
    assert found.status_code == 200, found.text
    return found.json()


@pytest.mark.parametrize("after_the_write", [False, True])
def test_killed_while_approving(desk: Desk, after_the_write: bool) -> None:
    person, job = desk.settler(), desk.in_review()

    def kill(_: Effect) -> None:
        raise Killed

    def abandoned(*_: object, **__: object) -> None:
        raise Killed

    seen = person.draft(job.id, {"target": "ref", "value": "KEPT"})
    (desk.erp.after if after_the_write else desk.erp.before).append(kill)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settling, "abandon", abandoned)
        with pytest.raises(BaseException):  # noqa: B017, PT011
            person.decide(seen, "approve")
    assert state(desk, job) == JobState.APPLYING
    ended = taken_up(desk, job)
    if after_the_write:
        assert ended == JobState.FILLED
        assert set(desk.corrections(job)) == {"ref"}
        assert desk.record(job, "ref")["ref"] == "KEPT"
    else:
        assert ended == JobState.IN_REVIEW
        bill = person.get(f"/reviews/{job.id}")
        assert bill["edits"] == [{"target": "ref", "value": "KEPT"}]
        assert len(desk.to_do(job)) == 1
        assert person.decide(bill, "approve").json()["outcome"] == "filled"
    assert len([note for note in desk.notes(job) if "Approved by" in note]) == 1
