"""Discounts for early payment: the payment term that grants what the document does, and VAT that is less at once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.invoice import Check, Reading
from mappings.case import Case
from mappings.early import printed_discount
from mappings.erp_data import ErpData, PaymentTerm
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Outcome, Policy, decide
from mappings.proposal import Proposal
from mappings.totals import EarlyDiscount, PricedLine, predict
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, paper_bill, reading, vendor_id

DATA = demo_data()
CENT = Decimal("0.01")
PAPER = vendor_id("brunnhuber")
TERM = "invoice_payment_term_id"


def term(number: int, days: int, percent: str = "0", within: int = 0, mode: str = "included") -> PaymentTerm:
    return PaymentTerm(number, f"Term {number}", days, Decimal(percent), within, mode if within else "")


def data(*terms: PaymentTerm, own: int | None = None) -> ErpData:
    """The demo company with these payment terms beside its own; `own` is that of Papierhaus."""
    partners = tuple(
        replace(one, payment_term_id=own) if own and one.id == PAPER else one for one in DATA.partners
    )
    return replace(DATA, payment_terms=(*DATA.payment_terms, *terms), partners=partners)


def proposed(read: Reading, erp: ErpData) -> Proposal:
    return propose(read, draft_bill(), ErpIndex(erp), TODAY)


def check(found: Proposal, name: str = "early_discount") -> Check:
    [one] = [one for one in found.checks if one.id == name]
    return one


@pytest.mark.parametrize(
    ("text", "granted"),
    [
        ("2 % Skonto innerhalb 10 Tagen, 30 Tage netto", ("2", 10)),
        ("Zahlbar innerhalb 10 Tagen abzüglich 2,5% Skonto oder 30 Tage netto", ("2.5", 10)),
        ("2% discount if paid within 14 days, net 30 days", ("2", 14)),
        ("2/10 net 30", ("2", 10)),
        ("2% 10 days, net 30 days, discount", ("2", 10)),
        ("Escompte de 2 % pour paiement sous 8 jours", ("2", 8)),
        ("2 % korting bij betaling binnen 8 dagen", ("2", 8)),
        ("#SKONTO#TAGE=14#PROZENT=2.25#", ("2.25", 14)),
        ("#SKONTO#TAGE=7#PROZENT=3.00#\n#SKONTO#TAGE=14#PROZENT=2.00#", None),
        ("3 % Skonto 7 Tage, 2 % Skonto 14 Tage, 30 Tage netto", None),
        ("Nach 30 Tagen 8 % Verzugszinsen", None),
        ("30 Tage netto ohne Abzug", None),
        ("2 % Skonto sofort, 30 Tage netto", None),
        ("14 Tage 2 % Skonto, 30 Tage rein netto", ("2", 14)),
        ("Late payment: 1.5 % interest after 30 days, no discount", None),
        ("Payable within 30 days", None),
        ("5 % Rabatt bei Abnahme von 100 Stück", None),
    ],
)
def test_what_the_terms_grant(text: str, granted: tuple[str, int] | None) -> None:
    found = printed_discount(Case(reading(payment_terms=text), draft_bill(), ErpIndex(DATA), TODAY))
    assert (found and (format(found.percent.normalize(), "f"), found.days)) == granted


SKONTO = "2 % Skonto innerhalb 10 Tagen, 14 Tage netto"


def test_the_payment_term_that_grants_the_same_is_chosen() -> None:
    other = (term(80, 14, "3", 10), term(81, 30, "2", 10))
    found = proposed(paper_bill(payment_terms=SKONTO), data(term(79, 14, "2", 10), *other))
    assert found.values[TERM].value == 79
    assert found.values[TERM].terms == ("payment_terms",)
    assert str(found.values["invoice_date_due"].value) == "2026-09-24"
    read = paper_bill(payment_terms=SKONTO)
    assert decide(found, read, draft_bill(), Policy()).outcome is Outcome.FILL
    undated = proposed(paper_bill(payment_terms=SKONTO, due_date=""), data(term(79, 14, "2", 10)))
    assert undated.values[TERM].value == 79


def test_the_vendor_s_own_term_stays_where_it_says_the_same() -> None:
    found = proposed(paper_bill(payment_terms=SKONTO), data(term(79, 14, "2", 10), own=79))
    assert TERM not in found.values
    assert check(found).status == "pass"


def test_another_discount_than_the_vendor_s_term_grants_goes_to_a_person() -> None:
    found = proposed(paper_bill(payment_terms=SKONTO), data(term(79, 14, "3", 7), own=79))
    assert check(found).message == (
        "The vendor's payment term Term 79 grants 3 % within 7 days, the document 2 % within 10 days."
    )
    assert check(found).status == "fail"


def test_a_discount_that_odoo_has_no_term_for_is_said_and_holds_nothing_up() -> None:
    read = paper_bill(payment_terms=SKONTO)
    found = proposed(read, DATA)
    assert check(found).message.endswith("so it is not shown when the bill is paid.")
    assert decide(found, read, draft_bill(), Policy()).outcome is Outcome.FILL
    two = proposed(read, data(term(79, 14, "2", 10), term(80, 14, "2", 10)))
    assert TERM not in two.values


# -- VAT that is less at once (`mixed`) -------------------------------------------------------------------------------


def test_vat_follows_the_vendor_s_payment_term() -> None:
    """19 % of 261.00 is 49.59; of 255.78, 2 % less, 48.60."""
    mixed = data(term(79, 14, "2", 10, "mixed"), own=79)
    less = paper_bill(total_vat="48.60", total_with_vat="309.60")
    found = proposed(less, mixed)
    assert found.predicted == found.paper
    assert check(found, "totals").status == "pass"
    whole = check(proposed(paper_bill(), mixed), "totals")
    assert whole.status == "fail"
    assert whole.message.endswith(
        "The payment term Term 79 takes 2 % off what VAT is charged on, the document does not."
    )
    for mode in ("included", "excluded"):
        assert (
            check(proposed(paper_bill(), data(term(79, 14, "2", 10, mode), own=79)), "totals").status
            == "pass"
        )


def test_vat_less_a_discount_that_odoo_does_not_know_has_its_cause() -> None:
    less = paper_bill(total_vat="48.60", total_with_vat="309.60", payment_terms=SKONTO)
    assert "Its VAT is less 2 % for early payment" in check(proposed(less, DATA), "totals").message


amounts = st.lists(st.decimals("0.01", 9999, places=2), min_size=1, max_size=6)


@given(amounts, st.sampled_from(["round_globally", "round_per_line"]), st.permutations(range(6)))
def test_the_net_stays_and_the_order_of_lines_does_not_matter(
    nets: list[Decimal], method: str, turn: list[int]
) -> None:
    [tax] = [one for one in DATA.taxes if one.amount == 19 and not one.reverse_charge]
    lines = [PricedLine(Decimal(1), net, taxes=(tax,)) for net in nets]
    booked = tuple(place % 2 for place in range(len(nets)))
    found = predict(lines, CENT, method, EarlyDiscount(Decimal(2), booked))
    assert found.untaxed == sum(nets, Decimal(0))
    places = [place for place in turn if place < len(nets)]
    again = predict(
        [lines[place] for place in places],
        CENT,
        method,
        EarlyDiscount(Decimal(2), tuple(booked[place] for place in places)),
    )
    assert again == found
    assert predict(lines, CENT, method, EarlyDiscount(Decimal(0), booked)) == predict(lines, CENT, method)
