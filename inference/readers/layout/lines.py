"""A line in the making: its values and texts, its arithmetic, and the rows that are no lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from inference.confidence import Features
from inference.readers.layout.candidates import Finding, NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.headings import AMOUNTS
from inference.readers.layout.lexicon import fold, lexicon
from inference.readers.layout.rows import Row, Span

CENT = Decimal("0.01")

AMOUNT_TERMS = (
    "total_without_vat",
    "total_vat",
    "total_with_vat",
    "amount_due",
    "discount_total",
    "charge_total",
)

TOTAL_TERMS = ("total_without_vat", "total_vat", "total_with_vat", "amount_due", "lines_total")


@dataclass
class Line:
    """A line in the making: its anchor row, the values by role, the spans of its description."""

    anchor: Row
    values: dict[str, NumberAt] = field(default_factory=dict[str, NumberAt])
    texts: dict[str, list[Span]] = field(default_factory=dict[str, "list[Span]"])
    consistent: bool | None = None
    charge: bool = False

    @property
    def full(self) -> bool:
        """Whether it has a quantity or a price beside its amount."""
        return "quantity" in self.values or "net_price" in self.values

    def amount(self) -> Decimal | None:
        """The line's amount, net or gross."""
        for role in AMOUNTS:
            if role in self.values:
                return self.values[role].number.value
        return None


def total_of(lines: Sequence[Line]) -> Decimal:
    """The sum of the lines' amounts; lines without one count nothing."""
    return sum((amount for line in lines if (amount := line.amount()) is not None), Decimal(0))


def is_total(context: Context, row: Row) -> bool:
    """Whether a row names a total and bears nothing of a line before it."""
    for label in context.of(row):
        if not label.leads or not any(label.weight(term) >= 0.9 for term in TOTAL_TERMS):
            continue
        before = row.text[label.segment.start : label.span.start]
        figures = [
            s for s in row.segments if s.end <= label.segment.start and not any(c.isalpha() for c in s.text)
        ]
        # "19 % VAT" is a label; a figure in a column before it makes a line.
        if figures or not re.fullmatch(r"[\d\s.,%()+]*|\D*", before):
            continue
        after = [at for at in context.values.numbers(row) if at.span.start >= label.span.end]
        if after or label.ends_segment:
            return True
    return False


def carried(row: Row) -> bool:
    first = fold(row.segments[0].text)
    return any(first.startswith(word) or first.endswith(word) for word in lexicon().carried if len(word) > 2)


def free_parts(segment: Span, taken: Sequence[tuple[int, int]]) -> Iterator[Span]:
    """The parts of a segment outside of the numbers taken, without blanks around."""
    cuts = sorted((s, e) for s, e in taken if segment.start <= s < segment.end)
    edges = [segment.start, *(edge for cut in cuts for edge in cut), segment.end]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        text = segment.row.text[start:end]
        if text.strip(" |*:"):
            lead = len(text) - len(text.lstrip())
            yield Span(segment.row, start + lead, start + len(text.rstrip()))


def check(line: Line) -> None:
    """Whether quantity × price − discount is the line's amount, with a cent per step of rounding."""
    values = {role: at.number.value for role, at in line.values.items()}
    amount, quantity, price = line.amount(), values.get("quantity"), values.get("net_price")
    if amount is None or quantity is None or price is None:
        return
    product = quantity * price
    options = [product, -product]
    if discount := values.get("discount"):
        options += [product * (1 - discount / 100), product - discount, (price - discount) * quantity]
    slack = max(CENT, abs(quantity) * Decimal("0.005"))
    line.consistent = any(abs(option - amount) <= slack for option in options)


def line_findings(line: Line) -> dict[str, Finding]:
    """The line's values as findings by term."""
    found: dict[str, Finding] = {}
    arithmetic = {None: 0.0, True: 1.0, False: -1.0}[line.consistent]
    for role, at in line.values.items():
        term = role
        if role == "discount":
            term = (
                "discount_percent"
                if at.number.percent or (abs(at.number.value) <= 100 and not at.money)
                else "discount_amount"
            )
        if role == "vat_amount":
            continue
        checked = arithmetic if role in ("quantity", "net_price", "discount", *AMOUNTS) else 0.0
        features = Features(
            label=1.0, relation=1.0, arithmetic=checked, ocr=at.span.score, scanned=float(at.span.row.ocr),
            ambiguous=float(at.number.unsure and checked <= 0),
        )  # fmt: skip
        value = at.span.text if role == "line_id" else at.number.value
        found[term] = Finding(term, value, (at.span,), 1.0, features, at.span.text)
    for role, spans in line.texts.items():
        if role not in ("item_name", "item_seller_id", "unit", "line_id") or role in found or not spans:
            continue
        text = " ".join(re.sub(r"\s+", " ", span.text) for span in spans).strip(" |:-")
        if text and spans:
            features = Features(
                label=0.8, relation=1.0, ocr=min(s.score for s in spans), scanned=float(spans[0].row.ocr)
            )
            found[role] = Finding(role, text, tuple(spans), 1.0, features, text)
    if "item_name" not in found and "item_seller_id" in found:
        found["item_name"] = found["item_seller_id"]
    return found
