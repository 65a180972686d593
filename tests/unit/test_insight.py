"""Insight: figures counted right, nothing shown of too few documents, hostile names harmless in HTML, SVG and CSV."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import update
from sqlalchemy.orm import Session

from connector.erp.port import BILL, Attachment, Poll, SyncCursor
from connector.insight import ENOUGH, ENOUGH_TIMES, Table, measure
from connector.judgement import Owner
from connector.ledger.insight import Insights, Scope
from connector.ledger.learning import KeptProposal, Learning
from connector.ledger.migrate import open_ledger
from connector.ledger.records import EffectRecord, Review, ReviewSummary
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.review.app import create_app
from connector.review.insight import FORMULA, csv_of
from mappings.lessons import Compared
from mappings.policy import Decision, Outcome
from tests.review_ledger import HOSTILE, NOW, Clock, Desk, fill

ADDRESS = "http://127.0.0.1:8170"
SPREADSHEET = '=HYPERLINK("http://example.com")'


@dataclass
class Bench:
    """A ledger that is filled bill by bill."""

    ledger: Ledger
    clock: Clock
    number: int = 0

    def bill(
        self,
        *,
        filled: bool = True,
        vendor: str = "Acme",
        seconds: int | None = None,
        topics: tuple[str, ...] = ("totals",),
        company: int = 1,
        verdict: tuple[str, ...] | None = None,
        score: float = 0.95,
        vendor_id: int = 7,
    ) -> int:
        """One document, filled or in review; with `verdict` posted, with these values changed."""
        self.number += 1
        name = f"{self.number}.pdf"
        found = Attachment("main", self.number, f"{self.number:040x}", name, "application/pdf", 9, BILL, self.number, self.clock())  # fmt: skip
        self.ledger.remember("main", Poll((found,), SyncCursor(self.clock(), self.number)))
        job = self.ledger.claim("worker", ["main"])
        assert job
        reading = self.ledger.keep_reading(job, "layout", "1", {})
        decision = Decision(Outcome.FILL if filled else Outcome.REVIEW, (), score=score)
        self.ledger.keep_proposal(job, reading, {}, decision, company)
        leads = JobState.FILLED if filled else JobState.IN_REVIEW
        effect = EffectRecord(
            key=f"k{self.number}", model=BILL, record_id=self.number, leads_to=leads, body={}
        )
        self.ledger.intend(job, effect)
        summary = None if filled else ReviewSummary(name, vendor, "10.00", "EUR", company, "Us", topics)
        self.ledger.settle(job, effect, summary, ["Look."])
        if seconds is not None:
            with Session(self.ledger.engine) as session, session.begin():
                settled = {"seconds": seconds, "settled_at": self.clock(), "verdict": "approve"}
                session.execute(update(Review).where(Review.job_id == job.id).values(**settled))
        if verdict is not None:
            kept = KeptProposal({}, {}, "fill" if filled else "review", score, False)
            compared = Compared(vendor_id, vendor, verdict, (), (), ("ref", "partner_id"))
            assert Learning(self.ledger.engine, self.clock).learn("main", job.id, kept, compared)
        return job.id


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    """An empty database; `tests/integration/test_ledger_postgres.py` gives another."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def bench(ledger_url: str) -> Iterator[Bench]:
    """An empty ledger."""
    clock = Clock([NOW])
    ledger = open_ledger(ledger_url)
    ledger._clock = clock
    yield Bench(ledger, clock)
    ledger.close()


def test_every_figure_is_counted_in_the_ledger(bench: Bench) -> None:
    for week in range(3):
        for nth in range(12):
            bench.bill(verdict=("ref",) if nth == 0 else ())
        for nth in range(8):
            bench.bill(
                filled=False, seconds=10 + nth, topics=("totals", "duplicate") if nth < 2 else ("totals",)
            )
        if week < 2:
            bench.clock.move(days=7)
    bench.bill(filled=False, vendor="Slow", seconds=600)
    found = measure(Insights(bench.ledger.engine), Scope("main"), Owner(), None, bench.clock())
    assert found.straight == (36, 61)
    assert [row[1:3] for row in found.tables["straight_through"].rows] == [(20, 12), (20, 12), (21, 12)]
    assert found.wrong == (3, 36)
    assert found.wrong_bound == pytest.approx(0.2017, abs=1e-3)
    fields = {row[0]: row[1:3] for row in found.tables["fields"].rows}
    assert fields == {"ref": (36, 33), "partner_id": (36, 36)}
    assert (found.median_seconds, found.p90_seconds) == (14, 17)
    assert found.tables["topics"].rows == (("totals", 25, 1.0), ("duplicate", 6, 0.24))
    assert [row[:3] for row in found.tables["vendors"].rows] == [("Slow", 1, 1), ("Acme", 24, 24)]
    assert found.saved.by_review == round(36 * 14 / 3600, 2)
    assert found.saved.by_hand is None
    [tally] = found.tables["shadow"].rows
    assert tally == ("Acme", 7, 36, 36, 3, 0, 0)


def test_hours_by_hand_come_from_the_owners_minutes_less_what_reviews_took(bench: Bench) -> None:
    for _ in range(10):
        bench.bill()
        bench.bill(filled=False, seconds=36)
    found = measure(Insights(bench.ledger.engine), Scope("main"), Owner(), 3.0, bench.clock())
    assert found.saved.by_hand == pytest.approx(20 * 3 / 60 - 10 * 36 / 3600)


def test_a_period_and_a_company_leave_the_others_out(bench: Bench) -> None:
    bench.bill(company=1, verdict=())
    bench.bill(company=2, filled=False, vendor="Other", seconds=5)
    bench.clock.move(days=40)
    bench.bill(company=1)
    ledger = Insights(bench.ledger.engine)
    since = bench.clock() - timedelta(days=30)
    assert measure(ledger, Scope("main", since), Owner(), None, bench.clock()).straight == (1, 1)
    one = measure(ledger, Scope("main", None, frozenset({1})), Owner(), None, bench.clock())
    assert one.straight == (2, 2)
    assert one.tables["vendors"].rows == ()
    assert measure(ledger, Scope("other"), Owner(), None, bench.clock()).straight == (0, 0)


def test_shadow_follows_the_setting_and_the_switch(bench: Bench) -> None:
    for vendor_id, verdicts in ((1, [(), ()]), (2, [("ref",), (), ()]), (3, [(), (), ("ref",)]), (4, [()])):
        for verdict in verdicts:
            bench.bill(vendor=f"V{vendor_id}", vendor_id=vendor_id, verdict=verdict)
            bench.clock.move(minutes=1)
    learning = Learning(bench.ledger.engine, bench.clock)
    learning.switch_shadow("main", 9, "V9", True, "me")
    tallies = {one.vendor_id: one for one in Insights(bench.ledger.engine).tallies(Scope("main"), 2)}
    # What the page shows is what the judge goes by.
    for number, shadow in learning.shadows("main", 2):
        found = tallies[number]
        assert (found.is_on, found.would_fill, found.wrong) == (shadow.is_on, shadow.would_fill, shadow.wrong)
    assert {number: one.is_on for number, one in tallies.items()} == {
        1: False,
        2: False,
        3: True,
        4: True,
        9: True,
    }


# -- the page -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return fill(tmp_path)


def client_of(desk: Desk, **changed: Any) -> TestClient:
    client = TestClient(create_app(replace(desk.deps, **changed)), base_url=ADDRESS)
    client.headers.update({"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"})
    return client


def many(desk: Desk, vendor: str = "Acme") -> None:
    bench = Bench(desk.ledger, desk.clock, number=100)
    bench.clock.at[0] = NOW - timedelta(days=20)
    for nth in range(ENOUGH + 5):
        bench.bill(vendor=vendor, verdict=("ref",) if nth == 3 else ())
        bench.bill(filled=False, vendor=vendor, seconds=20 + nth)
        bench.clock.move(hours=12)
    bench.clock.at[0] = NOW


def test_too_few_documents_are_no_plot(desk: Desk) -> None:
    page = client_of(desk).get("/insight").text
    assert "Not enough yet (n = 0)" in page
    assert "<figure><svg" not in page.replace("\n", "")
    assert "No baseline" in page


def test_plots_have_titles_descriptions_and_their_figures(desk: Desk) -> None:
    many(desk)
    page = etree.HTML(client_of(desk).get("/insight").text)
    drawn = page.xpath("//figure/svg")
    assert len(drawn) == 4
    for plot in drawn:
        assert plot.get("role") == "img"
        assert plot.get("aria-label") == plot.findtext("title")
        assert plot.findtext("desc")
        assert plot.xpath("ancestor::section//details//table//td")
    assert page.xpath("//style|//@style") == []


def test_the_json_says_what_the_page_says(desk: Desk) -> None:
    many(desk)
    client = client_of(desk, minutes_by_hand=3.0)
    found = client.get("/api/v1/insight?days=0").json()
    assert found["straight_through"]["n"] == 2 * (ENOUGH + 5) + 13
    assert found["review_seconds"]["n"] == ENOUGH + 5 > ENOUGH_TIMES
    assert found["hours_saved"]["against_entry_by_hand"] > 0
    assert set(found["tables"]) == {"straight_through", "fields", "reliability", "budget", "review_time", "topics", "vendors", "shadow"}  # fmt: skip
    for name, table in found["tables"].items():
        rows = list(csv.DictReader(io.StringIO(client.get(f"/api/v1/insight/{name}.csv?days=0").text)))
        assert len(rows) == len(table["rows"])
    assert client.get("/api/v1/insight/nothing.csv").status_code == 404
    assert client.get("/api/v1/insight?backend=other").status_code == 404


@pytest.mark.parametrize("vendor", [HOSTILE, SPREADSHEET])
def test_hostile_vendors_are_text_everywhere(desk: Desk, vendor: str) -> None:
    many(desk, vendor)
    client = client_of(desk)
    page = client.get("/insight").text
    assert "<script>alert" not in page
    assert "49" not in re.findall(r"&amp;\{\{(.*?)\}\}", page)
    table = client.get("/api/v1/insight/vendors.csv").text
    assert f"\n{vendor}" not in table
    assert any(row[0].lstrip("'") == vendor for row in csv.reader(io.StringIO(table)))


@given(st.text(max_size=30))
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    [_, row] = csv.reader(io.StringIO(csv_of(Table("x", ("a", "b"), ((text, -1.5),), 1)), newline=""))
    assert not row[0].startswith(FORMULA)
    assert row[0].removeprefix("'") == text.removeprefix("'")
    assert float(row[1]) == -1.5


def test_the_switch_of_shadow_mode_needs_the_token_and_shows_at_once(desk: Desk) -> None:
    many(desk)
    client = client_of(desk)
    page = client.get("/insight").text
    asked = {"backend": "main", "vendor_id": 7, "on": True}
    assert client.post("/api/v1/shadow", json=asked).status_code == 403
    token = re.findall(r'name="vouch-token" content="(\w+)"', page)[0]
    assert 'aria-checked="false"' in page
    answer = client.post("/api/v1/shadow", json=asked, headers={"X-Vouch-Token": token})
    assert answer.json() == {"vendor": "Acme", "vendor_id": 7, "shadow": True}
    assert 'aria-checked="true"' in client.get("/insight").text
    stranger = client.post("/api/v1/shadow", json=asked | {"vendor_id": 8}, headers={"X-Vouch-Token": token})
    assert stranger.status_code == 404


def test_figures_are_kept_for_a_minute(desk: Desk) -> None:
    client = client_of(desk)
    first = client.get("/api/v1/insight").json()["straight_through"]["n"]
    Bench(desk.ledger, desk.clock, number=200).bill()
    assert client.get("/api/v1/insight").json()["straight_through"]["n"] == first
    desk.clock.move(seconds=61)
    assert client.get("/api/v1/insight").json()["straight_through"]["n"] == first + 1


def test_the_page_shows_what_it_has_with_its_time_while_it_is_counted_anew(desk: Desk) -> None:
    def shown() -> tuple[str, bool, bool]:
        text = client.get("/insight").text
        found = re.search(r"(\d+) of (\d+) documents", text)
        assert found
        return found[2], "being counted anew" in text, "9:31" in text

    client = client_of(desk)
    first, renewing, _ = shown()
    assert not renewing
    made = Bench(desk.ledger, desk.clock, number=200)
    made.bill()
    desk.clock.move(seconds=61)
    assert shown() == (first, True, False)
    deadline = time.monotonic() + 60
    while (now := shown())[1] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert now == (str(int(first) + 1), False, True)
    # What is older than an hour is not shown any more.
    made.bill()
    desk.clock.move(hours=2)
    assert shown()[:2] == (str(int(first) + 2), False)
