"""Workers as threads of one process: on one machine the ledger itself is the queue."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import structlog
from structlog.typing import FilteringBoundLogger

from connector.errors import VouchError
from connector.ledger.states import JobState

if TYPE_CHECKING:
    from connector.ledger.records import Job
    from connector.ledger.store import Ledger
    from connector.pipeline import Pipeline

log: FilteringBoundLogger = structlog.get_logger()


class Worker:
    """Claims Jobs of the given Backends and works on several at once. One `Worker` a process."""

    def __init__(self, ledger: Ledger, pipelines: Mapping[str, Pipeline], threads: int) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._ledger, self._pipelines, self._threads = ledger, pipelines, threads
        self._wake, self._stop = threading.Event(), threading.Event()

    def run_until_idle(self, report: Callable[[Job, JobState], None]) -> None:
        """Work until no Job is due. Raises the first error that concerns more than one document."""
        self.recover()
        with ThreadPoolExecutor(self._threads, "worker") as pool:
            running: dict[Future[JobState], Job] = {}
            while True:
                while len(running) < self._threads and (job := self._claim()):
                    running[pool.submit(self._pipelines[job.backend].work, job)] = job
                if not running:
                    return
                finished, _ = wait(running, timeout=15, return_when=FIRST_COMPLETED)
                self._ledger.renew(self.name)
                for future in finished:
                    job = running.pop(future)
                    report(job, future.result())

    def run(self) -> None:
        """Work until `stop`; what is in hand is finished. Errors of a Backend are logged, and its Jobs wait."""
        with ThreadPoolExecutor(self._threads, "worker") as pool:
            running: set[Future[JobState]] = set()
            while not self._stop.is_set():
                while len(running) < self._threads and (job := self._claim()):
                    running.add(pool.submit(self._work, job))
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
        """Prolong our leases and take back the Jobs of workers that are gone."""
        self._ledger.renew(self.name)
        if self.recover():
            self.wake()

    def recover(self) -> int:
        """Put Jobs of workers that are gone back into the queue; how many."""
        return self._ledger.recover(self._gone)

    def _claim(self) -> Job | None:
        return self._ledger.claim(self.name, list(self._pipelines))

    def _work(self, job: Job) -> JobState:
        try:
            return self._pipelines[job.backend].work(job)
        except VouchError as error:
            log.error("backend", backend=job.backend, cause=str(error))
            return JobState.QUEUED

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
