"""The screens over a ledger with 100,000 documents (`tests.bench.crowd`): server time by itself, and fifty people at once.

`python -m tests.bench.review` prints them. Fifty people ask for the queue as their browsers do: each a page, then every
ten seconds whether it has changed; here they ask without a pause, which is far more than fifty people do.
"""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import uvicorn
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from connector.ledger.documents import DocumentStore
from connector.ledger.store import Ledger
from connector.review.app import create_app
from connector.review.deps import ReviewDeps
from connector.review.pages import PageImages
from inference.isolation import Sandbox
from tests.bench.crowd import NOW, Crowd, crowd

TARGET_MS, LARGEST_IMAGE, LARGEST_SCRIPT = 100, 200_000, 40 * 1024
ROUNDS, PEOPLE, ASKED_EACH = 40, 50, 10
STATIC = Path(__file__).parents[2] / "connector/review/static"


@contextmanager
def deps_of(made: Crowd) -> Iterator[ReviewDeps]:
    """The app's dependencies over the crowd's ledger."""
    with closing(Ledger.connect(made.url, lambda: NOW)) as ledger, Sandbox() as sandbox:
        yield ReviewDeps(
            ledger=ledger,
            documents=DocumentStore(made.documents),
            record_url=lambda backend, model, number: f"http://127.0.0.1:9/{backend}/{model}/{number}",
            backends={"main": timedelta(days=1)},
            sandbox=sandbox,
            clock=lambda: NOW,
        )


def timed(ask: Callable[[int], None], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds, the first time left out."""
    ask(0)
    times: list[float] = []
    for number in range(1, rounds + 1):
        start = time.perf_counter()
        ask(number)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def pages(deps: ReviewDeps) -> Iterator[tuple[str, float, float]]:
    """Name, median and 95th percentile of each page, in milliseconds of server time."""
    client = TestClient(create_app(deps), base_url="http://127.0.0.1")
    queue = client.get("/api/v1/reviews").json()
    ids = [review["id"] for review in queue["reviews"]]

    def get(path: str) -> None:
        assert client.get(path).status_code == 200, path

    for name, path in (
        ("queue", "/reviews"),
        ("queue, one reason", "/reviews?topic=order_line"),
        ("queue, by vendor", "/reviews?group=vendor"),
        ("queue, searched", "/reviews?q=nordwind"),
        ("queue as JSON", "/api/v1/reviews"),
        ("all documents", "/documents"),
        ("documents, page 500", "/documents?page=500"),
        ("insight, measured already", "/insight"),
    ):
        yield name, *timed(lambda _n, path=path: get(path))
    after = queue["after"]
    yield "queue, next page", *timed(lambda _n: get(f"/reviews?after={quote(after)}"))
    stamp = client.get("/reviews").headers["etag"]
    yield "queue, unchanged", *timed(lambda _n: _unchanged(client, stamp))
    yield "bill", *timed(lambda number: get(f"/documents/{ids[number % len(ids)]}"))
    yield "bill's history", *timed(lambda number: get(f"/documents/{ids[number % len(ids)]}/history"))
    # Each of these looks back another number of days, so that nothing was measured already.
    yield "insight, measured anew", *timed(lambda number: get(f"/insight?days={60 + number}"), 10)


def _unchanged(client: TestClient, stamp: str) -> None:
    assert client.get("/reviews", headers={"If-None-Match": stamp}).status_code == 304


def at_once(deps: ReviewDeps) -> tuple[float, float, float, int]:
    """Fifty people: answers a second, median and 95th percentile in milliseconds, errors."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(deps), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            while not server.started:
                time.sleep(0.05)
            start = time.perf_counter()
            with ThreadPoolExecutor(PEOPLE) as people:
                told = [one for found in people.map(lambda _: _asks(address), range(PEOPLE)) for one in found]
            spent = time.perf_counter() - start
        finally:
            server.should_exit = True
            thread.join(10)
    times = [milliseconds for milliseconds, _ in told]
    errors = sum(status not in (200, 304) for _, status in told)
    return len(told) / spent, statistics.median(times), statistics.quantiles(times, n=20)[-1], errors


def _asks(address: str) -> list[tuple[float, int]]:
    told: list[tuple[float, int]] = []
    with httpx.Client(base_url=address, timeout=60) as client:
        stamp = ""
        for number in range(ASKED_EACH):
            path = "/reviews" if number % 5 else "/reviews?group=vendor"
            headers = {"If-None-Match": stamp} if number % 5 > 1 else {}
            start = time.perf_counter()
            answer = client.get(path, headers=headers)
            told.append((1000 * (time.perf_counter() - start), answer.status_code))
            stamp = answer.headers.get("etag", "")
    return told


def main() -> None:
    """Print the figures."""
    with deps_of(crowd()) as deps:
        for name, middle, high in pages(deps):
            print(
                f"{name:28} p50 {middle:7.1f} ms   p95 {high:7.1f} ms{'' if high <= TARGET_MS else f'   over {TARGET_MS}'}"
            )
        rate, middle, high, errors = at_once(_again(deps))
        print(
            f"{PEOPLE} people without a pause: {rate:.0f} answers/s, p50 {middle:.0f} ms, p95 {high:.0f} ms, {errors} errors"
        )
        job = deps.ledger.reviews(1)[0].job
        picture = PageImages(deps.documents, deps.sandbox).picture(job.document_sha256 or "", 1) or b""
        print(f"page image {len(picture) / 1000:.0f} kB (at most {LARGEST_IMAGE / 1000:.0f})")
        name, size = max(
            ((file.name, file.stat().st_size) for file in STATIC.glob("*.js")), key=lambda one: one[1]
        )
        print(f"largest script {name}, {size / 1024:.1f} KB (at most {LARGEST_SCRIPT / 1024:.0f})")


def _again(deps: ReviewDeps) -> ReviewDeps:
    """The same over a registry of its own: an app registers its figures once."""
    return replace(deps, registry=CollectorRegistry())


if __name__ == "__main__":
    main()
