"""Processes that read documents side by side, each of which may die or hang without harm to the others.

Only JSON goes between them: a process that a document took over cannot take over its parent.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

Work = Callable[[dict[str, Any]], dict[str, Any]]
"""Named at the top of a module, so that another process can import it; JSON in, JSON out."""

# A process is replaced after so many documents, so that what its libraries keep does not add up.
LIFETIME = 40
# To start Python and load the libraries, before the time of the first document begins.
STARTING_SECONDS = 120.0
# Bytes; more is no answer.
LONGEST_ANSWER = 50_000_000


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    task: int | None = None
    done: int = 0
    ready: bool = False
    deadline: float = 0.0


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer: the process ended with that exit code, or took longer than allowed (`exit_code` None)."""

    exit_code: int | None


def answers(
    work: Work, tasks: Sequence[dict[str, Any]], jobs: int, seconds: float
) -> Generator[tuple[int, dict[str, Any] | Lost]]:
    """The position of each task and its answer, as they come, from `jobs` processes.

    A task gets at most `seconds`. Closing the generator ends the processes.
    """
    with _team(work, min(jobs, len(tasks))) as team:
        waiting = iter(range(len(tasks)))
        for worker in team:
            _give(worker, next(waiting, None), tasks, seconds)
        while busy := [worker for worker in team if worker.task is not None]:
            heard = wait([worker.pipe for worker in busy], max(0.0, _next_deadline(busy) - time.monotonic()))
            for worker in busy:
                spoke, task = worker.pipe in heard, worker.task
                if not spoke and worker.deadline > time.monotonic():
                    continue
                answer = _take(worker) if spoke else Lost(None)
                if not worker.ready and not isinstance(answer, Lost):
                    worker.ready, worker.deadline = True, time.monotonic() + seconds
                    continue
                worker.done += 1
                following = next(waiting, None)
                if following is not None and (isinstance(answer, Lost) or worker.done >= LIFETIME):
                    _end(worker)
                    team[team.index(worker)] = worker = _start(work)
                _give(worker, following, tasks, seconds)
                if task is not None:
                    yield task, answer


@contextmanager
def _team(work: Work, size: int) -> Generator[list[_Worker]]:
    team = [_start(work) for _ in range(size)]
    try:
        yield team
    finally:
        for worker in team:
            _end(worker)


def _start(work: Work) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(work, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _serve(work: Work, pipe: Connection) -> None:
    """In the process: says that it is ready, then does one task after another. Ctrl-C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send_bytes(b"{}")
    while True:
        try:
            task = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send_bytes(json.dumps(work(json.loads(task))).encode())


def _give(worker: _Worker, task: int | None, tasks: Sequence[dict[str, Any]], seconds: float) -> None:
    worker.task = task
    if task is not None:
        worker.deadline = time.monotonic() + (seconds if worker.ready else STARTING_SECONDS)
        # A process that died meanwhile is noticed when its answer is taken.
        with suppress(BrokenPipeError):
            worker.pipe.send_bytes(json.dumps(tasks[task]).encode())


def _take(worker: _Worker) -> dict[str, Any] | Lost:
    try:
        return json.loads(worker.pipe.recv_bytes(LONGEST_ANSWER))
    except (EOFError, OSError, ValueError):
        worker.process.join(5)
        return Lost(worker.process.exitcode)


def _next_deadline(busy: Sequence[_Worker]) -> float:
    return min(worker.deadline for worker in busy)


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()
    worker.process.close()
