"""For those who run the service: is it alive, is it ready, and its figures for Prometheus."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError

from connector.errors import LedgerAway
from connector.ledger.key_ends import KeyEnds
from connector.ledger.settling import Settling

if TYPE_CHECKING:
    from connector.ledger.store import Ledger
    from connector.review.deps import ReviewDeps
    from connector.review.screen import Screen


def make_router(deps: ReviewDeps, screen: Screen) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`."""
    router = APIRouter()
    deps.registry.register(LedgerCollector(deps.ledger))

    @router.get("/healthz")
    def healthz() -> JSONResponse:
        return JSONResponse({"alive": True})

    @router.get("/readyz")
    def readyz(request: Request) -> JSONResponse:
        found = list(problems(deps))
        # What is wrong tells of addresses and versions: not for strangers.
        told = {"problems": found} if screen.access.insider(request) else {}
        return JSONResponse({"ready": not found, **told}, 503 if found else 200)

    @router.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(deps.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


def problems(deps: ReviewDeps) -> Iterator[str]:
    """Why the service cannot do its work now, in sentences; nothing when it is ready."""
    try:
        deps.ledger.require_writable()
        polls = {poll.backend: poll for poll in deps.ledger.polls()}
    except (LedgerAway, DBAPIError) as error:
        yield f"The ledger cannot be written: {error}"
        return
    now = deps.clock()
    for backend, longest in deps.backends.items():
        poll = polls.get(backend)
        if poll is not None and poll.error and poll.progress_at is None:
            yield f"The last poll of {backend} failed: {poll.error}"
            continue
        # A poll of very much takes long, and is well as long as it gets further.
        last = max((at for at in (poll.polled_at, poll.progress_at) if at), default=None) if poll else None
        if poll is None or last is None:
            yield f"{backend} has not been polled yet."
        elif now - last > longest and last == poll.polled_at:
            yield f"The last poll of {backend} was {_seconds(now - last)} ago. Is the scheduler running?"
        elif now - last > longest:
            yield (
                f"The poll of {backend} has got no further for {_seconds(now - last)}. Does that Odoo answer? Is the "
                "scheduler running?"
            )
    yield from deps.problems()


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} seconds"


class LedgerCollector(Collector):
    """Reads the figures from the ledger when they are asked for, so they are right after a restart too."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def describe(self) -> list[Metric]:
        """Empty: registering must not read the ledger."""
        return []

    def collect(self) -> Generator[Metric]:
        """One gauge per figure."""
        jobs = GaugeMetricFamily("vouch_jobs", "Documents by state.", labels=["state"])
        for state, count in self._ledger.counts().items():
            jobs.add_metric([state.value], count)
        yield jobs
        count, oldest = self._ledger.open_reviews()
        yield GaugeMetricFamily("vouch_reviews_open", "Documents that wait for a person.", count)
        yield GaugeMetricFamily(
            "vouch_review_oldest_opened_timestamp_seconds",
            "When the review that has waited longest was opened; 0 when none is open.",
            oldest.timestamp() if oldest else 0,
        )
        settled = GaugeMetricFamily(
            "vouch_reviews_settled", "Reviews settled, by verdict.", labels=["verdict"]
        )
        for verdict, number in Settling(self._ledger.engine).counts().items():
            settled.add_metric([verdict], number)
        yield settled
        ok = GaugeMetricFamily("vouch_poll_ok", "Whether the last poll succeeded.", labels=["backend"])
        success = GaugeMetricFamily(
            "vouch_poll_last_success_timestamp_seconds",
            "When a poll last succeeded; 0 when none has.",
            labels=["backend"],
        )
        for poll in self._ledger.polls():
            ok.add_metric([poll.backend], 0 if poll.error else 1)
            success.add_metric([poll.backend], poll.polled_at.timestamp() if poll.polled_at else 0)
        yield ok
        yield success
        ends = GaugeMetricFamily(
            "vouch_key_ends_timestamp_seconds",
            "When the API key for that Odoo ends; 0 when it has no end that can be seen.",
            labels=["backend"],
        )
        for key in KeyEnds(self._ledger.engine).all():
            ends.add_metric([key.backend], key.ends_at.timestamp() if key.ends_at else 0)
        yield ends
