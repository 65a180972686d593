"""A reader that reads worse is noticed, beyond chance, and fills nothing before it was held against posted bills."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.bootstrap import owner_of
from connector.judgement import UNPROVEN_READER, Judge
from connector.ledger.accepted import LEAST_BILLS, AcceptedReaders
from connector.ledger.chain import Chain
from connector.ledger.learning import KeptProposal, Learning
from connector.ledger.store import Ledger
from connector.replay import Read, Twice, identity_of, outcome_of, twice
from connector.settings import load_settings
from inference.invoice import Field, Reading
from mappings.lessons import Compared
from mappings.policy import Decision, Outcome
from tests.unit.test_ledger import attachment, clock, ledger, ledger_url, poll

__all__ = ["clock", "ledger", "ledger_url"]

DIAL = 0.9
READS = st.one_of(st.none(), st.builds(Read, st.floats(0, 1), st.booleans()))


def values(*pairs: tuple[Read | None, Read | None]) -> list[Twice]:
    return [Twice(at, "invoice_number", then, now) for at, (then, now) in enumerate(pairs)]


RIGHT, WRONG, UNSURE = Read(0.99, True), Read(0.5, False), Read(0.5, True)


@given(st.lists(READS, max_size=40))
def test_the_same_reading_never_fails(reads: list[Read | None]) -> None:
    found = outcome_of(values(*((one, one) for one in reads)), DIAL)
    assert found.faults == ()
    assert (found.right_then, found.brier_then) == (found.right_now, found.brier_now)


@given(st.lists(st.tuples(READS, READS), max_size=30))
def test_then_and_now_count_alike(pairs: list[tuple[Read | None, Read | None]]) -> None:
    one = outcome_of(values(*pairs), DIAL)
    other = outcome_of(values(*((now, then) for then, now in pairs)), DIAL)
    assert (one.better, one.worse) == (other.worse, other.better)
    assert (one.sure_wrong_then, one.sure_wrong_now) == (other.sure_wrong_now, other.sure_wrong_then)
    assert one.right_now - one.right_then == len(one.better) - len(one.worse)


@pytest.mark.parametrize(
    ("worse", "better", "falls"), [(4, 0, False), (5, 0, True), (9, 5, False), (20, 8, True)]
)
def test_a_fall_counts_when_chance_does_not_explain_it(worse: int, better: int, falls: bool) -> None:
    pairs = [(UNSURE, WRONG)] * worse + [(WRONG, UNSURE)] * better + [(UNSURE, UNSURE)] * 50
    assert any("were right" in fault for fault in outcome_of(values(*pairs), DIAL).faults) == falls


def test_one_more_value_that_is_sure_and_wrong_is_enough() -> None:
    pairs = [(RIGHT, RIGHT)] * 100
    assert outcome_of(values(*pairs, (UNSURE, Read(0.95, False))), DIAL).faults == (
        "1 values are sure and wrong; there were 0.",
    )
    assert outcome_of(values(*pairs, (Read(0.95, False), Read(0.95, False))), DIAL).faults == ()


def test_confidences_that_fit_worse_are_noticed() -> None:
    bold = [(Read(0.6, at % 5 != 0), Read(0.89, at % 2 != 0 or at % 5 != 0)) for at in range(60)]
    timid = [(Read(0.95, True), Read(0.55, True)) for _ in range(60)]
    assert outcome_of(values(*timid), DIAL).faults == (
        "Confidences fit worse than before: what is said to be sure is right less often.",
    )
    assert not any("fit worse" in fault for fault in outcome_of(values(*bold), DIAL).faults)


def test_a_value_that_is_not_read_any_more_counts_as_wrong() -> None:
    then = Reading("layout", {"invoice_number": Field("A-1", 0.95)}, (), (), (), {})
    now = replace(then, fields={})
    for reading in (now, None):
        [value] = twice(1, then, reading, {"invoice_number": "A-1"}, {})
        assert (value.then, value.now) == (Read(0.95, True), None)
        assert outcome_of([value], DIAL).worse == ("document 1: invoice_number",)


def posted(ledger: Ledger, count: int) -> None:
    for number in range(1, count + 1):
        ledger.remember("main", poll(attachment(number)))
        job = ledger.claim("a", ["main"])
        assert job is not None
        reading_id = ledger.keep_reading(job, "layout", "0.1", {"fields": {}})
        ledger.keep_proposal(job, reading_id, {}, Decision(Outcome.FILL, ()))
        Learning(ledger.engine).learn(
            "main", job.id, KeptProposal({}, {}, "fill", 1.0, False), Compared(5, "", (), (), ())
        )


def test_another_reader_fills_nothing_until_it_is_accepted(ledger: Ledger) -> None:
    readers = AcceptedReaders(ledger.engine)
    assert readers.allows("first")
    posted(ledger, LEAST_BILLS - 1)
    assert readers.allows("second"), "too few bills to tell"
    ledger.remember("main", poll(attachment(99)))
    posted_last = ledger.claim("a", ["main"])
    assert posted_last is not None
    reading_id = ledger.keep_reading(posted_last, "layout", "0.1", {"fields": {}})
    ledger.keep_proposal(posted_last, reading_id, {}, Decision(Outcome.FILL, ()))
    Learning(ledger.engine).learn(
        "main", posted_last.id, KeptProposal({}, {}, "fill", 1.0, False), Compared(5, "", (), (), ())
    )
    assert not readers.allows("third")
    assert not readers.allows("third"), "asking is not accepting"
    assert readers.allows("first")
    assert readers.allows("second")
    readers.accept("third", "person:bea", {"forced": True})
    assert readers.allows("third")
    newest = Chain(ledger.engine).newest(1)[0]
    assert (newest.action, newest.values) == ("reader.accepted", {"actor": "person:bea", "forced": True})


def test_a_ledger_of_an_older_version_takes_its_reader_as_proven(ledger: Ledger) -> None:
    posted(ledger, LEAST_BILLS)
    assert AcceptedReaders(ledger.engine).allows("the one that is installed")
    assert not AcceptedReaders(ledger.engine).allows("the next one")


def test_the_judge_holds_back_what_an_unproven_reader_is_sure_of(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOUCH_DATA_DIR", str(tmp_path))
    posted(ledger, LEAST_BILLS)
    settings = load_settings()
    AcceptedReaders(ledger.engine).accept("an older one", "vouch", {})
    assert identity_of(settings) != identity_of(settings, "einvoice")

    def held_back() -> str:
        return Judge("main", Learning(ledger.engine), owner_of(settings, ledger)).knowledge().policy.held_back

    assert held_back() == UNPROVEN_READER
    monkeypatch.setenv("VOUCH_POLICY__REQUIRE_REPLAY", "false")
    settings = load_settings()
    assert held_back() == ""
    monkeypatch.delenv("VOUCH_POLICY__REQUIRE_REPLAY")
    settings = load_settings()
    AcceptedReaders(ledger.engine).accept(identity_of(settings), "person:bea", {})
    assert held_back() == ""
