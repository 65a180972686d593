"""The audit shows every change of it, is written with what it tells of, and holds nothing personal in its chain."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from connector.bootstrap import told_settings
from connector.cli import app
from connector.erp.people import Admitted
from connector.errors import FatalError
from connector.ledger.audit import (
    BEGINNING,
    AuditDetail,
    AuditEntry,
    Deed,
    audit,
    canonical,
    digest_of,
    hash_of,
)
from connector.ledger.chain import Anchor, Chain, Link, faults, note_settings
from connector.ledger.learning import Learning
from connector.ledger.migrate import open_ledger
from connector.ledger.records import ReviewSummary, Transition
from connector.ledger.sessions import Lifetime, Sessions
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.ledger.tokens import Tokens
from connector.settings import load_settings
from tests.unit.test_ledger import NOON, attachment, clock, effect, ledger, ledger_url, poll

__all__ = ["clock", "ledger", "ledger_url"]

APPENDER = """
import sys
from sqlalchemy.orm import Session
from connector.ledger.audit import Deed, audit
from connector.ledger.store import Ledger

ledger = Ledger.connect(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(40):
    with Session(ledger.engine) as session, session.begin():
        audit(session, Deed("test.done", f"document {number}", sys.argv[2]))
ledger.close()
"""


def link(number: int, previous: str, subject: str = "document 1") -> Link:
    at, action = f"2026-11-02T12:00:{number:02}.000000+00:00", "document.moved"
    salt, body = f"{number:032x}", canonical({"actor": "a", "number": number})
    digest = digest_of(salt, body)
    hashed = hash_of(number, at, action, subject, digest, previous)
    return Link(number, at, action, subject, digest, previous, hashed, salt, body)


def whole(length: int, subject: str = "document 1") -> list[Link]:
    made: list[Link] = []
    for number in range(1, length + 1):
        made.append(link(number, made[-1].hash if made else BEGINNING, subject))
    return made


def anchor_of(links: list[Link]) -> Anchor:
    return Anchor(links[-1].sequence, links[-1].hash)


COLUMNS = [field.name for field in dataclasses.fields(Link) if field.name != "sequence"]


@given(st.integers(1, 12), st.data())
def test_any_single_change_is_found_and_named(length: int, data: st.DataObject) -> None:
    links = whole(length)
    at = data.draw(st.integers(0, length - 1))
    column = data.draw(st.sampled_from(COLUMNS))
    before = getattr(links[at], column)
    changed = data.draw(
        st.one_of(st.text(max_size=70), st.none() if column in ("salt", "body") else st.text())
    )
    links[at] = dataclasses.replace(links[at], **{column: changed})
    if changed == before:
        assert not list(faults(links))
        return
    found = {fault.sequence for fault in faults(links)}
    assert at + 1 in found
    assert found <= {at + 1, at + 2}


@given(st.integers(2, 12), st.data())
def test_any_removal_swap_or_insertion_is_found_and_named(length: int, data: st.DataObject) -> None:
    links = whole(length)
    anchor = anchor_of(links)
    at = data.draw(st.integers(0, length - 1))
    kind = data.draw(st.sampled_from(["remove", "remove and close", "swap", "insert", "repeat"]))
    if kind == "swap":
        other = data.draw(st.integers(0, length - 1).filter(lambda n: n != at))
        one, two = links[at], links[other]
        links[at] = dataclasses.replace(two, sequence=one.sequence)
        links[other] = dataclasses.replace(one, sequence=two.sequence)
        at = min(at, other)
    elif kind == "insert":
        forged = link(at + 1, links[at - 1].hash if at else BEGINNING, "document 666")
        links = [*links[:at], forged, *(dataclasses.replace(x, sequence=x.sequence + 1) for x in links[at:])]
    elif kind == "repeat":
        links.insert(at, links[at])
    else:
        del links[at]
        if kind == "remove and close":
            links[at:] = [dataclasses.replace(x, sequence=x.sequence - 1) for x in links[at:]]
    found = [fault.sequence for fault in faults(links, anchor=anchor)]
    assert found
    assert found[0] in (at + 1, at + 2)


@given(st.integers(2, 12), st.data())
def test_a_cut_or_rewritten_end_is_found_against_an_anchor_only(length: int, data: st.DataObject) -> None:
    links = whole(length)
    anchor = anchor_of(links)
    kept = data.draw(st.integers(0, length - 1))
    cut, rewritten = links[:kept], links[:kept]
    for number in range(kept + 1, length + 2):
        rewritten.append(link(number, rewritten[-1].hash if rewritten else BEGINNING, "document 666"))
    for forged in (cut, rewritten):
        assert not list(faults(forged))
        assert list(faults(forged, anchor=anchor))
    assert not list(faults([*links, link(length + 1, links[-1].hash)], anchor=anchor))


def settled(ledger: Ledger, number: int) -> None:
    ledger.remember("main", poll(attachment(number)))
    job = ledger.claim("machine:1:x", ["main"])
    assert job is not None
    intended = effect(f"key {number}", JobState.IN_REVIEW)
    ledger.intend(job, intended)
    ledger.settle(job, intended, ReviewSummary("a bill"), ["doubtful"])


def actions(ledger: Ledger) -> list[str]:
    return [one.action for one in reversed(Chain(ledger.engine).newest(1000))]


def test_what_happens_to_a_document_is_audited(ledger: Ledger) -> None:
    settled(ledger, 1)
    ledger.retry("person:zoë", [JobState.IN_REVIEW])
    Learning(ledger.engine).switch_shadow("main", 5, "Acme", True, "bea")
    told = Counter(actions(ledger))
    assert told == {
        "document.moved": 4,
        "effect.intended": 1,
        "effect.done": 1,
        "review.settled": 1,
        "shadow.switched": 1,
    }
    newest = Chain(ledger.engine).newest(10)
    assert newest[0].subject == "vendor main/5"
    assert newest[0].values == {"actor": "bea", "on": True}
    retried = next(one for one in newest if one.values.get("reason") == "retry")
    assert (retried.subject, retried.values["actor"]) == ("document 1", "person:zoë")
    assert Chain(ledger.engine).verify() == (8, [])


def test_sign_ins_and_tokens_are_audited_without_their_secrets(ledger: Ledger) -> None:
    sessions, tokens = Sessions(ledger.engine, Lifetime()), Tokens(ledger.engine)
    cookie = sessions.open("main", Admitted(7, "zoë", "Zoë", None, ""))
    sessions.end(cookie)
    sessions.end("not a session")
    token = tokens.make("scanner", "main", ["documents:write"], actor="person:zoë")
    assert tokens.revoke("scanner", "person:zoë")
    assert not tokens.revoke("scanner")
    newest = Chain(ledger.engine).newest()
    told = [(one.action, one.subject, one.values["actor"]) for one in reversed(newest)]
    assert told == [
        ("session.opened", "user main/7", "person:zoë"),
        ("session.ended", "user main/7", "person:zoë"),
        ("token.made", "token 1", "person:zoë"),
        ("token.revoked", "token 1", "person:zoë"),
    ]
    assert not any(secret in repr(newest) for secret in (cookie, token))


def test_settings_are_told_when_they_changed_and_without_secrets(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "DATA_DIR": str(tmp_path),
        "BACKENDS__MAIN__URL": "https://user:s3cret@odoo.example/path",
        "BACKENDS__MAIN__DATABASE": "production",
        "BACKENDS__MAIN__API_KEY": "k3y",
    }.items():
        monkeypatch.setenv(f"VOUCH_{name}", value)
    for dial in ("0.9", "0.9", "0.95", "0.9"):
        monkeypatch.setenv("VOUCH_POLICY__FILL_CONFIDENCE", dial)
        note_settings(ledger.engine, told_settings(load_settings()))
    told = [one.values for one in reversed(Chain(ledger.engine).newest(action="settings"))]
    assert [one["policy"]["fill_confidence"] for one in told] == [0.9, 0.95, 0.9]
    assert told[0]["backends"] == {"main": "odoo.example:443/production"}
    assert "s3cret" not in repr(told)
    assert "k3y" not in repr(told)


def test_the_chain_itself_says_nothing_personal(ledger: Ledger) -> None:
    settled(ledger, 1)
    ledger.retry("person:zoë", [JobState.IN_REVIEW])
    with Session(ledger.engine) as session:
        rows = [tuple(vars(row).values()) for row in session.scalars(select(AuditEntry))]
    assert "zoë" not in repr(rows)
    assert "bill 1" not in repr(rows)


def test_what_is_rolled_back_is_not_audited(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(1)))
    session = Session(ledger.engine)
    moved = {"before": "queued", "after": "running", "reason": "", "message": "", "actor": "a"}
    session.add(Transition(job_id=1, at=NOON, **moved))
    audit(session, Deed("test.done", "nothing", "a"))
    session.flush()
    session.rollback()
    audit(session, Deed("test.done", "something", "a"))
    session.commit()
    session.close()
    assert [one.subject for one in Chain(ledger.engine).newest()] == ["something"]


@pytest.mark.parametrize(
    "statement",
    [
        update(AuditEntry).values(action="x"),
        delete(AuditEntry),
        update(AuditDetail).values(body="{}"),
        insert(AuditEntry).values(sequence=1, at="", action="", subject="", digest="", previous="", hash=""),
        insert(AuditDetail).values(sequence=1, salt="", body=""),
    ],
    ids=["update", "delete", "update detail", "insert again", "insert detail again"],
)
def test_the_database_refuses_to_change_the_audit(ledger: Ledger, statement: object) -> None:
    settled(ledger, 1)
    with pytest.raises(DBAPIError), ledger.engine.begin() as connection:
        connection.execute(statement)  # type: ignore[call-overload]
    assert Chain(ledger.engine).verify()[1] == []


def test_sqlite_refuses_what_replaces_or_goes_ahead(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    settled(ledger, 1)
    for words in (
        "INSERT OR REPLACE INTO audit SELECT sequence, at, 'x', subject, digest, previous, hash FROM audit",
        "INSERT INTO audit SELECT sequence + 100, at, action, subject, digest, previous, hash FROM audit",
        "INSERT OR REPLACE INTO audit_detail SELECT sequence, salt, '{}' FROM audit_detail",
    ):
        with pytest.raises(DBAPIError, match="only be added to"), ledger.engine.begin() as connection:
            connection.execute(text(words))
    ledger.close()


def tamper(ledger: Ledger, words: str) -> None:
    """What somebody does who owns the database."""
    with ledger.engine.begin() as connection:
        for table in ("audit", "audit_detail"):
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
            else:
                for what in ("update", "delete", "insert"):
                    connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_{what}"))
        connection.execute(text(words))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("UPDATE audit SET subject = 'document 2' WHERE sequence = 3", "Entry 3 was changed."),
        ("DELETE FROM audit WHERE sequence = 2", "Entry 2 is missing."),
        ("UPDATE audit_detail SET body = '{}' WHERE sequence = 4", "The detail of entry 4 was changed."),
        (
            "DELETE FROM audit_detail WHERE sequence = 1",
            "The detail of entry 1 is gone, and no erasure names it.",
        ),
    ],
)
def test_who_owns_the_database_is_found_out(ledger: Ledger, words: str, message: str) -> None:
    settled(ledger, 1)
    tamper(ledger, words)
    assert message in [fault.message for fault in Chain(ledger.engine).verify()[1]]


def test_a_detail_may_go_where_an_erasure_in_the_chain_names_it(ledger: Ledger) -> None:
    settled(ledger, 1)
    with Session(ledger.engine) as session, session.begin():
        session.execute(delete(AuditDetail).where(AuditDetail.sequence.in_([1, 3])))
        audit(session, Deed("person.erased", "ledger", "bea", {"erased": [1, 3]}))
    assert Chain(ledger.engine).verify()[1] == []
    with ledger.engine.begin() as connection:
        connection.execute(delete(AuditDetail).where(AuditDetail.sequence == 2))
    assert [fault.sequence for fault in Chain(ledger.engine).verify()[1]] == [2]


def test_processes_that_audit_at_once_make_one_chain(ledger: Ledger, ledger_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, ledger_url, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "abc"
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.communicate("\n", timeout=120)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert Chain(ledger.engine).verify() == (120, [])
    who = [one.values["actor"] for one in Chain(ledger.engine).newest(120)]
    assert {name: who.count(name) for name in "abc"} == dict.fromkeys("abc", 40)


def test_a_program_older_than_the_ledger_writes_nothing_more(ledger: Ledger) -> None:
    ledger.remember("main", poll(attachment(1)))
    job = ledger.claim("old", ["main"])
    assert job is not None
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    writes: list[Callable[[], object]] = [
        lambda: ledger.finish(job, JobState.SKIPPED, "r", ""),
        lambda: ledger.remember("main", poll(attachment(2))),
        lambda: ledger.claim("old", ["main"]),
        lambda: ledger.renew("old", [job.id]),
        lambda: Learning(ledger.engine).switch_shadow("main", 5, "Acme", True, "bea"),
    ]
    for write in writes:
        with pytest.raises(FatalError, match="upgraded to schema 9999"):
            write()
    assert [one.state for one in ledger.jobs()] == ["running"]


def test_the_commands_anchor_verify_and_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCH_DATA_DIR", str(tmp_path))
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    settled(ledger, 1)
    run = CliRunner().invoke
    anchor = run(app, ["audit", "anchor"]).stdout.strip()
    (tmp_path / "anchor").write_text(anchor)
    settled(ledger, 2)
    good = run(app, ["audit", "verify", "--json", "--anchor", anchor])
    assert (good.exit_code, json.loads(good.stdout)["whole"]) == (0, True)
    listed = json.loads(run(app, ["audit", "list", "--document", "2", "--json"]).stdout)["entries"]
    assert {one["subject"] for one in listed} == {"document 2"}
    assert "document 1" in run(app, ["audit", "list", "--action", "effect"]).stdout
    tamper(ledger, "DELETE FROM audit WHERE sequence >= 5")
    tamper(ledger, "DELETE FROM audit_detail WHERE sequence >= 5")
    assert run(app, ["audit", "verify"]).exit_code == 0
    cut = run(app, ["audit", "verify", "--json", "--anchor", str(tmp_path / "anchor")])
    assert cut.exit_code == 8
    assert json.loads(cut.stdout)["faults"] == [
        {"entry": 5, "message": "The audit ends at entry 4, the anchor was taken at 5."}
    ]
    assert run(app, ["audit", "verify", "--anchor", "no-such-file"]).exit_code != 0
    ledger.close()
