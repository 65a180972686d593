"""What a document is: every type in ten languages, the doubt where two are possible, and the letter that is no bill."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.invoice import DocumentType
from inference.readers.layout.doctype import probabilities, shipped_weights
from tests.unit.typed_pages import read

TITLES: dict[DocumentType, dict[str, str]] = {
    DocumentType.INVOICE: {
        "en": "Invoice", "de": "Rechnung", "fr": "Facture", "es": "Factura", "it": "Fattura", "pt": "Fatura",
        "nl": "Factuur", "pl": "Faktura VAT", "zh-Hans": "发票", "zh-Hant": "發票",
    },
    DocumentType.CREDIT_NOTE: {
        "en": "Credit Note", "de": "Rechnungskorrektur", "fr": "Avoir", "es": "Factura rectificativa",
        "it": "Nota di credito", "pt": "Nota de crédito", "nl": "Creditnota", "pl": "Faktura korygująca",
        "zh-Hans": "红字发票", "zh-Hant": "折讓單",
    },
    DocumentType.ORDER: {
        "en": "Purchase Order", "de": "Bestellung", "fr": "Bon de commande", "es": "Orden de compra",
        "it": "Ordine di acquisto", "pt": "Nota de encomenda", "nl": "Inkooporder", "pl": "Zamówienie",
        "zh-Hans": "采购订单", "zh-Hant": "採購單",
    },
    DocumentType.ORDER_CONFIRMATION: {
        "en": "Order Confirmation", "de": "Auftragsbestätigung", "fr": "Confirmation de commande",
        "es": "Confirmación de pedido", "it": "Conferma d'ordine", "pt": "Confirmação de encomenda",
        "nl": "Orderbevestiging", "pl": "Potwierdzenie zamówienia", "zh-Hans": "订单确认", "zh-Hant": "訂單確認",
    },
    DocumentType.QUOTATION: {
        "en": "Quotation", "de": "Angebot", "fr": "Devis", "es": "Presupuesto", "it": "Preventivo",
        "pt": "Orçamento", "nl": "Offerte", "pl": "Oferta", "zh-Hans": "报价单", "zh-Hant": "報價單",
    },
    DocumentType.DELIVERY_NOTE: {
        "en": "Delivery Note", "de": "Lieferschein", "fr": "Bon de livraison", "es": "Albarán",
        "it": "Documento di trasporto", "pt": "Guia de remessa", "nl": "Pakbon", "pl": "Wydanie zewnętrzne",
        "zh-Hans": "送货单", "zh-Hant": "送貨單",
    },
    DocumentType.REMINDER: {
        "en": "Payment Reminder", "de": "Mahnung", "fr": "Relance", "es": "Recordatorio de pago",
        "it": "Sollecito di pagamento", "pt": "Aviso de pagamento em atraso", "nl": "Aanmaning",
        "pl": "Wezwanie do zapłaty", "zh-Hans": "催款函", "zh-Hant": "催款通知單",
    },
    DocumentType.PAYMENT_ADVICE: {
        "en": "Remittance Advice", "de": "Zahlungsavis", "fr": "Avis de virement", "es": "Aviso de pago",
        "it": "Avviso di pagamento", "pt": "Aviso de lançamento", "nl": "Betaaladvies",
        "pl": "Awizo płatności", "zh-Hans": "汇款通知单", "zh-Hant": "匯款通知單",
    },
}  # fmt: skip
"""The plainest title of each type by language."""

TILLS = {
    "en": ("TOTAL", "CASH TENDERED", "CHANGE DUE", "Thank you for shopping"),
    "de": ("SUMME EUR", "GEGEBEN BAR", "RÜCKGELD", "Vielen Dank für Ihren Einkauf"),
    "fr": ("TOTAL TTC", "ESPECES", "RENDU MONNAIE", "Merci de votre visite"),
    "es": ("TOTAL", "EFECTIVO", "SU CAMBIO", "Gracias por su compra"),
    "it": ("TOTALE", "CONTANTI", "RESTO", "Grazie e arrivederci"),
    "pt": ("TOTAL", "DINHEIRO", "TROCO", "Obrigado pela visita"),
    "nl": ("TOTAAL", "CONTANT", "WISSELGELD", "Graag tot ziens"),
    "pl": ("SUMA PLN", "GOTÓWKA", "RESZTA", "Dziękujemy za zakupy"),
    "zh-Hans": ("合计", "实收", "找零", "谢谢惠顾"),
    "zh-Hant": ("合計", "實收", "找零", "謝謝惠顧"),
}
"""What a till prints below the goods, by language."""

LETTER = """
Morgenrot Handels GmbH
Am Kai 3, 28195 Bremen

Dear Ms Example,

we are moving. From next month on you will find us in our new building behind the station.
We look forward to welcoming you there.

Kind regards
"""


@pytest.mark.parametrize(
    ("kind", "language"), [(kind, language) for kind, titles in TITLES.items() for language in titles]
)
def test_a_titled_document_is_what_its_title_says(kind: DocumentType, language: str) -> None:
    page = (
        "Morgenrot Handels\nAm Kai 3\n\n"
        f"{TITLES[kind][language].upper()}\n\n4711        05.03.2026\n"
        "1   Hammer       2     10.00      20.00\n2   Anvil        1     30.00      30.00\n"
    )
    reading = read(page)
    found = reading.fields["document_type"]
    assert found.value == kind
    assert found.confidence >= 0.4
    assert found.evidence[0].text == TITLES[kind][language].upper()


@pytest.mark.parametrize("language", TILLS)
def test_what_comes_from_a_till_is_a_receipt_even_where_it_has_a_number(language: str) -> None:
    total, given_, change, thanks = TILLS[language]
    page = (
        "CORNER BAKERY\n12.05.2024 10:41\nNo. 4711\nRye       4.20 A\nCoffee    5.00 B\n"
        f"{total}     9.20\n{given_}     10.00\n{change}     0.80\n{thanks}\n"
    )
    assert read(page).document_type is DocumentType.RECEIPT


def test_a_letter_is_some_other_document_and_says_so() -> None:
    found = read(LETTER).fields["document_type"]
    assert found.value == DocumentType.OTHER
    assert found.confidence >= 0.4


def test_a_compound_title_names_an_invoice() -> None:
    page = "Stadtwerk\nStromrechnung   24. Januar 2026\nVerbrauch      200,00 EUR\nBetrag      238,00 EUR\n"
    assert read(page).document_type is DocumentType.INVOICE


def test_a_gutschrift_that_may_be_self_billed_is_doubted() -> None:
    page = "Morgenrot Handels GmbH\n\nGUTSCHRIFT\n\nProvision Januar      100,00 EUR\nGesamtbetrag     100,00 EUR\n"
    found = read(page).fields["document_type"]
    assert found.confidence <= 0.7
    assert "the buyer wrote" in found.note
    corrects = read(page.replace("\n\nProvision", "\nzu Rechnung Nr.: RE-4711\n\nProvision"))
    assert corrects.document_type is DocumentType.CREDIT_NOTE
    assert corrects.fields["document_type"].confidence > 0.7


features = st.dictionaries(st.sampled_from(sorted(shipped_weights())), st.floats(-3, 3), max_size=6)


@settings(max_examples=50)
@given(st.fixed_dictionaries(dict.fromkeys(DocumentType, features)), st.floats(0.1, 2))
def test_probabilities_add_up_and_more_evidence_for_a_type_never_makes_it_less_likely(
    votes: dict[DocumentType, dict[str, float]], more: float
) -> None:
    before = probabilities(votes)
    assert sum(before.values()) == pytest.approx(1.0)
    votes[DocumentType.ORDER] = votes[DocumentType.ORDER] | {
        "title": votes[DocumentType.ORDER].get("title", 0.0) + more
    }
    assert probabilities(votes)[DocumentType.ORDER] >= before[DocumentType.ORDER]
