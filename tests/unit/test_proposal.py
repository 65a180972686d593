"""What is proposed for a bill: header and lines, whatever way the document prints them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.invoice import Reading
from mappings.erp_data import Company, Precision, Record, RecordLine, Tax
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Outcome, Policy, decide
from mappings.prices import price_line
from mappings.proposal import Proposal
from mappings.totals import round_amount
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, index, paper_bill, reading, vendor_id

INDEX = index()
CENT = Decimal("0.01")
VENDOR = {
    "document_type": "invoice",
    "invoice_number": "FL-26-5001",
    "issue_date": "2026-09-10",
    "currency": "EUR",
    "seller_name": "Fuhrwerk Logistik Lüneburg GmbH",
    "seller_vat_id": "DE266940194",
}


def bill(lines: list[dict[str, str]], vat: list[dict[str, str]] | None = None, **totals: str) -> Reading:
    return reading(lines, vat, **(VENDOR | totals))


def totals(untaxed: str, tax: str, total: str) -> dict[str, str]:
    return {"total_without_vat": untaxed, "total_vat": tax, "total_with_vat": total}


def proposed(read: Reading, record: Record | None = None, erp: ErpIndex = INDEX) -> Proposal:
    return propose(read, record or draft_bill(), erp, TODAY)


def failures(proposal: Proposal) -> dict[str, str]:
    return {check.id: check.message for check in proposal.checks if check.status == "fail"}


def figures(proposal: Proposal) -> list[tuple[str, ...]]:
    """Quantity, price, discount and tax rates of each line, as strings."""
    rates = {tax.id: tax.amount for tax in INDEX.taxes.values()}
    found: list[tuple[str, ...]] = []
    for line in proposal.lines:
        ids = line["tax_ids"].value
        assert isinstance(ids, tuple)
        discount = line["discount"].value if "discount" in line else 0
        numbers = (line["quantity"].value, line["price_unit"].value, discount, *(rates[i] for i in ids))
        found.append(tuple(format(Decimal(str(number)).normalize(), "f") for number in numbers))
    return found


LINE = {"item_name": "Fracht Hamburg–Berlin", "vat_rate": "19"}


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ({"quantity": "3", "net_price": "12.50", "line_net_amount": "37.50"}, ("3", "12.5", "0", "19")),
        (
            {"quantity": "3", "net_price": "12.50", "discount_percent": "10", "line_net_amount": "33.75"},
            ("3", "12.5", "10", "19"),
        ),
        (  # the price is after the discount already
            {"quantity": "3", "net_price": "11.25", "discount_percent": "10", "line_net_amount": "33.75"},
            ("3", "11.25", "0", "19"),
        ),
        (
            {
                "quantity": "3",
                "net_price": "11.25",
                "gross_price": "12.50",
                "discount_percent": "10",
                "line_net_amount": "33.75",
            },
            ("3", "12.5", "10", "19"),
        ),
        (
            {"quantity": "4", "net_price": "25.00", "discount_amount": "5.00", "line_net_amount": "95.00"},
            ("4", "25", "5", "19"),
        ),
        (  # an allowance that is no share of the price in two decimals
            {
                "quantity": "1000",
                "net_price": "12.34",
                "discount_amount": "7.77",
                "line_net_amount": "12332.23",
            },
            ("1000", "12.33223", "0", "19"),
        ),
        ({"quantity": "500", "net_price": "4.80", "line_net_amount": "24.00"}, ("500", "0.048", "0", "19")),
        ({"quantity": "7", "line_net_amount": "10.00"}, ("7", "1.429", "0", "19")),
        ({"line_net_amount": "61.30"}, ("1", "61.3", "0", "19")),
        ({"quantity": "2", "net_price": "19.99"}, ("2", "19.99", "0", "19")),
    ],
)
def test_quantity_price_and_discount_give_the_printed_amount(
    printed: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert figures(proposed(bill([LINE | printed]))) == [expected]


quantities = st.decimals("0.01", "9999", places=2)
prices = st.decimals("0.01", "99999", places=2)


@given(quantities, prices, st.sampled_from(["0", "2", "12.5", "50"]), st.sampled_from([2, 4, None]))
def test_a_consistent_line_is_always_reproduced(
    quantity: Decimal, price: Decimal, discount: str, digits: int | None
) -> None:
    amount = round_amount(quantity * price * (1 - Decimal(discount) / 100), CENT)
    printed = {
        "quantity": quantity,
        "net_price": price,
        "discount_percent": discount,
        "line_net_amount": amount,
    }
    row = reading([{name: str(value) for name, value in printed.items()}]).lines[0]
    found = price_line(row, "line_net_amount", 1, CENT, Precision(price=digits))
    assert found is not None
    assert not found.problem
    assert round_amount(found.line.raw, CENT) == amount


@given(quantities, prices, st.decimals("0.01", "99999", places=2))
def test_what_is_not_reproduced_is_called_a_problem(
    quantity: Decimal, price: Decimal, amount: Decimal
) -> None:
    printed = {"quantity": quantity, "net_price": price, "line_net_amount": amount}
    row = reading([{name: str(value) for name, value in printed.items()}]).lines[0]
    found = price_line(row, "line_net_amount", 1, CENT, Precision(price=None))
    assert found is not None
    assert (round_amount(found.line.raw, CENT) == amount) != bool(found.problem)
    if found.line.price_unit != price:
        assert found.confidence < 0.9


def test_decimals_that_odoo_would_cut_are_said() -> None:
    erp = ErpIndex(demo_data(precision=Precision(price=2)))
    line = LINE | {"quantity": "4500", "net_price": "0.008"}
    for printed in (line, line | {"line_net_amount": "36.00"}):
        said = failures(proposed(bill([printed]), erp=erp))["line_amount"]
        assert said.endswith("too few decimals for 4500 × 0.008: 4500 × 0.01 is 45.00, not 36.00.")
    assert "line_amount" not in failures(proposed(bill([line])))


def test_several_rates_are_kept_apart() -> None:
    lines = [
        {"item_name": "Fracht", "line_net_amount": "100.00", "vat_rate": "19"},
        {"item_name": "Fachbuch", "line_net_amount": "10.00", "vat_rate": "7"},
    ]
    found = proposed(bill(lines, **totals("110.00", "19.70", "129.70")))
    assert [line[-1] for line in figures(found)] == ["19", "7"]
    assert not failures(found)


BREAKDOWN = [
    {"vat_rate": "19", "taxable_amount": "100.00", "vat_amount": "19.00"},
    {"vat_rate": "7", "taxable_amount": "10.00", "vat_amount": "0.70"},
]


def test_rates_only_in_the_summary_are_deduced_where_one_split_fits() -> None:
    lines = [
        {"item_name": "Fracht", "line_net_amount": "60.00"},
        {"item_name": "Fachbuch", "line_net_amount": "10.00"},
        {"item_name": "Maut", "line_net_amount": "40.00"},
    ]
    found = proposed(bill(lines, BREAKDOWN, **totals("110.00", "19.70", "129.70")))
    assert [line[-1] for line in figures(found)] == ["19", "7", "19"]
    assert not failures(found)
    lines[2:] = [{"item_name": name, "line_net_amount": "10.00"} for name in ("a", "b", "c", "d")]
    assert "tax_known" in failures(proposed(bill(lines, BREAKDOWN)))


def test_without_lines_there_is_one_per_rate_and_a_person_looks() -> None:
    read = bill([], BREAKDOWN, **totals("110.00", "19.70", "129.70"))
    found = proposed(read)
    assert figures(found) == [("1", "100", "0", "19"), ("1", "10", "0", "7")]
    assert found.predicted == found.paper
    made = decide(found, read, draft_bill(), Policy())
    assert made.outcome is Outcome.REVIEW
    assert "One line for this VAT rate" in made.reasons[0]


RECEIPT = [
    {"item_name": "Reinigungsmittel", "line_total_with_vat": "11.90"},
    {"item_name": "Putztücher", "quantity": "2", "line_total_with_vat": "23.80"},
]
RECEIPT_TOTALS = totals("30.00", "5.70", "35.70") | {"document_type": "receipt"}


def test_prices_with_vat_need_a_tax_that_is_included() -> None:
    found = proposed(bill(RECEIPT, **RECEIPT_TOTALS))
    assert figures(found) == [("1", "30", "0", "19")]
    included = Tax(99, "19 % incl.", Decimal(19), price_include=True, company_id=1)
    data = demo_data()
    found = proposed(
        bill(RECEIPT, **RECEIPT_TOTALS), erp=ErpIndex(replace(data, taxes=(*data.taxes, included)))
    )
    assert [line["tax_ids"].value for line in found.lines] == [(99,), (99,)]
    assert [line["price_unit"].value for line in found.lines] == [Decimal("11.90"), Decimal("11.9")]
    assert not failures(found)


def test_net_amounts_that_add_up_to_the_gross_total_are_gross() -> None:
    lines = [{"item_name": "Essen", "line_net_amount": "119.00"}]
    found = proposed(bill(lines, **totals("100.00", "19.00", "119.00")))
    assert figures(found) == [("1", "100", "0", "19")]


def test_charges_and_discounts_on_document_level_become_lines() -> None:
    lines = [LINE | {"line_net_amount": "100.00"}]
    read = bill(lines, discount_total="10.00", charge_total="5.50", **totals("95.50", "18.15", "113.65"))
    found = proposed(read)
    assert figures(found)[1:] == [("1", "-10", "0", "19"), ("1", "5.5", "0", "19")]
    assert not failures(found)
    in_the_lines = bill(lines, discount_total="10.00", **totals("100.00", "19.00", "119.00"))
    assert len(proposed(in_the_lines).lines) == 1


def test_lines_that_only_sum_up_others_are_not_billed() -> None:
    lines = [
        {"item_name": "Toner", "line_net_amount": "360.00", "vat_rate": "19", "line_status": "DETAIL"},
        {"item_name": "Papier", "line_net_amount": "90.00", "line_status": "DETAIL"},
        {"item_name": "Zubehör", "line_net_amount": "450.00", "vat_rate": "19", "line_status": "GROUP"},
    ]
    found = proposed(bill(lines, **totals("450.00", "85.50", "535.50")))
    assert figures(found) == [("1", "360", "0", "19"), ("1", "90", "0", "19")]
    assert not failures(found)


def test_a_charge_over_two_rates_is_split_as_the_summary_says() -> None:
    lines = [
        {"item_name": "Fracht", "line_net_amount": "90.00", "vat_rate": "19"},
        {"item_name": "Fachbuch", "line_net_amount": "9.00", "vat_rate": "7"},
    ]
    found = proposed(bill(lines, BREAKDOWN, charge_total="11.00", **totals("110.00", "19.70", "129.70")))
    assert figures(found)[2:] == [("1", "10", "0", "19"), ("1", "1", "0", "7")]
    assert not failures(found)


def test_a_rounding_in_the_total_is_a_line_without_tax() -> None:
    lines = [LINE | {"line_net_amount": "100.02"}]
    read = bill(lines, rounding_amount="-0.02", **totals("100.02", "19.00", "119.00"))
    found = proposed(read)
    assert figures(found)[1] == ("1", "-0.02", "0")
    assert not failures(found)
    assert found.paper == found.predicted


@pytest.mark.parametrize("minus", ["", "-"])
def test_a_credit_note_on_a_refund_has_positive_lines(minus: str) -> None:
    line = LINE | {"quantity": "2", "net_price": f"{minus}50.00", "line_net_amount": f"{minus}100.00"}
    amounts = {name: minus + amount for name, amount in totals("100.00", "19.00", "119.00").items()}
    read = bill([line], **amounts | {"document_type": "credit_note"})
    found = proposed(read, draft_bill("in_refund"))
    assert figures(found) == [("2", "50", "0", "19")]
    assert found.paper is not None
    assert found.paper.total == Decimal("119.00")
    assert not failures(found)
    assert "document_type" in failures(proposed(bill([line]), draft_bill("in_refund")))


def test_no_vat_takes_the_only_tax_of_zero_and_doubts_between_two() -> None:
    lines = [{"item_name": "Build service", "line_net_amount": "228.00", "vat_category": "E"}]
    found = proposed(bill(lines, **totals("228.00", "0.00", "228.00")))
    assert figures(found) == [("1", "228", "0", "0")]
    data = demo_data()
    second = Tax(98, "0 % EU", Decimal(0), company_id=1)
    two = ErpIndex(replace(data, taxes=(*data.taxes, second)))
    message = failures(proposed(bill(lines), erp=two))["tax_known"]
    assert message == "No VAT is charged, and several taxes could apply: 0 %, 0 % EU."


def test_a_rate_that_odoo_lacks_is_said() -> None:
    found = failures(proposed(bill([{"item_name": "Fracht", "line_net_amount": "1.00", "vat_rate": "8.1"}])))
    assert found["tax_known"] == "Odoo has no purchase tax of 8.1 %."


def test_taxes_of_another_company_inactive_or_reverse_charged_are_never_taken() -> None:
    wrong = (
        Tax(1, "19 % other", Decimal(19), company_id=2),
        Tax(2, "19 % old", Decimal(19), company_id=1, active=False),
        Tax(3, "19 % reverse", Decimal(19), company_id=1, reverse_charge=True),
    )
    erp = ErpIndex(
        replace(demo_data(), taxes=wrong, companies=(*demo_data().companies, Company(2, "B", 3, 1)))
    )
    found = failures(proposed(bill([LINE | {"line_net_amount": "1.00"}]), erp=erp))
    assert found["tax_known"] == "Odoo has no purchase tax of 19 %."


def test_the_account_follows_the_vendor_then_the_product_then_the_default() -> None:
    def account(read: Reading) -> tuple[str, float]:
        value = proposed(read).lines[0]["account_id"]
        assert isinstance(value.value, int)
        return INDEX.accounts[value.value].code, value.confidence

    carriage = reading(
        [{"item_name": "Carriage UK", "line_net_amount": "12.50"}],
        document_type="invoice",
        seller_vat_id="GB369997755",
    )
    assert account(carriage)[0] == "635100"
    assert account(bill([LINE | {"item_name": "Standgeld", "line_net_amount": "1.00"}]))[0] == "635100"
    mingan = {"seller_vat_id": "91440300MAJPB1988W", "document_type": "invoice"}
    bought = {"item_name": "单片机", "item_seller_id": "ma-mk4 b", "line_net_amount": "86.40"}
    assert account(reading([bought], **mingan))[0] == "605100"
    unknown = {"item_name": "咨询服务", "line_net_amount": "86.40"}
    code, sure = account(reading([unknown], **mingan))
    assert (code, sure < 0.9) == ("600000", True)


def test_what_a_person_set_stays_and_is_compared() -> None:
    brunnhuber, other = vendor_id("brunnhuber"), vendor_id("fuhrwerk")
    agreeing = draft_bill(
        values={"partner_id": brunnhuber, "ref": "2026 0901", "invoice_date": date(2026, 9, 10)}
    )
    found = proposed(paper_bill(), agreeing)
    assert {"partner_id", "ref", "invoice_date"}.isdisjoint(found.values)
    assert decide(found, paper_bill(), agreeing, Policy()).outcome is Outcome.FILL
    clashing = draft_bill(
        values={"partner_id": other, "invoice_date_due": date(2026, 12, 1), "currency_id": 2}
    )
    said = failures(proposed(paper_bill(), clashing))
    assert said["kept_partner_id"].startswith("The vendor in Odoo is Fuhrwerk Logistik Lüneburg GmbH")
    assert (
        said["kept_invoice_date_due"] == "The due date in Odoo is 2026-12-01, the document says 2026-09-24."
    )
    assert said["kept_currency_id"] == "The currency in Odoo is USD, the document says EUR."


def test_a_printed_due_date_wins_over_the_payment_term() -> None:
    values = proposed(paper_bill(due_date="2026-10-20")).values
    assert values["invoice_date_due"].value == date(2026, 10, 20)
    assert values["invoice_payment_term_id"].value is None
    assert "invoice_payment_term_id" not in proposed(paper_bill()).values
    assert "invoice_date_due" not in proposed(paper_bill(due_date="")).values


FILLED = {
    "lines": (RecordLine(1, "Papier", Decimal(1), Decimal(261), Decimal(261)),),
    "amount_untaxed": Decimal("261.00"),
    "amount_tax": Decimal("49.59"),
    "amount_total": Decimal("310.59"),
}


def test_a_filled_bill_is_only_compared() -> None:
    values = {"partner_id": vendor_id("brunnhuber"), "ref": "2026-0901", "invoice_date": date(2026, 9, 10)}
    record = draft_bill(values=values, **FILLED)
    found = proposed(paper_bill(), record)
    assert (found.verify_only, found.values, found.lines) == (True, {}, ())
    assert decide(found, paper_bill(), record, Policy()).outcome is Outcome.SKIP
    dropped = replace(record, amount_tax=Decimal(0), amount_total=Decimal("261.00"))
    made = decide(proposed(paper_bill(), dropped), paper_bill(), dropped, Policy())
    assert made.outcome is Outcome.REVIEW
    assert made.reasons[0] == "Odoo has 261.00 as the total, the document says 310.59."
    nameless = replace(record, values=dict(record.values) | {"ref": None})
    made = decide(proposed(paper_bill(), nameless), paper_bill(), nameless, Policy())
    assert made.reasons == ("Odoo has no bill reference, the document says 2026-0901.",)


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_erp_data_does_not_matter(dice: random.Random) -> None:
    data = demo_data()
    tables = ("partners", "bank_accounts", "taxes", "accounts", "products", "bills", "purchase_orders")
    shuffled = {name: tuple(dice.sample(getattr(data, name), len(getattr(data, name)))) for name in tables}
    erp = ErpIndex(replace(data, **shuffled))
    ambiguous = paper_bill(seller_name="Nordlicht Elektro GmbH", seller_vat_id="", payment_account="")
    for read in (paper_bill(), ambiguous):
        assert proposed(read, erp=erp) == proposed(read)
        assert proposed(read).as_json() == json.loads(json.dumps(proposed(read).as_json()))


@settings(max_examples=50)
@given(st.lists(st.tuples(quantities, prices, st.sampled_from(["7", "19"])), min_size=1, max_size=8))
def test_a_consistent_bill_passes_the_totals(items: list[tuple[Decimal, Decimal, str]]) -> None:
    """A bill whose lines are whole cents and whose VAT is rounded once per rate, as the law says."""
    sums = {"7": Decimal(0), "19": Decimal(0)}
    lines: list[dict[str, str]] = []
    for quantity, price, rate in items:
        whole = quantity.to_integral_value() + 1
        amount = whole * price
        sums[rate] += amount
        lines.append(
            {
                "item_name": "Ware",
                "quantity": str(whole),
                "net_price": str(price),
                "line_net_amount": str(amount),
                "vat_rate": rate,
            }
        )
    tax = sum((round_amount(base * Decimal(rate) / 100, CENT) for rate, base in sums.items()), Decimal(0))
    untaxed = sum(sums.values(), Decimal(0))
    found = proposed(bill(lines, **totals(str(untaxed), str(tax), str(untaxed + tax))))
    assert not failures(found)
    assert found.predicted == found.paper
