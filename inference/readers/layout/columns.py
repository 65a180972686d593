"""Columns of figures under headings: which numbers stand above each other, and what each column holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference.readers.layout.candidates import NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.headings import NUMERIC, Column, Heading
from inference.readers.layout.lines import (
    CENT,
)
from inference.readers.layout.rows import Row

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
class Cluster:
    """Numbers of several rows that stand above each other."""

    x0: float
    x1: float
    numbers: list[NumberAt]


def assign_roles(context: Context, heading: Heading, body: Sequence[Row]) -> dict[int, dict[int, str]]:
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
    clusters: Sequence[Cluster], pairs: list[tuple[Cluster, Column]]
) -> list[tuple[Cluster, Column]]:
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


def _by_row(cluster: Cluster) -> dict[int, Decimal]:
    return {at.span.row.index: at.number.value for at in cluster.numbers}


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
