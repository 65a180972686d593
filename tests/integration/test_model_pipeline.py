"""A document's passage while the model server is away and after it is back: it waits, or the ledger says what was done."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from connector.bootstrap import make_read
from connector.erp.port import Attachment, Effect
from connector.errors import AwayError
from connector.judgement import Owner
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.model import Desk, opened_desk
from connector.pipeline import Pipeline
from mappings.erp_data import ErpData, Record
from tests.integration.recorded_model import RecordedModel, true_answer
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

    def erp_data(self) -> ErpData:
        return demo_data()

    def download(self, found: Attachment) -> bytes:  # noqa: ARG002
        return SAMPLE.data

    def record(self, model: str, number: int) -> Record:  # noqa: ARG002
        return draft_bill(id=number)

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


def worked(ledger: Ledger, desk: Desk, folder: Path) -> tuple[JobState, OneDraft]:
    erp = OneDraft()
    pipeline = Pipeline(
        cast(Any, erp),
        ledger,
        DocumentStore(folder / "documents"),
        make_read(desk),
        Owner(),
        str,
        today=lambda: TODAY,
    )
    ledger.retry("test", states=())
    job = ledger.claim("test", ["main"])
    assert job
    return pipeline.work(job), erp


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
