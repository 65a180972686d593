"""The lines of tables as bills print them: where texts stand, what is no line, and what only arithmetic tells."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inference.document import open_document
from inference.invoice import Reading, Row, as_decimal, as_text
from inference.readers.layout import LayoutReader
from inference.readers.layout.items import gtin_valid
from tests.samples.fonts import FontUnavailable
from tests.samples.random_documents import random_documents
from tests.unit.typed_pages import READER, askew, read

HEAD = """
Morgenrot Werkzeug GmbH
Am Kai 3, 28195 Bremen

Beispiel AG                                         Rechnung RE-4711
Lange Straße 1                                      Datum: 05.03.2026
10115 Berlin

"""
TOTALS = """
                                              Nettobetrag         {net}
                                              MwSt 19 %           {vat}
                                              Gesamtbetrag        {total} EUR
"""


def bill(table: str, net: str = "35,00", vat: str = "6,65", total: str = "41,65") -> str:
    return HEAD + table.strip("\n") + "\n" + TOTALS.format(net=net, vat=vat, total=total)


def figures(line: Row) -> tuple[Decimal | None, ...]:
    return tuple(as_decimal(line.get(name)) for name in ("quantity", "net_price", "line_net_amount"))


def names(reading: Reading) -> list[str | None]:
    return [as_text(line.get("item_name")) for line in reading.lines]


KINDS = ("invoice", "credit_note", "order_confirmation", "quotation", "delivery_note", "order")
"""The kinds of documents that have a table."""

FIGURES = [(2, 10, 20), (10, Decimal("1.50"), 15)]

TABLES = {
    "texts below": """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
1     Hammer                                2         10,00        20,00
      mit Holzstiel
2     Nägel                                10          1,50        15,00
      verzinkt
""",
    "texts above": """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
      Hammer
      mit Holzstiel
1                                           2         10,00        20,00
      Nägel
      verzinkt
2                                          10          1,50        15,00
""",
    "texts around": """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt

      Hammer
1                                           2         10,00        20,00
      mit Holzstiel

      Nägel
2                                          10          1,50        15,00
      verzinkt
""",
    "a sentence before": """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
Wir berechnen Ihnen für unsere Lieferung vom 3. März:
1     Hammer                                2         10,00        20,00
      mit Holzstiel
2     Nägel                                10          1,50        15,00
      verzinkt
""",
    "heading of two rows": """
Pos   Bezeichnung                      Liefer-      Einzel-        Gesamt-
                                        menge         preis          preis
1     Hammer                                2         10,00        20,00
      mit Holzstiel
2     Nägel                                10          1,50        15,00
      verzinkt
""",
    "words nobody knows over the figures": """
Pos   Bezeichnung                    Xyzzymnt         Plugh        Quuxbl
1     Hammer                                2         10,00        20,00
      mit Holzstiel
2     Nägel                                10          1,50        15,00
      verzinkt
""",
    "other order": """
Gesamt       Menge    Bezeichnung                         Einzelpreis
20,00            2    Hammer                                    10,00
                      mit Holzstiel
15,00           10    Nägel                                      1,50
                      verzinkt
""",
    "units at the quantity": """
Bezeichnung                             Menge   Einzelpreis       Gesamt
Hammer                                 2 Stk.         10,00        20,00
mit Holzstiel
Nägel                                 10 Stk.          1,50        15,00
verzinkt
""",
    "units glued to the quantity": """
Bezeichnung                             Menge   Einzelpreis       Gesamt
Hammer                                   2Stk         10,00        20,00
mit Holzstiel
Nägel                                   10Stk          1,50        15,00
verzinkt
""",
    "no heading": """
Hammer mit Holzstiel                        2         10,00        20,00
Nägel verzinkt                             10          1,50        15,00
""",
    "sums per group": """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
1     Hammer                                2         10,00        20,00
      mit Holzstiel
                                            Zwischensumme          20,00
2     Nägel                                10          1,50        15,00
      verzinkt
                                            Zwischensumme          35,00
""",
    "price of a hundred": """
Pos   Bezeichnung                       Menge   Preis/100         Gesamt
1     Hammer                                2      1.000,00        20,00
      mit Holzstiel
2     Nägel                                10        150,00        15,00
      verzinkt
""",
}


@pytest.mark.parametrize("family", TABLES)
def test_lines_of_tables_of_every_shape(family: str) -> None:
    reading = read(bill(TABLES[family]))
    assert [figures(line) for line in reading.lines] == FIGURES
    assert [str(name).replace(",", "") for name in names(reading)] == [
        "Hammer mit Holzstiel",
        "Nägel verzinkt",
    ]
    assert all(line["line_net_amount"].confidence > 0.8 for line in reading.lines)


def test_a_discount_below_a_line_is_the_lines_own() -> None:
    reading = read(
        bill(
            """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
1     Hammer                                2         10,00        20,00
      abzgl. Rabatt 10 %                                           -2,00
2     Nägel                                10          1,70        17,00
"""
        )
    )
    first, second = reading.lines
    assert figures(first) == (2, 10, 18)
    assert as_decimal(first.get("discount_percent")) == 10
    assert [evidence.text for evidence in first["line_net_amount"].evidence] == ["20,00", "-2,00"]
    assert figures(second) == (10, Decimal("1.70"), 17)


def test_a_discount_and_freight_after_the_sum_of_lines_are_of_the_document() -> None:
    reading = read(
        bill(
            """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
1     Hammer                                2         10,00        20,00
2     Nägel                                10          1,50        15,00
                                            Zwischensumme          35,00
      abzgl. Rabatt 10 %                                           -3,50
      zzgl. Versandkosten                                           3,50
"""
        )
    )
    assert [figures(line) for line in reading.lines] == FIGURES


def test_freight_without_a_sum_before_it_is_a_line() -> None:
    reading = read(
        bill(
            """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
1     Hammer                                2         10,00        20,00
2     Nägel                                10          1,00        10,00
      Versandkosten                                                 5,00
"""
        )
    )
    assert [as_decimal(line.get("line_net_amount")) for line in reading.lines] == [20, 10, 5]


def test_a_table_over_two_pages_repeats_its_heading_and_carries_its_sum() -> None:
    head = "Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt\n"
    first = HEAD + head + "1     Hammer                                2         10,00        20,00\n"
    first += "                                             Übertrag              20,00\n"
    second = "Morgenrot Werkzeug GmbH                              Seite 2 von 2\n\n" + head
    second += "                                             Übertrag              20,00\n"
    second += "2     Nägel                                10          1,50        15,00\n"
    second += TOTALS.format(net="35,00", vat="6,65", total="41,65")
    reading = read(first, second)
    assert [figures(line) for line in reading.lines] == FIGURES
    assert [line["item_name"].evidence[0].page for line in reading.lines] == [1, 2]


def test_an_order_response_confirms_the_agreed_quantity() -> None:
    reading = read(
        bill(
            """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
1     Hammer                              3,00
                                          2,00        10,00        20,00
2     Nägel                              12,00
                                         10,00         1,50        15,00
"""
        )
    )
    assert [figures(line) for line in reading.lines] == FIGURES


def test_identifiers_among_the_description_are_values_of_their_own() -> None:
    reading = read(
        bill(
            """
Bezeichnung                             Menge   Einzelpreis       Gesamt
Hammer                                      2         10,00        20,00
GTIN: 4012345001235
Ihre Artikel-Nr.: K-88
Nägel                                      10          1,50        15,00
GTIN: 4012345001236
"""
        )
    )
    first, second = reading.lines
    assert as_text(first.get("item_standard_id")) == "4012345001235"
    assert as_text(first.get("item_buyer_id")) == "K-88"
    assert as_text(first.get("item_name")) == "Hammer"
    assert "item_standard_id" not in second


def test_a_credit_takes_back_its_quantity() -> None:
    table = """
Pos   Bezeichnung                       Menge   Einzelpreis       Gesamt
1     Hammer                                2         10,00       -20,00
2     Nägel                                10          1,50       -15,00
"""
    reading = read(bill(table, "-35,00", "-6,65", "-41,65").replace("Rechnung RE", "Gutschrift GS"))
    assert [figures(line) for line in reading.lines] == [(-2, 10, -20), (-10, Decimal("1.50"), -15)]


def test_a_line_that_does_not_add_up_is_doubted() -> None:
    table = TABLES["texts below"].replace("10,00        20,00", "10,00        21,00")
    wrong, right = read(bill(table)).lines
    assert wrong["line_net_amount"].confidence <= 0.5
    assert right["quantity"].confidence > wrong["quantity"].confidence


@pytest.mark.parametrize(
    ("digits", "valid"),
    [
        ("4012345001235", True),
        ("96385074", True),
        ("036000291452", True),
        ("4012345001236", False),
        ("12345", False),
    ],
)
def test_check_digits_of_gtins(digits: str, valid: bool) -> None:
    assert gtin_valid(digits) is valid


@pytest.mark.parametrize("seed", range(6))
def test_lines_of_generated_documents_are_read(seed: int) -> None:
    """Two documents a seed, of any language, kind and design: all their lines, and none that is not there."""
    try:
        drawn = list(random_documents(2, seed, kinds=KINDS))
    except FontUnavailable as missing:
        pytest.skip(str(missing))
    for document in drawn:
        found = LayoutReader().read(open_document(document.data, "document.pdf")).lines
        wanted = [
            tuple(Decimal(str(line[name])) if name in line else None for name in names)
            for line in document.truth["lines"]
            for names in [
                ("quantity", "line_net_amount" if "line_net_amount" in line else "line_total_with_vat")
            ]
        ]
        given = [(as_decimal(line.get("quantity")), _amount(line)) for line in found]
        assert len(set(given) & set(wanted)) >= 0.9 * len(set(wanted))
        assert len(given) <= 1.1 * len(wanted)


def _amount(line: Row) -> Decimal | None:
    return as_decimal(line.get("line_net_amount") or line.get("line_total_with_vat"))


def test_captions_of_the_document_are_no_heading_of_lines() -> None:
    page = """INVOICE

Billed To            Date Issued      Invoice Number      Amount Due
Your Client          26/3/2021        INV-10012           $1,675.00

DESCRIPTION                  RATE       QTY       AMOUNT
Services                   $55.00        10      $550.00
Cost of services           +Tax
Consulting                 $75.00        15    $1,125.00
Subtotal                                       $1,675.00
"""
    reading = read(page)
    assert [figures(line) for line in reading.lines] == [(10, 55, 550), (15, 75, 1125)]


def test_of_two_amounts_of_a_line_the_one_before_tax_is_its_net_amount() -> None:
    page = """TAX INVOICE

Description             HSN        Qty      Rate       Taxable      Tax       Total
Tool Kit                8302         1    2,535.00    2,535.00     456.30    2,991.30
Hammer                  8302         2      100.00      200.00      36.00      236.00

Taxable Amount      2,735.00
Total Amount        3,227.30
"""
    assert [figures(line) for line in read(page).lines] == [(1, 2535, 2535), (2, 100, 200)]


def test_a_reduction_with_a_rate_of_its_own_is_a_line() -> None:
    page = """Rechnung RE-4711

Bezeichnung                  Menge   Einzelpreis      Betrag    MwSt      Steuer
Telefon mit Vertrag              1       5308,85     5308,85    13 %      690,15
Telefon mit Vertrag                                  -752,73    13 %      -97,85
Summe netto                                          4556,12
MwSt                                                                      592,30
Gesamtbetrag                                         5148,42
"""
    assert [figures(line) for line in read(page).lines] == [
        (1, Decimal("5308.85"), Decimal("5308.85")),
        (None, None, Decimal("-752.73")),
    ]


def test_a_second_list_below_the_lines_ends_them_where_they_add_up() -> None:
    table = """
Description                          Quantity       Price       Amount
Promotion video                             1       95.00        95.00
Agency rate          0.00                   Net                  95.00
Series rate          0.00                   VAT 20 %             19.00
Client rate          0.00                   Total               114.00
"""
    assert [figures(line) for line in read(table + "\nNet    95.00\nTotal    114.00\n").lines] == [
        (1, 95, 95)
    ]


def test_two_totals_side_by_side_are_no_line() -> None:
    table = """
Artikel                      Aantal    Prijs per stuk    BTW    Prijs incl. BTW
Tablet                            1            399,00    21%             399,00
Hoes                              2             69,99    21%             139,98
Exclusief BTW    € 445,44    Subtotaal                                   538,98
BTW 21%          € 93,54
Totaal                                                                   538,98
"""
    assert names(read(table)) == ["Tablet", "Hoes"]


def test_an_item_that_begins_with_its_count_goes_on_to_the_row_with_its_amount() -> None:
    page = """Corner Shop

1 Tablet
  256 GB, eight cores,
  black                         999.00
2 Pencil                         99.00

Total                          1098.00
"""
    reading = read(page)
    assert names(reading) == ["Tablet 256 GB, eight cores, black", "Pencil"]
    assert [as_decimal(line.get("quantity")) for line in reading.lines] == [1, 2]


def test_names_and_prices_on_a_photo_askew_are_of_one_row() -> None:
    page = """Corner Shop
12 Harbour Road
Leeds LS1 4AB
Date: 5 March 2026
Starter                          5.50
Prawns                           7.50
Chicken                         12.95
Haddock                         13.95
Lager                            8.40
Total                           48.30
Cash                            50.00
Change                           1.70
"""
    reading = READER.read(askew(page, 0.05))
    assert [(as_text(line.get("item_name")), _amount(line)) for line in reading.lines][:2] == [
        ("Starter", Decimal("5.50")),
        ("Prawns", Decimal("7.50")),
    ]
    assert as_decimal(reading.get("total_with_vat")) == Decimal("48.30")
