"""What a user can set, call or watch is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import typer.main
from fastapi.testclient import TestClient
from pydantic import BaseModel

from connector import errors
from connector.cli import app
from connector.review.app import create_app
from connector.settings import BackendSettings, Settings
from inference.invoice import HEADER, LINE
from mappings.field_map import default_map
from tests.review_ledger import fill

ROOT = Path(__file__).parents[2]


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def settings_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name == "backends":
            yield from settings_names(BackendSettings, "backends.NAME.")
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_names(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_setting_is_documented_and_none_is_invented() -> None:
    documented = set(re.findall(r"^\| `([\w.]+)` \|", document("settings.md"), re.MULTILINE))
    assert documented == set(settings_names(Settings))


def test_the_default_mapping_and_its_terms_are_documented() -> None:
    page = document("mapping.md")
    rows = set(re.findall(r"^\| `\[(\w+)\]` \| `(\w+)` \| (?:rule|term) `(\w+)`", page, re.MULTILINE))
    assert rows == {(e.table, e.field, e.source) for e in default_map().entries if e.field != "id"}
    assert set(re.findall(r"^\| `(\w+)` \| (?:B[TG]-\S+)? ?\|", page, re.MULTILINE)) == {*HEADER, *LINE}


def test_every_command_is_documented_and_none_is_invented() -> None:
    group = typer.main.get_command(app)
    commands = set(group.commands)  # type: ignore[attr-defined]
    documented = set(re.findall(r"^\| `vouch (\w+)", document("cli.md"), re.MULTILINE))
    assert documented == commands


def test_every_exit_code_is_documented() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", document("cli.md"), re.MULTILINE)}
    ours = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.VouchError)
    }
    assert ours <= documented


def test_every_route_and_figure_is_documented_and_none_is_invented(tmp_path: Path) -> None:
    desk = fill(tmp_path)
    client = TestClient(create_app(desk.deps), base_url="http://127.0.0.1:8170")
    served = {
        f"{method} {re.sub(r'{(job_id|number)}', lambda m: '{id}' if m[1] == 'job_id' else '{n}', route.path)}"
        for router in client.app.routes  # type: ignore[attr-defined]
        for route in getattr(getattr(router, "original_router", None), "routes", ())
        for method in route.methods - {"HEAD"}
    }
    page = document("http.md")
    assert set(re.findall(r"^\| `((?:GET|POST|PUT|DELETE) [^`]*)` \|", page, re.MULTILINE)) == served | {
        "GET /static/…"
    }
    figures = set(re.findall(r"^# HELP (\w+) ", client.get("/metrics").text, re.MULTILINE))
    assert set(re.findall(r"^\| `(vouch_\w+)` \|", page, re.MULTILINE)) == figures


def test_every_control_is_documented_and_none_is_invented() -> None:
    sources = "\n".join(file.read_text("utf-8") for file in (ROOT / "mappings").glob("*.py"))
    made = set(re.findall(r"\b(?:failed|passed|not_applicable)\(\s*\"(\w+)\"", sources))
    rows = re.findall(r"^\| (`.*?`) \|", document("controls.md"), re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`([\w…]+)`", row)}
    families = tuple(name.removesuffix("…") for name in documented if name.endswith("…"))
    missing = {name for name in made - documented if not name.startswith(families)}
    assert missing == set()
    assert {name for name in documented if not name.endswith("…")} <= made
