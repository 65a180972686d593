"""Optimal assignment of few to few: document lines to order lines."""

from __future__ import annotations

from collections.abc import Sequence

INFINITE = float("inf")


def assign(scores: Sequence[Sequence[float]]) -> list[int | None]:
    """For each row the column that makes the sum of scores largest, no column twice; None where columns run out.

    The Hungarian method with potentials, O(rows² · columns) (Kuhn 1955; Jonker and Volgenant 1987).
    """
    rows, columns = len(scores), max((len(row) for row in scores), default=0)
    if not rows or not columns:
        return [None] * rows
    if rows > columns:
        turned = assign([[scores[r][c] for r in range(rows)] for c in range(columns)])
        taken = {row: column for column, row in enumerate(turned) if row is not None}
        return [taken.get(row) for row in range(rows)]
    row_of = [0] * (columns + 1)
    u, v = [0.0] * (rows + 1), [0.0] * (columns + 1)
    for row in range(1, rows + 1):
        _augment(scores, row, row_of, u, v)
    result: list[int | None] = [None] * rows
    for column in range(1, columns + 1):
        if row_of[column]:
            result[row_of[column] - 1] = column - 1
    return result


def _augment(
    scores: Sequence[Sequence[float]], row: int, row_of: list[int], u: list[float], v: list[float]
) -> None:
    """Add one row to the matching along the cheapest path; column 0 stands for none."""
    columns = len(v) - 1
    row_of[0], column = row, 0
    least, way, used = [INFINITE] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
    while row_of[column]:
        used[column] = True
        here, step, following = row_of[column], INFINITE, 0
        for other in range(1, columns + 1):
            if used[other]:
                continue
            cost = -scores[here - 1][other - 1] - u[here] - v[other]
            if cost < least[other]:
                least[other], way[other] = cost, column
            if least[other] < step:
                step, following = least[other], other
        for other in range(columns + 1):
            if used[other]:
                u[row_of[other]] += step
                v[other] -= step
            else:
                least[other] -= step
        column = following
    while column:
        row_of[column] = row_of[way[column]]
        column = way[column]
