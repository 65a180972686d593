"""Fixtures for every test: the real Odoo, started only when a test asks for it."""

from tests.integration.odoo_server import odoo_database, odoo_server

__all__ = ["odoo_database", "odoo_server"]
