"""Names that could be a party's: every text of the first and last pages, and what it looks like where it stands.

The marks of a nominee are figures, the same for every bill: where it stands, what surrounds it, how it is
written. The scorer learns from them who sells and who buys; nothing here names a vendor or a form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from inference.confidence import Features
from inference.invoice import DocumentType
from inference.readers.layout.blocks import Blocks, wrapped_name
from inference.readers.layout.candidates import Finding
from inference.readers.layout.doctype import find_document_type
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label, find_phrases
from inference.readers.layout.lexicon import fold, lexicon
from inference.readers.layout.names import (
    CONTACT,
    CONTACT_AFTER,
    HOUSE_LAST,
    ONLY_SALUTATION,
    POSTCODE,
    SALUTATION,
    SEPARATOR,
    SIGNED,
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
from inference.readers.layout.party_rules import PartyRules
from inference.readers.layout.rows import Row, Span

MOST = 160
"""Nominees of one document: a bill names its parties long before."""

_HOST = re.compile(r"(?:@|www\.|https?://(?:www\.)?)([\w-]+(?:\.[\w-]+)*)\.\w{2,}")
_MAIL_HOSTS = frozenset(
    ("gmail", "gmx", "web", "hotmail", "yahoo", "outlook", "tonline", "icloud", "google", "facebook")
)
LETTERHEAD: Mapping[str, float] = MappingProxyType(
    {
        "legal_form": 0.3,  # GmbH, Ltd, 有限公司
        "company": 0.15,  # that, or a word such as "hotel"
        "domain": 0.4,  # resembles the host of an address on the page
        "sender": 0.4,  # begins a line "name, street, town"
        "address": -0.5,  # a street, a postcode
        "figures": -0.6,  # an amount or a date beside it
        "label": -0.7,  # words of the lexicon of labels or titles
        "buyer_block": -0.7,
        "other_block": -0.7,
    }
)
"""What speaks for a text as the seller's name in a letterhead, before anything is learned."""

_FAR = 6.0
"""What a count of lines says where there is nothing to count."""


@dataclass(frozen=True)
class Nominees:
    """The nominees of one document as Findings of no term yet, with their marks."""

    context: Context
    blocks: Blocks
    rules: PartyRules

    def all(self) -> list[Finding]:
        """The nominees in reading order, at most `MOST`."""
        found: list[Finding] = []
        taken: set[tuple[int, int]] = set()
        order = 0
        for row in self._rows():
            for segment in row.segments:
                for piece, sender in self._pieces(segment):
                    text = clean_name(piece.text)
                    wrapped = None if sender else wrapped_name(self.context.sheet, piece)
                    if wrapped:
                        text += joint(text) + clean_name(wrapped.text)
                    place = (row.index, piece.start)
                    if not plausible_name(text) or place in taken or ONLY_SALUTATION.match(text):
                        continue
                    taken.add(place)
                    found.append(self._nominee(text, piece, wrapped, sender, order))
                    order += 1
            if len(found) >= MOST:
                break
        return found

    def _rows(self) -> Iterator[Row]:
        """The rows of the first two pages and of the last, headings of the table left out."""
        sheet = self.context.sheet
        for page in sorted({1, 2, sheet.pages}):
            for row in sheet.on_page(page):
                if row.index not in self.context.headings:
                    yield row

    def _pieces(self, segment: Span) -> Iterator[tuple[Span, bool]]:
        """The parts of a segment that can be a name, and whether it begins a sender's line.

        The part before a street and a town, the part after a label, else all of it.
        """
        first, sender = sender_of(segment)
        headed = [s for s in self._headed if s.row is segment.row and segment.start <= s.start < segment.end]
        labels = [
            lb.span.end for lb in _starting_in(segment, self.context.of(segment.row)) if lb.colon and lb.leads
        ]
        signed = SIGNED.match(segment.text)
        contact = CONTACT_AFTER.search(segment.text)
        if signed:
            yield Span(segment.row, segment.start + signed.end(), segment.end), False
        elif contact and not headed and not labels:
            yield Span(segment.row, segment.start, segment.start + contact.start()), False
        elif sender or not (headed or labels):
            yield first, sender
        for span in headed:
            yield span, False
        if labels and not headed:
            rest = segment.row.text[labels[-1] : segment.end]
            lead = len(rest) - len(rest.lstrip(" :：.-"))
            if lead < len(rest):
                yield Span(segment.row, labels[-1] + lead, segment.end), False

    @cached_property
    def _headed(self) -> dict[Span, dict[str, float]]:
        """The texts that headings of parties name, each with its best score by role."""
        found: dict[Span, dict[str, float]] = {}
        for role in ("seller", "buyer", "other"):
            for span, score in self.blocks.named(role):
                marks = found.setdefault(span, {})
                marks[role] = max(marks.get(role, 0.0), score)
        return found

    def _headed_at(self, piece: Span, role: str) -> float:
        return max(
            (
                marks.get(role, 0.0)
                for span, marks in self._headed.items()
                if span.row is piece.row and piece.start <= span.start < piece.end
            ),
            default=0.0,
        )

    def _nominee(self, text: str, piece: Span, wrapped: Span | None, sender: bool, order: int) -> Finding:
        spans = (piece, wrapped) if wrapped else (piece,)
        marks = self._place(piece, order) | self._writing(text, piece) | self._surroundings(text, piece)
        marks["sender"] = float(sender)
        marks["address"] = float(not sender and is_address(text))
        marks |= self._by_rule(text)
        marks["letterhead"] = sum(weight * marks[name] for name, weight in LETTERHEAD.items()) + (
            0.35 * max(0.0, 1 - order / 10) * (piece.row.page == 1 and marks["top"] < 0.3)
            + 0.25 * (marks["large"] > 1.4 and marks["top"] < 0.4)
            + 0.25 * (marks["tax_id"] <= 4)
            - 0.4 * (len(text) > 60)
        )
        marks |= _together(marks)
        features = Features(label=0.5, relation=0.5, ocr=piece.score, scanned=float(piece.row.ocr))
        return Finding("", text, spans, 0.0, features, text, marks=marks)

    def _by_rule(self, text: str) -> dict[str, float]:
        """Whether rules alone take it for the seller's or the buyer's name."""
        seller, buyer = self._ruled
        return {
            "rule_seller": float(bool(seller) and alike(text, str(seller))),
            "rule_buyer": float(bool(buyer) and alike(text, str(buyer))),
        }

    @cached_property
    def _ruled(self) -> tuple[str, str]:
        found = (self.rules.seller(), self.rules.buyer)
        return tuple(str(f.value) if f else "" for f in found)  # type: ignore[return-value]

    def _place(self, piece: Span, order: int) -> dict[str, float]:
        """Where it stands on the page, and in which party's block."""
        row = piece.row
        role = self.blocks.role_at(piece)
        return {
            "page": float(min(3, row.page)),
            "last_page": float(row.page == self.context.sheet.pages),
            "top": row.middle / row.page_height,
            "left": piece.x0 / row.width,
            "off_centre": abs((piece.x0 + piece.x1) / 2 / row.width - 0.5),
            "order": min(40.0, float(order)),
            "narrow": float(row.width < 0.62 * row.page_height),
            "rows": min(120.0, float(len(self.context.sheet.rows))),
            "columns": float(len(row.segments)),
            "seller_heading": self._headed_at(piece, "seller"),
            "buyer_heading": self._headed_at(piece, "buyer"),
            "other_heading": self._headed_at(piece, "other"),
            "seller_block": float(role == "seller"),
            "buyer_block": float(role == "buyer"),
            "other_block": float(role == "other"),
            "has_seller_heading": float("seller" in self._roles),
            "has_buyer_heading": float("buyer" in self._roles),
            "form": float(bool(self.blocks.fapiao_names)),
            "order_of_buyer": self._order_of_buyer,
        }

    @cached_property
    def _order_of_buyer(self) -> float:
        """The chance that the document is an order, whose letterhead is the buyer's."""
        kind = find_document_type(self.context)
        return kind.score if kind and kind.value == DocumentType.ORDER else 0.0

    def _writing(self, text: str, piece: Span) -> dict[str, float]:
        """How it is written."""
        words = text.split()
        letters = [c for c in text if c.isalpha()]
        height = max(w.height for w in piece.words)
        lone = not has_legal_form(text) and 2 <= len(words) <= 3 and text.replace(" ", "").isalpha()
        return {
            "large": min(4.0, height / self._usual_height),
            "largest": float(height >= 0.95 * self._largest and height > 1.25 * self._usual_height),
            "letters": min(60.0, float(len(letters))),
            "words": min(12.0, float(len(words))),
            "capitals": sum(c.isupper() for c in letters) / max(1, len(letters)),
            "titled": sum(w[:1].isupper() for w in words) / max(1, len(words)),
            "house_last": float(bool(HOUSE_LAST.search(text))),
            "digits": sum(c.isdigit() for c in text) / len(text),
            "odd": sum(not c.isalnum() and c not in " .,&'-" for c in text) / len(text),
            "ideographs": float(not any(c.isascii() for c in letters)),
            "legal_form": float(has_legal_form(text)),
            "company": float(names_a_company(text)),
            "person": float(lone and all(w[:1].isupper() for w in words) and not names_a_company(text)),
            "salutation": float(bool(SALUTATION.match(piece.text))),
            "label": float(self._names_something(piece)),
            "told": told(text),
            "sentence": float(
                (text.rstrip().endswith((".", "!", "?", ":")) and not names_a_company(text)) or len(words) > 7
            ),
            "ocr": piece.score,
            "scanned": float(piece.row.ocr),
        }

    def _surroundings(self, text: str, piece: Span) -> dict[str, float]:
        """What stands around it, and where it stands again."""
        row = piece.row
        folded = fold(text)
        town, contact, below = self._below(piece)
        again = (
            [r for r, words in self._folded if folded in words and r is not row] if len(folded) > 3 else []
        )
        return {
            "domain": max((resembles(text, host) for host in self._hosts), default=0.0),
            "buyer_domain": max((resembles(text, host) for host in self._buyer_hosts), default=0.0),
            "tax_id": min([_FAR * 2, *(float(abs(row.index - proof)) for proof in self._proofs)]),
            "figures": float(self._has_figures(piece.segment)),
            "town_below": town,
            "contact_below": contact,
            "lines_below": below,
            "lines_above": self._above(piece),
            "repeated": min(4.0, float(len(again))),
            "at_foot": float(any(r.middle > 0.75 * r.page_height for r in again)),
            "under_label": float(self._under_label(piece)),
            "under_name": float(self._name_beside(piece, up=True)),
            "over_name": float(self._name_beside(piece, up=False)),
            "under_colon": float(self._under_colon(piece)),
            "name_label": float(self._after_name_label(piece)),
            "signed": float(bool(SIGNED.match(piece.segment.text))),
            "street_below": float(self._street_below(piece)),
            "in_table": float(self._in_table(row)),
            "below_table": float(row.index > self.blocks.tables.get(row.page, (0, 10**9))[1]),
        }

    @cached_property
    def _roles(self) -> frozenset[str]:
        return frozenset(role for marks in self._headed.values() for role in marks)

    @cached_property
    def _usual_height(self) -> float:
        heights = sorted(row.height for row in self.context.sheet.rows)
        return heights[len(heights) // 2] if heights else 10.0

    @cached_property
    def _largest(self) -> float:
        rows = self.context.sheet.on_page(1)
        return max(
            (w.height for row in rows for w in row.words if any(map(str.isalpha, w.text))), default=10.0
        )

    @cached_property
    def _folded(self) -> list[tuple[Row, str]]:
        return [(row, fold(row.text)) for row in self.context.sheet.rows]

    @cached_property
    def _proofs(self) -> frozenset[int]:
        values = self.context.values
        return frozenset(at.span.row.index for at in (*values.vat_ids, *values.ibans))

    @cached_property
    def _all_hosts(self) -> list[tuple[str, str]]:
        """The names of hosts in addresses on the net, each with the role of its block."""
        found: list[tuple[str, str]] = []
        for row in self.context.sheet.rows:
            for match in _HOST.finditer(row.text.casefold()):
                core = fold(match[1].split(".")[-1])
                if len(core) >= 3 and core not in _MAIL_HOSTS:
                    found.append((core, self.blocks.role_at(Span(row, match.start(), match.end()))))
        return found

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(host for host, role in self._all_hosts if role != "buyer")

    @cached_property
    def _buyer_hosts(self) -> frozenset[str]:
        return frozenset(host for host, role in self._all_hosts if role == "buyer")

    def _below(self, piece: Span) -> tuple[float, float, float]:
        """Lines down to a town and to a telephone or mail address in the same block, and lines of the block."""
        town = contact = _FAR
        count = 0.0
        last = piece
        for row in self.context.sheet.below(piece.row, 9 * piece.row.height):
            if row.middle - last.row.middle > 2.2 * max(piece.row.height, last.row.height) or count >= _FAR:
                break
            same = next((s for s in row.segments if _aligned(s, piece)), None)
            if same is None:
                continue
            count += 1
            if TOWN.search(same.text) or (POSTCODE.search(same.text) and count > 1):
                town = min(town, count)
            if CONTACT.search(same.text):
                contact = min(contact, count)
            last = same
        if TOWN.search(piece.segment.text[piece.end - piece.segment.start :]):
            town = 0.0
        return town, contact, count

    def _above(self, piece: Span) -> float:
        """Lines of the same block above."""
        count = 0.0
        last = piece
        for row in reversed(self.context.sheet.rows[max(0, piece.row.index - 12) : piece.row.index]):
            if row.page != piece.row.page or last.row.middle - row.middle > 2.2 * last.row.height:
                break
            if same := next((s for s in row.segments if _aligned(s, piece)), None):
                count += 1
                last = same
        return min(_FAR, count)

    def _name_beside(self, piece: Span, up: bool) -> bool:
        """Whether the next line of the block, above or below, could be a name too: a company and its contact."""
        rows, row = self.context.sheet.rows, piece.row
        near = (
            reversed(rows[max(0, row.index - 3) : row.index]) if up else rows[row.index + 1 : row.index + 4]
        )
        for other in near:
            apart = abs(other.middle - row.middle)
            if other.page != row.page or apart > 1.9 * row.height or apart < 0.5 * row.height:
                continue
            if same := next((s for s in other.segments if abs(s.x0 - piece.x0) < 0.5 * row.height), None):
                text = clean_name(same.text)
                plain = plausible_name(text) and not any(c.isdigit() for c in text) and len(text) < 45
                plain = plain and not ONLY_SALUTATION.match(same.text)
                return plain and not self._names_something(same) and not is_address(text)
        return False

    def _under_label(self, piece: Span) -> bool:
        """Whether the line above in its column is a label that ends there."""
        row = piece.row
        for above in reversed(self.context.sheet.rows[max(0, row.index - 4) : row.index]):
            if above.page != row.page or row.middle - above.middle > 2.5 * row.height:
                return False
            for label in self.context.of(above):
                if label.leads and abs(label.span.x0 - piece.x0) < row.height and label.ends_segment:
                    return True
        return False

    def _under_colon(self, piece: Span) -> bool:
        """Whether the line above in its column is a heading by its colon, in whatever language."""
        row = piece.row
        for above in reversed(self.context.sheet.rows[max(0, row.index - 3) : row.index]):
            if above.page != row.page or row.middle - above.middle > 3.5 * row.height:
                return False
            if found := next((s for s in above.segments if abs(s.x0 - piece.x0) < row.height), None):
                return found.text.rstrip().endswith((":", "：")) and len(found.text.split()) <= 4
        return False

    def _after_name_label(self, piece: Span) -> bool:
        """Whether a "Name:" stands before it, be it in no party's block."""
        before = [lb for lb in self.context.of(piece.row) if lb.span.end <= piece.start]
        return bool(before) and before[-1].means("party_name") and before[-1].colon

    def _street_below(self, piece: Span) -> bool:
        """Whether the next line of its block has a house number or names a street."""
        for row in self.context.sheet.below(piece.row, 2.4 * piece.row.height):
            if found := next((s for s in row.segments if _aligned(s, piece)), None):
                text = found.text
                numbered = any(c.isdigit() for c in text) and sum(c.isalpha() for c in text) >= 4
                return is_address(text) or (numbered and told(text) < 0.4 and not CONTACT.search(text))
        return False

    def _in_table(self, row: Row) -> bool:
        first, last = self.blocks.tables.get(row.page, (0, -1))
        return first <= row.index <= last

    def _has_figures(self, segment: Span) -> bool:
        values = self.context.values
        places = [at.span for at in values.numbers(segment.row) if at.money]
        places += [at.span for at in values.dates(segment.row)]
        return any(segment.start <= place.start < segment.end for place in places)

    def _names_something(self, piece: Span) -> bool:
        """Whether it is words of the lexicon rather than a name."""
        labels = _starting_in(piece, self.context.of(piece.row))
        titles = _starting_in(piece, find_phrases(piece.row, lexicon().titles))
        covered = sum(len(lb.key) for lb in (*labels, *titles) if lb.leads)
        told = any(lb.colon and lb.leads for lb in labels)
        return told or covered > 0.5 * sum(c.isalnum() for c in piece.text)


def _together(m: Mapping[str, float]) -> dict[str, float]:
    """Marks that only together say something."""
    near = float(m["town_below"] <= 4)
    first = float(m["lines_above"] == 0)
    opens = float(bool(first or m["under_label"]))
    upper = float(m["top"] < 0.3 and m["page"] == 1)
    window = near * opens * (m["top"] < 0.42) * (m["page"] == 1) * (1 - m["sender"])
    top_rows = max(0.0, 1 - m["order"] / 10) * (m["page"] == 1)
    return {
        "town_near": near,
        "first_line": first,
        "block_start": near * first,
        "block_second": near * (m["lines_above"] == 1),
        "window": window,
        "window_left": window * (m["left"] < 0.35),
        "window_right": window * (m["left"] > 0.5),
        "window_unheaded": window * (1 - m["has_buyer_heading"]),
        "first": float(m["order"] == 0),
        "top_rows": top_rows,
        "upper": upper,
        "low": float(m["top"] > 0.8),
        "contact_near": float(m["contact_below"] <= 4),
        "tax_near": float(m["tax_id"] <= 4),
        "named_buyer": float(m["buyer_heading"] > 0.3),
        "named_seller": float(m["seller_heading"] > 0.3),
        "opens_buyer": m["buyer_block"] * opens,
        "opens_seller": m["seller_block"] * opens,
        "legal_town": m["legal_form"] * near,
        "legal_upper": m["legal_form"] * upper,
        "domain_upper": m["domain"] * upper,
        "large_upper": m["large"] * upper,
        "narrow_top": m["narrow"] * top_rows,
        "narrow_town": m["narrow"] * near,
        "narrow_large": m["narrow"] * m["largest"],
        "narrow_domain": m["narrow"] * m["domain"],
        "person_under": m["person"] * m["under_name"],
        "over_person": m["over_name"] * (1 - m["person"]) * (m["told"] < 0.5),
        "order_letterhead": m["order_of_buyer"] * max(0.0, m["letterhead"]) * upper,
        "order_headed": m["order_of_buyer"] * max(m["seller_heading"], m["buyer_heading"]),
        "order_window": m["order_of_buyer"] * window,
        "foot_company": m["company"] * (m["top"] > 0.8),
        "foot_domain": m["domain"] * (m["top"] > 0.8),
        "block_street": opens * m["street_below"] * (1 - m["told"]),
        "unplaced": m["below_table"] * (1 - m["legal_form"]),
        "long": float(m["letters"] > 35),
        "short": float(m["letters"] < 4),
    }


def sender_of(segment: Span) -> tuple[Span, bool]:
    """The first part of a line that strings name, street and town together, and whether it is one."""
    text = segment.text
    parts = SEPARATOR.split(text)
    rest = parts[1:]
    numbered = sum(any(c.isdigit() for c in part) for part in rest)
    town = any(TOWN.search(part) or POSTCODE.search(part) for part in rest)
    if len(rest) < 2 or numbered < 2 or not town or any(c.isdigit() for c in parts[0]):
        return segment, False
    end = segment.start + len(parts[0])
    # "Name, Inc." and "Name Ltda - ME" keep their legal forms.
    for part in parts[1:-1]:
        if fold(part) not in lexicon().legal_forms and fold(part) not in ("me", "epp"):
            break
        end = text.index(part, end - segment.start) + len(part) + segment.start
    return Span(segment.row, segment.start, end), True


def _starting_in(piece: Span, labels: tuple[Label, ...]) -> list[Label]:
    return [lb for lb in labels if piece.start <= lb.span.start < piece.end]


def _aligned(one: Span, other: Span) -> bool:
    """Whether two texts share a left side or a centre, as lines of one block do."""
    slack = 0.8 * other.row.height
    return abs(one.x0 - other.x0) < slack or abs(one.x0 + one.x1 - other.x0 - other.x1) < slack
