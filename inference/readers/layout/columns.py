"""Columns of figures under headings: which numbers stand above each other, and what each column holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from inference.numbers import Number, parse_number
from inference.readers.layout.candidates import NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.headings import AMOUNTS, NUMERIC, Column, Heading
from inference.readers.layout.lines import agrees
from inference.readers.layout.rows import Row, Span

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

PROVED = 0.6
"""The share of lines whose arithmetic must hold before figures overrule headings."""

_MOST_COLUMNS = 16
_GLUED = re.compile(r"(\d{1,6}(?:[.,]\d{1,4})?)[^\W\d_]{1,6}\.?")
_SPACED = re.compile(r"(\d{1,3})[ \u00a0](\d{3}[.,]\d{2})")
_SENTENCE = 3

_LARGE = 100
"""Numbers without decimals are at least that, where they are taken for amounts."""

_CODE_DIGITS = 6
"""Whole numbers of so many digits, one below the other, are codes, not quantities."""


@dataclass
class Cluster:
    """Numbers of several rows that stand above each other."""

    x0: float
    x1: float
    numbers: list[NumberAt]


Roles = dict[int, dict[int, str]]
"""The role of each number: `{row index: {start: role}}`."""


def assign_roles(context: Context, heading: Heading, body: Sequence[Row], more: Sequence[Row] = ()) -> Roles:
    """The role of each number of the body, and of those rows of later pages that stand in the same columns."""
    numbers = [at for row in body for at in _column_numbers(context, row, heading)]
    clusters = _clusters(numbers)
    pairs = _by_arithmetic(clusters, _align(clusters, heading.columns), heading.columns)
    roles: Roles = {}
    for cluster, column in pairs:
        for at in cluster.numbers:
            roles.setdefault(at.span.row.index, {})[at.span.start] = column.role
    for row in more:
        for at in _column_numbers(context, row, heading):
            if role := _same_column(at, pairs):
                roles.setdefault(row.index, {}).setdefault(at.span.start, role)
    return roles


def _same_column(at: NumberAt, pairs: Sequence[tuple[Cluster, Column]]) -> str | None:
    """The role of the column that a number of like form overlaps most or stands next to, or None."""
    shared = {
        column.role: min(cluster.x1, at.span.x1) - max(cluster.x0, at.span.x0)
        for cluster, column in pairs
        if at.number.places in {known.number.places for known in cluster.numbers}
    }
    role = max(shared, key=lambda name: shared[name], default=None)
    return role if role is not None and shared[role] > -at.span.row.height else None


def numbers_of(context: Context, heading: Heading, row: Row) -> tuple[NumberAt, ...]:
    """The numbers of a row, quantities with their unit glued on ("2Stk", "3只") under their heading included."""
    found = context.values.numbers(row)
    columns = [column for column in heading.columns if column.role == "quantity"]
    for segment in row.segments if columns else ():
        glued = _GLUED.fullmatch(segment.text)
        near = any(min(c.x1, segment.x1) - max(c.x0, segment.x0) > -row.height for c in columns)
        number = parse_number(glued[1], context.values.mark) if glued and near else None
        if glued and number and not any(segment.start <= at.span.start < segment.end for at in found):
            found += (NumberAt(Span(row, segment.start, segment.start + len(glued[1])), number),)
    return tuple(sorted(_unglued(found, context.values.mark), key=lambda at: at.span.start))


def _unglued(numbers: Sequence[NumberAt], mark: str | None) -> Iterator[NumberAt]:
    """The numbers with "3 250.00 750.00" read as 3 × 250.00 = 750.00, where a blank could also group thousands."""
    later = [at.number.value for at in numbers]
    for place, at in enumerate(numbers):
        found = _SPACED.fullmatch(at.span.text)
        price = parse_number(found[2], mark) if found else None
        if found and price and int(found[1]) * price.value in later[place + 1 :]:
            row, start = at.span.row, at.span.start
            yield NumberAt(Span(row, start, start + len(found[1])), Number(Decimal(found[1]), 0))
            yield NumberAt(Span(row, start + found.start(2), at.span.end), price)
        else:
            yield at


def _column_numbers(context: Context, row: Row, heading: Heading) -> Iterator[NumberAt]:
    """The numbers that stand in columns of their own, not within a description or a sentence."""
    numeric = [column for column in heading.columns if column.role in NUMERIC]
    for at in numbers_of(context, heading, row):
        segment = at.span.segment
        before, after = row.text[segment.start : at.span.start], row.text[at.span.end : segment.end]
        letters = sum(c.isalpha() for c in before)
        own = letters <= 3
        under = any(min(c.x1, at.span.x1) - max(c.x0, at.span.x0) > 0 for c in numeric)
        named = before.rstrip().endswith((":", "："))
        sentence = letters > _SENTENCE and (
            sum(c.isalpha() for c in after) > 2 * _SENTENCE
            or any(date.span.segment == segment for date in context.values.dates(row))
        )
        if own or (under and not named and not sentence):
            yield at


def _clusters(numbers: Sequence[NumberAt]) -> list[Cluster]:
    """Numbers grouped by horizontal overlap, narrow ones first so that a wide one joins only one group."""
    found: list[Cluster] = []
    for at in sorted(numbers, key=lambda n: n.span.x1 - n.span.x0):
        overlapping = [c for c in found if min(c.x1, at.span.x1) - max(c.x0, at.span.x0) > 0]
        if overlapping:
            best = max(overlapping, key=lambda c: min(c.x1, at.span.x1) - max(c.x0, at.span.x0))
            best.numbers.append(at)
            best.x0, best.x1 = min(best.x0, at.span.x0), max(best.x1, at.span.x1)
        else:
            found.append(Cluster(at.span.x0, at.span.x1, [at]))
    merged: list[Cluster] = []
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


def _align(clusters: Sequence[Cluster], columns: Sequence[Column]) -> list[tuple[Cluster, Column]]:
    """The best assignment of clusters to headings that keeps their order (dynamic programming)."""
    rows, cols = len(clusters), len(columns)
    largest = max((len(cluster.numbers) for cluster in clusters), default=1)
    best = [[0.0] * (cols + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(cols - 1, -1, -1):
            most = FIT["count"] * min(1.0, 2 * len(clusters[i].numbers) / largest)
            pair = _fit(clusters[i], columns[j]) + most + best[i + 1][j + 1]
            best[i][j] = max(best[i + 1][j], best[i][j + 1], pair)
    pairs: list[tuple[Cluster, Column]] = []
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
    clusters: Sequence[Cluster], pairs: list[tuple[Cluster, Column]], headings: Sequence[Column]
) -> list[tuple[Cluster, Column]]:
    """The pairs with quantity, price and amount as the figures prove them, where the headings' choice fails.

    Headings may name none of them, or stand over the wrong one; quantity × price = amount on most lines is proof.
    """
    roles = {column.role: cluster for cluster, column in pairs if column.role in NUMERIC}
    amount_role = next((role for role in AMOUNTS if role in roles), AMOUNTS[0])
    discount = roles.get("discount")
    known = (roles.get("quantity"), roles.get("net_price"), roles.get(amount_role))
    if known[0] and known[1] and known[2] and _proof(known[0], known[1], known[2], discount).holds:
        return pairs
    if len(clusters) > _MOST_COLUMNS:
        return pairs
    money = [c for c in clusters if _share_money(c) > 0.5]
    if known[0] and known[1] and known[2] and (net := _before_tax(known[0], known[1], known[2], money)):
        kept = [(c, column) for c, column in pairs if c is not net and column.role not in AMOUNTS]
        gross = Column("line_total_with_vat", known[2].x0, known[2].x1)
        return [*kept, (net, Column("line_net_amount", net.x0, net.x1)), (known[2], gross)]
    unmarked = [c for c in clusters if len(c.numbers) > 0 and _are_large(c)]
    amounts = [known[2]] if known[2] else [*money, *unmarked] or clusters
    best: tuple[float, tuple[Cluster, Cluster, Cluster]] | None = None
    for quantity, price, amount in product(clusters, clusters, amounts):
        if quantity is price or amount is quantity or amount is price:
            continue
        proof = _proof(quantity, price, amount, discount)
        kept = (quantity is known[0]) + (price is known[1])
        # One line proves nothing by 1 × 5 = 5, unless headings name all but one of the three.
        sure = proof.telling or (kept + (amount is known[2]) == 2 and None in known and proof.right)
        score = (
            2 * proof.right / len(amount.numbers) + 0.4 * kept + _likely(quantity, price, amount, headings)
        )
        if sure and proof.holds and (best is None or score > best[0]):
            best = (score, (quantity, price, amount))
    if best is None:
        return pairs
    chosen = dict(zip(("quantity", "net_price", amount_role), best[1], strict=True))
    kept_pairs = [
        (c, column)
        for c, column in pairs
        if column.role not in chosen and not any(c is new for new in chosen.values())
    ]
    return [*kept_pairs, *((c, Column(role, c.x0, c.x1)) for role, c in chosen.items())]


def _before_tax(
    quantity: Cluster, price: Cluster, gross: Cluster, money: Sequence[Cluster]
) -> Cluster | None:
    """The column between price and amount that is quantity × price on every line, where the amount is more: its tax."""
    for cluster in money:
        if cluster is price or cluster is gross or not price.x1 < cluster.x1 < gross.x1:
            continue
        proof = _proof(quantity, price, cluster, None)
        net, whole = (_by_line(c, [at.span for at in gross.numbers]) for c in (cluster, gross))
        more = all(max(whole[line]) >= max(net[line]) for line in net.keys() & whole.keys())
        if proof.right == proof.present == len(gross.numbers) and more:
            return cluster
    return None


def _likely(quantity: Cluster, price: Cluster, amount: Cluster, headings: Sequence[Column]) -> float:
    """What else speaks for columns that agree: product does not tell its factors apart."""
    under = sum(
        min(column.x1, cluster.x1) > max(column.x0, cluster.x0)
        for column in headings
        for role, cluster in (("quantity", quantity), ("net_price", price))
        if column.role == role
    )
    whole, money = _share_whole(quantity) - _share_whole(price), _share_money(price) - _share_money(quantity)
    order = 0.1 * (price.x0 < amount.x0) + 0.05 * (quantity.x0 < price.x0)
    return 0.3 * under + 0.1 * whole + 0.1 * money + order


def _are_large(cluster: Cluster) -> bool:
    """Whether most of the numbers are amounts without decimals, by their size."""
    return sum(
        at.number.places == 0 and abs(at.number.value) >= _LARGE for at in cluster.numbers
    ) > 0.5 * len(cluster.numbers)


def _are_codes(cluster: Cluster) -> bool:
    """Whether most of the numbers look like codes: many digits without a mark, or a leading zero."""
    texts = [at.span.text for at in cluster.numbers]
    coded = (t.isdigit() and (len(t) >= _CODE_DIGITS or (len(t) > 1 and t[0] == "0")) for t in texts)
    return sum(coded) > 0.5 * len(texts)


def _share_whole(cluster: Cluster) -> float:
    return sum(at.number.value == at.number.value.to_integral_value() for at in cluster.numbers) / len(
        cluster.numbers
    )


def _share_money(cluster: Cluster) -> float:
    return sum(at.money for at in cluster.numbers) / len(cluster.numbers)


@dataclass(frozen=True)
class _Proof:
    """On how many lines three columns are all present, and on how many they agree."""

    present: int
    right: int
    telling: int

    @property
    def holds(self) -> bool:
        return self.right > 0 and self.right >= PROVED * self.present


def _proof(quantity: Cluster, price: Cluster, amount: Cluster, discount: Cluster | None) -> _Proof:
    anchors = [at.span for at in amount.numbers]
    quantities, prices, amounts = (_by_line(column, anchors) for column in (quantity, price, amount))
    less: Mapping[int, Sequence[Decimal | None]] = _by_line(discount, anchors) if discount else {}
    present = right = telling = 0
    for line in quantities.keys() & prices.keys() & amounts.keys():
        present += 1
        for q, p, a, d in product(quantities[line], prices[line], amounts[line], less.get(line, (None,))):
            if agrees(q, p, a, d):
                right += 1
                telling += q != 1 and p != 1 and a != 0
                break
    return _Proof(present, right, telling)


def _by_line(cluster: Cluster, anchors: Sequence[Span]) -> Mapping[int, list[Decimal]]:
    """The values of a column by the row of the amount that they stand nearest to."""
    found: dict[int, list[Decimal]] = {}
    own = {anchor.row.index for anchor in anchors}
    for at in cluster.numbers:
        row = at.span.row
        if row.index in own:
            found.setdefault(row.index, []).append(at.number.value)
            continue
        near = [a.row for a in anchors if a.row.page == row.page]
        nearest = min(near, key=lambda other: abs(other.middle - row.middle), default=None)
        if nearest is not None and abs(nearest.middle - row.middle) < 2 * row.height:
            found.setdefault(nearest.index, []).append(at.number.value)
    return found


def _fit(cluster: Cluster, column: Column) -> float:
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
        "quantity": percent < 0.5
        and not any(at.number.currency for at in cluster.numbers)
        and not _are_codes(cluster),
        "net_price": percent < 0.5,
        "gross_price": percent < 0.5,
        "line_net_amount": percent < 0.5,
        "line_total_with_vat": percent < 0.5,
        "vat_amount": money > 0.4,
        "vat_rate": all(0 <= at.number.value <= 100 for at in cluster.numbers),
        "discount": True,
        "line_id": whole > 0.9,
    }[column.role]
    return score + (FIT["type"] if suits else FIT["misfit"])
