"""The house keeps its shape: imports go one way, and no room has a name that says nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("inference", "mappings", "connector")
FORBIDDEN = {
    "inference": {"mappings", "connector", "deploy", "tests", "odoolib", "sqlalchemy", "fastapi"},
    "mappings": {
        "connector",
        "deploy",
        "tests",
        "httpx",
        "odoolib",
        "sqlalchemy",
        "socket",
        "requests",
        "urllib",
    },
    "connector": {"deploy", "tests", "vllm"},
}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def modules(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: relative import"
            yield node.module


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in modules(package)
        for name in imported(file)
        if name.split(".")[0] in FORBIDDEN[package]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("room", "unknown"),
    [
        # What people decide is carried out alike from any screen, by any pipeline.
        ("settling", ("connector.review", "connector.pipeline")),
        ("review/deps.py", ("connector.review",)),
        ("erp", ("connector.ledger", "connector.review", "connector.settling", "connector.pipeline")),
    ],
)
def test_no_room_of_the_connector_knows_those_that_use_it(room: str, unknown: tuple[str, ...]) -> None:
    place = ROOT / "connector" / room
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in (place.rglob("*.py") if place.is_dir() else [place])
        for name in imported(file)
        if name.startswith(unknown)
    ]
    assert wrong == []


def test_only_the_erp_room_talks_to_odoo() -> None:
    wrong = [
        str(file.relative_to(ROOT))
        for file in modules("connector")
        if "erp" not in file.relative_to(ROOT).parts
        for name in imported(file)
        if name.split(".")[0] in {"odoolib", "httpx"}
    ]
    assert wrong == []


def test_every_room_has_a_telling_name() -> None:
    names = [file for package in PACKAGES for file in modules(package) if file.stem in EMPTY_NAMES]
    assert names == []


def test_nothing_is_pickled() -> None:
    wrong = [
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in modules(package)
        for name in imported(file)
        if name.split(".")[0] in {"pickle", "shelve", "marshal", "dill", "joblib"}
    ]
    assert wrong == []


def test_reading_a_file_loads_neither_the_ledger_nor_what_recognises_pages() -> None:
    """They take longer than a born-digital page; the reading process loads the latter itself where a page needs it."""
    loaded = "import sys, connector.commands.read; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    ).stdout
    assert not {"sqlalchemy", "alembic", "numpy", "cv2", "openvino"} & set(modules.split())
