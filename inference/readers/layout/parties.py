"""Who sells and who buys: names from labels, letterheads, address blocks and footers; tax ids; bank accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from rapidfuzz import fuzz

from inference.confidence import Features
from inference.identifiers import Scheme, find_bics
from inference.readers import Recipient
from inference.readers.layout.candidates import Finding, IdentifierAt, identifier_after
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label, find_phrases
from inference.readers.layout.lexicon import fold, lexicon, pieces
from inference.readers.layout.rows import Span

NAME = {
    "labelled": 1.0,  # under or beside a party's heading
    "legal_form": 0.45,  # GmbH, Ltd, 有限公司
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

_POSTCODE = re.compile(r"(?<!\d)(?:[A-Z]{1,2}[ -])?\d{4,6}(?:[ -]\d{3,4})?(?!\d)")
_TOWN = re.compile(
    r"(?:^|[\s,])(?:[A-Z]{1,2}[ -])?(?:\d{5}|\d{4}(?: ?[A-Z]{2})?|\d{2}-\d{3})\s+[A-ZÄÖÜÉÈÀ][^\d]{2,}|[,\s][A-Z]{2}\.?,?\s+\d{4}\w(?:-\d{4})?\s*$|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|[省市].{0,12}[区县市路街]"
)
_SEPARATOR = re.compile(r"\s+[-–—•·|∙*●⋅]\s+|\s*[•·|●⋅]\s*|,\s+")
_CONTACT = re.compile(r"@|www\.|https?:|\+\d{2}|(?:tel|fax|phone|mobil|fon)\b[.:]?", re.IGNORECASE)
_ONLY_SALUTATION = re.compile(r"^\s*(?:herrn?|frau|firma|an|mr|mrs|ms|company)\.?\s*$", re.IGNORECASE)
_SALUTATION = re.compile(
    r"^(?:herrn?|frau|mr|mrs|ms|m\.|mme|firma|company|attn|z\.? ?hd\.?|c/o|an|to|spett\.?le)\b[.:]?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Parties:
    """Finds the parties of one document; `recipient` is never the seller."""

    context: Context
    recipient: Recipient

    def findings(self) -> list[Finding]:
        """The findings of all terms of both parties, one per term."""
        seller = self.seller()
        address = self._address(seller) if seller else None
        found = [self.buyer, seller, address, *self._tax_ids(), *self._accounts(), *self._contacts()]
        return [finding for finding in found if finding is not None]

    @cached_property
    def _headings(self) -> tuple[Label, ...]:
        roles = ("party_seller", "party_buyer", "party_other")
        return tuple(
            label
            for row in self.context.sheet.rows
            if row.index not in self.context.headings
            for label in self.context.of(row)
            if label.leads and any(label.means(role) for role in roles) and self._is_heading(label)
        )

    def _is_heading(self, label: Label) -> bool:
        """Whether a label opens a block: a colon follows, or nothing else does in its segment."""
        if label.colon or label.ends_segment:
            return True
        rest = label.row.text[label.span.end : label.segment.end].strip()
        opens = label.span.text[:1].isupper() and label.span.start == label.segment.start
        return len(label.key) > 5 and opens and not rest[:1].islower() and len(rest.split()) <= 7

    def role_at(self, span: Span, wide: bool = False) -> str:
        """The party whose block a place belongs to: "seller", "buyer", "other" or "" by the nearest heading.

        `wide` takes places far right of a heading that stands alone on its row as its own.
        """
        if self._fapiao_names and (role := self._fapiao_role(span)):
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
            shift = span.x0 - label.span.x0
            if shift < -3 * row.height or (drop <= 0.5 * row.height and label.span.start > span.start):
                continue
            others = [s for s in label.row.segments if sum(c.isalpha() for c in s.text) >= 3]
            alone = len(others) == 1
            reach = 0.4 if spread else 0.22
            if wide and alone:
                reach = 1.0
            if shift > reach * row.width and drop > 0.5 * row.height:
                continue
            distance = abs(drop) + (0.02 if wide else 0.35) * abs(shift)
            if distance < least:
                best, least = _role(label), distance
        return best

    @cached_property
    def _fapiao_names(self) -> tuple[Label, ...]:
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
            for label in self._fapiao_names
        ]
        return ("buyer", "seller")[near.index(min(near))]

    @cached_property
    def buyer(self) -> Finding | None:
        """The buyer's name."""
        known = self._recipient_on_page()
        if known:
            return known
        labelled = self._by_name_label("buyer") if self._fapiao_names else self._labelled("buyer")
        if labelled:
            return labelled
        return self._address_block()

    def seller(self) -> Finding | None:
        """The seller's name: named by a heading, else the best of the letterhead, the footer and the rest."""
        scored = sorted(self._seller_candidates(), key=lambda f: -f.score)
        labelled = self._by_name_label("seller") if self._fapiao_names else self._labelled("seller")
        best_score = scored[0].score if scored else 0.0
        if labelled and not self._is_buyer(str(labelled.value)) and labelled.score > min(0.7, best_score):
            return labelled
        if not scored or scored[0].score < 0.3:
            return None
        first = scored[0]
        rival = next((f for f in scored if not _alike(str(f.value), str(first.value))), None)
        margin = first.score - rival.score if rival else 1.0
        first = _fullest(first, scored)
        return first.with_features(margin=max(0.0, min(1.0, 1.5 * margin)))

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

    def _labelled(self, role: str) -> Finding | None:
        """The name that a heading of the role names, through "Name:" within its block where there is one."""
        term = f"{role}_name"
        best: Finding | None = None
        same = [label for label in self._headings if _role(label) == role]
        for order, label in enumerate(same):
            weight = label.weight(f"party_{role}") * (1.0 if len(label.key) > 4 else 0.8)
            # "Customer copy" is no heading: a name in the same breath wants a colon.
            weight *= 1.0 if label.colon or label.ends_segment else 0.65
            if found := self._name_after(label):
                relation, span = found
                text = _clean_name(span.text)
                if not _plausible_name(text) or self._is_label(span):
                    continue
                features = Features(
                    label=weight, relation=relation, ocr=span.score, scanned=float(span.row.ocr)
                )
                score = weight * relation - 0.04 * min(5, order) - 0.02 * (label.row.page - 1)
                if best is None or score > best.score:
                    best = Finding(term, text, (span,), score, features, text)
        return best or self._by_name_label(role)

    def _by_name_label(self, role: str) -> Finding | None:
        """A "Name:" in the block of the role."""
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
                span = self.context.beside(label) or next(
                    iter(islice(self.context.column_below(label, 2.5), 1)), None
                )
                if span and _plausible_name(_clean_name(span.text)) and not self._is_label(span):
                    features = Features(label=0.9, relation=0.9, ocr=span.score, scanned=float(row.ocr))
                    text = _clean_name(span.text)
                    return Finding(f"{role}_name", text, (span,), 0.9, features, text)
        return None

    def _name_after(self, label: Label) -> tuple[float, Span] | None:
        """The first text of a block: beside its heading, else below it; behind a "Name:" where one leads it."""
        if not label.ends_segment:
            span = self.context.beside(label)
            return (1.0, span) if span else None
        below = list(islice(self.context.column_below(label, 14, slack=8 * label.row.height), 6))
        below = [s for s in below if abs(s.x0 - label.span.x0) < 0.3 * s.row.width]
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
                span = self.context.beside(named)
                return (1.0, span) if span else None
        beside = self.context.beside(label)
        if label.colon and beside and beside.x0 - label.span.x1 < 10 * label.row.height:
            return 1.0, beside
        names = [s for s in (*self._in_lane(label), *below) if not self._is_numbered(s)]
        if names and names[0].row.middle - label.row.middle < 5 * label.row.height:
            return 0.9, names[0]
        if beside and beside.x0 - label.span.x1 < 10 * label.row.height:
            return 0.8, beside
        return None

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

    def _is_label(self, span: Span) -> bool:
        if span.row.index in self.context.headings:
            return True
        key = fold(span.text)
        if "_" in span.text:
            return False
        if key in lexicon().labels or key in lexicon().columns or key in lexicon().titles:
            return True
        return any(
            lb.span.start <= span.start + 1 and lb.colon and any(m.weight == 1 for m in lb.meanings)
            for lb in self.context.of(span.row)
            if span.start <= lb.span.start < span.end
        )

    def _is_buyer(self, name: str) -> bool:
        if any(_alike(name, own) for own in self.recipient.names):
            return True
        buyer = self.buyer
        return buyer is not None and _alike(name, str(buyer.value))

    def _address_block(self) -> Finding | None:
        """The first line of an address in the upper half of the first page that is not the seller's own."""
        scored = sorted(self._seller_candidates(unknown_buyer=True), key=lambda f: -f.score)
        seller = str(scored[0].value) if scored else ""
        for row in self.context.sheet.on_page(1):
            if row.middle > 0.45 * row.page_height:
                break
            for segment in row.segments:
                if not _TOWN.search(segment.text) or self._sender(segment)[1]:
                    continue
                block = self._block_above(segment)
                named = [s for s in block if not self._sender(s)[1] and not self._is_label(s)]
                named = [s for s in named if not _ONLY_SALUTATION.match(s.text)]
                if len(block) < 2 or not named or named[0] is segment:
                    continue
                text = _clean_name(named[0].text)
                if self.role_at(named[0]) in ("seller", "other") or _alike(text, seller) or _is_address(text):
                    continue
                if _plausible_name(text):
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
                wrapped = None if sender else self._wrapped(segment)
                text = _clean_name(piece.text) + (
                    _joint(piece.text) + _clean_name(wrapped.text) if wrapped else ""
                )
                if not _plausible_name(text) or (not unknown_buyer and self._is_buyer(text)):
                    continue
                order += row.page == 1
                marks = {
                    "legal_form": float(_has_legal_form(text)),
                    "domain": max((_resembles(text, domain) for domain in domains), default=0.0),
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
                    "address": float(not sender and bool(_is_address(text))),
                    "figures": float(self._has_figures(segment)),
                    "label": float(self._names_something(piece)),
                    "buyer_block": float(self.role_at(piece) in ("buyer", "other")),
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

    def _wrapped(self, segment: Span) -> Span | None:
        """The rest of a name on the next row: set alike below it, and ending in the legal form it lacks."""
        if _has_legal_form(segment.text):
            return None
        height = segment.words[0].height
        for row in islice(self.context.sheet.below(segment.row, 1.5 * height), 2):
            for below in row.segments:
                aligned = abs(below.x0 - segment.x0) < 0.5 * height
                alike = abs(below.words[0].height - height) < 0.2 * height
                joined = segment.text + _joint(segment.text) + below.text
                if aligned and alike and len(below.text) < 30 and _has_legal_form(joined):
                    return below
        return None

    def _sender(self, segment: Span) -> tuple[Span, bool]:
        """The first part of a line that strings name, street and town together, and whether it is one."""
        text = segment.text
        parts = _SEPARATOR.split(text)
        rest = parts[1:]
        numbered = sum(any(c.isdigit() for c in part) for part in rest)
        town = any(_TOWN.search(part) or _POSTCODE.search(part) for part in rest)
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
        return covered > 0.5 * sum(c.isalnum() for c in piece.text) or any(
            lb.colon and lb.leads for lb in labels
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
                    and self.role_at(Span(row, match.start(), match.end())) != "buyer"
                ):
                    found.append(core)
        return found

    def _tax_ids(self) -> Iterator[Finding]:
        sellers: list[Finding] = []
        buyers: list[Finding] = []
        places: dict[str, list[IdentifierAt]] = {}
        for at in (*self.context.values.vat_ids, *self._labelled_ids()):
            places.setdefault(at.identifier.value, []).append(at)
        for value, same in places.items():
            owners = [(owner, at) for at in same if (owner := self._owner(at))]
            role, at = owners[0] if owners else ("", same[0])
            check = 0.0 if at.identifier.valid is None else 1.0 if at.identifier.valid else -1.0
            labelled = self._label_before(at.span)
            score = 0.5 + 0.3 * (labelled != "") + 0.1 * check + 0.25 * (role != "")
            # A person's tax number is seldom a seller's.
            score -= 0.2 * (at.identifier.country == "BR" and len(value) == 11)
            features = Features(
                label=0.9 if labelled else 0.4,
                relation=0.9 if role else 0.5,
                check_digit=check,
                ocr=at.span.score,
                scanned=float(at.span.row.ocr),
            )
            term = "buyer_vat_id" if role == "buyer" else "seller_vat_id"
            finding = Finding(term, value, (at.span,), score, features, at.span.text)
            if role != "other":
                (buyers if role == "buyer" else sellers).append(finding)
        if sellers:
            ranked = sorted(sellers, key=lambda f: -f.score)
            margin = ranked[0].score - ranked[1].score if len(ranked) > 1 else 1.0
            yield ranked[0].with_features(margin=max(0.0, min(1.0, 2 * margin)))
        if buyers:
            yield max(buyers, key=lambda f: f.score)
        yield from self._simple("seller_tax_id", least_digits=6)
        yield from self._simple("seller_registration", least_digits=3)

    def _simple(self, term: str, least_digits: int) -> Iterator[Finding]:
        """An identifier right of its label, outside of the buyer's block."""
        for label in self.context.all_labels(term):
            span = self._identifier_beside(label)
            span = _register(label) or span
            if span and sum(c.isdigit() for c in span.text) >= least_digits and self.role_at(span) != "buyer":
                features = Features(
                    label=label.weight(term), relation=0.9, ocr=span.score, scanned=float(span.row.ocr)
                )
                yield Finding(term, span.text, (span,), 0.8, features, span.text)
                return

    def _labelled_ids(self) -> Iterator[IdentifierAt]:
        """Tax ids of countries whose form is not known, right of a label."""
        from inference.identifiers import Identifier

        known = {(at.span.row.index, at.span.start) for at in self.context.values.vat_ids}
        for term in ("seller_vat_id", "buyer_vat_id"):
            for label in self.context.all_labels(term):
                span = self._identifier_beside(label)
                if (
                    span is None
                    or (span.row.index, span.start) in known
                    or (label.means("total_vat") and not label.colon)
                ):
                    continue
                compact = re.sub(r"[^A-Za-z0-9]", "", span.text).upper()
                if not 8 <= len(compact) <= 20 or sum(c.isdigit() for c in compact) < 7 or "/" in span.text:
                    continue
                if any(
                    at.span.row is span.row and at.span.start < span.end and span.start < at.span.end
                    for at in self.context.values.vat_ids
                ):
                    continue
                yield IdentifierAt(
                    span, Identifier(Scheme.LOCAL_TAX, compact, span.start, span.end, "", None)
                )

    def _identifier_beside(self, label: Label) -> Span | None:
        """The identifier right of a label."""
        span = self.context.beside(label)
        return identifier_after(span.row, span.start, span.end) if span else None

    def _owner(self, at: IdentifierAt) -> str:
        own = {fold(tax_id) for tax_id in self.recipient.tax_ids}
        if fold(at.identifier.value) in own:
            return "buyer"
        if self._label_before(at.span) == "buyer_vat_id":
            return "buyer"
        before = [lb for lb in self.context.of(at.span.row) if lb.span.end <= at.span.start and lb.leads]
        if before and (role := self.role_at(before[-1].span)):
            return role
        return self.role_at(at.span) or self.role_at(at.span, wide=True)

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
        before = pieces(label.row.text[: label.span.start])[-2:]
        words = {piece.folded for piece in before}
        meanings = [m.term for word in words for m in lexicon().labels.get(word, ())]
        if "party_buyer" in meanings or words & {"req", "requisitionner", "client", "kunden"}:
            return "buyer_vat_id"
        return term

    def _accounts(self) -> Iterator[Finding]:
        own = {fold(account) for account in self.recipient.accounts}
        for at in self.context.values.ibans:
            if fold(at.identifier.value) in own or self.role_at(at.span) == "buyer":
                continue
            check = 1.0 if at.identifier.valid else -1.0
            features = Features(
                label=0.9, relation=0.9, check_digit=check, ocr=at.span.score, scanned=float(at.span.row.ocr)
            )
            yield Finding("payment_account", at.identifier.value, (at.span,), 1.0, features, at.span.text)
            break
        else:
            yield from self._local_account()
        for label in self.context.all_labels("payment_bic"):
            for found in find_bics(label.row.text[label.span.end : label.span.end + 24]):
                span = Span(label.row, label.span.end + found.start, label.span.end + found.end)
                features = Features(label=1.0, relation=1.0, ocr=span.score, scanned=float(span.row.ocr))
                yield Finding("payment_bic", found.value, (span,), 1.0, features, span.text)
                return

    def _local_account(self) -> Iterator[Finding]:
        """An account number that is no IBAN, right of its label or below it."""
        for label in self.context.all_labels("payment_account"):
            place = self.context.beside(label)
            if place is None and label.ends_segment:
                place = next(iter(islice(self.context.column_below(label), 1)), None)
            found = _ACCOUNT.search(place.text) if place else None
            if place is None or any(at.span.row is place.row for at in self.context.values.ibans):
                continue
            if found is None or self.role_at(label.span) == "buyer":
                continue
            span = Span(place.row, place.start + found.start(), place.start + found.end())
            features = Features(
                label=label.weight("payment_account"),
                relation=0.7,
                ocr=span.score,
                scanned=float(span.row.ocr),
            )
            value = re.sub(r"[ -]", "", found.group())
            yield Finding("payment_account", value, (span,), 0.7, features, span.text)
            return

    def _address(self, name: Finding) -> Finding | None:
        """The address after a name in one line, or in the lines below it down to the town."""
        first = name.spans[0]
        segment = first.segment
        rest = Span(first.row, min(first.end + 1, segment.end), segment.end)
        if _TOWN.search(rest.text):
            spans = [rest]
        else:
            spans = []
            for row in self.context.sheet.below(first.row, 6 * first.row.height):
                here = [s for s in row.segments if abs(s.x0 - first.x0) < first.row.height]
                if not here or _CONTACT.search(here[0].text) or self._is_label(here[0]):
                    break
                spans.append(here[0])
                if _TOWN.search(here[0].text):
                    break
            else:
                return None
            if not spans or not _TOWN.search(spans[-1].text):
                return None
        parts = [part.strip() for span in spans for part in re.split(r"\s[-–—•·|●⋅]\s|,\s", span.text)]
        kept = [part for part in parts if part and not _CONTACT.search(part)]
        text = ", ".join(part.strip(" ,;-–—•·|") for part in kept if part.strip(" ,;-–—•·|"))
        features = Features(
            label=0.6,
            relation=0.7,
            margin=name.features.margin,
            ocr=spans[0].score,
            scanned=float(first.row.ocr),
        )
        return Finding("seller_address", text, tuple(spans), 0.6, features, text)

    def _contacts(self) -> Iterator[Finding]:
        """The seller's e-mail address and website: the first ones outside of the buyer's block."""
        patterns = {
            "seller_email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
            "seller_website": r"(?:https?://|www\.)[\w-]+(?:\.[\w-]+)+",
        }
        for term, pattern in patterns.items():
            for row in self.context.sheet.rows:
                match = re.search(pattern, row.text)
                span = Span(row, match.start(), match.end()) if match else None
                if span and self.role_at(span) not in ("buyer", "other"):
                    features = Features(label=0.6, relation=0.6, ocr=span.score, scanned=float(row.ocr))
                    yield Finding(term, span.text, (span,), 0.6, features, span.text)
                    break


def _joint(text: str) -> str:
    """What joins two rows of a name: nothing between ideographs."""
    return " " if text[-1:].isascii() else ""


def _fullest(name: Finding, others: Sequence[Finding]) -> Finding:
    """The name with its legal form, where it stands elsewhere with it: "Rivage" is "Rivage SARL"."""
    text = str(name.value)
    if _has_legal_form(text):
        return name
    for other in others:
        longer = str(other.value)
        rest = fold(longer)[len(fold(text)) :]
        if fold(longer).startswith(fold(text)) and 0 < len(rest) <= 8 and _has_legal_form(longer):
            return replace(other, score=name.score, features=name.features)
    return name


def _role(label: Label) -> str:
    for role in ("seller", "buyer", "other"):
        if label.means(f"party_{role}"):
            return role
    return ""


_ACCOUNT = re.compile(r"(?<![\w-])\d(?:[ -]?\d){5,24}(?!\w)|(?<=[^\x00-\x7f])\d{8,28}")
_REGISTER = re.compile(
    r"\b(?:HR[AB]|RCS|R\.C\.S\.|FN|KvK|CUI|KRS)[\s.:]*(?:Nr\.?\s*)?(?:[A-Z][\w-]+\s+)?([A-Z]?\d[\d ]*\d\w?)"
)


def _register(label: Label) -> Span | None:
    """A register's number with the register's sign, which belongs to it ("HRB 12345")."""
    found = _REGISTER.search(label.row.text, label.span.start)
    return Span(label.row, *found.span()) if found else None


def _clean_name(text: str) -> str:
    name = re.sub(r"\s+", " ", text).strip(" :：,;|*-–•·")
    return _SALUTATION.sub("", name) if len(name.split()) > 1 else name


def _plausible_name(text: str) -> bool:
    letters = sum(c.isalpha() for c in text)
    if letters < 2 or (letters < 3 and text.isascii()) or len(text) > 120:
        return False
    return letters > 0.45 * sum(not c.isspace() for c in text) and not _CONTACT.search(text)


def _is_address(text: str) -> bool:
    words = {piece.folded for piece in pieces(text)}
    street = any(
        word in lexicon().streets or word.endswith(("strasse", "strase", "weg", "platz", "straat", "laan"))
        for word in words
    )
    return bool(_TOWN.search(text)) or (street and any(c.isdigit() for c in text))


def _has_legal_form(text: str) -> bool:
    forms = lexicon().legal_forms
    words = [piece.folded for piece in pieces(text)]
    pairs = ["".join(words[i : i + n]) for n in (1, 2, 3, 4) for i in range(len(words) - n + 1)]
    return any(pair in forms for pair in pairs[1:] if pair) or any(
        pair in forms for pair in pairs if not pair.isascii()
    )


def _resembles(text: str, domain: str) -> float:
    name = fold(text)
    if len(name) < 3:
        return 0.0
    if domain in name or (len(name) >= 5 and name in domain):
        return 1.0
    first = pieces(text)[0].folded if pieces(text) else ""
    if len(first) >= 4 and (first in domain or domain in first):
        return 0.7
    return 0.5 if fuzz.partial_ratio(name, domain) > 88 and len(domain) >= 6 else 0.0


def _alike(one: str, other: str) -> bool:
    a, b = fold(one), fold(other)
    if not a or not b:
        return False
    short, long = sorted((a, b), key=len)
    return (
        a == b
        or (len(short) >= 5 and short in long and len(short) > 0.5 * len(long))
        or fuzz.ratio(a, b) > 85
    )


def names_of(findings: Sequence[Finding]) -> list[str]:
    """The names among findings."""
    return [str(f.value) for f in findings if f.term in ("seller_name", "buyer_name")]
