"""Fixtures for every test: the real Odoo, the real vLLM and the real browser, started only when a test asks for them."""

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

# How long an example takes is for tests/bench to say: a busy machine is no failure.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
