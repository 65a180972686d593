"""Bills of one vendor with the same single doubt: which may be approved together, and what becomes of each."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from connector.erp.port import Effect
from connector.errors import AwayError, ConflictError, OutcomeUnknown
from connector.judgement import Owner
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.queue import Queue
from connector.ledger.records import Job, Review
from connector.ledger.settling import Settling
from connector.ledger.tokens import Tokens
from connector.pipeline import Pipeline
from connector.review.app import create_app
from connector.review.deps import ReviewDeps
from inference.checks import PAGE_SHOWS
from inference.invoice import Check, Reading, Status
from mappings.erp_data import Record
from mappings.field_map import default_map
from tests.review_ledger import SANDBOX
from tests.unit.mappings_builder import (
    CARTON,
    FILM,
    TODAY,
    demo_data,
    dijkzicht,
    draft_bill,
    paper_bill,
)
from tests.unit.test_ledger import attachment, poll

BASE = "http://127.0.0.1:8170"
NUMBER = "invoice_number"


@dataclass
class Books:
    """An ERP of draft bills, as the port tells it. `plan` says how the next writes go."""

    backend = "main"
    records: dict[int, Record] = field(default_factory=dict[int, Record])
    printed: dict[int, Reading] = field(default_factory=dict[int, Reading])
    written: list[Effect] = field(default_factory=list[Effect])
    plan: list[str] = field(default_factory=list[str])
    unseen: set[int] = field(default_factory=set[int])

    def looked_at(self, number: int, reading: Reading) -> Reading:
        status = Status.FAIL if number in self.unseen else Status.PASS
        check = Check(
            PAGE_SHOWS, status, "The file has “310.59” as the total, but page 1 shows “3,10” there."
        )
        return replace(reading, checks=(*reading.checks, check))

    def erp_data(self) -> Any:
        return demo_data()

    def field_map(self) -> Any:
        return default_map()

    def download(self, found: Any) -> bytes:
        return str(found.record_id).encode()

    def record(self, model: str, number: int) -> Record:  # noqa: ARG002
        return self.records[number]

    def noted(self, model: str, number: int, sealed: Any) -> frozenset[str]:  # noqa: ARG002
        return frozenset(one.key for one in self.written if (one.model, one.record_id) == (model, number))

    def happened(self, effect: Effect) -> bool:
        return any(one.key == effect.key for one in self.written)

    def apply(self, effect: Effect) -> Record:
        how = self.plan.pop(0) if self.plan and effect.lines else "good"
        record = self.records[effect.record_id]
        if how == "away":
            raise AwayError("Odoo cannot be reached.")
        if effect.expected_write_date not in ("", record.write_date):
            raise ConflictError("The record was changed in Odoo since it was read.")
        self.written.append(effect)
        reading = self.printed[effect.record_id]
        amounts = {
            name: reading.amount(term) if effect.lines else getattr(record, name)
            for name, term in (
                ("amount_untaxed", "total_without_vat"),
                ("amount_tax", "total_vat"),
                ("amount_total", "total_with_vat"),
            )
        }
        self.touch(effect.record_id, {**record.values, **effect.values}, **amounts)
        if how == "lost":
            raise OutcomeUnknown("No answer came.")
        return self.records[effect.record_id]

    def touch(self, number: int, values: Any, **changes: Any) -> None:
        """Somebody writes the record."""
        stamp = f"2026-09-20 09:00:{len(self.written):02}.{uuid.uuid4().hex}"
        self.records[number] = replace(self.records[number], values=values, write_date=stamp, **changes)

    def filled(self) -> list[int]:
        return [effect.record_id for effect in self.written if effect.lines]


def bill(nth: int, unsure: Sequence[str] = (NUMBER,), **changes: str) -> Reading:
    """The vendor's bill of that day: its own number, day and amount; these Fields are not sure."""
    packs = 10 + nth
    net = packs * Decimal("21.40") + Decimal("47.00")
    vat = (net * Decimal("0.19")).quantize(Decimal("0.01"))
    day = date(2026, 7, 1) + timedelta(days=5 * nth)
    texts = {
        "invoice_number": f"2026-0{700 + 7 * nth}",
        "issue_date": day.isoformat(),
        "due_date": (day + timedelta(days=14)).isoformat(),
        "total_without_vat": str(net),
        "total_vat": str(vat),
        "total_with_vat": str(net + vat),
    }
    made = paper_bill(**(texts | changes))
    first = {
        **made.lines[0],
        "quantity": replace(made.lines[0]["quantity"], value=Decimal(packs)),
        "line_net_amount": replace(made.lines[0]["line_net_amount"], value=packs * Decimal("21.40")),
    }
    fields = {
        name: replace(one, confidence=0.6) if name in unsure else one for name, one in made.fields.items()
    }
    return replace(made, fields=fields, lines=(first, *made.lines[1:]))


@dataclass
class Office:
    """Vouch over these books, and a browser of somebody in it."""

    books: Books
    deps: ReviewDeps
    pipeline: Pipeline
    client: TestClient = field(init=False)
    token: str = field(init=False)

    def __post_init__(self) -> None:
        self.client = TestClient(create_app(self.deps), base_url=BASE)
        found = re.search(r'name="vouch-token" content="([^"]+)"', self.client.get("/reviews").text)
        assert found
        self.token = found[1]

    def reads(self, *readings: Reading) -> list[int]:
        """Documents are read and go to review; their ids."""
        first = len(self.books.records) + 1
        found = [
            replace(attachment(first + at), record_id=first + at, checksum="") for at in range(len(readings))
        ]
        for at, reading in enumerate(readings):
            self.books.printed[first + at] = reading
            self.books.records[first + at] = draft_bill(id=first + at, display_name=f"Draft {first + at}")
        self.deps.ledger.remember("main", poll(*found))
        ids: list[int] = []
        while job := self.deps.ledger.claim("test", ["main"]):
            assert self.pipeline.work(job) == "in_review", job.message
            ids.append(job.id)
        return ids

    def preview(self, ids: Sequence[int]) -> dict[str, Any]:
        answer = self.client.get("/api/v1/reviews/approve", params={"id": list(ids)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"X-Vouch-Token": self.token, "Origin": BASE, "Sec-Fetch-Site": "same-origin"}
        return self.client.request(method, f"/api/v1{path}", json=body, headers=headers)

    def post(self, **body: Any) -> httpx.Response:
        return self.send("POST", "/reviews/approve", body)

    def approve(self, seen: dict[str, Any], key: str = "", **more: Any) -> dict[int, dict[str, Any]]:
        bills = [{"id": one["id"], "version": one.get("version", "none")} for one in seen["bills"]]
        body = {"key": key or uuid.uuid4().hex, "group": seen["group"] or "none", "bills": bills}
        answer = self.post(**(body | more))
        assert answer.status_code == 200, answer.text
        return {one["id"]: one for one in answer.json()["bills"]}

    def states(self) -> dict[int, str]:
        return {job.id: job.state for job in self.deps.ledger.jobs()}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    books, ledger = Books(), open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    documents = DocumentStore(tmp_path / "documents")
    pipeline = Pipeline(
        cast("Any", books),
        ledger,
        documents,
        lambda data, *_: books.printed[int(data)],
        lambda data, _name, reading: books.looked_at(int(data), reading),
        Owner(shadow_bills=0),
        str,
        longest_request=timedelta(0),
        today=lambda: TODAY,
    )
    deps = ReviewDeps(
        ledger=ledger,
        documents=documents,
        record_url=lambda *_: None,
        backends={"main": timedelta(days=1)},
        sandbox=SANDBOX,
        pipelines={"main": pipeline},
        erp=lambda _: cast("Any", books),
    )
    yield Office(books, deps, pipeline)
    ledger.close()


def without_proof(reading: Reading) -> Reading:
    fields = {**reading.fields, NUMBER: replace(reading.fields[NUMBER], evidence=())}
    return replace(reading, fields=fields)


def unsure_line(reading: Reading) -> Reading:
    first = {**reading.lines[0], "net_price": replace(reading.lines[0]["net_price"], confidence=0.5)}
    return replace(reading, lines=(first, *reading.lines[1:]))


def outcomes(told: dict[int, dict[str, Any]]) -> dict[int, str]:
    return {number: one.get("error") or one["outcome"] for number, one in told.items()}


def refusals(seen: dict[str, Any]) -> dict[int, str]:
    return {one["id"]: one["error"] for one in seen["bills"] if not one["fits"]}


def test_bills_with_one_doubt_are_approved_as_they_were_seen(office: Office) -> None:
    ids = office.reads(*(bill(nth) for nth in range(5)))
    seen = office.preview(ids)
    assert [one["fits"] for one in seen["bills"]] == [True] * 5
    first = seen["bills"][0]
    assert (first["number"], first["date"], first["total"]) == ("2026-0700", "Jul 1, 2026", "310.59")
    assert (first["doubt"]["target"], first["doubt"]["shown"]) == ("ref", "2026-0700")
    assert first["doubt"]["evidence"][0]["page"] == 1
    told = office.approve(seen)
    assert outcomes(told) == dict.fromkeys(ids, "filled")
    assert office.books.filled() == [office.books.written[n].record_id for n in range(5, 10)]
    effect = office.books.written[-1]
    assert (effect.values["ref"], effect.values["invoice_date"]) == ("2026-0728", date(2026, 7, 21))
    assert "Approved together" in effect.note
    assert set(office.states().values()) == {"filled"}


def test_the_same_key_again_writes_nothing_twice(office: Office) -> None:
    ids = office.reads(*(bill(nth) for nth in range(3)))
    seen, key = office.preview(ids), "the same wish"
    office.books.plan = ["good", "lost"]
    told = office.approve(seen, key)
    assert outcomes(told) == {ids[0]: "filled", ids[1]: "away", ids[2]: "filled"}
    again = office.approve(seen, key)
    assert outcomes(again) == dict.fromkeys(ids, "filled")
    assert sorted(office.books.filled()) == [1, 2, 3]


def test_what_happened_to_one_meanwhile_is_told_and_the_others_are_filled(office: Office) -> None:
    ids = office.reads(*(bill(nth) for nth in range(6)))
    seen = office.preview(ids)
    changed, claimed, drafted, settled, *rest = ids
    office.books.touch(1, {**office.books.records[1].values, "ref": "by hand"})
    Queue(office.deps.ledger.engine).claim(claimed, "tom", "Tom Baker")
    draft = {"edits": [{"target": "payment_reference", "value": "RF 1"}]}
    assert office.send("PUT", f"/reviews/{drafted}/draft", draft).status_code == 200
    Settling(office.deps.ledger.engine).settled_in_erp(settled, "posted", "Posted in Odoo.")
    told = office.approve(seen)
    expected = {changed: "conflict", claimed: "claimed", drafted: "stale", settled: "settled"}
    assert outcomes(told) == expected | dict.fromkeys(rest, "filled")
    found = {change["field"]: change["now"] for change in told[changed]["changes"]}
    assert found["ref"] == "by hand"
    assert "Tom Baker" in told[claimed]["message"]
    assert all(one["message"] for one in told.values() if one["outcome"] == "refused")
    assert office.books.filled() == [5, 6]
    left = office.preview(ids)
    assert left["group"] is None
    assert refusals(left) == expected | {drafted: "unfit"} | dict.fromkeys(rest, "settled")
    assert office.approve(seen, group="another")[drafted]["error"] == "stale"


def test_while_odoo_is_away_the_others_are_not_tried_and_nothing_is_lost(office: Office) -> None:
    ids = office.reads(*(bill(nth) for nth in range(3)))
    seen, key = office.preview(ids), "the same wish"
    office.books.plan = ["good", "away", "never asked"]
    assert outcomes(office.approve(seen, key)) == {ids[0]: "filled", ids[1]: "away", ids[2]: "away"}
    assert office.books.plan == ["never asked"]
    office.books.plan.clear()
    assert outcomes(office.approve(seen, key)) == dict.fromkeys(ids, "filled")
    assert office.books.filled() == [1, 2, 3]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: bill(1, (NUMBER, "issue_date")), id="two doubts"),
        pytest.param(lambda: bill(1, (NUMBER, "total_with_vat")), id="an amount"),
        pytest.param(lambda: bill(1, ("document_type",)), id="the kind"),
        pytest.param(lambda: bill(1, seller_vat_id="DE 136 695 976"), id="the vendor"),
        pytest.param(lambda: bill(1, payment_account="DE89370400440532013000"), id="a bank account"),
        pytest.param(lambda: bill(1, buyer_name="Somebody Else Ltd"), id="another company"),
        pytest.param(lambda: bill(1, total_with_vat="400.00"), id="totals"),
        pytest.param(lambda: bill(1, ("issue_date",)), id="another doubt"),
        pytest.param(lambda: without_proof(bill(1)), id="no place on the page"),
        pytest.param(lambda: unsure_line(bill(1)), id="a price"),
    ],
)
def test_what_is_doubtful_otherwise_is_never_approved_together(
    office: Office, other: Callable[[], Reading]
) -> None:
    one, two = office.reads(bill(0), other())
    seen = office.preview([one, two])
    assert two in refusals(seen), seen
    # Whoever names it all the same, with its right version, is refused as well.
    group = office.preview([one])["group"]
    version = office.client.get(f"/api/v1/reviews/{two}").json()["version"]
    bills = [{"id": two, "version": version}]
    told = office.post(key="a wish of mine", group=group, bills=bills).json()["bills"]
    assert (told[0]["outcome"], told[0]["error"]) == ("refused", "unfit")
    assert office.books.filled() == []


def test_a_page_that_shows_something_else_is_never_approved_together(office: Office) -> None:
    office.books.unseen = {2}
    one, two = office.reads(bill(0), bill(1))
    assert refusals(office.preview([one, two])) == {two: "unfit"}


def test_another_vendor_is_of_another_group(office: Office) -> None:
    other = replace(dijkzicht(CARTON, FILM), reader="other")
    fields = {**other.fields, NUMBER: replace(other.fields[NUMBER], confidence=0.6)}
    one, two, three = office.reads(bill(0), replace(other, fields=fields), bill(1))
    seen = office.preview([one, two, three])
    assert refusals(seen) == {two: "unfit"}
    alone = office.preview([two])
    assert refusals(alone) == {}, alone
    both = {"group": seen["group"], "bills": [seen["bills"][0], *alone["bills"]]}
    assert outcomes(office.approve(both)) == {one: "filled", two: "unfit"}
    assert office.books.filled() == [1]


def test_of_two_bills_with_one_number_the_second_is_not_approved(office: Office) -> None:
    one, two = office.reads(bill(0), bill(1, invoice_number="2026-0700"))
    assert refusals(office.preview([one, two])) == {one: "unfit", two: "unfit"}
    # Each by itself looks good, until the other is in the books.
    first, second = office.preview([one]), office.preview([two])
    assert outcomes(office.approve(first)) == {one: "filled"}
    assert outcomes(office.approve(second)) == {two: "unfit"}
    assert office.books.filled() == [1]


def test_in_shadow_mode_every_value_is_looked_at(tmp_path: Path, office: Office) -> None:
    office.pipeline.judge.owner = Owner(shadow_bills=99)
    [one] = office.reads(bill(0, ()))
    topics = office.client.get(f"/api/v1/reviews/{one}").json()["topics"]
    assert topics == ["held_back"]
    assert refusals(office.preview([one])) == {one: "unfit"}


def test_people_and_programs_approve_only_what_they_may(office: Office) -> None:
    one, two = office.reads(bill(0), bill(1))
    seen = office.preview([one, two])
    assert [one["fits"] for one in seen["bills"]] == [True, True]
    with Session(office.deps.ledger.engine) as session, session.begin():
        session.execute(update(Job).where(Job.id == two).values(company_id=7))
    tokens = Tokens(office.deps.ledger.engine)

    def program(*scopes: str) -> TestClient:
        token = tokens.make(uuid.uuid4().hex, "main", scopes, companies=[1])
        headers = {"Authorization": f"Bearer {token}"}
        return TestClient(office.client.app, base_url=BASE, headers=headers)

    reader, writer = program("reviews:read"), program("reviews:read", "reviews:write")
    shown = reader.get("/api/v1/reviews/approve", params={"id": [one, two, 4711]}).json()
    assert refusals(shown) == {two: "no_such_page", 4711: "no_such_page"}
    assert set(shown["bills"][1]) == set(shown["bills"][2])
    bills = [{"id": bill["id"], "version": bill["version"]} for bill in seen["bills"]]
    body = {"key": "a wish of mine", "group": seen["group"], "bills": bills}
    assert reader.post("/api/v1/reviews/approve", json=body).status_code == 403
    told = writer.post("/api/v1/reviews/approve", json=body).json()["bills"]
    assert [node.get("error", node["outcome"]) for node in told] == ["filled", "no_such_page"]
    assert office.client.post("/api/v1/reviews/approve", json=body).status_code == 403
    assert office.books.filled() == [1]


@pytest.mark.parametrize("count", [0, 51])
def test_at_most_fifty_and_each_once(office: Office, count: int) -> None:
    bills = [{"id": number + 1, "version": "v"} for number in range(count)]
    assert office.post(key="a wish of mine", group="g", bills=bills).status_code == 422
    twice = [{"id": 1, "version": "v"}, {"id": 1, "version": "w"}]
    assert office.post(key="a wish of mine", group="g", bills=twice).status_code == 422
    ids = [number + 1 for number in range(count)]
    assert office.client.get("/api/v1/reviews/approve", params={"id": ids}).status_code == 422


def test_the_time_of_bills_approved_together_is_not_measured(office: Office) -> None:
    [one] = office.reads(bill(0))
    Queue(office.deps.ledger.engine).claim(one, "review page", "review page")
    assert outcomes(office.approve(office.preview([one]))) == {one: "filled"}
    with Session(office.deps.ledger.engine) as session:
        assert session.query(Review).one().seconds is None
