"""Labels and their values: what stops a value, what a number may look like, what a sentence asks for."""

from __future__ import annotations

from datetime import date

import pytest

from inference.document import Document, Origin
from inference.page import Token
from inference.readers.layout.candidates import Finding, Values
from inference.readers.layout.header import Context, header_findings
from inference.readers.layout.labels import find_labels
from inference.readers.layout.rows import sheet_of
from tests.unit.typed_pages import READER, TypedPage, read


class Captioned(TypedPage):
    """A typed page whose second row is set in smaller type."""

    @property
    def tokens(self) -> list[Token]:
        first = min(token.box.y0 for token in super().tokens)
        return [
            t._replace(box=t.box._replace(y1=t.box.y0 + 0.008)) if t.box.y0 > first else t
            for t in super().tokens
        ]


def findings(text: str | TypedPage, term: str) -> list[Finding]:
    """What labels and sentences of a typed page propose for a term, the best first."""
    page = TypedPage(text) if isinstance(text, str) else text
    sheet = sheet_of(Document("page.txt", "", "text/plain", Origin.BORN_DIGITAL, (page,)))
    context = Context(sheet, Values.of(sheet), find_labels(sheet.rows), frozenset())
    found = [finding for finding in header_findings(context) if finding.term == term]
    return sorted(found, key=lambda finding: -finding.score)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("INVOICE #: GST-3525-26        DATE: 23-Jul-2025", "GST-3525-26"),
        ("Invoice No: PO-3333", "PO-3333"),
        ("Invoice Number\n0001/25-26", "0001/25-26"),
        ("Numer faktury\n2/11/2023", "2/11/2023"),
        ("FACTURA Nro:066-010-000030469", "066-010-000030469"),
        ("FACTURA ELECTRÓNICA\nNro. F001-00000096", "F001-00000096"),
        ("Faktura - daňový doklad č.FV5040011231", "FV5040011231"),
        ("Date Issued Invoice Number Amount Due\n26/3/2021   INV-10012      $1,699.48", "INV-10012"),
        ("Data Emissão     Nº\n09-08-2024       72251/24", "72251/24"),
        ("Számla sorszáma: 2026/00017", "2026/00017"),
        ("Laskun numero: 20417", "20417"),
        ("Invoice UZ-ZI-5", "UZ-ZI-5"),
        ("No Faktur: 02/o/06        Tanggal: 5 Mei 2006", "02/o/06"),
    ],
)
def test_the_number_of_an_invoice_however_it_is_labelled(text: str, number: str) -> None:
    assert findings(text, "invoice_number")[0].value == number


def test_a_date_under_its_own_label_is_no_number() -> None:
    assert not findings("Invoice No.      Invoice Date\n                 2/11/2023", "invoice_number")


def test_two_labels_with_a_slash_share_their_value() -> None:
    text = "P.O./S.O. Number: AD29094"
    for term in ("purchase_order_reference", "order_number"):
        assert findings(text, term)[0].value == "AD29094"


@pytest.mark.parametrize(
    "sentence",
    [
        "Please pay the amount until 20 March 2024",
        "Jatuh tempo: 20 Maret 2024",
        "Fecha de Vencimiento de Pago: 20/03/2024",
        "Bitte überweise den Betrag bis 2024-03-20 auf folgendes Konto:",
        "Merci de régler d’ici le 20/03/2024 par virement",
        "Por favor, transfiera el dinero a la cuenta antes de 2024-03-20:",
        "Si prega di pagare entro il 20 marzo 2024",
        "Gelieve het bedrag te betalen vóór 20-03-2024",
        "Prosimy o zapłatę do dnia 20.03.2024",
        "Queira pagar até ao dia 20/03/2024",
        "Betala senast den 2024-03-20",
    ],
)
def test_a_day_to_pay_in_a_sentence(sentence: str) -> None:
    assert findings(sentence, "due_date")[0].value == date(2024, 3, 20)


@pytest.mark.parametrize(
    "sentence",
    [
        "Escompte pour paiement avant le 20/03/2024",
        "The offer is valid until 20 March 2024",
        "Wir haben Ihre Zahlung am 20.03.2024 erhalten",
    ],
)
def test_other_days_in_sentences_are_not_due(sentence: str) -> None:
    assert not findings(sentence, "due_date")


def test_the_day_a_card_expires_is_no_date_of_issue() -> None:
    text = "Date d'expiration: 31/05/18\n07-04-2017 18:49"
    assert findings(text, "issue_date")[0].value == date(2017, 4, 7)


def test_a_small_caption_names_the_value_above_it() -> None:
    page = Captioned("2024-62183          18 oktober 2024\nFactuurnr.          Betalen voor")
    assert findings(page, "invoice_number")[0].value == "2024-62183"
    assert findings(page, "due_date")[0].value == date(2024, 10, 18)


CAPTIONS = """
Morgenrot Werkzeug GmbH                             INVOICE
Am Kai 3, 28195 Bremen

Invoice #          Invoice Due          Due Date
INV-0817           21 March 2023        22 March 2023

Item               Unit Price     Qty          Amount
Hammer                  10.00       2           20.00
                                   Total        20.00
"""


def test_a_row_of_captions_on_a_photo_is_no_heading_of_lines() -> None:
    # "Invoice" is a word that is known, not "Invoiced" misread, which heads a column of quantities.
    photo = TypedPage(CAPTIONS, ocr=True)
    reading = READER.read(Document("photo", "0" * 64, "image/jpeg", Origin.IMAGE, (photo,)))
    assert reading.fields["invoice_number"].value == "INV-0817"
    assert reading.fields["due_date"].value == date(2023, 3, 22)
    assert len(reading.lines) == 1


def test_an_amount_under_the_caption_of_a_tax_id_is_none() -> None:
    page = CAPTIONS.replace(
        "Invoice #          Invoice Due          Due Date", "Invoice No.   Charges   VAT ID"
    )
    reading = read(
        page.replace(
            "INV-1              21 March 2023        22 March 2023", "34278587              $56,651.49"
        )
    )
    assert not {"seller_vat_id", "buyer_vat_id"} & set(reading.fields)
