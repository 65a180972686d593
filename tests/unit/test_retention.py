"""What is settled goes when it is old enough, and a person's data goes for good; what is open stays."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from connector.cli import app
from connector.errors import SettingsError
from connector.ledger.chain import Chain
from connector.ledger.documents import DocumentStore
from connector.ledger.learning import KeptProposal, Learning
from connector.ledger.migrate import open_ledger
from connector.ledger.records import EffectRecord, ReviewSummary
from connector.ledger.retention import Retention
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.ledger.uploads import Sent, UploadLog, UploadState
from connector.person import BLANK, People, pattern_of
from connector.review.app import create_app
from inference.invoice import Field, Reading
from mappings.lessons import Compared
from mappings.memory import Kind, Lesson, subject
from mappings.policy import Decision, Outcome
from tests.review_ledger import fill
from tests.unit.test_ledger import NOON, Clock, attachment, clock, ledger, ledger_url, poll

__all__ = ["clock", "ledger", "ledger_url"]

NAME, IBAN = "Zoë Quendlinger", "DE89 3704 0044 0532 0130 00"


@pytest.fixture
def documents(tmp_path: Path) -> DocumentStore:
    return DocumentStore(tmp_path / "documents")


def kept(
    ledger: Ledger, documents: DocumentStore, number: int, state: JobState, data: bytes | None = None
) -> int:
    """A document by that person, read and brought to a state; the number of its Job."""
    ledger.remember("main", poll(replace(attachment(number), backend=f"of {number}")))
    job = ledger.claim("a", [f"of {number}"])
    assert job is not None
    ledger.keep_document(job, documents.put(data or f"{NAME} {number}".encode()))
    reading = Reading("layout", {"seller_name": Field(NAME, 0.9)}, (), (), (), {})
    reading_id = ledger.keep_reading(job, "layout", "0.1", reading.as_json())
    body = {
        "model": "account.move",
        "values": {"partner_id": {"value": 5, "shown": NAME}},
        "lines": [],
        "paper": None,
    }
    ledger.keep_proposal(job, reading_id, body, Decision(Outcome.FILL, (f"{NAME} is new.",)))
    if state in (JobState.FILLED, JobState.IN_REVIEW):
        body = {"note": f"From {NAME}", "values": {"ref": "1"}, "reasons": [NAME]}
        effect = EffectRecord(
            key=f"k{number}",
            model="account.move",
            record_id=number,
            leads_to=state,
            message=f"by {NAME}",
            body=body,
        )
        ledger.intend(job, effect)
        ledger.settle(job, effect, ReviewSummary(f"Bill of {NAME}", NAME), [f"{NAME} is new."])
    elif state == JobState.QUEUED:
        ledger.postpone(job, f"{NAME}: Odoo is away")
    elif state != JobState.RUNNING:
        ledger.finish(job, state, "test", f"{NAME} again")
    return job.id


def judged(ledger: Ledger, number: int) -> None:
    about = subject(Kind.VENDOR, "seller_name", NAME)
    assert about is not None
    lesson = Lesson(about, NAME, (5,), NAME, str(number), NOON.date(), NAME, "")
    found = Compared(5, NAME, (), (), (lesson,))
    assert Learning(ledger.engine, ledger._clock).learn(
        "main", number, KeptProposal({}, {}, "fill", 1.0, False), found
    )


def age(documents: DocumentStore, at: datetime) -> None:
    for file in documents.files():
        os.utime(file, (at.timestamp(), at.timestamp()))


def files(documents: DocumentStore) -> set[bytes]:
    return {file.read_bytes() for file in documents.files()}


EVERY = [state for state in JobState if state is not JobState.APPLYING]


def test_only_what_is_settled_and_old_enough_goes(
    ledger: Ledger, documents: DocumentStore, clock: Clock
) -> None:
    numbers = {state: kept(ledger, documents, at, state) for at, state in enumerate(EVERY, 1)}
    judged(ledger, numbers[JobState.FILLED])
    clock.now += timedelta(days=31)
    young = kept(ledger, documents, 90, JobState.FILLED)
    age(documents, NOON)
    retention = Retention(ledger.engine, documents, clock)
    before = files(documents)
    told = retention.purge(30, 30, "bea", dry_run=True)
    assert files(documents) == before
    gone = retention.purge(30, 30, "bea")
    assert gone == told
    settled = {numbers[JobState.FILLED], numbers[JobState.SKIPPED]}
    assert {number for those in gone.files.values() for number in those} == settled
    assert set(gone.readings) == settled
    assert files(documents) == {one for one in before if int(one.split()[-1]) not in settled}
    for number in [*numbers.values(), young]:
        story = ledger.story(number)
        assert story is not None
        assert bool(story.readings[0].body.get("purged")) == (number in settled)
        bodies = json.dumps([one.body for one in (*story.readings, *story.proposals, *story.effects)])
        assert ("Quendlinger" in bodies) == (number not in settled)
        assert Reading.from_json(story.readings[0].body).reader == "layout"
    assert retention.purge(30, 30, "bea") == type(gone)({}, (), 0.0)
    actions = [(one.action, one.values["actor"]) for one in Chain(ledger.engine).newest(4)]
    assert sorted(actions) == [("document.purged", "bea")] * 2 + [("reading.purged", "bea")] * 2
    assert Chain(ledger.engine).verify()[1] == []


def test_a_reading_waits_until_its_bill_was_compared(
    ledger: Ledger, documents: DocumentStore, clock: Clock
) -> None:
    number = kept(ledger, documents, 1, JobState.FILLED)
    retention = Retention(ledger.engine, documents, clock)
    clock.now += timedelta(days=100)
    assert retention.purge(None, 30, "bea").readings == ()
    judged(ledger, number)
    assert retention.purge(None, 30, "bea").readings == (number,)


def test_an_upload_goes_when_it_is_over_and_its_bill_settled(
    ledger: Ledger, documents: DocumentStore, clock: Clock
) -> None:
    log = UploadLog(ledger.engine, clock)

    def sent(number: int, state: UploadState, record_id: int | None) -> int:
        given = Sent(
            f"of {number}", "token:x", f"k{number}", "r", f"{NAME}.pdf", "0" * 64, "in_invoice", None
        )
        kept_as = log.receive(given).id
        log.settle(kept_as, state, "", record_id)
        return kept_as

    kept(ledger, documents, 1, JobState.FILLED)
    kept(ledger, documents, 2, JobState.IN_REVIEW)
    over = {sent(1, UploadState.DONE, 1), sent(3, UploadState.REFUSED, None), sent(4, UploadState.DONE, 99)}
    still = {
        sent(2, UploadState.DONE, 2),
        sent(5, UploadState.WAITING, None),
        sent(6, UploadState.SENDING, None),
    }
    clock.now += timedelta(days=31)
    still.add(sent(7, UploadState.DONE, 98))
    retention = Retention(ledger.engine, documents, clock)
    assert retention.purge(None, 30, "bea").uploads == ()
    assert set(retention.purge(30, None, "bea", dry_run=True).uploads) == over
    assert log.get(min(over)) is not None
    assert set(retention.purge(30, None, "bea").uploads) == over
    assert [log.get(number) for number in over] == [None] * 3
    assert None not in [log.get(number) for number in still]
    newest = Chain(ledger.engine).newest(1)[0]
    assert (newest.action, newest.values) == ("uploads.purged", {"actor": "bea", "uploads": sorted(over)})
    assert retention.purge(30, None, "bea").uploads == ()


def test_a_file_that_something_open_or_young_names_stays(
    ledger: Ledger, documents: DocumentStore, clock: Clock
) -> None:
    kept(ledger, documents, 1, JobState.SKIPPED, b"shared")
    kept(ledger, documents, 2, JobState.IN_REVIEW, b"shared")
    kept(ledger, documents, 3, JobState.SKIPPED, b"twice")
    clock.now += timedelta(days=20)
    kept(ledger, documents, 4, JobState.SKIPPED, b"twice")
    clock.now += timedelta(days=20)
    documents.put(b"just put, not named yet")
    for file in documents.files():
        if file.read_bytes() != b"just put, not named yet":
            os.utime(file, (NOON.timestamp(), NOON.timestamp()))
        else:
            os.utime(file, (clock.now.timestamp(), clock.now.timestamp()))
    retention = Retention(ledger.engine, documents, clock)
    assert retention.purge(30, None, "bea").files == {}
    clock.now += timedelta(days=20)
    retention.purge(30, None, "bea")
    assert files(documents) == {b"shared"}


def test_a_purged_document_is_known_again_and_its_page_says_that_it_is_gone(tmp_path: Path) -> None:
    desk = fill(tmp_path)
    names = {number: name for name, number in desk.ids.items()}
    desk.clock.move(days=500)
    age(desk.documents, datetime(2025, 1, 1, tzinfo=UTC))
    marks = "SELECT count(*) FROM mark"
    with desk.ledger.engine.connect() as connection:
        before = connection.execute(text(marks)).scalar()
    gone = Retention(desk.ledger.engine, desk.documents, desk.clock).purge(30, 30, "bea")
    assert gone.readings
    with desk.ledger.engine.connect() as connection:
        assert connection.execute(text(marks)).scalar() == before
    client = TestClient(create_app(desk.deps), base_url="http://127.0.0.1:8170")
    for number in gone.readings:
        page = client.get(f"/documents/{number}")
        assert page.status_code in (200, 303), names[number]


# -- a person -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Zoë Quendlinger", ["zoë  quendlinger", "Frau Zoë\nQuendlinger,", "(ZOË QUENDLINGER)"]),
        (
            IBAN,
            ["IBAN DE89370400440532013000.", "DE89 3704 0044 0532 0130 00", "de89-3704-0044-0532-0130-00"],
        ),
        ("zoe@quendlinger.example", ["<Zoe@Quendlinger.example>", "mailto:zoe@quendlinger.example"]),
        ("+49 30 1234567", ["Tel. +49 (30) 123-4567", "+49301234567"]),
    ],
)
def test_words_are_found_in_other_spellings(words: str, found: list[str]) -> None:
    pattern = pattern_of([words])
    assert [one for one in found if not pattern.search(one)] == []
    assert not pattern.search(
        "Zoë Quendlingers DE893704004405320130001 4930123456789 azoe@quendlinger.example"
    )


def test_words_that_would_be_found_everywhere_are_refused() -> None:
    with pytest.raises(SettingsError, match="too short"):
        pattern_of(["Zoë Quendlinger", "A. B"])


@given(st.lists(st.text("ab .-/()@1", min_size=4, max_size=12), min_size=1, max_size=3), st.text())
def test_no_words_break_the_search(words: list[str], said: str) -> None:
    try:
        pattern_of(words).sub(BLANK, said)
    except SettingsError:
        return


def test_a_person_is_found_everywhere_and_erased_for_good(
    ledger: Ledger, documents: DocumentStore, ledger_url: str, tmp_path: Path
) -> None:
    numbers = {state: kept(ledger, documents, at, state) for at, state in enumerate(EVERY, 1)}
    unread = kept(ledger, documents, 40, JobState.SKIPPED, b"on page 2: call +49 30 1234567")
    other = kept(ledger, documents, 50, JobState.SKIPPED, b"of nobody")
    judged(ledger, numbers[JobState.FILLED])
    learning = Learning(ledger.engine)
    learning.switch_shadow("main", 5, NAME, True, "bea")
    ledger.retry(NAME, job_ids=[numbers[JobState.FAILED]])
    answers = tmp_path / "answers" / "ab"
    answers.mkdir(parents=True)
    (answers / "one").write_text(json.dumps({"text": f"seller: {NAME}"}))
    (answers / "two").write_text(json.dumps({"text": "nobody"}))
    with ledger.engine.begin() as connection:
        # This one was read without the name, so that only its page says who it is about.
        for table in ("reading", "proposal"):
            connection.execute(text(f"UPDATE {table} SET body = '{{}}' WHERE job_id IN ({unread}, {other})"))
        connection.execute(text(f"UPDATE proposal SET reasons = '[]' WHERE job_id IN ({unread}, {other})"))
    people = People(ledger.engine, documents, tmp_path / "answers", lambda data: [data.decode()])
    words = [NAME, "+49 30 1234567"]
    before = people.find(words)
    still_open = {n for state, n in numbers.items() if state not in (JobState.FILLED, JobState.SKIPPED)}
    assert set(before.documents) == {*numbers.values(), unread}
    assert set(before.open_documents) == still_open
    assert "of 40: account.move 40" in before.records
    for place in (
        "answers",
        "reading.body",
        "proposal.reasons",
        "effect.message",
        "lesson.printed",
        "review.vendor",
        "review.reasons",
        "shadow.vendor",
        "transition.message",
        "transition.actor",
        "verdict.vendor",
        "audit_detail.body",
    ):
        assert before.places[place] >= 1, place
    assert people.find(words) == before

    assert people.erase(words, "dpo") == before
    after = people.find(words)
    assert set(after.documents) == still_open
    assert after.files == ()
    told_of_open = {"reading.body", "proposal.body", "proposal.reasons", "effect.body", "effect.message"}
    told_of_open |= {
        "review.title",
        "review.vendor",
        "review.reasons",
        "transition.message",
        "transition.actor",
    }
    told_of_open |= {"attempt.error", "job.message"}
    assert set(after.places) <= told_of_open
    assert learning.lessons("main") == []
    assert [file.name for file in answers.iterdir()] == ["two"]
    assert Chain(ledger.engine).verify()[1] == []
    newest = Chain(ledger.engine).newest(1)[0]
    assert (newest.action, newest.values["actor"]) == ("person.erased", "dpo")

    for number in still_open:
        with ledger.engine.begin() as connection:
            connection.execute(text(f"UPDATE job SET state = 'skipped' WHERE id = {number}"))
    people.erase(words, "dpo")
    left = people.find(words)
    assert (left.places, left.documents) == ({}, ())
    assert files(documents) == {b"of nobody"}
    assert Chain(ledger.engine).verify()[1] == []
    if ledger_url.startswith("sqlite"):
        raw = b"".join(
            Path(f"{ledger_url.removeprefix('sqlite:///')}{end}").read_bytes() for end in ("", "-wal")
        )
        assert NAME.encode() not in raw
        assert NAME.encode("unicode_escape") not in raw
        assert b"Quendlinger" not in raw


def test_the_commands_purge_find_and_erase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCH_DATA_DIR", str(tmp_path))
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    store = DocumentStore(tmp_path / "documents")
    kept(ledger, store, 1, JobState.SKIPPED)
    age(store, NOON - timedelta(days=400))
    with Session(ledger.engine) as session, session.begin():
        session.execute(text("UPDATE job SET updated_at = '2020-01-01 00:00:00.000000'"))
    ledger.close()

    def run(*words: str) -> tuple[int, Any]:
        done = CliRunner().invoke(app, [*words, "--json"])
        return done.exit_code, json.loads(done.stdout) if done.stdout else done.exception

    assert isinstance(run("purge")[1], SettingsError)
    monkeypatch.setenv("VOUCH_RETENTION__DOCUMENTS_DAYS", "30")
    assert len(run("purge", "--dry-run")[1]["files"]) == 1
    assert len(run("purge")[1]["files"]) == 1
    assert run("purge")[1]["files"] == {}
    code, told = run("person", "find", "--no-pages", NAME)
    assert (code, told["status"], told["documents"]) == (0, "found", [1])
    assert run("person", "erase", "--no-pages", NAME)[1]["status"] == "would be erased"
    assert run("person", "erase", "--no-pages", "--yes", NAME)[1]["documents"] == [1]
    assert run("person", "find", "--no-pages", NAME)[1]["places"] == {}
