"""`vouch backup` and `vouch restore`."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from connector.backup.manifest import Manifest
from connector.backup.restore import restore
from connector.backup.write import back_up
from connector.bootstrap import opened_ledger
from connector.commands.output import OUT, print_json
from connector.ledger.documents import DocumentStore
from connector.settings import load_settings


def write_backup(file: Path, as_json: bool, config: Path | None) -> int:
    """Write the ledger and its documents into one file, and print what is in it; 0."""
    settings = load_settings(config)
    with opened_ledger(settings) as ledger:
        documents = DocumentStore(settings.folder / "documents")
        manifest = back_up(ledger.engine, documents, file, f"person:{getpass.getuser()}")
    if as_json:
        print_json({"file": str(file), **_node(manifest)})
        return 0
    OUT.print(f"{file}: the ledger of {_moment(manifest)} and {manifest.documents} documents.", markup=False)
    if manifest.missing:
        OUT.print(f"{len(manifest.missing)} documents were not kept any more; Odoo has them.", markup=False)
    OUT.print(f"The audit ends at {manifest.audit}", markup=False, soft_wrap=True)
    return 0


def restore_backup(file: Path, as_json: bool, config: Path | None) -> int:
    """Put a backup into an empty ledger and print the point in time; 0."""
    settings = load_settings(config)
    manifest = restore(file, settings.ledger, settings.folder, f"person:{getpass.getuser()}")
    if as_json:
        print_json({"file": str(file), **_node(manifest)})
        return 0
    OUT.print(f"Restored to {_moment(manifest)}, with {manifest.documents} documents.", markup=False)
    OUT.print(
        "The next round finds again what came after. What was written in Odoo meanwhile is known by its notes."
    )
    return 0


def _moment(manifest: Manifest) -> str:
    return f"{manifest.at.astimezone():%Y-%m-%d %H:%M:%S %z}"


def _node(manifest: Manifest) -> dict[str, Any]:
    return manifest.model_dump(mode="json")
