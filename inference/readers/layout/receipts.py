"""The lines of a receipt, which has no headings over its columns."""

from __future__ import annotations

import re

from inference.readers.layout.candidates import NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.lines import (
    Line,
    check,
    free_parts,
    is_total,
)
from inference.readers.layout.rows import Row


def receipt_lines(context: Context) -> list[Line]:
    """The lines of a receipt without headings: text with an amount at its right, down to the first total."""
    lines: list[Line] = []
    waiting: Row | None = None
    right = _right_edge(context)
    for row in context.sheet.rows:
        if lines and is_total(context, row):
            break
        amounts = [at for at in context.values.numbers(row) if at.money and at.span.x1 > right]
        if any(
            (label.leads and not label.ends_segment) or label.colon
            for label in context.of(row)
            if any(m.weight == 1 for m in label.meanings)
        ):
            waiting = None
            continue
        if not amounts or is_total(context, row):
            waiting = row if sum(c.isalpha() for c in row.text) >= 3 else None
            continue
        line = _receipt_line(context, row, amounts[-1], waiting)
        waiting = None
        if line:
            lines.append(line)
    return lines


def _right_edge(context: Context) -> float:
    """Left of it, a number is no amount of a receipt's line, in points."""
    edges = sorted(at.span.x1 for row in context.sheet.rows for at in context.values.numbers(row) if at.money)
    if not edges:
        return 0.0
    return edges[int(0.6 * (len(edges) - 1))] - 0.15 * context.sheet.rows[0].width


_TIMES = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(?:[x×*@]|Stk\.?|St\.?|pcs)\s*(?=\d|à|a\b|$|[A-Za-z€$£])", re.IGNORECASE
)


def _receipt_line(context: Context, row: Row, amount: NumberAt, waiting: Row | None) -> Line | None:
    line = Line(row)
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
    taken = [(at.span.start, at.span.end) for role, at in line.values.items() if role != "line_net_amount"]
    taken.append((amount.span.start, len(row.text)))
    pieces = [piece for segment in row.segments for piece in free_parts(segment, taken)]
    letters = sum(c.isalpha() for piece in pieces for c in piece.text)
    if letters < 3 and waiting is not None:
        pieces = [*waiting.segments]
        letters = sum(c.isalpha() for c in waiting.text)
    if letters < 2:
        return None
    line.texts["item_name"] = pieces
    check(line)
    if line.consistent is False:
        line.values.pop("quantity", None)
        line.values.pop("net_price", None)
        line.consistent = None
    return line
