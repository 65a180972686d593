"""The lines: rows of the table under a heading, or of a receipt without one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from inference.confidence import Features
from inference.readers.layout.candidates import Finding, NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.headings import AMOUNTS, NUMERIC, Column, Heading
from inference.readers.layout.lexicon import fold, lexicon
from inference.readers.layout.rows import Row, Span

CENT = Decimal("0.01")
AMOUNT_TERMS = (
    "total_without_vat",
    "total_vat",
    "total_with_vat",
    "amount_due",
    "discount_total",
    "charge_total",
)
TOTAL_TERMS = ("total_without_vat", "total_vat", "total_with_vat", "amount_due")

FIT = {
    "overlap": 1.5,  # value and heading overlap
    "per_height": -0.25,  # per letter height of distance between them
    "count": 0.6,  # it has at least half as many values as the longest column
    "edge": 0.5,  # a side or the middle in common
    "type": 0.5,  # the type of the values suits the role
    "misfit": -0.8,  # it does not
    "text": -1.2,  # numbers under a heading of text
}
"""How well a column of numbers fits a heading."""


@dataclass
class Line:
    """A line in the making: its anchor row, the values by role, the spans of its description."""

    anchor: Row
    values: dict[str, NumberAt] = field(default_factory=dict[str, NumberAt])
    texts: dict[str, list[Span]] = field(default_factory=dict[str, "list[Span]"])
    consistent: bool | None = None
    charge: bool = False

    @property
    def full(self) -> bool:
        """Whether it has a quantity or a price beside its amount."""
        return "quantity" in self.values or "net_price" in self.values

    def amount(self) -> Decimal | None:
        """The line's amount, net or gross."""
        for role in AMOUNTS:
            if role in self.values:
                return self.values[role].number.value
        return None


def total_of(lines: Sequence[Line]) -> Decimal:
    """The sum of the lines' amounts; lines without one count nothing."""
    return sum((amount for line in lines if (amount := line.amount()) is not None), Decimal(0))


@dataclass
class _Cluster:
    """Numbers of several rows that stand above each other."""

    x0: float
    x1: float
    numbers: list[NumberAt]


def table_lines(context: Context, headings: Sequence[Heading]) -> list[Line]:
    """The lines under the best heading and its repetitions on later pages."""
    best = max(headings, key=lambda h: h.score, default=None)
    if best is None:
        return []
    same = [h for h in headings if h is best or _alike(h, best)]
    body = list(_body(context, same))
    if not body:
        return []
    roles = _assign(context, best, body)
    lines = _lines(context, best, body, roles)
    for line in lines:
        _check(line)
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
        if _carried(row) or _is_page_number(row) or row.text in running:
            continue
        if anchors and _is_total(context, row):
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
        if _is_total(context, row):
            labels = context.of(row)
            if not labels or not labels[0].means("total_without_vat"):
                return False
            continue
        named = any(lb.leads and any(m.term in AMOUNT_TERMS for m in lb.meanings) for lb in context.of(row))
        begins = any(sum(c.isalpha() for c in segment.text) >= 3 for segment in row.segments[:3])
        if not named and begins and len(context.values.numbers(row)) >= 3:
            return True
    return False


def _carried(row: Row) -> bool:
    first = fold(row.segments[0].text)
    return any(first.startswith(word) or first.endswith(word) for word in lexicon().carried if len(word) > 2)


def _is_page_number(row: Row) -> bool:
    return bool(
        re.fullmatch(
            r"(?:page|seite|p\.|pagina|página|strona)?\s*\d+\s*(?:/|of|von|sur|de|van)\s*\d+",
            row.text.strip(),
            re.IGNORECASE,
        )
    )


def _is_total(context: Context, row: Row) -> bool:
    """Whether a row names a total and bears nothing of a line before it."""
    for label in context.of(row):
        if not label.leads or not any(label.weight(term) >= 0.9 for term in TOTAL_TERMS):
            continue
        before = row.text[: label.span.start]
        if not any(c.isdigit() for c in before):
            after = [at for at in context.values.numbers(row) if at.span.start >= label.span.end]
            if after or label.ends_segment:
                return True
    return False


def _assign(context: Context, heading: Heading, body: Sequence[Row]) -> dict[int, dict[int, str]]:
    """The role of each number of the body: `{row index: {start: role}}`."""
    numbers = [at for row in body for at in _column_numbers(context, row, heading)]
    clusters = _clusters(numbers)
    pairs = _by_arithmetic(clusters, _align(clusters, heading.columns))
    roles: dict[int, dict[int, str]] = {}
    for cluster, column in pairs:
        for at in cluster.numbers:
            roles.setdefault(at.span.row.index, {})[at.span.start] = column.role
    return roles


def _column_numbers(context: Context, row: Row, heading: Heading) -> Iterator[NumberAt]:
    """The numbers that stand in columns of their own, not within a description."""
    numeric = [column for column in heading.columns if column.role in NUMERIC]
    for at in context.values.numbers(row):
        segment = at.span.segment
        before = row.text[segment.start : at.span.start]
        own = sum(c.isalpha() for c in before) <= 3
        under = any(min(c.x1, at.span.x1) - max(c.x0, at.span.x0) > 0 for c in numeric)
        named = before.rstrip().endswith((":", "："))
        if own or (under and not named):
            yield at


def _clusters(numbers: Sequence[NumberAt]) -> list[_Cluster]:
    """Numbers grouped by horizontal overlap, narrow ones first so that a wide one joins only one group."""
    found: list[_Cluster] = []
    for at in sorted(numbers, key=lambda n: n.span.x1 - n.span.x0):
        overlapping = [c for c in found if min(c.x1, at.span.x1) - max(c.x0, at.span.x0) > 0]
        if overlapping:
            best = max(overlapping, key=lambda c: min(c.x1, at.span.x1) - max(c.x0, at.span.x0))
            best.numbers.append(at)
            best.x0, best.x1 = min(best.x0, at.span.x0), max(best.x1, at.span.x1)
        else:
            found.append(_Cluster(at.span.x0, at.span.x1, [at]))
    merged: list[_Cluster] = []
    for cluster in sorted(found, key=lambda c: c.x0):
        last = merged[-1] if merged else None
        shared = (
            {a.span.row.index for a in last.numbers} & {a.span.row.index for a in cluster.numbers}
            if last
            else set[int]()
        )
        if last and not shared and min(last.x1, cluster.x1) - max(last.x0, cluster.x0) > 0:
            last.numbers += cluster.numbers
            last.x0, last.x1 = min(last.x0, cluster.x0), max(last.x1, cluster.x1)
        else:
            merged.append(cluster)
    return merged


def _align(clusters: Sequence[_Cluster], columns: Sequence[Column]) -> list[tuple[_Cluster, Column]]:
    """The best assignment of clusters to headings that keeps their order (dynamic programming)."""
    rows, cols = len(clusters), len(columns)
    largest = max((len(cluster.numbers) for cluster in clusters), default=1)
    best = [[0.0] * (cols + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(cols - 1, -1, -1):
            most = FIT["count"] * min(1.0, 2 * len(clusters[i].numbers) / largest)
            pair = _fit(clusters[i], columns[j]) + most + best[i + 1][j + 1]
            best[i][j] = max(best[i + 1][j], best[i][j + 1], pair)
    pairs: list[tuple[_Cluster, Column]] = []
    i = j = 0
    while i < rows and j < cols:
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            pairs.append((clusters[i], columns[j]))
            i, j = i + 1, j + 1
    return pairs


def _by_arithmetic(
    clusters: Sequence[_Cluster], pairs: list[tuple[_Cluster, Column]]
) -> list[tuple[_Cluster, Column]]:
    """The pairs, with the one of quantity, price and amount found that no heading names, where figures prove it."""
    roles = {column.role: cluster for cluster, column in pairs if column.role in NUMERIC}
    trio = ("quantity", "net_price", "line_net_amount")
    missing = [role for role in trio if role not in roles]
    if missing == ["line_net_amount"] and "line_total_with_vat" in roles:
        return pairs
    if len(missing) != 1:
        return pairs
    free = [c for c in clusters if not any(c is known for known in roles.values())]
    for cluster in free:
        known = {role: _by_row(roles[role]) for role in trio if role in roles} | {
            missing[0]: _by_row(cluster)
        }
        rows = set(known[trio[0]]) & set(known[trio[1]]) & set(known[trio[2]])
        right = sum(
            abs(known["quantity"][row] * known["net_price"][row] - known["line_net_amount"][row]) <= CENT
            for row in rows
        )
        if rows and right >= 0.5 * len(rows):
            kept = [(c, column) for c, column in pairs if c is not cluster]
            return [*kept, (cluster, Column(missing[0], cluster.x0, cluster.x1))]
    return pairs


def _by_row(cluster: _Cluster) -> dict[int, Decimal]:
    return {at.span.row.index: at.number.value for at in cluster.numbers}


def _fit(cluster: _Cluster, column: Column) -> float:
    height = cluster.numbers[0].span.row.height
    gap = max(cluster.x0 - column.x1, column.x0 - cluster.x1, 0.0)
    score = FIT["overlap"] + FIT["per_height"] * gap / height
    sides = (
        abs(cluster.x1 - column.x1),
        abs(cluster.x0 - column.x0),
        abs(cluster.x0 + cluster.x1 - column.x0 - column.x1) / 2,
    )
    if min(sides) < 0.6 * height:
        score += FIT["edge"]
    if column.role not in NUMERIC:
        return score + FIT["text"]
    money = sum(at.money for at in cluster.numbers) / len(cluster.numbers)
    percent = sum(at.number.percent for at in cluster.numbers) / len(cluster.numbers)
    whole = sum(at.number.places == 0 for at in cluster.numbers) / len(cluster.numbers)
    suits = {
        "quantity": percent < 0.5 and not any(at.number.currency for at in cluster.numbers),
        "net_price": percent < 0.5,
        "line_net_amount": percent < 0.5,
        "line_total_with_vat": percent < 0.5,
        "vat_amount": money > 0.4,
        "vat_rate": all(0 <= at.number.value <= 100 for at in cluster.numbers),
        "discount": True,
        "line_id": whole > 0.9,
    }[column.role]
    return score + (FIT["type"] if suits else FIT["misfit"])


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
    _drop_margin(lines, min(column.x0 for column in heading.columns) - body[0].height)
    return [line for line in lines if _real(line)]


def _is_charge(context: Context, row: Row) -> bool:
    """Whether a row names a discount or a charge of the whole document."""
    return any(
        label.leads and label.weight(term) >= 0.9 and label.span.start < 12
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
        if role and role in NUMERIC and role not in line.values:
            line.values[role] = at
            taken.append((at.span.start, at.span.end))
    for segment in row.segments:
        for piece in _free(segment, taken):
            role = _text_role(heading, piece)
            line.texts.setdefault(role, []).append(piece)


def _free(segment: Span, taken: Sequence[tuple[int, int]]) -> Iterator[Span]:
    """The parts of a segment outside of the numbers taken, without blanks around."""
    cuts = sorted((s, e) for s, e in taken if segment.start <= s < segment.end)
    edges = [segment.start, *(edge for cut in cuts for edge in cut), segment.end]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        text = segment.row.text[start:end]
        if text.strip(" |*:"):
            lead = len(text) - len(text.lstrip())
            yield Span(segment.row, start + lead, start + len(text.rstrip()))


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
    texts_first = any(row.index < first and row.page == lines[0].anchor.page for row in loose)
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
    return any(c.isalpha() for c in text) and not _carried(line.anchor)


def _check(line: Line) -> None:
    """Whether quantity × price − discount is the line's amount, with a cent per step of rounding."""
    values = {role: at.number.value for role, at in line.values.items()}
    amount, quantity, price = line.amount(), values.get("quantity"), values.get("net_price")
    if amount is None or quantity is None or price is None:
        return
    product = quantity * price
    options = [product, -product]
    if discount := values.get("discount"):
        options += [product * (1 - discount / 100), product - discount, (price - discount) * quantity]
    slack = max(CENT, abs(quantity) * Decimal("0.005"))
    line.consistent = any(abs(option - amount) <= slack for option in options)


def receipt_lines(context: Context) -> list[Line]:
    """The lines of a receipt without headings: text with an amount at its right, down to the first total."""
    lines: list[Line] = []
    waiting: Row | None = None
    right = _right_edge(context)
    for row in context.sheet.rows:
        if lines and _is_total(context, row):
            break
        amounts = [at for at in context.values.numbers(row) if at.money and at.span.x1 > right]
        if any(
            (label.leads and not label.ends_segment) or label.colon
            for label in context.of(row)
            if any(m.weight == 1 for m in label.meanings)
        ):
            waiting = None
            continue
        if not amounts or _is_total(context, row):
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
    pieces = [piece for segment in row.segments for piece in _free(segment, taken)]
    letters = sum(c.isalpha() for piece in pieces for c in piece.text)
    if letters < 3 and waiting is not None:
        pieces = [*waiting.segments]
        letters = sum(c.isalpha() for c in waiting.text)
    if letters < 2:
        return None
    line.texts["item_name"] = pieces
    _check(line)
    if line.consistent is False:
        line.values.pop("quantity", None)
        line.values.pop("net_price", None)
        line.consistent = None
    return line


def line_findings(line: Line) -> dict[str, Finding]:
    """The line's values as findings by term."""
    found: dict[str, Finding] = {}
    arithmetic = {None: 0.0, True: 1.0, False: -1.0}[line.consistent]
    for role, at in line.values.items():
        term = role
        if role == "discount":
            term = (
                "discount_percent"
                if at.number.percent or (abs(at.number.value) <= 100 and not at.money)
                else "discount_amount"
            )
        if role == "vat_amount":
            continue
        checked = arithmetic if role in ("quantity", "net_price", "discount", *AMOUNTS) else 0.0
        features = Features(
            label=1.0, relation=1.0, arithmetic=checked, ocr=at.span.score, scanned=float(at.span.row.ocr),
            ambiguous=float(at.number.unsure and checked <= 0),
        )  # fmt: skip
        value = at.span.text if role == "line_id" else at.number.value
        found[term] = Finding(term, value, (at.span,), 1.0, features, at.span.text)
    for role, spans in line.texts.items():
        if role not in ("item_name", "item_seller_id", "unit", "line_id") or role in found or not spans:
            continue
        text = " ".join(re.sub(r"\s+", " ", span.text) for span in spans).strip(" |:-")
        if text and spans:
            features = Features(
                label=0.8, relation=1.0, ocr=min(s.score for s in spans), scanned=float(spans[0].row.ocr)
            )
            found[role] = Finding(role, text, tuple(spans), 1.0, features, text)
    if "item_name" not in found and "item_seller_id" in found:
        found["item_name"] = found["item_seller_id"]
    return found
