"""Arbitrary bills by seed, for property tests and for training."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from tests.samples import company, strangers
from tests.samples.bill import ZERO, Bill, Line
from tests.samples.printing import Printing

LATIN_DESIGNS = ("din5008", "modern", "facture", "compact", "boxed", "dense")
LATIN_FAMILIES = ("sans", "serif", "carlito", "caladea", "opensans", "lato", "roboto")
MOST_LINES = {"fapiao": 5, "dense": 70}


def random_bill(seed: int, design: str = "") -> Bill:
    """A bill that depends on `seed` only, in the named design of `designs.DESIGNS` or in any (not "reminder").

    Every amount is consistent: lines, VAT per rate and totals follow from quantities, prices and discounts.
    """
    rng = Random(seed)
    design = design or rng.choice((*LATIN_DESIGNS, "fapiao"))
    country = "CN" if design == "fapiao" else rng.choice(strangers.FIRST)
    seller = strangers.party(rng, country)
    issued = date(2024, 1, 1) + timedelta(days=rng.randint(0, 1200))
    credit = rng.random() < 0.12
    known = rng.random() < 0.7 and not credit
    bill = Bill(
        document_type="credit_note" if credit else "invoice",
        preceding_invoice=_number(rng, issued) if credit and rng.random() < 0.8 else "",
        number=_number(rng, issued),
        issue_date=issued,
        seller=seller,
        buyer=company.buyer(),
        lines=tuple(_line(rng, country) for _ in range(_line_count(rng, design))),
        design=design,
        due_date=issued + timedelta(days=seller.payment_days) if known else None,
        delivery_date=issued - timedelta(days=rng.randint(0, 20)) if rng.random() < 0.4 else None,
        order_reference=f"P{rng.randint(101, 99999):05d}" if rng.random() < 0.4 else "",
        payment_reference=f"{rng.randint(10**6, 10**9)}" if rng.random() < 0.2 else "",
        payment_terms=terms(seller.language, seller.payment_days) if known else "",
        discount_percent=Decimal(rng.choice((2, 3, 5, 10))) if rng.random() < 0.12 else ZERO,
        family="hei" if country == "CN" else rng.choice(LATIN_FAMILIES),
        accent=rng.randint(0, 35),
        wording=rng.randint(0, 5),
        date_style=rng.randint(0, 5),
    )
    return official(bill, rng) if design == "fapiao" else bill


def official(bill: Bill, rng: Random) -> Bill:
    """The bill with only what the form of a fapiao has room for, and a number of its form."""
    digits = "".join(str(rng.randint(0, 9)) for _ in range(10))
    return replace(
        bill,
        document_type="invoice",
        preceding_invoice="",
        number=f"26{bill.seller.vat_id[2:6]}2000{digits}"[:20],
        seller=replace(bill.seller, email="", website="", registration="", zip=""),
        lines=tuple(
            replace(line, discount_percent=ZERO, vat_rate=bill.lines[0].vat_rate) for line in bill.lines
        ),
        due_date=None, delivery_date=None, payment_reference="", payment_terms="", discount_percent=ZERO,
        family="song", date_style=0,
    )  # fmt: skip


def terms(language: str, days: int) -> str:
    """The usual words for so many days net."""
    return Printing(language, "").terms(days)


def _line_count(rng: Random, design: str) -> int:
    most = MOST_LINES.get(design, 14)
    return min(1 + int(rng.expovariate(1 / (most / 3))), most)


def _line(rng: Random, country: str) -> Line:
    places = rng.choice((2, 2, 2, 2, 3, 4))
    price = Decimal(int(10 ** rng.uniform(places, places + 3.2))).scaleb(-places)
    quantity = Decimal(rng.choice((1, 1, 2, 3, 5, 10, 12, 25, 100, 250)))
    unit = rng.choice(strangers.UNITS)
    if unit != "C62" and rng.random() < 0.6:
        quantity = Decimal(rng.randint(5, 4000)).scaleb(-rng.choice((1, 2)))
    return Line(
        strangers.item(rng, country), quantity, unit, price, strangers.rate(rng, country),
        item_seller_id=rng.choice(("", f"{rng.randint(1000, 99999)}", f"{rng.choice('ABKTX')}-{rng.randint(100, 9999)}")),
        discount_percent=Decimal(rng.choice((5, 10, 15, 20, "2.5"))) if rng.random() < 0.15 else ZERO,
    )  # fmt: skip


def _number(rng: Random, issued: date) -> str:
    counter = rng.randint(1, 99999)
    return rng.choice(
        (f"{issued.year}-{counter:05d}", f"RE{counter:06d}", f"INV-{counter}", f"{issued:%y%m}{counter:04d}", f"{counter}/{issued:%y}")
    )  # fmt: skip
