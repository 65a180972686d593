"""The whole service, with everything that belongs to it, killed at any moment of its life, and started again."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector.ledger.jobs import CRASHED
from connector.ledger.records import Attempt, Job
from connector.ledger.states import JobState
from connector.ledger.store import MAX_CRASHES, Ledger
from tests.acceptance import invariants
from tests.acceptance.crash.office import Client, Office
from tests.acceptance.crash.stages import Wish, bring, each_once, wish
from tests.acceptance.crash.tally import Tally
from tests.acceptance.many import Made

LONGEST = 12.0
"""Seconds of the longest life: enough to start, to poll, and to read and fill the first bills."""
SEVERAL = {
    "VOUCH_WORKERS": "2",
    "VOUCH_LEARNING__INTERVAL_MINUTES": "1",
    "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": "1",
    "VOUCH_BACKENDS__MAIN__SCHEDULE__JITTER_SECONDS": "0",
}


class Errand(Protocol):
    """What somebody wants of the service, and asks for until there is an answer."""

    def done(self, client: Client) -> bool:
        """Ask once; whether it was answered."""
        ...


@dataclass
class Upload:
    """A program brings a document."""

    made: Made

    def done(self, client: Client) -> bool:
        status = bring(client, self.made)
        # 202: it is kept, and sent by whichever service comes next.
        assert status in (None, 200, 201, 202, 503), status
        return status in (200, 201, 202)


@dataclass
class Refusal:
    """A person finds that a document which they are asked about is not a bill; the same wish until there is word of it."""

    office: Office
    bill: int
    _wish: Wish | None = field(default=None)

    def done(self, client: Client) -> bool:
        self._wish = self._wish or self._wished(client)
        if self._wish is None:
            return False
        path, body = self._wish
        answer = client.send("POST", path, json=body)
        if answer is not None and answer.status_code == 409:
            # It is another version by now: who looks at it again decides again.
            self._wish = None
        assert answer is None or answer.status_code in (200, 409, 503), answer.text
        return answer is not None and answer.status_code == 200

    def _wished(self, client: Client) -> Wish | None:
        chosen = select(Job.id).where(Job.record_id == self.bill, Job.state == JobState.IN_REVIEW)
        with Session(self.office.engine) as session:
            job = session.scalar(chosen)
        return wish(client, "not_a_bill", job) if job else None


def lives(
    tally: Tally, office: Office, stage: str, sure: Iterator[Made], doubtful: Iterator[Made], kills: int
) -> None:
    """Two workers, schedule, learning and web server, killed `kills` times at random moments, also of its start and while
    it takes up what the one before left; then one that is left alone. Bills come into Odoo and by upload, and a person
    decides; who has no answer asks the next service again."""
    print(f"{stage}: seed {tally.seed}", flush=True)
    rng, several = Random(tally.seed), replace(office, environment=office.environment | SEVERAL)
    errands, brought = list[Errand](), list[Made]()
    with tally.held(stage, office):
        for _ in range(kills):
            brought.append(next(sure))
            office.deliver(next(sure))
            asked = next(doubtful)
            bill = office.deliver(replace(asked, paper=replace(asked.paper, expected=JobState.SKIPPED)))
            errands += [Upload(brought[-1]), Refusal(office, bill)]
            with several.running("run", spec=office.spec("none", alone=True)) as client:
                end = threading.Timer(rng.uniform(0.2, LONGEST), client.process.send, [signal.SIGKILL])
                end.start()
                _go(client, errands)
                end.join()
            tally.note(stage, client.ended, "random time")
        with several.running("run", spec=office.spec("none", alone=True)) as client:
            _catch_up(client, errands, office)
            client.process.send(signal.SIGTERM)
    each_once(tally, office, stage, brought)


def _go(client: Client, errands: list[Errand]) -> None:
    """All errands in turn, as long as it lives."""
    while not client.process.ran():
        errands[:] = [one for one in errands if not one.done(client)]
        time.sleep(0.1)


def _catch_up(client: Client, errands: list[Errand], office: Office) -> None:
    """Until nothing is left to do; five minutes without any progress are a failure."""
    left, since = dict[str, int](), time.monotonic()
    while True:
        assert not client.process.ran(), client.process.err.read_text()
        _try_again(office)
        errands[:] = [one for one in errands if not one.done(client)]
        now = {**invariants.waiting(office.engine), "errands": len(errands)}
        if not any(now.values()):
            return
        if now != left:
            left, since = now, time.monotonic()
        assert time.monotonic() < since + 300, f"no progress in five minutes: {left}"
        time.sleep(0.2)


def _try_again(office: Office) -> None:
    """What a person does about documents that were in hand at so many of the kills that they were set aside."""
    ledger = Ledger(office.engine)
    crashed = [job.id for job in ledger.jobs([JobState.FAILED]) if job.reason == CRASHED]
    for job in crashed:
        with Session(office.engine) as session:
            chosen = select(Attempt.outcome).where(Attempt.job_id == job)
            assert list(session.scalars(chosen)).count(CRASHED) >= MAX_CRASHES
    if crashed:
        ledger.retry("a person", job_ids=crashed)
