"""Fixtures of the acceptance tests."""

from tests.acceptance.bill_screen import office
from tests.acceptance.round import done

__all__ = ["done", "office"]
