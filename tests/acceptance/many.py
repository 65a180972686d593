"""As many different bills as a test wants, each with what it says: such that Vouch is sure of, such that a person must see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

from connector.ledger.states import JobState
from deploy.odoo.administrator import MailedFile
from tests.acceptance.invariants import Paper
from tests.samples import collection
from tests.samples.bill import Bill, Line
from tests.samples.designs import render
from tests.samples.facturx_data import facturx_pdf

PDF = "application/pdf"


@dataclass(frozen=True)
class Made:
    """A document and what is to become of the draft bill that it is put on."""

    file: MailedFile
    paper: Paper


def sure_bills(today: date, first: int = 1) -> Iterator[Made]:
    """Bills of known vendors where everything adds up, in turn born-digital and with data of their own; without end.

    `first` sets where the numbering begins, so that two series have no bill in common.
    """
    rng, sums = Random(first), set[tuple[str, Decimal]]()
    for at in count(first):
        if at % 2:
            bill = _other_sum(sums, collection.look_alike(today), f"NE-{41000 + at}", rng, at, today)
            data = render(bill)
        else:
            bill = _other_sum(sums, collection.transport(today), f"AR27-{41000 + at}", rng, at, today)
            bill = replace(bill, payment_reference=f"AR27{41000 + at}")
            data = facturx_pdf(bill, render(bill))
        yield _made(bill, data, JobState.FILLED)


def page_bills(today: date, first: int = 1) -> Iterator[tuple[Made, Mapping[str, Any]]]:
    """Bills of a known vendor that a model is shown, since they carry no data of their own; each with its truth. Without
    end."""
    rng = Random(2000 + first)
    for at in count(first):
        bill = _changed(collection.look_alike(today), f"NE-{81000 + at}", rng, at, today)
        yield _made(bill, render(bill), JobState.FILLED), bill.truth()


def doubtful_bills(today: date, first: int = 1) -> Iterator[Made]:
    """Bills to be paid to an account that nobody has seen; without end."""
    rng = Random(1000 + first)
    for at in count(first):
        bill = _changed(collection.other_account(today), f"FL-27-{61000 + at}", rng, at, today)
        yield _made(bill, render(bill), JobState.IN_REVIEW)


def damaged_files(first: int = 1) -> Iterator[Made]:
    """Files that nobody can read, all different; without end."""
    for at in count(first):
        data = b"%PDF-1.4\n" + f"% number {at}\n".encode() * 40
        file = MailedFile(f"broken_{at}.pdf", PDF, data)
        yield Made(file, Paper(0, Decimal(0), JobState.FAILED))


def _other_sum(
    sums: set[tuple[str, Decimal]], bill: Bill, number: str, rng: Random, at: int, today: date
) -> Bill:
    """Changed such that the vendor has no bill of that sum: two within days go to a person, and rightly."""
    while True:
        made = _changed(bill, number, rng, at, today)
        if (known := (made.seller.name, made.total_with_vat)) not in sums:
            sums.add(known)
            return made


def _changed(bill: Bill, number: str, rng: Random, at: int, today: date) -> Bill:
    """The same with another number, day and quantities."""
    day = today - timedelta(days=2 + at % 25)
    lines = tuple(_line(line, rng) for line in bill.lines)
    return replace(
        bill,
        number=number,
        issue_date=day,
        delivery_date=day - timedelta(days=1) if bill.delivery_date else None,
        due_date=day + timedelta(days=bill.seller.payment_days),
        lines=lines,
    )


def _line(line: Line, rng: Random) -> Line:
    return replace(line, quantity=Decimal(rng.randint(2, 60)))


def _made(bill: Bill, data: bytes, expected: JobState) -> Made:
    file = MailedFile(f"{bill.number}.pdf", PDF, data)
    return Made(file, Paper(len(bill.lines), bill.total_with_vat, expected))
