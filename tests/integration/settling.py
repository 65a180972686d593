"""A desk over a real Odoo for tests: a bill that was read and waits for a person, and a client to settle it with."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector.erp.odoo import OdooErp
from connector.erp.port import BILL, ORDER, Effect
from connector.erp.wire import Connection
from connector.judgement import Owner
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.records import CorrectionRecord, Job
from connector.ledger.store import Ledger
from connector.pipeline import Pipeline, Read
from connector.review.app import create_app
from connector.review.deps import ReviewDeps
from inference.document import Limits, open_document
from inference.invoice import Reading
from inference.readers import Recipient
from inference.reading import make_readers, read_document
from inference.shown import looked_at
from mappings.erp_data import Record
from tests.integration.odoo_server import MailedFile, Odoo, OdooDatabase
from tests.review_ledger import SANDBOX
from tests.samples.generate import samples

SAMPLES = {sample.name: sample for sample in samples()}
READERS = make_readers("auto")
BASE = "http://127.0.0.1:8170"


class EventfulErp(OdooErp):
    """An Odoo in which something happens right before or after a write."""

    def __init__(self, settings: Connection) -> None:
        super().__init__(settings)
        self.before: list[Callable[[Effect], None]] = []
        self.after: list[Callable[[Effect], None]] = []

    def apply(self, effect: Effect) -> Record:
        if self.before:
            self.before.pop(0)(effect)
        record = super().apply(effect)
        if self.after:
            self.after.pop(0)(effect)
        return record


def read(data: bytes, name: str, recipient: Recipient) -> Reading:
    return read_document(open_document(data, name, Limits()), recipient, READERS)


def look_again(data: bytes, name: str, reading: Reading) -> Reading:
    return looked_at(reading, open_document(data, name, Limits()))


def answered(bill: Mapping[str, Any]) -> dict[str, list[str]]:
    """The part of a verdict that says: everything asked of the whole document was looked at."""
    return {"acknowledged": [question["id"] for question in bill["questions"]]}


@dataclass
class Settler:
    """A person with a browser: every answer as JSON, the token in every change."""

    client: TestClient
    token: str = field(default="", init=False)

    def __post_init__(self) -> None:
        page = self.client.get("/reviews").text
        found = re.search(r'name="vouch-token" content="([^"]+)"', page)
        assert found, page
        self.token = found[1]

    def get(self, path: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> httpx.Response:
        headers = {"X-Vouch-Token": self.token, "Origin": BASE, "Sec-Fetch-Site": "same-origin"}
        return self.client.request(method, f"/api/v1{path}", json=dict(body), headers=headers)

    def draft(self, job_id: int, *edits: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.send("PUT", f"/reviews/{job_id}/draft", {"edits": list(edits)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def decide(self, bill: Mapping[str, Any], verdict: str, **more: Any) -> httpx.Response:
        body = (
            {"verdict": verdict, "version": bill["version"], "key": uuid.uuid4().hex} | answered(bill) | more
        )
        return self.send("POST", f"/reviews/{bill['id']}/verdict", body)


@dataclass
class Desk:
    """A pipeline on a database of a real Odoo, which holds sure bills back, and its web server."""

    erp: EventfulErp
    ledger: Ledger
    pipeline: Pipeline
    odoo: Odoo
    deps: ReviewDeps

    def close(self) -> None:
        """Let go of Odoo and the ledger."""
        self.pipeline.data.close()
        self.erp.close()
        self.ledger.close()

    def settler(self) -> Settler:
        return Settler(TestClient(create_app(self.fresh_deps()), base_url=BASE))

    def fresh_deps(self) -> ReviewDeps:
        """For another app: each registers its figures once."""
        return replace(self.deps, registry=CollectorRegistry())

    def bill(self, sample: str = "look_alike", **values: Any) -> int:
        """A draft bill with a sample's document, made before it is polled."""
        found = SAMPLES[sample]
        return self.odoo.draft_bill(MailedFile(found.filename, found.mimetype, found.data), **values)

    def work_all(self) -> dict[int, Job]:
        """Poll, and work on all that is there; by record."""
        self.pipeline.discover()
        done: dict[int, Job] = {}
        while job := self.ledger.claim("test", ["main"]):
            self.pipeline.work(job)
            done[job.record_id] = job
        return done

    def order(self, sample: str, **values: Any) -> int:
        """A draft purchase order of the sample's vendor with its document."""
        found = SAMPLES[sample]
        [vendor] = self.odoo.find("res.partner", [["name", "=", found.truth["vendor"]]], ["id"])[:1]
        file = MailedFile(found.filename, found.mimetype, found.data)
        return self.odoo.draft_order(vendor["id"], file, **values)

    def work(self, record_id: int, model: str = BILL) -> Job:
        """Poll, and work on that record's document."""
        self.pipeline.discover()
        self.ledger.retry("test", states=())
        while job := self.ledger.claim("test", ["main"]):
            if (job.model, job.record_id) == (model, record_id):
                self.pipeline.work(job)
                story = self.ledger.story(job.id)
                assert story is not None
                return story.job
            self.ledger.finish(job, "skipped", "test", "not of this test")  # pyright: ignore[reportArgumentType]
        raise AssertionError(f"nothing to do on {record_id}")

    def in_review(self, sample: str = "look_alike", **values: Any) -> Job:
        """A document that waits for a person."""
        job = self.work(self.bill(sample, **values))
        assert job.state == "in_review", job.message
        return job

    def order_in_review(self, sample: str, **values: Any) -> Job:
        """A document of a purchase order that waits for a person."""
        job = self.work(self.order(sample, **values), ORDER)
        assert job.state == "in_review", job.message
        return job

    def record(self, job: Job, *fields: str) -> dict[str, Any]:
        [row] = self.odoo.find(job.model, [["id", "=", job.record_id]], list(fields))
        return row

    def notes(self, job: Job) -> list[str]:
        """Vouch's notes on the record, oldest first."""
        domain = [["model", "=", job.model], ["res_id", "=", job.record_id], ["body", "ilike", "Vouch"]]
        rows = self.odoo.find("mail.message", domain, ["body"])
        return [row["body"] for row in sorted(rows, key=lambda row: row["id"])]

    def corrections(self, job: Job) -> dict[str, tuple[Any, Any]]:
        """What a person changed: before and after by target."""
        with Session(self.ledger.engine) as session:
            rows = session.scalars(select(CorrectionRecord).where(CorrectionRecord.job_id == job.id))
            return {row.target: (row.before, row.after) for row in rows}

    def to_do(self, job: Job) -> list[dict[str, Any]]:
        """The open activities of the record."""
        domain = [["res_model", "=", job.model], ["res_id", "=", job.record_id]]
        return self.odoo.find("mail.activity", domain, ["summary", "note", "user_id"])


def make_desk(
    database: OdooDatabase,
    folder: Path,
    *,
    posting: bool = False,
    shadow: int = 99,
    reads: Read = read,
    kind: type[EventfulErp] = EventfulErp,
) -> Desk:
    """A desk over that database with a ledger in `folder`, whose documents are read by `reads`."""
    erp = kind(
        Connection("main", database.url, database.database, SecretStr(database.password), database.login)
    )
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    documents = DocumentStore(folder / "documents")
    pipeline = Pipeline(
        erp,
        ledger,
        documents,
        reads,
        look_again,
        Owner(shadow_bills=shadow),
        lambda job: f"{BASE}/documents/{job}",
        longest_request=timedelta(0),
    )
    deps = ReviewDeps(
        ledger=ledger,
        documents=documents,
        record_url=lambda _backend, model, number: erp.record_url(model, number),
        backends={"main": timedelta(minutes=5)},
        sandbox=SANDBOX,
        pipelines={"main": pipeline},
        erp=lambda backend: erp if backend == "main" else None,
        posting=posting,
    )
    return Desk(erp, ledger, pipeline, Odoo(database), deps)


def second_company(database: OdooDatabase, *others: str) -> int:
    """A company with a chart of accounts, in which Vouch works too, and `others` by their logins."""
    odoo = Odoo(database)
    # A country whose own chart is not installed would make Odoo install it.
    [country] = odoo.find("res.country", [["code", "=", "US"]], ["currency_id"])
    of_country = {"country_id": country["id"], "currency_id": country["currency_id"][0]}
    number = odoo.call("res.company", "create", {"name": "Second Inc", **of_country})
    odoo.call("res.users", "write", [odoo.uid], {"company_ids": [(4, number)]})
    there = {"allowed_company_ids": [number]}
    odoo.call("account.chart.template", "try_loading", "generic_coa", number, False, context=there)
    users = odoo.find("res.users", [["login", "in", [database.login, *others]]], ["id"])
    assert len(users) == 1 + len(others)
    odoo.call("res.users", "write", [user["id"] for user in users], {"company_ids": [(4, number)]})
    return number


__all__ = [
    "BASE",
    "BILL",
    "SAMPLES",
    "Desk",
    "EventfulErp",
    "Settler",
    "answered",
    "make_desk",
    "second_company",
]
