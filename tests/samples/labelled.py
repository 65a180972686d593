"""`python -m tests.samples.labelled DIR [COUNT]`: generated documents with their whole truth, for training and `vouch eval`.

COUNT random bills in `generated/`, as many documents of all kinds and languages in `documents/`, as many of small
businesses and private customers in `small/`. Sellers and buyers are strangers from any country; what is drawn depends
on COUNT only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from tests.samples import strangers
from tests.samples.bill import Bill
from tests.samples.designs import render
from tests.samples.random_bills import random_bill
from tests.samples.random_documents import random_document, random_documents

COUNT = 240
SEED = 20260301


def labelled_bill(seed: int) -> Bill:
    """A random bill to a buyer of its own, in the seller's country mostly."""
    bill = random_bill(seed)
    rng = Random(f"buyer {seed}")
    countries = [c for c in strangers.COUNTRIES if (c == "CN") == (bill.seller.country == "CN")]
    country = bill.seller.country if rng.random() < 0.8 else rng.choice(countries)
    buyer = strangers.party(rng, country)
    return replace(bill, buyer=replace(buyer, account="", bic="", bank=""))


def small_bill(seed: int) -> Bill:
    """A random bill of a small business, or to a private customer: names without a legal form, on a plain page mostly."""
    rng = Random(f"small {seed}")
    bill = random_document(rng, kinds=("invoice", "invoice", "invoice", "credit_note", "order_confirmation"))
    design = "plain" if rng.random() < 0.65 else bill.design
    country = next(
        key
        for key, made_of in strangers.COUNTRIES.items()
        if key[:2] == bill.seller.country and made_of.language == bill.seller.language
    )
    seller = strangers.modest(rng, bill.seller, country) if rng.random() < 0.7 else bill.seller
    buyer = strangers.modest(rng, bill.buyer, country) if rng.random() < 0.6 else bill.buyer
    return replace(bill, design=design, seller=seller, buyer=buyer)


def write(folder: Path, count: int = COUNT) -> None:
    """Writes `doc.pdf` with `truth.json` beside it in `generated/NNNN`, `documents/NNNN` and `small/NNNN`."""
    for number in range(count):
        bill = labelled_bill(number)
        _write(folder / "generated" / f"{number:04d}", render(bill), bill.truth())
    for number, made in enumerate(random_documents(count, SEED)):
        _write(folder / "documents" / f"{number:04d}", made.data, made.truth)
    for number in range(count):
        bill = small_bill(number)
        _write(folder / "small" / f"{number:04d}", render(bill), bill.truth())


def _write(place: Path, data: bytes, truth: Mapping[str, Any]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "doc.pdf").write_bytes(data)
    node = {"fields": truth["fields"], "lines": truth["lines"], "complete": True}
    (place / "truth.json").write_text(json.dumps(node, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else COUNT)
