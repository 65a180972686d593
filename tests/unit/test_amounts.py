"""Totals, VAT by rate and the currency on typed pages: what adds up is found, what does not is doubted."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.invoice import Reading, as_decimal, as_text
from tests.unit.typed_pages import read

HEAD = "Morgenrot Werkzeug GmbH\n\nRECHNUNG\n\nRechnungsnr.:  RE-4711\nRechnungsdatum:  05.03.2026\n\n"
ITEMS = "Pos   Bezeichnung               Menge   Einzelpreis       Gesamt\n1     Hammer                      3         10,00        30,00\n"

cents = st.integers(1, 5_000_000).map(lambda value: Decimal(value) / 100)
rates = st.sampled_from([Decimal(rate) for rate in ("5", "7", "8.1", "10", "19", "20", "21", "25")])


def german(value: Decimal) -> str:
    whole, _, places = f"{value:,.2f}".partition(".")
    return whole.replace(",", ".") + "," + places


def amounts(reading: Reading) -> tuple[Decimal | None, ...]:
    return tuple(reading.amount(name) for name in ("total_without_vat", "total_vat", "total_with_vat"))


@settings(max_examples=40, deadline=None)
@given(cents, rates)
def test_totals_of_any_size_are_read_and_agree(net: Decimal, rate: Decimal) -> None:
    vat = round(net * rate / 100, 2)
    page = (
        HEAD
        + f"Nettobetrag        {german(net)}\nzzgl. {str(rate).replace('.', ',')} % MwSt      {german(vat)}\n"
        + f"Gesamtbetrag       {german(net + vat)}\n"
    )
    assert amounts(read(page)) == (net, vat, net + vat)


@settings(max_examples=30, deadline=None)
@given(cents.filter(lambda value: value > 5), st.integers(1, 9))
def test_figures_that_contradict_each_other_are_never_sure(net: Decimal, off: int) -> None:
    vat = round(net * Decimal("0.19"), 2)
    page = HEAD + f"Nettobetrag      {german(net)}\nMwSt 19 %      {german(vat)}\n"
    reading = read(page + f"Gesamtbetrag     {german(net + vat + off)}\n")
    for name in ("total_without_vat", "total_vat", "total_with_vat"):
        found = reading.get(name)
        assert found is None or found.confidence < 0.9


def test_the_total_is_due_on_a_bill_that_names_no_payment() -> None:
    bill = HEAD + ITEMS + "Nettobetrag     30,00\nMwSt 19 %        5,70\nGesamtbetrag    35,70 EUR\n"
    due = read(bill).fields["amount_due"]
    assert due.value == Decimal("35.70")
    assert due.evidence[0].text == "35,70 EUR"


@pytest.mark.parametrize("payment", ["Anzahlung        10,00", "Bereits bezahlt per Kreditkarte"])
def test_nothing_is_guessed_to_be_due_where_a_payment_is_named(payment: str) -> None:
    bill = (
        HEAD + ITEMS + f"Nettobetrag     30,00\nMwSt 19 %        5,70\nGesamtbetrag    35,70 EUR\n{payment}\n"
    )
    assert read(bill).amount("amount_due") is None


def test_a_receipt_owes_nothing() -> None:
    page = "CORNER BAKERY\n12.05.2024 10:41\nRye bread     4.20\nTOTAL     4.20\nCASH TENDERED    5.00\nCHANGE DUE     0.80\n"
    reading = read(page)
    assert reading.amount("total_with_vat") == Decimal("4.20")
    assert reading.amount("amount_due") is None


def test_an_earlier_balance_is_no_part_of_the_total() -> None:
    page = HEAD + "Gesamtbetrag    35,70\nAlter Saldo     10,00\nZahlbetrag     45,70\n"
    reading = read(page)
    assert (reading.amount("total_with_vat"), reading.amount("amount_due")) == (
        Decimal("35.70"),
        Decimal("45.70"),
    )


def test_charges_between_net_total_and_total_explain_the_gap() -> None:
    page = "NOODLE BAR\n12.05.2024 10:41\nSubtotal    36.00\nService Charge (10%)   3.60\nGST (6%)    2.38\nTotal    41.98\n"
    reading = read(page)
    assert (reading.amount("total_vat"), reading.amount("total_with_vat")) == (
        Decimal("2.38"),
        Decimal("41.98"),
    )
    assert reading.fields["total_with_vat"].confidence >= 0.9
    assert reading.amount("total_without_vat") is None


def test_two_taxes_make_the_vat_total() -> None:
    page = "Maple Desk Inc.\nINVOICE\nInvoice no: 77\nSubtotal   $100.00\nGST 5%    $5.00\nPST 7%    $7.00\nTotal   $112.00\n"
    reading = read(page)
    assert amounts(reading) == (Decimal("100.00"), Decimal("12.00"), Decimal("112.00"))


def test_a_sum_of_rates_below_its_headings_is_the_one_that_counts() -> None:
    page = HEAD + (
        "Nettobetrag      MwSt-Betrag     MwSt-%     Endbetrag\n"
        "    -4,85           -0,92         19,0         -5,77\n"
        "    -2,82           -0,20          7,0         -3,02\n"
        "    -7,67           -1,12                      -8,79\n"
    )
    assert amounts(read(page)) == (Decimal("-7.67"), Decimal("-1.12"), Decimal("-8.79"))


def test_vat_by_rate_has_its_category() -> None:
    page = HEAD + (
        "USt-Satz     Netto      USt       Brutto\n19 %       100,00     19,00     119,00\n7 %         50,00      3,50      53,50\n"
        "Summe netto    150,00\nSumme MwSt    22,50\nGesamtbetrag    172,50 EUR\n"
    )
    rows = read(page).vat_breakdown
    assert [
        (as_decimal(row["vat_rate"]), as_decimal(row["taxable_amount"]), as_decimal(row["vat_amount"]))
        for row in rows
    ] == [(19, 100, 19), (7, 50, Decimal("3.50"))]
    assert {as_text(row["vat_category"]) for row in rows} == {"S"}


def test_a_single_rate_beside_the_vat_is_a_breakdown() -> None:
    (row,) = read(
        HEAD + "Nettobetrag     30,00\nzzgl. 19 % MwSt   5,70\nGesamtbetrag    35,70 EUR\n"
    ).vat_breakdown
    assert (as_decimal(row["vat_rate"]), as_decimal(row["taxable_amount"])) == (19, 30)


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge)", "AE"),
        ("Steuerfreie innergemeinschaftliche Lieferung", "K"),
        ("Gemäß § 19 UStG wird keine Umsatzsteuer berechnet", "E"),
        ("Autoliquidation", "AE"),
        ("BTW verlegd", "AE"),
        ("Operación exenta", "E"),
        ("Odwrotne obciążenie", "AE"),
        ("免税", "E"),
        ("Omvänd betalningsskyldighet", "AE"),
        ("Fordított adózás", "AE"),
        ("Taxare inversă", "AE"),
        ("Daň odvede zákazník", "AE"),
        ("Yhteisömyynti", "K"),
        ("Dobava blaga znotraj skupnosti", "K"),
        ("Momsfritaget", "E"),
        ("Απαλλαγή από ΦΠΑ", "E"),
        ("KDV'den muaf", "E"),
    ],
)
def test_why_no_vat_is_charged_is_quoted_with_its_category(words: str, category: str) -> None:
    (row,) = read(HEAD + ITEMS + f"Gesamtbetrag     30,00 EUR\n\n{words}\n").vat_breakdown
    assert as_text(row["vat_category"]) == category
    assert as_text(row["exemption_reason"]) == words


def test_no_reason_is_quoted_where_vat_is_charged() -> None:
    page = HEAD + "Nettobetrag     30,00\nzzgl. 19 % MwSt   5,70\nGesamtbetrag    35,70 EUR\nReverse Charge\n"
    assert not any("exemption_reason" in row for row in read(page).vat_breakdown)


@pytest.mark.parametrize(
    ("place", "code", "sure"),
    [
        ("Springfield, IL 62704", "USD", True),
        ("Toronto, Canada", "CAD", False),
        ("ABN 51 824 753 556", "AUD", True),
        ("GST/HST 12345 RT0001", "CAD", True),
    ],
)
def test_a_shared_sign_is_as_sure_as_what_proves_the_country(place: str, code: str, sure: bool) -> None:
    found = read(f"Maple Desk\n{place}\nINVOICE\nInvoice no: 77\nTotal    $112.00\n").fields["currency"]
    assert found.value == code
    assert (found.confidence >= 0.9) is sure


def test_a_code_far_from_any_amount_is_doubted() -> None:
    page = "Electronic parts\nELECT RON IC SUPPLY\nINVOICE\nInvoice no: 77\nTotal    112.00\n"
    assert read(page).fields["currency"].confidence < 0.9


def test_captions_may_stand_below_their_values() -> None:
    page = HEAD + ITEMS + "\n30,00          5,70        35,70 EUR\nNettobetrag    MwSt        Gesamtbetrag\n"
    assert amounts(read(page)) == (Decimal("30.00"), Decimal("5.70"), Decimal("35.70"))


def test_a_rate_of_zero_beside_another_is_no_lost_sum() -> None:
    page = HEAD + (
        "USt-%      Netto       MwSt      Brutto\n6 %       545,67      32,74      578,41\n"
        "0 %    20.654,98       0,00   20.654,98\nSumme  21.200,65      32,74   21.233,39\n\nZahlbetrag: 21.233,39 EUR\n"
    )
    assert amounts(read(page)) == (Decimal("21200.65"), Decimal("32.74"), Decimal("21233.39"))


def test_a_total_in_whole_rupees_is_taken_before_the_sum_of_the_columns() -> None:
    page = (
        "TAX INVOICE\n\nInvoice No.  77\n\n"
        "Taxable Amount            3,805.00\nAdd : IGST 18%          684.90\nTotal Amount After Tax      ₹4,490.00\n"
    )
    reading = read(page)
    assert amounts(reading) == (Decimal("3805.00"), Decimal("684.90"), Decimal("4490.00"))
    assert as_text(reading.get("currency")) == "INR"


def test_a_total_that_differs_from_the_net_total_without_any_tax_is_doubted() -> None:
    page = HEAD + ITEMS + "Nettobetrag     30,00\nGesamtbetrag    32,00 EUR\n"
    found = read(page).get("total_with_vat")
    assert found is not None
    assert found.confidence <= 0.5


def test_insurance_tax_is_no_vat() -> None:
    page = HEAD + "Enthält 16,34 % Versicherungssteuer = 163,40 €\n\nGesamtbetrag    1.163,40 EUR\n"
    assert read(page).amount("total_vat") is None


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (
            "Pos   Artikel      Menge   Einzel ( € )   Gesamt ( € )\n1     Hammer       3         10,00       30,00\n",
            "EUR",
        ),
        ("Zwischensumme      €      30,00\nGesamtbetrag       €      35,70\n", "EUR"),
        ("Brooklyn Mall\nVAT:4820237339\nSubtotal     R1249.50\nTotal Due    R1374.45\n", "ZAR"),
        ("Ciudad de Guatemala\nSofa      Q 900.00\nTOTAL     Q 900.00\n", "GTQ"),
    ],
)
def test_a_sign_away_from_amounts_or_a_letter_of_its_country_is_the_currency(page: str, code: str) -> None:
    assert as_text(read(page).get("currency")) == code
