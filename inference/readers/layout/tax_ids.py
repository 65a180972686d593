"""Tax ids of both parties: every one on the page is a candidate for each, and the likeliest pair is chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from inference.confidence import Features
from inference.identifiers import Identifier, Scheme
from inference.readers import Recipient
from inference.readers.layout.blocks import Blocks
from inference.readers.layout.candidates import Finding, IdentifierAt, identifier_after, plausible_identifier
from inference.readers.layout.choice import chosen, likeliest_pair, scored
from inference.readers.layout.header import Context, key_of
from inference.readers.layout.labels import Label
from inference.readers.layout.lexicon import Piece, fold, lexicon, pieces
from inference.readers.layout.rows import Span
from inference.readers.layout.scorer import Scorer

_PARTIES = {"party_seller": "seller", "party_buyer": "buyer", "party_other": "other"}

_FAR = 40.0
"""Rows between an id and a name that are not on the same page."""


@dataclass(frozen=True)
class TaxIds:
    """Finds the tax ids of one document; `names` are the parties' names as found, by their terms.

    The recipient's ids are the buyer's, whatever the page looks like.
    """

    context: Context
    blocks: Blocks
    recipient: Recipient
    names: Mapping[str, Finding]
    scorer: Scorer

    def findings(self) -> list[Finding]:
        """The ids of seller and buyer, as far as they are found."""
        own = {fold(tax_id) for tax_id in self.recipient.tax_ids}
        candidates = self.candidates
        known = next((f for f in candidates if fold(str(f.value)) in own), None)
        rest = [f for f in candidates if fold(str(f.value)) not in own]
        sellers = scored(rest, self.scorer["seller_vat_id"])
        buyers = [] if known else scored(rest, self.scorer["buyer_vat_id"])
        sellers, buyers = likeliest_pair(
            sellers, buyers, (self.scorer["seller_vat_id"].none, self.scorer["buyer_vat_id"].none), same_id
        )
        found = [
            chosen(sellers, self.scorer["seller_vat_id"], "seller_vat_id", same_id),
            chosen(buyers, self.scorer["buyer_vat_id"], "buyer_vat_id", same_id),
            replace(known, term="buyer_vat_id", probability=0.99) if known else None,
        ]
        return [finding for finding in found if finding is not None]

    @cached_property
    def candidates(self) -> list[Finding]:
        """One Finding of no term yet per id, with its marks."""
        places: dict[str, list[IdentifierAt]] = {}
        for at in (*self.context.values.vat_ids, *self._labelled_ids()):
            places.setdefault(at.identifier.value, []).append(at)
        return [
            self._candidate(value, same, order, len(places))
            for order, (value, same) in enumerate(places.items())
        ]

    def _candidate(self, value: str, same: list[IdentifierAt], order: int, count: int) -> Finding:
        at = next((a for a in same if self._owner(a)), same[0])
        owners = [self._owner(a) for a in same]
        labels = [self._label_before(a.span) for a in same]
        said = {self._said(a.span) for a in same}
        identifier = at.identifier
        check = 0.0 if identifier.valid is None else 1.0 if identifier.valid else -1.0
        marks = {
            "seller_block": float("seller" in owners),
            "buyer_block": float("buyer" in owners),
            "other_block": float("other" in owners),
            "no_block": float("" in owners),
            "said_seller": float("seller" in said),
            "said_other": float(bool(said & {"buyer", "other"})),
            "seller_label": float("seller_vat_id" in labels),
            "buyer_label": float("buyer_vat_id" in labels),
            "tax_label": float("seller_tax_id" in labels),
            "check": check,
            "credit_code": float(identifier.scheme is Scheme.USCC),
            "local": float(identifier.scheme is Scheme.LOCAL_TAX),
            "person": float(identifier.country == "BR" and len(value) == 11),
            "order": float(order),
            "count": float(count),
            "times": float(min(4, len(same))),
            "top": min(a.span.row.middle / a.span.row.page_height for a in same),
            "bottom": max(a.span.row.middle / a.span.row.page_height for a in same),
            "left": at.span.x0 / at.span.row.width,
            "page": float(min(3, at.span.row.page)),
            "form": float(bool(self.blocks.fapiao_names)),
            "ocr": at.span.score,
            "scanned": float(at.span.row.ocr),
            "to_seller": min(self._distance(a.span, "seller_name") for a in same),
            "to_buyer": min(self._distance(a.span, "buyer_name") for a in same),
        }
        marks["nearer"] = marks["to_buyer"] - marks["to_seller"]
        features = Features(
            label=0.9 if any(labels) else 0.4,
            relation=0.9 if any(owners) else 0.5,
            check_digit=check,
            ocr=at.span.score,
            scanned=float(at.span.row.ocr),
        )
        return Finding("", value, (at.span,), 0.0, features, at.span.text, marks=marks)

    def _distance(self, span: Span, term: str) -> float:
        """Letter heights between an id and the nearest place where a party's name stands."""
        name = self.names.get(term)
        if name is None:
            return _FAR
        folded = fold(str(name.value))
        places = [s for s in name.spans if s.row.page == span.row.page]
        places += [
            s for r, s in self._segments if r == span.row.page and len(folded) > 4 and folded in fold(s.text)
        ]
        return min((_apart(span, place) for place in places), default=_FAR)

    @cached_property
    def _segments(self) -> list[tuple[int, Span]]:
        return [(row.page, segment) for row in self.context.sheet.rows for segment in row.segments]

    def _labelled_ids(self) -> Iterator[IdentifierAt]:
        """Tax ids of countries whose form is not known, right of a label."""
        known = {(at.span.row.index, at.span.start) for at in self.context.values.vat_ids}
        for term in ("seller_vat_id", "buyer_vat_id"):
            for label in self.context.all_labels(term):
                span = identifier_beside(self.context, label)
                if (
                    span is None
                    or (span.row.index, span.start) in known
                    or (label.means("total_vat") and not label.colon)
                ):
                    continue
                compact = re.sub(r"[^A-Za-z0-9]", "", span.text).upper()
                if not plausible_identifier(span.text):
                    continue  # an amount under a caption that the row of values has nothing for
                if not 7 <= len(compact) <= 20 or sum(c.isdigit() for c in compact) < 7 or "/" in span.text:
                    continue
                if any(
                    at.span.row is span.row and at.span.start < span.end and span.start < at.span.end
                    for at in self.context.values.vat_ids
                ):
                    continue
                yield IdentifierAt(
                    span, Identifier(Scheme.LOCAL_TAX, compact, span.start, span.end, "", None)
                )

    def _owner(self, at: IdentifierAt) -> str:
        own = {fold(tax_id) for tax_id in self.recipient.tax_ids}
        if fold(at.identifier.value) in own:
            return "buyer"
        if self._label_before(at.span) == "buyer_vat_id":
            return "buyer"
        if said := self._said(at.span):
            return said
        before = [lb for lb in self.context.of(at.span.row) if lb.span.end <= at.span.start and lb.leads]
        if before and (role := self.blocks.role_at(before[-1].span)):
            return role
        return self.blocks.role_at(at.span) or self.blocks.role_at(at.span, wide=True)

    def _label_before(self, span: Span) -> str:
        """The tax id label that stands before a place in its row, or above it."""
        terms = ("buyer_vat_id", "seller_vat_id", "seller_tax_id")
        before = [lb for lb in self.context.of(span.row) if lb.span.end <= span.start]
        for label in reversed(before):
            for term in terms:
                if label.means(term):
                    return self._qualified(label, term)
        if before:
            return ""
        for row in reversed(self.context.sheet.rows[max(0, span.row.index - 3) : span.row.index]):
            if span.row.middle - row.middle > 2.2 * span.row.height or row.page != span.row.page:
                break
            for label in self.context.of(row):
                over = min(label.span.x1, span.x1) - max(label.span.x0, span.x0)
                if over > 0 and (term := next((t for t in terms if label.means(t)), "")):
                    return term
        return ""

    def _qualified(self, label: Label, term: str) -> str:
        """A tax id label with the word before it taken in: "Buyer VAT ID", "Käufer USt-ID"."""
        words = {piece.folded for piece in _words_before(label)}
        meanings = [m.term for word in words for m in lexicon().labels.get(word, ())]
        if "party_buyer" in meanings or words & lexicon().buyer_words:
            return "buyer_vat_id"
        return term

    def _said(self, span: Span) -> str:
        """The party that the words before an id begin with: "Supplier GSTIN", "Ship From VAT ID", "Company TRN"."""
        before = [piece.folded for piece in pieces(span.row.text[span.segment.start : span.start])]
        for count in (3, 2, 1):
            for meaning in lexicon().labels.get("".join(before[:count]), ()) if before[count:] else ():
                if meaning.term in _PARTIES and meaning.weight == 1:
                    return _PARTIES[meaning.term]
        company = before[:1] == ["company"] and len(before) > 1
        return "seller" if company and self.blocks.role_at(span) != "buyer" else ""


def _words_before(label: Label) -> tuple[Piece, ...]:
    """The two words before a label in its segment and its own first one: "Customer's TRN", "Our VAT No."."""
    start = label.span.segment.start
    return (*pieces(label.row.text[start : label.span.start])[-2:], *pieces(label.span.text)[:1])


def identifier_beside(context: Context, label: Label) -> Span | None:
    """The identifier right of a label, or below it."""
    span = context.beside(label)
    if span is None and label.ends_segment:
        span = next(iter(islice(context.column_below(label), 1)), None)
    return identifier_after(span.row, span.start, span.end) if span else None


def _apart(one: Span, other: Span) -> float:
    """The distance of two places in letter heights; a step aside counts less than one down."""
    height = max(4.0, one.row.height)
    down = abs(one.row.middle - other.row.middle) / height
    aside = max(0.0, one.x0 - other.x1, other.x0 - one.x1) / height
    return min(_FAR, down + 0.3 * aside)


def same_id(one: Finding, other: Finding) -> bool:
    return key_of(one) == key_of(other)
