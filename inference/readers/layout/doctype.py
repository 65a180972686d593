"""What a document is: each type a candidate, its titles, its wordings and the page's shape weighed together.

A conditional logit: one weight for each feature, the types compared by their sums, so that the probability of the
best one says also how near the others are. Types share the weights of titles and wordings; only what the shape of
the page says belongs to one type. The weights in `doctype.json` are written by `python -m
tests.bench.fit_document_type DIR --write`, fitted on real documents of known type and, with a smaller weight, on
generated ones of all types and languages.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

from inference.confidence import Features
from inference.invoice import DocumentType
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label, find_phrases
from inference.readers.layout.lexicon import Meaning, fold, lexicon
from inference.readers.layout.lines import is_total
from inference.readers.layout.rows import Row, Span

TITLE = {
    "title": 1.0,  # a phrase that fills its segment
    "leading": 1.0,  # one that begins it
    "inside": 0.15,  # one within a sentence
    "large": 0.6,  # letters half as high again as usual
    "capitals": 0.2,
    "upper": 0.3,  # in the upper third of the first page
    "later": 0.3,  # factor on later pages
    "special": 1.3,  # factor: a special type, which also says "invoice" somewhere
}
"""What a title weighs by where and how it stands."""

FILE = "doctype.json"

TITLED = 1.2
"""The least score of a title that stands as one: alone, and large or at the top."""

HIGHEST = 0.995
"""No type is surer than that."""

AMBIGUOUS = 0.7
"""The most that a German "Gutschrift" is trusted that says neither which bill it corrects nor who wrote it."""

_REFERRED_TO = frozenset({DocumentType.DELIVERY_NOTE, DocumentType.QUOTATION, DocumentType.RECEIPT})
_SPECIAL = frozenset(
    {
        DocumentType.CREDIT_NOTE,
        DocumentType.ORDER_CONFIRMATION,
        DocumentType.QUOTATION,
        DocumentType.REMINDER,
    }
)
_KINDS = frozenset(map(str, DocumentType))
_STANDS_OUT = 1.25
"""A title that much higher than the usual letters is the document's own."""

_NOTHING, _SHORT = 6, 24
"""So many letters after a title are nothing to speak of, and no sentence."""
_LONG_WORD = re.compile(r"[^\W\d_]{9,}(?![\w])")
_TIME = re.compile(r"(?<!\d)(?:[01]?\d|2[0-3])[:.][0-5]\d(?:[:.][0-5]\d)?\s?(?:[AaPp]\.?[Mm]|Uhr)?(?!\d)")

Votes = Mapping[DocumentType, Mapping[str, float]]
"""The features of each type."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for the types: their features, and the best place on the page of each."""

    votes: Votes
    places: Mapping[DocumentType, Span]


def find_document_type(context: Context) -> Finding | None:
    """The document's type with its probability; None for pages without words."""
    if not context.sheet.rows:
        return None
    evidence = evidence_of(context)
    chances = probabilities(evidence.votes)
    ranked = sorted(chances, key=lambda kind: -chances[kind])
    kind, second = ranked[0], ranked[1]
    span = evidence.places.get(kind)
    spans = (span,) if span else ()
    chance = min(HIGHEST, chances[kind])
    note = "" if chance >= 0.8 else f"It could also be: {second.value.replace('_', ' ')}."
    features = Features(
        label=chance, relation=1.0, margin=chance - chances[second], scanned=float(context.sheet.ocr)
    )
    raw = span.text if span else ""
    found = Finding("document_type", str(kind), spans, chance, features, raw, note, probability=chance)
    return _self_billing_doubted(context, found)


@lru_cache(maxsize=1)
def shipped_weights() -> Mapping[str, float]:
    """Log-odds per unit of each feature, as they come with the package; read on first use."""
    return json.loads((files("inference.readers.layout") / FILE).read_text("utf-8"))["weights"]


def probabilities(votes: Votes) -> dict[DocumentType, float]:
    """The probability of each type, which add up to 1."""
    weights = shipped_weights()
    sums = {
        kind: sum(weights.get(name, 0.0) * value for name, value in features.items())
        for kind, features in votes.items()
    }
    highest = max(sums.values())
    shares = {kind: math.exp(total - highest) for kind, total in sums.items()}
    whole = sum(shares.values())
    return {kind: share / whole for kind, share in shares.items()}


def evidence_of(context: Context) -> Evidence:
    """The features of every type on a sheet with words."""
    votes: dict[DocumentType, dict[str, float]] = {kind: {f"is_{kind}": 1.0} for kind in DocumentType}
    places: dict[DocumentType, Span] = {}
    for kind, (score, span) in _best_titles(context).items():
        votes[kind]["title"] = min(3.0, score)
        votes[kind]["titled"] = float(score >= TITLED)
        places[kind] = span
    for kind, spans in _signs(context).items():
        votes[kind]["signs"] = math.log1p(sum(spans.values()))
        places.setdefault(kind, max(spans, key=lambda span: spans[span]))
    for name, value, at in _named(context):
        votes[DocumentType.INVOICE][name] = value
        if at:
            places.setdefault(DocumentType.INVOICE, at)
    shape = _shape(context)
    for kind in (DocumentType.INVOICE, DocumentType.RECEIPT, DocumentType.OTHER):
        votes[kind] |= {f"{name}_{kind}": value for name, value in shape.items()}
    for kind in _SPECIAL:
        votes[kind]["special"] = votes[kind].get("titled", 0.0)
    places.setdefault(DocumentType.OTHER, _largest(context))
    return Evidence(votes, places)


def _named(context: Context) -> Iterator[tuple[str, float, Span | None]]:
    """Labels that a bill has: its number, its due date, an account to pay to."""
    for name, term, least in (("numbered", "invoice_number", 0.9), ("due", "due_date", 0.9)):
        labels = (lb for lb in context.all_labels(term) if context.weight(lb, term) >= least)
        label = next(labels, None)
        yield name, float(label is not None), label.span if label else None


def _shape(context: Context) -> dict[str, float]:
    """How the page looks, each between 0 and about 1."""
    rows = context.sheet.rows
    heights = sorted(word.height for row in rows for word in row.words)
    usual = max(1.0, heights[len(heights) // 2])
    widths = sorted(row.x1 - row.x0 for row in rows)
    # The page itself says nothing on a photo, how many letters stand beside each other does.
    across = (max(row.x1 for row in rows) - min(row.x0 for row in rows)) / usual
    money = sum(at.money for row in rows for at in context.values.numbers(row))
    totals = [lb for lb in context.all_labels("total_with_vat") if lb.weight("total_with_vat") >= 0.5]
    parties = [lb for row in rows for lb in context.of(row) if lb.means("party_buyer")]
    return {
        "narrow": max(0.0, min(1.0, (70.0 - across) / 40.0)),
        "slim": float(rows[0].width < 0.62 * rows[0].page_height),
        "wide_rows": min(1.0, widths[int(0.9 * (len(widths) - 1))] / usual / 60.0),
        "timed": float(any(_TIME.search(row.text) and context.values.dates(row) for row in rows)),
        "table": float(bool(context.headings)),
        "money": min(1.0, math.log1p(money) / 3.0),
        "moneyless": float(money == 0),
        "total": float(bool(totals)),
        "buyer": float(bool(parties)),
        "account": float(bool(context.values.ibans)),
        "vat_id": float(bool(context.values.vat_ids)),
    }


def _signs(context: Context) -> dict[DocumentType, dict[Span, float]]:
    """The wordings that tell of a type, each phrase once, with its weight."""
    found: dict[DocumentType, dict[Span, float]] = defaultdict(dict)
    seen: set[tuple[str, str]] = set()
    inside = _of_lines(context)
    for row in context.sheet.rows:
        if row.index in inside:
            continue
        for label in find_phrases(row, lexicon().signs):
            for meaning in label.meanings:
                if meaning.term in _KINDS and (meaning.term, label.key) not in seen:
                    seen.add((meaning.term, label.key))
                    found[DocumentType(meaning.term)][label.span] = meaning.weight
    return found


def _best_titles(context: Context) -> dict[DocumentType, tuple[float, Span]]:
    best: dict[DocumentType, tuple[float, Span]] = {}
    usual = _usual_height(context)
    inside = _of_lines(context)
    for row in context.sheet.rows:
        if row.index in inside:
            continue
        for score, kind, label in _titles(context, row, usual):
            known = best.get(DocumentType(kind))
            if known is None or score > known[0]:
                best[DocumentType(kind)] = (score, label.span)
    return best


def _of_lines(context: Context) -> frozenset[int]:
    """The rows of the table of lines: from its heading to its first total or its last amount on the page.

    What stands there are items and what they refer to, "as per quotation 4711".
    """
    found: set[int] = set()
    for index in sorted(context.headings):
        page = [row for row in context.sheet.on_page(context.sheet.rows[index].page) if row.index > index]
        ends = next((place for place, row in enumerate(page) if place and is_total(context, row)), len(page))
        amounts = [
            place
            for place, row in enumerate(page[:ends])
            if any(at.money for at in context.values.numbers(row))
        ]
        found.update(row.index for row in page[: amounts[-1] + 1 if ends == len(page) and amounts else ends])
    return frozenset(found - context.headings) if found else frozenset()


def _largest(context: Context) -> Span:
    """The row in the largest letters: what a document that is no bill calls itself."""
    row = max(context.sheet.rows, key=lambda row: (row.page == 1, row.height))
    return Span(row, 0, len(row.text))


def _self_billing_doubted(context: Context, found: Finding) -> Finding:
    """A "Gutschrift" doubted that names no bill it corrects and shows no negative amount."""
    if found.value != DocumentType.CREDIT_NOTE or "gutschrift" not in fold(found.raw):
        return found
    if any(context.all_labels("preceding_invoice_reference")):
        return found
    amounts = (at for row in context.sheet.rows for at in context.values.numbers(row) if at.money)
    if any(at.number.value < 0 for at in amounts):
        return found
    note = "“Gutschrift” can be a credit note or an invoice that the buyer wrote for the seller."
    chance = min(AMBIGUOUS, found.probability or AMBIGUOUS)
    return replace(found, score=chance, probability=chance, note=note)


def _titles(context: Context, row: Row, usual: float) -> Iterator[tuple[float, str, Label]]:
    """The titles of a row, what each weighs and which type it names."""
    for label in (*find_phrases(row, lexicon().titles), *_compounds(row)):
        place = _place(context, row, label)
        if place is None:
            continue
        score = TITLE[place]
        if place != "inside":
            height = max(word.height for word in label.span.words)
            score += TITLE["large"] * (height > 1.4 * usual)
            score += TITLE["capitals"] * label.span.text.isupper()
            score += TITLE["upper"] * (row.page == 1 and row.middle < row.page_height / 3)
        score *= TITLE["later"] if row.page > 1 else 1.0
        for meaning in label.meanings:
            referred = meaning.term in _REFERRED_TO and label.span.words[0].height < _STANDS_OUT * usual
            if place == "leading" and referred and _has_value(row, label):
                # "Delivery note 4711" refers to another document.
                yield TITLE["inside"], meaning.term, label
            else:
                yield score * (TITLE["special"] if meaning.term in _SPECIAL else 1.0), meaning.term, label


def _place(context: Context, row: Row, label: Label) -> str | None:
    """How a title stands in its segment, a key of `TITLE`; None where it begins a longer label."""
    known, segment = context.of(row), label.segment
    same = (lb for lb in known if lb.span.start == label.span.start)
    if any(lb.key.startswith(label.key) and lb.key != label.key for lb in same):
        return None
    behind = [lb for lb in known if lb.span.start >= label.span.end]
    before = sum(c.isalpha() for c in row.text[segment.start : label.span.start])
    stop = min([*(lb.span.start for lb in behind), segment.end])
    rest = sum(c.isalpha() for c in row.text[label.span.end : stop])
    if (
        row.index in context.headings
        or not label.leads
        or before
        or sum(lb.leads for lb in behind) >= 2
        or rest > _SHORT
    ):
        return "inside"
    named = label.colon or _has_value(row, label)
    return "title" if rest <= _NOTHING and not named else "leading"


def _compounds(row: Row) -> Iterator[Label]:
    """German and Dutch words that end with a title and begin a segment: "Beitragsrechnung"."""
    words = lexicon()
    for segment in row.segments:
        first = _LONG_WORD.match(segment.text)
        key = fold(first.group()) if first else ""
        if not key.endswith(words.compound_titles) or key.endswith(words.not_compound):
            continue
        if first and key not in words.titles and key not in words.labels:
            span = Span(row, segment.start + first.start(), segment.start + first.end())
            colon = row.text[span.end :].lstrip().startswith(":")
            yield Label(span, (Meaning(DocumentType.INVOICE, 1.0),), key, True, colon, True)


def _has_value(row: Row, label: Label) -> bool:
    """Whether a value follows, as after a label: the next segment is an identifier or a date."""
    after = row.text[label.span.end :].strip(" :.#")
    return any(c.isdigit() for c in after.split("   ")[0])


def _usual_height(context: Context) -> float:
    heights = sorted(row.height for row in context.sheet.rows)
    return heights[len(heights) // 2]
