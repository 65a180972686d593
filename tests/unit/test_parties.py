"""Who sells and who buys: headings, blocks and signatures name them; labels and addresses never do."""

from __future__ import annotations

import pytest

from inference.confidence import FAILED_DIGITS
from inference.invoice import as_text
from inference.readers.layout.names import is_address, plausible_name, told
from tests.unit.typed_pages import read

LINES = """
Description                        Quantity      Price      Amount
Hammer                                    2      10.00       20.00
                                             Total           20.00
"""


def test_the_text_beside_a_heading_is_named_where_its_block_goes_on_below_it() -> None:
    page = """
Lindgren Tools Ltd                                Invoice No: RE-4711
                                                  Date: 5 March 2026

Sold To       Wingford Toys
              554 Magnolia Way
              Walnut, WY 98432
"""
    assert as_text(read(page + LINES).get("buyer_name")) == "Wingford Toys"


def test_a_heading_of_two_words_and_a_name_that_begins_with_a_label() -> None:
    page = """
Bedrijf Duinzicht BV
Kade 3, 1011 AB Amsterdam

Factuurnummer: 20241214-001        Datum: 14-12-2024
Naam klant: Klant en Zonen         Adres klant: Dreef 99, 1234 AB Almere
"""
    assert as_text(read(page + LINES).get("buyer_name")) == "Klant en Zonen"


def test_where_all_values_stand_beside_their_captions_the_name_does_too() -> None:
    page = """
Lindgren Tools Ltd                                Invoice No: RE-4711
12 Harbour Road, Leeds LS1 4AB                    Date: 5 March 2026

To            Wingford Toys
Address       554 Magnolia Way, Walnut, WY 98432
"""
    assert as_text(read(page + LINES).get("buyer_name")) == "Wingford Toys"


def test_a_name_is_read_up_to_the_mail_address_in_its_line() -> None:
    page = """
Lindgren Tools Ltd mail@lindgren-tools.example
Invoice No: RE-4711
Date: 5 March 2026

Bill to:
Wingford Toys
554 Magnolia Way
Walnut, WY 98432
"""
    assert as_text(read(page + LINES).get("seller_name")) == "Lindgren Tools Ltd"


def test_who_is_paid_is_no_buyer_whatever_the_heading() -> None:
    page = """
Lindgren Werkzeuge GmbH
Hafenweg 3
04109 Leipzig

Weidenbruch GmbH
Gerberweg 12
33098 Paderborn

Rechnung Nr. 2026-17                    Rechnungsdatum: 05.03.2026
"""
    box = """

Empfänger:       Lindgren Werkzeuge GmbH
IBAN:            DE02 1203 0000 0000 2020 51
"""
    reading = read(page + LINES + box)
    assert as_text(reading.get("seller_name")) == "Lindgren Werkzeuge GmbH"
    assert as_text(reading.get("buyer_name")) == "Weidenbruch GmbH"


def test_words_of_the_form_below_the_lines_are_no_party() -> None:
    page = """
Lindgren Tools Ltd                                Invoice No: RE-4711
12 Harbour Road, Leeds LS1 4AB                    Date: 5 March 2026
"""
    reading = read(page + LINES + "\n\nCustomer Signature                     Authorised Signatory\n")
    assert reading.get("buyer_name") is None


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("1234 Tech Park Drive, Suite 100", True, True),
        ("Musterstr. 12", True, True),
        ("3M Deutschland GmbH", True, False),
        ("PAN : 26CORPP3939N1", False, False),
        ("Page 1 of 4", False, False),
        ("Name: Lindgren Ltd", True, False),
    ],
)
def test_what_looks_like_a_name_and_what_like_an_address(text: str, name: bool, address: bool) -> None:
    assert (plausible_name(text), is_address(text)) == (name, address)


def test_labels_put_together_are_told_from_names() -> None:
    assert told("Customer Address") == 1
    assert told("Lindgren Tools Ltd") < 0.5


def test_an_id_whose_check_digits_fail_is_doubted_only_as_far_as_that() -> None:
    page = """
Morgenrot Werkzeug GmbH
Am Kai 3, 28195 Bremen
USt-IdNr. DE123456780

Rechnung an                                         RECHNUNG
Beispiel AG                                         Rechnungsnr.:      RE-4711
Lange Straße 1                                      Rechnungsdatum:    05.03.2026
10115 Berlin
"""
    field = read(page + LINES).get("seller_vat_id")
    assert field is not None
    assert field.value == "DE123456780"
    assert field.note
    assert 0.5 < field.confidence <= FAILED_DIGITS
