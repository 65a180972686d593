"""The clock is put back or forward while Jobs wait, leases and claims hold and people are signed in: nobody waits for a time
that was already, and nobody stays in for longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.orm import Session

from connector.erp.people import Admitted
from connector.errors import OutcomeUnknown, RetriableError, SkippableError
from connector.execution import clock as wall
from connector.execution.schedule import catch_up, make_scheduler
from connector.ledger.failures import FailureRecord
from connector.ledger.jobs import LONGEST_PAUSE
from connector.ledger.queue import Queue
from connector.ledger.records import EffectRecord, Job, ReviewSummary
from connector.ledger.sessions import Lifetime, Sessions
from connector.ledger.states import FINAL, JobState
from connector.ledger.store import Ledger, utc_now
from connector.ledger.uploads import FARTHEST, SOON, Sent, UploadLog, UploadState
from connector.review.lockout import BY_LOGIN, Lockout
from connector.unsure import Unsure
from tests.unit.test_ledger import Clock, attachment, clock, effect, ledger, ledger_url, poll

__all__ = ["clock", "ledger", "ledger_url"]

BACK = st.integers(1, 60 * 24 * 400).map(lambda minutes: timedelta(minutes=minutes))


def claimed(ledger: Ledger, number: int = 1) -> Job:
    ledger.remember("main", poll(attachment(number)))
    job = ledger.claim("w", ["main"])
    assert job is not None
    return job


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(back=BACK, tries=st.integers(0, 8))
def test_what_was_put_off_never_waits_longer_than_the_longest_pause(
    ledger: Ledger, clock: Clock, back: timedelta, tries: int
) -> None:
    for job in ledger.jobs(limit=1000):
        if job.state not in FINAL:
            ledger.retry("test", states=())
            held = ledger.claim("w", ["main"])
            assert held
            ledger.finish(held, JobState.SKIPPED, "x", "Done.")
    number = len(ledger.jobs(limit=1000)) + 1
    job = claimed(ledger, number)
    for _ in range(tries):
        clock.now = ledger.postpone(job, "away")
        again = ledger.claim("w", ["main"])
        assert again
        job = again
    ledger.postpone(job, "away")
    clock.now -= back
    soonest = ledger.claim("w", ["main"])
    if soonest is None:
        clock.now += 2 * LONGEST_PAUSE
        soonest = ledger.claim("w", ["main"])
    assert soonest is not None
    ledger.finish(soonest, JobState.SKIPPED, "x", "Done.")


def test_a_lease_from_the_future_ends_in_its_own_time(ledger: Ledger, clock: Clock) -> None:
    claimed(ledger)
    clock.now -= timedelta(days=3)
    assert ledger.recover(lambda _: False) == 0
    clock.now += timedelta(seconds=61)
    assert ledger.recover(lambda _: False) == 1


def test_an_upload_is_tried_again_soon(ledger: Ledger, clock: Clock) -> None:
    kept = UploadLog(ledger.engine, clock)
    sent = Sent("main", "program", "k", "r", "a.pdf", "0" * 64, "in_invoice", None)
    number = kept.receive(sent).id
    assert kept.begin(number, timedelta(seconds=150))
    kept.settle(number, UploadState.WAITING, "away", wait=timedelta(hours=1))
    clock.now -= timedelta(days=30)
    assert kept.due(["main"]) == []
    clock.now += SOON
    assert kept.due(["main"]) == [number]
    assert SOON < FARTHEST


def test_a_session_ends_rather_than_live_too_long(ledger: Ledger, clock: Clock) -> None:
    sessions = Sessions(ledger.engine, Lifetime(), clock)
    person = Admitted(7, "anna", "Anna", frozenset(), "r", None)
    held = sessions.open("main", person)
    assert sessions.find(held)
    clock.now -= timedelta(minutes=2)
    assert sessions.find(held)
    clock.now -= timedelta(hours=8)
    assert sessions.find(held) is None
    again = sessions.open("main", person)
    clock.now += timedelta(hours=8)
    assert sessions.find(again) is None


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=30)])
def test_guessing_waits_no_longer_and_no_less(ledger: Ledger, clock: Clock, back: timedelta) -> None:
    with Session(ledger.engine) as session, session.begin():
        session.execute(delete(FailureRecord))
    lockout = Lockout(ledger.engine, clock)
    for _ in range(7):
        while wait := lockout.begin("main", "anna", "10.0.0.1"):
            clock.now += wait
    clock.now -= back
    assert lockout.begin("main", "anna", "10.0.0.1") == BY_LOGIN.wait(7)
    clock.now += BY_LOGIN.wait(7)
    assert not lockout.begin("main", "anna", "10.0.0.1")


def test_a_claim_of_another_holds_no_longer(ledger: Ledger, clock: Clock) -> None:
    job = claimed(ledger)
    asked = effect(leads_to=JobState.IN_REVIEW)
    ledger.intend(job, asked)
    ledger.settle(job, asked, ReviewSummary("BILL/1"), ("Why.",), {})
    queue = Queue(ledger.engine, clock)
    first = queue.claim(job.id, "anna", "Anna")
    assert first
    clock.now -= timedelta(seconds=30)
    held = queue.claim(job.id, "bert", "Bert")
    assert held
    assert held.login == "anna"
    clock.now -= timedelta(days=2)
    taken = queue.claim(job.id, "bert", "Bert")
    assert taken
    assert taken.login == "bert"


def intended(ledger: Ledger, at: datetime) -> EffectRecord:
    job = claimed(ledger)
    made = effect()
    ledger.intend(job, made)
    with Session(ledger.engine, expire_on_commit=False) as session, session.begin():
        kept = session.get_one(EffectRecord, made.id)
        kept.at = at
    return kept


def test_a_write_from_the_future_is_waited_for_once(ledger: Ledger) -> None:
    kept = intended(ledger, utc_now() + timedelta(days=3))
    unsure = Unsure(ledger.engine, timedelta(seconds=0.2))
    with pytest.raises(RetriableError):
        unsure.require_over(kept)
    again = ledger.unsettled_effect(ledger.jobs()[0])
    assert again
    assert again.at <= utc_now()
    time.sleep(0.3)
    unsure.require_over(again)


@pytest.mark.parametrize(("error", "waits"), [(OutcomeUnknown, True), (SkippableError, False), (None, False)])
def test_a_write_under_way_is_waited_for_whatever_the_clock_says(
    ledger: Ledger, error: type[Exception] | None, waits: bool
) -> None:
    """Sent a moment ago; by the clock, which was put forward, an hour."""
    kept = intended(ledger, utc_now() - timedelta(hours=1))
    unsure = Unsure(ledger.engine, timedelta(seconds=150))

    def send() -> None:
        with unsure.sending(kept.key):
            if error:
                raise error("x")

    if error:
        with pytest.raises(error):
            send()
    else:
        send()
    if waits:
        with pytest.raises(RetriableError):
            unsure.require_over(kept)
    else:
        unsure.require_over(kept)


def test_the_watch_sees_steps_and_no_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = [0.0]
    monkeypatch.setattr(wall, "_ahead", lambda: ahead[0])
    watch, seen = wall.Watch(), list[float]()
    for step in (1.0, -1.0, -86400.0, 0.5, 7200.0):
        ahead[0] += step
        seen.append(watch.jump().total_seconds())
    assert seen[:2] == [0, 0]
    assert seen[2] == pytest.approx(-86400, abs=2)
    assert seen[3] == 0
    assert seen[4] == pytest.approx(7200.5, abs=2)


def test_the_schedule_goes_on_when_the_clock_was_put_back() -> None:
    done: list[str] = []
    scheduler = make_scheduler(
        {}, {}, Heart(lambda: done.append("beat")), None, {"work": lambda: done.append("work")}
    )  # type: ignore[arg-type]
    scheduler.start()
    deadline = time.monotonic() + 60
    while "work" not in done and time.monotonic() < deadline:
        time.sleep(0.01)
    for job in scheduler.get_jobs():
        job.modify(next_run_time=datetime.now(UTC) + timedelta(days=2))
    done.clear()
    catch_up(scheduler, timedelta(days=-2))
    while set(done) != {"beat", "work"} and time.monotonic() < deadline:
        time.sleep(0.01)
    scheduler.shutdown()
    assert set(done) == {"beat", "work"}


class Heart:
    def __init__(self, beat: Callable[[], None]) -> None:
        self.heartbeat = beat
