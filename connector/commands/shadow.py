"""`vouch shadow`: which vendors are in shadow mode, and how often their bills would have been filled rightly."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from connector.bootstrap import opened_ledger
from connector.commands.chosen import chosen_vendor, fresh_index
from connector.commands.output import OUT, print_json
from connector.ledger.learning import Learning
from connector.settings import chosen_backend, load_settings
from mappings.shadow import Shadow


def list_shadow(backend: str | None, as_json: bool, config: Path | None) -> int:
    """Print where every vendor with posted bills or a choice stands; 0."""
    settings = load_settings(config)
    name = chosen_backend(settings, backend)
    with opened_ledger(settings) as ledger:
        found = Learning(ledger.engine).shadows(name, settings.policy.shadow_bills)
    if as_json:
        print_json({"backend": name, "vendors": [_node(number, shadow) for number, shadow in found]})
        return 0
    if not found:
        OUT.print("No bill that Vouch judged is posted yet, and no vendor was switched.")
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("vendor", "shadow", "posted bills"):
        table.add_column(heading, overflow="fold")
    for _, shadow in found:
        chosen = "" if shadow.switch is not None else " (by the setting)"
        table.add_row(escape(shadow.vendor), f"{'on' if shadow.is_on else 'off'}{chosen}", shadow.tally)
    OUT.print(table)
    return 0


def switch_shadow(vendor: str, is_on: bool, backend: str | None, as_json: bool, config: Path | None) -> int:
    """Keep the choice for a vendor; 0."""
    settings = load_settings(config)
    name = chosen_backend(settings, backend)
    with fresh_index(settings, name) as index:
        number, label = chosen_vendor(index, vendor)
    with opened_ledger(settings) as ledger:
        learning = Learning(ledger.engine)
        learning.switch_shadow(name, number, label, is_on, getpass.getuser())
        shadow = learning.shadow(name, number, label, settings.policy.shadow_bills)
    if as_json:
        print_json({"backend": name, "vendor": _node(number, shadow)})
    else:
        OUT.print(f"{label}: shadow mode {'on' if is_on else 'off'}. So far {shadow.tally}.", markup=False)
    return 0


def _node(number: int, shadow: Shadow) -> dict[str, Any]:
    return {
        "vendor": shadow.vendor,
        "vendor_id": number,
        "shadow": shadow.is_on,
        "chosen": shadow.switch is not None,
        "bills": len(shadow.bills),
        "would_fill": shadow.would_fill,
        "wrong": shadow.wrong,
    }
