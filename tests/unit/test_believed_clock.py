"""A clock that is wrong deletes nothing: the true time, the machine's clock and Odoo's go their ways, and a document goes when
it is old by the true time and not before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import AwayError
from connector.execution.clock import BELIEVED, BelievedClock, ClockDoubted
from connector.ledger.chain import Chain
from connector.ledger.documents import DocumentStore
from connector.ledger.retention import Retention
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.purging import Purging, put_off
from connector.settings.keeping import RetentionSettings
from tests.unit.test_ledger import NOON, Clock, clock, ledger, ledger_url
from tests.unit.test_retention import age, documents, files, kept

__all__ = ["clock", "documents", "ledger", "ledger_url"]

HOUR = timedelta(hours=1)
SPANS = st.integers(1, 60 * 24 * 400).map(lambda minutes: timedelta(minutes=minutes))


@dataclass
class World:
    """The true time, and how far from it the clocks of this machine and of Odoo's are."""

    true: datetime = NOON
    ours: timedelta = timedelta()
    theirs: timedelta = timedelta()
    away: bool = False
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.true

    def clock(self) -> datetime:
        return self.true + self.ours

    def ticks(self) -> float:
        return (self.true - self.began).total_seconds()

    def odoo(self) -> datetime | None:
        return None if self.away else self.true + self.theirs


def is_believed(world: World, clock: BelievedClock, odoo: bool) -> bool:
    try:
        return clock.now({"main": world.odoo} if odoo else {}) == world.clock()
    except ClockDoubted:
        return False


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), SPANS),
        st.tuples(st.just("forward"), SPANS),
        st.tuples(st.just("back"), SPANS),
        st.tuples(st.just("right"), st.just(timedelta())),
        st.tuples(st.sampled_from(["away", "there", "ask"]), st.just(timedelta())),
    ),
    max_size=12,
)


@given(steps=STEPS, rested=SPANS, machine=st.sampled_from(["another", "the same", "none"]))
def test_a_clock_ahead_of_the_true_time_is_never_believed(
    steps: list[tuple[str, timedelta]], rested: timedelta, machine: str
) -> None:
    """Whatever is done to it while the service runs; and it is again as soon as it is right and Odoo is there."""
    world = World()
    clock = BelievedClock(NOON - rested, world.clock, world.ticks)
    for step, span in [*steps, ("ask", timedelta())]:
        match step:
            case "pass":
                world.true += span
            case "forward":
                world.ours += span
            case "back":
                world.ours -= span
            case "right":
                world.ours = timedelta()
            case "ask":
                if is_believed(world, clock, machine != "none"):
                    assert world.ours <= BELIEVED
            case _:
                world.away = step == "away"
        world.theirs = world.ours if machine == "the same" else timedelta()
    world.ours = world.theirs = timedelta()
    world.away = False
    assert is_believed(world, clock, machine != "none")


@given(rested=SPANS, wrong=SPANS, runs=SPANS)
def test_a_clock_that_is_wrong_from_the_start_is_believed_when_it_was_set_right(
    rested: timedelta, wrong: timedelta, runs: timedelta
) -> None:
    for ours in (wrong, -wrong):
        world = World(ours=ours)
        clock = BelievedClock(NOON - rested, world.clock, world.ticks)
        assert is_believed(world, clock, odoo=True) == (wrong <= BELIEVED)
        world.true += runs
        # Nobody to ask: what was already wrong, or a rest, cannot be told from time.
        world.away = True
        if is_believed(world, clock, odoo=True):
            assert ours <= BELIEVED
        world.ours, world.away = timedelta(), False
        moved = ours < timedelta() and min(wrong, rested) > BELIEVED
        assert is_believed(world, clock, odoo=True) == (not moved)


@pytest.mark.parametrize(("apart", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_an_hour_is_the_limit(apart: int, good: bool) -> None:
    world = World(theirs=apart * HOUR)
    assert is_believed(world, BelievedClock(NOON, world.clock, world.ticks), odoo=True) == good


# -- the purge -------------------------------------------------------------------------------------------------------------


@dataclass
class Odoo:
    """Only what the purge asks of an ERP."""

    world: World

    def clock(self) -> datetime | None:
        if self.world.away:
            raise AwayError("Odoo is away.")
        return self.world.odoo()


def purging(ledger: Ledger, documents: DocumentStore, world: World) -> Purging:
    erps: dict[str, Any] = {"main": Odoo(world)}
    asked = RetentionSettings(documents_days=30, readings_days=30)
    return Purging(asked, ledger.engine, documents, erps, world.clock, world.ticks)


def test_the_purge_is_put_off_while_the_clock_is_wrong_and_goes_on_when_it_is_right(
    ledger: Ledger, documents: DocumentStore, clock: Clock
) -> None:
    kept(ledger, documents, 1, JobState.SKIPPED)
    age(documents, NOON)
    world = World()
    asked = purging(ledger, documents, world)
    before = files(documents)

    world.true += timedelta(days=1)
    world.ours = timedelta(days=3 * 365)
    clock.now = world.clock()
    assert Retention(ledger.engine, documents, clock).purge(30, 30, "", dry_run=True).files
    with pytest.raises(ClockDoubted, match="The clock is 1095 days ahead of that of main: set right"):
        asked.purge("vouch")
    assert files(documents) == before
    assert "1095 days ahead of that of main" in put_off(ledger.engine)
    # A document that was settled meanwhile is no witness: its time is of the same clock.
    kept(ledger, documents, 2, JobState.SKIPPED)
    before = files(documents)
    world.theirs = world.ours
    with pytest.raises(ClockDoubted, match="put forward by 1095 days while Vouch was running: put it back"):
        asked.purge("vouch")
    world.away = True
    with pytest.raises(ClockDoubted, match="1095 days beyond the last that is on record"):
        asked.purge("vouch")
    assert files(documents) == before
    world.ours = world.theirs = timedelta()
    asked.purge("vouch")
    assert files(documents) == before
    assert not put_off(ledger.engine)
    world.away = False
    world.true += timedelta(days=30)
    asked.purge("vouch")
    assert files(documents) == {one for one in before if one.endswith(b"2")}
    told = [one.action for one in Chain(ledger.engine).newest(10, action="purge.")]
    assert told == ["purge.resumed", "purge.put_off"]


def test_after_a_rest_the_purge_waits_until_an_odoo_answers(ledger: Ledger, documents: DocumentStore) -> None:
    kept(ledger, documents, 1, JobState.SKIPPED)
    age(documents, NOON)
    world = World(true=NOON + timedelta(days=60), away=True)
    asked = purging(ledger, documents, world)
    with pytest.raises(ClockDoubted, match="60 days beyond the last that is on record"):
        asked.purge("vouch")
    world.away = False
    assert asked.purge("vouch").files
    assert files(documents) == set()
