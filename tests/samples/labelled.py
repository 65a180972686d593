"""`python -m tests.samples.labelled DIR [COUNT]`: generated documents with their whole truth, for training and `vouch eval`.

COUNT random bills in `generated/`, as many documents of all kinds and languages in `documents/`. Sellers and buyers
are strangers from any country; what is drawn depends on COUNT only.
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
from tests.samples.random_documents import random_documents

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


def write(folder: Path, count: int = COUNT) -> None:
    """Writes `generated/NNNN/doc.pdf` and `documents/NNNN/doc.pdf` with `truth.json` beside each."""
    for number in range(count):
        bill = labelled_bill(number)
        _write(folder / "generated" / f"{number:04d}", render(bill), bill.truth())
    for number, made in enumerate(random_documents(count, SEED)):
        _write(folder / "documents" / f"{number:04d}", made.data, made.truth)


def _write(place: Path, data: bytes, truth: Mapping[str, Any]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "doc.pdf").write_bytes(data)
    node = {"fields": truth["fields"], "lines": truth["lines"], "complete": True}
    (place / "truth.json").write_text(json.dumps(node, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else COUNT)
