"""The screens over a ledger with 100,000 documents (`tests.bench.crowd`): server time by itself, fifty people at once, the next bill in a browser.

`python -m tests.bench.review` prints them, then those of `tests.bench.people` and `tests.bench.next_bill`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from fastapi.testclient import TestClient

from connector.ledger.queue import Queue, Sight, Sought
from connector.review.app import create_app
from connector.review.deps import ReviewDeps
from connector.review.pages import PageImages
from tests.bench import next_bill, people
from tests.bench.crowd import crowd
from tests.bench.served import deps_of

TARGET_MS, LARGEST_IMAGE = 100, 200_000
ROUNDS, MOST_BILLS = 40, 2_000


@dataclass(frozen=True)
class Timed:
    """Median and 95th percentile in milliseconds, and the median of the processor time: that of a busy machine too."""

    middle: float
    high: float
    processor: float


def timed(ask: Callable[[int], None], rounds: int = ROUNDS) -> Timed:
    """Ask so often, the first time left out."""
    ask(0)
    times: list[float] = []
    processor: list[float] = []
    for number in range(1, rounds + 1):
        start, began = time.perf_counter(), time.process_time()
        ask(number)
        times.append(1000 * (time.perf_counter() - start))
        processor.append(1000 * (time.process_time() - began))
    return Timed(
        statistics.median(times), statistics.quantiles(times, n=20)[-1], statistics.median(processor)
    )


def pages(deps: ReviewDeps) -> Iterator[tuple[str, Timed]]:
    """Name and server time of each page."""
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
        yield name, timed(lambda _n, path=path: get(path))
    after = queue["after"]
    yield "queue, next page", timed(lambda _n: get(f"/reviews?after={quote(after)}"))
    stamp = client.get("/reviews").headers["etag"]
    yield "queue, unchanged", timed(lambda _n: _unchanged(client, stamp))
    yield "bill", timed(lambda number: get(f"/documents/{ids[number % len(ids)]}"))
    yield "bill as JSON", timed(lambda number: get(f"/api/v1/reviews/{ids[number % len(ids)]}"))
    some = "&".join(f"id={one}" for one in ids[:10])
    yield "ten bills to approve", timed(lambda _n: get(f"/api/v1/reviews/approve?{some}"), 10)
    yield "bill's history", timed(lambda number: get(f"/documents/{ids[number % len(ids)]}/history"))
    # Each of these looks back another number of days, so that nothing was measured already.
    yield "insight, measured anew", timed(lambda number: get(f"/insight?days={60 + number}"), 10)
    yield "insight, two years anew", timed(lambda number: get(f"/insight?days={700 + number}"), 10)


def _unchanged(client: TestClient, stamp: str) -> None:
    assert client.get("/reviews", headers={"If-None-Match": stamp}).status_code == 304


def main() -> None:
    """Print the figures."""
    made = crowd()
    with deps_of(made) as deps:
        for name, found in pages(deps):
            over = "" if found.high <= TARGET_MS else f"   over {TARGET_MS}"
            print(
                f"{name:28} p50 {found.middle:7.1f} ms   p95 {found.high:7.1f} ms   processor {found.processor:6.1f} ms{over}",
                flush=True,
            )
        job = deps.ledger.reviews(1)[0].job
        picture = PageImages(deps.documents, deps.sandbox).picture(job.document_sha256 or "", 1) or b""
        print(f"page image {len(picture) / 1000:.0f} kB (at most {LARGEST_IMAGE / 1000:.0f})")
        queue = Queue(deps.ledger.engine, deps.clock)
        ids = [review.job_id for review in queue.page(Sight(("main",)), Sought(), None, MOST_BILLS)]
    people.report(made, ids)
    next_bill.report(ids[0])


if __name__ == "__main__":
    main()
