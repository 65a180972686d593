"""`vouch export training`: approved bills as JSONL and page images, for fine-tuning a vision model."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.bootstrap import opened_ledger
from connector.commands.output import OUT, print_json
from connector.errors import FatalError, SettingsError
from connector.ledger.approved import approved
from connector.ledger.documents import DocumentStore
from connector.sandbox import opened_sandbox
from connector.settings import load_settings
from connector.training.examples import Example, can_tell, examples
from inference.errors import DocumentError
from inference.invoice import Reading
from inference.readers.vlm.prompt import VERSION as PROMPT
from inference.vllm.profile import load_profile

if TYPE_CHECKING:
    from connector.ledger.approved import Approved
    from connector.settings import Settings, TrainingSettings
    from inference.vllm.profile import Profile

SCHEMA = 1
LINES = "training.jsonl"


@dataclass
class Written:
    """What stands in the folder so far."""

    folder: Path
    pages: int = 0
    documents: int = 0
    files: dict[str, str] = field(default_factory=dict[str, str])
    skipped: Counter[str] = field(default_factory=Counter[str])


def export_training(folder: Path, since: datetime | None, as_json: bool, config: Path | None) -> int:
    """Write the folder, whole or not at all; 0. Raises SettingsError where the owner does not allow it."""
    settings = load_settings(config)
    if not settings.training.allow_export:
        raise SettingsError(
            "Exporting training data is not allowed: it writes your bills to a folder. Set training.allow_export = true "
            "if the owner of the bills agrees; see docs/training.md."
        )
    if folder.exists() and any(folder.iterdir()):
        raise FatalError(
            f"{folder} is not empty. Choose a folder that is, so that nothing in it is mixed up."
        )
    profile = load_profile(settings.vlm.profile)
    draft = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "images").mkdir(parents=True, mode=0o700)
    since = since.astimezone(UTC) if since else None
    written = Written(draft)
    _write(written, settings, profile, since)
    manifest = _manifest(written, settings, since)
    (draft / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    if folder.exists():
        folder.rmdir()
    os.replace(draft, folder)
    if as_json:
        print_json({name: value for name, value in manifest.items() if name != "files"})
    else:
        left = ", ".join(f"{count} {why}" for why, count in sorted(written.skipped.items())) or "none"
        told = f"{written.pages} pages of {written.documents} documents in {folder}; left out: {left}."
        OUT.print(told, markup=False)
    return 0


def _write(written: Written, settings: Settings, profile: Profile, since: datetime | None) -> None:
    documents = DocumentStore(settings.folder / "documents")
    file = written.folder / LINES
    with (
        opened_ledger(settings) as ledger,
        opened_sandbox(settings, "layout") as sandbox,
        file.open("w", encoding="utf-8") as lines,
    ):
        for kept in approved(ledger.engine, since):
            data = documents.get(kept.sha256)
            why = _why_not(kept, settings.training) or ("" if data else "document_gone")
            if why or data is None:
                written.skipped[why] += 1
                continue
            try:
                found = examples(kept, data, sandbox, profile, redact=settings.training.redact)
            except DocumentError:
                written.skipped["unreadable"] += 1
                continue
            lines.writelines(_lines(kept, found, written))
    written.files[LINES] = _sha256(file.read_bytes())


def _manifest(written: Written, settings: Settings, since: datetime | None) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "vouch": version("vouch"),
        "profile": settings.vlm.profile,
        "prompt": PROMPT,
        "since": since.isoformat() if since else None,
        "redacted": settings.training.redact,
        "documents": written.documents,
        "pages": written.pages,
        "skipped": dict(sorted(written.skipped.items())),
        "files": dict(sorted(written.files.items())),
    }


def _why_not(kept: Approved, settings: TrainingSettings) -> str:
    """Why a document is no example, or nothing."""
    if not kept.is_sure:
        return "posted_otherwise"
    if not can_tell(kept):
        return "corrected_by_hand"
    if kept.reader == "einvoice":
        return "e_invoice"
    reading = Reading.from_json(kept.body)
    names = {reading.text("seller_name") or "", kept.vendor, reading.text("seller_vat_id") or ""}
    excluded = {_folded(name) for name in settings.without_vendors}
    return "vendor_left_out" if excluded & {_folded(name) for name in names} else ""


def _folded(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())


def _lines(kept: Approved, found: Iterable[Example], written: Written) -> Iterable[str]:
    any_page = False
    for example in found:
        name = f"images/{kept.job_id}-{example.page}.png"
        (written.folder / name).write_bytes(example.image.png)
        written.files[name] = _sha256(example.image.png)
        written.pages += 1
        any_page = True
        node: dict[str, Any] = {
            "id": f"{kept.job_id}-{example.page}",
            "images": [name],
            # Image before text, as the Reader asks.
            "messages": [
                {"role": "user", "content": f"<image>{example.question}"},
                {"role": "assistant", "content": example.answer},
            ],
        }
        yield json.dumps(node, ensure_ascii=False) + "\n"
    written.documents += any_page
    if not any_page:
        written.skipped["no_proof_on_pages"] += 1


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
