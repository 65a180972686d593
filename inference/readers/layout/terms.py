"""The payment terms as printed; a due date is never computed from them."""

from __future__ import annotations

import re
from itertools import islice

from inference.confidence import Features
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context
from inference.readers.layout.rows import Row, Span

_WORDING = re.compile(
    r"(?:payable|payment|net|due|terms)\b.{0,30}\b\d{1,3}\s*days|\bnet\s?\d{1,3}\b|due (?:up)?on receipt"
    r"|zahlung\b.{0,40}\btage|innerhalb\s(?:von\s)?\d{1,3}\s+tage|\d{1,3}\s+tage\s+netto|sofort\s+(?:fällig|zahlbar)"
    r"|\d{1,3}\s+jours|à réception|paiement comptant|binnen\s\d{1,3}\sdagen|\d{1,3}\s+d[ií]as|\d{1,3}\s+giorni|\d{1,3}\s+dni\b"
    r"|\d{1,3}\s*天内",
    re.IGNORECASE,
)


def find_payment_terms(context: Context) -> Finding | None:
    """The terms right of or below their label, else the first sentence that words them."""
    for row in context.sheet.rows:
        if (match := _WORDING.search(row.text)) and (
            found := _terms(_wording_at(context, row, match.start()), 0.8)
        ):
            return found
    for label in context.all_labels("payment_terms"):
        if label.weight("payment_terms") < 0.9 or not (label.colon or label.ends_segment):
            continue
        segment = label.segment
        span = Span(label.row, label.span.end, segment.end)
        if label.ends_segment:
            right = [s for s in label.row.segments if s.start > label.span.end]
            span = right[0] if right else next(iter(islice(context.column_below(label), 1)), None)
        if span and (found := _terms(span, 0.9)):
            return found
    return None


def _wording_at(context: Context, row: Row, place: int) -> Span:
    """The segment with the wording, without the label before it."""
    segment = Span(row, place, place + 1).segment
    start = segment.start
    for label in context.of(row):
        if label.colon and segment.start <= label.span.start < segment.end:
            start = max(start, label.span.end)
    return Span(row, start, segment.end)


def _terms(span: Span, label: float) -> Finding | None:
    text = re.sub(r"\s+", " ", span.text).strip(" :：-")
    if sum(c.isalpha() for c in text) < 3:
        return None
    features = Features(label=label, relation=0.9, ocr=span.score, scanned=float(span.row.ocr))
    return Finding("payment_terms", text, (span,), label, features, text)
