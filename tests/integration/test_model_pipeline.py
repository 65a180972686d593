"""A document's passage while the model server is away and after it is back: it waits, or the ledger says what was done."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector.bootstrap import make_read
from connector.erp.port import Attachment, Effect
from connector.errors import AwayError
from connector.judgement import Owner
from connector.ledger.documents import DocumentStore
from connector.ledger.jobs import MOST_DEFECTS
from connector.ledger.judged import JudgedValues
from connector.ledger.migrate import open_ledger
from connector.ledger.records import JudgedRecord
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.model import Desk, opened_desk
from connector.pipeline import Pipeline
from mappings.erp_data import ErpData, Record
from mappings.field_map import FieldMap, default_map
from tests.integration.recorded_model import RecordedModel, Refused, true_answer
from tests.integration.test_model_desk import settings
from tests.samples.generate import TODAY, samples
from tests.unit.mappings_builder import demo_data, draft_bill
from tests.unit.test_ledger import attachment, poll

SAMPLE = next(sample for sample in samples() if sample.name == "look_alike")


class OneDraft:
    """An ERP with one draft bill, which takes what is written and remembers it."""

    backend = "main"

    def __init__(self) -> None:
        self.written: list[Effect] = []
        self.posted: Record | None = None

    def erp_data(self) -> ErpData:
        return demo_data()

    def field_map(self) -> FieldMap:
        return default_map()

    def download(self, found: Attachment) -> bytes:  # noqa: ARG002
        return SAMPLE.data

    def record(self, model: str, number: int) -> Record:  # noqa: ARG002
        return self.posted or draft_bill(id=number)

    def noted(self, model: str, number: int, sealed: object) -> frozenset[str]:  # noqa: ARG002
        return frozenset()

    def states(self, model: str, numbers: list[int]) -> dict[int, str]:  # noqa: ARG002
        return dict.fromkeys(numbers, "posted" if self.posted else "draft")

    def apply(self, effect: Effect) -> Record:
        self.written.append(effect)
        return draft_bill(id=effect.record_id)


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    checksum = hashlib.sha1(SAMPLE.data, usedforsecurity=False).hexdigest()
    opened.remember("main", poll(replace(attachment(1), checksum=checksum)))
    yield opened
    opened.close()


def pipeline_for(erp: OneDraft, ledger: Ledger, desk: Desk, folder: Path) -> Pipeline:
    documents, read = DocumentStore(folder / "documents"), make_read(desk)
    return Pipeline(
        cast(Any, erp), ledger, documents, read, desk.look_again, Owner(), str, today=lambda: TODAY
    )


def worked(ledger: Ledger, desk: Desk, folder: Path) -> tuple[JobState, OneDraft]:
    erp = OneDraft()
    ledger.retry("test", states=())
    job = ledger.claim("test", ["main"])
    assert job
    return pipeline_for(erp, ledger, desk, folder).work(job), erp


def test_a_document_waits_for_the_server_and_is_read_when_it_is_back(tmp_path: Path, ledger: Ledger) -> None:
    answer = lambda asked: true_answer(SAMPLE.truth, asked.keys)  # noqa: E731
    with RecordedModel(answer, away=True).serving() as model:
        with opened_desk(settings(tmp_path, model.url)) as desk:
            with pytest.raises(AwayError, match="cannot be reached"):
                worked(ledger, desk, tmp_path)
            (job,) = ledger.jobs()
            assert job.state == JobState.QUEUED
            story = ledger.story(job.id)
            assert story
            assert story.readings == ()
        model.away = False
        with opened_desk(settings(tmp_path, model.url)) as desk:
            state, erp = worked(ledger, desk, tmp_path)
    story = ledger.story(job.id)
    assert story
    assert story.readings[-1].reader == "vlm"
    assert story.readings[-1].body["usage"]["calls"] == 1
    assert len(erp.written) >= 1
    assert state in (JobState.FILLED, JobState.IN_REVIEW)
    values = erp.written[0].values
    assert values["ref"] == SAMPLE.truth["fields"]["invoice_number"]


def test_a_document_that_the_server_fails_in_again_and_again_goes_to_a_person(
    tmp_path: Path, ledger: Ledger
) -> None:
    """It waits first, since the server may be ill; but not for ever, since the document may be what makes it so."""

    def fail(_asked: object) -> str:
        raise Refused(500, "Internal server error")

    with RecordedModel(fail).serving() as model, opened_desk(settings(tmp_path, model.url)) as desk:
        for _ in range(MOST_DEFECTS):
            assert worked(ledger, desk, tmp_path)[0] is JobState.QUEUED
        state, erp = worked(ledger, desk, tmp_path)
    (job,) = ledger.jobs()
    assert (state, job.reason, job.crashes) == (JobState.FAILED, "model", 0)
    assert "failed (500)" in job.message
    [asked] = erp.written
    assert asked.activity
    assert not asked.values


def test_a_document_read_without_the_model_says_so_in_the_ledger(tmp_path: Path, ledger: Ledger) -> None:
    with (
        RecordedModel(lambda _: "", away=True).serving() as model,
        opened_desk(settings(tmp_path, model.url, fallback="layout")) as desk,
    ):
        worked(ledger, desk, tmp_path)
    story = ledger.story(ledger.jobs()[0].id)
    assert story
    assert story.readings[-1].reader == "layout"
    told = {check["id"]: check["message"] for check in story.readings[-1].body["checks"]}
    assert "cannot be reached" in told["model"]


def test_a_posted_bill_judges_what_the_model_read(tmp_path: Path, ledger: Ledger) -> None:
    """In review, since the model passed over the currency. As posted: the number written another way, another date,
    the totals as printed."""
    truth = SAMPLE.truth["fields"]
    with (
        RecordedModel(lambda asked: true_answer(SAMPLE.truth, asked.keys, currency="")).serving() as model,
        opened_desk(settings(tmp_path, model.url)) as desk,
    ):
        state, erp = worked(ledger, desk, tmp_path)
        assert state == JobState.IN_REVIEW
        amounts = [Decimal(truth[name]) for name in ("total_without_vat", "total_vat", "total_with_vat")]
        erp.posted = draft_bill(
            id=1, state="posted",
            values={"ref": f" {truth['invoice_number'].lower()}", "invoice_date": date(2020, 1, 31), "currency_id": 1, "partner_id": demo_data().partners[0].id},
            amount_untaxed=amounts[0], amount_tax=amounts[1], amount_total=amounts[2],
        )  # fmt: skip
        pipeline = pipeline_for(erp, ledger, desk, tmp_path)
        assert pipeline.learn() == 1
        # Once is enough.
        assert pipeline.learn() == 0
    judged = JudgedValues(ledger.engine)
    with Session(ledger.engine) as session:
        found = {one.term: one.right for one in session.scalars(select(JudgedRecord))}
    assert all(found[name] for name in ("invoice_number", "total_with_vat", "total_vat"))
    assert not found["issue_date"]
    assert judged.count("glm-4v-9b") == len(found) >= 5
