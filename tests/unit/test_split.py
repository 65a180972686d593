"""Several bills in one file are found, and a long bill is never cut."""

from __future__ import annotations

import io
from dataclasses import replace

import pikepdf
import pytest

from inference.document import open_document
from inference.invoice import Reading, Status
from inference.page import Token
from inference.reading import read_document
from inference.split import Count, page_count
from tests.samples.designs import render
from tests.samples.random_bills import random_bill


def joined(*bills: bytes, blank: bool = False) -> bytes:
    out, data = pikepdf.new(), io.BytesIO()
    for at, bill in enumerate(bills):
        if at and blank:
            out.add_blank_page(page_size=(595, 842))
        out.pages.extend(pikepdf.open(io.BytesIO(bill)).pages)
    out.save(data)
    return data.getvalue()


def pages(bill: bytes) -> int:
    return len(pikepdf.open(io.BytesIO(bill)).pages)


def read(data: bytes) -> Reading:
    return read_document(open_document(data, "bills.pdf"))


@pytest.mark.parametrize("blank", [False, True])
@pytest.mark.parametrize("one_seller", [False, True])
def test_bills_one_after_another_are_told_apart(blank: bool, one_seller: bool) -> None:
    first = random_bill(1000, "din5008")
    others = [random_bill(1001, "modern"), random_bill(1002, "boxed")]
    if one_seller:
        others = [replace(first, number=f"{first.number}{at}") for at in (1, 2)]
    bills = [render(bill) for bill in (first, *others)]
    ends, at = [], 0
    for bill in bills:
        at += pages(bill) + (blank and bill is not bills[-1])
        ends.append(at)
    reading = read(joined(*bills, blank=blank))
    assert [part.last for part in reading.split] == ends
    assert [part.first for part in reading.split] == [1, *(end + 1 for end in ends[:-1])]
    check = reading.checks[0]
    assert (check.id, check.status) == ("one_bill", Status.FAIL)
    assert f"hold 3 bills (pages {reading.split[0]}, " in check.message
    assert others[0].number in reading.split[1].reason
    assert Reading.from_json(reading.as_json()).split == reading.split


@pytest.mark.parametrize("design", ["dense", "din5008", "compact", "facture"])
def test_a_long_bill_is_one_bill(design: str) -> None:
    bill = random_bill(77, design)
    data = render(replace(bill, lines=bill.lines * (90 // len(bill.lines) + 1)))
    assert pages(data) > 1
    reading = read(data)
    assert reading.split == ()
    assert "split" not in reading.as_json()
    assert "one_bill" not in {check.id for check in reading.checks}


def test_a_bill_twice_is_no_second_bill() -> None:
    bill = render(random_bill(1000, "din5008"))
    assert read(joined(bill, bill)).split == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Total 119,00 Seite 2 von 3", Count(2, 3)),
        ("Page 1 of 2", Count(1, 2)),
        ("Strona: 1 z 4", Count(1, 4)),
        ("第 2 页 共 3 页", Count(2, 3)),
        ("Page 3", Count(3, None)),
        ("Page 4 of 2 Page 1 / 2", Count(1, 2)),
        ("see page 12.50", None),
        ("homepage 2", None),
        ("", None),
    ],
)
def test_what_a_page_says_of_its_place(text: str, expected: Count | None) -> None:
    assert page_count([Token(word, (0, 0, 1, 1)) for word in text.split()]) == expected  # type: ignore[arg-type]
