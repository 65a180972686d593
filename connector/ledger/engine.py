"""The database under the ledger: SQLite set up to be safe, or PostgreSQL as it is."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Engine, ExceptionContext, create_engine, event, exc, make_url
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from connector.errors import LedgerAway, LedgerFull

# Whoever writes through an engine is audited, and refused after an upgrade.
from connector.ledger import audit, schema

__all__ = ["audit", "make_engine", "schema"]


LOCK_SECONDS = 20
"""So long a lock that another program holds is waited for."""
_SQLITE_LOCKED, _SQLITE_FULL = frozenset({5, 6}), frozenset({13})
_SQLITE_AWAY = frozenset({8, 10, 14})
"""Primary result codes (https://sqlite.org/rescode.html): read-only, input or output failed, cannot be opened."""
_POSTGRES_LOCKED, _POSTGRES_FULL = "55P03", "53100"
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def make_engine(url: str) -> Engine:
    """An engine for a SQLAlchemy URL; SQLite survives power loss and keeps foreign keys, and neither database waits
    for a lock for ever.

    What uses it raises LedgerAway or LedgerFull where the database cannot be used now.
    """
    memory = make_url(url).database in (None, "", ":memory:")
    pool: dict[str, Any] = {} if memory else {"poolclass": _Pool}
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"), **pool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _set_up_postgres)
    event.listen(engine, "handle_error", _named, retval=True)
    return engine


class _Pool(QueuePool):
    """Connections to the ledger; whoever waits in vain for one hears that it is away."""

    def connect(self) -> PoolProxiedConnection:
        """A connection. Raises LedgerAway where all stay in use."""
        try:
            return super().connect()
        except exc.TimeoutError as error:
            raise LedgerAway(
                "All connections to the ledger are in use: another program may hold its lock. Nothing is lost, and the "
                "work goes on by itself."
            ) from error


def _named(context: ExceptionContext) -> BaseException | None:
    """The error with a name for one of the driver's that passes; None leaves it as it is."""
    if not isinstance(context.sqlalchemy_exception, (exc.OperationalError, exc.InterfaceError)):
        return None
    return away(context.sqlalchemy_exception)


def away(error: exc.DBAPIError) -> LedgerAway | None:
    """What says that the ledger cannot be used now; None for an error of another kind."""
    driver: Any = error.orig
    said = " ".join(str(driver).split())[:300].rstrip(".")
    sqlite = isinstance(driver, sqlite3.Error)
    primary = getattr(driver, "sqlite_errorcode", 0) & 0xFF
    postgres = getattr(driver, "pgcode", None) or getattr(driver, "sqlstate", None)
    if primary in _SQLITE_FULL or postgres == _POSTGRES_FULL:
        return LedgerFull(
            f"The disk of the ledger is full ({said}): make room on it. Nothing is lost, and the work goes on by itself."
        )
    if primary in _SQLITE_LOCKED or postgres == _POSTGRES_LOCKED:
        return LedgerAway(
            f"Another program has held the ledger's lock for more than {LOCK_SECONDS} seconds ({said}): end what has it "
            "open. Nothing is lost, and the work goes on by itself."
        )
    if not sqlite or primary in _SQLITE_AWAY:
        return LedgerAway(
            f"The ledger cannot be used at the moment ({said}): look at its database and disk. Nothing is lost, and the "
            "work goes on by itself."
        )
    return None


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # SQLAlchemy, not the driver, says where a transaction begins.
    connection.isolation_level = None
    # The patience first: to set the journal may have to wait for a lock itself.
    for pragma in (
        f"busy_timeout={LOCK_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _set_up_postgres(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
    connection.commit()


def _begin_sqlite(connection: Any) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    # A writer takes its lock at once: an upgrade in the middle of a transaction would fail instead of waiting.
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
