"""A few minutes of `make soak` in less than one: nothing grows with every document or request, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.odoo.installation import Installation
from tests.acceptance.crash.office import opened
from tests.bench.soak import growths, soak, table

DOCUMENTS = 18
LEAK = {"memory, MB": 2.0, "files": 0.5, "threads": 0.5, "ledger, MB": 0.3}
"""More than that a document, surely, is none of the growth of a service that has just begun."""


@pytest.mark.timeout(900)
def test_a_service_at_work_holds_on_to_nothing(development_odoo: Installation, tmp_path: Path) -> None:
    with opened(development_odoo, tmp_path) as office:
        seen, asked = soak(office, DOCUMENTS, minutes=12, every=0.5)
        assert seen[-1].documents == DOCUMENTS
        assert asked["200"] > 10, asked
        found = growths(seen)
        assert {name for name, most in LEAK.items() if found[name].low > most} == set(), table(seen)
        office.settle()
        assert office.broken() == []
