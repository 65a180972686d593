"""A sample of `make upheavals`: Odoo and its PostgreSQL crash, and an app is installed, while bills are filled and approved."""

from __future__ import annotations

from pathlib import Path

from deploy.odoo.installation import Installation
from tests.acceptance.upheavals.stand import standing
from tests.acceptance.upheavals.upheavals import UPHEAVALS, through

SAMPLE = ("both crashed", "installed")


def test_an_odoo_that_goes_down_and_is_updated_loses_nothing(
    development_odoo: Installation, tmp_path: Path
) -> None:
    with standing(development_odoo, tmp_path) as stand:
        for word in SAMPLE:
            [upheaval] = [one for one in UPHEAVALS if word in one.name]
            went = through(stand, upheaval, sure=2, doubtful=1)
            assert not went.problems, went
            assert went.told or "installed" in word, went
