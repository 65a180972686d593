"""The plots of the insight page as inline SVG: readable without scripts, each with its title and what it tells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from connector.insight import ENOUGH_TIMES
from inference.plane import Mark, Plane

if TYPE_CHECKING:
    from connector.insight import Table
    from connector.review.language import Language

WIDTH, HEIGHT = 560, 250
MOST_MARKS = 7
BAR = 120
Row = Mapping[str, Any]


def straight_through(table: Table, language: Language) -> Markup:
    """A point a week with Wilson's interval as a band behind the line."""
    rows = _rows(table)
    plane, weeks = _over_weeks(rows, 0, 1)
    band = [
        *zip(weeks, _of(rows, "high"), strict=True),
        *reversed([*zip(weeks, _of(rows, "low"), strict=True)]),
    ]
    line = [*zip(weeks, _of(rows, "share"), strict=True)]
    t = language.t
    marks = [plane.axes(t("insight.week_of"), t("insight.straight_through.up"), _weeks(rows, language))]
    if len(rows) > 1:
        marks += [plane.area(band, "band"), plane.curve(line, "curve")]
    for (x, y), row in zip(line, rows, strict=True):
        told = t(
            "insight.straight_through.told", week=_week(row, language), filled=row["filled"], n=row["decided"]
        )
        marks.append(plane.point(x, y, told))
    return plane.drawing(marks, t("insight.straight_through.title"), t("insight.straight_through.means"))


def reliability(table: Table, language: Language) -> Markup:
    """A point a bin: how sure Vouch was, how many were right, with Wilson's interval; on the dotted line it is honest."""
    rows, t = _rows(table), language.t
    low = math.floor(10 * min(0.9, *_of(rows, "confidence"), *_of(rows, "low"))) / 10
    plane = Plane(low, 1, low, 1, WIDTH, HEIGHT)
    marks = [plane.axes(t("insight.reliability.across"), t("insight.reliability.up"))]
    marks.append(plane.line((low, low), (1, 1), "ideal"))
    for row in rows:
        marks.append(plane.line((row["confidence"], row["low"]), (row["confidence"], row["high"]), "reach"))
        sure, right = language.share(row["confidence"]), row["right"]
        told = t("insight.reliability.told", sure=sure, right=right, n=row["bills"])
        marks.append(plane.point(row["confidence"], row["share"], told))
    return plane.drawing(marks, t("insight.reliability.title"), t("insight.reliability.means"))


def budget(table: Table, language: Language, allowed: float | None, threshold: float | None) -> Markup:
    """By threshold: the share of wrong bills, and how large it may be; the allowed share and what is proven as lines."""
    rows, t = _rows(table), language.t
    # A bound of very few bills would flatten all others.
    most = max(
        0.02,
        *(row["bound"] for row in rows if row["bound"] <= 0.3),
        *_of(rows, "share"),
        1.5 * (allowed or 0),
    )
    low, high = rows[0]["threshold"], max(1.0, rows[-1]["threshold"])
    plane = Plane(low, high if high > low else low + 0.01, 0, most, WIDTH, HEIGHT)
    marks = [plane.axes(t("insight.budget.across"), t("insight.budget.up"))]
    bounds = [(row["threshold"], min(row["bound"], most)) for row in rows]
    shares = [(row["threshold"], row["share"]) for row in rows if row["bills"]]
    marks += [
        plane.area([*bounds, *reversed([(x, 0.0) for x, _ in bounds])], "band"),
        plane.curve(bounds, "bound"),
    ]
    marks.append(plane.curve(shares, "curve"))
    if allowed is not None:
        marks.append(plane.line((plane.x0, allowed), (plane.x1, allowed), "limit"))
    if threshold is not None:
        marks.append(plane.line((threshold, 0), (threshold, most), "ideal"))
    for row in rows:
        if row["bills"]:
            told = t(
                "insight.budget.told",
                sure=language.share(row["threshold"]),
                wrong=row["wrong"],
                n=row["bills"],
                bound=language.share(row["bound"]),
            )
            marks.append(plane.point(row["threshold"], row["share"], told))
    return plane.drawing(marks, t("insight.budget.title"), t("insight.budget.means"))


def review_time(table: Table, language: Language) -> Markup:
    """Median and 90th percentile by week, in seconds, of the weeks that have enough of them."""
    rows, t = [row for row in _rows(table) if row["reviews"] >= ENOUGH_TIMES] or _rows(table), language.t
    most = max(*_of(rows, "p90_seconds"), 10.0) * 1.1
    plane, weeks = _over_weeks(rows, 0, most)
    medians = [*zip(weeks, _of(rows, "median_seconds"), strict=True)]
    nineties = [*zip(weeks, _of(rows, "p90_seconds"), strict=True)]
    seconds = [(place, f"{place:g}") for place in _round_places(most)]
    marks = [plane.axes(t("insight.week_of"), t("insight.review_time.up"), _weeks(rows, language), seconds)]
    if len(rows) > 1:
        marks += [plane.curve(nineties, "bound"), plane.curve(medians, "curve")]
    for (x, y), (_, ninety), row in zip(medians, nineties, rows, strict=True):
        told = t("insight.review_time.told", week=_week(row, language), median=f"{y:g}", p90=f"{ninety:g}", n=row["reviews"])  # fmt: skip
        marks += [plane.point(x, ninety, told, "point faint"), plane.point(x, y, told)]
    return plane.drawing(marks, t("insight.review_time.title"), t("insight.review_time.means"))


def bar(share: float, label: str, low: float | None = None, high: float | None = None) -> Markup:
    """A bar for a table's cell, from 0 to 1, with an interval as a whisker where one is given."""
    parts = [f'<rect class="track" y="1" width="{BAR}" height="8" rx="2"/>']
    parts.append(f'<rect class="bar" y="1" width="{BAR * min(max(share, 0), 1):.1f}" height="8" rx="2"/>')
    if low is not None and high is not None:
        parts.append(f'<line class="reach" x1="{BAR * low:.1f}" x2="{BAR * high:.1f}" y1="5" y2="5"/>')
    inner = f"<title>{escape(label)}</title>{''.join(parts)}"
    return Markup(  # noqa: S704 - numbers, and an escaped label
        f'<svg class="bars" viewBox="0 0 {BAR} 10" width="{BAR}" height="10" role="img">{inner}</svg>'
    )


def _rows(table: Table) -> list[Row]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def _of(rows: Sequence[Row], name: str) -> list[float]:
    return [row[name] for row in rows]


def _over_weeks(rows: Sequence[Row], low: float, high: float) -> tuple[Plane, list[float]]:
    weeks = [float(date.fromisoformat(row["week"]).toordinal()) for row in rows]
    first, last = weeks[0], weeks[-1]
    return Plane(first - 3, last + 3, low, high, WIDTH, HEIGHT), weeks


def _weeks(rows: Sequence[Row], language: Language) -> list[Mark]:
    step = max(1, -(-len(rows) // MOST_MARKS))
    return [
        (float(date.fromisoformat(row["week"]).toordinal()), _week(row, language))
        for row in rows[::-step][::-1]
    ]


def _week(row: Row, language: Language) -> str:
    return language.short_day(date.fromisoformat(row["week"]))


def _round_places(most: float) -> list[float]:
    step = next(
        step for power in range(8) for step in (10**power, 2 * 10**power, 5 * 10**power) if most / step <= 6
    )
    return [float(place * step) for place in range(int(most / step) + 1)]
