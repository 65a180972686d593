"""Numbers, dates and labels as a vendor of a country prints them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal

from tests.samples.bill import Bill

DATE_PATTERNS = {
    "de_DE": ("dd.MM.yyyy", "d. MMMM yyyy", "dd.MM.yy"),
    "en_GB": ("d MMMM yyyy", "dd/MM/yyyy", "dd MMM yyyy"),
    "en_US": ("MM/dd/yyyy", "MMMM d, yyyy", "MMM d, yyyy"),
    "fr_FR": ("dd/MM/yyyy", "d MMMM yyyy", "dd-MM-yyyy"),
    "nl_NL": ("dd-MM-yyyy", "d MMMM yyyy", "dd/MM/yyyy"),
    "zh_CN": ("yyyy年MM月dd日", "yyyy-MM-dd", "yyyy/MM/dd"),
}
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "CNY": "¥"}
UNITS = {
    "de_DE": {"C62": ("Stk", "St.", "Stück"), "MTR": ("m",), "KGM": ("kg",), "HUR": ("Std.", "h")},
    "en_GB": {"C62": ("pcs", "ea", "each"), "MTR": ("m",), "KGM": ("kg",), "HUR": ("hrs", "h")},
    "en_US": {"C62": ("ea", "pcs", "EA"), "MTR": ("m",), "KGM": ("kg",), "HUR": ("hr", "hours")},
    "fr_FR": {"C62": ("pce", "U", "u."), "MTR": ("m",), "KGM": ("kg",), "HUR": ("h",)},
    "nl_NL": {"C62": ("st", "stuks", "stk"), "MTR": ("m",), "KGM": ("kg",), "HUR": ("uur",)},
    "zh_CN": {"C62": ("个", "只", "件"), "MTR": ("米",), "KGM": ("千克",), "HUR": ("小时",)},
}

# Each label with the words usual for it; a vendor keeps to one choice. `{…}` is filled in by the design.
_EN = {
    "invoice": ("INVOICE", "TAX INVOICE", "Invoice"),
    "credit_note": ("CREDIT NOTE", "Credit Note", "CREDIT MEMO"),
    "order_confirmation": ("ORDER CONFIRMATION", "Order Acknowledgement"),
    "quotation": ("QUOTATION", "Quote", "QUOTE"),
    "invoice_number": ("Invoice No.", "Invoice number", "Invoice #"),
    "credit_note_number": ("Credit note no.", "Credit Note No.", "Credit #"),
    "order_confirmation_number": ("Confirmation no.", "Our reference"),
    "quotation_number": ("Quote No.", "Quotation number", "Quote #"),
    "issue_date": ("Invoice date", "Date", "Date of issue"),
    "document_date": ("Date", "Date of issue"),
    "due_date": ("Due date", "Payment due", "Due"),
    "delivery_date": ("Delivery date", "Date of supply"),
    "order": ("Your order", "PO number", "Purchase order"),
    "preceding": ("Original invoice", "Relates to invoice"),
    "customer": ("Customer no.", "Account no."),
    "buyer": ("Prepared for", "Customer"),
    "bill_to": ("Bill to", "Invoice to", "Billed to"),
    "from": ("From",),
    "vat_id": ("VAT No.", "VAT Reg. No.", "VAT ID"),
    "buyer_vat_id": ("Your VAT No.", "Customer VAT No."),
    "tax_id": ("EIN", "Federal Tax ID"),
    "registration": ("Company No.", "Registered in England No."),
    "pos": ("#", "No.", "Line"),
    "article": ("Code", "Item", "SKU"),
    "description": ("Description", "Details", "Item description"),
    "quantity": ("Qty", "Quantity"),
    "unit": ("Unit",),
    "price": ("Unit price", "Price", "Rate"),
    "discount": ("Disc.", "Discount"),
    "vat": ("VAT", "VAT %"),
    "amount": ("Amount", "Net amount", "Line total"),
    "promised": ("Delivery", "Ship date"),
    "lines_total": ("Goods total", "Sum of lines"),
    "document_discount": ("Discount {rate}", "Less discount {rate}"),
    "subtotal": ("Subtotal", "Net total", "Total excl. VAT"),
    "vat_of": ("VAT {rate} on {base}", "VAT @ {rate} ({base})"),
    "total_vat": ("Total VAT",),
    "total": ("Total", "Invoice total", "Total incl. VAT"),
    "due": ("Amount due", "Balance due", "Total due"),
    "credit": ("Total credit", "Amount credited"),
    "base": ("Net",),
    "terms": ("Terms", "Payment terms"),
    "bank": ("Bank", "Bank name"),
    "account": ("IBAN",),
    "local_account": ("Account no.", "Account number"),
    "routing": ("Routing (ABA)", "ABA routing no."),
    "reference": ("Payment reference", "Reference"),
    "page": ("Page {number} of {count}",),
    "carried": ("Carried forward", "Subtotal carried forward"),
    "brought": ("Brought forward",),
    "phone": ("Tel.", "Phone"),
    "thanks": ("Thank you for your business.", "We appreciate your custom."),
    "payment": ("Payment details", "How to pay"),
}
_US = _EN | {
    "invoice": ("INVOICE", "Invoice"),
    "order": ("P.O. Number", "PO #", "Customer PO"),
    "vat_id": ("Tax ID",),
    "vat": ("Tax", "Tax %"),
    "subtotal": ("Subtotal",),
    "vat_of": ("Sales tax {rate} on {base}", "Tax {rate} ({base})"),
    "total_vat": ("Total tax",),
    "total": ("Total", "TOTAL"),
    "due": ("Balance Due", "Amount Due"),
    "thanks": ("Thank you for your business!",),
    "payment": ("Remit payment to", "ACH / wire instructions"),
}
_DE = {
    "invoice": ("Rechnung", "RECHNUNG"),
    "credit_note": ("Rechnungskorrektur", "Gutschrift"),
    "order_confirmation": ("Auftragsbestätigung",),
    "quotation": ("Angebot",),
    "reminder": ("Zahlungserinnerung", "1. Mahnung"),
    "invoice_number": ("Rechnungsnummer", "Rechnungs-Nr.", "Rechnung Nr."),
    "credit_note_number": ("Gutschrift-Nr.", "Belegnummer"),
    "order_confirmation_number": ("Auftrags-Nr.", "AB-Nummer"),
    "quotation_number": ("Angebots-Nr.",),
    "issue_date": ("Rechnungsdatum", "Datum", "Belegdatum"),
    "document_date": ("Datum", "Belegdatum"),
    "due_date": ("Zahlbar bis", "Fällig am", "Fälligkeit"),
    "delivery_date": ("Lieferdatum", "Leistungsdatum"),
    "order": ("Ihre Bestellung", "Bestell-Nr.", "Ihre Bestellnummer"),
    "preceding": ("Zu Rechnung", "Bezug Rechnung"),
    "customer": ("Kundennummer", "Kunden-Nr.", "Debitor"),
    "buyer": ("Kunde", "Auftraggeber"),
    "bill_to": ("Rechnungsempfänger", "Rechnung an"),
    "from": ("Absender",),
    "vat_id": ("USt-IdNr.", "USt-ID", "UID-Nr."),
    "buyer_vat_id": ("Ihre USt-IdNr.", "USt-IdNr. Kunde"),
    "tax_id": ("Steuernummer",),
    "registration": ("Handelsregister", "Registernummer"),
    "pos": ("Pos.", "Pos", "Nr."),
    "article": ("Artikel-Nr.", "Art.-Nr.", "Artikel"),
    "description": ("Bezeichnung", "Beschreibung", "Artikelbezeichnung"),
    "quantity": ("Menge", "Anzahl"),
    "unit": ("Einheit", "ME", "Einh."),
    "price": ("Einzelpreis", "E-Preis", "Preis/Einh."),
    "discount": ("Rabatt", "Rab. %"),
    "vat": ("MwSt", "USt", "MwSt %"),
    "amount": ("Gesamtpreis", "Betrag", "Gesamt netto"),
    "promised": ("Liefertermin", "Lieferung"),
    "lines_total": ("Summe Positionen", "Warenwert"),
    "document_discount": ("Rabatt {rate}", "abzgl. Rabatt {rate}"),
    "subtotal": ("Nettobetrag", "Zwischensumme netto", "Summe netto"),
    "vat_of": ("zzgl. {rate} MwSt auf {base}", "USt {rate} von {base}", "MwSt {rate} ({base})"),
    "total_vat": ("Summe MwSt", "MwSt gesamt"),
    "total": ("Gesamtbetrag", "Rechnungsbetrag", "Bruttobetrag"),
    "due": ("Zu zahlen", "Zahlbetrag", "Zahlbetrag brutto"),
    "credit": ("Gutschriftbetrag",),
    "base": ("Netto",),
    "terms": ("Zahlungsbedingungen", "Zahlung"),
    "bank": ("Bank", "Bankverbindung"),
    "account": ("IBAN",),
    "local_account": ("Konto",),
    "routing": ("BLZ",),
    "reference": ("Verwendungszweck",),
    "page": ("Seite {number} von {count}", "Seite {number}/{count}"),
    "carried": ("Übertrag", "Zwischensumme / Übertrag"),
    "brought": ("Übertrag von Vorseite",),
    "phone": ("Tel.", "Telefon"),
    "thanks": ("Vielen Dank für Ihren Auftrag.", "Wir danken für die gute Zusammenarbeit."),
    "payment": ("Bankverbindung", "Zahlung an"),
}
_FR = {
    "invoice": ("FACTURE", "Facture"),
    "credit_note": ("AVOIR", "Avoir"),
    "order_confirmation": ("CONFIRMATION DE COMMANDE", "Accusé de réception de commande"),
    "quotation": ("DEVIS", "Devis"),
    "invoice_number": ("Facture n°", "N° de facture", "Numéro"),
    "credit_note_number": ("Avoir n°", "N° d'avoir"),
    "order_confirmation_number": ("ARC n°", "N° de confirmation"),
    "quotation_number": ("Devis n°", "N° de devis"),
    "issue_date": ("Date de facture", "Date", "Date d'émission"),
    "document_date": ("Date", "Date d'émission"),
    "due_date": ("Échéance", "Date d'échéance", "À régler avant le"),
    "delivery_date": ("Date de livraison", "Livré le"),
    "order": ("Votre commande", "Réf. commande", "N° de commande"),
    "preceding": ("Facture d'origine", "Annule facture"),
    "customer": ("N° client", "Code client"),
    "buyer": ("Client",),
    "bill_to": ("Facturé à", "Adresse de facturation", "Client"),
    "from": ("Émetteur",),
    "vat_id": ("N° TVA", "TVA intracom.", "N° TVA intracommunautaire"),
    "buyer_vat_id": ("N° TVA client", "Votre n° TVA"),
    "tax_id": ("SIRET",),
    "registration": ("Immatriculation", "Registre"),
    "pos": ("N°", "Lig."),
    "article": ("Référence", "Réf.", "Code article"),
    "description": ("Désignation", "Description"),
    "quantity": ("Qté", "Quantité"),
    "unit": ("Unité", "U"),
    "price": ("P.U. HT", "Prix unitaire HT", "PU HT"),
    "discount": ("Remise", "Rem. %"),
    "vat": ("TVA", "TVA %"),
    "amount": ("Montant HT", "Total HT"),
    "promised": ("Livraison", "Délai"),
    "lines_total": ("Total brut HT",),
    "document_discount": ("Remise {rate}",),
    "subtotal": ("Total HT", "Montant HT"),
    "vat_of": ("TVA {rate} sur {base}", "TVA à {rate} ({base})"),
    "total_vat": ("Total TVA", "Montant TVA"),
    "total": ("Total TTC", "Montant TTC"),
    "due": ("Net à payer", "Net à payer TTC"),
    "credit": ("Net à votre crédit", "Montant de l'avoir"),
    "base": ("Base HT",),
    "terms": ("Conditions de règlement", "Règlement"),
    "bank": ("Banque", "Domiciliation"),
    "account": ("IBAN",),
    "local_account": ("Compte",),
    "routing": ("Guichet",),
    "reference": ("Référence à rappeler", "Réf. paiement"),
    "page": ("Page {number} / {count}", "Page {number} sur {count}"),
    "carried": ("À reporter",),
    "brought": ("Report",),
    "phone": ("Tél.", "Téléphone"),
    "thanks": ("Nous vous remercions de votre confiance.",),
    "payment": ("Coordonnées bancaires", "Règlement par virement"),
}
_NL = {
    "invoice": ("FACTUUR", "Factuur"),
    "credit_note": ("CREDITNOTA", "Creditfactuur"),
    "order_confirmation": ("ORDERBEVESTIGING", "Orderbevestiging"),
    "quotation": ("OFFERTE", "Offerte"),
    "invoice_number": ("Factuurnummer", "Factuurnr."),
    "credit_note_number": ("Creditnr.", "Creditnummer"),
    "order_confirmation_number": ("Ordernummer",),
    "quotation_number": ("Offertenummer",),
    "issue_date": ("Factuurdatum", "Datum"),
    "document_date": ("Datum",),
    "due_date": ("Vervaldatum", "Betalen voor"),
    "delivery_date": ("Leverdatum", "Datum levering"),
    "order": ("Uw ordernummer", "Uw referentie", "Inkoopnummer"),
    "preceding": ("Betreft factuur",),
    "customer": ("Klantnummer", "Debiteurnr."),
    "buyer": ("Klant",),
    "bill_to": ("Factuuradres", "Aan"),
    "from": ("Van",),
    "vat_id": ("Btw-nummer", "Btw-id"),
    "buyer_vat_id": ("Uw btw-nummer", "Btw-nr. klant"),
    "tax_id": ("Fiscaal nr.",),
    "registration": ("KvK", "KvK-nummer"),
    "pos": ("Nr.", "Regel"),
    "article": ("Artikelnr.", "Artikel"),
    "description": ("Omschrijving",),
    "quantity": ("Aantal",),
    "unit": ("Eenheid", "Eenh."),
    "price": ("Prijs", "Stukprijs"),
    "discount": ("Korting", "Krt. %"),
    "vat": ("Btw", "Btw %"),
    "amount": ("Bedrag", "Totaal"),
    "promised": ("Levering",),
    "lines_total": ("Totaal regels",),
    "document_discount": ("Korting {rate}",),
    "subtotal": ("Totaal excl. btw", "Subtotaal"),
    "vat_of": ("Btw {rate} over {base}", "{rate} btw over {base}"),
    "total_vat": ("Totaal btw",),
    "total": ("Totaal incl. btw", "Factuurtotaal"),
    "due": ("Te betalen", "Te voldoen"),
    "credit": ("Totaal credit",),
    "base": ("Grondslag",),
    "terms": ("Betalingsconditie", "Betaling"),
    "bank": ("Bank",),
    "account": ("IBAN",),
    "local_account": ("Rekening",),
    "routing": ("Bankcode",),
    "reference": ("Betalingskenmerk",),
    "page": ("Pagina {number} van {count}", "Blad {number}/{count}"),
    "carried": ("Transporteren",),
    "brought": ("Transport",),
    "phone": ("Tel.", "Telefoon"),
    "thanks": ("Bedankt voor uw bestelling.",),
    "payment": ("Betaalgegevens",),
}
_ZH = {
    "invoice": ("发票", "商业发票"),
    "credit_note": ("贷项通知单", "红字通知单"),
    "order_confirmation": ("订单确认书",),
    "quotation": ("报价单",),
    "invoice_number": ("发票号码", "发票编号"),
    "credit_note_number": ("单据编号",),
    "order_confirmation_number": ("确认单号",),
    "quotation_number": ("报价单号",),
    "issue_date": ("开票日期", "日期"),
    "document_date": ("日期",),
    "due_date": ("付款期限", "到期日"),
    "delivery_date": ("交货日期",),
    "order": ("采购订单号", "客户订单号"),
    "preceding": ("原发票号码",),
    "customer": ("客户编号",),
    "buyer": ("客户",),
    "bill_to": ("购买方", "客户"),
    "from": ("销售方",),
    "vat_id": ("纳税人识别号", "统一社会信用代码"),
    "buyer_vat_id": ("购买方税号",),
    "tax_id": ("税号",),
    "registration": ("注册号",),
    "pos": ("序号",),
    "article": ("货号", "型号"),
    "description": ("货物名称", "品名"),
    "quantity": ("数量",),
    "unit": ("单位",),
    "price": ("单价",),
    "discount": ("折扣",),
    "vat": ("税率",),
    "amount": ("金额",),
    "promised": ("交期",),
    "lines_total": ("货款合计",),
    "document_discount": ("折扣 {rate}",),
    "subtotal": ("不含税金额", "金额合计"),
    "vat_of": ("税额 {rate}（{base}）",),
    "total_vat": ("税额合计",),
    "total": ("价税合计",),
    "due": ("应付金额",),
    "credit": ("贷项金额",),
    "base": ("金额",),
    "terms": ("付款条件",),
    "bank": ("开户行", "开户银行"),
    "account": ("IBAN",),
    "local_account": ("账号", "银行账号"),
    "routing": ("联行号",),
    "reference": ("付款附言",),
    "page": ("第 {number} 页 共 {count} 页",),
    "carried": ("转下页",),
    "brought": ("承上页",),
    "phone": ("电话",),
    "thanks": ("感谢惠顾。",),
    "payment": ("收款账户",),
}
LABELS = {"en_GB": _EN, "en_US": _US, "de_DE": _DE, "fr_FR": _FR, "nl_NL": _NL, "zh_CN": _ZH}


@dataclass(frozen=True)
class Printing:
    """The habits of one vendor: its language, its date pattern, its choice of words."""

    language: str
    currency: str
    wording: int = 0
    date_style: int = 0

    @classmethod
    def of(cls, bill: Bill) -> Printing:
        """The habits of a bill's seller."""
        return cls(bill.seller.language, bill.currency, bill.wording, bill.date_style)

    def label(self, key: str, **parts: str | int) -> str:
        """The words printed for `key`."""
        choices = LABELS[self.language][key]
        return choices[self.wording % len(choices)].format(**parts)

    def day(self, day: date) -> str:
        """A date."""
        patterns = DATE_PATTERNS[self.language]
        return format_date(day, patterns[self.date_style % len(patterns)], locale=self.language)

    def amount(self, amount: Decimal) -> str:
        """An amount without its currency."""
        return self._number(amount, "#,##0.00")

    def price(self, price: Decimal) -> str:
        """A unit price, with more than two decimals where it has them."""
        return self._number(price, "#,##0.00##")

    def money(self, amount: Decimal) -> str:
        """An amount with its currency, as the language places it."""
        symbol = SYMBOLS[self.currency]
        if self.language in ("en_GB", "en_US", "zh_CN"):
            return f"{symbol}{self.amount(amount)}"
        if self.language == "nl_NL":
            return f"{symbol}\u00a0{self.amount(amount)}"
        return f"{self.amount(amount)}\u00a0{symbol}"

    def quantity(self, quantity: Decimal) -> str:
        """A quantity without needless zeros."""
        return self._number(quantity, "#,##0.###")

    def percent(self, rate: Decimal) -> str:
        """A rate with its sign."""
        space = "" if self.language in ("en_GB", "en_US", "zh_CN") else "\u00a0"
        return f"{self._number(rate, '0.##')}{space}%"

    def unit(self, code: str) -> str:
        """The word for a UN/ECE Recommendation 20 code."""
        choices = UNITS[self.language][code]
        return choices[self.wording % len(choices)]

    def account(self, account: str) -> str:
        """An IBAN in groups of four, any other number as it is."""
        if not account[:2].isalpha():
            return account
        return " ".join(account[start : start + 4] for start in range(0, len(account), 4))

    def _number(self, number: Decimal, pattern: str) -> str:
        # CLDR's narrow space is missing in many fonts; vendors print an ordinary no-break space.
        return format_decimal(number, pattern, locale=self.language).replace("\u202f", "\u00a0")
