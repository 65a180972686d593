"""`vouch read`: documents in, what was found out. No Odoo, no ledger."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from connector.commands.output import OUT, print_json, progress
from connector.errors import SkippableError
from connector.model import opened_desk, require_reader
from connector.settings import load_settings
from inference.errors import DamagedDocument, DocumentError, OversizedDocument
from inference.invoice import Reading, Row, Status, Usage, as_text, value_as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.model import Desk
    from inference.isolation import Opened


@dataclass(frozen=True, slots=True)
class Answer:
    """What one file came to: a Reading, or the error that says why there is none."""

    file: Path
    opened: Opened | None = None
    reading: Reading | None = None
    error: DocumentError | None = None

    def as_json(self) -> dict[str, Any]:
        """The contract of `vouch read --json`; for an unreadable file `{"document","error"}`."""
        if self.opened is None or self.reading is None:
            reason = self.error.reason if self.error else ""
            return {
                "document": {"name": self.file.name},
                "error": {"reason": reason, "message": str(self.error)},
            }
        head = {
            "name": self.file.name,
            "sha256": self.opened.sha256,
            "mime": self.opened.mime,
            "pages": len(self.opened.sizes),
            "kind": self.opened.origin,
        }
        return {"document": head} | self.reading.as_json()


def read_files(files: Sequence[Path], reader: str, as_json: bool, config: Path | None) -> int:
    """Read files and print what was found; the exit code: 0, or 6 when one could not be read."""
    require_reader(reader)
    answers: list[Answer] = []
    settings = load_settings(config)
    with opened_desk(settings, reader) as desk, progress() as bar:
        task = bar.add_task("Reading", total=len(files))
        for file in files:
            bar.update(task, description=f"Reading {escape(file.name)}")
            answers.append(_read(file, desk, settings.reading.max_megabytes))
            bar.advance(task)
    if as_json:
        nodes = [answer.as_json() for answer in answers]
        print_json(nodes[0] if len(nodes) == 1 else nodes)
    else:
        for answer in answers:
            _show(answer)
        if desk.attribution and any(answer.reading and answer.reading.usage for answer in answers):
            OUT.print(f"[dim]{escape(desk.attribution)}[/]")
    return SkippableError.exit_code if any(answer.error for answer in answers) else 0


def _read(file: Path, desk: Desk, most_megabytes: float) -> Answer:
    try:
        opened, reading = desk.read(file_bytes(file, most_megabytes), file.name)
        return Answer(file, opened, reading)
    except DocumentError as error:
        return Answer(file, error=error)


def file_bytes(file: Path, most_megabytes: float) -> bytes:
    """The file's content. Raises DocumentError where it cannot be opened or is too large."""
    try:
        if os.path.getsize(file) > most_megabytes * 1e6:
            raise OversizedDocument(
                f"{file} is larger than {most_megabytes:g} MB. Send it smaller, or raise reading.max_megabytes."
            )
        return file.read_bytes()
    except OSError as error:
        raise DamagedDocument(
            f"{file} cannot be opened: {error.strerror}. Check the path and its rights."
        ) from error


def _show(answer: Answer) -> None:
    OUT.print(f"[bold]{escape(answer.file.name)}[/]")
    if answer.reading is None:
        OUT.print(f"  not read: {escape(str(answer.error))}\n")
        return
    _show_fields(answer.reading)
    if answer.reading.lines:
        _show_lines(answer.reading.lines)
    for part in answer.reading.split:
        OUT.print(f"  pages {part}: {part.reason}", markup=False)
    for check in answer.reading.checks:
        if check.status is not Status.NOT_APPLICABLE:
            OUT.print(
                f"  {'[green]✓' if check.status is Status.PASS else '[red]✗'}[/] {escape(check.message)}"
            )
    if answer.reading.usage:
        spent = answer.reading.timing_ms
        OUT.print(f"  [dim]{escape(_used(answer.reading.usage))}; {spent.get('vlm', 0) / 1000:.1f} s[/]")
    OUT.print()


def _used(usage: Usage) -> str:
    """What the model server did, in words."""
    return (
        f"{usage.model}: {usage.calls} calls, {usage.reused} answers reused, {usage.prompt_tokens} tokens read "
        f"({usage.cached_tokens} from its cache), {usage.answer_tokens} written, {usage.sent_bytes / 1e6:.2f} MB sent"
    )


def _show_fields(reading: Reading) -> None:
    table = Table(box=None, padding=(0, 2), show_header=True, header_style="dim")
    table.add_column("field", no_wrap=True)
    table.add_column("value", no_wrap=True, max_width=50)
    table.add_column("sure", no_wrap=True, justify="right")
    table.add_column("where", no_wrap=True, style="dim")
    for name, found in reading.fields.items():
        proof = found.evidence[0] if found.evidence else None
        where = "" if proof is None else proof.xpath or f"p. {proof.page}: {proof.text}"
        style = "" if found.confidence >= 0.9 else "yellow" if found.confidence >= 0.6 else "red"
        table.add_row(
            name,
            escape(value_as_json(found.value)),
            f"[{style}]{found.confidence:.0%}[/]" if style else f"{found.confidence:.0%}",
            escape(where),
        )
    OUT.print(table)


def _show_lines(lines: Sequence[Row]) -> None:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("line", no_wrap=True, max_width=60)
    columns = ("quantity", "unit", "net_price", "discount_percent", "vat_rate", "line_net_amount")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for line in lines:
        cells = [value_as_json(line[name].value) if name in line else "" for name in columns]
        table.add_row(escape(as_text(line.get("item_name")) or ""), *map(escape, cells))
    OUT.print(table)
