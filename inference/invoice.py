"""The invoice model: what every Reader returns, in the business terms of EN 16931-1.

One table of Terms names everything that can be read; the JSON contract of `vouch read`, the prompt schema of a
vision model and the mapping onto an ERP are all derived from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

Value = str | date | Decimal


class Kind(StrEnum):
    """The type of a Term's value; decides how it is parsed, compared and printed."""

    TEXT = "text"
    IDENTIFIER = "identifier"
    CODE = "code"
    DATE = "date"
    AMOUNT = "amount"
    QUANTITY = "quantity"
    PERCENT = "percent"


class Term(NamedTuple):
    """A business term: its name here, its EN 16931 number and the type of its value."""

    name: str
    number: str
    kind: Kind
    meaning: str


class DocumentType(StrEnum):
    """What a document is; the value of the Field `document_type` (BT-3, in words)."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    RECEIPT = "receipt"
    ORDER = "order"
    ORDER_CONFIRMATION = "order_confirmation"
    QUOTATION = "quotation"
    DELIVERY_NOTE = "delivery_note"
    REMINDER = "reminder"
    PAYMENT_ADVICE = "payment_advice"
    OTHER = "other"


HEADER_TERMS: tuple[Term, ...] = (
    Term("document_type", "BT-3", Kind.CODE, "what the document is"),
    Term("invoice_number", "BT-1", Kind.IDENTIFIER, "the seller's number of the invoice"),
    Term("issue_date", "BT-2", Kind.DATE, "date of issue"),
    Term("due_date", "BT-9", Kind.DATE, "date by which to pay"),
    Term("delivery_date", "BT-72", Kind.DATE, "date of delivery, or promised for it"),
    Term("currency", "BT-5", Kind.CODE, "ISO 4217 code of all amounts"),
    Term("purchase_order_reference", "BT-13", Kind.IDENTIFIER, "the buyer's order number"),
    Term(
        "order_number", "BT-14", Kind.IDENTIFIER, "number of an order document, or the seller's order number"
    ),
    Term("order_date", "", Kind.DATE, "date of the order"),
    Term("preceding_invoice_reference", "BT-25", Kind.IDENTIFIER, "the invoice that a credit note corrects"),
    Term("seller_name", "BT-27", Kind.TEXT, "who sells and is to be paid"),
    Term("seller_registration", "BT-30", Kind.IDENTIFIER, "the seller's company register number"),
    Term("seller_vat_id", "BT-31", Kind.IDENTIFIER, "the seller's VAT id"),
    Term("seller_tax_id", "BT-32", Kind.IDENTIFIER, "the seller's local tax number"),
    Term("seller_address", "BG-5", Kind.TEXT, "the seller's address, one line"),
    Term("seller_country", "BT-40", Kind.CODE, "ISO 3166-1 code of the seller's country"),
    Term("seller_email", "BT-43", Kind.IDENTIFIER, "the seller's e-mail address"),
    Term("seller_website", "", Kind.IDENTIFIER, "the seller's website"),
    Term("buyer_name", "BT-44", Kind.TEXT, "who buys"),
    Term("buyer_vat_id", "BT-48", Kind.IDENTIFIER, "the buyer's VAT id"),
    Term(
        "buyer_reference",
        "BT-10",
        Kind.IDENTIFIER,
        "whom or what the buyer's organisation routes the bill to",
    ),
    Term("buyer_accounting_reference", "BT-19", Kind.IDENTIFIER, "where the buyer books it: a cost centre"),
    Term("payment_account", "BT-84", Kind.IDENTIFIER, "account to pay to: IBAN or local number"),
    Term("payment_bic", "BT-86", Kind.IDENTIFIER, "BIC of the bank to pay to"),
    Term("payment_reference", "BT-83", Kind.IDENTIFIER, "reference to give with the payment"),
    Term("payment_terms", "BT-20", Kind.TEXT, "the payment terms, as printed"),
    Term("discount_total", "BT-107", Kind.AMOUNT, "sum of allowances on document level"),
    Term("charge_total", "BT-108", Kind.AMOUNT, "sum of charges on document level"),
    Term("total_without_vat", "BT-109", Kind.AMOUNT, "invoice total without VAT"),
    Term("total_vat", "BT-110", Kind.AMOUNT, "invoice total VAT"),
    Term("total_with_vat", "BT-112", Kind.AMOUNT, "invoice total with VAT"),
    Term("prepaid_amount", "BT-113", Kind.AMOUNT, "paid already"),
    Term("rounding_amount", "BT-114", Kind.AMOUNT, "rounding of the amount due"),
    Term("amount_due", "BT-115", Kind.AMOUNT, "amount due for payment"),
    Term("invoice_code", "", Kind.IDENTIFIER, "code of a Chinese fapiao (发票代码)"),
)

LINE_TERMS: tuple[Term, ...] = (
    Term("line_id", "BT-126", Kind.IDENTIFIER, "the line's number on the document"),
    Term(
        "line_status",
        "BT-X-8",
        Kind.CODE,
        "DETAIL, or GROUP or INFORMATION where the amount counts in other lines",
    ),
    Term("item_name", "BT-153", Kind.TEXT, "what was bought"),
    Term("item_seller_id", "BT-155", Kind.IDENTIFIER, "the seller's article number"),
    Term("item_buyer_id", "BT-156", Kind.IDENTIFIER, "the buyer's article number"),
    Term("item_standard_id", "BT-157", Kind.IDENTIFIER, "GTIN"),
    Term("quantity", "BT-129", Kind.QUANTITY, "invoiced quantity"),
    Term("unit", "BT-130", Kind.CODE, "unit of the quantity, as printed or UN/ECE Rec 20 code"),
    Term("net_price", "BT-146", Kind.AMOUNT, "price of one unit without VAT, before the line's discount"),
    Term(
        "gross_price",
        "BT-148",
        Kind.AMOUNT,
        "price of one unit as listed, where it differs from the net price",
    ),
    Term("discount_percent", "BT-138", Kind.PERCENT, "discount on the line"),
    Term("discount_amount", "BT-136", Kind.AMOUNT, "discount on the line"),
    Term("vat_rate", "BT-152", Kind.PERCENT, "VAT rate of the line"),
    Term("vat_category", "BT-151", Kind.CODE, "VAT category code (UNTDID 5305): S, Z, E, AE, K, G, O"),
    Term("line_net_amount", "BT-131", Kind.AMOUNT, "line total without VAT"),
    Term("line_total_with_vat", "", Kind.AMOUNT, "line total with VAT, where only that is printed"),
    Term("purchase_order_line", "BT-132", Kind.IDENTIFIER, "line of the buyer's order"),
    Term("line_accounting_reference", "BT-133", Kind.IDENTIFIER, "where the buyer books the line"),
    Term("line_order_reference", "", Kind.IDENTIFIER, "the buyer's order number, where printed per line"),
    Term("delivery_date", "", Kind.DATE, "date of delivery of the line, or promised for it"),
)

VAT_TERMS: tuple[Term, ...] = (
    Term("vat_category", "BT-118", Kind.CODE, "VAT category code (UNTDID 5305)"),
    Term("vat_rate", "BT-119", Kind.PERCENT, "VAT rate"),
    Term("taxable_amount", "BT-116", Kind.AMOUNT, "sum of net amounts at this rate"),
    Term("vat_amount", "BT-117", Kind.AMOUNT, "VAT at this rate"),
    Term("exemption_reason", "BT-120", Kind.TEXT, "why no VAT is charged"),
)

HEADER: Mapping[str, Term] = {term.name: term for term in HEADER_TERMS}
LINE: Mapping[str, Term] = {term.name: term for term in LINE_TERMS}
VAT: Mapping[str, Term] = {term.name: term for term in VAT_TERMS}


class Box(NamedTuple):
    """A rectangle in fractions of the page, 0–1, origin top left."""

    x0: float
    y0: float
    x1: float
    y1: float

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1)
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a value stands: page (from 1), box and words on it, or the path in embedded data."""

    page: int | None = None
    box: Box | None = None
    text: str | None = None
    xpath: str | None = None

    def as_json(self) -> dict[str, Any]:
        """`{"xpath"}` for data, `{"page","bbox","text"}` for a page."""
        if self.xpath is not None:
            return {"xpath": self.xpath} | ({"text": self.text} if self.text is not None else {})
        bbox = [round(side, 5) for side in self.box] if self.box else None
        return {"page": self.page, "bbox": bbox, "text": self.text}


@dataclass(frozen=True, slots=True)
class Field:
    """A typed value, the calibrated probability (0–1) that it is right, and what proves it.

    `raw` is the value as printed. `note` says in a sentence why the confidence is low, where there is a reason
    a person understands ("two amounts could be the total"). `signs` are what the confidence was made of, by name, where
    it is learned from reviews.
    """

    value: Value
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    raw: str = ""
    note: str = ""
    signs: Mapping[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} is not within 0 and 1")

    def doubted(self, confidence: float, note: str) -> Field:
        """The same value with a confidence of at most `confidence`, and why."""
        if self.confidence <= confidence:
            return self
        return replace(self, confidence=confidence, note=note)

    def as_json(self) -> dict[str, Any]:
        """The Field as the contract of `vouch read --json` has it."""
        node: dict[str, Any] = {
            "value": value_as_json(self.value),
            "confidence": round(self.confidence, 4),
            "evidence": [evidence.as_json() for evidence in self.evidence],
        }
        return (
            node
            | ({"note": self.note} if self.note else {})
            | ({"signs": dict(self.signs)} if self.signs else {})
        )


class Status(StrEnum):
    """The outcome of a Check."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule, its outcome and a sentence that a person understands."""

    id: str
    status: Status
    message: str

    def as_json(self) -> dict[str, str]:
        """`{"id","status","message"}`."""
        return {"id": self.id, "status": self.status.value, "message": self.message}


class PageRange(NamedTuple):
    """The pages `first` to `last` (from 1) of one bill among several in a file, and what speaks for it."""

    first: int
    last: int
    reason: str

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model server did for a Reading: calls, answers `reused` from earlier ones, tokens, bytes sent; how many
    values reviewed by people its confidences were learned from (0: they are as set by hand); `prompt`: its version."""

    model: str
    calls: int = 0
    reused: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    answer_tokens: int = 0
    sent_bytes: int = 0
    reviewed: int = 0
    prompt: str = ""


Row = Mapping[str, Field]
"""A line or a VAT breakdown row: Fields by the name of their Term."""

UNCOUNTED = frozenset({"GROUP", "INFORMATION"})
"""Each `line_status` of lines whose amount is in the detail lines already."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The Fields, lines and VAT breakdown that one Reader found on one Document.

    `split` suggests the pages of each bill where the Document seems to hold several; it is empty for one. `usage` is
    None where no model was asked. `page_image` tells the pages again in another file; empty where there are none.
    """

    reader: str
    fields: Mapping[str, Field] = field(default_factory=dict[str, Field])
    lines: tuple[Row, ...] = ()
    vat_breakdown: tuple[Row, ...] = ()
    checks: tuple[Check, ...] = ()
    timing_ms: Mapping[str, float] = field(default_factory=dict[str, float])
    split: tuple[PageRange, ...] = ()
    usage: Usage | None = None
    page_image: str = ""

    def __post_init__(self) -> None:
        _require_known(self.fields, HEADER)
        for line in self.lines:
            _require_known(line, LINE)
        for row in self.vat_breakdown:
            _require_known(row, VAT)

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def get(self, name: str) -> Field | None:
        """The header Field of that name, or None where the page has none."""
        return self.fields.get(name)

    @property
    def counted_lines(self) -> tuple[tuple[int, Row], ...]:
        """The lines that make up the document's sums, each with its position: without those that only sum up or
        explain others (ZUGFeRD EXTENDED, BT-X-8)."""
        return tuple(
            (position, line)
            for position, line in enumerate(self.lines)
            if as_text(line.get("line_status")) not in UNCOUNTED
        )

    def text(self, name: str) -> str | None:
        """The value of a text, identifier or code Field."""
        return as_text(self.fields.get(name))

    def amount(self, name: str) -> Decimal | None:
        """The value of an amount Field, in the document's currency."""
        return as_decimal(self.fields.get(name))

    def day(self, name: str) -> date | None:
        """The value of a date Field."""
        return as_date(self.fields.get(name))

    @property
    def document_type(self) -> DocumentType | None:
        """What the document is, or None where the Reader could not tell."""
        name = self.text("document_type")
        return DocumentType(name) if name else None

    def as_json(self) -> dict[str, Any]:
        """The Reading as the contract of `vouch read --json` has it."""
        optional = {"split": [part._asdict() for part in self.split]} if self.split else {}
        optional |= {"usage": asdict(self.usage)} if self.usage else {}
        optional |= {"page_image": self.page_image} if self.page_image else {}
        return {
            "reader": self.reader,
            "fields": {name: found.as_json() for name, found in self.fields.items()},
            "lines": [{name: found.as_json() for name, found in line.items()} for line in self.lines],
            "vat_breakdown": [
                {name: found.as_json() for name, found in row.items()} for row in self.vat_breakdown
            ],
            "checks": [check.as_json() for check in self.checks],
            "timing_ms": {name: round(spent, 1) for name, spent in self.timing_ms.items()},
        } | optional

    @classmethod
    def from_json(cls, node: Mapping[str, Any]) -> Reading:
        """The inverse of `as_json`. Raises KeyError or ValueError on what `as_json` never prints."""
        return cls(
            reader=node["reader"],
            fields={name: _field_from_json(HEADER[name], found) for name, found in node["fields"].items()},
            lines=tuple({n: _field_from_json(LINE[n], f) for n, f in line.items()} for line in node["lines"]),
            vat_breakdown=tuple(
                {n: _field_from_json(VAT[n], f) for n, f in row.items()} for row in node["vat_breakdown"]
            ),
            checks=tuple(Check(c["id"], Status(c["status"]), c["message"]) for c in node["checks"]),
            timing_ms=node["timing_ms"],
            split=tuple(
                PageRange(int(part["first"]), int(part["last"]), str(part["reason"]))
                for part in node.get("split", ())
            ),
            usage=Usage(**node["usage"]) if node.get("usage") else None,
            page_image=node.get("page_image", ""),
        )


def as_text(found: Field | None) -> str | None:
    """The text of a Field, or None where there is no Field."""
    return found.value if found and isinstance(found.value, str) else None


def as_decimal(found: Field | None) -> Decimal | None:
    """The number of a Field, or None where there is no Field."""
    return found.value if found and isinstance(found.value, Decimal) else None


def as_date(found: Field | None) -> date | None:
    """The date of a Field, or None where there is no Field."""
    return found.value if found and isinstance(found.value, date) else None


def value_as_json(value: Value) -> str:
    """Text as it is, dates in ISO 8601, numbers as plain decimal strings."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def value_from_json(kind: Kind, text: str) -> Value:
    """The inverse of `value_as_json` for a Term of that kind. Raises ValueError or InvalidOperation."""
    if kind in (Kind.AMOUNT, Kind.QUANTITY, Kind.PERCENT):
        return Decimal(text)
    return date.fromisoformat(text) if kind is Kind.DATE else text


def _field_from_json(term: Term, node: Mapping[str, Any]) -> Field:
    return Field(
        value=value_from_json(term.kind, node["value"]),
        confidence=node["confidence"],
        evidence=tuple(
            Evidence(e.get("page"), Box(*e["bbox"]) if e.get("bbox") else None, e.get("text"), e.get("xpath"))
            for e in node["evidence"]
        ),
        note=node.get("note", ""),
        signs=node.get("signs", {}),
    )


def _require_known(row: Row, terms: Mapping[str, Term]) -> None:
    if unknown := row.keys() - terms.keys():
        raise ValueError(f"no such business term: {', '.join(sorted(unknown))}")
