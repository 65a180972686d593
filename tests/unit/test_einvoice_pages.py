"""An e-invoice and its page: each value has its place, and a page that says something else is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache

import pytest
from stdnum import iban

from inference.document import open_document
from inference.invoice import Check, Reading, Status
from inference.reading import make_readers, read_document
from tests.samples.bill import Bill
from tests.samples.designs import render
from tests.samples.facturx_data import facturx_pdf
from tests.samples.random_bills import random_bill

SEEDS = (4, 7, 8, 10, 13, 16)


@cache
def bill(seed: int) -> Bill:
    made = replace(random_bill(seed), discount_percent=Decimal(0))
    return replace(made, due_date=made.issue_date + timedelta(days=30))


@cache
def page(seed: int) -> bytes:
    return render(bill(seed))


def read(data: Bill, seed: int) -> Reading:
    pdf = facturx_pdf(data, page(seed))
    return read_document(open_document(pdf, "bill.pdf"), readers=make_readers("einvoice"))


def agrees(reading: Reading) -> Check:
    (check,) = [check for check in reading.checks if check.id == "page_agrees"]
    return check


@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_e_invoice_agrees_with_its_page_and_has_places(seed: int) -> None:
    reading = read(bill(seed), seed)
    assert agrees(reading).status is Status.PASS
    for name in ("invoice_number", "issue_date", "seller_name", "total_with_vat", "total_without_vat"):
        found = reading.fields[name]
        assert found.evidence[0].xpath
        places = [proof for proof in found.evidence if proof.page]
        assert len(places) == 1, name
        assert places[0].box is not None
    lines = [line["line_net_amount"].evidence for line in reading.lines]
    rows = [proofs[-1].box.y0 for proofs in lines if proofs[-1].box and proofs[-1].page == 1]
    assert rows == sorted(rows)
    assert len(set(rows)) == len(rows)


def other_number(one: Bill) -> Bill:
    return replace(one, number=f"{one.number[:-1]}{(int(one.number[-1]) + 3) % 10}")


def other_date(one: Bill) -> Bill:
    return replace(one, issue_date=one.issue_date + timedelta(days=9))


def other_account(one: Bill) -> Bill:
    account = one.seller.account
    end = f"{(int(account[-3:]) + 111) % 1000:03d}"
    body = f"{account[4:-3]}{end}"
    check = iban.calc_check_digits(f"{account[:2]}00{body}")  # type: ignore[no-untyped-call]
    return replace(one, seller=replace(one.seller, account=f"{account[:2]}{check}{body}"))


def other_total(one: Bill) -> Bill:
    first, *rest = one.lines
    return replace(one, lines=(replace(first, net_price=first.net_price + Decimal("137.21")), *rest))


@pytest.mark.parametrize(
    ("forged", "name", "seed"),
    [(forged, name, seed) for forged, name in ((other_number, "invoice_number"), (other_date, "issue_date"), (other_account, "payment_account"), (other_total, "total_with_vat")) for seed in (4, 7, 10)],
)  # fmt: skip
def test_data_that_was_changed_behind_the_page_is_noticed(
    forged: Callable[[Bill], Bill], name: str, seed: int
) -> None:
    reading = read(forged(bill(seed)), seed)
    check = agrees(reading)
    assert check.status is Status.FAIL
    assert str(reading.fields[name].value) in check.message
    assert reading.fields[name].confidence <= 0.5
    assert reading.fields[name].note in check.message
    untouched = {"seller_name", "currency"} & reading.fields.keys()
    assert all(reading.fields[kept].confidence == 1 for kept in untouched)


def test_a_page_that_merely_lacks_a_value_contradicts_nothing() -> None:
    one = bill(7)
    silent = render(
        replace(one, due_date=None, payment_terms="", seller=replace(one.seller, account="", bic=""))
    )
    reading = read_document(
        open_document(facturx_pdf(one, silent), "bill.pdf"), readers=make_readers("einvoice")
    )
    assert agrees(reading).status is Status.PASS
    assert reading.fields["payment_account"].confidence == 1
    assert all(proof.page is None for proof in reading.fields["payment_account"].evidence)
