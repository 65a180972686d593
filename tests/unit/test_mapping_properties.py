"""Whatever a bill prints: the same Proposal each time, no value from nowhere, and totals that agree or are flagged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inference.invoice import Reading, Status
from mappings.case import field_at
from mappings.erp_data import Currency
from mappings.index import ErpIndex
from mappings.line_styles import LineStyle, LineStyles
from mappings.matching import propose
from mappings.policy import Outcome, Policy, decide
from mappings.proposal import Proposal, ProposedValue
from mappings.totals import round_amount
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, reading

DATA = demo_data()
KWD = Currency(9, "KWD", Decimal("0.001"))
CURRENCIES = (*(replace(one, active=True) for one in DATA.currencies), KWD)
INDEX = ErpIndex(replace(DATA, currencies=CURRENCIES))
DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}
WORDS = ["Kopierpapier A4 80 g", "Ordner", "Fracht", "• Toner ....", "Rabatt", "Anzahlung"]


@st.composite
def bills(draw: st.DrawFn) -> tuple[Reading, dict[str, str]]:
    """A bill of any sums (returns, discounts and free lines too) that adds up, or is some cents off."""
    code = draw(st.sampled_from(sorted(DIGITS)))
    smallest = Decimal(1).scaleb(-DIGITS[code])
    lines: list[dict[str, str]] = []
    nets: dict[Decimal, Decimal] = {}
    for _ in range(draw(st.integers(1, 5))):
        rate = draw(st.sampled_from([Decimal(19), Decimal(7), Decimal(0)]))
        price = draw(st.integers(-2000, 100_000)) * smallest
        quantity = draw(st.sampled_from([Decimal(1), Decimal(3), Decimal("-2"), Decimal("0.5"), Decimal(0)]))
        net = round_amount(price * quantity, smallest)
        nets[rate] = nets.get(rate, Decimal(0)) + net
        lines.append(
            {
                "item_name": draw(st.sampled_from(WORDS)),
                "quantity": str(quantity),
                "net_price": str(price),
                "line_net_amount": str(net),
                "vat_rate": str(rate),
            }
        )
    untaxed = sum(nets.values(), Decimal(0))
    tax = sum((round_amount(net * rate / 100, smallest) for rate, net in nets.items()), Decimal(0))
    tax += draw(st.sampled_from([0, 0, 0, 1, -1])) * smallest
    header = {
        "document_type": "invoice",
        "invoice_number": draw(st.from_regex(r"[A-Z]{2}-[0-9]{4}", fullmatch=True)),
        "issue_date": "2026-09-10",
        "currency": code,
        "seller_vat_id": "DE371628131",
        "total_without_vat": str(untaxed),
        "total_vat": str(tax),
        "total_with_vat": str(untaxed + tax),
    }
    left_out = draw(
        st.sets(st.sampled_from(["total_vat", "total_without_vat", "invoice_number", "currency"]))
    )
    return reading(lines, **{n: v for n, v in header.items() if n not in left_out}), header


styles = st.sampled_from([LineStyles(), LineStyles(LineStyle.PER_TAX)])


def values(found: Proposal) -> Iterator[tuple[str, ProposedValue]]:
    yield from found.values.items()
    for line in found.lines:
        yield from line.items()


@given(bills(), styles)
def test_a_proposal_is_the_same_each_time_and_nothing_comes_from_nowhere(
    bill: tuple[Reading, Any], style: LineStyles
) -> None:
    read, _ = bill
    found = propose(read, draft_bill(), INDEX, TODAY, line_styles=style)
    assert propose(read, draft_bill(), INDEX, TODAY, line_styles=style) == found
    ids = {one.id for table in (DATA.partners, DATA.taxes, DATA.accounts, DATA.products) for one in table}
    ids |= {one.id for one in (*CURRENCIES, *DATA.payment_terms)}
    for name, value in values(found):
        assert 0.0 <= value.confidence <= 1.0
        assert value.reason
        for path in value.terms:
            assert field_at(read, path) is not None, (name, path)
        if isinstance(value.value, int) and not isinstance(value.value, bool):
            assert value.value in ids, name
        if isinstance(value.value, Decimal):
            assert value.terms, f"{name} is a number that no Field proves"
        if isinstance(value.value, tuple):
            assert set(value.value) <= ids


@given(bills(), styles)
def test_totals_agree_or_are_flagged_and_only_agreement_is_filled(
    bill: tuple[Reading, dict[str, str]], style: LineStyles
) -> None:
    read, printed = bill
    found = propose(read, draft_bill(), INDEX, TODAY, line_styles=style)
    [totals] = [check for check in found.checks if check.id == "totals"]
    total = Decimal(printed["total_with_vat"])
    if totals.status is Status.PASS:
        assert found.predicted is not None
        assert found.predicted.total == total
    made = decide(found, read, draft_bill(), Policy())
    if made.outcome is Outcome.FILL:
        assert totals.status is Status.PASS
        assert found.predicted is not None
        assert found.predicted.total == total
