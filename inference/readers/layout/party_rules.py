"""Who sells and who buys by rules alone: one of the voices that the scorer hears."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from inference.confidence import Features
from inference.readers import Recipient
from inference.readers.layout.blocks import Blocks, wrapped_name
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context
from inference.readers.layout.labels import find_phrases
from inference.readers.layout.lexicon import fold, lexicon
from inference.readers.layout.names import (
    ONLY_SALUTATION,
    POSTCODE,
    SEPARATOR,
    TOWN,
    alike,
    clean_name,
    has_legal_form,
    is_address,
    joint,
    names_a_company,
    plausible_name,
    resembles,
    told,
)
from inference.readers.layout.rows import Span

NAME = {
    "labelled": 1.0,  # under or beside a party's heading
    "legal_form": 0.3,  # GmbH, Ltd, 有限公司
    "company": 0.15,  # that, or a word such as "hotel"
    "domain": 0.4,  # resembles the domain of an address on the page
    "top": 0.35,  # the first rows of the first page, falling
    "large": 0.25,  # letters half as high again as usual
    "sender_line": 0.4,  # begins a line "name, street, town"
    "near_tax_id": 0.25,  # a tax id or account within a few rows
    "repeated": 0.15,
    "address": -0.5,  # a street, a postcode, a telephone number, an e-mail address
    "figures": -0.6,  # an amount or a date beside it
    "label": -0.7,  # words of the lexicon of labels or titles
    "buyer_block": -0.7,
    "long": -0.4,  # a sentence
}
"""What speaks for and against a segment as the seller's name where no heading names it."""


@dataclass(frozen=True)
class PartyRules:
    """What rules alone say of the parties of one document; `recipient` is never the seller."""

    context: Context
    blocks: Blocks
    recipient: Recipient

    @cached_property
    def buyer(self) -> Finding | None:
        """The buyer's name."""
        labelled = (
            self.blocks.by_name_label("buyer") if self.blocks.fapiao_names else self.blocks.labelled("buyer")
        )
        if labelled:
            return labelled
        return self._address_block()

    def seller(self) -> Finding | None:
        """The seller's name: named by a heading, else the best of the letterhead, the footer and the rest."""
        scored = sorted(self._seller_candidates(), key=lambda f: -f.score)
        labelled = (
            self.blocks.by_name_label("seller")
            if self.blocks.fapiao_names
            else self.blocks.labelled("seller")
        )
        best_score = scored[0].score if scored else 0.0
        if labelled and not self._is_buyer(str(labelled.value)) and labelled.score > min(0.7, best_score):
            return labelled
        if not scored or scored[0].score < 0.3:
            return None
        first = scored[0]
        rival = next((f for f in scored if not alike(str(f.value), str(first.value))), None)
        margin = first.score - rival.score if rival else 1.0
        return first.with_features(margin=max(0.0, min(1.0, 1.5 * margin)))

    def _is_buyer(self, name: str) -> bool:
        if any(alike(name, own) for own in self.recipient.names):
            return True
        buyer = self.buyer
        return buyer is not None and alike(name, str(buyer.value))

    def _address_block(self) -> Finding | None:
        """The first line of an address in the upper half of the first page that is not the seller's own."""
        scored = sorted(self._seller_candidates(unknown_buyer=True), key=lambda f: -f.score)
        seller = str(scored[0].value) if scored else ""
        for row in self.context.sheet.on_page(1):
            if row.middle > 0.45 * row.page_height:
                break
            for segment in row.segments:
                if not TOWN.search(segment.text) or self._sender(segment)[1]:
                    continue
                block = self._block_above(segment)
                named = [s for s in block if not self._sender(s)[1] and not self.blocks.is_label(s)]
                named = [s for s in named if not ONLY_SALUTATION.match(s.text)]
                if len(block) < 2 or not named or named[0] is segment:
                    continue
                text = clean_name(named[0].text)
                if (
                    self.blocks.role_at(named[0]) in ("seller", "other")
                    or alike(text, seller)
                    or is_address(text)
                    or told(text) == 1
                ):
                    continue
                if plausible_name(text):
                    features = Features(label=0.3, relation=0.6, ocr=named[0].score, scanned=float(row.ocr))
                    return Finding("buyer_name", text, (named[0],), 0.4, features, text)
        return None

    def _block_above(self, town: Span) -> list[Span]:
        """The lines of an address from its first to the line above the town, by their common left side."""
        block: list[Span] = []
        last, step = town, 2.2 * town.row.height
        for row in reversed(self.context.sheet.rows[: town.row.index]):
            if row.page != town.row.page or last.row.middle - row.middle > step:
                break
            same = [s for s in row.segments if abs(s.x0 - town.x0) < 0.8 * town.row.height]
            if same:
                # Twice the distance of two lines ends the block.
                step = min(step, 2.0 * (last.row.middle - same[0].row.middle))
                block.insert(0, same[0])
                last = same[0]
        return block[-6:]

    def _seller_candidates(self, unknown_buyer: bool = False) -> Iterator[Finding]:
        """Segments scored as the seller's name; `unknown_buyer` leaves out what the buyer's name excludes."""
        sheet = self.context.sheet
        usual = sorted(row.height for row in sheet.rows)[len(sheet.rows) // 2] if sheet.rows else 10.0
        proofs = {at.span.row.index for at in (*self.context.values.vat_ids, *self.context.values.ibans)}
        domains = self._domains()
        order = 0
        for row in sheet.rows:
            if row.page > 2:
                break
            for segment in row.segments:
                piece, sender = self._sender(segment)
                wrapped = None if sender else wrapped_name(self.context.sheet, segment)
                text = clean_name(piece.text) + (
                    joint(piece.text) + clean_name(wrapped.text) if wrapped else ""
                )
                if not plausible_name(text) or (not unknown_buyer and self._is_buyer(text)):
                    continue
                order += row.page == 1
                marks = {
                    "legal_form": float(has_legal_form(text)),
                    "company": float(names_a_company(text)),
                    "domain": max((resembles(text, domain) for domain in domains), default=0.0),
                    "top": max(0.0, 1 - order / 10)
                    if row.page == 1 and row.middle < 0.3 * row.page_height
                    else 0.0,
                    "large": float(
                        row.page == 1
                        and max(w.height for w in piece.words) > 1.4 * usual
                        and row.middle < 0.4 * row.page_height
                    ),
                    "sender_line": float(sender),
                    "near_tax_id": float(any(abs(row.index - proof) <= 4 for proof in proofs)),
                    "address": float(not sender and bool(is_address(text))),
                    "figures": float(self._has_figures(segment)),
                    "label": float(self._names_something(piece)),
                    "buyer_block": float(self.blocks.role_at(piece) in ("buyer", "other")),
                    "long": float(len(text) > 60),
                }
                score = sum(NAME[name] * mark for name, mark in marks.items())
                features = Features(
                    label=max(0.0, min(1.0, score / 1.2)),
                    relation=0.5,
                    ocr=piece.score,
                    scanned=float(row.ocr),
                )
                spans = (piece, wrapped) if wrapped else (piece,)
                yield Finding("seller_name", text, spans, score, features, text)

    def _sender(self, segment: Span) -> tuple[Span, bool]:
        """The first part of a line that strings name, street and town together, and whether it is one."""
        text = segment.text
        parts = SEPARATOR.split(text)
        rest = parts[1:]
        numbered = sum(any(c.isdigit() for c in part) for part in rest)
        town = any(TOWN.search(part) or POSTCODE.search(part) for part in rest)
        if len(rest) < 2 or numbered < 2 or not town or any(c.isdigit() for c in parts[0]):
            return segment, False
        end = segment.start + len(parts[0])
        # "Name, Inc." keeps its legal form.
        if len(parts) > 2 and fold(parts[1]) in lexicon().legal_forms:
            end = segment.start + text.index(parts[1]) + len(parts[1])
        return Span(segment.row, segment.start, end), True

    def _has_figures(self, segment: Span) -> bool:
        values = self.context.values
        places = [at.span for at in values.numbers(segment.row) if at.money]
        places += [at.span for at in values.dates(segment.row)]
        return any(segment.start <= place.start < segment.end for place in places)

    def _names_something(self, piece: Span) -> bool:
        labels = [lb for lb in self.context.of(piece.row) if piece.start <= lb.span.start < piece.end]
        titles = [
            lb for lb in find_phrases(piece.row, lexicon().titles) if piece.start <= lb.span.start < piece.end
        ]
        covered = sum(len(lb.key) for lb in (*labels, *titles) if lb.leads)
        return (
            covered > 0.5 * sum(c.isalnum() for c in piece.text)
            or told(piece.text) == 1
            or any(lb.colon and lb.leads for lb in labels)
        )

    def _domains(self) -> list[str]:
        found: list[str] = []
        for row in self.context.sheet.rows:
            for match in re.finditer(
                r"(?:@|www\.|https?://(?:www\.)?)([\w-]+(?:\.[\w-]+)*)\.\w{2,}", row.text.casefold()
            ):
                core = fold(match[1].split(".")[-1])
                common = (
                    "gmail",
                    "gmx",
                    "web",
                    "hotmail",
                    "yahoo",
                    "outlook",
                    "tonline",
                    "icloud",
                    "google",
                    "facebook",
                )
                if (
                    len(core) >= 3
                    and core not in common
                    and self.blocks.role_at(Span(row, match.start(), match.end())) != "buyer"
                ):
                    found.append(core)
        return found
