"""Fixtures of the acceptance tests."""

from tests.acceptance.round import done

__all__ = ["done"]
