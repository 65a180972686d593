"""Tables without a heading: rows whose figures prove themselves, quantity × price = amount, one above the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from inference.readers.layout.candidates import NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.headings import Column, Heading
from inference.readers.layout.lines import agrees, is_total
from inference.readers.layout.rows import Row

SCORE = 3.0
"""What a table without a heading is worth beside those that have one."""

_NEAR = 1.5
"""How far, in letter heights, the sides of figures of one column may lie apart."""


_ROWS = 2
"""So many rows of one piece each prove a table."""


@dataclass(frozen=True)
class _Proved:
    """A row with its quantity, price and amount."""

    row: Row
    figures: tuple[NumberAt, NumberAt, NumberAt]

    @property
    def telling(self) -> bool:
        """Whether its arithmetic is no accident, as 1 × 5 = 5 may be."""
        quantity, price, _ = self.figures
        return quantity.number.value != 1 and price.number.value != 1


def find_unheaded(context: Context) -> list[Heading]:
    """The tables without a heading as headings of no rows of their own, the one with the most lines first."""
    rows = [proved for row in context.sheet.rows if (proved := _proved(context, row))]
    groups: list[list[_Proved]] = []
    for proved in rows:
        known = next((group for group in groups if _above(group[-1], proved)), None)
        if known is None:
            groups.append([proved])
        else:
            known.append(proved)
    sure = [g for g in groups if any(p.telling for p in g) or _of_ones(g)]
    return [_heading(context, group) for group in sorted(sure, key=len, reverse=True)[:2]]


def _of_ones(group: Sequence[_Proved]) -> bool:
    """Whether several rows have one piece each, at several prices: equal columns of price and amount."""
    ones = all(proved.figures[0].number.value == 1 for proved in group)
    return ones and len({proved.figures[1].number.value for proved in group}) >= _ROWS


def _proved(context: Context, row: Row) -> _Proved | None:
    numbers = [at for at in context.values.numbers(row) if not at.number.percent]
    letters = sum(c.isalpha() for c in row.text)
    if not 3 <= len(numbers) <= 8 or letters < 3 or is_total(context, row):
        return None
    for quantity, price, amount in _triples(numbers):
        values = (quantity.number.value, price.number.value, amount.number.value)
        if values[2] and agrees(*values):
            return _Proved(row, (quantity, price, amount))
    return None


def _triples(numbers: Sequence[NumberAt]) -> Iterator[tuple[NumberAt, NumberAt, NumberAt]]:
    """Amounts from the right, with the figures before them as quantity and price in either order."""
    for place in range(len(numbers) - 1, 1, -1):
        amount = numbers[place]
        if not amount.money:
            continue
        for quantity, price in permutations(numbers[:place], 2):
            whole = quantity.number.places == 0 or price.money
            if price.number.places and not quantity.number.currency and whole:
                yield quantity, price, amount


def _above(one: _Proved, other: _Proved) -> bool:
    """Whether the amounts of two rows, and one more figure, stand above each other."""
    near = _NEAR * one.row.height
    ends = [abs(a.span.x1 - b.span.x1) < near for a, b in zip(one.figures, other.figures, strict=True)]
    return ends[2] and (ends[0] or ends[1]) and other.row.page - one.row.page < 2


def _heading(context: Context, group: Sequence[_Proved]) -> Heading:
    columns: list[Column] = []
    for place, role in enumerate(("quantity", "net_price", "line_net_amount")):
        spans = [proved.figures[place].span for proved in group]
        columns.append(Column(role, min(s.x0 for s in spans), max(s.x1 for s in spans)))
    first = group[0].row
    left = min(proved.row.x0 for proved in group)
    counted = [
        proved.row.segments[0] for proved in group if proved.row.segments[0].text.strip(" .").isdigit()
    ]
    if len(counted) > 1 and len(counted) >= 0.8 * len(group):
        columns.append(Column("line_id", left, max(segment.x1 for segment in counted)))
        left = min(proved.row.segments[1].x0 for proved in group)
    free = [column.x0 for column in columns if column.x0 > left]
    columns.append(Column("item_name", left, max(left + first.height, min(free, default=left))))
    top = _top(context, first)
    return Heading((top,), tuple(sorted(columns, key=lambda c: c.x0)), SCORE + len(group) / 100, first.page)


def _top(context: Context, first: Row) -> int:
    """The row before the table: a line's description may stand one or two rows above its figures."""
    above = first.index
    for row in reversed(context.sheet.on_page(first.page)):
        if row.index >= first.index:
            continue
        close = context.sheet.rows[above].middle - row.middle < 1.8 * first.height
        if not close or first.index - row.index > 2 or context.of(row):
            break
        above = row.index
    return above - 1
