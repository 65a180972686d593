"""Invoices of every language are read: what makes a bill is right in all but a measured few."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from inference.document import open_document
from inference.invoice import HEADER, Value, value_from_json
from inference.readers import Recipient
from inference.readers.layout import LayoutReader
from inference.readers.layout.lexicon import fold
from tests.samples.fonts import FontUnavailable
from tests.samples.random_documents import LANGUAGES, random_documents

FLOORS = {
    "invoice_number": 0.85,
    "issue_date": 0.95,
    "due_date": 0.95,
    "currency": 0.9,
    "seller_name": 0.85,
    "buyer_name": 0.95,
    "total_without_vat": 0.95,
    "total_vat": 0.95,
    "total_with_vat": 0.95,
}
"""The least share of each value that must be right over all languages."""
LEAST = 0.8
"""The least share of all of these values that must be right in each language."""


def test_invoices_of_every_language_are_read() -> None:
    reader = LayoutReader()
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    wrong: list[str] = []
    for language in LANGUAGES:
        try:
            documents = list(random_documents(3, seed=8, languages=[language], kinds=["invoice"]))
        except FontUnavailable as missing:
            pytest.skip(str(missing))
        for number, (data, truth, bill) in enumerate(documents):
            read = reader.read(open_document(data, "bill.pdf"), Recipient(names=(bill.buyer.name,))).fields
            for name in FLOORS.keys() & truth["fields"].keys():
                good = name in read and _same(read[name].value, _typed(name, truth))
                for counted in (name, language):
                    asked[counted] += 1
                    right[counted] += good
                if not good:
                    given = read[name].value if name in read else None
                    wrong.append(
                        f"{language} {number} {bill.design}: {name} {truth['fields'][name]!r}, not {given!r}"
                    )
    said = "\n".join(wrong)
    for name in (*FLOORS, *LANGUAGES):
        assert right[name] >= FLOORS.get(name, LEAST) * asked[name], (
            f"{name} {right[name]}/{asked[name]}\n{said}"
        )


def _typed(name: str, truth: dict[str, Any]) -> Value:
    return value_from_json(HEADER[name].kind, truth["fields"][name])


def _same(given: Value, true: Value) -> bool:
    if isinstance(true, str):
        return fold(str(given)) == fold(true)
    return given == true
