"""Arbitrary documents of many languages and kinds by seed, with their truth: for training and for measuring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from tests.samples import strangers
from tests.samples.bill import ZERO, Bill, Line, OpenItem, Party
from tests.samples.designs import render
from tests.samples.printing import TOGETHER, Printing
from tests.samples.random_bills import LATIN_FAMILIES, official

LETTERS = ("form", "faktura", "minimal", "grouped", "captions", "leaders")
PLAIN = ("din5008", "modern", "facture", "compact", "boxed", "dense")
DESIGNS_OF = {
    "invoice": LETTERS + PLAIN,
    "credit_note": LETTERS + PLAIN,
    "order_confirmation": LETTERS + PLAIN,
    "quotation": LETTERS + PLAIN,
    "delivery_note": LETTERS,
    "order": ("purchase",),
    "reminder": ("dunning",),
    "receipt": ("till",),
}
KINDS = tuple(DESIGNS_OF)
WEIGHTS = (8, 2, 1, 1, 1, 1, 1, 2)
LANGUAGES = tuple(sorted({country.language for country in strangers.COUNTRIES.values()}))


class RandomDocument(NamedTuple):
    """A PDF, what it says (as `Bill.truth` has it), and the bill it was drawn from."""

    data: bytes
    truth: dict[str, Any]
    bill: Bill


def random_documents(
    count: int,
    seed: int = 0,
    *,
    languages: Sequence[str] = LANGUAGES,
    kinds: Sequence[str] = (),
    designs: Sequence[str] = (),
) -> Iterator[RandomDocument]:
    """`count` documents that depend on `seed` only, of the given languages ("pt_BR"), kinds of `KINDS` and designs.

    Without `kinds`, invoices are the most frequent; without `designs`, any that suits the kind. Raises
    FontUnavailable, and ValueError where no design of those given draws a kind.
    """  # fmt: skip
    languages = tuple(languages)
    for number in range(count):
        bill = random_document(Random(f"{seed}/{number}/{languages}"), languages, kinds, designs)
        yield RandomDocument(render(bill), bill.truth(), bill)


def random_document(
    rng: Random, languages: Sequence[str] = LANGUAGES, kinds: Sequence[str] = (), designs: Sequence[str] = ()
) -> Bill:
    """One document to be drawn."""
    kind = rng.choice(kinds) if kinds else rng.choices(KINDS, WEIGHTS)[0]
    suiting = [design for design in DESIGNS_OF[kind] if not designs or design in designs]
    if kind == "invoice" and "fapiao" in designs:
        suiting.append("fapiao")
    if not suiting:
        raise ValueError(f"none of the designs {', '.join(designs)} draws a {kind}")
    design = rng.choice(suiting)
    language = rng.choice(languages)
    keys = [key for key, country in strangers.COUNTRIES.items() if country.language == language]
    key = "CN" if design == "fapiao" else rng.choice(keys)
    seller, buyer = strangers.party(rng, key), _other(rng, key, kind)
    while buyer.name == seller.name:
        buyer = _other(rng, key, kind)
    issued = date(2023, 1, 1) + timedelta(days=rng.randint(0, 1400))
    bill = Bill(
        document_type=kind,
        number=_number(rng, issued, key),
        issue_date=issued,
        seller=_less(rng, seller, kind),
        buyer=buyer,
        lines=() if kind == "reminder" else tuple(_line(rng, key, kind) for _ in range(_line_count(rng, kind))),
        design=design,
        family="hei" if key in strangers.IDEOGRAPHIC else rng.choice(LATIN_FAMILIES) if kind != "receipt" else "",
        accent=rng.randint(0, 35),
        wording=rng.randint(TOGETHER, 10**6),
        date_style=rng.randint(0, 59),
        gross=kind == "receipt",
        asks=rng.random() < 0.5,
    )  # fmt: skip
    bill = _furnished(bill, rng)
    return official(bill, rng) if design == "fapiao" else bill


def _other(rng: Random, key: str, kind: str) -> Party:
    """The buyer with what such a document says of it: nothing on a till slip."""
    buyer = strangers.party(rng, key)
    if kind == "receipt":
        return Party("", "", "", "", buyer.country)
    return buyer if kind != "reminder" and rng.random() < 0.7 else replace(buyer, vat_id="")


def _less(rng: Random, seller: Party, kind: str) -> Party:
    """The seller with what such a document says of it: by far not every one names a website or a register."""
    if kind == "order":
        return replace(
            seller, account="", bic="", routing="", website="", registration="", tax_id="",
            vat_id=seller.vat_id if rng.random() < 0.4 else "", email=seller.email if rng.random() < 0.4 else "",
        )  # fmt: skip
    if kind == "receipt":
        return replace(seller, account="", bic="", routing="", website="", email="", registration="")
    said = {"registration": 0.5, "website": 0.5, "email": 0.7, "bic": 0.6, "phone": 0.7}
    kept = {name: getattr(seller, name) if rng.random() < share else "" for name, share in said.items()}
    if kind in ("delivery_note", "quotation") or rng.random() < 0.15:
        kept |= {"account": "", "bic": "", "routing": ""}
    return replace(seller, **kept)


def _furnished(bill: Bill, rng: Random) -> Bill:
    """The bill with the dates, references, terms and discounts that its kind may have."""
    issued, days, kind = bill.issue_date, bill.seller.payment_days, bill.document_type
    if kind == "reminder":
        return replace(
            bill, open_items=tuple(_open_item(rng, issued, bill) for _ in range(rng.randint(1, 6)))
        )
    if kind == "receipt":
        return bill
    owed = kind == "invoice" and rng.random() < 0.75
    discounted = bill.priced and kind != "order" and rng.random() < 0.12
    return replace(
        bill,
        preceding_invoice=_number(rng, issued, "") if kind == "credit_note" and rng.random() < 0.8 else "",
        due_date=issued + timedelta(days=days) if owed and rng.random() < 0.85 else None,
        delivery_date=issued - timedelta(days=rng.randint(0, 20)) if rng.random() < 0.3 else None,
        order_reference=_order_number(rng) if kind != "order" and rng.random() < 0.45 else "",
        payment_reference=f"{rng.randint(10**6, 10**9)}" if owed and bill.seller.account and rng.random() < 0.2 else "",
        payment_terms=Printing.of(bill).terms(days) if owed else "",
        discount_percent=Decimal(rng.choice((2, 3, 5, 10))) if discounted else ZERO,
    )  # fmt: skip


def _open_item(rng: Random, issued: date, bill: Bill) -> OpenItem:
    ago = issued - timedelta(days=rng.randint(40, 200))
    places = 0 if bill.currency == "TWD" else 2
    amount = Decimal(int(10 ** rng.uniform(3.5, 6.5))).scaleb(-places)
    return OpenItem(_number(rng, ago, ""), ago, ago + timedelta(days=bill.seller.payment_days), amount)


def _line_count(rng: Random, kind: str) -> int:
    if kind == "receipt":
        return rng.randint(1, 10)
    return min(1 + int(rng.expovariate(0.25)), 60) if rng.random() < 0.9 else rng.randint(20, 50)


def _line(rng: Random, country: str, kind: str) -> Line:
    whole = strangers.COUNTRIES[country].currency == "TWD"
    places = 0 if whole else rng.choice((2, 2, 2, 2, 2, 3, 4)) if kind != "receipt" else 2
    price = Decimal(int(10 ** rng.uniform(places, places + (2 if kind == "receipt" else 3.4)))).scaleb(
        -places
    )
    quantity = Decimal(rng.choice((1, 1, 2, 3, 5, 10, 12, 25, 100, 250)))
    unit = rng.choice(strangers.UNITS)
    if kind == "receipt":
        quantity, unit = Decimal(rng.choice((1, 1, 1, 2, 3))), "C62"
    if unit != "C62" and not whole and rng.random() < 0.5:
        quantity = Decimal(rng.randint(5, 4000)).scaleb(-rng.choice((1, 2)))
    coded = kind != "receipt" and rng.random() < 0.6
    discounted = kind not in ("receipt", "order", "delivery_note") and not whole and rng.random() < 0.15
    return Line(
        strangers.item(rng, country), quantity, unit, price, strangers.rate(rng, country),
        item_seller_id=rng.choice((f"{rng.randint(1000, 99999)}", f"{rng.choice('ABKTX')}-{rng.randint(100, 9999)}", f"{rng.choice('GHMPR')}{rng.randint(10, 99)}.{rng.randint(100, 999)}")) if coded else "",
        discount_percent=Decimal(rng.choice((5, 10, 15, 20, "2.5"))) if discounted else ZERO,
    )  # fmt: skip


def _number(rng: Random, issued: date, country: str) -> str:
    """A document number in one of the forms that programs give; some are usual in one country only."""
    count = rng.randint(1, 99999)
    forms = [
        f"{issued.year}-{count:05d}", f"{issued.year}/{count}", f"INV-{count}", f"{issued:%y%m}{count:04d}",
        f"{count}/{issued:%y}", f"{count}", f"F{issued:%y}-{count:04d}", f"{issued.year}{count:05d}", f"A{count:06d}",
    ]  # fmt: skip
    own = {
        "PL": [f"FV/{count % 900 + 1}/{issued:%m}/{issued.year}", f"{count % 900 + 1}/{issued:%m}/{issued.year}", f"FS {count % 900 + 1}/{issued.year}"],
        "IT": [f"{count % 3000}/A", f"{count % 3000}/{issued.year}", f"FPR {count % 900}/{issued:%y}"],
        "PT": [f"FT {issued.year}/{count}", f"FT A/{count}", f"FA {issued.year}A/{count % 900}"],
        "TW": [f"{rng.choice('ABCDQRTVWXYZ')}{rng.choice('ABCDKLMNP')}-{count % 10**8 + 10**7}", f"{rng.choice('ABCDQRTVWXYZ')}{rng.choice('ABCDKLMNP')}{count + 20000000}"],
        "ES": [f"FV{issued:%y}/{count:05d}", f"{issued:%y}/{count % 3000:04d}"],
        "MX": [f"A {count}", f"FAC{count}"],
        "IN": [f"{'GST' if count % 2 else 'SL'}/{issued:%y}-{int(issued.strftime('%y')) + 1}/{count % 3000}"],
    }.get(country, [])  # fmt: skip
    return rng.choice(own if own and rng.random() < 0.6 else forms)


def _order_number(rng: Random) -> str:
    return rng.choice(
        (f"P{rng.randint(101, 99999):05d}", f"PO-{rng.randint(1000, 99999)}", f"45{rng.randint(10**7, 10**8 - 1)}", f"{rng.randint(1000, 99999)}")
    )  # fmt: skip
