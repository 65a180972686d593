"""A ledger with 100,000 documents of two years, 5,000 of them in review: what the bench of the screens looks at.

Made once, kept in the cache folder.

Rows are put into the tables directly, since a real passage takes half a second each; Readings and Proposals are those of
one real bill, every document has its own number, vendor and amount.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from connector.erp.port import BILL
from connector.ledger.documents import DocumentStore
from connector.ledger.migrate import open_ledger
from connector.ledger.records import (
    EffectRecord,
    Job,
    ProposalRecord,
    ReadingRecord,
    Review,
    SeenAttachment,
    Transition,
    VerdictRecord,
)
from tests.review_ledger import draw_bill, read_bill

DOCUMENTS = 100_000
VENDORS = 1_200
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
FIRST = NOW - timedelta(days=730)
BATCH = 2_000
COMPANIES = {1: "Nordwind Handels GmbH", 2: "Nordwind France SAS"}
TOPICS = (
    ("bank_account_known", "The bank account DE02120300000000202051 on the document is not one of {vendor}'s accounts in Odoo."),
    ("low_confidence:invoice_date_due", "The due date is not sure (61 %): 30 March or 14 April could be meant."),
    ("order_line", "Line 1: the price is 12.50, the order says 11.90."),
    ("vendor_known", "Odoo has no vendor {vendor}."),
    ("duplicate", "Probably entered before: RE-1 (BILL/2026/01/0007) has the same number."),
    ("totals", "Odoo would compute 119.00, the document says 119.01."),
    ("tax_known", "Odoo has no purchase tax of 7 %."),
    ("low_confidence:ref", "The bill reference is not sure (72 %)."),
)  # fmt: skip
WEIGHTS = (22, 20, 16, 12, 10, 9, 6, 5)
STEMS = ("Nordwind", "Harbour", "Kestrel", "Müller", "Beaulieu", "Yamato", "Rheinwerk", "Ostsee", "Fern", "Atelier", "Isar", "Vela")  # fmt: skip
TRADES = ("Logistik", "Office Supplies", "Energy", "Präzision", "Papeterie", "Parts", "Druck", "Spedition", "Catering", "Metals")  # fmt: skip
PEOPLE = (("ana", "Ana Ruiz"), ("li.wei", "李伟"), ("tom", "Tom Baker"))


@dataclass(frozen=True)
class Crowd:
    """The ledger's address and the folder of its documents."""

    url: str
    documents: Path


def crowd(documents: int = DOCUMENTS, folder: Path | None = None) -> Crowd:
    """Make it, or find it in the cache; a changed schema or a changed file makes a new one."""
    place = folder or cache_folder() / f"crowd-{documents}-{_stamp()}"
    made = Crowd(f"sqlite:///{place / 'ledger.db'}", place / "documents")
    if not (place / "whole").exists():
        place.mkdir(parents=True, exist_ok=True)
        (place / "ledger.db").unlink(missing_ok=True)
        _fill(made, documents)
        (place / "whole").touch()
    return made


def cache_folder() -> Path:
    """Where benches keep what they make once."""
    return Path(os.environ.get("VOUCH_CACHE") or Path.home() / ".cache/vouch") / "bench"


def _stamp() -> str:
    migrations = sorted((Path(__file__).parents[2] / "connector/ledger/migrations/versions").glob("0*.py"))
    told = hashlib.sha256(b"".join(file.read_bytes() for file in (*migrations, Path(__file__))))
    return f"{migrations[-1].stem}-{told.hexdigest()[:8]}"


def _fill(made: Crowd, documents: int) -> None:
    ledger = open_ledger(made.url)
    store = DocumentStore(made.documents)
    pdf = draw_bill("Nordwind Logistik GmbH", "RE-2026-0187", "2380.00", "EUR")
    kept = _Kept(store.put(pdf), read_bill(pdf).as_json(), random.Random(6))
    batches: dict[type[Any], list[Mapping[str, Any]]] = {}
    for number in range(1, documents + 1):
        for record, row in kept.rows(number, documents):
            batches.setdefault(record, []).append(row)
        if number % BATCH == 0 or number == documents:
            with ledger.engine.begin() as connection:
                for record in ORDER:
                    if rows := batches.get(record):
                        connection.execute(insert(record), rows)
            batches.clear()
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    ledger.close()


ORDER = (SeenAttachment, Job, Transition, ReadingRecord, ProposalRecord, EffectRecord, Review, VerdictRecord)


@dataclass
class _Kept:
    """What every document shares, and the chance that makes them differ."""

    sha256: str
    reading: dict[str, Any]
    chance: random.Random

    def rows(self, number: int, documents: int) -> Iterator[tuple[type[Any], dict[str, Any]]]:
        chance = self.chance
        at = FIRST + (NOW - FIRST) * (number / documents)
        share = number / documents
        # Fewer people are asked as time goes on; of the newest, most are not settled yet.
        asked = chance.random() < 0.45 - 0.25 * share
        is_open = asked and chance.random() < max(0.0, (share - 0.65) / 0.35) ** 0.6
        rank = int(VENDORS * chance.random() ** 2.2)
        vendor = f"{STEMS[rank % 12]} {TRADES[rank // 12 % 10]} {rank} GmbH"
        amount = f"{round(chance.lognormvariate(5.6, 1.5), 2):.2f}"
        company = 2 if chance.random() < 0.2 else 1
        score = round(1 - chance.betavariate(1, 14 if not asked else 5), 4)
        state = "in_review" if is_open else "skipped" if asked else "filled"
        yield SeenAttachment, {
            "id": number, "backend": "main", "erp_id": number, "checksum": f"{number:040x}", "name": f"bill-{number}.pdf",
            "mimetype": "application/pdf", "size": 48_000, "model": BILL, "record_id": number, "is_main": True,
            "created_at": at, "seen_at": at,
        }  # fmt: skip
        yield Job, {
            "id": number, "attachment_id": number, "backend": "main", "model": BILL, "record_id": number, "priority": 0,
            "state": state, "reason": "", "message": "", "generation": 0, "crashes": 0, "delays": 0, "not_before": at,
            "document_sha256": self.sha256, "company_id": company, "created_at": at, "updated_at": at + timedelta(minutes=2),
        }  # fmt: skip
        for before, after in (("queued", "running"), ("running", "applying"), ("applying", "filled" if state == "filled" else "in_review")):  # fmt: skip
            yield Transition, {"job_id": number, "before": before, "after": after, "reason": "", "message": "", "actor": "worker-1", "at": at}  # fmt: skip
        fields = json.loads(json.dumps(self.reading))
        fields["fields"]["seller_name"]["value"], fields["fields"]["invoice_number"]["value"] = (
            vendor,
            f"RE-{number}",
        )
        yield ReadingRecord, {"id": number, "job_id": number, "reader": "layout", "version": "0.1.0", "body": fields, "at": at}  # fmt: skip
        topics = chance.choices(TOPICS, WEIGHTS, k=1 if chance.random() < 0.6 else 2) if asked else []
        topics = list(dict(topics).items())
        reasons = [text.format(vendor=vendor) for _, text in topics]
        yield ProposalRecord, {
            "id": number, "job_id": number, "reading_id": number, "body": self._proposal(number, rank), "score": score,
            "outcome": "review" if asked else "fill", "reasons": reasons, "at": at, "held": False,
        }  # fmt: skip
        yield EffectRecord, {
            "id": number, "job_id": number, "key": f"effect-{number}", "model": BILL, "record_id": number, "reason": "",
            "leads_to": "in_review" if asked else "filled", "message": "", "status": "done", "body": {}, "at": at, "settled_at": at,
        }  # fmt: skip
        if asked:
            yield Review, self._review(number, at, vendor, amount, company, topics, reasons, is_open)
        if not is_open and chance.random() < 0.9 * (share < 0.99):
            wrong = [chance.choice(["ref", "invoice_date_due", "amount_total", "tax_ids"])] if chance.random() < (1 - score) * 0.6 else []  # fmt: skip
            changed = ["account_id"] if chance.random() < 0.05 else []
            yield VerdictRecord, {
                "job_id": number, "backend": "main", "vendor_id": rank + 1, "vendor": vendor, "would_fill": not asked,
                "score": score if not asked else chance.choice([0.0, score]), "right": not wrong, "wrong": wrong,
                "changed": changed, "proposed": ["partner_id", "ref", "invoice_date", "invoice_date_due", "currency_id",
                "amount_untaxed", "amount_tax", "amount_total", "tax_ids", "account_id"], "at": at + timedelta(days=3),
            }  # fmt: skip

    def _review(
        self,
        number: int,
        at: datetime,
        vendor: str,
        amount: str,
        company: int,
        topics: list[tuple[str, str]],
        reasons: list[str],
        is_open: bool,
    ) -> dict[str, Any]:
        chance = self.chance
        login, name = chance.choice(PEOPLE) if chance.random() < 0.3 else ("", "")
        seconds = min(900, int(chance.lognormvariate(3.1, 0.7)))
        return {
            "id": number, "job_id": number, "title": f"Draft Bill (* {number})", "vendor": vendor, "amount": amount,
            "currency": "EUR", "reasons": reasons, "opened_at": at, "company_id": company, "company": COMPANIES[company],
            "topics": [topic for topic, _ in topics], "topic": topics[0][0], "number": f"RE-{number}", "worth": float(amount),
            "assignee": login, "assignee_name": name, "claimed_by": "", "claimed_name": "", "question": "",
            "settled_at": None if is_open else at + timedelta(hours=chance.randint(1, 90)),
            "verdict": "" if is_open else "approve", "actor": "" if is_open else "ana",
            "seconds": None if is_open or number < DOCUMENTS // 4 else seconds,
        }  # fmt: skip

    def _proposal(self, number: int, rank: int) -> dict[str, Any]:
        value = {"confidence": 0.95, "reason": "As printed.", "terms": []}
        return {
            "model": BILL, "record_id": number,
            "values": {"partner_id": {"value": rank + 1, **value}, "ref": {"value": f"RE-{number}", **value}},
            "lines": [{"name": {"value": "Bearing housing, cast", **value}, "quantity": {"value": "3", **value}, "price_unit": {"value": "500.00", **value}}],
            "checks": [{"id": "totals", "status": "pass", "message": "Odoo will compute 2380.00, as the document prints."}],
            "matches": {}, "paper": {"untaxed": "2000.00", "tax": "380.00", "total": "2380.00"},
            "predicted": {"untaxed": "2000.00", "tax": "380.00", "total": "2380.00"}, "verify_only": False, "purchase_lines": [],
        }  # fmt: skip


if __name__ == "__main__":
    print(crowd().url)
