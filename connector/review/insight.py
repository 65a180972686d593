"""Insight: what the ledger tells of Vouch's own work, as plots, JSON and CSV, and the switches of shadow mode."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections import OrderedDict
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
    from connector.review.deps import ReviewDeps
    from connector.review.language import Language
    from connector.review.screen import Screen
    from connector.settling.person import Person

PERIODS = (30, 90, 365, 0)
"""Days to look back; 0 is everything."""

DEFAULT_PERIOD = 90
KEPT_FOR = timedelta(seconds=60)
SHOWN_FOR = timedelta(hours=1)
"""So old may figures on the page be while newer ones are measured; it says of when they are."""

MOST_KEPT = 64
MOST_ROWS = 12
"""Rows of a long table on the page; its CSV has all."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
OTHER_CELL = re.compile(r"[;\t\r\n][\s\0\ufeff\u200b\"]*(?=[=+\-@＝＋－＠])")
"""Where a spreadsheet that parts cells otherwise (by semicolons, in much of Europe) would begin a formula within a text."""

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


@dataclass(frozen=True, slots=True)
class _Asked:
    backend: str
    days: int
    companies: frozenset[int] | None


class Figures:
    """What was measured, with its time: fifty people who look cost one look at the ledger a minute.

    Figures older than that are shown once more, for an hour, while they are measured anew in the background. Safe to
    share between threads.
    """

    def __init__(self, deps: ReviewDeps) -> None:
        self._deps, self._ledger = deps, Insights(deps.ledger.engine)
        self._kept: OrderedDict[_Asked, Measured] = OrderedDict()
        self._renewing: dict[_Asked, threading.Thread] = {}
        self._round = 0
        self._lock, self._measuring = threading.Lock(), threading.Lock()

    def get(self, asked: _Asked, *, at_most: timedelta = KEPT_FOR) -> Measured:
        """The figures, `at_most` so old."""
        with self._lock:
            known = self._kept.get(asked)
        if known is not None and self._age(known) <= KEPT_FOR:
            return known
        if known is not None and self._age(known) <= at_most:
            self._renew(asked)
            return known
        with self._measuring:
            known = self._kept.get(asked)
            return known if known is not None and self._age(known) <= KEPT_FOR else self._measure(asked)

    def is_renewing(self, shown: Measured) -> bool:
        """Whether these are about to be measured anew."""
        return self._age(shown) > KEPT_FOR

    def forget(self) -> None:
        """Measure anew next time."""
        with self._lock:
            self._kept.clear()
            self._round += 1

    def _age(self, known: Measured) -> timedelta:
        return self._deps.clock() - known.until

    def _renew(self, asked: _Asked) -> None:
        with self._lock:
            running = self._renewing.get(asked)
            if running is not None and running.is_alive():
                return
            thread = threading.Thread(target=self._measure, args=[asked], name="insight", daemon=True)
            self._renewing = {one: at for one, at in self._renewing.items() if at.is_alive()} | {
                asked: thread
            }
            thread.start()

    def _measure(self, asked: _Asked) -> Measured:
        now, begun = self._deps.clock(), self._round
        scope = Scope(asked.backend, _start(now, asked.days), asked.companies)
        found = measure(self._ledger, scope, self._deps.owner, self._deps.minutes_by_hand, now)
        with self._lock:
            # A switch that was thrown meanwhile may not be in it.
            if begun == self._round:
                self._kept[asked] = found
                self._kept.move_to_end(asked)
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        return found


def make_router(deps: ReviewDeps, screen: Screen) -> APIRouter:
    """`/insight`, `/api/v1/insight` with its CSV, and `/api/v1/shadow`."""
    router = APIRouter()
    figures, learning = Figures(deps), Learning(deps.ledger.engine, deps.clock)

    def measured(
        request: Request, backend: str, days: int, at_most: timedelta = KEPT_FOR
    ) -> tuple[str, Measured]:
        person = screen.access.person(request)
        chosen = backend or next(iter(_backends(deps, person)), "")
        if chosen not in _backends(deps, person):
            raise HTTPException(404, "no_such_page")
        return chosen, figures.get(_Asked(chosen, days, person.companies), at_most=at_most)

    @router.get("/insight", response_class=HTMLResponse)
    def page(request: Request, backend: Backend = "", days: Days = DEFAULT_PERIOD) -> HTMLResponse:
        chosen, found = measured(request, backend, days, SHOWN_FOR)
        language = screen.language(request)
        return screen.render(
            request,
            "insight/page.html",
            found=found,
            renewing=figures.is_renewing(found),
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
    if not isinstance(cell, str):
        return cell
    text = OTHER_CELL.sub(lambda found: f"{found[0]}'", cell)
    return f"'{text}" if text.lstrip(" \0\ufeff\u200b").startswith(FORMULA) else text


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
