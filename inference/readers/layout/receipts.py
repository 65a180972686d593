"""The lines of a receipt, which has no headings over its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inference.readers.layout.adjustments import is_adjustment
from inference.readers.layout.candidates import NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.lines import (
    Line,
    agrees,
    check,
    free_parts,
    is_total,
    total_of,
)
from inference.readers.layout.rows import Row


def receipt_lines(context: Context) -> list[Line]:
    """The lines of a receipt without headings: text with an amount at its right, down to the first total."""
    lines: list[Line] = []
    waiting: list[Row] = []
    right = _right_edge(context)
    for row in context.sheet.rows:
        amounts = [at for at in context.values.numbers(row) if at.money and at.span.x1 > right]
        if lines and (is_total(context, row) or _ends(context, row, amounts, lines)):
            break
        if any(
            (label.leads and not label.ends_segment) or label.colon
            for label in context.of(row)
            if any(m.weight == 1 for m in label.meanings)
        ):
            waiting = []
            continue
        if not amounts or is_total(context, row):
            waiting = [*waiting[1 - _WRAPPED :], row] if sum(c.isalpha() for c in row.text) >= 3 else []
            continue
        line = _receipt_line(context, row, amounts[-1], waiting)
        waiting = []
        if line:
            lines.append(line)
    return lines


def _ends(context: Context, row: Row, amounts: Sequence[NumberAt], lines: Sequence[Line]) -> bool:
    """Whether a row has the sum of the lines, or a total or a tax under a name of several words before its amount."""
    if not amounts:
        return False
    amount = amounts[-1]
    before = sum(c.isalpha() for c in row.text[: amount.span.start])
    if len(lines) > 1 and not before and total_of(lines) == amount.number.value:
        return True
    for label in context.of(row):
        named = any(
            label.weight(term) >= _NAMED for term in ("total_with_vat", "total_without_vat", "total_vat")
        )
        between = row.text[label.span.end : amount.span.start]
        apart = _BRACKETS.sub("", between)
        first = row.text[: label.span.start].split()
        counted = bool(first) and first[0].isdigit()
        if named and not counted and len(first) <= _FEW and not any(c.isalpha() for c in apart):
            return True
    return False


_NAMED = 0.9
_FEW = 2
"""So many words may stand before the name of a total."""

_BRACKETS = re.compile(r"\([^)]*\)")


def _right_edge(context: Context) -> float:
    """Left of it, a number is no amount of a receipt's line, in points."""
    edges = sorted(at.span.x1 for row in context.sheet.rows for at in context.values.numbers(row) if at.money)
    if not edges:
        return 0.0
    return edges[int(0.6 * (len(edges) - 1))] - 0.15 * context.sheet.rows[0].width


_WRAPPED = 3
"""So many rows may stand above the one with the amount."""


def _begun(context: Context, above: Sequence[Row], row: Row) -> tuple[list[Row], NumberAt | None]:
    """The rows above an amount that its item begins in, and the count that it begins with.

    Where no row begins with a count, only the last one is taken.
    """
    for place in range(len(above)):
        chain = [*above[place:], row]
        indented = all(r.x0 > above[place].x0 for r in chain[1:]) or len(chain) == 2
        if indented and (count := _counted(context, above[place], chain[1], row)):
            return chain[:-1], count
    return list(above[-1:]), None


def _counted(context: Context, above: Row, following: Row, row: Row) -> NumberAt | None:
    """The number that a row begins with, as items do whose description goes on in the `following` row."""
    first = next(iter(context.values.numbers(above)), None)
    if first is None or first.span.start or first.number.places or not 0 < first.number.value < _MANY:
        return None
    near = above.index == following.index - 1 and above.x0 <= following.x0 + 0.5 * row.height
    begins = any(not at.span.start and not at.money for at in context.values.numbers(row))
    spaced = above.text[first.span.end : first.span.end + 1] == " "
    return first if near and spaced and not begins and not first.number.percent else None


_MANY = 1000

_TIMES = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(?:[x×*@]|Stk\.?|St\.?|pcs)\s*(?=\d|à|a\b|$|[A-Za-z€$£(])", re.IGNORECASE
)


def _receipt_line(context: Context, row: Row, amount: NumberAt, waiting: Sequence[Row]) -> Line | None:
    line = Line(row, charge=is_adjustment(context, row))
    line.values["line_net_amount"] = amount
    numbers = [at for at in context.values.numbers(row) if at.span.end <= amount.span.start]
    text = row.text[: amount.span.start]
    times = _TIMES.search(text)
    for at in numbers:
        if times and at.span.start == times.start(1):
            line.values["quantity"] = at
        elif at.money and "net_price" not in line.values:
            line.values["net_price"] = at
        elif (
            at.span.start == 0
            and at.number.places == 0
            and 0 < at.number.value < 100
            and not at.number.percent
        ):
            line.values.setdefault("quantity", at)
    price = line.value("net_price")
    for at in numbers if "net_price" in line.values and "quantity" not in line.values else ():
        counts = at is not line.values["net_price"] and at.number.value and not at.number.percent
        if counts and price is not None and agrees(at.number.value, price, amount.number.value):
            line.values["quantity"] = at
            break
    taken = [(at.span.start, at.span.end) for role, at in line.values.items() if role != "line_net_amount"]
    taken.append((amount.span.start, len(row.text)))
    pieces = [piece for segment in row.segments for piece in free_parts(segment, taken)]
    letters = sum(c.isalpha() for piece in pieces for c in piece.text)
    begun, counted = _begun(context, waiting, row)
    if begun and (letters < 3 or (counted and "quantity" not in line.values)):
        own = pieces if letters >= 3 else []
        taken = [(counted.span.start, counted.span.end)] if counted else []
        first = [piece for segment in begun[0].segments for piece in free_parts(segment, taken)]
        pieces = [*first, *(segment for above in begun[1:] for segment in above.segments), *own]
        letters = sum(c.isalpha() for above in begun for c in above.text)
        if counted and "quantity" not in line.values:
            line.values["quantity"] = counted
    if letters < 2:
        return None
    line.texts["item_name"] = pieces
    check(line)
    if line.consistent is False:
        line.values.pop("quantity", None)
        line.values.pop("net_price", None)
        line.consistent = None
    return line
