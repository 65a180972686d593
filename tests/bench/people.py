"""Fifty people at the queue at once: as they work, and without a pause, which is far more than fifty people do.

As they work: a person opens a bill (its page, its form, its picture, the claim), keeps a draft three times with seconds
between, gives it back and opens the next; and their queue asks every ten seconds whether it has changed.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from tests.bench.crowd import DOCUMENTS, Crowd
from tests.bench.served import TOKEN, Server, served, sessions

PEOPLE, ASKED_EACH, WORKED = 50, 10, 60.0
POLL = 10.0
GOOD = (200, 304)


@dataclass(frozen=True)
class Asked:
    """What became of all requests: how long each kind took (milliseconds), wrong answers, and what the server took."""

    times: dict[str, list[float]]
    errors: int
    spent: float
    processor: float

    @property
    def count(self) -> int:
        return sum(map(len, self.times.values()))

    def told(self) -> str:
        every = [one for times in self.times.values() for one in times]
        kinds = ", ".join(f"{name} {_p95(times):.0f}" for name, times in self.times.items())
        return (
            f"{self.count / self.spent:.0f} answers/s, p50 {statistics.median(every):.0f} ms, p95 {_p95(every):.0f} ms, "
            f"{self.errors} errors, {1000 * self.processor / self.count:.1f} ms of processor each; p95 by kind: {kinds}"
        )


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


@dataclass
class Person:
    """A signed-in person's browser, which notes how long each answer took."""

    client: httpx.Client
    bills: Sequence[int]
    chance: random.Random
    told: list[tuple[str, float, bool]] = field(default_factory=list[tuple[str, float, bool]])
    stamp: str = ""
    token: str = ""

    def ask(self, kind: str, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        if method != "GET":
            headers |= {"X-Vouch-Token": self.token, "Origin": str(self.client.base_url)}
        start = time.perf_counter()
        answer = self.client.request(method, path, json=body, headers=headers)
        self.told.append((kind, 1000 * (time.perf_counter() - start), answer.status_code in GOOD))
        return answer

    def look(self, path: str = "/reviews", *, again: bool = True) -> None:
        """At the queue: whether it has changed, as its script asks."""
        held = {"If-None-Match": self.stamp} if again and self.stamp else {}
        answer = self.ask("poll" if held else "queue", "GET", path, **held)
        self.stamp = answer.headers.get("etag", self.stamp)
        if found := TOKEN.search(answer.text):
            self.token = found[1]

    def without_a_pause(self) -> None:
        for number in range(ASKED_EACH):
            self.look("/reviews" if number % 5 else "/reviews?group=vendor", again=number % 5 > 1)

    def works(self) -> None:
        began = time.monotonic()
        self._rest(POLL * self.chance.random(), began)
        self.look(again=False)
        polled = time.monotonic()
        for number in self.bills:
            self.ask("bill's page", "GET", f"/documents/{number}")
            self.ask("bill", "GET", f"/api/v1/reviews/{number}")
            self.ask("picture", "GET", f"/documents/{number}/pages/1.webp")
            self.ask("claim", "PUT", f"/api/v1/reviews/{number}/claim", {})
            for nth in range(3):
                self._rest(self.chance.uniform(1, 4), began)
                edit = {"target": "payment_reference", "value": f"RF {number} {nth}"}
                self.ask("draft", "PUT", f"/api/v1/reviews/{number}/draft", {"edits": [edit]})
                if time.monotonic() - polled >= POLL:
                    self.look()
                    polled = time.monotonic()
            self.ask("draft", "PUT", f"/api/v1/reviews/{number}/draft", {"edits": []})
            self.ask("claim", "DELETE", f"/api/v1/reviews/{number}/claim", {})
            if time.monotonic() - began >= WORKED:
                return

    def _rest(self, seconds: float, began: float) -> None:
        time.sleep(max(0.0, min(seconds, WORKED - (time.monotonic() - began))))


def at_once(
    server: Server, cookies: Sequence[str], ids: Sequence[int], do: Callable[[Person], None]
) -> Asked:
    """All of them do it, each on bills of their own."""
    each = len(ids) // len(cookies)
    people = [
        Person(
            httpx.Client(base_url=server.url, cookies={"vouch": cookie}, timeout=120),
            ids[nth * each : (nth + 1) * each],
            random.Random(nth),
        )
        for nth, cookie in enumerate(cookies)
    ]
    start, before = time.perf_counter(), server.seconds
    with ThreadPoolExecutor(len(people)) as threads:
        list(threads.map(do, people))
    spent, processor = time.perf_counter() - start, server.seconds - before
    times: dict[str, list[float]] = {}
    for person in people:
        person.client.close()
        for kind, milliseconds, _ in person.told:
            times.setdefault(kind, []).append(milliseconds)
    errors = sum(not good for person in people for *_, good in person.told)
    return Asked(times, errors, spent, processor)


def report(made: Crowd, ids: Sequence[int], documents: int = DOCUMENTS) -> None:
    """Print both."""
    with served(documents) as server, sessions(made, PEOPLE) as cookies:
        print(f"{PEOPLE} people at work: {at_once(server, cookies, ids, Person.works).told()}", flush=True)
        told = at_once(server, cookies, ids, Person.without_a_pause).told()
        print(f"{PEOPLE} people without a pause: {told}", flush=True)
