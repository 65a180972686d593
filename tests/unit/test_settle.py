"""Whose dollar or crown it is, which number is the month, and whether a bill is a deposit or takes one off."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.invoice import Field, Status
from mappings.case import Case
from mappings.erp_data import Bill, Currency, ErpData, Partner, PaymentTerm, PostedLine
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.proposal import Proposal
from mappings.settle import settled
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, paper_bill, reading

DATA = demo_data()
CODES = ("EUR", "USD", "CAD", "JPY", "CNY", "SEK", "NOK", "DKK")
CURRENCIES = tuple(
    Currency(n, code, Decimal(1) if code == "JPY" else Decimal("0.01"), code != "NOK")
    for n, code in enumerate(CODES, 1)
)
NUMBER = {code: n for n, code in enumerate(CODES, 1)}


def erp(country: str, *bills: Bill, **vendor: Any) -> ErpIndex:
    partner = Partner(55, "Northern Parts", 55, vat="", supplier_rank=1, country=country, **vendor)
    data: ErpData = replace(
        DATA,
        currencies=CURRENCIES,
        partners=(*DATA.partners, partner),
        bills=bills,
        payment_terms=(PaymentTerm(9, "30 days", 30),),
    )
    return ErpIndex(data)


def posted(code: str, number: int = 1, on: date = date(2026, 8, 1)) -> Bill:
    return Bill(number, 55, 1, "in_invoice", "posted", f"A{number}", on, Decimal(77), NUMBER[code], "B")


def signed(sign: str, amount: str = "1200.00", code: str = "", sure: float = 0.8) -> Any:
    """A reading whose total is printed with a sign, read as `code` or as no currency."""
    read = reading([], total_with_vat=amount)
    total = replace(read.fields["total_with_vat"], raw=f"{sign}{amount}")
    proof = tuple(replace(one, text=f"{sign}{amount}") for one in total.evidence)
    fields: dict[str, Field] = {"total_with_vat": replace(total, evidence=proof)}
    if code:
        fields["currency"] = Field(code, sure, proof, raw=sign)
    return replace(read, fields=fields)


def currency(read: Any, index: ErpIndex) -> tuple[str | None, float, str]:
    case = settled(Case(read, draft_bill(), index, TODAY), index.partners[55])
    found = case.reading.get("currency")
    return (str(found.value), found.confidence, case.currency_term) if found else (None, 0.0, "")


@pytest.mark.parametrize(
    ("sign", "country", "code", "sure"),
    [
        ("$", "US", "USD", 0.93),
        ("$", "CA", "CAD", 0.8),
        ("¥", "JP", "JPY", 0.93),
        ("¥", "CN", "CNY", 0.93),
        ("kr", "SE", "SEK", 0.93),
        ("kr.", "DK", "DKK", 0.93),
    ],
)
def test_the_vendor_s_country_tells_whose_sign_it_is(sign: str, country: str, code: str, sure: float) -> None:
    assert currency(signed(sign, "1200"), erp(country)) == (code, sure, "total_with_vat")


def test_posted_bills_and_odoo_s_own_setting_are_surer_than_the_country() -> None:
    assert currency(signed("$"), erp("", posted("CAD"), posted("CAD", 2)))[:2] == ("CAD", 0.95)
    assert currency(signed("$"), erp("", purchase_currency_id=NUMBER["USD"]))[:2] == ("USD", 0.97)
    mixed = erp("", posted("CAD"), posted("USD", 2))
    assert currency(signed("$"), mixed)[0] is None


def test_what_disagrees_is_left_to_a_person() -> None:
    code, sure, _ = currency(signed("$", code="CAD", sure=0.8), erp("CA", posted("USD"), posted("USD", 2)))
    assert (code, sure) == ("USD", 0.5)


def test_cents_are_no_yen() -> None:
    assert currency(signed("¥", "1200.50"), erp("JP"))[:2] == ("CNY", 0.95)
    assert currency(signed("US$"), erp("CA"))[0] is None


def test_a_printed_code_is_never_questioned() -> None:
    read = paper_bill()
    case = settled(Case(read, draft_bill(), erp("US"), TODAY), erp("US").partners[55])
    assert case.reading.get("currency") == read.get("currency")


def test_an_inactive_currency_is_told_with_its_remedy() -> None:
    found = propose(paper_bill(currency="NOK"), draft_bill(), erp("NO"), TODAY)
    [said] = [check.message for check in found.checks if check.id == "currency_active"]
    assert said.endswith("Activate it under Accounting, Currencies.")


def dated(issued: date, printed: str, due: date | None = None, due_printed: str = "") -> Any:
    header = {"issue_date": issued.isoformat()} | ({"due_date": due.isoformat()} if due else {})
    read = reading([], **header)
    fields = dict(read.fields)
    for name, text in (("issue_date", printed), ("due_date", due_printed)):
        if name in fields and text:
            proof = tuple(replace(one, text=text) for one in fields[name].evidence)
            fields[name] = replace(fields[name], evidence=proof, confidence=0.6)
    return replace(read, fields=fields)


def issue_date(read: Any, index: ErpIndex) -> tuple[Any, float]:
    case = settled(Case(read, draft_bill(), index, TODAY), index.partners[55])
    found = case.reading.fields["issue_date"]
    return found.value, found.confidence


def test_a_day_in_the_future_settles_the_order() -> None:
    # 3 December would be after 20 September, the day of the decision.
    assert issue_date(dated(date(2026, 3, 12), "12/03/2026"), erp("CA"))[1] == 0.95


def test_the_payment_term_and_the_calendar_together_read_it_the_other_way() -> None:
    read = dated(date(2026, 12, 3), "12/03/2026", date(2026, 4, 11), "11 April 2026")
    assert issue_date(read, erp("CA", payment_term_id=9)) == (date(2026, 3, 12), 0.92)


def test_country_against_calendar_is_left_to_a_person() -> None:
    value, sure = issue_date(dated(date(2026, 3, 12), "03/12/2026"), erp("FR"))
    assert (value, sure) == (date(2026, 3, 12), 0.5)


def test_the_vendor_s_last_bill_helps() -> None:
    last = posted("EUR", on=date(2026, 7, 20))
    value, sure = issue_date(dated(date(2026, 8, 4), "08/04/2026"), erp("CA", last))
    assert (value, sure) == (date(2026, 8, 4), 0.9)


@given(
    st.dates(date(2025, 9, 1), date(2026, 9, 20)), st.sampled_from(["FR", "US", "CA", ""]), st.integers(0, 90)
)
def test_settling_never_invents_a_date_and_is_done_once(day: date, country: str, days: int) -> None:
    due = day + timedelta(days=days)
    read = dated(day, day.strftime("%d/%m/%Y"), due, due.strftime("%d/%m/%Y"))
    index = erp(country, payment_term_id=9)
    case = settled(Case(read, draft_bill(), index, TODAY), index.partners[55])
    for name, shown in (("issue_date", day), ("due_date", due)):
        value = case.reading.day(name)
        assert value is not None
        assert (value.year, {value.month, value.day}) == (shown.year, {shown.month, shown.day})
        assert case.reading.fields[name].evidence == read.fields[name].evidence


def check(found: Proposal, name: str) -> tuple[Status, str]:
    [one] = [check for check in found.checks if check.id == name]
    return one.status, one.message


@pytest.mark.parametrize(
    "words",
    [
        "Anzahlung 30 % Regalsystem",
        "Acompte sur commande",
        "Faktura zaliczkowa nr 3",
        "预付款",
        "Down payment for order 7",
    ],
)
def test_a_deposit_is_booked_by_a_person_the_first_time(words: str) -> None:
    line = {"item_name": words, "line_net_amount": "100.00", "vat_rate": "19"}
    read = reading([line], seller_vat_id="DE371628131")
    status, said = check(propose(read, draft_bill(), ErpIndex(DATA), TODAY), "deposit")
    assert (status, words in said) == (Status.FAIL, True)
    before = PostedLine(102, 1, words, 500)
    known = ErpIndex(replace(DATA, posted_lines=(before,)))
    assert check(propose(read, draft_bill(), known, TODAY), "deposit")[0] is Status.PASS


def test_a_final_bill_that_takes_off_a_bill_in_odoo_would_count_twice() -> None:
    read = paper_bill(prepaid_amount="100.00", amount_due="210.59")
    deposit = Bill(
        77, 102, 1, "in_invoice", "posted", "AB-1", date(2026, 8, 1), Decimal("100.00"), 1, "BILL/77"
    )
    index = ErpIndex(replace(DATA, bills=(deposit,)))
    status, said = check(propose(read, draft_bill(), index, TODAY), "prepaid")
    assert (status, "AB-1 over 100.00 is in Odoo" in said) == (Status.FAIL, True)
    status, said = check(propose(read, draft_bill(), ErpIndex(replace(DATA, bills=())), TODAY), "prepaid")
    assert (status, "210.59 is left to pay" in said) == (Status.FAIL, True)


def test_what_is_paid_whole_is_only_said() -> None:
    read = paper_bill(prepaid_amount="310.59", amount_due="0.00")
    assert check(propose(read, draft_bill(), ErpIndex(DATA), TODAY), "prepaid")[0] is Status.PASS
    assert (
        check(propose(paper_bill(), draft_bill(), ErpIndex(DATA), TODAY), "deposit")[0]
        is Status.NOT_APPLICABLE
    )
