"""`vouch audit`: whether the audit is whole, what it says, and where it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from connector.bootstrap import opened_ledger
from connector.commands.output import ERR, OUT, print_json
from connector.errors import AuditError, SettingsError
from connector.ledger.chain import Anchor, Chain, Link
from connector.settings import load_settings


def verify_audit(anchor: str, as_json: bool, config: Path | None) -> int:
    """Print what is wrong with the chain; 0, or AuditError's exit code where anything is."""
    kept = Anchor.from_text(_anchor_text(anchor)) if anchor else None
    with opened_ledger(load_settings(config)) as ledger:
        chain = Chain(ledger.engine)
        count, found = chain.verify(kept)
        head = chain.head()
    if as_json:
        print_json(
            {
                "whole": not found,
                "entries": count,
                "head": str(head),
                "anchored": kept is not None,
                "faults": [{"entry": fault.sequence, "message": fault.message} for fault in found],
            }
        )
    elif not found:
        OUT.print(f"{count} entries, all whole and in their order.", markup=False)
        if kept is None:
            OUT.print(
                "Without an anchor kept elsewhere (vouch audit anchor) a cut or rewritten end cannot be told."
            )
    for fault in found if not as_json else ():
        ERR.print(fault.message, markup=False)
    return AuditError.exit_code if found else 0


def print_anchor(as_json: bool, config: Path | None) -> int:
    """Print where the audit ends, to be kept elsewhere; 0."""
    with opened_ledger(load_settings(config)) as ledger:
        head = Chain(ledger.engine).head()
    if as_json:
        print_json({"entry": head.sequence, "hash": head.hash, "anchor": str(head)})
    else:
        OUT.print(str(head), markup=False, soft_wrap=True)
    return 0


def list_audit(document: int | None, action: str, limit: int, as_json: bool, config: Path | None) -> int:
    """Print the newest entries, last first; 0."""
    subject = f"document {document}" if document is not None else ""
    with opened_ledger(load_settings(config)) as ledger:
        found = Chain(ledger.engine).newest(limit, subject, action)
    if as_json:
        print_json({"entries": [_node(link) for link in found]})
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("entry", "when (UTC)", "action", "subject", "by", "values"):
        table.add_column(heading, overflow="fold")
    for link in found:
        values = link.values
        actor = values.pop("actor", None if link.body else "erased")
        shown = " ".join(f"{name}={value}" for name, value in values.items() if value not in ("", None))
        row = (str(link.sequence), link.at[:19], link.action, link.subject, str(actor), shown)
        table.add_row(*map(escape, row))
    OUT.print(table)
    return 0


def _node(link: Link) -> dict[str, Any]:
    return {
        "entry": link.sequence,
        "at": link.at,
        "action": link.action,
        "subject": link.subject,
        "values": link.values if link.body else None,
        "hash": link.hash,
    }


def _anchor_text(given: str) -> str:
    """An anchor as it is, or out of the file of that name."""
    if ":" in given:
        return given
    try:
        return Path(given).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The anchor {given} is neither NUMBER:HASH nor a file that can be read: {error}"
        ) from error
