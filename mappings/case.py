"""One document, the ERP record it hangs on, and the ERP data around them: what every rule looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from inference.invoice import Check, DocumentType, Field, Reading, Row, Status
from mappings.erp_data import Company, Currency, Record, Tax
from mappings.field_map import FieldMap, default_map
from mappings.line_styles import LineStyles
from mappings.memory import Memory
from mappings.proposal import Totals

if TYPE_CHECKING:
    from mappings.index import ErpIndex

BILL = "account.move"
ORDER = "purchase.order"
REFUND = "in_refund"
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far, in percent, a bill may be from its order without a person being asked."""

    price_percent: Decimal = Decimal(2)
    quantity_percent: Decimal = Decimal(0)

    def same_price(self, price: Decimal, ordered: Decimal) -> bool:
        """Whether a billed price is the ordered one, dearer or cheaper by the tolerance at most."""
        return abs(price - ordered) * HUNDRED <= self.price_percent * abs(ordered)

    def exceeds(self, quantity: Decimal, open_quantity: Decimal) -> bool:
        """Whether more is billed than is open; what has been billed whole leaves no tolerance."""
        most = max(open_quantity, Decimal(0)) * (1 + self.quantity_percent / HUNDRED)
        return quantity > most


@dataclass(frozen=True, slots=True)
class SeenDocument:
    """An earlier document that is the same by what it is, not by what was read: on which bill, and why the same."""

    record_id: int
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a rule may look at. `today` is the day of the decision, `memory` what people taught, `seen` the same
    document met before, `tolerance` how far a bill may be from its order,
    `fields` the declared mapping, `line_styles` how bills are booked. `currency_term` is the term
    that shows the currency: an amount where only its sign does. `vendor_id` is the vendor that a person chose."""

    reading: Reading
    record: Record
    index: ErpIndex
    today: date
    memory: Memory = field(default_factory=Memory)
    seen: tuple[SeenDocument, ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)
    fields: FieldMap = field(default_factory=default_map)
    line_styles: LineStyles = field(default_factory=LineStyles)
    currency_term: str = "currency"
    vendor_id: int | None = None

    @property
    def company(self) -> Company:
        """The company that the record belongs to. Raises KeyError where the snapshot does not hold it."""
        return self.index.companies[self.record.company_id]

    @property
    def default_currency(self) -> Currency:
        """The currency that Odoo gives a new record: the journal's, else the company's."""
        journals = {j.id: j for j in self.index.data.journals}
        journal = journals.get(self.record.journal_id or 0)
        chosen = journal.currency_id if journal and journal.currency_id else self.company.currency_id
        return self.index.currencies[chosen]

    @property
    def currency(self) -> Currency:
        """The currency of the document's amounts, the record's where the document names none that Odoo has."""
        code = (self.reading.text("currency") or "").upper()
        return self.index.currency_by_code.get(code) or self.default_currency

    @property
    def is_credit(self) -> bool:
        """Whether the document gives money back."""
        return self.reading.document_type is DocumentType.CREDIT_NOTE

    @property
    def sign(self) -> int:
        """-1 where a credit note prints negative amounts: Odoo's refunds have positive lines."""
        total = self.reading.amount("total_with_vat")
        return -1 if self.is_credit and total is not None and total < 0 else 1

    def amount(self, name: str) -> Decimal | None:
        """A header amount in Odoo's sign."""
        value = self.reading.amount(name)
        return None if value is None else value * self.sign

    @property
    def paper(self) -> Totals | None:
        """The totals that the document prints; a missing one follows where the two others are there."""
        untaxed, tax = self.amount("total_without_vat"), self.amount("total_vat")
        total = self.amount("total_with_vat")
        if total is None and untaxed is not None and tax is not None:
            total = untaxed + tax
        if total is None:
            return None
        if tax is None and untaxed is not None:
            tax = total - untaxed
        if untaxed is None and tax is not None:
            untaxed = total - tax
        return Totals(untaxed, tax, total)

    @property
    def usable_taxes(self) -> list[Tax]:
        """The active taxes of the record's company that charge a percentage, alone or as a group."""
        return [
            tax
            for tax in self.index.data.taxes
            if tax.active and tax.amount_type in ("percent", "group") and self.within_company(tax.company_id)
        ]

    def within_company(self, company_id: int | None) -> bool:
        """Whether a record of that company (None: of all) may be used on ours: its own or a parent's."""
        return company_id is None or company_id in self.family

    def usable_account(self, account_id: int | None) -> bool:
        """Whether a line of our company may be booked on the account."""
        account = self.index.accounts.get(account_id or 0)
        if account is None or not account.active:
            return False
        return not account.company_ids or bool(set(account.company_ids) & set(self.family))

    @property
    def family(self) -> tuple[int, ...]:
        """Our company and its parents, nearest first."""
        found: list[int] = []
        company: Company | None = self.company
        while company and company.id not in found:
            found.append(company.id)
            company = self.index.companies.get(company.parent_id or 0)
        return tuple(found)


def passed(check_id: str, message: str) -> Check:
    """A Check that passed."""
    return Check(check_id, Status.PASS, _sentence(message))


def failed(check_id: str, message: str) -> Check:
    """A Check that failed: a person decides."""
    return Check(check_id, Status.FAIL, _sentence(message))


def not_applicable(check_id: str, message: str) -> Check:
    """A Check that had nothing to compare."""
    return Check(check_id, Status.NOT_APPLICABLE, _sentence(message))


def _sentence(text: str) -> str:
    """One full stop, where a name such as `Acme Inc.` brings its own."""
    return text[:-1] if text.endswith("..") else text


def proven(field: Field | None) -> bool:
    """Whether a Field is there and something on the document proves it."""
    return field is not None and bool(field.evidence)


def confidence(fields: Iterable[Field | None]) -> float:
    """The least confidence of the Fields that are there; 1 where there are none."""
    return min((field.confidence for field in fields if field), default=1.0)


# How often a misread code or description is, exactly, another one that the ERP has for the same vendor.
CHANCE_HIT = 0.1


def confirmed(sure: float) -> float:
    """The confidence in something read that the ERP has just so: misread, it would hardly be there."""
    return 1.0 - (1.0 - sure) * CHANCE_HIT


def shortened(text: str, length: int = 60) -> str:
    """A description as a sentence can bear it."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def term(collection: str, position: int, name: str) -> str:
    """The path of a Field of a line or of a VAT breakdown row."""
    return f"{collection}[{position}].{name}"


def field_at(reading: Reading, path: str) -> Field | None:
    """The Field that a term names: `invoice_number`, `lines[2].quantity`, `vat_breakdown[0].vat_rate`."""
    collection, bracket, rest = path.partition("[")
    if not bracket:
        return reading.get(path)
    position, _, name = rest.partition("].")
    rows: Mapping[str, tuple[Row, ...]] = {"lines": reading.lines, "vat_breakdown": reading.vat_breakdown}
    return rows[collection][int(position)].get(name)


def money(amount: Decimal) -> str:
    """An amount as people write it: at least two decimals, thousands apart."""
    places = -int(amount.normalize().as_tuple().exponent)
    return f"{amount:,.{max(2, places)}f}"


def number(value: Decimal) -> str:
    """A quantity or rate without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def a_kind(kind: DocumentType) -> str:
    """A document type with its article: `an invoice`, `a delivery note`."""
    if kind is DocumentType.OTHER:
        return "some other document"
    name = kind.value.replace("_", " ")
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
