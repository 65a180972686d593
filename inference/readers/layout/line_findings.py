"""The findings of a line whose values are settled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from inference.confidence import Features
from inference.invoice import Value
from inference.readers.layout.candidates import Finding, NumberAt
from inference.readers.layout.items import Identified, item_ids
from inference.readers.layout.line_confidence import line_probability
from inference.readers.layout.lines import CHECKED, Line, free_parts
from inference.readers.layout.rows import Span

_TEXTS = frozenset(
    {
        "item_name",
        "item_seller_id",
        "item_buyer_id",
        "unit",
        "line_id",
        "purchase_order_line",
        "line_order_reference",
    }
)

_NUMBERED = frozenset({"purchase_order_line", "line_order_reference"})


def line_findings(line: Line) -> dict[str, Finding]:
    """The line's values as findings by term."""
    found: dict[str, Finding] = {}
    for role, at in line.values.items():
        if role == "vat_amount":
            continue
        term = _discount_term(at) if role == "discount" else role
        value = at.span.text if role == "line_id" else at.number.value
        if role == "discount":
            value = abs(at.number.value)
        spans = (at.span, *line.proofs.get(role, ()))
        found[term] = _finding(line, term, role, value, spans, at)
    for role, at in line.dates.items():
        found[role] = _finding(line, role, role, at.found.value, (at.span,))
    places = ("item_standard_id", "item_seller_id", "item_buyer_id", "item_name")
    identified = [one for role in places for one in item_ids(line.texts.get(role, []))]
    for role, spans in _texts(line, identified):
        text = " ".join(re.sub(r"\s+", " ", span.text) for span in spans).strip(" |:-")
        named = role not in _NUMBERED or any(c.isdigit() for c in text)
        if text and named and role not in found:
            found[role] = _finding(line, role, role, text, tuple(spans))
    for one in identified:
        if one.term not in found:
            found[one.term] = _finding(line, one.term, one.term, one.value, (one.span,))
    if "item_name" not in found and "item_seller_id" in found:
        found["item_name"] = replace(found["item_seller_id"], term="item_name")
    return found


def _texts(line: Line, identified: Sequence[Identified]) -> Iterator[tuple[str, list[Span]]]:
    """The texts by role, without the identifiers that are values of their own."""
    for role, spans in line.texts.items():
        if role == "item_standard_id" and not any(one.term == role for one in identified):
            # A number without a right check digit is no GTIN, but still the item's.
            role = "item_seller_id" if not line.texts.get("item_seller_id") else role
        if role not in _TEXTS:
            continue
        kept = [part for span in spans for part in _outside(span, identified)]
        yield role, kept if any(c.isalnum() for part in kept for c in part.text) else []


def _outside(span: Span, identified: Sequence[Identified]) -> Iterator[Span]:
    """The parts of a span that no identifier with its label takes."""
    inside = [
        (one.whole.start, one.whole.end)
        for one in identified
        if one.whole.row is span.row and span.start <= one.whole.start < span.end
    ]
    yield from free_parts(span, inside) if inside else (span,)


def _discount_term(at: NumberAt) -> str:
    percent = at.number.percent or (abs(at.number.value) <= 100 and not at.money)
    return "discount_percent" if percent else "discount_amount"


def _finding(
    line: Line,
    term: str,
    role: str,
    value: Value,
    spans: tuple[Span, ...],
    at: NumberAt | None = None,
) -> Finding:
    arithmetic = {None: 0.0, True: 1.0, False: -1.0}[line.consistent] if role in CHECKED else 0.0
    unsure = at is not None and at.number.unsure and arithmetic <= 0
    features = Features(
        label=1.0 if at else 0.8, relation=1.0, arithmetic=arithmetic,
        ocr=min(span.score for span in spans), scanned=float(spans[0].row.ocr), ambiguous=float(unsure),
    )  # fmt: skip
    raw = " ".join(span.text for span in spans)
    return Finding(term, value, spans, 1.0, features, raw, probability=line_probability(line, role, features))
