"""Bring a ledger's schema up to date, with Alembic, before anything reads or writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, ProgrammingError

from connector.errors import FatalError, LedgerAway, LedgerFull, SettingsError
from connector.ledger import accepted, failures, key_ends, own_secret, schema, sessions, tokens, uploads
from connector.ledger.engine import make_engine
from connector.ledger.store import Ledger

if TYPE_CHECKING:
    from sqlalchemy import Engine


TABLES = (accepted, failures, key_ends, own_secret, sessions, tokens, uploads)
"""Modules with tables of their own: whoever opens a ledger knows of all its tables."""


def open_ledger(url: str) -> Ledger:
    """Open the ledger at a SQLAlchemy URL and migrate it.

    Raises SettingsError for a wrong URL and FatalError for a database that cannot be used, naming the remedy.
    """
    try:
        engine = make_engine(url)
    except (ArgumentError, ModuleNotFoundError) as error:
        # Not chained: SQLAlchemy's error may hold the address with its password.
        raise SettingsError(
            f"ledger_url cannot be used: {error}. It must be like postgresql+psycopg2://user@host/database, and the "
            "driver it names must be installed (pip install psycopg2-binary)."
        ) from None
    try:
        _migrate(engine)
    except LedgerFull:
        raise
    except LedgerAway as error:
        raise FatalError(
            f"The ledger cannot be opened. {error} Check `ledger_url` in the settings and that its folder exists and can "
            "be written."
        ) from error
    except ProgrammingError as error:
        said = " ".join(str(error.orig).split()).rstrip(".")
        raise FatalError(
            f"The ledger cannot be opened ({said}). Check what `ledger_url` in the settings says, and that its login may "
            "make tables there."
        ) from error
    return Ledger(engine)


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found == schema.head():
        return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # However long the other's migration takes.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": schema.MIGRATING})
        # Looked up again: another process may have migrated while this one waited for the lock.
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in schema.known():
            raise FatalError(
                f"The ledger was written by a newer Vouch (schema {found}, this one knows {schema.head()}). Install that "
                "version or restore a backup."
            )
        config = schema.config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
