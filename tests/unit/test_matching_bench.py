"""A quick sample of the matching bench: generated vendors and orders are matched, and never surely to a wrong one."""

from __future__ import annotations

import pytest

from tests.bench.matching import score_lines, score_strangers, score_vendors

VENDORS = 800


@pytest.mark.parametrize("name_only", [True, False])
def test_vendors_are_found_by_any_spelling(name_only: bool) -> None:
    found = score_vendors(VENDORS, 520, name_only=name_only)
    assert found.wrong == []
    assert found.top_1 >= 0.98
    assert all(found.right[spelling] / asked >= 0.85 for spelling, asked in found.asked.items())


def test_a_vendor_that_odoo_does_not_have_is_never_taken_for_another() -> None:
    assert score_strangers(VENDORS, 150) == []


def test_order_lines_are_linked_to_the_right_ones() -> None:
    found = score_lines(240)
    assert found.wrong == []
    assert found.share >= 0.97
    assert found.sure >= 0.75 * found.lines
    assert found.lots >= 50
    assert found.right_lots >= 0.97 * found.lots
    assert found.open <= 0.05 * found.lines
