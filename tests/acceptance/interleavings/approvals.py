"""One interleaving of two people: one settles a bill in the review queue, another edits it in Odoo beside the n-th RPC of that."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector.ledger.records import EffectRecord
from connector.ledger.states import JobState
from connector.review.app import create_app
from connector.review.deps import ReviewDeps
from tests.acceptance import invariants
from tests.acceptance.faults.proxy import Proxy
from tests.acceptance.faults.service import Service
from tests.acceptance.interleavings.edits import EDITS, Place, missing
from tests.acceptance.interleavings.schedule import PLACES, Beside, Plan, Played, act, twice
from tests.integration.settling import BASE, Settler, answered
from tests.review_ledger import SANDBOX

VERDICTS = ("approve", "approve", "approve", "approve", "question", "not_a_bill")
MOST_CALLS = 5
"""So many RPCs a verdict takes at most where all goes well."""
ANSWERS = {
    (200, ""),
    (409, "conflict"),
    (409, "stale"),
    (404, "settled"),
    (422, "gone"),
    (422, "refused"),
    (503, "away"),
}
"""What the person at the queue may be told."""


@dataclass(frozen=True)
class Wish:
    """What is settled in the queue, beside which edit in Odoo; `draft` says that a value was changed in the queue before."""

    plan: Plan
    verdict: str
    draft: bool


@dataclass
class Settled(Played):
    """What came of a wish: the answer that the person at the queue got."""

    wish: Wish | None = None
    status: int = 0
    answer: str = ""

    @property
    def verdict(self) -> str:
        """That of the person at the queue."""
        return self.wish.verdict if self.wish else ""

    @property
    def before_write(self) -> bool:
        """Whether the edit began before the verdict was written: the bill was read when it came into the queue."""
        return self.call != "" and self.moment[1] == 0

    @property
    def in_window(self) -> bool:
        """Whether it began after the last look and before the write was answered."""
        looks, _, done = self.moment
        return looks >= 1 and done == 0


def wishes(count: int, seed: int) -> Iterator[Wish]:
    """So many; half of them at the last look and the write."""
    rng = Random(seed)
    for number in range(count):
        at = rng.choice((0, 1)) if rng.random() < 0.5 else rng.randrange(MOST_CALLS)
        pause = rng.choice((0.0, 0.02, 0.05, 0.1, 0.2))
        plan = Plan(EDITS[number % len(EDITS)], at, rng.choice(PLACES), pause, begun=False, doubtful=True)
        yield Wish(plan, rng.choice(VERDICTS), rng.random() < 0.4)


def settle(service: Service, proxy: Proxy, place: Place, batch: Sequence[Wish]) -> list[Settled]:
    """Bills of their own in review, each settled while another person edits it; then rounds until all is quiet, and what is
    not as it must be."""
    service.defects.clear()
    found = list[Settled]()
    for wish in batch:
        [bill] = service.deliver(doubtful=True)
        found.append(Settled(wish.plan, bill, wish=wish))
    service.until_quiet()
    jobs = {job.record_id: job for job in service.ledger.jobs(limit=2 * len(batch))}
    person = _person(service)
    for settled in found:
        settled.job = jobs[settled.bill].id
        assert jobs[settled.bill].state == JobState.IN_REVIEW, jobs[settled.bill].message
        _settle(person, proxy, service, place, settled)
    service.until_quiet()
    general = [*service.defects, *invariants.of_ledger(service.ledger.engine)]
    jobs = {job.id: job for job in service.ledger.jobs(limit=4 * len(batch))}
    for settled in found:
        job = jobs[settled.job]
        settled.state, settled.message = str(job.state), job.message
        settled.problems += _wrong(service, settled)
    found[0].problems += general
    return found


def _person(service: Service) -> Settler:
    deps = ReviewDeps(
        ledger=service.ledger,
        documents=service.pipeline.documents,
        record_url=lambda _backend, model, number: service.pipeline.erp.record_url(model, number),
        backends={"main": timedelta(hours=5)},
        sandbox=SANDBOX,
        pipelines={"main": service.pipeline},
        erp=lambda _backend: service.pipeline.erp,
    )
    return Settler(TestClient(create_app(deps), base_url=BASE, raise_server_exceptions=False))


def _settle(person: Settler, proxy: Proxy, service: Service, place: Place, settled: Settled) -> None:
    wish = settled.wish
    assert wish
    bill: dict[str, Any] = person.get(f"/reviews/{settled.job}")
    if wish.draft:
        bill = person.draft(settled.job, {"target": "ref", "value": f"QUEUE-{settled.job}"})
    body = {
        "verdict": wish.verdict,
        "version": bill["version"],
        "key": uuid.uuid4().hex,
        "reason": "So it was decided.",
        "question": "What is this?" if wish.verdict == "question" else "",
    }
    proxy.begin(Beside(settled, lambda: act(service.odoo, place, settled)), lambda _: True)
    answer = person.send("POST", f"/reviews/{settled.job}/verdict", body | answered(bill))
    proxy.fault = None
    settled.status = answer.status_code
    settled.answer = "" if answer.is_success else answer.json().get("error", "")
    if not settled.call:
        act(service.odoo, place, settled)


def _wrong(service: Service, settled: Settled) -> Iterator[str]:
    """What is not as it must be: a word of either person lost, a write made twice or not told."""
    wish, odoo = settled.wish, service.odoo
    assert wish
    if (settled.status, settled.answer) not in ANSWERS:
        yield f"bill {settled.bill}: the person got {settled.status} {settled.answer}"
    if not settled.refused:
        yield from missing(odoo, settled.bill, settled.kept)
    yield from twice(odoo, settled.bill)
    written = wish.verdict == "approve" and settled.status == 200
    if written and settled.before_write and wish.plan.edit.touches and not settled.refused:
        yield f"bill {settled.bill} was filled after a person's {wish.plan.edit.name}"
    with Session(service.ledger.engine.execution_options(read_only=True)) as session:
        done = select(EffectRecord).where(EffectRecord.job_id == settled.job, EffectRecord.status == "done")
        verdicts = [one for one in session.scalars(done) if one.body.get("verdict") == wish.verdict]
    if (settled.status == 200) != bool(verdicts):
        yield f"bill {settled.bill}: {settled.status}, and the ledger has {len(verdicts)} such effects"
    if verdicts and "gone" not in settled.kept:
        notes = invariants._notes(odoo, [settled.bill])[settled.bill]  # pyright: ignore[reportPrivateUsage]
        if notes[verdicts[0].key] != 1:
            yield f"bill {settled.bill}: {notes[verdicts[0].key]} notes of the verdict"
