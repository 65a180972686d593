"""What the bill page shows: a Reading and its Proposal arranged for the eye, in the person's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from inference.invoice import (
    HEADER_TERMS,
    LINE,
    LINE_TERMS,
    VAT,
    VAT_TERMS,
    Check,
    Field,
    Kind,
    Reading,
    Status,
    Term,
)

if TYPE_CHECKING:
    from connector.ledger.records import ProposalRecord, ReadingRecord, Story
    from connector.review.language import Language
    from inference.invoice import Evidence, Row

NUMBERS = (Kind.AMOUNT, Kind.QUANTITY, Kind.PERCENT)
DOUBTFUL = 0.5
GROUPS: Mapping[str, tuple[str, ...]] = {
    "document": (
        "document_type",
        "invoice_number",
        "invoice_code",
        "issue_date",
        "due_date",
        "delivery_date",
        "purchase_order_reference",
        "order_number",
        "order_date",
        "preceding_invoice_reference",
    ),
    "totals": (
        "currency",
        "discount_total",
        "charge_total",
        "total_without_vat",
        "total_vat",
        "total_with_vat",
        "prepaid_amount",
        "rounding_amount",
        "amount_due",
    ),
    "payment": ("payment_account", "payment_bic", "payment_reference", "payment_terms"),
}
PARTIES = "parties"


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One Field. `boxes` are ids of Boxes on the pages; `path` is where embedded data has the value."""

    name: str
    text: str
    number: bool
    confidence: float
    level: str
    percent: str
    note: str
    boxes: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class ShownBox:
    """A place on a page, in thousandths of its width and height."""

    id: str
    x: int
    y: int
    width: int
    height: int
    level: str


@dataclass(frozen=True, slots=True)
class ShownTable:
    """Lines or VAT rows: the columns that any row has, and the rows with a value or None per column."""

    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[ShownValue | None, ...], ...]


@dataclass(frozen=True, slots=True)
class ShownTotal:
    """One of Odoo's totals: on the paper, as Odoo will compute it, and the difference where there is one."""

    name: str
    paper: str
    predicted: str
    difference: str


@dataclass(frozen=True, slots=True)
class Bill:
    """Everything on the bill page that comes from reading."""

    reader: str = ""
    groups: Mapping[str, tuple[ShownValue, ...]] = field(default_factory=dict[str, tuple[ShownValue, ...]])
    lines: ShownTable = ShownTable((), ())
    vat: ShownTable = ShownTable((), ())
    boxes: Mapping[int, tuple[ShownBox, ...]] = field(default_factory=dict[int, tuple[ShownBox, ...]])
    failed: tuple[Check, ...] = ()
    passed: tuple[Check, ...] = ()
    totals: tuple[ShownTotal, ...] = ()
    matches: Mapping[str, Sequence[Mapping[str, Any]]] = field(
        default_factory=dict[str, Sequence[Mapping[str, Any]]]
    )
    verify_only: bool = False
    vendor: str = ""
    amount: str = ""
    currency: str = ""


def bill_of(story: Story, language: Language, sure: float) -> Bill:
    """The last Proposal of a Job with the Reading it was made from, or its last Reading alone."""
    proposal = story.proposals[-1] if story.proposals else None
    kept = _reading_of(story, proposal)
    if kept is None:
        return Bill()
    reading = Reading.from_json(kept.body)
    arrange = Arrange(language, reading.text("currency") or "", sure)
    body: Mapping[str, Any] = proposal.body if proposal else {}
    checks = (*reading.checks, *(_check(node) for node in body.get("checks", ())))
    # What is asked on top of the page is not said twice.
    asked_already = story.review.reasons if story.review and not story.review.settled_at else []
    total = reading.get("total_with_vat") or reading.get("amount_due")
    return Bill(
        reader=kept.reader,
        groups=arrange.groups(reading),
        lines=arrange.table(reading.lines, LINE_TERMS, LINE),
        vat=arrange.table(reading.vat_breakdown, VAT_TERMS, VAT),
        boxes=arrange.boxes(),
        failed=tuple(
            check for check in checks if check.status is Status.FAIL and check.message not in asked_already
        ),
        passed=tuple(check for check in checks if check.status is Status.PASS),
        totals=_totals(body.get("paper"), body.get("predicted"), arrange),
        matches={name: found for name, found in body.get("matches", {}).items() if found},
        verify_only=body.get("verify_only", False),
        vendor=reading.text("seller_name") or "",
        amount=arrange.text(HEADER_TOTAL, total.value) if total else "",
        currency=reading.text("currency") or "",
    )


HEADER_TOTAL = Term("total_with_vat", "BT-112", Kind.AMOUNT, "")


def level_of(confidence: float, sure: float) -> str:
    """`sure` enough to be filled without a person, `doubtful`, or `weak`."""
    return "sure" if confidence >= sure else "doubtful" if confidence >= DOUBTFUL else "weak"


class Arrange:
    """Arranges Fields and gathers their boxes, one Box for all Fields that share a place."""

    def __init__(self, language: Language, currency: str, sure: float) -> None:
        self._language, self._currency, self._sure = language, currency, sure
        self._places: dict[tuple[int, int, int, int, int], tuple[str, float]] = {}

    def groups(self, reading: Reading) -> dict[str, tuple[ShownValue, ...]]:
        """Header Fields by group, the parties first; a Term in no group belongs to the parties."""
        grouped = {name for names in GROUPS.values() for name in names}
        parties = tuple(term.name for term in HEADER_TERMS if term.name not in grouped)
        terms = {term.name: term for term in HEADER_TERMS}
        shown = {
            group: tuple(self.value(terms[name], found) for name in names if (found := reading.get(name)))
            for group, names in ({PARTIES: parties} | dict(GROUPS)).items()
        }
        return {group: values for group, values in shown.items() if values}

    def table(self, rows: Sequence[Row], order: Sequence[Term], terms: Mapping[str, Term]) -> ShownTable:
        """The rows with the columns that any of them has, in the order of the Terms."""
        names = [term.name for term in order if any(term.name in row for row in rows)]
        return ShownTable(
            tuple((name, terms[name].kind in NUMBERS) for name in names),
            tuple(
                tuple(self.value(terms[name], row[name]) if name in row else None for name in names)
                for row in rows
            ),
        )

    def value(self, term: Term, found: Field) -> ShownValue:
        """One Field as shown; its boxes are remembered."""
        boxes = tuple(
            dict.fromkeys(box for one in found.evidence if (box := self._box(one, found.confidence)))
        )
        return ShownValue(
            term.name,
            self.text(term, found.value),
            term.kind in NUMBERS,
            found.confidence,
            level_of(found.confidence, self._sure),
            self._language.percent(found.confidence),
            found.note,
            boxes,
            next((one.xpath for one in found.evidence if one.xpath), ""),
        )

    def text(self, term: Term, value: str | date | Decimal) -> str:
        """A value in the person's language; text of the document as it is."""
        if isinstance(value, Decimal):
            if term.kind is Kind.AMOUNT:
                return self._language.amount(value, self._currency)
            number = self._language.number(value)
            return f"{number} %" if term.kind is Kind.PERCENT else number
        if isinstance(value, date):
            return self._language.day(value)
        return self._language.t(f"document_type.{value}") if term.name == "document_type" else value

    def boxes(self) -> dict[int, tuple[ShownBox, ...]]:
        """The places by page; a place that proves several Fields has the level of the weakest."""
        pages: dict[int, list[ShownBox]] = {}
        for (page, x0, y0, x1, y1), (name, confidence) in self._places.items():
            shown = ShownBox(name, x0, y0, x1 - x0, y1 - y0, level_of(confidence, self._sure))
            pages.setdefault(page, []).append(shown)
        # Small boxes last, so that a large one does not cover them.
        return {
            page: tuple(sorted(found, key=lambda box: -box.width * box.height))
            for page, found in pages.items()
        }

    def _box(self, evidence: Evidence, confidence: float) -> str:
        if evidence.page is None or evidence.box is None:
            return ""
        x0, y0, x1, y1 = (round(1000 * min(max(side, 0.0), 1.0)) for side in evidence.box)
        place = (evidence.page, x0, y0, x1, y1)
        name, weakest = self._places.get(place, (f"b{len(self._places) + 1}", 1.0))
        self._places[place] = (name, min(weakest, confidence))
        return name


def _reading_of(story: Story, proposal: ProposalRecord | None) -> ReadingRecord | None:
    if proposal is not None:
        return next(kept for kept in story.readings if kept.id == proposal.reading_id)
    return story.readings[-1] if story.readings else None


def _check(node: Mapping[str, str]) -> Check:
    return Check(node["id"], Status(node["status"]), node["message"])


def _amount(totals: Mapping[str, str | None] | None, name: str) -> Decimal | None:
    amount = totals.get(name) if totals else None
    return Decimal(amount) if amount is not None else None


def _totals(
    paper: Mapping[str, str | None] | None, predicted: Mapping[str, str | None] | None, arrange: Arrange
) -> tuple[ShownTotal, ...]:
    if paper is None and predicted is None:
        return ()

    def total(name: str) -> ShownTotal:
        printed, computed = _amount(paper, name), _amount(predicted, name)
        apart = computed - printed if printed is not None and computed is not None else None
        shown = (
            arrange.text(HEADER_TOTAL, amount) if amount is not None else "" for amount in (printed, computed)
        )
        return ShownTotal(name, *shown, difference=arrange.text(HEADER_TOTAL, apart) if apart else "")

    return tuple(total(name) for name in ("untaxed", "tax", "total"))
