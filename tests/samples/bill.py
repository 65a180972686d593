"""A bill or order document as a vendor's own program holds it, its exact arithmetic, and its truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

ZERO = Decimal(0)
CENT = Decimal("0.01")
ORDER_TYPES = ("order", "order_confirmation", "quotation")
UNPRICED = ("delivery_note", "reminder")
PLACES = {"TWD": 0}
"""The decimals of a currency in which bills are written, where not 2."""


def cents(amount: Decimal) -> Decimal:
    """Rounded to two decimals, half up (EN 16931-1, 6.5)."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Party:
    """A seller or buyer. `account` is an IBAN or a national account number with its `routing` code."""

    name: str
    street: str
    zip: str
    city: str
    country: str
    vat_id: str = ""
    tax_id: str = ""
    registration: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    account: str = ""
    routing: str = ""
    bic: str = ""
    bank: str = ""
    currency: str = "EUR"
    language: str = "en_GB"
    payment_days: int = 30

    @property
    def town(self) -> str:
        """The address line with the postal code, in the order of the country."""
        city_first = self.country in ("GB", "US", "BR", "MX", "IN")
        return f"{self.city} {self.zip}" if city_first else f"{self.zip} {self.city}"

    @property
    def address_lines(self) -> tuple[str, str]:
        """Street and town in the order of the country; a Chinese address goes from the large to the small."""
        if self.country == "CN":
            return f"{self.city}{self.street}", self.zip
        if self.country in ("TW", "HK"):
            return f"{self.zip} {self.city}{self.street}".strip(), ""
        return self.street, self.town

    @property
    def address(self) -> str:
        """The address in one line."""
        return ", ".join(filter(None, self.address_lines))


@dataclass(frozen=True)
class Line:
    """One line; `unit` is a UN/ECE Recommendation 20 code, `net_price` excludes VAT and the line's discount."""

    item_name: str
    quantity: Decimal
    unit: str
    net_price: Decimal
    vat_rate: Decimal
    item_seller_id: str = ""
    discount_percent: Decimal = ZERO
    delivery_date: date | None = None

    @property
    def line_net_amount(self) -> Decimal:
        """Quantity times price less the discount, in cents."""
        return cents(self.quantity * self.net_price * (1 - self.discount_percent / 100))


class OpenItem(NamedTuple):
    """An invoice that a reminder or statement lists as not paid."""

    number: str
    issue_date: date
    due_date: date
    amount: Decimal


class VatRow(NamedTuple):
    """The VAT of one rate."""

    vat_rate: Decimal
    taxable_amount: Decimal
    vat_amount: Decimal


@dataclass(frozen=True)
class Bill:
    """A document to be drawn.

    `design` names its look, `wording` and `date_style` choose among what is usual in the seller's language.
    `gross` says that prices and amounts of lines include VAT, as on a till slip; `asks` that an invoice calls its
    total the amount to pay.
    """

    document_type: str
    number: str
    issue_date: date
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    design: str
    due_date: date | None = None
    delivery_date: date | None = None
    order_reference: str = ""
    preceding_invoice: str = ""
    payment_reference: str = ""
    payment_terms: str = ""
    discount_percent: Decimal = ZERO
    notes: tuple[str, ...] = ()
    family: str = ""
    accent: int = 0
    wording: int = 0
    date_style: int = 0
    gross: bool = False
    asks: bool = True
    open_items: tuple[OpenItem, ...] = ()
    extra: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def currency(self) -> str:
        """ISO 4217 code of all amounts."""
        return self.seller.currency

    @property
    def lines_total(self) -> Decimal:
        """Sum of the lines (BT-106)."""
        return sum((line.line_net_amount for line in self.lines), ZERO)

    @property
    def vat_breakdown(self) -> tuple[VatRow, ...]:
        """VAT per rate: the sum of the rate's lines less its share of the document's discount, then rounded once."""
        rows: list[VatRow] = []
        if not (self.priced and self.taxed):
            return ()
        for rate in sorted({line.vat_rate for line in self.lines}, reverse=True):
            net = sum((line.line_net_amount for line in self.lines if line.vat_rate == rate), ZERO)
            if self.gross:
                taxable = self._rounded(net * 100 / (100 + rate))
                rows.append(VatRow(rate, taxable, net - taxable))
            else:
                taxable = net - self._rounded(net * self.discount_percent / 100)
                rows.append(VatRow(rate, taxable, self._rounded(taxable * rate / 100)))
        return tuple(rows)

    @property
    def total_without_vat(self) -> Decimal:
        """BT-109."""
        if not self.taxed:
            return self.lines_total - self._rounded(self.lines_total * self.discount_percent / 100)
        return sum((row.taxable_amount for row in self.vat_breakdown), ZERO)

    @property
    def discount_total(self) -> Decimal:
        """BT-107."""
        return ZERO if self.gross else self.lines_total - self.total_without_vat

    @property
    def total_vat(self) -> Decimal:
        """BT-110."""
        return sum((row.vat_amount for row in self.vat_breakdown), ZERO)

    @property
    def total_with_vat(self) -> Decimal:
        """BT-112."""
        return self.total_without_vat + self.total_vat

    @property
    def open_total(self) -> Decimal:
        """The sum of the invoices that a reminder lists."""
        return sum((item.amount for item in self.open_items), ZERO)

    @property
    def is_order(self) -> bool:
        """Whether this is an order document, not a demand for payment."""
        return self.document_type in ORDER_TYPES

    @property
    def priced(self) -> bool:
        """Whether lines have prices, and totals follow from them."""
        return self.document_type not in UNPRICED or self.design == "reminder"

    @property
    def taxed(self) -> bool:
        """Whether the seller's country has a VAT or a sales tax."""
        return self.seller.country != "HK"

    def truth(self) -> dict[str, Any]:
        """What the page says, by the names of the business terms; dates in ISO 8601, numbers as decimal strings."""
        return {
            "vendor": self.seller.name,
            "fields": _printed(self._header()),
            "lines": [_printed(self._line(line)) for line in self.lines],
            "vat_breakdown": [_printed(self._vat(row)) for row in self.vat_breakdown],
        }

    def _rounded(self, amount: Decimal) -> Decimal:
        """Rounded to the decimals of the currency, half up."""
        return amount.quantize(Decimal(1).scaleb(-PLACES.get(self.currency, 2)), ROUND_HALF_UP)

    def _vat(self, row: VatRow) -> dict[str, Any]:
        """The row with what the document prints of it."""
        values = row._asdict()
        return {name: values[name] for name in ("vat_rate", "vat_amount")} if self.gross else values

    def _line(self, line: Line) -> dict[str, Any]:
        """The line with what the document prints of it."""
        values = _line(line)
        if not self.priced:
            return {name: values[name] for name in ("item_name", "item_seller_id", "quantity", "unit")}
        if self.gross:
            shown = {name: values[name] for name in ("item_name", "quantity")}
            return shown | {"line_total_with_vat": line.line_net_amount}
        if not self.taxed:
            del values["vat_rate"]
        return values

    def _header(self) -> dict[str, Any]:
        seller = self.seller
        header = {
            "document_type": self.document_type,
            "order_number" if self.is_order else "invoice_number": self.number,
            "issue_date": self.issue_date,
            "due_date": self.due_date,
            "delivery_date": self.delivery_date,
            "currency": self.currency,
            "purchase_order_reference": self.order_reference,
            "preceding_invoice_reference": self.preceding_invoice,
            "seller_name": seller.name,
            "seller_registration": seller.registration,
            "seller_vat_id": seller.vat_id,
            "seller_tax_id": seller.tax_id,
            "seller_address": seller.address,
            "seller_email": seller.email,
            "seller_website": seller.website,
            "buyer_name": self.buyer.name,
            "buyer_vat_id": self.buyer.vat_id,
            "payment_account": seller.account,
            "payment_bic": seller.bic,
            "payment_reference": self.payment_reference,
            "payment_terms": self.payment_terms,
            "discount_total": self.discount_total or None,
            "total_without_vat": self.total_without_vat,
            "total_vat": self.total_vat,
            "total_with_vat": self.total_with_vat,
            "amount_due": self.total_with_vat if self.document_type == "invoice" and self.asks else None,
        }
        if self.document_type == "order":
            header["order_date"] = self.issue_date
        if not self.taxed:
            header |= {"total_without_vat": None, "total_vat": None}
        if not self.priced:
            # The number of a delivery note or a reminder is none of an invoice.
            unsaid = {"invoice_number", "total_without_vat", "total_vat", "total_with_vat", "discount_total"}
            header = {name: value for name, value in header.items() if name not in unsaid}
            header["amount_due"] = self.open_total or None
            header["currency"] = self.currency if self.open_items else None
        return header


def _line(line: Line) -> dict[str, Any]:
    return {
        "item_name": line.item_name,
        "item_seller_id": line.item_seller_id,
        "quantity": line.quantity,
        "unit": line.unit,
        "net_price": line.net_price,
        "discount_percent": line.discount_percent or None,
        "vat_rate": line.vat_rate,
        "line_net_amount": line.line_net_amount,
        "delivery_date": line.delivery_date,
    }


def _printed(values: dict[str, Any]) -> dict[str, str]:
    """Only what is there, as strings."""
    return {
        name: value.isoformat()
        if isinstance(value, date)
        else format(value, "f")
        if isinstance(value, Decimal)
        else value
        for name, value in values.items()
        if value not in (None, "")
    }
