"""Insight: what the ledger tells of Vouch's own work, as plots, JSON and CSV, and the switches of shadow mode."""

from __future__ import annotations

import csv
import io
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from connector.insight import ENOUGH, ENOUGH_TIMES, Measured, Table, measure
from connector.ledger.insight import Insights, Scope
from connector.ledger.learning import Learning
from connector.review import plots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.insight import Cell
    from connector.review.access import Person
    from connector.review.deps import ReviewDeps
    from connector.review.language import Language
    from connector.review.screen import Screen

PERIODS = (30, 90, 365, 0)
"""Days to look back; 0 is everything."""

DEFAULT_PERIOD = 90
KEPT_FOR = timedelta(seconds=60)
MOST_ROWS = 12
"""Rows of a long table on the page; its CSV has all."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Backend = Annotated[str, Query(max_length=64)]
Days = Annotated[int, Query(ge=0, le=3650)]


class ShadowSwitch(BaseModel):
    """Whether a vendor's bills go to a person although they are sure."""

    model_config = ConfigDict(extra="forbid")

    backend: str = Field(max_length=64)
    vendor_id: int = Field(ge=1, le=2**31 - 1)
    on: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One figure on the page: its table, the plot, and the sentence in place of a plot of too few documents."""

    table: Table
    plot: Markup | None
    too_few: str


class Figures:
    """What was measured, kept for a minute: fifty people who look at it cost one look at the ledger."""

    def __init__(self, deps: ReviewDeps) -> None:
        self._deps, self._ledger = deps, Insights(deps.ledger.engine)
        self._kept: dict[tuple[str, int, frozenset[int] | None], Measured] = {}
        self._lock = threading.Lock()

    def get(self, backend: str, days: int, companies: frozenset[int] | None) -> Measured:
        """The figures of a Backend's last `days`."""
        key, now = (backend, days, companies), self._deps.clock()
        with self._lock:
            known = self._kept.get(key)
            if known is None or now - known.until > KEPT_FOR:
                scope = Scope(backend, _start(now, days), companies)
                known = measure(self._ledger, scope, self._deps.owner, self._deps.minutes_by_hand, now)
                self._kept = {
                    one: found for one, found in self._kept.items() if now - found.until <= KEPT_FOR
                } | {key: known}
        return known

    def forget(self) -> None:
        """Measure anew next time."""
        with self._lock:
            self._kept.clear()


def make_router(deps: ReviewDeps, screen: Screen) -> APIRouter:
    """`/insight`, `/api/v1/insight` with its CSV, and `/api/v1/shadow`."""
    router = APIRouter()
    figures, learning = Figures(deps), Learning(deps.ledger.engine, deps.clock)

    def measured(request: Request, backend: str, days: int) -> tuple[str, Measured]:
        person = screen.access.person(request)
        chosen = backend or next(iter(_backends(deps, person)), "")
        if chosen not in _backends(deps, person):
            raise HTTPException(404, "no_such_page")
        return chosen, figures.get(chosen, days, person.companies)

    @router.get("/insight", response_class=HTMLResponse)
    def page(request: Request, backend: Backend = "", days: Days = DEFAULT_PERIOD) -> HTMLResponse:
        chosen, found = measured(request, backend, days)
        language = screen.language(request)
        return screen.render(
            request,
            "insight/page.html",
            found=found,
            cards=_cards(found, language),
            backend=chosen,
            backends=_backends(deps, screen.access.person(request)),
            days=days,
            periods=PERIODS,
            most=MOST_ROWS,
            bar=plots.bar,
            enough=ENOUGH,
            enough_times=ENOUGH_TIMES,
            minutes_by_hand=deps.minutes_by_hand,
        )

    @router.get("/api/v1/insight")
    def as_json(request: Request, backend: Backend = "", days: Days = DEFAULT_PERIOD) -> JSONResponse:
        chosen, found = measured(request, backend, days)
        return JSONResponse({"backend": chosen} | found.as_json())

    @router.get("/api/v1/insight/{table}.csv")
    def as_csv(
        request: Request,
        table: Annotated[str, Path(max_length=40)],
        backend: Backend = "",
        days: Days = DEFAULT_PERIOD,
    ) -> Response:
        _, found = measured(request, backend, days)
        if table not in found.tables:
            raise HTTPException(404, "no_such_page")
        name = {"Content-Disposition": f'attachment; filename="vouch-{table}.csv"'}
        return Response(csv_of(found.tables[table]), media_type="text/csv; charset=utf-8", headers=name)

    @router.post("/api/v1/shadow")
    def switch(request: Request, asked: ShadowSwitch) -> JSONResponse:
        person = screen.access.writer(request)
        known = {
            number: shadow.vendor
            for number, shadow in learning.shadows(asked.backend, deps.owner.shadow_bills)
        }
        if not person.sees(asked.backend, None) or asked.vendor_id not in known:
            raise HTTPException(404, "no_such_page")
        vendor = known[asked.vendor_id]
        learning.switch_shadow(asked.backend, asked.vendor_id, vendor, asked.on, person.name)
        figures.forget()
        shadow = learning.shadow(asked.backend, asked.vendor_id, vendor, deps.owner.shadow_bills)
        return JSONResponse({"vendor": vendor, "vendor_id": asked.vendor_id, "shadow": shadow.is_on})

    return router


def csv_of(table: Table) -> str:
    """The whole table as CSV (RFC 4180). Text that a spreadsheet would take for a formula begins with an apostrophe
    (OWASP, CSV Injection)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(table.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def _harmless(cell: Cell) -> Cell:
    return (
        f"'{cell}" if isinstance(cell, str) and cell.lstrip(" \0\ufeff\u200b").startswith(FORMULA) else cell
    )


def _start(now: datetime, days: int) -> datetime | None:
    """Midnight (UTC) of the first day that counts."""
    if not days:
        return None
    return (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)


def _backends(deps: ReviewDeps, person: Person) -> Sequence[str]:
    return [name for name in deps.backends if person.sees(name, None)]


def _cards(found: Measured, language: Language) -> dict[str, Card]:
    threshold = found.proof.threshold if found.proof else None

    def draw(name: str, table: Table) -> Markup | None:
        match name:
            case "straight_through":
                return plots.straight_through(table, language)
            case "reliability":
                return plots.reliability(table, language)
            case "budget":
                return plots.budget(table, language, found.budget, threshold)
            case "review_time":
                return plots.review_time(table, language)
            case _:
                return None

    cards: dict[str, Card] = {}
    for name, table in found.tables.items():
        least = ENOUGH_TIMES if name == "review_time" else ENOUGH
        few = table.n < least
        cards[name] = Card(
            table, None if few else draw(name, table), language.t("insight.too_few", n=table.n) if few else ""
        )
    return cards
