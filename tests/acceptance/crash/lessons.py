"""Learning from the bills that people posted, interrupted at every point: each bill teaches once, and all that it has to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector.ledger.records import LessonRecord, VerdictRecord
from tests.acceptance.crash.office import Office
from tests.acceptance.crash.stages import ROUND, job_of
from tests.acceptance.crash.tally import Tally
from tests.acceptance.many import Made
from tests.samples import company

ACCOUNT = "645200"
"""Where a person books what Vouch had booked elsewhere."""


@dataclass(frozen=True)
class Pair:
    """A bill that was filled, and one that a person was asked about."""

    filled: int
    asked: int


def lessons(tally: Tally, office: Office, stage: str, sure: Iterator[Made], doubtful: Iterator[Made]) -> None:
    """A pair at a time is posted. What is known of each afterwards is the same as of the last pair, whose learning nobody
    interrupts: all were read before anything was learned of them."""

    def pairs(count: int) -> list[Pair]:
        made: list[Pair] = []
        for _ in range(count):
            made.append(Pair(office.deliver(next(sure)), office.deliver(next(doubtful))))
            next(sure)  # of the other vendor
        office.run(*ROUND)
        return made

    with tally.held(stage, office):
        [first] = pairs(1)
        post(office, first)
        points = office.killed(office.spec("learn"), *ROUND).points
        chosen = [*tally.chosen(points, of=2), *tally.chosen(points, matching=True, of=8)]
        *each, last = pairs(len(chosen) + 1)
        for at, pair in zip(chosen, each, strict=True):
            post(office, pair)
            tally.note(stage, office.killed(office.spec("learn", at), *ROUND))
        office.run(*ROUND)
        post(office, last)
        office.run(*ROUND)
        for one in each:
            for kind in ("filled", "asked"):
                known, wanted = (learned(office, getattr(pair, kind)) for pair in (one, last))
                if known != wanted or not known:
                    tally.losses.append(
                        f"{stage}: of bill {getattr(one, kind)} is known {known}, not {wanted}"
                    )


def post(office: Office, pair: Pair) -> None:
    """A person books the one elsewhere and types the other in, posts both, and is done with the to-do."""

    def one(model: str, *domain: list[object]) -> int:
        return int(office.odoo.find(model, domain, ["id"])[0]["id"])

    account = one("account.account", ["code", "=", ACCOUNT])
    [row] = office.odoo.find("account.move", [["id", "=", pair.filled]], ["invoice_line_ids"])
    office.odoo.call("account.move.line", "write", row["invoice_line_ids"], {"account_id": account})
    line = {"name": "Fracht", "quantity": 1, "price_unit": 312.0, "account_id": account}
    values = {
        "partner_id": one("res.partner", ["name", "=", company.vendor("fuhrwerk").name]),
        "ref": f"typed {pair.asked}",
        "invoice_date": "2026-01-31",
        "invoice_line_ids": [(0, 0, line)],
    }
    office.odoo.call("account.move", "write", [pair.asked], values)
    to_dos = office.odoo.find(
        "mail.activity", [["res_model", "=", "account.move"], ["res_id", "=", pair.asked]], ["id"]
    )
    office.odoo.call("mail.activity", "action_feedback", [to_do["id"] for to_do in to_dos])
    office.odoo.call("account.move", "action_post", [pair.filled, pair.asked])
    # What a person typed is not what the paper says, which is no matter here.
    office.papers.pop(pair.asked, None)


def learned(office: Office, bill: int) -> list[str]:
    """What the ledger has learned of a bill, in words: its verdicts and lessons."""
    job = job_of(office, bill)
    with Session(office.engine) as session:
        verdicts = session.scalars(select(VerdictRecord).where(VerdictRecord.job_id == job))
        taught = session.scalars(select(LessonRecord).where(LessonRecord.document == str(job)))
        return [
            *(f"{'right' if one.right else 'wrong'} {one.wrong} {one.changed}" for one in verdicts),
            *sorted(f"lesson {one.kind} {one.words} {one.value}" for one in taught),
        ]
