"""What is deployed by our files has no way out but the ones that its owner adds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(DEPLOY.rglob("*.service"))
COMPOSED = sorted(DEPLOY.rglob("compose*.yaml"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_of_systemd_reaches_this_machine_only(unit: Path) -> None:
    said = re.findall(r"^(\w+)=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
    assert ("IPAddressDeny", "any") in said
    assert [value for name, value in said if name == "IPAddressAllow"] == ["localhost"]
    assert {("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("CapabilityBoundingSet", "")} <= set(
        said
    )


@pytest.mark.parametrize("file", COMPOSED, ids=lambda path: path.name)
def test_what_runs_composed_is_on_internal_networks_only(file: Path) -> None:
    node = yaml.safe_load(file.read_text("utf-8"))
    internal = {name for name, network in node["networks"].items() if network["internal"]}
    lasting = {name: one for name, one in node["services"].items() if "profiles" not in one}
    assert lasting
    for service in lasting.values():
        assert set(service["networks"]) <= internal
        assert "ports" not in service
        assert "network_mode" not in service


def test_there_are_files_to_look_at() -> None:
    assert {path.name for path in UNITS} >= {"vouch.service", "vllm.service"}
    assert COMPOSED
