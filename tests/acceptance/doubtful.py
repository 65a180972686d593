"""Doubtful bills as they come: accounts that nobody has seen, vendors that Odoo lacks, two in one file, a credit note."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from random import Random

import pikepdf

from tests.samples import strangers
from tests.samples.bill import Bill, Line
from tests.samples.collection import credit_german, other_account, stranger
from tests.samples.designs import render

ACCOUNTS, STRANGERS = 26, 5
TWO_IN_ONE, CREDIT_NOTE = "two-in-one.pdf", "credit-note.pdf"
_ARTICLES = (
    ("Fracht Hamburg–Berlin, {} Paletten", "104.00"),
    ("Stückgut Leipzig–Berlin, {} Colli", "18.60"),
    ("Lagergeld, {} Tage", "7.25"),
    ("Expresszustellung bis 10 Uhr, {} Sendungen", "31.40"),
)


def doubtful_bills(today: date, seed: int = 20) -> Iterator[tuple[str, bytes]]:
    """File names and PDFs: first those of a known vendor with a new account, then those of vendors that are new, then
    two bills in one file and a credit note, which is to stand on the record of a bill."""
    rng = Random(seed)
    for at in range(ACCOUNTS):
        bill = other_account(today)
        lines = tuple(_line(rng, at) for _ in range(rng.randint(1, 3)))
        yield _drawn(replace(bill, number=f"FL-26-{6000 + at}", lines=lines, **_dates(bill, today, at)))
    for at in range(STRANGERS):
        bill = stranger(today)
        seller = strangers.party(Random(500 + at), "GB")
        lines = (Line(f"Pattern equipment {at + 1}", Decimal(1), "C62", Decimal(240 + at), Decimal(20)),)
        yield _drawn(replace(bill, number=f"26/0{500 + at}", seller=seller, lines=lines))
    bill = other_account(today)
    pair = [_drawn(replace(bill, number=f"FL-26-80{at:02}", **_dates(bill, today, at)))[1] for at in (1, 2)]
    yield TWO_IN_ONE, _joined(pair)
    yield CREDIT_NOTE, render(credit_german(today))


def _dates(bill: Bill, today: date, at: int) -> dict[str, date]:
    day = today - timedelta(days=2 + at)
    return {"issue_date": day, "due_date": day + timedelta(days=bill.seller.payment_days)}


def _line(rng: Random, at: int) -> Line:
    text, price = _ARTICLES[rng.randrange(len(_ARTICLES))]
    count = rng.randint(2, 9) + at
    return Line(text.format(count), Decimal(count), "C62", Decimal(price), Decimal(19))


def _joined(files: Sequence[bytes]) -> bytes:
    """Their pages as one document."""
    whole, out = pikepdf.new(), BytesIO()
    for file in files:
        with pikepdf.open(BytesIO(file)) as part:
            whole.pages.extend(part.pages)
    whole.save(out)
    return out.getvalue()


def _drawn(bill: Bill) -> tuple[str, bytes]:
    return f"{bill.number.replace('/', '-')}.pdf", render(bill)
