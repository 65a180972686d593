"""Who sells and who buys: the two names that the scorer finds likeliest together, and the seller's address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from inference.confidence import Features
from inference.readers import Recipient
from inference.readers.layout.blocks import Blocks
from inference.readers.layout.candidates import Finding
from inference.readers.layout.choice import Scored, chosen, likeliest_pair, scored
from inference.readers.layout.header import Context
from inference.readers.layout.lexicon import fold
from inference.readers.layout.names import CONTACT, TOWN, alike, has_legal_form
from inference.readers.layout.nominees import Nominees
from inference.readers.layout.party_rules import PartyRules
from inference.readers.layout.rows import Span
from inference.readers.layout.scorer import Scorer


@dataclass(frozen=True)
class Parties:
    """Finds the parties of one document; `recipient` is never the seller."""

    context: Context
    blocks: Blocks
    recipient: Recipient
    scorer: Scorer

    def findings(self) -> list[Finding]:
        """The names of both parties and the seller's address, as far as they are found."""
        address = self._address(self.seller) if self.seller else None
        return [finding for finding in (self.buyer, self.seller, address) if finding is not None]

    @cached_property
    def nominees(self) -> list[Finding]:
        """The candidates of both names."""
        return Nominees(
            self.context, self.blocks, PartyRules(self.context, self.blocks, self.recipient)
        ).all()

    @cached_property
    def buyer(self) -> Finding | None:
        """The buyer's name: the recipient where the page shows it."""
        if known := self._recipient_on_page():
            return known
        return chosen(self._pair[1], self.scorer["buyer_name"], "buyer_name", same_party)

    @cached_property
    def seller(self) -> Finding | None:
        """The seller's name, in full where it stands elsewhere with its legal form."""
        found = chosen(self._pair[0], self.scorer["seller_name"], "seller_name", same_party)
        return _fullest(found, [s.finding for s in self._pair[0]]) if found else None

    @cached_property
    def _pair(self) -> tuple[list[Scored], list[Scored]]:
        """The nominees of seller and buyer by their odds, led by the two that together are likeliest."""
        buyer, seller = self.scorer["buyer_name"], self.scorer["seller_name"]
        own = self.recipient.names
        others = [f for f in self.nominees if not any(alike(str(f.value), name) for name in own)]
        return likeliest_pair(
            scored(others, seller), scored(self.nominees, buyer), (seller.none, buyer.none), same_party
        )

    def _recipient_on_page(self) -> Finding | None:
        names = [fold(name) for name in self.recipient.names if len(fold(name)) >= 4]
        for row in self.context.sheet.rows:
            for segment in row.segments:
                if any(name in fold(segment.text) for name in names):
                    labels = [
                        lb.span.end
                        for lb in self.context.of(row)
                        if lb.colon and segment.start <= lb.span.start < segment.end
                    ]
                    start = max(labels, default=segment.start)
                    lead = len(row.text[start : segment.end]) - len(
                        row.text[start : segment.end].lstrip(" :：")
                    )
                    segment = Span(row, start + lead, segment.end)
                    features = Features(
                        label=1.0, relation=1.0, repeated=1.0, ocr=segment.score, scanned=float(row.ocr)
                    )
                    return Finding("buyer_name", segment.text, (segment,), 1.2, features, segment.text)
        return None

    def _address(self, name: Finding) -> Finding | None:
        """The address after a name in one line, or in the lines below it down to the town."""
        first = name.spans[-1]
        segment = first.segment
        rest = Span(first.row, min(first.end + 1, segment.end), segment.end)
        spans: list[Span] = []
        if TOWN.search(rest.text):
            spans.append(rest)
        else:
            for row in self.context.sheet.below(first.row, 6 * first.row.height):
                here = [s for s in row.segments if abs(s.x0 - first.x0) < first.row.height]
                if not here:
                    continue
                if CONTACT.search(here[0].text) or self.blocks.is_label(here[0]):
                    break
                spans.append(here[0])
                if TOWN.search(here[0].text):
                    break
            else:
                return None
            if not spans or not TOWN.search(spans[-1].text):
                return None
        parts = [part.strip() for span in spans for part in re.split(r"\s[-–—•·|●⋅]\s|,\s", span.text)]
        kept = [part for part in parts if part and not CONTACT.search(part)]
        text = ", ".join(part.strip(" ,;-–—•·|") for part in kept if part.strip(" ,;-–—•·|"))
        features = Features(
            label=0.6,
            relation=0.7,
            margin=name.features.margin,
            ocr=spans[0].score,
            scanned=float(first.row.ocr),
        )
        return Finding("seller_address", text, tuple(spans), 0.6, features, text)


def _fullest(name: Finding, others: Sequence[Finding]) -> Finding:
    """The name with its legal form, where it stands elsewhere with it: "Rivage" is "Rivage SARL"."""
    text = str(name.value)
    if has_legal_form(text):
        return name
    for other in others:
        longer = str(other.value)
        rest = fold(longer)[len(fold(text)) :]
        if fold(longer).startswith(fold(text)) and 0 < len(rest) <= 8 and has_legal_form(longer):
            return replace(
                other, term=name.term, score=name.score, features=name.features, probability=name.probability
            )
    return name


def same_party(one: Finding, other: Finding) -> bool:
    """Whether two nominees name the same party: alike, or one within the other."""
    a, b = fold(str(one.value)), fold(str(other.value))
    short, long = sorted((a, b), key=len)
    return (len(short) >= 4 and short in long) or alike(str(one.value), str(other.value))
