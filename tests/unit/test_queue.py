"""The queue: every open Review is found once, counted right and claimed by one person, whatever happens at once."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, event, insert, select, update
from sqlalchemy.orm import Session

from connector.erp.port import BILL
from connector.ledger.migrate import open_ledger
from connector.ledger.queue import AGES, AMOUNTS, LEASE, NONE, Group, Queue, Sight, Sought
from connector.ledger.records import Job, Review, SeenAttachment
from connector.ledger.store import Ledger
from connector.review.app import create_app
from connector.review.counts import Counts
from tests.review_ledger import NOW, Clock, Desk, fill

ADDRESS = "http://127.0.0.1:8170"
EVERYTHING = Sight(("main", "other"))


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    """An empty database; `tests/integration/test_ledger_postgres.py` gives another."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def waiting(ledger_url: str) -> Iterator[Ledger]:
    """A ledger without documents."""
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


Waiting = tuple[int, str, str, int | None, float | None, str]
"""Hours waited, topic, vendor, company, amount, assignee."""

REVIEWS = st.lists(
    st.tuples(
        st.integers(0, 2000),
        st.sampled_from(["", "totals", "duplicate"]),
        st.sampled_from(["", "Acme", "Öl & Co", "100%_sure"]),
        st.sampled_from([None, 1, 2]),
        st.one_of(st.none(), st.sampled_from([-120.5, 0.0, 99.99, 100.0, 9999.0, 10000.0])),
        st.sampled_from(["", "ana"]),
    ),
    max_size=30,
)


def put(ledger: Ledger, reviews: list[Waiting]) -> None:
    """Replace what waits; every third document belongs to the other Backend, every fifth Review is settled."""
    with Session(ledger.engine) as session, session.begin():
        for record in (Review, Job, SeenAttachment):
            session.execute(delete(record))
        for number, (hours, topic, vendor, company, worth, assignee) in enumerate(reviews, 1):
            at, backend = NOW - timedelta(hours=hours), "other" if number % 3 == 0 else "main"
            seen = {
                "id": number,
                "backend": backend,
                "erp_id": number,
                "checksum": f"{number}",
                "name": f"file{number}.pdf",
            }
            seen |= {"mimetype": "", "size": 1, "model": BILL, "record_id": number, "is_main": True, "created_at": at, "seen_at": at}  # fmt: skip
            session.execute(insert(SeenAttachment), seen)
            job = {
                "id": number,
                "attachment_id": number,
                "backend": backend,
                "model": BILL,
                "record_id": number,
                "state": "in_review",
            }
            session.execute(
                insert(Job),
                job | {"not_before": at, "created_at": at, "updated_at": at, "company_id": company},
            )
            review = {
                "id": number,
                "job_id": number,
                "title": f"BILL/{number}",
                "vendor": vendor,
                "reasons": [],
                "opened_at": at,
            }
            review |= {
                "topic": topic,
                "topics": [topic] if topic else [],
                "company_id": company,
                "company": f"C{company}" if company else "",
            }
            review |= {
                "worth": worth,
                "amount": str(worth or ""),
                "assignee": assignee,
                "assignee_name": assignee.title(),
            }
            review |= {"number": f"RE-{number}", "settled_at": NOW if number % 5 == 0 else None}
            session.execute(insert(Review), review)


def all_of(queue: Queue, sight: Sight, sought: Sought, step: int) -> list[int]:
    found: list[int] = []
    after = None
    while page := queue.page(sight, sought, after, step):
        found += [review.job_id for review in page]
        after = (page[-1].opened_at, page[-1].id)
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(REVIEWS, st.integers(1, 7))
def test_pages_and_groups_hold_every_open_review_once(
    waiting: Ledger, reviews: list[Waiting], step: int
) -> None:
    put(waiting, reviews)
    queue = Queue(waiting.engine, Clock([NOW]))
    opened = [number for number in range(1, len(reviews) + 1) if number % 5]
    oldest_first = sorted(opened, key=lambda number: (-reviews[number - 1][0], number))
    assert all_of(queue, EVERYTHING, Sought(), step) == oldest_first
    assert queue.count(EVERYTHING, Sought()) == len(opened)
    for by in Group:
        groups = queue.groups(EVERYTHING, Sought(), by)
        assert sum(one.count for one in groups) == len(opened)
        found = [all_of(queue, EVERYTHING, Sought({by: one.value}), step) for one in groups]
        assert [len(part) for part in found] == [one.count for one in groups]
        assert sorted(number for part in found for number in part) == sorted(opened)
    bands = [one.value for one in queue.groups(EVERYTHING, Sought(), Group.AMOUNT)]
    assert bands == sorted(bands, key=[*AMOUNTS, NONE].index)
    assert {one.value for one in queue.groups(EVERYTHING, Sought(), Group.AGE)} <= set(AGES)
    one_company = Sight(("main",), frozenset({1}))
    mine = [n for n in oldest_first if n % 3 and reviews[n - 1][3] == 1]
    assert all_of(queue, one_company, Sought(), step) == mine


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(REVIEWS)
def test_next_goes_once_around_the_list_one_came_from(waiting: Ledger, reviews: list[Waiting]) -> None:
    put(waiting, reviews)
    queue = Queue(waiting.engine, Clock([NOW]))
    for sought in (Sought(), Sought({Group.TOPIC: "totals"})):
        listed = all_of(queue, EVERYTHING, sought, 9)
        for at, job_id in enumerate(listed):
            after = [*listed[at + 1 :], *listed[:at]]
            assert queue.next(EVERYTHING, sought, job_id) == (after[0] if after else None)
            assert queue.previous(EVERYTHING, sought, job_id) == (listed[at - 1] if at else None)
            assert queue.place(EVERYTHING, sought, job_id) == at


def test_words_are_looked_for_in_vendor_number_file_and_amount(waiting: Ledger) -> None:
    put(
        waiting,
        [(1, "", "Acme", 1, 1234.5, ""), (2, "", "100%_sure", 1, 99.0, ""), (3, "", "Öl & Co", 1, None, "")],
    )
    queue = Queue(waiting.engine, Clock([NOW]))
    for words, found in (("acme", [1]), ("re-2", [2]), ("file3", [3]), ("1.234,50", [1]), ("1,234.50", [1]), ("Öl co", [3]), ("100%", [2]), ("_", [2]), ("%", [2]), ("acme file2", []), ("BILL/2", [2])):  # fmt: skip
        assert all_of(queue, EVERYTHING, Sought(words=words), 9) == found, words


# -- claims -----------------------------------------------------------------------------------------------------------


def test_of_many_who_claim_at_once_one_gets_it(waiting: Ledger) -> None:
    put(waiting, [(1, "", "", 1, None, "")] * 4)
    queue, start = Queue(waiting.engine, Clock([NOW])), threading.Barrier(8)

    def take(number: int) -> set[int]:
        start.wait(20)
        got: set[int] = set()
        for job_id in (1, 2, 3, 4):
            claim = queue.claim(job_id, f"p{number}", f"P{number}")
            assert claim
            if claim.login == f"p{number}":
                got.add(job_id)
        return got

    with ThreadPoolExecutor(8) as people:
        taken = Counter(job for got in people.map(take, range(8)) for job in got)
    assert taken == Counter({1: 1, 2: 1, 3: 1, 4: 1})


class Claims(RuleBasedStateMachine):
    """Three people and a clock against what a claim promises."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock([NOW])
        put(LEDGERS[0], [(1, "", "", 1, None, "")])
        self.queue = Queue(LEDGERS[0].engine, self.clock)
        self.holder, self.until = "", NOW

    def held(self) -> str:
        return self.holder if self.until >= self.clock() else ""

    @rule(who=st.sampled_from(["ana", "tom", "li"]))
    def claim(self, who: str) -> None:
        claim = self.queue.claim(1, who, who.title())
        assert claim
        if self.held() in ("", who):
            self.holder, self.until = who, self.clock() + LEASE
        assert (claim.login, claim.until) == (self.holder, self.until)

    @rule(who=st.sampled_from(["ana", "tom", "li"]))
    def release(self, who: str) -> None:
        if self.holder == who:
            self.holder = ""
        other = self.queue.release(1, who)
        assert (other.login if other else "") == self.held()

    @rule(minutes=st.sampled_from([1, 4, 6]))
    def wait(self, minutes: int) -> None:
        self.clock.move(minutes=minutes)

    @invariant()
    def only_the_holder_is_shown(self) -> None:
        [review] = self.queue.page(EVERYTHING, Sought(), None, 5)
        shown = review.claimed_by if review.claimed_until and review.claimed_until >= self.clock() else ""
        assert shown == self.held()


LEDGERS: list[Ledger] = []


def test_a_claim_is_one_persons_until_it_ends(waiting: Ledger) -> None:
    LEDGERS[:] = [waiting]
    run_state_machine_as_test(
        Claims, settings=settings(max_examples=25, stateful_step_count=15, deadline=None)
    )


# -- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return fill(tmp_path)


@pytest.fixture
def client(desk: Desk) -> TestClient:
    client = TestClient(create_app(desk.deps), base_url=ADDRESS)
    client.headers.update({"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"})
    page = client.get("/reviews").text
    client.headers["X-Vouch-Token"] = re.findall(r'name="vouch-token" content="(\w+)"', page)[0]
    return client


@pytest.mark.parametrize("path", ["/reviews", "/api/v1/reviews"])
def test_an_unchanged_queue_is_not_sent_again(desk: Desk, client: TestClient, path: str) -> None:
    known = {"If-None-Match": client.get(path).headers["etag"]}
    assert client.get(path, headers=known).status_code == 304
    assert client.put("/api/v1/reviews/1/claim", json={}).json()["mine"] is True
    assert client.get(path, headers=known).status_code == 200
    known = {"If-None-Match": client.get(path).headers["etag"]}
    desk.clock.move(seconds=LEASE.total_seconds() + 1)
    assert client.get(path, headers=known).status_code == 200


def test_the_queue_is_grouped_and_filtered_by_its_address(client: TestClient) -> None:
    page = client.get("/reviews").text
    assert "Possible duplicate" in page
    found = client.get("/api/v1/reviews?topic=duplicate").json()
    assert [one["number"] for one in found["reviews"]] == ["104877"]
    assert found["count"] == 1
    assert {"value": "duplicate", "name": "Possible duplicate", "count": 1} in found["groups"]
    one = client.get("/reviews?topic=duplicate").text
    assert 'href="/documents/3?topic=duplicate"' in one
    assert "1 of 12 documents" in one
    by_amount = client.get("/api/v1/reviews?group=amount").json()["groups"]
    assert [(one["value"], one["count"]) for one in by_amount] == [
        ("100", 2),
        ("1000", 4),
        ("10000", 2),
        ("more", 3),
        (NONE, 1),
    ]
    for bad in ("group=nonsense", "after=x", f"after={'9' * 50}"):
        assert client.get(f"/api/v1/reviews?{bad}").status_code in (404, 422)


def test_hostile_words_stay_words(client: TestClient) -> None:
    hostile = '"><script>alert(1)</script>'
    page = client.get(
        "/reviews", params={"q": hostile, "vendor": hostile, "age": hostile, "amount": hostile}
    ).text
    assert "<script>alert(1)" not in page


def test_a_claim_and_an_assignee_over_http(desk: Desk, client: TestClient) -> None:
    queue = Queue(desk.ledger.engine, desk.clock)
    queue.claim(2, "ana", "Ana Ruiz")
    answer = client.put("/api/v1/reviews/2/claim", json={})
    assert answer.status_code == 409
    assert answer.json() == {"error": "claimed", "message": "Ana Ruiz has this bill open.", "by": "Ana Ruiz"}
    assert "Ana Ruiz has it open" in client.get("/reviews").text
    # Somebody else's claim is not given back, and that is said.
    refused = client.request("DELETE", "/api/v1/reviews/2/claim", json={})
    assert (refused.status_code, refused.json()) == (409, answer.json())
    assert client.put("/api/v1/reviews/2/claim", json={}).status_code == 409
    # One's own is, and what nobody has is nobody's.
    assert client.put("/api/v1/reviews/1/claim", json={}).json()["mine"]
    for _ in range(2):
        assert client.request("DELETE", "/api/v1/reviews/1/claim", json={}).status_code == 200
    assert client.request("DELETE", "/api/v1/reviews/4711/claim", json={}).status_code == 404
    assert client.put(f"/api/v1/reviews/{desk.ids['filled']}/claim", json={}).status_code == 404
    assert client.put("/api/v1/reviews/assignee", json={"ids": [1, 2, 99], "to": "me"}).json() == {
        "assigned": 2
    }
    found = client.get("/api/v1/reviews?assignee=review+page").json()["reviews"]
    assert [one["id"] for one in found] == [1, 2]
    assert client.put("/api/v1/reviews/assignee", json={"ids": [1, 2], "to": "nobody"}).json() == {
        "assigned": 2
    }
    client.headers["X-Vouch-Token"] = "guessed"
    assert client.put("/api/v1/reviews/1/claim", json={}).status_code == 403


# -- counts that are kept ---------------------------------------------------------------------------------------------


def test_what_is_kept_of_the_counts_is_what_the_ledger_says(waiting: Ledger) -> None:
    put(waiting, [(hours, "totals", "Acme", 1, 50.0, "ana") for hours in range(8)])
    queue = Queue(waiting.engine, Clock([NOW]))
    counts = Counts(queue)
    sights = (EVERYTHING, Sight(("main",)), Sight(("main", "other"), frozenset({2})))
    looks = (Sought(), Sought({Group.ASSIGNEE: "tom"}), Sought(words="acme"))

    def agree() -> None:
        for sight in sights:
            for sought in looks:
                assert counts.count(queue.stamp(), sight, sought) == queue.count(sight, sought)
                for by in Group:
                    kept = counts.groups(queue.stamp(), sight, sought, by)
                    assert kept == queue.groups(sight, sought, by)

    agree()
    # From one person to another, to nobody, and one that is settled.
    queue.assign([1, 2], "tom", "Tom")
    agree()
    queue.assign([2], "", "")
    agree()
    with Session(waiting.engine) as session, session.begin():
        session.execute(update(Review).where(Review.id == 1).values(settled_at=NOW))
    agree()


def test_an_unchanged_queue_is_counted_once(waiting: Ledger) -> None:
    put(waiting, [(1, "totals", "Acme", 1, 50.0, "")] * 4)
    asked: list[str] = []
    event.listen(waiting.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    queue = Queue(waiting.engine, Clock([NOW]))
    counts, stamp = Counts(queue), queue.stamp()
    for _ in range(2):
        assert counts.count(stamp, EVERYTHING, Sought()) == 4
        groups = counts.groups(stamp, EVERYTHING, Sought(), Group.VENDOR)
        assert [(one.value, one.count) for one in groups] == [("Acme", 4)]
        before, asked[:] = len(asked), []
    assert before == 0
    # A claim changes no count.
    queue.claim(1, "ana", "Ana")
    asked.clear()
    assert counts.count(queue.stamp(), EVERYTHING, Sought()) == 4
    assert len([text for text in asked if text.startswith("SELECT")]) == 1


def test_of_many_reasons_two_are_shown(desk: Desk, client: TestClient) -> None:
    with Session(desk.ledger.engine) as session, session.begin():
        found = session.scalars(select(Review).where(Review.settled_at.is_(None)).limit(1)).one()
        found.topics = ["duplicate", "totals", "vendor_known", "order_line", "totals"]
        number = found.job_id
    row = re.search(rf'<tr data-id="{number}".*?</tr>', client.get("/reviews").text, re.DOTALL)
    assert row
    shown = re.search(r'<span class="topics" title="([^"]*)">(.*?)</span></span>', row[0], re.DOTALL)
    assert shown
    assert shown[1].count(" · ") == 3
    assert shown[2].count(" · ") == 1
    assert "+2 more" in shown[2]
