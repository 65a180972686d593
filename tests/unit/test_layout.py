"""The layout reader: what it finds on a page, what it leaves absent, and what it doubts."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from inference.document import open_document
from inference.invoice import DocumentType, Reading, as_decimal, as_text
from inference.readers import Recipient
from inference.readers.layout.lexicon import fold, lexicon
from tests.samples.designs import render
from tests.samples.fonts import FontUnavailable
from tests.samples.random_bills import LATIN_DESIGNS, random_bill
from tests.unit.typed_pages import READER, TypedPage, read

INVOICE = """
Morgenrot Werkzeug GmbH
Am Kai 3, 28195 Bremen



Rechnung an                                         RECHNUNG
Beispiel AG                                         Rechnungsnr.:      RE-4711
Lange Straße 1                                      Rechnungsdatum:    05.03.2026
10115 Berlin                                        Fällig am:         04.04.2026

Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
1     Hammer, 500 g                         2         10,00        20,00
      mit Holzstiel
2     Nägel                                10          1,50        15,00
3     Gutschrift Pfand                      1         -5,00        -5,00
                                              Nettobetrag          30,00
                                              MwSt 19 %             5,70
                                              Gesamtbetrag         35,70 EUR

Zahlbar innerhalb von 30 Tagen ohne Abzug.
USt-IdNr.: DE136695976    IBAN: DE89 3704 0044 0532 0130 00
"""


def values(reading: Reading) -> dict[str, Any]:
    return {name: found.value for name, found in reading.fields.items()}


def test_an_ordinary_invoice() -> None:
    reading = read(INVOICE)
    found = values(reading)
    assert reading.document_type is DocumentType.INVOICE
    assert found["seller_name"] == "Morgenrot Werkzeug GmbH"
    assert found["buyer_name"] == "Beispiel AG"
    assert found["invoice_number"] == "RE-4711"
    assert (found["issue_date"], found["due_date"]) == (date(2026, 3, 5), date(2026, 4, 4))
    assert (found["total_without_vat"], found["total_vat"]) == (Decimal("30.00"), Decimal("5.70"))
    assert (found["total_with_vat"], found["currency"]) == (Decimal("35.70"), "EUR")
    assert (found["seller_vat_id"], found["payment_account"]) == ("DE136695976", "DE89370400440532013000")


def test_lines_join_their_descriptions_and_keep_their_signs() -> None:
    lines = read(INVOICE).lines
    assert [as_text(line["item_name"]) for line in lines] == [
        "Hammer, 500 g mit Holzstiel",
        "Nägel",
        "Gutschrift Pfand",
    ]
    assert [as_decimal(line["quantity"]) for line in lines] == [2, 10, 1]
    assert [as_decimal(line["line_net_amount"]) for line in lines] == [20, 15, -5]


def test_every_value_has_its_place_on_the_page() -> None:
    reading = read(INVOICE)
    words = " ".join(token.text for token in TypedPage(INVOICE).tokens)
    rows = [reading.fields, *reading.lines, *reading.vat_breakdown]
    for found in (field for row in rows for field in row.values()):
        assert found.evidence
        for evidence in found.evidence:
            assert evidence.page == 1
            assert evidence.box is not None
            assert 0 <= evidence.box.x0 < evidence.box.x1 <= 1
            assert evidence.text in words


def test_figures_that_do_not_add_up_are_doubted() -> None:
    sure = read(INVOICE).get("total_with_vat")
    doubtful = read(INVOICE.replace("35,70 EUR", "36,70 EUR")).get("total_with_vat")
    assert sure is not None
    assert sure.confidence > 0.9
    assert doubtful is None or (doubtful.confidence <= 0.6 and doubtful.note)


def test_lines_that_miss_agreed_totals_are_doubted_rather_than_the_totals() -> None:
    reading = read(INVOICE.replace("1,50        15,00", "1,50        25,00"))
    total, net = reading.get("total_with_vat"), reading.get("total_without_vat")
    assert total is not None
    assert net is not None
    assert min(total.confidence, net.confidence) > 0.9
    assert all(line["line_net_amount"].confidence <= 0.6 for line in reading.lines)
    assert any("10 × 1.50" in check.message or "10 × 1.5 " in check.message for check in reading.checks)


def test_the_recipient_is_never_the_seller() -> None:
    recipient = Recipient(
        names=("Morgenrot Werkzeug GmbH",), tax_ids=("DE136695976",), accounts=("DE89370400440532013000",)
    )
    found = values(read(INVOICE, recipient=recipient))
    assert found.get("seller_name") != "Morgenrot Werkzeug GmbH"
    assert found["buyer_name"].startswith("Morgenrot Werkzeug GmbH")
    assert "seller_vat_id" not in found
    assert "payment_account" not in found


def test_payment_terms_are_quoted_and_no_due_date_is_computed_from_them() -> None:
    reading = read(INVOICE.replace("Fällig am:         04.04.2026", ""))
    assert reading.day("due_date") is None
    assert reading.text("payment_terms") == "Zahlbar innerhalb von 30 Tagen ohne Abzug."


def test_a_shared_currency_sign_alone_names_no_currency() -> None:
    bill = "Cornerstone Shop\nInvoice number: 7001\nTotal:   $ 12.50\n"
    assert "currency" not in values(read(bill))
    assert values(read(bill + "Cornerstone Shop, 12 Elm Street, Dover, NH 03820\n"))["currency"] == "USD"


def test_a_date_that_can_be_read_in_two_ways_is_doubted() -> None:
    found = read("Shop Ltd\nInvoice date:   03/04/2026\nInvoice number:  7001\n").get("issue_date")
    assert found is not None
    assert found.confidence <= 0.6
    assert "2026-03-04" in found.note


def test_a_due_date_before_the_issue_settles_which_day_is_meant_but_leaves_a_doubt() -> None:
    reading = read("Shop Ltd\nInvoice date:   7/9/18\nDue date:   9/7/18\n")
    assert (reading.day("issue_date"), reading.day("due_date")) == (date(2018, 7, 9), date(2018, 9, 7))
    assert all(found.confidence <= 0.6 for name, found in reading.fields.items() if name.endswith("_date"))


def test_another_date_settles_the_order() -> None:
    found = read("Shop Ltd\nInvoice date:   03/04/2026\nDue date:   03/30/2026\n")
    assert found.day("issue_date") == date(2026, 3, 4)


def test_a_table_goes_on_over_pages_without_its_carried_forward_rows() -> None:
    head = "Item                      Quantity     Price     Amount\n"
    first = (
        head
        + "Anvil                            2     10.00      20.00\nCarried forward                                   20.00\n"
    )
    second = (
        "Brought forward                                   20.00\n"
        + head
        + "Bellows                          1      5.00       5.00\n"
    )
    second += "Total                                             25.00\n"
    reading = read(first, second)
    assert [as_text(line["item_name"]) for line in reading.lines] == ["Anvil", "Bellows"]
    assert reading.amount("total_with_vat") == 25


def test_a_receipt_without_headings() -> None:
    reading = read(
        "CORNER BAKERY\n12.05.2024 10:41\nRye bread            4,20 A\nCoffee 2 x 2,50      5,00 B\nSUMME EUR            9,20\n"
    )
    assert [as_decimal(line["line_net_amount"]) for line in reading.lines] == [
        Decimal("4.20"),
        Decimal("5.00"),
    ]
    assert reading.amount("total_with_vat") == Decimal("9.20")
    assert reading.day("issue_date") == date(2024, 5, 12)
    assert "seller_vat_id" not in reading.fields


def test_an_order_confirmation_fills_the_order_terms() -> None:
    page = "Werk GmbH\nAUFTRAGSBESTÄTIGUNG\nAuftragsnummer:   AB-2211\nBestelldatum:   01.02.2026\nIhre Bestellnummer:   P00101\n"
    reading = read(page)
    assert reading.document_type is DocumentType.ORDER_CONFIRMATION
    assert (reading.text("order_number"), reading.text("purchase_order_reference")) == ("AB-2211", "P00101")
    assert reading.day("order_date") == date(2026, 2, 1)
    assert reading.text("invoice_number") is None


def test_empty_and_wordless_pages_give_an_empty_reading() -> None:
    assert not read("").fields
    assert not read("", "").lines


@pytest.mark.parametrize("design", [*LATIN_DESIGNS, "fapiao"])
def test_bills_of_every_design_are_read(design: str) -> None:
    """Totals and identity right on each of several drawn bills; what is wrong elsewhere must not look sure."""
    for seed in range(5):
        try:
            bill = random_bill(seed, design)
            document = open_document(render(bill), "bill.pdf")
        except FontUnavailable as missing:
            pytest.skip(str(missing))
        truth = bill.truth()["fields"]
        reading = READER.read(document, Recipient(names=(bill.buyer.name,)))
        for name in ("total_without_vat", "total_vat", "total_with_vat", "currency"):
            assert reading.as_json()["fields"][name]["value"] == truth[name], (seed, name)
        assert len(reading.lines) >= len(bill.truth()["lines"])


def test_reading_words_needs_no_model() -> None:
    """A born-digital page is read without the OCR's libraries, which take seconds to load."""
    code = (
        "import sys; from inference.readers.layout import LayoutReader;"
        "assert not {'cv2', 'openvino', 'rapidocr', 'numpy'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_phrase_of_the_lexicon_folds_to_nothing_and_the_main_terms_have_labels_in_every_language() -> None:
    words = lexicon()
    assert all(words.labels)
    for phrase in ("Rechnungsnummer", "numéro de facture", "发票号码", "factuurnummer", "invoice no."):
        assert any(meaning.term == "invoice_number" for meaning in words.labels[fold(phrase)])


def test_a_bare_word_for_number_after_other_words_names_no_bill() -> None:
    routed = INVOICE.replace("Rechnungsnr.:      RE-4711", "Angebotsnr.:       RE-4711").replace(
        "Zahlbar innerhalb", "ABA routing no. 102000076\nWater meter no. 55120394\nZahlbar innerhalb"
    )
    assert "invoice_number" not in values(read(routed))
    titled = INVOICE.replace("Rechnungsnr.:      RE-4711", "Handelsrechnung Nr. RE-4711")
    assert values(read(titled))["invoice_number"] == "RE-4711"


def test_a_total_broken_over_two_rows_is_told_by_the_tax_below_it() -> None:
    broken = INVOICE.replace(
        "                                              Nettobetrag          30,00\n",
        "                                              Sub\n                                              Total                30,00\n",
    ).replace("Gesamtbetrag         35,70 EUR", "EUR                  35,70")
    found = values(read(broken))
    assert (found["total_without_vat"], found["total_with_vat"]) == (Decimal("30.00"), Decimal("35.70"))


def test_a_tax_that_its_label_denies_is_doubted() -> None:
    wrong = INVOICE.replace("MwSt 19 %             5,70", "MwSt                  3,00")
    vat = read(wrong.replace("35,70 EUR", "31,50 EUR")).get("total_vat")
    assert vat is not None
    assert vat.confidence < 0.5
