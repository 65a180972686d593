"""Labels found in rows: phrases of the lexicon at the places where a label can stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from inference.readers.layout.lexicon import Meaning, Phrases, Piece, lexicon, pieces
from inference.readers.layout.rows import COLUMN_GAP, Row, Span

_MAX_PIECES = 12


@dataclass(frozen=True)
class Label:
    """A phrase on the page with its meanings.

    `leads` says that it starts its segment or follows punctuation, `colon` that a colon follows; `exact` is
    False where OCR errors were forgiven.
    """

    span: Span
    meanings: tuple[Meaning, ...]
    key: str
    leads: bool
    colon: bool
    exact: bool

    @property
    def row(self) -> Row:
        """The row on which it stands."""
        return self.span.row

    @property
    def segment(self) -> Span:
        """The segment of the row in which it ends."""
        return Span(self.row, max(self.span.start, self.span.end - 1), self.span.end).segment

    @property
    def ends_segment(self) -> bool:
        """Whether nothing but punctuation follows in its segment."""
        segment = self.segment
        return not any(c.isalnum() for c in self.row.text[self.span.end : segment.end])

    def weight(self, term: str) -> float:
        """How surely it stands for the term, 0–1."""
        base = next((meaning.weight for meaning in self.meanings if meaning.term == term), 0.0)
        if not base:
            return 0.0
        if not self.leads:
            base *= 0.6
        return base * (1.0 if self.exact else 0.9)

    def means(self, term: str) -> bool:
        """Whether it can stand for the term."""
        return any(meaning.term == term for meaning in self.meanings)


def find_labels(rows: Iterable[Row]) -> dict[int, tuple[Label, ...]]:
    """The labels of each row, by the row's index, from left to right; the longest phrase wins."""
    phrases = lexicon().labels
    return {row.index: _joined(tuple(_compositions(_in_row(row, phrases)))) for row in rows}


_REFERENCES = frozenset(
    {
        "invoice_number",
        "purchase_order_reference",
        "order_number",
        "issue_date",
        "delivery_date",
        "order_date",
    }
)


def _joined(labels: tuple[Label, ...]) -> tuple[Label, ...]:
    """The labels of a row; one with a slash before the next reaches to its end ("P.O./S.O. Number")."""
    found = list(labels)
    for place in reversed(range(len(found) - 1)):
        one, other = found[place], found[place + 1]
        between = one.row.text[one.span.end : other.span.start].replace(".", "").replace(" ", "")
        known = (any(m.term in _REFERENCES for m in label.meanings) for label in (one, other))
        if (
            between in ("/", "&")
            and COLUMN_GAP not in one.row.text[one.span.end : other.span.start]
            and all(known)
        ):
            found[place] = replace(one, span=Span(one.row, one.span.start, other.span.end), colon=other.colon)
    return tuple(found)


_AMOUNT_TERMS = frozenset({"total_without_vat", "total_vat", "total_with_vat", "amount_due"})
_TAKEN_IN = _AMOUNT_TERMS | {"seller_vat_id", "currency"}
COMPOSED = 0.9
"""The weight of a meaning put together from the words of a phrase that the lexicon does not have."""


def _compositions(labels: Iterable[Label]) -> Iterator[Label]:
    """Labels of amounts with the words around them taken in; what they take in is no label of its own."""
    reach = -1
    for label in labels:
        if label.span.start < reach and any(m.term in _TAKEN_IN for m in label.meanings):
            continue
        composed, stop = _composed(label)
        reach = max(reach, stop)
        yield composed


def _composed(label: Label) -> tuple[Label, int]:
    """A label of an amount, its meaning corrected by the words after it, and where those end.

    "Total (excl. VAT)" is a net total.
    """
    if not label.leads or not any(meaning.term in _AMOUNT_TERMS for meaning in label.meanings):
        return label, -1
    text = label.row.text
    segment = label.segment
    stop = segment.end
    for position in range(label.span.end, segment.end):
        if text[position].isdigit() or text[position] in ":：":
            stop = position
            break
    tail = pieces(text[label.span.end : stop])
    if not tail or len(tail) > 7:
        return label, -1
    words = {piece.folded for piece in (*pieces(label.span.text), *tail)}
    term = _compose(words, lexicon().amount_words)
    if term is None:
        return label, -1
    if label.means(term) or not (label.means("total_with_vat") or words & _markers()):
        return label, stop
    return replace(label, meanings=(Meaning(term, COMPOSED),)), stop


def _markers() -> frozenset[str]:
    groups = lexicon().amount_words
    return groups["net"] | groups["gross"] | groups["due"]


def _compose(words: set[str], groups: Mapping[str, frozenset[str]]) -> str | None:
    """The amount that words name together, or None where they name none."""
    has = {name: bool(words & group) for name, group in groups.items()}
    if has["due"]:
        return "amount_due"
    if not has["total"] and not (has["tax"] and not has["net"] and not has["gross"]):
        return None
    if has["net"]:
        return "total_without_vat"
    if has["gross"]:
        return "total_with_vat"
    return "total_vat" if has["tax"] else "total_with_vat"


def find_phrases(row: Row, phrases: Phrases) -> tuple[Label, ...]:
    """The phrases of another part of the lexicon in a row."""
    return tuple(_in_row(row, phrases))


def _in_row(row: Row, phrases: Phrases) -> Iterator[Label]:
    text = row.text
    found = pieces(text)
    position = 0
    while position < len(found):
        match = _longest(text, found, position, phrases, row.ocr)
        if match is None:
            position += 1
            continue
        key, after, exact = _numbered(text, found, match, phrases)
        start, end = found[position].start, found[after - 1].end
        if _in_address(text, start) or "_" in text[max(0, start - 1) : end] or text[end : end + 1] == "_":
            position = after
            continue
        if len(key) < 6 and key[-1:].isascii() and _BOUND.match(text, end):
            position = after
            continue
        before = text[:start].rstrip(" ")
        own = before.rpartition(COLUMN_GAP)[2]
        joined = text[start - 1 : start] in ("-", "/") and text[start - 2 : start - 1].isalnum()
        leads = text[:start].endswith(COLUMN_GAP) or not before[-1:].isalnum() or not _WORD.search(own)
        leads = leads and not joined
        rest = text[end : end + 4].lstrip(" .)")
        yield Label(Span(row, start, end), phrases[key], key, leads, rest[:1] in (":", "："), exact)
        position = after


def _numbered(
    text: str, found: tuple[Piece, ...], match: tuple[str, int, bool], phrases: Phrases
) -> tuple[str, int, bool]:
    """A match with the words for "number" after it taken in."""
    key, after, exact = match
    while after < len(found) and _is_number_word(text, found, after) and _close(text, found, after):
        if exact:
            # All words for "number" mean the same.
            longer = (key + found[after].folded, key + "no", key + "nr")
            key = next((k for k in longer if k in phrases), key)
        after += 1
    return key, after, exact


def _longest(
    text: str, found: tuple[tuple[str, int, int], ...], first: int, phrases: Phrases, ocr: bool
) -> tuple[str, int, bool] | None:
    """The longest phrase from a piece on: its key, the piece after it, whether it matched exactly."""
    if first and found[first - 1][2] == found[first][1] and not _cuts(found[first - 1][0], found[first][0]):
        return None
    key = ""
    best: tuple[str, int, bool] | None = None
    tries: list[tuple[str, int]] = []
    for after in range(first + 1, min(len(found), first + _MAX_PIECES) + 1):
        gap = after - 1 > first and COLUMN_GAP in text[found[after - 2][2] : found[after - 1][1]]
        # Preprinted ideographs are spread over their column.
        if gap and (found[after - 1][0].isascii() or found[after - 2][0].isascii()):
            break
        key += found[after - 1][0]
        if len(key) > lexicon().longest + 2:
            break
        if (
            after < len(found)
            and found[after - 1][2] == found[after][1]
            and not _cuts(found[after - 1][0], found[after][0])
        ):
            continue
        if text[found[after - 1][2] : found[after - 1][2] + 1] in _ELISIONS and len(found[after - 1][0]) == 1:
            # "Date d'expiration" is not "dated".
            continue
        if key in phrases:
            best = (key, after, True)
        elif ocr and len(key) >= 6 and not key.isdigit():
            tries.append((key, after))
    if best is None and tries:
        for key, after in reversed(tries):
            if key in lexicon().labels:
                continue  # a word that is known is not misread: "Invoice" is not "Invoiced"
            if near := _nearest(key, id(phrases)):
                return near, after, False
    return best


_WORD = re.compile(r"[^\W\d_]{3,}")
_BOUND = re.compile(r"\d|[-/]\d+(?![\d.,]*[.,]\d|\s?%)")
"""What makes a short word part of a number: digits, or a dash and digits that are no amount ("GST-3425")."""
_NUMBER_WORDS = frozenset(
    {"no", "nr", "nro", "number", "num", "nummer", "#", "numero", "id", "cislo", "szam", "stevilka"}
)
_ELISIONS = frozenset("'’")
_DEGREES = frozenset("*\"'”’°º")


def _is_number_word(text: str, found: Sequence[Piece], position: int) -> bool:
    """Whether a piece says that a number follows; "n" does with what OCR makes of a degree sign."""
    piece = found[position]
    return piece.folded in _NUMBER_WORDS or (
        piece.folded == "n" and text[piece.end : piece.end + 1] in _DEGREES
    )


def _close(text: str, found: tuple[tuple[str, int, int], ...], position: int) -> bool:
    """Whether a piece follows the one before it after a blank or a dot only."""
    return text[found[position - 1][2] : found[position][1]].strip(" .") == "" and (
        COLUMN_GAP not in text[found[position - 1][2] : found[position][1]]
    )


def _in_address(text: str, start: int) -> bool:
    """Whether a place in the text lies within an e-mail address or a website's name."""
    word = text[text.rfind(" ", 0, start) + 1 : (text.find(" ", start) + 1 or len(text) + 1) - 1]
    return "@" in word or "://" in word or word.lower().startswith("www.")


def _cuts(left: str, right: str) -> bool:
    """Whether two pieces that touch can belong to different words: letters and digits, or ideographs."""
    return left.isdigit() != right.isdigit() or not left.isascii() or not right.isascii()


_known: dict[int, tuple[Phrases, dict[str, list[str]]]] = {}


@lru_cache(maxsize=20_000)
def _nearest(key: str, table: int) -> str | None:
    """The phrase of the lexicon's table within one OCR error of the key, two for long ones."""
    if table not in _tables():
        return None
    by_start = _tables()[table][1]
    allowed = 1 if len(key) < 11 else 2
    candidates = (
        by_start.get(key[0], []) if len(key) < 9 else [*by_start.get(key[0], []), *by_start.get(key[1:2], [])]
    )
    match = process.extractOne(key, candidates, scorer=Levenshtein.distance, score_cutoff=allowed)
    return match[0] if match else None


def _tables() -> dict[int, tuple[Phrases, dict[str, list[str]]]]:
    if not _known:
        words = lexicon()
        for phrases in (words.labels, words.titles, words.columns, words.signs, words.exemptions):
            by_start: dict[str, list[str]] = {}
            for key in phrases:
                if len(key) >= 6:
                    by_start.setdefault(key[0], []).append(key)
            _known[id(phrases)] = (phrases, by_start)
    return _known
