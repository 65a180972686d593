"""Fixtures for every test: the real Odoo, the real vLLM and the real browser, started only when a test asks for them."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.integration.browser import browser
from tests.integration.odoo_server import database, development_odoo, odoo_database, odoo_server
from tests.integration.vllm_server import profile, vllm_server

__all__ = [
    "browser",
    "database",
    "development_odoo",
    "odoo_database",
    "odoo_server",
    "profile",
    "vllm_server",
]

TESTS = Path(__file__).parent

# How long an example takes is for tests/bench to say: a busy machine is no failure.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where processes share the tests (`-n`): what needs the same servers stays together, of the rest each file."""
    for item in items:
        kind = item.path.relative_to(TESTS).parts[0]
        item.add_marker(pytest.mark.xdist_group(item.path.stem if kind == "unit" else kind))
