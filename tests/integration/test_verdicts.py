"""How a person settles a bill, in a real Odoo: nothing twice, nothing lost, nothing of others overwritten."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector.erp.odoo import OdooErp
from connector.erp.port import BILL, Effect
from connector.erp.wire import Connection
from connector.errors import AwayError, OutcomeUnknown, SkippableError
from connector.ledger.migrate import open_ledger
from connector.ledger.own_secret import NOTES, OwnSecret, seal_of
from connector.ledger.records import Job
from connector.ledger.settling import Settling
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.ledger.tokens import Tokens
from connector.recognition import APPROVE, FILL, FILLED, effect_key, person_key, recognised
from connector.settling.edits import VerdictBody
from connector.settling.person import Person
from connector.settling.verdicts import OwnKeyRefused, Settled, decide
from mappings.memory import Kind
from tests.integration.odoo_server import Odoo, OdooDatabase
from tests.integration.settling import Desk, Settler, answered, make_desk, second_company


@pytest.fixture
def desk(database: OdooDatabase, tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(database, tmp_path, posting=True)
    yield made
    made.close()


@pytest.fixture
def job(desk: Desk) -> Iterator[Job]:
    job = desk.in_review()
    yield job
    if rows := desk.odoo.find(BILL, [["id", "=", job.record_id]], ["state"]):
        if rows[0]["state"] == "posted":
            desk.odoo.call(BILL, "button_draft", [job.record_id])
        desk.odoo.call(BILL, "unlink", [job.record_id])


def state(desk: Desk, job: Job) -> str:
    found = Settling(desk.ledger.engine).job(job.id)
    assert found is not None
    return found.state


def test_approve_writes_the_bill_in_one_effect(desk: Desk, person: Settler, job: Job) -> None:
    assert len(desk.to_do(job)) == 1
    seen = person.draft(
        job.id,
        {
            "target": "ref",
            "value": "MINE/7",
            "evidence": {"page": 1, "box": [0.1, 0.1, 0.2, 0.2], "text": "MINE/7"},
        },
        {"target": "lines.l1.name", "value": "Another description"},
    )
    before = len(desk.notes(job))
    answer = person.decide(seen, "approve", reason="Told by phone")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["outcome"], answer.json()["state"]) == ("filled", "filled")
    found = desk.record(job, "ref", "partner_id", "amount_total", "invoice_line_ids", "state")
    assert (found["ref"], found["state"]) == ("MINE/7", "draft")
    assert Decimal(str(found["amount_total"])) == Decimal(seen["totals"]["total"]["odoo"])
    [line] = desk.odoo.find("account.move.line", [["id", "=", found["invoice_line_ids"][0]]], ["name"])
    assert line["name"] == "Another description"
    notes = desk.notes(job)
    assert len(notes) == before + 1
    assert "Approved by" in notes[-1]
    assert "MINE/7" in notes[-1]
    assert "Told by phone" in notes[-1]
    assert desk.to_do(job) == []
    assert set(desk.corrections(job)) == {"ref", "lines.l1.name"}
    assert person.client.get(f"/api/v1/reviews/{job.id}").status_code == 404
    story = desk.ledger.story(job.id)
    assert story is not None
    assert story.review is not None
    assert (story.review.verdict, story.transitions[-1].actor) == ("approve", "review page")


@pytest.mark.parametrize(
    ("sample", "check"), [("changed_account", "bank_account_known"), ("duplicate", "duplicate")]
)
def test_what_is_asked_of_the_whole_document_is_answered_first(
    desk: Desk, person: Settler, sample: str, check: str
) -> None:
    job = desk.in_review(sample)
    seen = person.get(f"/reviews/{job.id}")
    asked = [question["id"] for question in seen["questions"]]
    assert check in asked
    for some in ([], ["no_such_check"], [one for one in asked if one != check]):
        answer = person.decide(seen, "approve", acknowledged=some)
        assert (answer.status_code, answer.json()["error"]) == (409, "unanswered")
        left = answer.json()["checks"]
        assert [one["id"] for one in left] == [one for one in asked if one not in some]
        assert all(one["message"] for one in left)
    assert state(desk, job) == "in_review"
    assert desk.record(job, "invoice_line_ids")["invoice_line_ids"] == []
    answer = person.decide(seen, "approve", acknowledged=asked)
    assert answer.status_code == 200, answer.text


def test_a_verdict_is_written_as_the_person_who_gave_a_key(
    desk: Desk, person: Settler, job: Job, database: OdooDatabase
) -> None:
    def as_person(secret: str) -> OdooErp:
        return OdooErp(Connection("main", database.url, database.database, SecretStr(secret), "accountant"))

    def approve(own: OdooErp) -> Settled:
        body = VerdictBody(verdict="approve", version=seen["version"], key=uuid.uuid4().hex, **answered(seen))
        return decide(
            desk.deps.desk, job.id, body, Person("accountant", "Ana"), desk.deps.documents, no_pages, own
        )

    seen = person.get(f"/reviews/{job.id}")
    ended, own = as_person("a key that has ended"), as_person("accountant")
    with pytest.raises(OwnKeyRefused, match="nothing was written"):
        approve(ended)
    assert state(desk, job) == "in_review"
    assert desk.record(job, "invoice_line_ids")["invoice_line_ids"] == []
    assert approve(own).outcome == "filled"
    domain = [["model", "=", BILL], ["res_id", "=", job.record_id], ["body", "ilike", "Approved by Ana"]]
    [note] = desk.odoo.find("mail.message", domain, ["create_uid"])
    [user] = desk.odoo.find("res.users", [["login", "=", "accountant"]], ["id"])
    assert note["create_uid"][0] == user["id"]
    ended.close()
    own.close()


def test_an_approval_under_an_own_key_is_known_again_after_a_restore(
    desk: Desk, person: Settler, job: Job, database: OdooDatabase, tmp_path: Path
) -> None:
    """The backup is of before the document came; the note that tells of its approval is by the reviewer's own user."""
    own = OdooErp(Connection("main", database.url, database.database, SecretStr("accountant"), "accountant"))
    kept, secret = desk.ledger, select(OwnSecret.value)
    seen = person.get(f"/reviews/{job.id}")
    body = VerdictBody(verdict="approve", version=seen["version"], key=uuid.uuid4().hex, **answered(seen))
    reviewer = Person("accountant", "Ana")
    decide(desk.deps.desk, job.id, body, reviewer, desk.deps.documents, no_pages, own)
    found = desk.record(job, "write_date", "invoice_line_ids", "message_ids")
    notes = desk.odoo.find("mail.message", [["id", "in", found["message_ids"]]], ["body", "create_uid"])
    [signed] = [note for note in notes if "Approved by Ana" in note["body"]]
    assert signed["create_uid"][0] == own.session.user_id != desk.erp.session.user_id

    def again(ledger: Ledger) -> Job:
        desk.ledger = desk.pipeline.ledger = ledger
        return desk.work(job.record_id)

    try:
        # Without the secret a note of somebody else counts for nothing, as if they had made it up.
        empty = open_ledger(f"sqlite:///{tmp_path / 'empty.db'}")
        assert again(empty).message != FILLED
        empty.close()
        restored = open_ledger(f"sqlite:///{tmp_path / 'restored.db'}")
        with Session(kept.engine) as old, Session(restored.engine) as new, new.begin():
            new.add(OwnSecret(name=NOTES, value=old.scalars(secret).one()))
        known = again(restored)
        assert (known.state, known.message) == ("filled", FILLED)
        restored.close()
    finally:
        desk.ledger = desk.pipeline.ledger = kept
        own.close()
    assert desk.record(job, "write_date", "invoice_line_ids")["invoice_line_ids"] == found["invoice_line_ids"]


def test_a_seal_that_somebody_made_up_counts_for_nothing(desk: Desk, job: Job, tmp_path: Path) -> None:
    other = open_ledger(f"sqlite:///{tmp_path / 'other.db'}")
    forged = [
        person_key(job, APPROVE, "mine", seal_of(other.engine)),
        effect_key(job, APPROVE),
        effect_key(job, FILL),
        seal_of(desk.ledger.engine).sealed("of nothing here"),
    ]
    other.close()
    marks = "".join(f"<p><small>Vouch {key}</small></p>" for key in forged)
    ours = desk.erp.noted(BILL, job.record_id, seal_of(desk.ledger.engine).holds)
    message = {"model": BILL, "res_id": job.record_id, "body": marks, "message_type": "comment"}
    desk.odoo.call("mail.message", "create", [message])
    noted = desk.erp.noted(BILL, job.record_id, seal_of(desk.ledger.engine).holds)
    assert noted - ours == {forged[-1]}
    assert recognised(job, noted) == recognised(job, ours)


def no_pages(data: bytes, first: int, last: int) -> bytes:
    raise AssertionError("nothing is split here")


def test_a_number_pointed_at_teaches_where_it_stands(desk: Desk, person: Settler, job: Job) -> None:
    words = person.client.get(f"/api/v1/documents/{job.id}/pages/1/words").json()
    seen = person.get(f"/reviews/{job.id}")
    [number] = [field for field in seen["fields"] if field["target"] == "ref"]
    taken = next(word for word in words if word["text"].strip().isdigit() and len(word["text"].strip()) > 3)
    other = next(word for word in words if word["text"] != taken["text"] and len(word["text"]) > 4)

    def edit(value: str, box: list[float]) -> dict[str, Any]:
        return {"target": "ref", "value": value, "evidence": {"page": 1, "box": box, "text": value}}

    def taught() -> list[tuple[str, str]]:
        lessons = desk.pipeline.judge.learning.lessons("main")
        return [(one.subject.term, one.printed) for one in lessons if one.subject.kind is Kind.LAYOUT]

    assert number["value"] != taken["text"]
    for box, count in ((other["box"], 0), (taken["box"], 1)):
        bill = person.draft(job.id, edit(taken["text"].strip(), box))
        assert person.decide(bill, "approve").json()["outcome"] == "filled"
        assert len(taught()) == count
        if not count:
            undone = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
            assert undone.status_code == 200, undone.text
    [(term, label)] = taught()
    assert term == "invoice_number"
    assert label.strip()
    undone = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
    assert undone.status_code == 200
    assert taught() == []


def test_an_approved_bill_is_known_again_after_the_ledger_was_lost(
    desk: Desk, person: Settler, job: Job, tmp_path: Path
) -> None:
    assert person.decide(person.get(f"/reviews/{job.id}"), "approve").json()["outcome"] == "filled"
    found = desk.record(job, "write_date", "invoice_line_ids")
    kept = desk.ledger
    desk.ledger = desk.pipeline.ledger = open_ledger(f"sqlite:///{tmp_path / 'new.db'}")
    again = desk.work(job.record_id)
    assert (again.state, again.message) == ("filled", FILLED)
    desk.ledger.close()
    desk.ledger = desk.pipeline.ledger = kept
    undone = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
    assert undone.status_code == 200, undone.text
    taken_back = desk.record(job, "write_date", "invoice_line_ids")
    assert found["invoice_line_ids"] != taken_back["invoice_line_ids"] == []
    desk.ledger = desk.pipeline.ledger = open_ledger(f"sqlite:///{tmp_path / 'newer.db'}")
    assert desk.work(job.record_id).state == "in_review"
    assert desk.record(job, "write_date", "invoice_line_ids") == taken_back
    desk.ledger.close()
    desk.ledger = desk.pipeline.ledger = kept


def test_approve_and_post(desk: Desk, person: Settler, job: Job) -> None:
    seen = person.get(f"/reviews/{job.id}")
    answer = person.decide(seen, "approve_and_post")
    assert answer.json()["outcome"] == "posted", answer.text
    assert desk.record(job, "state")["state"] == "posted"
    story = desk.ledger.story(job.id)
    assert story is not None
    assert [effect.status for effect in story.effects] == ["done", "done", "done"]
    desk.pipeline.learn()
    assert [one.score >= 0 for one in desk.pipeline.judge.learning.trials("main")] != [False]


def test_a_lost_answer_is_looked_up_with_the_same_key(desk: Desk, person: Settler, job: Job) -> None:
    def lose(_: Effect) -> None:
        raise OutcomeUnknown("the answer was lost")

    seen, key = person.get(f"/reviews/{job.id}"), uuid.uuid4().hex
    desk.erp.after = [lose]
    body = {"verdict": "approve", "version": seen["version"], "key": key, **answered(seen)}
    lost = person.send("POST", f"/reviews/{job.id}/verdict", body)
    assert (lost.status_code, lost.json()["error"]) == (503, "away")
    for _ in range(2):
        again = person.send("POST", f"/reviews/{job.id}/verdict", body)
        assert (again.status_code, again.json()["outcome"]) == (200, "filled"), again.text
    assert len([note for note in desk.notes(job) if "Approved by" in note]) == 1


def test_odoo_away_leaves_the_draft(desk: Desk, person: Settler, job: Job) -> None:
    def away(_: Effect) -> None:
        raise AwayError("Odoo does not answer")

    seen = person.draft(job.id, {"target": "ref", "value": "KEPT"})
    desk.erp.before = [away]
    body = {"verdict": "approve", "version": seen["version"], "key": uuid.uuid4().hex, **answered(seen)}
    first = person.send("POST", f"/reviews/{job.id}/verdict", body)
    assert (first.status_code, first.json()["error"]) == (503, "away")
    assert person.get(f"/reviews/{job.id}")["edits"] == [{"target": "ref", "value": "KEPT"}]
    assert desk.record(job, "ref")["ref"] is False
    again = person.send("POST", f"/reviews/{job.id}/verdict", body)
    assert again.json()["outcome"] == "filled", again.text
    assert desk.record(job, "ref")["ref"] == "KEPT"


def test_a_record_changed_in_odoo_is_shown_and_never_overwritten(
    desk: Desk, person: Settler, job: Job
) -> None:
    seen = person.draft(job.id, {"target": "payment_reference", "value": "RF-1"})
    desk.odoo.call(BILL, "write", [job.record_id], {"ref": "PERSON"})
    answer = person.decide(seen, "approve")
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    [change] = [one for one in answer.json()["changes"] if one["field"] == "ref"]
    assert (change["was"], change["now"]) == ("", "PERSON")
    assert desk.record(job, "ref", "invoice_line_ids") == {
        "id": job.record_id,
        "ref": "PERSON",
        "invoice_line_ids": [],
    }
    assert person.get(f"/reviews/{job.id}")["conflict"]["changes"]
    taken = person.send("POST", f"/reviews/{job.id}/take-over", {})
    assert taken.status_code == 200, taken.text
    bill = taken.json()
    assert bill["conflict"] is None
    assert [one["value"] for one in bill["fields"] if one["target"] == "ref"] == ["PERSON"]
    assert bill["edits"] == [{"target": "payment_reference", "value": "RF-1"}]
    assert person.decide(bill, "approve").json()["outcome"] == "filled"
    found = desk.record(job, "ref", "payment_reference", "invoice_line_ids")
    assert (found["ref"], found["payment_reference"]) == ("PERSON", "RF-1")
    assert found["invoice_line_ids"]


def test_two_reviewers(desk: Desk, person: Settler, job: Job) -> None:
    first, second = person.get(f"/reviews/{job.id}"), desk.settler()
    mine = second.draft(job.id, {"target": "ref", "value": "SECOND"})
    answer = person.decide(first, "approve")
    assert (answer.status_code, answer.json()["error"]) == (409, "stale")
    assert second.decide(mine, "approve").json()["outcome"] == "filled"
    late = person.decide(first, "skip")
    assert (late.status_code, late.json()["error"]) == (404, "settled")


@pytest.mark.parametrize("verdict", ["not_a_bill", "skip", "duplicate"])
def test_what_is_no_bill_leaves_the_queue(desk: Desk, person: Settler, job: Job, verdict: str) -> None:
    other = desk.bill("english")
    seen = person.get(f"/reviews/{job.id}")
    more = {"duplicate_of": other} if verdict == "duplicate" else {}
    answer = person.decide(seen, verdict, reason="As I say", **more)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "skipped"), answer.text
    found = Settling(desk.ledger.engine).job(job.id)
    assert found is not None
    assert (found.state, found.reason) == ("skipped", verdict)
    assert desk.to_do(job) == []
    assert "As I say" in desk.notes(job)[-1]
    assert desk.record(job, "ref", "state") == {"id": job.record_id, "ref": False, "state": "draft"}
    desk.odoo.call(BILL, "unlink", [other])


def test_a_question_goes_to_the_responsible_and_the_review_stays(
    desk: Desk, person: Settler, job: Job
) -> None:
    seen = person.get(f"/reviews/{job.id}")
    assert person.decide(seen, "question", question="Was this ordered?").json()["outcome"] == "asked"
    assert ["Was this ordered?" in one["summary"] for one in desk.to_do(job)].count(True) == 1
    bill = person.get(f"/reviews/{job.id}")
    assert bill["asked"]["question"] == "Was this ordered?"
    assert person.decide(bill, "approve").json()["outcome"] == "filled"
    assert desk.to_do(job) == []


def test_other_totals_than_approved_keep_the_review_open(desk: Desk, person: Settler, job: Job) -> None:
    def meanwhile(_: Effect) -> None:
        [line] = desk.record(job, "invoice_line_ids")["invoice_line_ids"][:1]
        desk.odoo.call(
            BILL, "write", [job.record_id], {"invoice_line_ids": [(1, line, {"price_unit": 0.01})]}
        )
        raise OutcomeUnknown("the answer was lost")

    seen, key = person.get(f"/reviews/{job.id}"), uuid.uuid4().hex
    desk.erp.after = [meanwhile]
    body = {"verdict": "approve", "version": seen["version"], "key": key, **answered(seen)}
    assert person.send("POST", f"/reviews/{job.id}/verdict", body).status_code == 503
    again = person.send("POST", f"/reviews/{job.id}/verdict", body)
    assert again.json()["outcome"] == "open", again.text
    bill = person.get(f"/reviews/{job.id}")
    assert "Odoo computed" in bill["reasons"][0]
    assert bill["lines"][0]["id"]


def test_undo_brings_the_draft_back(desk: Desk, person: Settler, job: Job) -> None:
    was = desk.record(job, "ref", "partner_id", "invoice_date", "invoice_date_due", "invoice_line_ids")
    seen = person.draft(job.id, {"target": "ref", "value": "MINE/8"})
    assert person.decide(seen, "approve").json()["outcome"] == "filled"
    undone = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
    assert (undone.status_code, undone.json()["outcome"]) == (200, "undone"), undone.text
    assert desk.record(job, *was) == was
    bill = person.get(f"/reviews/{job.id}")
    assert bill["edits"] == [{"target": "ref", "value": "MINE/8"}]
    assert len(desk.to_do(job)) == 1
    assert desk.corrections(job) == {}
    assert person.decide(bill, "approve").json()["outcome"] == "filled"
    desk.odoo.call(BILL, "write", [job.record_id], {"ref": "TOUCHED"})
    refused = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
    assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
    assert desk.record(job, "ref")["ref"] == "TOUCHED"


def test_undo_of_vouchs_own_filling(database: OdooDatabase, tmp_path: Path) -> None:
    desk = make_desk(database, tmp_path, shadow=0)
    bill = desk.bill()
    was = desk.odoo.find(BILL, [["id", "=", bill]], ["ref", "partner_id", "invoice_line_ids"])
    job = desk.work(bill)
    assert job.state == JobState.FILLED, job.message
    person = desk.settler()
    undone = person.send("POST", f"/documents/{job.id}/undo", {"key": uuid.uuid4().hex})
    assert undone.json()["outcome"] == "undone", undone.text
    assert desk.odoo.find(BILL, [["id", "=", bill]], ["ref", "partner_id", "invoice_line_ids"]) == was
    assert person.decide(person.get(f"/reviews/{job.id}"), "approve").json()["outcome"] == "filled"
    desk.odoo.call(BILL, "unlink", [bill])


def test_what_odoo_does_not_post_is_filled_all_the_same(
    desk: Desk, person: Settler, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: object, _record: int) -> None:
        raise SkippableError("Odoo refused account.move.action_post: the period is locked", "refused")

    monkeypatch.setattr(type(desk.erp), "post", refuse)
    seen, key = person.get(f"/reviews/{job.id}"), uuid.uuid4().hex
    body = {"verdict": "approve_and_post", "version": seen["version"], "key": key, **answered(seen)}
    for _ in range(2):
        answer = person.send("POST", f"/reviews/{job.id}/verdict", body).json()
        assert (answer["outcome"], answer["state"]) == ("filled", "filled")
        assert "the period is locked" in answer["message"]
    assert desk.record(job, "state")["state"] == "draft"


def test_split_makes_a_draft_of_each_part(desk: Desk, person: Settler) -> None:
    job = desk.in_review("multi_page")
    seen = person.get(f"/reviews/{job.id}")
    last = len(seen["pages"])
    assert last > 1
    key, ranges = uuid.uuid4().hex, [[1, 1], [2, last]]
    before = {row["id"] for row in desk.odoo.find(BILL, [["move_type", "=", "in_invoice"]], ["id"])}
    body = {"verdict": "split", "version": seen["version"], "key": key, "ranges": ranges}

    def lose(_: Effect) -> None:
        raise OutcomeUnknown("the answer was lost")

    desk.erp.after = [lose]
    assert person.send("POST", f"/reviews/{job.id}/verdict", body).status_code == 503
    answer = person.send("POST", f"/reviews/{job.id}/verdict", body)
    assert answer.json()["outcome"] == "skipped", answer.text
    after = {row["id"] for row in desk.odoo.find(BILL, [["move_type", "=", "in_invoice"]], ["id"])}
    made = sorted(after - before)
    assert len(made) == 2
    files = desk.odoo.find(
        "ir.attachment", [["res_model", "=", BILL], ["res_id", "in", made]], ["name", "res_id", "mimetype"]
    )
    assert sorted(row["mimetype"] for row in files) == ["application/pdf"] * 2
    assert desk.to_do(job) == []
    assert desk.pipeline.discover() == 2


def test_a_bill_of_another_company_is_read_anew_there(database: OdooDatabase, tmp_path: Path) -> None:
    other = second_company(database)
    desk = make_desk(database, tmp_path)
    person, job = desk.settler(), desk.in_review()
    seen = person.get(f"/reviews/{job.id}")
    assert "wrong_company" in seen["verdicts"]
    clerk = Tokens(desk.ledger.engine).make(
        "clerk", "main", ["reviews:write"], companies=[seen["company"]["id"]]
    )
    wish = {
        "verdict": "wrong_company",
        "version": seen["version"],
        "key": uuid.uuid4().hex,
        "company_id": other,
    }
    headers = {"Authorization": f"Bearer {clerk}"}
    refused = person.client.post(f"/api/v1/reviews/{job.id}/verdict", json=wish, headers=headers)
    assert (refused.status_code, refused.json()["target"]) == (422, "company_id")
    answer = person.decide(seen, "wrong_company", company_id=other)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outcome"] == "moved"
    admin = Odoo(database)
    there = {"allowed_company_ids": [other]}
    [found] = admin.call(BILL, "read", [job.record_id], ["company_id"], context=there)
    assert found["company_id"][0] == other
    assert desk.to_do(job) == []
    taken = desk.ledger.claim("test", ["main"])
    assert taken is not None
    assert taken.id == job.id
    desk.pipeline.work(taken)
    assert person.get(f"/reviews/{job.id}")["company"]["id"] == other
    # Nor does the clerk learn of the bill's number there.
    second = desk.in_review()
    more = {"verdict": "duplicate", "duplicate_of": job.record_id, "key": uuid.uuid4().hex}
    wish = more | {"version": person.get(f"/reviews/{second.id}")["version"]}
    refused = person.client.post(f"/api/v1/reviews/{second.id}/verdict", json=wish, headers=headers)
    assert (refused.status_code, refused.json()["target"]) == (422, "duplicate_of")
