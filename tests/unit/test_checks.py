"""Checks of a Reading: each passes, fails with the figures in its sentence, or does not apply."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from inference.checks import failed_lines, line_agrees, run_checks
from inference.confidence import FAILED_CHECK, Features, doubt_failed, probability
from inference.invoice import Evidence, Field, Reading, Row, Status, Value

MONEY = st.integers(min_value=1, max_value=10**8).map(lambda n: Decimal(n) / 100)


def field(value: Value, text: str = "") -> Field:
    return Field(value, 0.9, (Evidence(1, None, text),))


def amounts(**values: str) -> dict[str, Field]:
    return {name: field(Decimal(value), value) for name, value in values.items()}


def outcome(reading: Reading, name: str) -> tuple[Status, str]:
    (check,) = [check for check in run_checks(reading) if check.id == name]
    return check.status, check.message


def line(**values: str) -> Row:
    return {name: field(Decimal(value)) for name, value in values.items()}


def test_nothing_known_means_nothing_applies() -> None:
    checks = run_checks(Reading("layout", fields={}))
    assert {check.status for check in checks} == {Status.NOT_APPLICABLE}


@given(MONEY, MONEY)
def test_totals_pass_exactly_where_they_add_up(net: Decimal, vat: Decimal) -> None:
    known = {"total_without_vat": field(net), "total_vat": field(vat)}
    right = Reading("layout", fields=known | {"total_with_vat": field(net + vat)})
    wrong = Reading("layout", fields=known | {"total_with_vat": field(net + vat + Decimal("0.02"))})
    assert outcome(right, "totals")[0] is Status.PASS
    assert outcome(wrong, "totals")[0] is Status.FAIL


def test_a_failed_sum_of_lines_names_both_figures() -> None:
    reading = Reading(
        "layout",
        fields=amounts(total_without_vat="130.00"),
        lines=(line(line_net_amount="70.00"), line(line_net_amount="50.00")),
    )
    status, message = outcome(reading, "lines_sum")
    assert status is Status.FAIL
    assert message == "The lines add up to 120.00, but the net total is 130.00."


def test_lines_may_add_up_to_the_gross_total_or_before_a_discount() -> None:
    gross = Reading(
        "r",
        fields=amounts(total_without_vat="10", total_with_vat="11.90"),
        lines=(line(line_net_amount="11.90"),),
    )
    less = Reading(
        "r", fields=amounts(total_without_vat="90", discount_total="10"), lines=(line(line_net_amount="100"),)
    )
    assert outcome(gross, "lines_sum")[0] is Status.PASS
    assert outcome(less, "lines_sum")[0] is Status.PASS


@given(st.integers(1, 500), MONEY, st.integers(0, 60))
def test_a_line_agrees_with_its_rounded_product(quantity: int, price: Decimal, discount: int) -> None:
    amount = (quantity * price * (1 - Decimal(discount) / 100)).quantize(Decimal("0.01"))
    row = line(
        quantity=str(quantity),
        net_price=str(price),
        discount_percent=str(discount),
        line_net_amount=str(amount),
    )
    assert line_agrees(row) is True
    off = line(
        quantity=str(quantity),
        net_price=str(price),
        discount_percent=str(discount),
        line_net_amount=str(4 * amount + quantity + 1),
    )
    assert line_agrees(off) is False


def test_a_line_without_a_price_cannot_disagree() -> None:
    reading = Reading("r", fields={}, lines=(line(quantity="2", line_net_amount="5"),))
    assert failed_lines(reading) == ()
    assert outcome(reading, "line_arithmetic")[0] is Status.NOT_APPLICABLE


def test_vat_by_rate() -> None:
    good: Row = line(vat_rate="19", taxable_amount="16.72", vat_amount="3.18")
    bad: Row = line(vat_rate="19", taxable_amount="16.72", vat_amount="4.18")
    assert (
        outcome(Reading("r", fields=amounts(total_vat="3.18"), vat_breakdown=(good,)), "vat_by_rate")[0]
        is Status.PASS
    )
    assert outcome(Reading("r", fields={}, vat_breakdown=(bad,)), "vat_by_rate")[0] is Status.FAIL
    status, message = outcome(
        Reading("r", fields=amounts(total_vat="5.00"), vat_breakdown=(good,)), "vat_by_rate"
    )
    assert status is Status.FAIL
    assert "3.18" in message
    assert "5.00" in message


def test_a_rate_without_its_figures_may_make_up_the_rest() -> None:
    rows: tuple[Row, ...] = (
        line(vat_rate="19", taxable_amount="100", vat_amount="19"),
        line(vat_rate="7"),
        {"vat_category": field("E"), "exemption_reason": field("§ 4 Nr. 21 UStG")},
    )
    reading = Reading("r", fields=amounts(total_vat="22.50"), vat_breakdown=rows)
    assert outcome(reading, "vat_by_rate")[0] is Status.PASS
    assert outcome(replace(reading, vat_breakdown=rows[::2]), "vat_by_rate")[0] is Status.FAIL


@given(MONEY, st.integers(0, 28), st.sampled_from([1, -1]))
def test_vat_at_a_rate_that_exists_is_plausible_for_bills_and_credits(
    net: Decimal, rate: int, sign: int
) -> None:
    vat = (net * rate / 100).quantize(Decimal("0.01"))
    known = {"total_without_vat": field(sign * net), "total_vat": field(sign * vat)}
    assert outcome(Reading("r", fields=known), "vat_plausible")[0] is Status.PASS
    gross = {"total_with_vat": field(sign * (net + vat)), "total_vat": field(sign * vat)}
    assert outcome(Reading("r", fields=gross), "vat_plausible")[0] is Status.PASS


@given(MONEY, st.decimals("0.32", 5, places=2))
def test_more_vat_than_any_country_charges_fails_with_both_figures(net: Decimal, share: Decimal) -> None:
    vat = (net * share).quantize(Decimal("0.01")) + Decimal("0.02")
    fields = {"total_without_vat": field(net), "total_vat": field(vat)}
    status, message = outcome(Reading("r", fields=fields), "vat_plausible")
    assert status is Status.FAIL
    assert f"{vat:.2f} VAT on {net:.2f}" in message
    doubted = doubt_failed(fields, run_checks(Reading("r", fields=fields)))
    assert doubted["total_vat"].confidence <= FAILED_CHECK


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 400))
def test_a_due_date_is_right_from_the_day_of_issue_on(issued: date, days: int) -> None:
    due = issued + timedelta(days=days)
    assert outcome(Reading("r", fields={"issue_date": field(issued), "due_date": field(due)}), "due_date")[
        0
    ] is (Status.PASS)
    assert (
        outcome(
            Reading("r", fields={"issue_date": field(due + timedelta(days=1)), "due_date": field(issued)}),
            "due_date",
        )[0]
        is Status.FAIL
    )


@given(MONEY, MONEY, st.integers(-50, 50).map(lambda n: Decimal(n) / 1000))
def test_the_amount_due_passes_exactly_where_total_less_paid_is_due(
    total: Decimal, paid: Decimal, rounding: Decimal
) -> None:
    fields = {
        "total_with_vat": field(total),
        "prepaid_amount": field(paid),
        "rounding_amount": field(rounding),
    }
    right = Reading("r", fields=fields | {"amount_due": field(total - paid + rounding)})
    wrong = Reading("r", fields=fields | {"amount_due": field(total - paid + rounding + 1)})
    assert outcome(right, "amount_due")[0] is Status.PASS
    assert outcome(wrong, "amount_due")[0] is Status.FAIL


@given(
    st.sampled_from(["DE89370400440532013000", "GB29NWBK60161331926819"]),
    st.integers(4, 21),
    st.integers(1, 9),
)
def test_one_wrong_digit_of_an_iban_is_found(iban: str, place: int, off: int) -> None:
    if not iban[place].isdigit():
        return
    wrong = iban[:place] + str((int(iban[place]) + off) % 10) + iban[place + 1 :]
    status, message = outcome(Reading("r", fields={"payment_account": field(wrong)}), "payment_account")
    assert status is Status.FAIL
    assert wrong in message


def test_amount_due_is_total_less_prepaid_with_rounding() -> None:
    paid = amounts(total_with_vat="530.75", prepaid_amount="147.00", amount_due="383.75")
    rounded = amounts(total_with_vat="10.02", rounding_amount="-0.02", amount_due="10.00")
    assert outcome(Reading("r", fields=paid), "amount_due")[0] is Status.PASS
    assert outcome(Reading("r", fields=rounded), "amount_due")[0] is Status.PASS
    assert outcome(Reading("r", fields=paid | amounts(amount_due="530.75")), "amount_due")[0] is Status.FAIL


def test_due_before_issue_fails() -> None:
    dates = {"issue_date": field(date(2026, 3, 5)), "due_date": field(date(2026, 3, 4))}
    assert outcome(Reading("r", fields=dates), "due_date")[0] is Status.FAIL


def test_check_digits_and_currency() -> None:
    fields = {
        "seller_vat_id": field("DE123456789"),
        "payment_account": field("DE89370400440532013000"),
        "currency": field("EUR"),
        "total_with_vat": field(Decimal("5.00"), "$ US$ 5.00"),
    }
    reading = Reading("r", fields=fields)
    assert outcome(reading, "seller_vat_id")[0] is Status.FAIL
    assert outcome(reading, "payment_account")[0] is Status.PASS
    assert outcome(reading, "currency")[0] is Status.FAIL


def test_what_a_failed_check_is_about_is_doubted_with_its_sentence() -> None:
    fields = amounts(total_without_vat="100.00", total_vat="19.00", total_with_vat="120.00")
    reading = Reading("r", fields=fields)
    doubted = doubt_failed(fields, run_checks(reading))
    assert all(found.confidence <= FAILED_CHECK for found in doubted.values())
    assert "120.00" in doubted["total_vat"].note


@given(
    st.builds(
        Features,
        label=st.floats(0, 1),
        relation=st.floats(0, 1),
        margin=st.floats(0, 1),
        arithmetic=st.sampled_from([-1.0, 0.0, 1.0]),
        ambiguous=st.sampled_from([0.0, 1.0]),
        ocr=st.floats(0, 1),
    ),
    st.sampled_from(["total_with_vat", "issue_date", "seller_name", "invoice_number", "quantity"]),
)
def test_confidence_is_a_probability_and_ambiguity_caps_it(features: Features, term: str) -> None:
    chance = probability(term, features)
    assert 0 < chance < 1
    assert not features.ambiguous or chance <= 0.6
