"""A desk over the module's real Odoo, and a person at it; who needs another desk overrides them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.odoo_server import OdooDatabase
from tests.integration.settling import Desk, Settler, make_desk


@pytest.fixture
def desk(database: OdooDatabase, tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(database, tmp_path)
    yield made
    made.close()


@pytest.fixture
def person(desk: Desk) -> Settler:
    return desk.settler()
