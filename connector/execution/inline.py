"""Workers as threads of one process: on one machine the ledger itself is the queue."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from structlog.typing import FilteringBoundLogger

from connector.errors import AwayError, LedgerAway, VouchError
from connector.ledger.jobs import LeaseLost
from connector.ledger.states import JobState

if TYPE_CHECKING:
    from connector.ledger.records import Job
    from connector.ledger.store import Ledger
    from connector.pipeline import Pipeline

HEARTBEAT_SECONDS = 15
FIRST_REST, LONGEST_REST = 4.0, 30.0
"""Seconds for which nothing is tried with a Backend that is away; doubled each time it still is."""
log: FilteringBoundLogger = structlog.get_logger()


class Worker:
    """Claims Jobs of the given Backends and works on several at once. One `Worker` a process."""

    def __init__(self, ledger: Ledger, pipelines: Mapping[str, Pipeline], threads: int) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._ledger, self._pipelines, self._threads = ledger, pipelines, threads
        self._wake, self._stop = threading.Event(), threading.Event()
        self._in_hand: set[int] = set()
        self._rests: dict[str, tuple[float, float]] = {}
        # Jobs that could not be put back, with why, since the ledger was away.
        self._owed: dict[int, tuple[Job, str]] = {}
        self._troubled = False

    def run_until_idle(self, report: Callable[[Job, JobState], None]) -> None:
        """Work until no Job is due. An error of a Backend ends the work for that one; the first is raised at the end.

        Raises LedgerAway as soon as what is in hand has ended."""
        self.recover()
        errors: dict[str, VouchError] = {}
        with ThreadPoolExecutor(self._threads, "worker") as pool:
            running: dict[Future[JobState], Job] = {}
            while True:
                while len(running) < self._threads and (job := self._claim(without=errors)):
                    running[pool.submit(self._work, job)] = job
                if not running:
                    break
                finished, _ = wait(running, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
                self._renew()
                for future in finished:
                    job = running.pop(future)
                    try:
                        report(job, future.result())
                    except VouchError as error:
                        report(job, JobState.QUEUED)
                        errors.setdefault(job.backend, error)
        for error in errors.values():
            raise error

    def run(self) -> None:
        """Work until `stop`; what is in hand is finished. Errors of a Backend are logged, and its Jobs wait."""
        with ThreadPoolExecutor(self._threads, "worker") as pool:
            running: set[Future[None]] = set()
            while not self._stop.is_set():
                while len(running) < self._threads and (job := self._next()):
                    running.add(pool.submit(self._serve, job))
                if len(running) < self._threads:
                    self._wake.wait(1.0)
                    self._wake.clear()
                else:
                    wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
                running = {future for future in running if not future.done()}

    def wake(self) -> None:
        """There may be new Jobs: look now."""
        self._wake.set()

    def stop(self) -> None:
        """Finish what is in hand and return from `run`."""
        self._stop.set()
        self._wake.set()

    def heartbeat(self) -> None:
        """Prolong our leases and take back the Jobs of workers that are gone; later, where the ledger is away."""
        try:
            self._renew()
            if self.recover():
                self.wake()
        except LedgerAway as error:
            self._tell(error)

    def recover(self) -> int:
        """Put Jobs of workers that are gone back into the queue; how many."""
        return self._ledger.recover(self._gone)

    def _next(self) -> Job | None:
        """The next Job; None while there is none, or the ledger is away."""
        try:
            job = self._claim(without=self._resting())
        except LedgerAway as error:
            self._tell(error)
            return None
        self._troubled = False
        return job

    def _tell(self, error: LedgerAway) -> None:
        """Say once that the ledger is away, until it is back."""
        if not self._troubled:
            log.error("ledger", cause=str(error))
        self._troubled = True

    def _claim(self, without: Collection[str] = ()) -> Job | None:
        self._put_back()
        return self._ledger.claim(self.name, [name for name in self._pipelines if name not in without])

    def _put_back(self) -> None:
        """Put back the Jobs that could not be while the ledger was away: none of them crashed."""
        for number, (job, why) in list(self._owed.items()):
            with suppress(LeaseLost):
                self._ledger.postpone(job, why)
            del self._owed[number]

    def _work(self, job: Job) -> JobState:
        self._in_hand.add(job.id)
        try:
            return self._pipelines[job.backend].work(job)
        except LedgerAway as error:
            self._owed[job.id] = job, str(error)
            raise
        finally:
            self._in_hand.discard(job.id)

    def _serve(self, job: Job) -> None:
        try:
            self._work(job)
            self._rests.pop(job.backend, None)
        except VouchError as error:
            log.error("backend", backend=job.backend, cause=str(error))
            if isinstance(error, AwayError) and not isinstance(error, LedgerAway):
                self._rest(job.backend)
        except Exception:
            # Its lease runs out, and the Job is taken up again.
            log.exception("defect", job=job.id)

    def _rest(self, backend: str) -> None:
        """A Backend that is away is not asked for every document that waits: they would all be put off for long."""
        until, seconds = self._rests.get(backend, (0.0, 0.0))
        if (now := time.monotonic()) >= until:
            seconds = min(max(FIRST_REST, 2 * seconds), LONGEST_REST)
            self._rests[backend] = now + seconds, seconds

    def _resting(self) -> list[str]:
        now = time.monotonic()
        return [backend for backend, (until, _) in self._rests.copy().items() if until > now]

    def _renew(self) -> None:
        self._ledger.renew(self.name, self._in_hand | self._owed.keys())

    def _gone(self, owner: str) -> bool:
        """Whether the worker of that name was of this machine and its process has ended."""
        host, _, rest = owner.partition(":")
        pid = rest.partition(":")[0]
        if host != socket.gethostname() or not pid.isdigit():
            return False
        if int(pid) == os.getpid():
            return owner != self.name
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False
