"""The heading of a table of lines: which row names the columns, and what each column holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.readers.layout.candidates import Values
from inference.readers.layout.labels import find_phrases
from inference.readers.layout.lexicon import Meaning, fold, lexicon, pieces
from inference.readers.layout.rows import Row, Sheet

AMOUNTS = ("line_net_amount", "line_total_with_vat")
NUMERIC = frozenset(
    {"quantity", "net_price", "gross_price", "discount", "vat_rate", "vat_amount", "line_id", *AMOUNTS}
)
_SHARED = frozenset({"line_order_reference", "purchase_order_line"})
"""Headings that rows of the whole document's references have, too: they make no table of lines."""

_TELLING = frozenset({"item_name", "quantity", "net_price"})


_OF_HEADER = frozenset(
    {
        "invoice_number",
        "issue_date",
        "due_date",
        "order_number",
        "order_date",
        "purchase_order_reference",
        "amount_due",
        "party_buyer",
        "party_seller",
    }
)
"""Terms of the document's header: a row that names several of them is no heading of lines."""

_CAPTIONS = 2


@dataclass
class Cell:
    """A heading of a column: its text, its sides in points, and what it can mean."""

    text: str
    x0: float
    x1: float
    meanings: tuple[Meaning, ...]

    def add(self, text: str, x0: float, x1: float, above: bool) -> None:
        """Join a wrapped part of the heading from the row above or below."""
        self.text = f"{text} {self.text}" if above else f"{self.text} {text}"
        self.x0, self.x1 = min(self.x0, x0), max(self.x1, x1)
        self.meanings = lexicon().columns.get(fold(self.text), self.meanings)


@dataclass(frozen=True)
class Column:
    """A column of the table and the sides of its heading in points."""

    role: str
    x0: float
    x1: float


@dataclass(frozen=True)
class Heading:
    """The rows of a heading (their indices), the columns from left to right, and the page where they begin.

    A table without a heading has the row before its first one, −1 for none.
    """

    rows: tuple[int, ...]
    columns: tuple[Column, ...]
    score: float
    page: int

    @property
    def left(self) -> float:
        """Where the first column that means something begins, in points; print may stand left of the table."""
        return min(column.x0 for column in self.columns if column.role != "other")


def find_headings(sheet: Sheet, values: Values) -> list[Heading]:
    """All rows that can be headings of a table of lines, top to bottom."""
    tried = (_heading_at(sheet, values, row) for row in sheet.rows if len(row.segments) > 1)
    found: list[Heading] = []
    taken: set[int] = set()
    for heading in sorted((h for h in tried if h), key=lambda h: -h.score):
        if not taken & set(heading.rows):
            found.append(heading)
            taken.update(heading.rows)
    return sorted(found, key=lambda h: h.rows[0])


def _heading_at(sheet: Sheet, values: Values, row: Row) -> Heading | None:
    cells = _cells(row)
    named = [cell for cell in cells if any(meaning.term not in _SHARED for meaning in cell.meanings)]
    if len(named) < 2 or any(at.money for at in values.numbers(row)) or values.dates(row):
        return None
    letters = sum(c.isalnum() for c in row.text)
    covered = sum(c.isalnum() for cell in named for c in cell.text)
    if covered < (0.35 if len(named) > 2 else 0.5) * letters:
        return None
    if _of_header(row, named):
        return None
    rows = [row.index]
    for step in (-1, 1):
        near = row
        for _ in range(2):
            index = near.index + step
            if not 0 <= index < len(sheet.rows):
                break
            other = sheet.rows[index]
            if not _wraps(cells, near, other, values):
                break
            _join(cells, other, above=step < 0)
            rows.append(index)
            near = other
    columns = _roles(cells)
    roles = {column.role for column in columns}
    if not roles & set(AMOUNTS) and not {"quantity"} <= roles:
        return None
    if not roles & _TELLING or len(roles) < 2 or len(named) < 3 - ("item_name" in roles):
        return None
    score = len(roles) + 2 * bool(roles & {"item_name"}) + 2 * bool(roles & set(AMOUNTS))
    return Heading(tuple(sorted(rows)), tuple(columns), score + covered / max(1, letters), row.page)


def _of_header(row: Row, named: Sequence[Cell]) -> bool:
    """Whether a row is one of captions of the document's own data, or has its title beside other things."""
    captions = 0
    for label in find_phrases(row, lexicon().labels):
        if len(label.key) > _SHORT and not any(label.key == fold(cell.text) for cell in named):
            captions += any(m.term in _OF_HEADER and m.weight >= _STRONG for m in label.meanings)
    telling = any(m.term in _TELLING or m.term in AMOUNTS for cell in named for m in cell.meanings)
    if captions >= (_CAPTIONS if telling else 1):
        return True
    titles = [fold(segment.text) for segment in row.segments]
    return len(named) <= _FEW and any(title in lexicon().titles for title in titles)


_PER_UNITS = re.compile(r"\s*/\s*\d+$")
"""How many units a price is for, behind its heading: "Preis/100"."""

_SHORT = 4
_STRONG = 0.9
_FEW = 3


def _cells(row: Row) -> list[Cell]:
    """The column headings of a row: matched phrases, and segments that none matches."""
    columns = lexicon().columns
    cells: list[Cell] = []
    labels = find_phrases(row, columns)
    for segment in row.segments:
        inside = [label for label in labels if segment.start <= label.span.start < segment.end]
        key = fold(_PER_UNITS.sub("", segment.text))
        if key in columns:
            cells.append(Cell(segment.text, segment.x0, segment.x1, columns[key]))
        elif inside:
            cells += [Cell(lb.span.text, lb.span.x0, lb.span.x1, columns[lb.key]) for lb in inside]
        else:
            cells.append(Cell(segment.text, segment.x0, segment.x1, ()))
    return cells


def _wraps(cells: Sequence[Cell], near: Row, other: Row, values: Values) -> bool:
    """Whether a neighbouring row continues the heading: close, no figures, and each piece is a column's word."""
    close = abs(other.middle - near.middle) < 1.9 * near.height and other.page == near.page
    if values.dates(other):
        return False
    if not close or any(at.number.places or at.number.value > 9 for at in values.numbers(other)):
        return False
    columns = lexicon().columns
    known = 0
    above = other.middle < near.middle
    for segment in other.segments:
        key = fold(segment.text)
        over = [cell for cell in cells if _overlap(cell.x0, cell.x1, segment.x0, segment.x1) > 0]
        joined = any(
            fold(f"{segment.text} {c.text}" if above else f"{c.text} {segment.text}") in columns for c in over
        )
        inside = find_phrases(other, columns)
        named = [lb for lb in inside if segment.start <= lb.span.start < segment.end]
        # A sentence above the table may hold a column's word.
        matched = sum(len(lb.key) for lb in named) > (0.6 * len(key) if above else 0)
        known += key in columns or joined or matched
    if other.middle < near.middle:
        short = all(len(segment.text) <= 16 for segment in other.segments)
        plain = short and not any(c.isdigit() for c in other.text)
        return known == len(other.segments) or (plain and known > 0 and known * 3 >= len(other.segments))
    return known * 2 >= len(other.segments) + (len(other.segments) > 1)


def _join(cells: list[Cell], other: Row, above: bool) -> None:
    for new in _cells(other):
        over = [c for c in cells if _overlap(c.x0, c.x1, new.x0, new.x1) > 0]
        if over:
            best = max(over, key=lambda c: _overlap(c.x0, c.x1, new.x0, new.x1))
            if not best.meanings:
                best.meanings = new.meanings
            best.add(new.text, new.x0, new.x1, above)
        else:
            cells.append(new)


def _overlap(a0: float, a1: float, b0: float, b1: float) -> float:
    return min(a1, b1) - max(a0, b0)


def _choice(cell: Cell, place: int) -> tuple[int, int, int]:
    """The order in which headings choose: few meanings first, then the right one of two amounts, then long ones."""
    amount = any(meaning.term in AMOUNTS for meaning in cell.meanings)
    return len(cell.meanings) or 99, -place if amount else 0, -len(fold(cell.text))


def _is_price_of_two(cell: Cell) -> bool:
    """Whether a heading of an amount begins with a word for a price."""
    first = next(iter(pieces(cell.text)), None)
    meanings = lexicon().columns.get(first.folded, ()) if first else ()
    amount = any(meaning.term in AMOUNTS for meaning in cell.meanings)
    return amount and any(meaning.term == "net_price" for meaning in meanings)


def _roles(cells: Iterable[Cell]) -> list[Column]:
    """One role per cell: cells with one meaning first; of two amounts the right one is the line's."""
    ordered = sorted(cells, key=lambda c: c.x0)
    roles: dict[int, str] = {}
    used: set[str] = set()
    by_choice = sorted(range(len(ordered)), key=lambda i: _choice(ordered[i], i))
    for i in by_choice:
        options = [m.term for m in ordered[i].meanings]
        role = next((option for option in options if option not in used), "other")
        if role == "other" and "item_name" in options and "item_seller_id" not in used:
            # "Description … Article": the second one is the article's number.
            role = "item_seller_id"
        elif role == "other" and "net_price" not in used and _is_price_of_two(ordered[i]):
            # Of two headings of one amount ("Prix HT … Montant HT") the one that says so is the price.
            role = "net_price"
        roles[i] = role
        if role != "other":
            used.add(role)
    if "item_name" not in used:
        for i, cell in enumerate(ordered):
            if roles[i] in ("line_id", "item_seller_id") and any(
                m.term == "item_name" for m in cell.meanings
            ):
                roles[i] = "item_name"
                break
    if "item_name" not in roles.values() and {"quantity", "net_price"} <= used:
        # A heading in words that the lexicon lacks: the widest one is over the descriptions.
        plain = [i for i, cell in enumerate(ordered) if roles[i] == "other" and not cell.meanings]
        if plain:
            roles[max(plain, key=lambda i: ordered[i].x1 - ordered[i].x0)] = "item_name"
    return [Column(roles[i], cell.x0, cell.x1) for i, cell in enumerate(ordered)]
