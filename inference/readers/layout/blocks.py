"""Blocks of the parties: which heading governs a place, and the names that headings name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from inference.confidence import Features
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label
from inference.readers.layout.names import clean_name, has_legal_form, joint, plausible_name, told
from inference.readers.layout.rows import Sheet, Span

_NO_TABLE = (10**9, 10**9)


@dataclass(frozen=True)
class Blocks:
    """The headings of the seller, the buyer and others, and what stands under each."""

    context: Context

    @cached_property
    def _headings(self) -> tuple[Label, ...]:
        roles = ("party_seller", "party_buyer", "party_other")
        return tuple(
            label
            for row in self.context.sheet.rows
            if row.index not in self.context.headings
            for label in self.context.of(row)
            if any(label.means(role) for role in roles)
            and (label.leads or self._joined(label))
            and not self._is_value(label)
            and self._is_heading(label)
        )

    @cached_property
    def _payees(self) -> frozenset[tuple[int, int]]:
        """The headings that name who is paid: an account stands beside the next label of their column."""
        found: set[tuple[int, int]] = set()
        for label in self._headings:
            for row in islice(self.context.sheet.below(label.row, 2.6 * label.row.height), 1):
                near = [
                    lb for lb in self.context.of(row) if abs(lb.span.x0 - label.span.x0) < label.row.height
                ]
                if label.colon and any(lb.means("payment_account") for lb in near):
                    found.add((label.row.index, label.span.start))
        return frozenset(found)

    def role_of(self, label: Label) -> str:
        """The party that a heading names: "seller", "buyer", "other" or ""; who is paid is the seller."""
        if (label.row.index, label.span.start) in self._payees:
            return "seller"
        return next((role for role in ("seller", "buyer", "other") if label.means(f"party_{role}")), "")

    def _is_value(self, label: Label) -> bool:
        """Whether it begins what another label names: "Name: Lieferant GmbH"."""
        before = [lb for lb in self.context.of(label.row) if lb.span.end <= label.span.start]
        if not before or not before[-1].means("party_name") or label.colon:
            return False
        return not label.row.text[before[-1].span.end : label.span.start].strip(" :：")

    def _joined(self, label: Label) -> bool:
        """Whether a label continues one of a name that leads: "Name of customer:", "Naam klant:"."""
        for before in self.context.of(label.row):
            if before.leads and before.means("party_name") and before.span.end <= label.span.start:
                between = label.row.text[before.span.end : label.span.start]
                return label.colon and len(between) < 10 and not any(c in ":：" for c in between)
        return False

    @cached_property
    def tables(self) -> dict[int, tuple[int, int]]:
        """The heading of the table of lines and the last row with an amount below it, as row indices by page."""
        spans: dict[int, tuple[int, int]] = {}
        for index in self.context.headings:
            page = self.context.sheet.rows[index].page
            rows = self.context.sheet.on_page(page)
            money = [
                r.index
                for r in rows
                if r.index > index and any(at.money for at in self.context.values.numbers(r))
            ]
            if money:
                spans[page] = (index, money[-1])
        return spans

    def _is_heading(self, label: Label) -> bool:
        """Whether a label opens a block: a colon follows, or nothing else does in its segment."""
        rest = label.row.text[label.span.end : label.segment.end]
        if rest.startswith(("'s", "’s")) or (len(label.key) < 2 and not label.colon):
            return False
        if not label.exact and len(label.key) < 9 and not label.colon:
            return False
        below_table = label.row.index > self.tables.get(label.row.page, _NO_TABLE)[0]
        if label.colon or (label.ends_segment and not below_table):
            return True
        if below_table:
            # Lines, signatures and conditions of business name no party, but an address at the foot may.
            return label.ends_segment and label.row.segments[0].start == label.segment.start
        rest = rest.strip()
        opens = label.span.text[:1].isupper() and label.span.start == label.segment.start
        return len(label.key) > 5 and opens and not rest[:1].islower() and len(rest.split()) <= 7

    def role_at(self, span: Span, wide: bool = False) -> str:
        """The party whose block a place belongs to: "seller", "buyer", "other" or "" by the nearest heading.

        `wide` takes places far right of a heading that stands alone on its row as its own.
        """
        if self.fapiao_names and (role := self._fapiao_role(span)):
            return role
        best, least = "", 1e9
        row = span.row
        for label in self._headings:
            if label.row.page != row.page:
                continue
            drop = row.middle - label.row.middle
            if self.context.heading_between(label.row, row):
                continue
            spread = not label.key.isascii()
            # A Chinese heading runs down the side of its block.
            if drop < (-4.5 if spread else -0.5) * row.height or drop > 22 * row.height:
                continue
            others = [s for s in label.row.segments if sum(c.isalpha() for c in s.text) >= 3]
            alone = len(others) == 1
            # "==== BILLED TO ====" begins where its row does.
            shift = span.x0 - (label.row.x0 if alone and label.ends_segment else label.span.x0)
            if shift < -3 * row.height or (drop <= 0.5 * row.height and label.span.start > span.start):
                continue
            reach = 0.4 if spread else 0.22
            if wide and alone:
                reach = 1.0
            if shift > reach * row.width and drop > 0.5 * row.height:
                continue
            distance = abs(drop) + (0.02 if wide else 0.35) * abs(shift)
            if distance < least:
                best, least = self.role_of(label), distance
        return best

    @cached_property
    def fapiao_names(self) -> tuple[Label, ...]:
        """The two "名称" of a Chinese fapiao, the buyer's first: its layout is prescribed by law."""
        names = [
            label
            for row in self.context.sheet.on_page(1)
            for label in self.context.of(row)
            if label.means("party_name") and not label.key.isascii() and label.colon
        ]
        return tuple(names) if len(names) == 2 else ()

    def _fapiao_role(self, span: Span) -> str:
        """Whose name stands nearest, among those left of a place or above or below it."""
        if span.row.page != 1:
            return ""
        near = [
            abs(span.row.middle - label.row.middle)
            + 0.5 * max(0.0, label.span.x0 - span.x0 - span.row.height * 6)
            + 0.02 * abs(label.span.x0 - span.x0)
            for label in self.fapiao_names
        ]
        if min(near) > 9 * span.row.height:
            # Remarks at the foot belong to no block.
            return ""
        return ("buyer", "seller")[near.index(min(near))]

    def labelled(self, role: str) -> Finding | None:
        """The name that a heading of the role names, through "Name:" within its block where there is one."""
        term = f"{role}_name"
        best: Finding | None = None
        same = [label for label in self._headings if self.role_of(label) == role]
        for order, label in enumerate(same):
            weight = _named_as(label, role) * (1.0 if len(label.key) > 4 else 0.8)
            # "Customer copy" is no heading: a name in the same breath wants a colon.
            weight *= 1.0 if label.colon or label.ends_segment else 0.65
            if found := self._name_after(label):
                relation, span = found
                text = clean_name(span.text)
                if not plausible_name(text) or self.is_label(span):
                    continue
                features = Features(
                    label=weight, relation=relation, ocr=span.score, scanned=float(span.row.ocr)
                )
                score = weight * relation - 0.04 * min(5, order) - 0.02 * (label.row.page - 1)
                if best is None or score > best.score:
                    best = Finding(term, text, (span,), score, features, text)
        return best or self.by_name_label(role)

    def by_name_label(self, role: str) -> Finding | None:
        """A "Name:" in the block of the role."""
        for span in self._under_name_labels(role):
            features = Features(label=0.9, relation=0.9, ocr=span.score, scanned=float(span.row.ocr))
            text = clean_name(span.text)
            return Finding(f"{role}_name", text, (span,), 0.9, features, text)
        return None

    def named(self, role: str) -> Iterator[tuple[Span, float]]:
        """What the headings of the role name, and "Name:" within its block, with how well it is named (0–1)."""
        same = [label for label in self._headings if self.role_of(label) == role]
        for order, label in enumerate(same):
            weight = _named_as(label, role) * (1.0 if len(label.key) > 4 else 0.8)
            # "Customer copy" is no heading: a name in the same breath wants a colon.
            weight *= 1.0 if label.colon or label.ends_segment else 0.65
            found = self._name_after(label)
            if found and plausible_name(clean_name(found[1].text)) and not self.is_label(found[1]):
                yield found[1], weight * found[0] - 0.04 * min(5, order) - 0.02 * (label.row.page - 1)
        yield from ((span, 0.9) for span in self._under_name_labels(role))

    def _under_name_labels(self, role: str) -> Iterator[Span]:
        """What stands beside or below a "Name:" in the block of the role."""
        for row in self.context.sheet.rows:
            if row.index in self.context.headings:
                continue
            for label in self.context.of(row):
                if not label.means("party_name") or not (label.colon or label.ends_segment):
                    continue
                if not label.leads and label.key.isascii():
                    continue
                if (self.role_at(label.span) or self.role_at(label.span, wide=True)) != role:
                    continue
                span = self._beside(label) or next(
                    iter(islice(self.context.column_below(label, 2.5), 1)), None
                )
                if span and plausible_name(clean_name(span.text)) and not self.is_label(span):
                    yield span

    def _name_after(self, label: Label) -> tuple[float, Span] | None:
        """The first text of a block: beside its heading, else below it; behind a "Name:" where one leads it."""
        if not label.ends_segment:
            span = self._beside(label)
            return (1.0, span) if span else None
        below = list(islice(self.context.column_below(label, 14, slack=8 * label.row.height), 6))
        below = [
            s for s in below if abs(s.x0 - label.span.x0) < 0.3 * s.row.width or s.x0 <= label.span.x0 <= s.x1
        ]
        for segment in below:
            named = next(
                (
                    lb
                    for lb in self.context.of(segment.row)
                    if lb.means("party_name") and segment.start <= lb.span.start < segment.end and lb.leads
                ),
                None,
            )
            if named and (named.colon or named.ends_segment):
                span = self._beside(named)
                return (1.0, span) if span else None
        beside = self._beside(label)
        near = beside is not None and beside.x0 - label.span.x1 < 10 * label.row.height
        captioned = bool(below) and self._is_caption(below[0], label)
        if beside and near and (label.colon or captioned or self._goes_on_below(beside, label)):
            return 1.0, beside
        names = [s for s in (*self._in_lane(label), *below) if not self._is_numbered(s)]
        if names and names[0].row.middle - label.row.middle < 5 * label.row.height:
            return 0.9, names[0]
        return (0.8, beside) if beside and near else None

    def _beside(self, label: Label) -> Span | None:
        """The text right of a label; one that begins with a word of the lexicon ("Kunden AG") is a text all the same."""
        if found := self.context.beside(label):
            return found
        row, segment = label.row, label.segment
        if label.ends_segment:
            segment = next((s for s in row.segments if s.start > label.span.end), None)
        if segment is None:
            return None
        start = max(label.span.end, segment.start)
        start += len(row.text[start : segment.end]) - len(row.text[start : segment.end].lstrip(" :：.)-/"))
        others = [lb for lb in self.context.of(row) if start <= lb.span.start < segment.end]
        if any(lb.colon or (lb.leads and lb.span.start > start) for lb in others):
            return None
        return Span(row, start, segment.end) if start < segment.end else None

    def _is_caption(self, below: Span, label: Label) -> bool:
        """Whether the line below a heading begins with a label too, so that all values stand beside their captions."""
        aligned = abs(below.x0 - label.span.x0) < 0.5 * label.row.height
        return aligned and any(lb.leads and lb.span.start == below.start for lb in self.context.of(below.row))

    def _goes_on_below(self, beside: Span, label: Label) -> bool:
        """Whether the block that a label names stands beside it: the next row is in the column of the text beside."""
        height = label.row.height
        for row in self.context.sheet.below(label.row, 3.2 * height):
            under = [s for s in row.segments if s.x0 < label.span.x1 and s.x1 > label.span.x0]
            return not under and any(abs(s.x0 - beside.x0) < 0.8 * height for s in row.segments)
        return False

    def _in_lane(self, label: Label) -> list[Span]:
        """What stands right below a heading beside others, each centred over its lane of the page."""
        beside = sorted((lb.span for lb in self._headings if lb.row is label.row), key=lambda span: span.x0)
        if len(beside) < 2:
            return []
        place = beside.index(label.span)
        left = (beside[place - 1].x1 + label.span.x0) / 2 if place else 0.0
        right = (label.span.x1 + beside[place + 1].x0) / 2 if place + 1 < len(beside) else label.row.width
        for row in self.context.sheet.below(label.row, 2.2 * label.row.height):
            if found := [s for s in row.segments if s.x0 >= left and s.x1 <= right]:
                return found[:1]
        return []

    def _is_numbered(self, span: Span) -> bool:
        """Whether a line of a block is a label with a number: "GLN 4304171000002", "Customer no. 17"."""
        leading = any(
            lb.span.start <= span.start + 1 and not any(m.term.startswith("party_") for m in lb.meanings)
            for lb in self.context.of(span.row)
            if span.start <= lb.span.start < span.end
        )
        return leading and any(c.isdigit() for c in span.text)

    def is_label(self, span: Span) -> bool:
        if span.row.index in self.context.headings:
            return True
        if "_" in span.text:
            return False
        if told(span.text) == 1:
            return True
        return any(
            lb.span.start <= span.start + 1 and lb.colon and any(m.weight == 1 for m in lb.meanings)
            for lb in self.context.of(span.row)
            if span.start <= lb.span.start < span.end
        )


def _named_as(label: Label, role: str) -> float:
    """How surely a heading names a role; one that names another by its word, and who is paid by its place, a little."""
    return label.weight(f"party_{role}") or 0.6


def wrapped_name(sheet: Sheet, segment: Span) -> Span | None:
    """The rest of a name on the next row: set alike below it, and ending in the legal form it lacks."""
    if has_legal_form(segment.text) and not segment.text.rstrip().endswith("&"):
        return None
    height = segment.words[0].height
    for row in islice(sheet.below(segment.row, 1.5 * height), 2):
        for below in row.segments:
            aligned = abs(below.x0 - segment.x0) < 0.5 * height
            same_size = abs(below.words[0].height - height) < 0.2 * height
            joined = segment.text + joint(segment.text) + below.text
            if aligned and same_size and len(below.text) < 30 and has_legal_form(joined):
                return below
    return None
