"""Options that many commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file; else VOUCH_CONFIG, else ./vouch.toml."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
BackendOption = Annotated[
    str | None,
    typer.Option("--backend", "-b", help="Name of the Odoo in the settings; needed where there are several."),
]
