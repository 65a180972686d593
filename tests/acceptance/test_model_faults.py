"""A sample of `make faults`: a fault between the service and its model server for a whole round, with a real Odoo."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from deploy.odoo.installation import Installation
from tests.acceptance.faults.model import ModelSide, opened, tried_at_model
from tests.acceptance.faults.model_kinds import MODEL_KINDS, ModelKind
from tests.integration.odoo_server import cloned

SAMPLE = (
    "answer lost after it acted",
    "502 page",
    "half JSON said",
    "certificate ran out",
)


@pytest.fixture(scope="module")
def side(development_odoo: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelSide]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with opened(cloned(development_odoo, name), tmp_path_factory.mktemp("faults")) as found:
        yield found
    development_odoo.drop(name)


@pytest.mark.parametrize(
    "kind", [kind for kind in MODEL_KINDS if kind.name in SAMPLE], ids=lambda kind: kind.name
)
def test_nothing_is_lost_and_the_cause_is_told(side: ModelSide, kind: ModelKind) -> None:
    outcome = tried_at_model(side, kind)
    assert not outcome.problems, outcome
