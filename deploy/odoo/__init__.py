"""A real Odoo 19 with PostgreSQL for development, tests and the demo, in a cache folder outside the clone."""
