"""The lines of a table: the rows under its heading and the heading's repetitions on later pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from inference.numbers import Number
from inference.readers.layout.adjustments import Choice, choices, is_adjustment, with_discounts
from inference.readers.layout.candidates import NumberAt
from inference.readers.layout.columns import Roles, assign_roles, numbers_of
from inference.readers.layout.header import Context
from inference.readers.layout.headings import AMOUNTS, NUMERIC, Heading
from inference.readers.layout.lines import (
    AMOUNT_TERMS,
    Line,
    carried,
    check,
    free_parts,
    is_total,
    settle,
    total_of,
)
from inference.readers.layout.rows import Row, Span
from inference.readers.layout.unheaded import find_unheaded
from inference.readers.layout.vat import vat_rows
from inference.readers.layout.wrapped import rows_of

_ANCHORS = ({"line_net_amount"}, {"line_total_with_vat"}, {"net_price"}, {"quantity"})
"""The roles that begin a line: its amount where the table has one, else its price or quantity."""


@dataclass
class Body:
    """The rows of a table: those under a heading, those of later pages without one, and the sums among them."""

    rows: list[Row] = field(default_factory=list[Row])
    more: list[Row] = field(default_factory=list[Row])
    subtotals: list[tuple[int, Decimal]] = field(default_factory=list[tuple[int, Decimal]])


def table_choices(context: Context, headings: Sequence[Heading]) -> list[Choice]:
    """The lines of the tables, best choice first: other choices leave out rows or take in further tables."""
    read = _tables(context, _groups(headings))
    if read and not any(line.consistent for lines, _ in read for line in lines):
        read += _tables(context, [[heading] for heading in find_unheaded(context)])
    if not read:
        return []
    best, body = max(read, key=lambda one: _quality(one[0]))
    found = list(choices(best, body.subtotals))
    taken = {line.anchor.index for line in best}
    others = [line for lines, _ in read for line in lines if line.anchor.index not in taken]
    if others:
        everything = sorted([*best, *others], key=lambda line: line.anchor.index)
        found += choices(everything)
    return found


def list_choices(context: Context, listed: Sequence[Line]) -> list[Choice]:
    """The lines where no heading names columns: those of tables whose figures prove themselves, or the `listed` ones.

    A list of items and amounts, as on a receipt, is believed first where it has more lines.
    """
    tables = _tables(context, [[heading] for heading in find_unheaded(context)])
    proved = [choice for lines, body in tables for choice in choices(lines, body.subtotals)]
    most = max((len(lines) for lines, _ in tables), default=0)
    of_list = list(choices(listed))
    return [*proved, *of_list] if most >= 0.8 * len(listed) else [*of_list, *proved]


def _tables(context: Context, groups: Sequence[Sequence[Heading]]) -> list[tuple[list[Line], Body]]:
    """The tables under groups of headings that have lines."""
    return [(lines, body) for group in groups if (lines := _read(context, group, body := Body()))]


def _quality(lines: Sequence[Line]) -> float:
    """How much a table looks like the one that the bill is about: its lines, those that agree above all."""
    worth = {True: 2.0, None: 1.0, False: 0.3}
    return sum(worth[line.consistent] * (1.0 if line.full else 0.5) for line in lines) + lines[0].heading


def _groups(headings: Sequence[Heading]) -> list[list[Heading]]:
    """The headings that repeat each other, best first."""
    groups: list[list[Heading]] = []
    for heading in sorted(headings, key=lambda h: -h.score):
        known = next((group for group in groups if _alike(heading, group[0])), None)
        if known is None:
            groups.append([heading])
        else:
            known.append(heading)
    return groups


def _alike(one: Heading, other: Heading) -> bool:
    mine, theirs = [c.role for c in one.columns], [c.role for c in other.columns]
    return len(set(mine) & set(theirs)) >= 0.7 * max(len(set(mine)), len(set(theirs)))


def _read(context: Context, headings: Sequence[Heading], body: Body) -> list[Line]:
    """The lines under headings that repeat each other."""
    for row in _rows(context, headings, body):
        with_heading = any(h.page == row.page for h in headings)
        (body.rows if with_heading else body.more).append(row)
    if not body.rows:
        return []
    headings = [_described(heading, body.rows) for heading in headings]
    roles = assign_roles(context, headings[0], body.rows, body.more)
    pages = {heading.page: heading for heading in headings}
    lines = _lines(context, headings[0], pages, [*body.rows, *_continued(body, roles)], roles)
    for line in lines:
        check(line)
    lines = with_discounts(context, lines)
    for line in lines:
        settle(line)
    return lines


def _described(heading: Heading, rows: Sequence[Row]) -> Heading:
    """The heading with the description where the words are, if its own word for it stands over hardly any."""
    letters = [0] * len(heading.columns)
    for row in rows:
        for segment in row.segments:
            shared = [min(c.x1, segment.x1) - max(c.x0, segment.x0) for c in heading.columns]
            place = max(range(len(shared)), key=lambda i: shared[i])
            letters[place] += sum(c.isalpha() for c in segment.text) if shared[place] > 0 else 0
    most = max(range(len(letters)), key=lambda i: letters[i])
    named = [i for i, column in enumerate(heading.columns) if column.role == "item_name"]
    if heading.columns[most].role != "other" or sum(letters[i] for i in named) > 0.25 * letters[most]:
        return heading
    columns = [
        replace(column, role="item_name" if i == most else "other" if i in named else column.role)
        for i, column in enumerate(heading.columns)
    ]
    return replace(heading, columns=tuple(columns))


def _continued(body: Body, roles: Roles) -> Iterator[Row]:
    """The rows of pages without a heading, from the first that has most of a line's figures in their columns."""
    of_rows = [set(roles.get(row.index, {}).values()) for row in body.rows]
    usual = sorted(len(found) for found in of_rows if found & set(AMOUNTS))
    if not usual:
        return
    least = 0.6 * usual[len(usual) // 2]
    page = 0
    for row in body.more:
        found = roles.get(row.index, {})
        if len(set(found.values())) >= max(2, least):
            page = row.page
        elif found:
            roles[row.index] = {start: role for start, role in found.items() if role not in AMOUNTS}
        if row.page == page:
            yield row


def _rows(context: Context, headings: Sequence[Heading], body: Body) -> Iterator[Row]:
    """The rows from each heading to the totals, carried-forward rows left out."""
    heading_rows = {index for heading in headings for index in heading.rows}
    running = _running(context)
    started = ended = False
    anchors = 0
    firsts = {heading.rows[-1] + 1 for heading in headings}
    tops: dict[int, int] = {}
    for heading in headings:
        tops[heading.page] = min(heading.rows[0], tops.get(heading.page, heading.rows[0]))
    for row in context.sheet.rows:
        if row.index in firsts:
            started, ended, anchors = True, False, 0
        if not started or ended or row.index in heading_rows or row.index < tops.get(row.page, -1):
            continue
        numbers = context.values.numbers(row)
        brought = context.sheet.pages > 1 and carried(row) and len(numbers) < 3
        if brought or _is_page_number(row) or _without_page(row) in running:
            continue
        if anchors and is_total(context, row):
            if money := [at for at in numbers if at.money]:
                body.subtotals.append((row.index, money[-1].number.value))
            ended = not _goes_on(context, row)
            continue
        anchors += len(numbers) > 1 or any(at.money for at in numbers)
        yield row


def _running(context: Context) -> frozenset[str]:
    """The texts of rows that stand at the same height of several pages: letterheads and footers."""
    places: dict[tuple[str, int], set[int]] = {}
    for row in context.sheet.rows:
        if len(row.text) > 8:
            places.setdefault((_without_page(row), round(row.middle / 4)), set()).add(row.page)
    return frozenset(text for (text, _), pages in places.items() if len(pages) > 1)


def _without_page(row: Row) -> str:
    """The row's text with the page's number left out."""
    return re.sub(rf"\b{row.page}\b", "#", row.text)


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
    context: Context, first: Heading, pages: Mapping[int, Heading], body: Sequence[Row], roles: Roles
) -> list[Line]:
    """The lines of a table whose heading stands in `pages`, elsewhere as `first`."""
    present = {role for row in roles.values() for role in row.values()}
    anchor_roles = next((group for group in _ANCHORS if group & present), set[str]())
    lines: list[Line] = []
    loose: list[Row] = []
    for row in body:
        found = roles.get(row.index, {})
        if anchor_roles & set(found.values()):
            line = Line(row, charge=is_adjustment(context, row), heading=first.score)
            _fill(context, pages.get(row.page, first), line, row, found)
            lines.append(line)
        else:
            loose.append(row)
    inside = sum(_named(line) for line in lines) / max(1, len(lines))
    for place, rows in rows_of(lines, loose, inside).items():
        line = lines[place]
        _attach(context, pages.get(line.anchor.page, first), line, rows, roles)
    if any("quantity" in line.values for line in lines):
        for line in lines:
            _take_glued(line)
    for page, heading in pages.items():
        _drop_margin([ln for ln in lines if ln.anchor.page == page], heading.left - body[0].height)
    return [line for line in lines if _real(line) and (line.full or _bare(context, line, lines))]


def _take_glued(line: Line) -> None:
    """A quantity glued to the end of the description ("Coffee Maker1"), where amount ÷ price proves it."""
    amount, price, spans = line.amount(), line.value("net_price"), line.texts.get("item_name", [])
    if "quantity" in line.values or not amount or not price or amount % price or not spans:
        return
    count, last = str((amount / price).to_integral_value()), spans[-1]
    if last.row is line.anchor and re.search(rf"[^\W\d_]{count}$", last.text):
        start = last.end - len(count)
        line.values["quantity"] = NumberAt(Span(last.row, start, last.end), Number(Decimal(count), 0))
        line.texts["item_name"] = [*spans[:-1], Span(last.row, last.start, start)]


def _bare(context: Context, line: Line, lines: Sequence[Line]) -> bool:
    """Whether a line with nothing but an amount is one: no page number below amounts, no VAT by rate below lines."""
    decimals = sum(_in_money(other) for other in lines) >= 0.8 * len(lines)
    if decimals and not _in_money(line):
        return False
    if (line.amount() or 0) < 0 < total_of(lines):
        # A price reduction of its own; no VAT is taken back by rate.
        return _named(line)
    proved = any(vat.rate.span.row is line.anchor for vat in vat_rows(context))
    return not (proved and any(other.full for other in lines))


def _in_money(line: Line) -> bool:
    """Whether the line's amount is printed as money: where most are, a page number below them is none."""
    return any(
        line.values[role].number.places >= 2 or line.values[role].money
        for role in AMOUNTS
        if role in line.values
    )


def _named(line: Line) -> bool:
    """Whether a description stands beside the line's amount."""
    text = "".join(span.text for span in line.texts.get("item_name", []))
    return any(c.isalpha() for c in text) and sum(c.isalnum() for c in text) > 2


def _drop_margin(lines: Sequence[Line], left: float) -> None:
    """Leave out what is printed left of the table, where the lines have their texts within it."""
    inside = sum(any(span.x1 >= left for span in line.texts.get("item_name", [])) for line in lines)
    if inside < 0.6 * len(lines):
        return
    for line in lines:
        line.texts = {role: [span for span in spans if span.x1 >= left] for role, spans in line.texts.items()}


def _fill(context: Context, heading: Heading, line: Line, row: Row, found: dict[int, str]) -> None:
    """The numbers and texts of one row put into a line."""
    taken: list[tuple[int, int]] = []
    for at in numbers_of(context, heading, row):
        role = found.get(at.span.start)
        if at.number.percent and role not in ("vat_rate", "discount"):
            continue
        if role and role in NUMERIC:
            if role in line.values:
                line.options.setdefault(role, []).append(at)
                continue
            line.values[role] = at
            taken.append((at.span.start, at.span.end))
    for at in context.values.dates(row):
        if "delivery_date" not in line.dates and _text_role(heading, at.span) == "delivery_date":
            line.dates["delivery_date"] = at
            taken.append((at.span.start, at.span.end))
    for segment in row.segments:
        parts = (part for piece in free_parts(segment, taken) for part in _by_columns(heading, piece))
        for piece in parts:
            role = "unit" if _is_unit(heading, line, piece) else _text_role(heading, piece)
            line.texts.setdefault(role, []).append(piece)


def _by_columns(heading: Heading, piece: Span) -> Iterator[Span]:
    """A piece of text cut where a word begins exactly under a heading: columns may nearly touch."""
    near = 0.3 * piece.row.height
    edges = [c.x0 for c in heading.columns if c.role not in NUMERIC and piece.x0 + near < c.x0 < piece.x1]
    start = piece.start
    for found in re.finditer(r"(?<=\s)\S", piece.text) if edges else ():
        word = Span(piece.row, piece.start + found.start(), piece.end)
        labelled = piece.text[: found.start()].rstrip().endswith((":", "："))
        if not labelled and any(abs(word.x0 - edge) < near for edge in edges):
            yield Span(piece.row, start, start + len(piece.row.text[start : word.start].rstrip()))
            start = word.start
    yield Span(piece.row, start, piece.end)


def _is_unit(heading: Heading, line: Line, piece: Span) -> bool:
    """Whether a short word follows the line's quantity directly, and does not stand under another heading."""
    quantity = line.values.get("quantity")
    if quantity is None or quantity.span.row is not piece.row or len(piece.text) > 8:
        return False
    others = (c for c in heading.columns if c.role not in ("quantity", "unit", "net_price", "other"))
    if any(abs(column.x0 - piece.x0) < 0.5 * piece.row.height for column in others):
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
    if best in NUMERIC and best != "line_id":
        short = sum(c.isalnum() for c in piece.text) <= 10
        return ("unit" if best in ("quantity", "net_price") else "other") if short else "item_name"
    return best


def _attach(context: Context, heading: Heading, line: Line, rows: Sequence[Row], roles: Roles) -> None:
    """The texts and figures of further rows put into a line, in the order of the page."""
    above, below = (replace(line, texts={}) for _ in range(2))
    for row in rows:
        if _is_price_detail(context, row):
            continue
        found = {s: r for s, r in roles.get(row.index, {}).items() if r not in AMOUNTS}
        _fill(context, heading, above if row.index < line.anchor.index else below, row, found)
    texts = (above.texts, line.texts, below.texts)
    line.texts = {
        role: [span for part in texts for span in part.get(role, [])]
        for role in dict.fromkeys(role for part in texts for role in part)
    }


def _is_price_detail(context: Context, row: Row) -> bool:
    """Whether a row says how a price came about ("Rabatt 2: 0,02 €"): labelled amounts, no description."""
    figures = [at for at in context.values.numbers(row) if at.number.places >= 2 or at.number.percent]
    if not figures:
        return False
    before = row.text[: figures[0].span.start].rstrip()
    return before.endswith((":", "：")) and before.count(" ") < 4


def _real(line: Line) -> bool:
    named = " ".join(
        span.text for role in ("item_name", "item_seller_id") for span in line.texts.get(role, [])
    )
    others = " ".join(span.text for spans in line.texts.values() for span in spans)
    text = others if line.full else named
    return any(c.isalpha() for c in text)
