"""The database under the ledger: SQLite set up to be safe, or PostgreSQL as it is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event

# Whoever writes through an engine is audited, and refused after an upgrade.
from connector.ledger import audit, schema

__all__ = ["audit", "make_engine", "schema"]


def make_engine(url: str) -> Engine:
    """An engine for a SQLAlchemy URL; SQLite waits for its lock, survives power loss and keeps foreign keys."""
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # SQLAlchemy, not the driver, says where a transaction begins.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=20000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    # A writer takes its lock at once: an upgrade in the middle of a transaction would fail instead of waiting.
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
