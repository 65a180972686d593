"""Which schema the ledger has, and that it is still this program's: an older one must not write after an upgrade."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from connector.errors import FatalError

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATING = 0x566F75636802
"""Key of PostgreSQL's advisory lock: every writer shares it, a migration has it alone."""


def config() -> Config:
    """Alembic's settings."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


@cache
def head() -> str:
    """The schema that this program writes."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    if newest is None:
        raise FatalError("This installation lacks the ledger's migrations. Install Vouch again.")
    return newest


@cache
def known() -> frozenset[str]:
    """Every schema that this program can migrate from."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(config()).walk_revisions())


def _require_own_schema(_session: Session, _transaction: Any, connection: Connection) -> None:
    if connection.get_execution_options().get("read_only", False):
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": MIGRATING})
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found != head():
        raise FatalError(
            f"The ledger was upgraded to schema {found} while this program, which writes {head()}, was running. Nothing "
            "more is written; start the new version."
        )


event.listen(Session, "after_begin", _require_own_schema)
