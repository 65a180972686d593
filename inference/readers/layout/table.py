"""The lines of a table: the rows under its heading and the heading's repetitions on later pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from inference.readers.layout.columns import assign_roles
from inference.readers.layout.header import Context
from inference.readers.layout.headings import AMOUNTS, NUMERIC, Heading
from inference.readers.layout.lines import (
    AMOUNT_TERMS,
    Line,
    carried,
    check,
    free_parts,
    is_total,
)
from inference.readers.layout.rows import Row, Span


def table_lines(context: Context, headings: Sequence[Heading]) -> list[Line]:
    """The lines under the best heading and its repetitions on later pages."""
    best = max(headings, key=lambda h: h.score, default=None)
    if best is None:
        return []
    same = [h for h in headings if h is best or _alike(h, best)]
    body = list(_body(context, same))
    if not body:
        return []
    roles = assign_roles(context, best, body)
    lines = _lines(context, best, body, roles)
    for line in lines:
        check(line)
    return lines


def _alike(one: Heading, other: Heading) -> bool:
    mine, theirs = [c.role for c in one.columns], [c.role for c in other.columns]
    return len(set(mine) & set(theirs)) >= 0.7 * max(len(set(mine)), len(set(theirs)))


def _body(context: Context, headings: Sequence[Heading]) -> Iterator[Row]:
    """The rows of the table: from each heading to the totals, carried-forward rows left out."""
    heading_rows = {index for heading in headings for index in heading.rows}
    running = _running(context)
    started = ended = False
    anchors = 0
    page = 0
    firsts = {heading.rows[-1] + 1 for heading in headings}
    for row in context.sheet.rows:
        if row.index in firsts:
            started, ended, page = True, False, row.page
        if not started or ended or row.index in heading_rows:
            continue
        if row.page != page and not any(context.sheet.rows[h.rows[0]].page == row.page for h in headings):
            # A table that goes on without its heading repeated: the page's letterhead is not part of it.
            page = row.page
        if carried(row) or _is_page_number(row) or row.text in running:
            continue
        if anchors and is_total(context, row):
            ended = not _goes_on(context, row)
            continue
        numbers = context.values.numbers(row)
        anchors += len(numbers) > 1 or any(at.money for at in numbers)
        yield row


def _running(context: Context) -> frozenset[str]:
    """The texts of rows that stand at the same height of several pages: letterheads and footers."""
    places: dict[tuple[str, int], set[int]] = {}
    for row in context.sheet.rows:
        if len(row.text) > 8:
            places.setdefault((row.text, round(row.middle / 4)), set()).add(row.page)
    return frozenset(text for (text, _), pages in places.items() if len(pages) > 1)


def _goes_on(context: Context, subtotal: Row) -> bool:
    """Whether lines follow a subtotal: rows with several figures before the totals themselves."""
    if not any(at.money for at in context.values.numbers(subtotal)):
        return False
    for row in context.sheet.rows[subtotal.index + 1 :]:
        if row.page != subtotal.page:
            return False
        if is_total(context, row):
            labels = context.of(row)
            if not labels or not labels[0].means("total_without_vat"):
                return False
            continue
        named = any(lb.leads and any(m.term in AMOUNT_TERMS for m in lb.meanings) for lb in context.of(row))
        begins = any(sum(c.isalpha() for c in segment.text) >= 3 for segment in row.segments[:3])
        if not named and begins and len(context.values.numbers(row)) >= 3:
            return True
    return False


def _is_page_number(row: Row) -> bool:
    return bool(
        re.fullmatch(
            r"(?:page|seite|p\.|pagina|página|strona)?\s*\d+\s*(?:/|of|von|sur|de|van)\s*\d+",
            row.text.strip(),
            re.IGNORECASE,
        )
    )


def _lines(
    context: Context, heading: Heading, body: Sequence[Row], roles: dict[int, dict[int, str]]
) -> list[Line]:
    anchor_roles = _anchor_roles(roles)
    lines: list[Line] = []
    loose: list[Row] = []
    for row in body:
        found = roles.get(row.index, {})
        if anchor_roles & set(found.values()):
            line = Line(row, charge=_is_charge(context, row))
            _fill(context, heading, line, row, found)
            lines.append(line)
        else:
            loose.append(row)
    _attach(context, heading, lines, loose, roles)
    _drop_margin(lines, heading.left - body[0].height)
    return [line for line in lines if _real(line)]


def _is_charge(context: Context, row: Row) -> bool:
    """Whether a row names a discount or a charge of the whole document."""
    return any(
        label.leads and label.weight(term) >= 0.9
        for label in context.of(row)
        for term in ("discount_total", "charge_total")
    )


def _drop_margin(lines: Sequence[Line], left: float) -> None:
    """Leave out what is printed left of the table, where the lines have their texts within it."""
    inside = sum(any(span.x1 >= left for span in line.texts.get("item_name", [])) for line in lines)
    if inside < 0.6 * len(lines):
        return
    for line in lines:
        line.texts = {role: [span for span in spans if span.x1 >= left] for role, spans in line.texts.items()}


def _anchor_roles(roles: dict[int, dict[int, str]]) -> set[str]:
    """The roles that begin a line: its amount where the table has one, else its quantity or price."""
    present = {role for row in roles.values() for role in row.values()}
    for group in ({"line_net_amount"}, {"line_total_with_vat"}, {"net_price"}, {"quantity"}):
        if group & present:
            return group
    return set()


def _fill(context: Context, heading: Heading, line: Line, row: Row, found: dict[int, str]) -> None:
    """The numbers and texts of one row put into a line."""
    taken: list[tuple[int, int]] = []
    for at in context.values.numbers(row):
        role = found.get(at.span.start)
        if at.number.percent and role not in ("vat_rate", "discount"):
            continue
        if role and role in NUMERIC and role not in line.values:
            line.values[role] = at
            taken.append((at.span.start, at.span.end))
    for segment in row.segments:
        for piece in free_parts(segment, taken):
            role = "unit" if _is_unit(line, piece) else _text_role(heading, piece)
            line.texts.setdefault(role, []).append(piece)


def _is_unit(line: Line, piece: Span) -> bool:
    """Whether a short word follows the line's quantity directly."""
    quantity = line.values.get("quantity")
    if quantity is None or quantity.span.row is not piece.row or len(piece.text) > 8:
        return False
    between = piece.row.text[quantity.span.end : piece.start]
    return (
        piece.start >= quantity.span.end and not between.strip() and not any(c.isdigit() for c in piece.text)
    )


def _text_role(heading: Heading, piece: Span) -> str:
    """The column of text that a piece stands in: by overlap with headings; descriptions reach far right."""
    best, most = "item_name", 0.0
    for column in heading.columns:
        shared = min(column.x1, piece.x1) - max(column.x0, piece.x0)
        if shared > most:
            best, most = column.role, shared
    if best in ("quantity", "net_price", "line_net_amount", "vat_rate", "discount"):
        short = sum(c.isalnum() for c in piece.text) <= 10
        return ("unit" if best in ("quantity", "net_price") else "other") if short else "item_name"
    return best


def _attach(
    context: Context,
    heading: Heading,
    lines: Sequence[Line],
    loose: Sequence[Row],
    roles: dict[int, dict[int, str]],
) -> None:
    """Rows without an amount joined to their line: below it, or around it where texts come first."""
    if not lines:
        return
    first = lines[0].anchor.index
    left = heading.left - lines[0].anchor.height
    texts_first = any(
        row.index < first and row.page == lines[0].anchor.page and row.x1 > left for row in loose
    )
    limit = _usual_step(lines)
    for row in loose:
        before = max(
            (ln for ln in lines if ln.anchor.index < row.index), key=lambda ln: ln.anchor.index, default=None
        )
        after = min(
            (ln for ln in lines if ln.anchor.index > row.index), key=lambda ln: ln.anchor.index, default=None
        )
        target = _nearest(row, before, after, texts_first)
        if target is None or target.anchor.page != row.page:
            continue
        if abs(target.anchor.middle - row.middle) > limit:
            continue
        above = row.index < target.anchor.index
        kept = dict(target.texts)
        target.texts = {}
        _fill(
            context,
            heading,
            target,
            row,
            {s: r for s, r in roles.get(row.index, {}).items() if r not in AMOUNTS},
        )
        for role, spans in kept.items():
            new = target.texts.get(role, [])
            target.texts[role] = [*new, *spans] if above else [*spans, *new]


def _usual_step(lines: Sequence[Line]) -> float:
    """How far from its amount a line's text may stand, in points."""
    steps = sorted(
        b.anchor.middle - a.anchor.middle for a, b in pairwise(lines) if a.anchor.page == b.anchor.page
    )
    height = lines[0].anchor.height
    return max(6 * height, 1.1 * steps[-1]) if steps else 9 * height


def _nearest(row: Row, before: Line | None, after: Line | None, texts_first: bool) -> Line | None:
    if not texts_first or before is None or after is None:
        return after if before is None and texts_first else before
    if before.anchor.page != row.page:
        return after
    if after.anchor.page != row.page:
        return before
    up, down = row.middle - before.anchor.middle, after.anchor.middle - row.middle
    return before if up <= down else after


def _real(line: Line) -> bool:
    named = " ".join(
        span.text for role in ("item_name", "item_seller_id") for span in line.texts.get(role, [])
    )
    others = " ".join(span.text for spans in line.texts.values() for span in spans)
    text = others if line.full else named
    return any(c.isalpha() for c in text) and not carried(line.anchor)
