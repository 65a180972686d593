"""The history of a document: everything that happened, in order, on the page and as JSON."""

from __future__ import annotations

import html
import re
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from connector.ledger.learning import Learning
from connector.ledger.records import CorrectionRecord
from connector.review.app import create_app
from mappings.lessons import Compared
from mappings.memory import Kind, Lesson, Subject
from tests.review_ledger import HOSTILE, NOW, Desk, fill


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = fill(tmp_path)
    job_id = desk.ids["filled"]
    with Session(desk.ledger.engine) as session, session.begin():
        session.add(
            CorrectionRecord(
                job_id=job_id, target="ref", term="invoice_number", before="RE-1", after=HOSTILE, page=1,
                box=[0.1, 0.1, 0.2, 0.2], actor="Ana Ruiz", at=NOW,
            )
        )  # fmt: skip
    learning = Learning(desk.ledger.engine, desk.clock)
    kept = learning.kept(job_id)
    assert kept
    about = Subject(Kind.ACCOUNT, "description", "seal", 7, 1)
    lesson = Lesson(about, "Shaft seal", (600,), "6000 Material", str(job_id), NOW.date(), "Acme")
    assert learning.learn("main", job_id, kept, Compared(7, "Acme", ("ref",), (), (lesson,)))
    return desk


def test_the_story_is_whole_and_in_order(desk: Desk) -> None:
    client = TestClient(create_app(desk.deps), base_url="http://127.0.0.1:8170")
    answer = client.get(f"/api/v1/documents/{desk.ids['filled']}/history")
    found = answer.json()
    assert found["document"]["name"] == "ACME-2044.pdf"
    assert found["document"]["state"] == "filled"
    kinds = [event["kind"] for event in found["events"]]
    wanted = ["seen", "reading", "proposal", "effect", "effect_settled", "correction", "posted", "lesson"]
    assert [kind for kind in kinds if kind in wanted] == wanted
    times = [datetime.fromisoformat(event["at"]) for event in found["events"]]
    assert times == sorted(times)
    [reading] = [event for event in found["events"] if event["kind"] == "reading"]
    assert (reading["reader"], reading["version"]) == ("layout", "1")
    assert reading["body"]["fields"]["invoice_number"]["value"] == "ACME-2044"
    [correction] = [event for event in found["events"] if event["kind"] == "correction"]
    assert (correction["actor"], correction["before"], correction["page"]) == ("Ana Ruiz", "RE-1", 1)
    assert "attachment" in answer.headers["content-disposition"]


def test_the_page_tells_what_belongs_together_once(desk: Desk) -> None:
    client = TestClient(create_app(desk.deps), base_url="http://127.0.0.1:8170")
    page = client.get(f"/documents/{desk.ids['filled']}/history", headers={"Accept-Language": "en"}).text
    told = [
        re.sub(r"<[^>]*>", "", title).split(":")[0].strip() for title in re.findall(r"<h3>(.*?)</h3>", page)
    ]
    assert [title.removesuffix(" Ana Ruiz") for title in told] == [
        "Seen in Odoo",
        "Read",
        "Decided",
        "Written in Odoo",
        "1 value corrected",
        "Posted in Odoo",
        "Learned",
    ]
    rows = {
        cells[0]: cells[1:]
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
        if (
            cells := [
                html.unescape(re.sub(r"<[^>]*>", "", one))
                for one in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row)
            ]
        )
    }
    assert rows["Invoice number"][0] == "ACME-2044"
    assert rows["Bill reference"][0] == "RE-1"
    assert "page 1" in rows["Bill reference"]
    assert len(re.findall(r'<li class="reached">', page)) == 5


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_document_has_a_page_of_its_history(desk: Desk, language: str) -> None:
    client = TestClient(create_app(desk.deps), base_url="http://127.0.0.1:8170")
    for job_id in desk.ids.values():
        page = client.get(f"/documents/{job_id}/history", headers={"Accept-Language": language})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    assert client.get("/documents/9999/history").status_code == 404
    assert client.get("/api/v1/documents/9999/history").json()["error"] == "no_such_page"
