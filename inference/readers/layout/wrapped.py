"""Rows without an amount of their own: to which line each belongs, where texts go before, beside or after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from inference.readers.layout.lines import Line
from inference.readers.layout.rows import Row

DISTINCT = 1.3
"""A gap this much larger than the usual one between the rows of a line parts two lines."""

_FAR = 3.0
"""Rows further apart than so many letter heights do not belong together."""


def rows_of(lines: Sequence[Line], loose: Sequence[Row], texts_inside: float) -> Mapping[int, list[Row]]:
    """The loose rows of each line, by the position of the line; rows of none are left out.

    `texts_inside` is the share of lines that have a description beside their amount. Where most have none, the
    rows around an amount are its description, parted where the gap between rows is largest.
    """
    if not lines:
        return {}
    found: dict[int, list[Row]] = {}
    between = list(_between(lines, loose))
    inside = texts_inside >= 0.5
    cuts = {place: cut for place, rows in between if (cut := _distinct_cut(lines, place, rows)) is not None}
    around = [len(rows) - cuts[place] for place, rows in between if place in cuts and rows]
    # Where the gaps part lines before the next description begins, they do so everywhere.
    by_gaps = bool(around) and sum(above > 0 for above in around) >= 0.6 * len(around)
    leading = not inside and not by_gaps and _texts_lead(lines, loose)
    for place, rows in between:
        cut = len(rows)
        if by_gaps:
            cut = cuts.get(place, len(rows) // 2 if not inside else len(rows))
        elif leading:
            cut = 0
        elif not inside and not around:
            cut = _nearer(lines, place, rows)
        found.setdefault(place, []).extend(_reached(lines[place].anchor, rows[:cut]))
        found.setdefault(place + 1, []).extend(_reached(lines[place + 1].anchor, rows[cut:][::-1])[::-1])
    most = max(around, default=0) if by_gaps else 99
    for place, rows in _ends(lines, loose, above=True):
        if by_gaps or leading or not (inside or around):
            found.setdefault(place, []).extend(_reached(lines[place].anchor, rows[::-1])[:most][::-1])
    for place, rows in _ends(lines, loose, above=False):
        if not leading:
            found.setdefault(place, []).extend(_reached(lines[place].anchor, rows))
    return found


def _between(lines: Sequence[Line], loose: Sequence[Row]) -> Iterator[tuple[int, list[Row]]]:
    """The loose rows between each line and the next one of the same page."""
    for place, (one, other) in enumerate(pairwise(lines)):
        if one.anchor.page == other.anchor.page:
            yield place, [row for row in loose if one.anchor.index < row.index < other.anchor.index]


def _ends(lines: Sequence[Line], loose: Sequence[Row], above: bool) -> Iterator[tuple[int, list[Row]]]:
    """The loose rows above the first line of each page, or below the last."""
    for page in {line.anchor.page for line in lines}:
        places = [place for place, line in enumerate(lines) if line.anchor.page == page]
        place = places[0] if above else places[-1]
        anchor = lines[place].anchor
        rows = [row for row in loose if row.page == page and (row.index < anchor.index) == above]
        yield place, [row for row in rows if above or row.index > anchor.index]


def _gaps(lines: Sequence[Line], place: int, rows: Sequence[Row]) -> list[float]:
    chain = [lines[place].anchor, *rows, lines[place + 1].anchor]
    return [b.middle - a.middle for a, b in pairwise(chain)]


def _distinct_cut(lines: Sequence[Line], place: int, rows: Sequence[Row]) -> int | None:
    """After how many rows the one gap lies that is larger than all others, or None."""
    if not rows:
        return None
    gaps = _gaps(lines, place, rows)
    largest = max(gaps)
    others = [gap for gap in gaps if gap is not largest]
    return gaps.index(largest) if largest > DISTINCT * max(others) else None


def _nearer(lines: Sequence[Line], place: int, rows: Sequence[Row]) -> int:
    """How many of the rows stand nearer to the line above than to the one below."""
    up, down = lines[place].anchor.middle, lines[place + 1].anchor.middle
    return sum(row.middle - up <= down - row.middle for row in rows)


def _texts_lead(lines: Sequence[Line], loose: Sequence[Row]) -> bool:
    """Whether the first amount has rows close above it, and the last has none close below."""
    height = lines[0].anchor.height
    above = [r for _, rows in _ends(lines[:1], loose, above=True) for r in rows]
    below = [r for _, rows in _ends(lines[-1:], loose, above=False) for r in rows]
    leads = bool(above) and lines[0].anchor.middle - above[-1].middle < _FAR * height
    return leads and not (below and below[0].middle - lines[-1].anchor.middle < 0.7 * _FAR * height)


def _reached(anchor: Row, rows: Sequence[Row]) -> list[Row]:
    """The rows from an anchor on, as long as each stands close to the one before."""
    last, found = anchor, list[Row]()
    heights = median([anchor.height, *(row.height for row in rows)])
    for row in rows:
        if abs(row.middle - last.middle) > _FAR * heights:
            break
        found.append(row)
        last = row
    return found
