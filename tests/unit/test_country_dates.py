"""A date like 11/12/2026 is settled by the country of a known vendor, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.invoice import Box, Evidence, Field
from mappings.dates import CONTRADICTED, SETTLED, with_country
from mappings.erp_data import Partner
from mappings.matching import propose
from mappings.policy import Outcome, Policy, decide
from tests.unit.mappings_builder import TODAY, draft_bill, index, paper_bill

FRENCH = Partner(7, "Vendor", 7, country="FR")
AMERICAN = replace(FRENCH, country="US")
CANADIAN = replace(FRENCH, country="CA")


def field(value: date, printed: str) -> Field:
    return Field(value, 0.6, (Evidence(1, Box(0, 0, 1, 1), printed),))


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from("./-"))
def test_the_country_settles_the_order(day: date, mark: str) -> None:
    day_first, month_first = day.strftime(f"%d{mark}%m{mark}%Y"), day.strftime(f"%m{mark}%d{mark}%Y")
    is_open = day.day <= 12 and day.day != day.month
    for vendor, usual, unusual in ((FRENCH, day_first, month_first), (AMERICAN, month_first, day_first)):
        assert with_country(field(day, usual), vendor)[0] == (SETTLED if is_open else 0.6)
        assert with_country(field(day, unusual), vendor)[0] == (CONTRADICTED if is_open else 0.6)
        assert with_country(field(day, usual), None)[0] == 0.6
    assert with_country(field(day, day_first), CANADIAN)[0] == 0.6


@pytest.mark.parametrize("printed", ["11 December 2026", "2026-12-11", "2026年12月11日", ""])
def test_other_dates_stay_as_they_are(printed: str) -> None:
    assert with_country(field(date(2026, 12, 11), printed), FRENCH) == (0.6, "As printed.")


def test_a_payment_term_that_gives_the_printed_due_date_makes_it_sure() -> None:
    read = paper_bill()
    issued, doubted = read.day("issue_date"), read.get("due_date")
    assert issued is not None
    assert doubted is not None
    read = replace(read, fields={**read.fields, "due_date": replace(doubted, confidence=0.6)})
    proposal = propose(read, draft_bill(), index(), TODAY)
    agrees = "says the same" in proposal.values["invoice_date_due"].reason
    assert (proposal.values["invoice_date_due"].confidence >= SETTLED) == agrees
    assert (decide(proposal, read, draft_bill(), Policy()).outcome is Outcome.FILL) == agrees
    assert agrees
