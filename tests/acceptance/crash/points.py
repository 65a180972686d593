"""The command `vouch` in a process of its own, which kills itself with SIGKILL at a chosen point.

Points are before and after every commit that changes the ledger, every request to Odoo and every change of a file; the
product knows nothing of them. `python -m tests.acceptance.crash.points` has everything imported and waits: for each line of
JSON (see `Wanted`) on its input it forks such a process, prints its id, and then how it ended; one at a time.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

import connector.cli
import connector.commands.backup
import connector.review.api.bills as bills
from connector.erp.wire import Wire
from connector.ledger.documents import DocumentStore
from connector.ledger.records import Transition
from connector.ledger.retention import Retention
from connector.pipeline import Pipeline
from connector.service import run as _served
from connector.uploads import Uploads
from tests.acceptance.crash.warmth import Lent, Warmth, patched

# Commands import late what they need; here it is imported once.
PRELOADED = (_served,)


@dataclass(frozen=True)
class Wanted:
    """Words of the command, its VOUCH_ variables, the point to die at, and files for what it says."""

    words: list[str]
    environment: dict[str, str]
    spec: Spec
    out: str
    err: str


@dataclass(frozen=True)
class Spec:
    """Die at the `at`-th point (from 1) of that `name` within `scope`, for that record or document where `subject` is given;
    0 only writes the points down. With `late` it is so many seconds after the point, in the middle of what comes then.
    `alone`: with nothing that was there before it (see `warmth`)."""

    seen: str
    scope: str
    name: str = ""
    at: int = 0
    subject: int = 0
    late: float = 0.0
    alone: bool = False


class Points:
    """Counts the points that a thread passes in the chosen scope."""

    def __init__(self, spec: Spec) -> None:
        self._spec, self._here = spec, threading.local()
        self._file = os.open(spec.seen, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    @contextmanager
    def scope(self, name: str, subject: int = 0) -> Generator[None]:
        """What this thread does in this block counts, where it is what the spec names."""
        outer = getattr(self._here, "passed", None)
        if name == self._spec.scope and self._spec.subject in (0, subject):
            self._here.passed = outer or 0
        try:
            yield
        finally:
            self._here.passed = outer

    def passes(self, what: str) -> None:
        """The thread is at a point: it is written down, or all ends here."""
        passed: int | None = getattr(self._here, "passed", None)
        if passed is None or (self._spec.at and what != self._spec.name):
            return
        self._here.passed = passed + 1
        if self._spec.at in (0, passed + 1):
            os.write(self._file, f"{what}\n".encode())
        if self._spec.at != passed + 1:
            return
        if self._spec.late:
            threading.Thread(target=self._die, args=(self._spec.late,), daemon=True).start()
        else:
            self._die(0)

    def around(self, what: str, done: Callable[[], Any]) -> Any:
        """Do it, with a point before and one after."""
        self.passes(f"{what}: before")
        answer = done()
        self.passes(f"{what}: after")
        return answer

    @staticmethod
    def _die(seconds: float) -> None:
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)


def watch(points: Points) -> None:
    """Put points around everything that leaves a trace outside of this process."""
    _watch_commits(points)
    _watch_requests(points)
    _watch_files(points)
    for owner, name, scope, subject in (
        (Pipeline, "work", "work", lambda _, job: job.record_id),
        (Pipeline, "discover", "poll", None),
        (Pipeline, "learn", "learn", None),
        (Uploads, "send", "upload", None),
        (Retention, "purge", "purge", None),
        (bills, "decide", "verdict", lambda _, job_id, *__: job_id),
        (bills, "take_back", "verdict", lambda _, job_id, *__: job_id),
        (connector.commands.backup, "back_up", "backup", None),
    ):
        _scoped(points, owner, name, scope, subject)


def _scoped(points: Points, owner: Any, name: str, scope: str, subject: Callable[..., int] | None) -> None:
    plain = getattr(owner, name)

    def scoped(*args: Any, **named: Any) -> Any:
        with points.scope(scope, subject(*args) if subject else 0):
            return plain(*args, **named)

    setattr(owner, name, scoped)


def _watch_commits(points: Points) -> None:
    here = threading.local()

    def flushed(session: Session, *_: Any) -> None:
        changed = (*session.new, *session.dirty, *session.deleted)
        moves = [f"{one.before}→{one.after}" for one in changed if isinstance(one, Transition)]
        tables = sorted(
            {one.__tablename__ for one in changed} - {"audit_entry", "audit_detail", "transition"}
        )
        here.wrote = [*getattr(here, "wrote", ()), *(moves or ["+".join(tables)])]

    def executed(state: Any) -> None:
        if state.is_update or state.is_insert or state.is_delete:
            here.wrote = [*getattr(here, "wrote", ()), "update"]

    def committing(_connection: Any) -> None:
        if wrote := getattr(here, "wrote", None):
            points.passes(f"commit {_told(wrote)}: before")

    def committed(_session: Session) -> None:
        wrote, here.wrote = getattr(here, "wrote", None), []
        if wrote:
            points.passes(f"commit {_told(wrote)}: after")

    def undone(_session: Session) -> None:
        here.wrote = []

    event.listen(Session, "before_flush", flushed)
    event.listen(Session, "do_orm_execute", executed)
    event.listen(Engine, "commit", committing)
    event.listen(Session, "after_commit", committed)
    event.listen(Session, "after_rollback", undone)


def _told(wrote: list[str]) -> str:
    moves = [one for one in wrote if "→" in one]
    return " ".join(dict.fromkeys(moves or [one for one in wrote if one]))


def _watch_requests(points: Points) -> None:
    plain = Wire.post

    def post(wire: Wire, path: str, payload: Any, headers: Any = None) -> Any:
        what = path.removeprefix("/json/2/")
        if path == "/jsonrpc":
            args = payload["params"]["args"]
            what = "/".join(args[3:5]) if len(args) > 4 else payload["params"]["method"]
        return points.around(f"call {what}", lambda: plain(wire, path, payload, headers))

    Wire.post = post


def _watch_files(points: Points) -> None:
    for name in ("replace", "link", "fsync"):
        plain = getattr(os, name)

        def moved(*args: Any, _plain: Any = plain, _name: str = name, **named: Any) -> Any:
            return points.around(f"file {_name}", lambda: _plain(*args, **named))

        setattr(os, name, moved)
    removed = DocumentStore.remove

    def remove(store: DocumentStore, sha256: str) -> None:
        points.around("file remove", lambda: removed(store, sha256))

    DocumentStore.remove = remove


def born(wanted: Wanted, lent: Lent | None) -> None:
    """What the new process does: the command, watched."""
    for number, path in ((0, os.devnull), (1, wanted.out), (2, wanted.err)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    watch(Points(wanted.spec))
    if lent:
        lent.take()
    sys.argv = ["vouch", *wanted.words]
    with patched(wanted.environment):
        connector.cli.main()


def main() -> None:
    """Fork a process for each line."""
    warmth = Warmth()
    for line in sys.stdin:
        asked = json.loads(line)
        wanted = Wanted(**{**asked, "spec": Spec(**asked["spec"])})
        lent = None if wanted.spec.alone else warmth.ready(wanted.environment)
        pid = os.fork()
        if not pid:
            born(wanted, lent)
            sys.exit(0)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
