"""What outlives those who are killed, since each would spend most of its time on it: a process that reads documents, and what
was found out about Odoo (fields, rights).

Neither is changed by anything that Vouch does. Polls and whole services (`stages.polls`, `lives`) have nothing of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from connector.bootstrap import connection
from connector.erp import capabilities
from connector.erp.odoo import OdooErp
from connector.erp.port import Capabilities
from connector.settings import load_settings
from inference.errors import DocumentError
from inference.isolation import sandbox
from inference.page import Limits

STARTED = sandbox._Process


class Kept(STARTED):
    """A reader process that whoever borrowed it leaves as it is."""

    @property
    def is_gone(self) -> bool:
        """Only its parent knows; to others it shows when they ask."""
        return False

    @property
    def is_worn(self) -> bool:
        return False

    def end(self) -> None:
        """It is only borrowed."""

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def is_whole(self) -> bool:
        """Whether it waits for a question: who was killed in the middle of one leaves half of it, or its answer."""
        try:
            return "megabytes" in self.ask({"ask": "memory", "name": ""}, b"")[0]
        except (DocumentError, UnicodeDecodeError):
            return False

    def discard(self) -> None:
        """By its parent: end it for good."""
        super().end()


class Warmth:
    """What is lent to one borrower at a time."""

    def __init__(self) -> None:
        self._kept: Kept | None = None
        self._known: Capabilities | None = None

    def ready(self, environment: Mapping[str, str]) -> Lent:
        """A reader that is whole, and what there is in the Odoo of these variables."""
        if self._kept and not self._kept.is_whole():
            self._kept.discard()
            self._kept = None
        self._kept = self._kept or Kept(Limits(), "auto")
        self._known = self._known or _found_out(environment)
        return Lent(self._kept, self._known)


@dataclass(frozen=True)
class Lent:
    """What a borrower has for its life."""

    reader: Kept
    known: Capabilities

    def take(self) -> None:
        """In the borrower: Odoo need not be asked, and the first process that a Sandbox would start is this one."""
        left = [self.reader]

        def started(*asked: Any) -> STARTED:
            return left.pop() if left else STARTED(*asked)

        sandbox._Process = started
        capabilities.probe = lambda *_: self.known


def _found_out(environment: Mapping[str, str]) -> Capabilities:
    with patched(environment):
        settings = load_settings(None)
    with closing(OdooErp(connection("main", settings.backends["main"], settings))) as erp:
        return erp.capabilities()


@contextmanager
def patched(environment: Mapping[str, str]) -> Generator[None]:
    """These VOUCH_ variables and no others, in this block."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("VOUCH_")]:
        del os.environ[name]
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
