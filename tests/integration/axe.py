"""axe-core, the accessibility rules that are run in the tests' browser: fetched once with npm, pinned by its hash."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from deploy.only_one import only_one

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page) -> list[str]:
    """What the page breaks of WCAG 2.2 A and AA, seriously: rule, element and how to mend it."""
    page.evaluate(_source())
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        f"{rule['id']} {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@cache
def _source() -> str:
    file = _folder() / f"axe-{VERSION}.min.js"
    with only_one(file.parent / "lock"):
        if not file.exists():
            _fetch(file)
    text = file.read_bytes()
    if hashlib.sha256(text).hexdigest() != SHA256:
        file.unlink()
        pytest.fail(f"axe-core {VERSION} is not what it was: its hash is another. Run the tests again.")
    return text.decode("utf-8")


def _folder() -> Path:
    root = os.environ.get("VOUCH_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "vouch") / "axe"


def _fetch(file: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail(
            "axe-core is fetched with npm, which is missing: apt-get install npm, or VOUCH_TEST_BROWSER=none to leave "
            "the browser tests out."
        )
    asked = [npm, "pack", "--silent", f"axe-core@{VERSION}"]
    ran = subprocess.run(asked, cwd=file.parent, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode:
        pytest.fail(f"npm does not give axe-core {VERSION}: {ran.stderr[-500:]}")
    packed = file.parent / ran.stdout.split()[-1]
    with tarfile.open(packed) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        file.write_bytes(member.read())
    packed.unlink()
