"""Vouch's own API key: told before it ends, and renewed where Odoo lets its user do so.

Four files, each written for its owner only: the key; beside it, while one takes the place of another, `.new` (made, not yet in
use) and `.old` (in use no more, not yet revoked). Killed at any point, the next look goes on from what lies there, and the key
in its file is good all the while. A key made just before a crash and not yet in `.new` is known to nobody and ends by itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from connector.erp import keys
from connector.erp.transport import open_session
from connector.errors import AccessError, SettingsError, VouchError

if TYPE_CHECKING:
    from connector.erp.odoo import OdooErp
    from connector.ledger.key_ends import KeyEnds
    from connector.settings import BackendSettings

LOOK_EVERY = timedelta(hours=20)
MARGIN = timedelta(hours=1)
"""A new key lives a little shorter than the old one, so that it stays within what Odoo allows."""
LONGEST = timedelta(days=90)

log: FilteringBoundLogger = structlog.get_logger()


def fingerprint(secret: str) -> str:
    """Tells whether a key is still the same one, and not what it is: it has 160 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(slots=True)
class KeyKeeper:
    """Looks after the key of one Backend; once a day, or as soon as another key is in use."""

    erp: OdooErp
    backend: BackendSettings
    ends: KeyEnds
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def look(self) -> None:
        """Find out when the key ends, renew it where that is wished and near, and keep what was found.

        Never raises for what the Odoo or the files are like: the service goes on, and says so in the log and on its pages.
        """
        try:
            self._look()
        except (VouchError, OSError) as error:
            log.error("the API key was not looked after", backend=self.erp.backend, cause=str(error))

    def _look(self) -> None:
        settings = self.erp.settings.current()
        if not settings.has_key:
            return
        renewal, message = self._renewal(), ""
        try:
            if renewal:
                with renewal.alone():
                    renewal.finish()
            kept, mark = self.ends.of(self.erp.backend), self._mark()
            same = kept is not None and kept.fingerprint == mark
            if kept is not None and same and self.clock() - kept.at < LOOK_EVERY:
                return
            found = keys.endings(self.erp.session)
            exact = kept is not None and same and kept.exact
            ends_at = kept.ends_at if kept is not None and exact else found[0].ends_at if found else None
            if renewal and ends_at is not None and self._is_near(ends_at):
                try:
                    with renewal.alone():
                        ends_at, exact = renewal.renew(found[0].lifetime if found else LONGEST), True
                    log.info("the API key was renewed", backend=self.erp.backend, until=f"{ends_at:%Y-%m-%d}")
                except (VouchError, OSError) as error:
                    message = str(error)
                    log.warning("the API key was not renewed", backend=self.erp.backend, cause=message)
        except Busy:
            return
        self.ends.keep(self.erp.backend, ends_at, self._mark(), exact=exact, message=message)
        if ends_at is not None and self._is_near(ends_at):
            remedy, end = message or keys.BY_HAND, f"{ends_at:%Y-%m-%d}"
            log.warning("the API key ends soon", backend=self.erp.backend, ends=end, remedy=remedy)

    def _renewal(self) -> Renewal | None:
        file = self.backend.api_key_file
        return Renewal(self.erp, file.expanduser(), self.clock) if self.backend.rotate_key and file else None

    def _is_near(self, ends_at: datetime) -> bool:
        return ends_at - self.clock() < timedelta(days=self.backend.key_warning_days)

    def _mark(self) -> str:
        return fingerprint(self.erp.settings.current().secret.get_secret_value())


class Busy(Exception):
    """Another process is at the same key."""


@dataclass(slots=True)
class Renewal:
    """One key file, and the Odoo whose key is in it."""

    erp: OdooErp
    file: Path
    clock: Callable[[], datetime]

    @contextmanager
    def alone(self) -> Generator[None]:
        """No other process does this meanwhile. Raises Busy."""
        folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy from None
            yield
        finally:
            os.close(folder)

    def renew(self, lifetime: timedelta) -> datetime:
        """Make a new key, put it in the old one's place and revoke the old one; when the new one ends."""
        if self.file.is_symlink() or not os.access(self.file.parent, os.W_OK):
            raise SettingsError(
                f"{self.file} cannot be replaced by a renewed key: let it be a file of its own in a folder that Vouch "
                f"may write to, or {keys.BY_HAND}."
            )
        self.finish()
        old = self.file.read_text("utf-8").strip()
        ends_at = self.clock() + min(lifetime, LONGEST) - MARGIN
        # The file comes first: a key that could not be kept must not be made.
        with _owners(self._new) as file:
            made = keys.generate(self.erp.session, old, f"Vouch {self.clock():%Y-%m-%d}", ends_at)
            file(made)
        self.finish()
        if self.file.read_text("utf-8").strip() != made:
            raise keys.NotRenewed(f"Odoo does not accept the key that it made: {keys.BY_HAND}.")
        return ends_at

    def finish(self) -> None:
        """Go on from what lies beside the key; nothing where nothing does."""
        if (new := _read(self._new)) is not None:
            if new and self._is_good(new):
                self._swap()
            else:
                self._new.unlink(missing_ok=True)
        if (old := _read(self._old)) is None:
            return
        if old and old != _read(self.file) and self._is_good(old):
            keys.revoke(self.erp.session, old)
        self._old.unlink(missing_ok=True)

    def _swap(self) -> None:
        self._old.unlink(missing_ok=True)
        with _owners(self._old) as file:
            file(self.file.read_text("utf-8").strip())
        os.replace(self._new, self.file)
        _settle(self.file.parent)

    def _is_good(self, secret: str) -> bool:
        """Whether Odoo lets us in with it; part of a key is none."""
        theirs = replace(self.erp.settings, secret=SecretStr(secret), reread=None)
        try:
            if theirs.has_key:
                open_session(theirs).close()
            return theirs.has_key
        except AccessError:
            return False

    @property
    def _new(self) -> Path:
        return self.file.with_name(self.file.name + ".new")

    @property
    def _old(self) -> Path:
        return self.file.with_name(self.file.name + ".old")


@contextmanager
def _owners(path: Path) -> Generator[Callable[[str], None]]:
    """A new file for its owner only, and what writes into it; gone again where that did not come to its end."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

    def write(text: str) -> None:
        os.write(handle, f"{text}\n".encode())
        os.fsync(handle)

    try:
        yield write
    except VouchError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """Make renamed and new files last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").strip()
    except FileNotFoundError:
        return None
