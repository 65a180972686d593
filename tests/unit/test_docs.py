"""What a user can set, call or watch is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import typer.main
from pydantic import BaseModel

from connector import errors
from connector.cli import app
from connector.settings import BackendSettings, Settings

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
