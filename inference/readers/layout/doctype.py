"""What a document is, from its title words and its structure."""

from __future__ import annotations

from collections.abc import Iterator

from inference.confidence import Features
from inference.invoice import DocumentType
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label, find_phrases
from inference.readers.layout.lexicon import lexicon
from inference.readers.layout.rows import Row

WEIGHTS = {
    "title": 1.0,  # a phrase that fills its segment
    "leading": 0.6,  # one that begins it
    "inside": 0.15,  # one within a sentence
    "large": 0.6,  # letters half as high again as usual
    "capitals": 0.2,
    "upper": 0.3,  # in the upper third of the first page
    "later": 0.3,  # factor on later pages
    "named": 0.6,  # the document has a number or date of an invoice
    "due": 0.3,  # it has a due date
    "special": 1.3,  # factor: a special type, which also says "invoice" somewhere
}
"""What a title weighs by where and how it stands."""

_REFERRED_TO = frozenset({DocumentType.DELIVERY_NOTE, DocumentType.QUOTATION, DocumentType.RECEIPT})
_SPECIAL = frozenset(
    {
        DocumentType.CREDIT_NOTE,
        DocumentType.ORDER_CONFIRMATION,
        DocumentType.QUOTATION,
        DocumentType.REMINDER,
    }
)


def find_document_type(context: Context) -> Finding | None:
    """The document's type, or None where nothing tells."""
    scores: dict[str, float] = {}
    best: dict[str, tuple[float, Label]] = {}
    usual = _usual_height(context)
    for row in context.sheet.rows:
        for score, kind, label in _titles(context, row, usual):
            scores[kind] = max(scores.get(kind, 0.0), score)
            if kind not in best or score > best[kind][0]:
                best[kind] = (score, label)
    label = next(
        (lb for lb in context.all_labels("invoice_number") if context.weight(lb, "invoice_number") >= 0.9),
        None,
    )
    if label:
        kind = DocumentType.INVOICE
        scores[kind] = scores.get(kind, 0.0) + WEIGHTS["named"]
        best.setdefault(kind, (WEIGHTS["named"], label))
    due = next((lb for lb in context.all_labels("due_date") if lb.weight("due_date") >= 0.9), None)
    if due:
        scores[DocumentType.INVOICE] = scores.get(DocumentType.INVOICE, 0.0) + WEIGHTS["due"]
        best.setdefault(DocumentType.INVOICE, (WEIGHTS["due"], due))
    if not scores or max(scores.values()) < 0.5:
        return _receipt_by_shape(context)
    ranked = sorted(scores, key=lambda k: -scores[k])
    first = ranked[0]
    margin = scores[first] - scores[ranked[1]] if len(ranked) > 1 else 1.0
    span = best[first][1].span
    features = Features(
        label=min(1.0, scores[first] / 1.5),
        relation=1.0,
        margin=min(1.0, margin),
        ocr=span.score,
        scanned=float(span.row.ocr),
    )
    return Finding("document_type", first, (span,), scores[first], features, span.text)


def _has_value(row: Row, label: Label) -> bool:
    """Whether a value follows, as after a label: the next segment is an identifier or a date."""
    after = row.text[label.span.end :].strip(" :.#")
    return any(c.isdigit() for c in after.split("   ")[0])


def _titles(context: Context, row: Row, usual: float) -> Iterator[tuple[float, str, Label]]:
    titles = lexicon().titles
    known = context.of(row)
    for label in find_phrases(row, titles):
        segment = label.segment
        before = sum(c.isalpha() for c in row.text[segment.start : label.span.start])
        after = [lb.span.start for lb in known if lb.span.start >= label.span.end]
        rest = sum(c.isalpha() for c in row.text[label.span.end : min([*after, segment.end])])
        name = "inside"
        if any(
            lb.key.startswith(label.key) and lb.key != label.key and lb.span.start == label.span.start
            for lb in known
        ):
            continue
        if label.leads and not before:
            named = label.colon or _has_value(row, label)
            heading = sum(lb.leads for lb in known if lb.span.start >= label.span.end) >= 2
            name = (
                "inside"
                if heading
                else "title"
                if rest <= 6 and not named
                else "leading"
                if rest <= 24
                else "inside"
            )
        score = WEIGHTS[name]
        if name != "inside":
            height = max(word.height for word in label.span.words)
            score += WEIGHTS["large"] * (height > 1.4 * usual)
            score += WEIGHTS["capitals"] * label.span.text.isupper()
            score += WEIGHTS["upper"] * (row.page == 1 and row.middle < row.page_height / 3)
        score *= WEIGHTS["later"] if row.page > 1 else 1.0
        for meaning in label.meanings:
            if name == "leading" and meaning.term in _REFERRED_TO and _has_value(row, label):
                # "Delivery note 4711" refers to another document.
                yield WEIGHTS["inside"], meaning.term, label
                continue
            factor = WEIGHTS["special"] if meaning.term in _SPECIAL else 1.0
            yield score * factor, meaning.term, label


def _usual_height(context: Context) -> float:
    heights = sorted(row.height for row in context.sheet.rows)
    return heights[len(heights) // 2] if heights else 10.0


def _receipt_by_shape(context: Context) -> Finding | None:
    """A narrow page with a total and no title is a receipt."""
    rows = context.sheet.rows
    label = next(
        (lb for lb in context.all_labels("total_with_vat") if lb.weight("total_with_vat") >= 0.5), None
    )
    if label is None or not rows or not (context.sheet.ocr or rows[0].width < 0.62 * rows[0].page_height):
        return None
    features = Features(
        label=0.3, relation=0.3, margin=0.0, ocr=label.span.score, scanned=float(label.row.ocr)
    )
    return Finding("document_type", str(DocumentType.RECEIPT), (label.span,), 0.5, features, label.span.text)
