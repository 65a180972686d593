"""What happens between reading and writing in a real Odoo: no document is lost, nothing is written twice."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from connector.erp.odoo import OdooErp
from connector.erp.port import BILL, Effect
from connector.erp.wire import Connection
from connector.errors import RetriableError
from connector.execution.inline import Worker
from connector.judgement import Owner
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.records import Job, Story
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.pipeline import Pipeline
from connector.recognition import FILL, FILLED, effect_key
from deploy.odoo.installation import Installation
from mappings.erp_data import Record
from tests.integration.odoo_server import MailedFile, Odoo, OdooDatabase
from tests.integration.settling import SAMPLES, EventfulErp, look_again, read
from tests.samples.generate import samples

pytestmark = pytest.mark.usefixtures("development_odoo")


@pytest.fixture(scope="module")
def odoo(database: OdooDatabase) -> Odoo:
    return Odoo(database)


@pytest.fixture
def erp(database: OdooDatabase) -> Iterator[EventfulErp]:
    found = EventfulErp(
        Connection("main", database.url, database.database, SecretStr(database.password), database.login)
    )
    yield found
    found.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@pytest.fixture
def pipeline(erp: EventfulErp, ledger: Ledger, tmp_path: Path) -> Pipeline:
    pipeline = Pipeline(
        erp,
        ledger,
        DocumentStore(tmp_path / "documents"),
        read,
        look_again,
        Owner(),
        lambda job: f"http://127.0.0.1:8170/documents/{job}",
        longest_request=timedelta(0),
    )
    pipeline.discover()
    return pipeline


@pytest.fixture
def bill(odoo: Odoo) -> Iterator[int]:
    """A draft whose document is sure; made before the pipeline's first poll."""
    sample = SAMPLES["look_alike"]
    number = odoo.draft_bill(MailedFile(sample.filename, sample.mimetype, sample.data))
    yield number
    if odoo.find(BILL, [["id", "=", number]], ["id"]):
        odoo.call(BILL, "unlink", [number])


@pytest.fixture
def doubtful(odoo: Odoo) -> Iterator[int]:
    """A draft whose document goes to a person."""
    sample = next(one for one in samples() if one.expected == "review" and one.target == "mail")
    number = odoo.draft_bill(MailedFile(sample.filename, sample.mimetype, sample.data))
    yield number
    odoo.call(BILL, "unlink", [number])


def work(pipeline: Pipeline, bill: int) -> Story:
    """One try at the bill's document; everything the ledger knows of it afterwards."""
    pipeline.ledger.retry("test", states=())
    while job := pipeline.ledger.claim("test", ["main"]):
        if job.record_id == bill:
            pipeline.work(job)
            story = pipeline.ledger.story(job.id)
            assert story is not None
            return story
        pipeline.ledger.finish(job, JobState.SKIPPED, "test", "not of this test")
    raise AssertionError(f"nothing to do on {bill}")


def notes(odoo: Odoo, bill: int) -> int:
    domain = [["model", "=", BILL], ["res_id", "=", bill], ["body", "ilike", "Vouch"]]
    return len(odoo.find("mail.message", domain, ["id"]))


def activities(odoo: Odoo, bill: int) -> list[str]:
    domain = [["res_model", "=", BILL], ["res_id", "=", bill]]
    return [one["note"] for one in odoo.find("mail.activity", domain, ["note"])]


def lose_the_answer(_: Effect) -> None:
    raise RetriableError("The answer was lost")


def test_a_bill_deleted_before_the_write_ends_as_gone(
    bill: int, pipeline: Pipeline, erp: EventfulErp, odoo: Odoo
) -> None:
    erp.before = [lambda _: odoo.call(BILL, "unlink", [bill])]
    job = work(pipeline, bill).job
    assert (job.state, job.reason) == (JobState.SKIPPED, "gone")


def test_a_write_found_after_an_interruption_is_compared_with_the_paper(
    bill: int, pipeline: Pipeline, erp: EventfulErp, odoo: Odoo
) -> None:
    def meanwhile(_: Effect) -> None:
        [line] = odoo.find(BILL, [["id", "=", bill]], ["invoice_line_ids"])
        first = line["invoice_line_ids"][0]
        odoo.call(BILL, "write", [bill], {"invoice_line_ids": [(1, first, {"price_unit": 0.01})]})
        raise RetriableError("The answer was lost")

    erp.after = [meanwhile]
    assert work(pipeline, bill).job.state == JobState.QUEUED
    story = work(pipeline, bill)
    assert story.job.state == JobState.IN_REVIEW, story.job.message
    assert [effect.status for effect in story.effects] == ["done", "done"]
    assert len(activities(odoo, bill)) == 1


def test_a_lost_answer_is_looked_up_and_nothing_is_written_twice(
    bill: int, pipeline: Pipeline, erp: EventfulErp, odoo: Odoo
) -> None:
    erp.after = [lose_the_answer]
    assert work(pipeline, bill).job.state == JobState.QUEUED
    assert work(pipeline, bill).job.state == JobState.FILLED
    assert notes(odoo, bill) == 1


def test_a_ledger_that_was_lost_finds_its_work_in_the_notes(
    bill: int, pipeline: Pipeline, tmp_path: Path, odoo: Odoo
) -> None:
    assert work(pipeline, bill).job.state == JobState.FILLED
    [before] = odoo.find(BILL, [["id", "=", bill]], ["write_date", "invoice_line_ids"])
    for name in ("new", "newer"):
        ledger = open_ledger(f"sqlite:///{tmp_path / name}.db")
        pipeline.ledger = ledger
        pipeline.discover()
        story = work(pipeline, bill)
        assert (story.job.state, story.job.message) == (JobState.FILLED, FILLED)
        ledger.close()
    assert notes(odoo, bill) == 1
    assert odoo.find(BILL, [["id", "=", bill]], ["write_date", "invoice_line_ids"]) == [before]


def test_a_question_is_not_asked_again_after_the_ledger_was_lost(
    doubtful: int, pipeline: Pipeline, tmp_path: Path, odoo: Odoo
) -> None:
    asked = work(pipeline, doubtful)
    assert asked.job.state == JobState.IN_REVIEW
    pipeline.ledger = ledger = open_ledger(f"sqlite:///{tmp_path / 'new.db'}")
    pipeline.discover()
    again = work(pipeline, doubtful)
    assert again.job.state == JobState.IN_REVIEW
    assert again.review is not None
    assert asked.review is not None
    assert again.review.reasons == asked.review.reasons
    # A person's new wish is a new question, also where the lost ledger had counted it before.
    ledger.retry("person", [JobState.IN_REVIEW])
    assert work(pipeline, doubtful).job.state == JobState.IN_REVIEW
    assert len(activities(odoo, doubtful)) == 2
    ledger.close()


def test_a_note_of_somebody_else_is_no_proof(bill: int, pipeline: Pipeline, odoo: Odoo) -> None:
    """A mail can bear a key that its sender computed."""
    pipeline.ledger.retry("test", states=())
    [job] = [one for one in pipeline.ledger.jobs() if one.record_id == bill]
    forged = f"<p><small>Vouch {effect_key(job, FILL)}</small></p>"
    odoo.call(
        "mail.message", "create", [{"model": BILL, "res_id": bill, "body": forged, "message_type": "comment"}]
    )
    assert work(pipeline, bill).job.message != FILLED


def test_a_fill_that_odoo_refuses_goes_to_a_person(
    bill: int, pipeline: Pipeline, erp: EventfulErp, odoo: Odoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(effect: Effect) -> Record:
        # Odoo refuses a line whose quantity it cannot keep.
        lines = tuple({**line, "quantity": Decimal("1.00000000000000000001")} for line in effect.lines)
        return OdooErp.apply(erp, replace(effect, lines=lines))

    monkeypatch.setattr(type(erp), "apply", lambda _, effect: spoiled(effect))
    job = work(pipeline, bill).job
    assert job.state == JobState.IN_REVIEW, job.message
    [asked] = activities(odoo, bill)
    assert "more digits" in asked
    [review] = pipeline.ledger.reviews()
    [record] = odoo.find(BILL, [["id", "=", bill]], ["company_id"])
    assert [review.company_id, review.company] == record["company_id"]
    assert review.topics == ["refused"]


def test_a_person_who_is_at_it_all_the_time_only_delays(
    bill: int, pipeline: Pipeline, erp: EventfulErp, odoo: Odoo
) -> None:
    def person(text: str) -> Callable[[Effect], None]:
        return lambda _: odoo.call(BILL, "write", [bill], {"narration": text, "ref": text})

    erp.before = [person("one"), person("two")]
    assert work(pipeline, bill).job.state == JobState.QUEUED
    assert work(pipeline, bill).job.state == JobState.IN_REVIEW
    [after] = odoo.find(BILL, [["id", "=", bill]], ["ref", "invoice_line_ids"])
    assert (after["ref"], after["invoice_line_ids"]) == ("two", [])


def test_a_file_that_odoo_has_lost_is_told_once_until_it_is_there(
    bill: int, pipeline: Pipeline, database: OdooDatabase, odoo: Odoo, development_odoo: Installation
) -> None:
    [stored] = odoo.find("ir.attachment", [["res_model", "=", BILL], ["res_id", "=", bill]], ["store_fname"])
    file = development_odoo.places.filestore(database.database) / stored["store_fname"]
    content = file.read_bytes()
    file.unlink()
    try:
        for _ in range(2):
            job = work(pipeline, bill).job
            assert (job.state, job.reason) == (JobState.FAILED, "damaged")
            assert len(activities(odoo, bill)) == 1
            pipeline.ledger.retry("person", job_ids=[job.id])
    finally:
        file.write_bytes(content)
    assert work(pipeline, bill).job.state == JobState.FILLED
    assert activities(odoo, bill) == []


def test_a_worker_whose_thread_breaks_gives_its_document_back(
    bill: int, pipeline: Pipeline, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Job) -> JobState:
        raise OSError("the ledger's disk went away")

    monkeypatch.setattr(pipeline, "work", broken)
    worker = Worker(ledger, {"main": pipeline}, 1)
    with pytest.raises(OSError, match="disk"):
        worker.run_until_idle(lambda _job, _state: None)
    assert worker.recover() == 0
    later = ledger._clock() + timedelta(minutes=2)
    monkeypatch.setattr(ledger, "_clock", lambda: later)
    worker.heartbeat()
    assert ledger.counts()[JobState.RUNNING] == 0


def test_a_second_document_on_a_filled_bill_changes_nothing(
    bill: int, pipeline: Pipeline, odoo: Odoo
) -> None:
    assert work(pipeline, bill).job.state == JobState.FILLED
    before = odoo.find(BILL, [["id", "=", bill]], ["partner_id", "ref", "amount_total", "invoice_line_ids"])
    same, other = SAMPLES["look_alike"], SAMPLES["english"]
    odoo.attach(BILL, bill, MailedFile("again.pdf", same.mimetype, same.data))
    odoo.attach(BILL, bill, MailedFile(other.filename, other.mimetype, other.data))
    assert pipeline.discover() == 2
    states = {story.job.attachment.name: story.job for story in (work(pipeline, bill), work(pipeline, bill))}
    assert states["again.pdf"].state == JobState.SKIPPED, states["again.pdf"].message
    assert states[other.filename].state == JobState.IN_REVIEW
    after = odoo.find(BILL, [["id", "=", bill]], ["partner_id", "ref", "amount_total", "invoice_line_ids"])
    assert after == before


def test_a_file_replaced_after_it_was_seen_is_read_as_it_is_now(
    bill: int, pipeline: Pipeline, odoo: Odoo
) -> None:
    [stored] = odoo.find("ir.attachment", [["res_model", "=", BILL], ["res_id", "=", bill]], ["id"])
    new = SAMPLES["english"]
    odoo.call("ir.attachment", "write", [stored["id"]], {"datas": base64.b64encode(new.data).decode()})
    first = work(pipeline, bill).job
    assert (first.state, first.reason) == (JobState.SKIPPED, "gone")
    assert pipeline.discover() == 1
    assert work(pipeline, bill).job.state == JobState.FILLED
    [after] = odoo.find(BILL, [["id", "=", bill]], ["ref"])
    assert after["ref"] == new.truth["fields"]["invoice_number"]


def test_a_document_that_was_moved_to_another_bill_fills_that_one(
    bill: int, pipeline: Pipeline, odoo: Odoo
) -> None:
    other = odoo.draft_bill()
    [stored] = odoo.find("ir.attachment", [["res_model", "=", BILL], ["res_id", "=", bill]], ["id"])
    odoo.call("ir.attachment", "write", [stored["id"]], {"res_id": other})
    first = work(pipeline, bill).job
    assert (first.state, first.reason) == (JobState.SKIPPED, "gone")
    assert pipeline.discover() == 1
    assert work(pipeline, other).job.state == JobState.FILLED
    assert (notes(odoo, bill), notes(odoo, other)) == (0, 1)
    odoo.call(BILL, "unlink", [other])
