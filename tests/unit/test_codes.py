"""QR codes on bills: read from clean pages and scans, understood, and weighed against the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.units import mm

from inference.codes import claims_in, confirmed, find_codes
from inference.document import Document, open_document
from inference.invoice import Field, Reading, Status
from inference.reading import make_readers, read_document
from tests.samples import codes, degrade
from tests.samples.bill import Bill
from tests.samples.designs import render
from tests.samples.random_bills import random_bill

QR_IBAN, QR_REFERENCE = "CH4431999123000889012", "210000000003139471430009017"
SI_IBAN, SI_REFERENCE = "SI56020170014356205", "SI00225268-32526-222"


def bill(**changes: object) -> Bill:
    """A German bill with an IBAN and a due date."""
    made = replace(random_bill(7), discount_percent=Decimal(0), number="R-2026/4711")
    return replace(made, due_date=made.issue_date + timedelta(days=30), **changes)  # type: ignore[arg-type]


def said(text: str) -> dict[tuple[str, ...], object]:
    found = claims_in(text)
    assert found is not None
    return {claim.terms: claim.value for claim in found.claims if not claim.weak}


TO_PAY = ("amount_due", "total_with_vat")


def test_each_standard_says_what_was_written() -> None:
    one = bill()
    total, issued, due = one.total_with_vat, one.issue_date, one.due_date
    assert said(codes.epc(one, "RF18539007547034")) == {
        ("payment_account",): one.seller.account, ("payment_bic",): one.seller.bic, TO_PAY: total,
        ("currency",): "EUR", ("payment_reference",): "RF18539007547034",
    }  # fmt: skip
    for version in ("0100", "0200", "0230"):
        assert said(codes.swiss(one, QR_IBAN, QR_REFERENCE, version)) == {
            ("payment_account",): QR_IBAN, TO_PAY: total, ("currency",): "EUR", ("due_date",): due,
            ("payment_reference",): QR_REFERENCE, ("invoice_number",): one.number, ("issue_date",): issued,
        }  # fmt: skip
    assert said(codes.slovenian(one, SI_IBAN, SI_REFERENCE)) == {
        ("payment_account",): SI_IBAN, TO_PAY: total, ("currency",): "EUR", ("due_date",): due,
        ("payment_reference",): SI_REFERENCE,
    }  # fmt: skip
    indian = replace(one, seller=replace(one.seller, vat_id="29AAGCB1286Q000"))
    assert said(codes.indian(indian)) == {
        ("seller_vat_id",): "29AAGCB1286Q000", ("invoice_number",): one.number, ("issue_date",): issued,
        ("total_with_vat",): total, ("currency",): "INR",
    }  # fmt: skip
    assert said(codes.saudi(one, "310122393500003")) == {
        ("seller_vat_id",): "310122393500003", ("issue_date",): issued, ("total_with_vat",): total,
        ("total_vat",): one.total_vat, ("currency",): "SAR",
    }  # fmt: skip
    assert said(codes.turkish(one, "9205121120")) == {
        ("seller_tax_id", "seller_vat_id"): "9205121120", ("invoice_number",): one.number, ("issue_date",): issued,
        ("currency",): "TRY", ("total_with_vat",): total, TO_PAY: total,
    }  # fmt: skip
    portuguese = replace(one, seller=replace(one.seller, vat_id="PT123456789"))
    assert said(codes.portuguese(portuguese)) == {
        ("seller_vat_id",): "PT123456789", ("issue_date",): issued, ("invoice_number",): f"FT {one.number}",
        ("total_vat",): one.total_vat, ("total_with_vat",): total, ("currency",): "EUR",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "terms"),
    [("10", ("total_without_vat",)), ("32", ("total_with_vat",)), ("88", ("total_without_vat", "total_with_vat"))],
)  # fmt: skip
def test_the_amount_of_a_fapiao_code_hangs_on_its_kind(kind: str, terms: tuple[str, ...]) -> None:
    text = f"01,{kind},011001605111,80100798,64.9,20161018,85342965681116380258,"
    assert said(text) == {
        ("invoice_code",): "011001605111", ("invoice_number",): "80100798", ("currency",): "CNY",
        ("issue_date",): date(2016, 10, 18), terms: Decimal("64.9"),
    }  # fmt: skip


def test_an_indian_code_is_said_to_be_unverified() -> None:
    found = claims_in(codes.indian(bill()))
    assert found is not None
    assert "not verified" in found.source


STARTS = ("SPC\n0200\n1\n", "BCD\n002\n1\nSCT\n", "UPNQR\n", "01,10,", "A:123456789*B:", '{"vkntckn":', "eyJhbGciOiJSUzI1NiJ9.", "AQ==", "")  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from(STARTS),
    rest=st.one_of(st.text(max_size=300), st.from_regex(r"[\w+/=.,:*\n-]{0,200}")),
)
def test_any_text_is_understood_or_not_but_never_breaks(start: str, rest: str) -> None:
    claims_in(start + rest)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_code_never_breaks(data: st.DataObject) -> None:
    one = bill()
    made = (codes.epc(one), codes.swiss(one, QR_IBAN, QR_REFERENCE), codes.indian(one), codes.saudi(one, "310122393500003"), codes.turkish(one, "1"), codes.portuguese(one))  # fmt: skip
    text = data.draw(st.sampled_from(made))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.text(max_size=6)) + text[at + data.draw(st.integers(0, 9)) :]
    claims_in(text)


def test_hostile_payloads_are_refused() -> None:
    for text in (
        '{"a":' * 5000,
        '{"vkntckn":' + "[" * 5000,
        "A" * 8000,
        "eyJh." + "e" * 7000 + ".",
        "SPC\n" + "\n" * 7000,
    ):
        assert claims_in(text) is None


def opened(pdf: bytes) -> Document:
    return open_document(pdf, "bill.pdf")


def read(pdf: bytes) -> Reading:
    return read_document(opened(pdf), readers=make_readers("layout"))


def field(reading: Reading, name: str) -> Field:
    found = reading.get(name)
    assert found is not None
    return found


def test_a_code_that_agrees_makes_values_sure_and_proves_them() -> None:
    one = bill()
    plain, coded = read(render(one)), read(codes.stamped(render(one), codes.epc(one)))
    for name in ("payment_account", "total_with_vat"):
        assert field(coded, name).value == field(plain, name).value
        assert field(coded, name).confidence > field(plain, name).confidence - 1e-9
        proof = field(coded, name).evidence[-1]
        assert (proof.text or "").startswith("BCD")
        assert proof.box is not None
        assert (proof.box.x0, proof.box.x1) == (pytest.approx(0.72, abs=0.04), pytest.approx(0.9, abs=0.04))
    (check,) = [check for check in coded.checks if check.id == "code_agrees"]
    assert check.status is Status.PASS


def test_a_code_that_contradicts_the_page_is_a_failed_check() -> None:
    one = bill()
    other = replace(one.seller, account="DE75512108001245126199")
    reading = read(codes.stamped(render(one), codes.epc(replace(one, seller=other))))
    (check,) = [check for check in reading.checks if check.id == "code_agrees"]
    assert check.status is Status.FAIL
    assert "DE75512108001245126199" in check.message
    assert field(reading, "payment_account").value == one.seller.account
    assert field(reading, "payment_account").confidence <= 0.5
    assert field(reading, "total_with_vat").confidence > 0.9


def test_a_misreading_is_corrected_where_the_page_has_what_the_code_says() -> None:
    one = random_bill(6)
    document = opened(render(one))
    found = read_document(document, readers=make_readers("layout"))
    wrong = Field(Decimal("1.00"), 0.9, field(found, "total_vat").evidence)
    misread = replace(found, fields={**found.fields, "total_with_vat": wrong})
    corrected = confirmed(misread, document)
    total = field(corrected, "total_with_vat")
    assert total.value == one.total_with_vat
    assert total.confidence > 0.9
    assert [bool(proof.box) for proof in total.evidence] == [True, True]
    assert {c.id: c.status for c in corrected.checks}["totals"] is Status.PASS


def test_free_text_in_the_place_of_a_reference_is_none() -> None:
    text = codes.epc(bill(), "Kundennummer 99 Rechnung 7")
    assert ("payment_reference",) not in said(text)


def test_what_only_the_code_says_is_added() -> None:
    one = bill()
    silent = replace(one, seller=replace(one.seller, account="", bic=""))
    reading = read(codes.stamped(render(silent), codes.epc(one)))
    found = field(reading, "payment_account")
    assert found.value == one.seller.account
    assert [(proof.text or "")[:3] for proof in found.evidence] == ["BCD"]


def test_codes_that_differ_say_nothing() -> None:
    one = bill()
    first = codes.stamped(render(one), codes.epc(one), at=(10 * mm, 8 * mm))
    other = replace(one, seller=replace(one.seller, account="DE75512108001245126199"))
    both = codes.stamped(first, codes.epc(other))
    assert len(find_codes(opened(both).pages)) == 2
    reading = read(both)
    assert field(reading, "payment_account").value == one.seller.account
    assert field(reading, "payment_account").evidence[-1].text != codes.epc(other)


@pytest.mark.parametrize("seed", range(3))
def test_a_dense_code_is_found_on_a_scan(seed: int) -> None:
    one = bill()
    text = codes.swiss(one, QR_IBAN, QR_REFERENCE)
    pdf = codes.stamped(render(one), text, size=46 * mm, at=(100 * mm, 5 * mm))
    assert [code.text for code in find_codes(opened(pdf).pages)] == [text]
    scan = degrade.scan(pdf, seed)
    assert [code.text for code in find_codes(opened(scan).pages)] == [text]
