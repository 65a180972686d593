"""The ledger keeps every document, hands each record to one worker at a time, and follows its state table."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from connector.erp.port import Attachment, Poll, SyncCursor
from connector.errors import FatalError, SettingsError
from connector.ledger import schema
from connector.ledger.documents import DocumentStore
from connector.ledger.engine import make_engine
from connector.ledger.jobs import TELLING, LeaseLost
from connector.ledger.migrate import open_ledger
from connector.ledger.records import Base, EffectRecord, Job, ReviewSummary
from connector.ledger.states import FINAL, HELD, TRANSITIONS, IllegalTransition, JobState, require_transition
from connector.ledger.store import MAX_CRASHES, MAX_TELLINGS, Ledger

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
OLD_ROWS = (
    (
        "INSERT INTO attachment VALUES "
        "(1, 'main', 5, 'c', 'a.pdf', 'application/pdf', 9, 'account.move', 7, true, '2025-01-02 00:00:00.000000', '2025-01-02 00:00:00.000000')"
    ),
    (
        "INSERT INTO job (id, attachment_id, backend, model, record_id, priority, state, reason, message, generation, "
        "crashes, delays, not_before, created_at, updated_at) VALUES (1, 1, 'main', 'account.move', 7, 0, 'in_review', "
        "'doubtful', '', 0, 0, 0, '2025-01-02 00:00:00.000000', '2025-01-02 00:00:00.000000', '2025-01-02 00:00:00.000000')"
    ),
    "INSERT INTO reading VALUES (1, 1, 'layout', '0.1', '{\"reader\": \"layout\"}', '2025-01-02 00:00:00.000000')",
    (
        "INSERT INTO proposal (id, job_id, reading_id, body, outcome, reasons, at) VALUES "
        "(1, 1, 1, '{\"values\": {}}', 'review', '[]', '2025-01-02 00:00:00.000000')"
    ),
    (
        "INSERT INTO review (id, job_id, title, vendor, amount, currency, reasons, opened_at, verdict, actor) VALUES "
        "(1, 1, 'BILL/7', 'Acme', '11.90', 'EUR', '[\"The total is not sure.\"]', '2025-01-02 00:00:00.000000', '', '')"
    ),
)
"""Rows as the first ledger had them."""


def attachment(number: int, record: int | None = None, checksum: str = "c") -> Attachment:
    return Attachment(
        "main",
        number,
        checksum,
        f"bill {number}.pdf",
        "application/pdf",
        10,
        "account.move",
        record or number,
        NOON,
    )


def poll(*found: Attachment) -> Poll:
    return Poll(found, SyncCursor(NOON, max((one.id for one in found), default=0)))


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    """An empty database; `tests/integration/test_ledger_postgres.py` gives another."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def ledger(ledger_url: str, clock: Clock) -> Iterator[Ledger]:
    open_ledger(ledger_url).close()
    opened = Ledger.connect(ledger_url, clock)
    yield opened
    opened.close()


def effect(key: str = "k1", leads_to: JobState = JobState.FILLED) -> EffectRecord:
    return EffectRecord(key=key, model="account.move", record_id=1, leads_to=leads_to, body={"values": {}})


def test_migrations_make_exactly_the_records(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    ledger.close()


@pytest.mark.parametrize("revision", sorted(schema.known() - {schema.head()}))
def test_an_older_ledger_keeps_its_rows(ledger_url: str, revision: str) -> None:
    engine = make_engine(ledger_url)
    config = schema.config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for row in OLD_ROWS:
            connection.execute(text(row))
    engine.dispose()
    ledger = open_ledger(ledger_url)
    [review] = ledger.reviews()
    assert (review.title, review.amount, review.reasons) == ("BILL/7", "11.90", ["The total is not sure."])
    assert (review.company_id, review.topics, review.claimed_by, review.seconds) == (None, [], "", None)
    story = ledger.story(review.job_id)
    assert story is not None
    assert [(one.outcome, one.body, one.score) for one in story.proposals] == [
        ("review", {"values": {}}, 0.0)
    ]
    assert [one.body for one in story.readings] == [{"reader": "layout"}]
    ledger.close()


def test_ledger_of_a_newer_version_is_refused(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    ledger.close()
    with pytest.raises(FatalError, match="newer Vouch"):
        open_ledger(ledger_url)


def test_ledger_in_a_folder_that_is_not_there_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="ledger_url"):
        open_ledger(f"sqlite:///{tmp_path / 'missing' / 'ledger.db'}")


@pytest.mark.parametrize("url", ["postgres://u:s3cret@h/db", "mysql+nodriver://u:s3cret@h/db", "u:s3cret@h"])
def test_a_wrong_address_of_the_ledger_is_named_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="ledger_url") as caught:
        open_ledger(url)
    assert "s3cret" not in str(caught.value)


def test_an_attachment_on_another_record_is_looked_at_again_unless_it_was_filled(ledger: Ledger) -> None:
    ledger.remember("main", poll(*(attachment(n, record=n) for n in (1, 2, 3))))
    filled, skipped = ledger.claim("a", ["main"]), ledger.claim("a", ["main"])
    assert filled is not None
    assert skipped is not None
    done = effect()
    ledger.intend(filled, done)
    ledger.settle(filled, done, None)
    ledger.finish(skipped, JobState.SKIPPED, "gone", "")
    moved = poll(*(attachment(n, record=n + 10) for n in (1, 2, 3)))
    assert ledger.remember("main", moved) == 2
    assert ledger.remember("main", moved) == 0
    places = {job.id: (job.state, job.record_id) for job in ledger.jobs()}
    assert places == {1: ("filled", 1), 2: ("queued", 12), 3: ("queued", 13)}


def test_an_attachment_is_remembered_once_and_a_new_content_again(ledger: Ledger) -> None:
    assert ledger.remember("main", poll(attachment(1), attachment(2))) == 2
    assert ledger.remember("main", poll(attachment(1), attachment(2), attachment(3))) == 1
    assert ledger.remember("main", poll(attachment(1, checksum="other"))) == 1
    assert ledger.counts()[JobState.QUEUED] == 4
    assert ledger.cursor("main") == SyncCursor(NOON, 1)
    assert ledger.cursor("elsewhere") == SyncCursor()


def test_a_failed_poll_keeps_the_cursor(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(7)))
    ledger.poll_failed("main", "Odoo is away")
    assert ledger.cursor("main").last_id == 7
    assert ledger.polls()[0].error == "Odoo is away"
    ledger.remember("main", poll())
    assert ledger.polls()[0].error == ""


def test_one_worker_at_a_time_on_one_record(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(1, record=5), attachment(2, record=5), attachment(3, record=6)))
    first, second = ledger.claim("a", ["main"]), ledger.claim("b", ["main"])
    assert first is not None
    assert second is not None
    assert {first.record_id, second.record_id} == {5, 6}
    assert ledger.claim("c", ["main"]) is None
    ledger.finish(first, JobState.SKIPPED, "test", "")
    third = ledger.claim("c", ["main"])
    assert third is not None
    assert third.record_id == 5


def test_the_main_attachment_of_a_record_goes_first(ledger: Ledger) -> None:
    main = Attachment("main", 2, "m", "bill.pdf", "application/pdf", 1, "account.move", 5, NOON, is_main=True)
    ledger.remember("main", poll(attachment(1, record=5), main))
    claimed = ledger.claim("a", ["main"])
    assert claimed is not None
    assert claimed.attachment.is_main


def test_an_effect_is_settled_with_its_review_in_one_step(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(1)))
    job = ledger.claim("a", ["main"])
    assert job is not None
    intended = effect(leads_to=JobState.IN_REVIEW)
    ledger.intend(job, intended)
    assert ledger.unsettled_effect(job) is not None
    summary = ReviewSummary("BILL/1", "Seller", "10.00", "EUR", 3, "Company", ("totals",))
    ledger.settle(job, intended, summary, ["the total is not sure"])
    assert ledger.unsettled_effect(job) is None
    review = ledger.reviews()[0]
    assert (review.vendor, review.amount, review.reasons) == ("Seller", "10.00", ["the total is not sure"])
    assert (review.company_id, review.company, review.topics) == (3, "Company", ["totals"])
    story = ledger.story(job.id)
    assert story is not None
    assert [(t.before, t.after) for t in story.transitions] == [
        ("queued", "running"),
        ("running", "applying"),
        ("applying", "in_review"),
    ]
    assert story.attempts[0].outcome == "done"


def test_a_void_effect_frees_its_key(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(1)))
    job = ledger.claim("a", ["main"])
    assert job is not None
    lost = effect()
    ledger.intend(job, lost)
    ledger.void(job, lost, "not found")
    ledger.intend(job, effect())
    with pytest.raises(IntegrityError):
        ledger.intend(job, effect())


def test_waiting_doubles_up_to_a_quarter_of_an_hour(ledger: Ledger, clock: Clock) -> None:
    ledger.remember("main", poll(attachment(1)))
    waits: list[float] = []
    for _ in range(9):
        job = ledger.claim("a", ["main"])
        assert job is not None
        due = ledger.postpone(job, "Odoo is away")
        waits.append((due - clock.now).total_seconds())
        assert ledger.claim("a", ["main"]) is None
        clock.now = due
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900, 900]


def test_a_poison_document_is_set_aside_and_can_be_retried(ledger: Ledger, clock: Clock) -> None:
    ledger.remember("main", poll(attachment(1)))
    for crashes in range(MAX_CRASHES + MAX_TELLINGS):
        job = ledger.claim("a", ["main"])
        assert job is not None
        assert bool(ledger.set_aside(job)) == (crashes >= MAX_CRASHES)
        ledger.step(job, TELLING if crashes >= MAX_CRASHES else "read")
        assert ledger.recover(lambda _: False) == 0
        clock.now += timedelta(minutes=2)
        assert ledger.recover(lambda _: False) == 1
    assert ledger.claim("a", ["main"]) is None
    [failed] = ledger.jobs([JobState.FAILED])
    assert "step “read” of Vouch" in failed.message
    assert ledger.retry("someone") == 1
    again = ledger.claim("a", ["main"])
    assert again is not None
    assert ledger.set_aside(again) == ""


def test_what_brought_a_worker_down_is_worked_on_alone(ledger: Ledger) -> None:
    ledger.remember("main", poll(*(attachment(number) for number in range(1, 5))))

    def claimed(worker: str) -> Job:
        job = ledger.claim(worker, ["main"])
        assert job is not None
        return job

    poison, beside = claimed("a"), claimed("a")
    assert ledger.recover(lambda owner: owner == "a") == 2

    assert claimed("b").id == poison.id
    assert ledger.claim("b", ["main"]) is None
    # Another process goes on meanwhile, and nobody is alone for ever.
    other = claimed("c")
    assert other.id == beside.id
    assert ledger.claim("c", ["main"]) is None
    assert ledger.recover(lambda owner: owner == "b") == 1
    ledger.finish(other, JobState.SKIPPED, "test", "")
    assert {job.record_id: job.crashes for job in ledger.jobs()} == {1: 2, 2: 1, 3: 0, 4: 0}

    again = claimed("d")
    assert again.id == poison.id
    ledger.finish(again, JobState.SKIPPED, "test", "")
    assert [claimed("d").crashes for _ in range(2)] == [0, 0]


def test_a_living_worker_keeps_its_lease(ledger: Ledger, clock: Clock) -> None:
    ledger.remember("main", poll(attachment(1)))
    claimed = ledger.claim("a", ["main"])
    assert claimed is not None
    for _ in range(10):
        clock.now += timedelta(seconds=30)
        ledger.renew("a", [claimed.id])
        assert ledger.recover(lambda _: False) == 0
    assert ledger.recover(lambda owner: owner == "a") == 1


def test_only_what_is_in_hand_keeps_its_lease(ledger: Ledger, clock: Clock) -> None:
    ledger.remember("main", poll(attachment(1)))
    assert ledger.claim("a", ["main"]) is not None
    clock.now += timedelta(minutes=2)
    ledger.renew("a", [])
    assert ledger.recover(lambda _: False) == 1


def test_a_worker_that_lost_its_lease_records_nothing_more(ledger: Ledger, clock: Clock) -> None:
    ledger.remember("main", poll(attachment(1)))
    slow = ledger.claim("a", ["main"])
    assert slow is not None
    intended = effect()
    ledger.intend(slow, intended)
    clock.now += timedelta(minutes=2)
    assert ledger.recover(lambda _: False) == 1
    other = ledger.claim("b", ["main"])
    assert other is not None
    for late in (
        lambda: ledger.finish(slow, JobState.FAILED, "defect", ""),
        lambda: ledger.postpone(slow, ""),
        lambda: ledger.settle(slow, intended, None),
        lambda: ledger.void(slow, intended, ""),
        lambda: ledger.intend(slow, effect("k2")),
    ):
        with pytest.raises(LeaseLost):
            late()
    ledger.settle(other, intended, None)
    assert ledger.counts()[JobState.FILLED] == 1


def test_an_effect_of_an_earlier_attempt_that_does_not_end_the_job(ledger: Ledger, clock: Clock) -> None:
    ledger.remember("main", poll(attachment(1)))
    job = ledger.claim("a", ["main"])
    assert job is not None
    lost = effect()
    ledger.intend(job, lost)
    clock.now = ledger.postpone(job, "the answer was lost")
    again = ledger.claim("a", ["main"])
    assert again is not None
    ledger.carried_out(again, lost, "the totals differ")
    assert ledger.unsettled_effect(again) is None
    ledger.finish(again, JobState.SKIPPED, "test", "")


def test_what_anybody_can_send_fits(ledger: Ledger) -> None:
    odd = replace(attachment(1), mimetype="application/" + "x" * 500, name="\N{PILE OF POO}" * 300)
    assert ledger.remember("main", poll(odd)) == 1


def test_naive_times_are_refused(ledger: Ledger) -> None:
    naive = Poll((), SyncCursor(datetime(2026, 1, 1), 1))  # noqa: DTZ001
    with pytest.raises(Exception, match="no time zone"):
        ledger.remember("main", naive)


class LedgerMachine(RuleBasedStateMachine):
    """Whatever workers, crashes and people do: no document is lost, and no state follows that may not."""

    url = "sqlite://"

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.ledger = Ledger.connect(self.url, self.clock)
        Base.metadata.drop_all(self.ledger.engine)
        with self.ledger.engine.begin() as connection:
            Base.metadata.create_all(connection)
            MigrationContext.configure(connection).stamp(ScriptDirectory.from_config(schema.config()), "head")
        self.seen: set[int] = set()
        self.held: dict[int, object] = {}
        self.keys = 0

    def teardown(self) -> None:
        self.ledger.close()

    @rule(numbers=st.lists(st.integers(1, 12), max_size=4))
    def poll(self, numbers: list[int]) -> None:
        fresh = set(numbers) - self.seen
        new = self.ledger.remember("main", poll(*(attachment(n, record=n % 5 + 1) for n in set(numbers))))
        assert new == len(fresh)
        self.seen |= fresh

    @rule(worker=st.sampled_from("ab"))
    def claim(self, worker: str) -> None:
        if job := self.ledger.claim(worker, ["main"]):
            assert all(job.record_id != getattr(other, "record_id", None) for other in self.held.values())
            self.held[job.id] = job

    @precondition(lambda self: self.held)
    @rule(data=st.data(), state=st.sampled_from(sorted(FINAL)))
    def work(self, data: st.DataObject, state: JobState) -> None:
        job = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        if state in (JobState.SKIPPED, JobState.FAILED):
            self.ledger.finish(job, state, "r", "m")  # pyright: ignore
            return
        self.keys += 1
        intended = effect(f"k{self.keys}", state)
        self.ledger.intend(job, intended)  # pyright: ignore
        self.ledger.settle(job, intended, ReviewSummary("x"), ["y"])  # pyright: ignore

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def postpone(self, data: st.DataObject) -> None:
        self.ledger.postpone(self.held.pop(data.draw(st.sampled_from(sorted(self.held)))), "away")  # pyright: ignore

    @rule()
    def crash(self) -> None:
        assert self.ledger.recover(lambda _: True) == len(self.held)
        self.held.clear()

    @rule()
    def person_retries(self) -> None:
        self.ledger.retry("person", [JobState.FAILED, JobState.SKIPPED, JobState.IN_REVIEW])

    @rule(seconds=st.integers(1, 50))
    def time_passes(self, seconds: int) -> None:
        self.clock.now += timedelta(seconds=seconds)
        for owner in "ab":
            self.ledger.renew(owner, self.held)

    @invariant()
    def nothing_is_lost(self) -> None:
        counts = self.ledger.counts()
        assert sum(counts.values()) == len(self.seen)
        assert sum(counts[state] for state in HELD) == len(self.held)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("before", list(JobState))
def test_every_state_has_a_way_out(before: JobState) -> None:
    assert TRANSITIONS[before]


def test_a_filled_document_is_never_filled_again(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(1)))
    job = ledger.claim("a", ["main"])
    assert job is not None
    done = effect()
    ledger.intend(job, done)
    ledger.settle(job, done, None)
    with pytest.raises(LeaseLost):
        ledger.finish(job, JobState.SKIPPED, "", "")
    assert ledger.claim("a", ["main"]) is None
    for state in set(JobState) - {JobState.APPLYING, JobState.QUEUED}:
        with pytest.raises(IllegalTransition):
            require_transition(JobState.FILLED, state)


def test_the_same_document_may_be_kept_from_several_threads_at_once(tmp_path: Path) -> None:
    store = DocumentStore(tmp_path)
    for size in range(20):
        data = bytes([size]) * 200_000
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(lambda _: store.put(data), range(8)))) == 1  # noqa: B023
        assert store.get(store.put(data)) == data
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == 20


def test_a_document_is_known_again_on_a_later_record_only(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(1), attachment(2), attachment(3)))
    first, second, third = (ledger.claim("w", ["main"]) for _ in range(3))
    assert first
    assert second
    assert third
    marks = {"file": "f1", "page_image": "p1"}
    assert ledger.known_again(first, marks) == ()
    assert ledger.known_again(second, {"file": "f2", "page_image": "p1"}) == (), (
        "the first is not decided yet"
    )
    made = effect()
    ledger.intend(first, made)
    ledger.settle(first, made, None, [], {})
    [seen] = ledger.known_again(second, {"file": "f2", "page_image": "p1"})
    assert (seen.kind, seen.record_id, seen.name) == ("page_image", 1, "bill 1.pdf")
    assert ledger.known_again(second, {"file": "p1"}) == (), "another kind"
    assert ledger.known_again(first, marks) == (), "the earlier one is not the duplicate"
    ledger.finish(third, JobState.SKIPPED, "not_ours", "")
    assert ledger.known_again(second, {}) == ()
