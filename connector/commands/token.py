"""`vouch token`: API tokens for programs."""

from __future__ import annotations

import getpass
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from connector.bootstrap import opened_ledger
from connector.commands.output import ERR, OUT, print_json
from connector.errors import SettingsError
from connector.ledger.tokens import SCOPES, Tokens
from connector.settings import chosen_backend, load_settings

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def make_token(
    name: str,
    scopes: Sequence[str],
    companies: Sequence[int],
    days: int,
    backend: str | None,
    as_json: bool,
    config: Path | None,
) -> int:
    """Make a token and print it, this once; 0. Raises SettingsError for a name or scope that cannot be."""
    settings = load_settings(config)
    chosen = chosen_backend(settings, backend)
    if not NAME.fullmatch(name):
        raise SettingsError("A token's name has letters, digits, dots and dashes, at most 64.")
    if unknown := set(scopes) - set(SCOPES):
        raise SettingsError(f"There is no scope {min(unknown)}: choose of {', '.join(SCOPES)}.")
    if not scopes:
        raise SettingsError(f"Say what the token is for with --scope: {', '.join(SCOPES)}.")
    with opened_ledger(settings) as ledger:
        try:
            token = Tokens(ledger.engine).make(
                name,
                chosen,
                scopes,
                companies,
                timedelta(days=days) if days else None,
                actor=f"person:{getpass.getuser()}",
            )
        except KeyError:
            raise SettingsError(
                f"There is a token {name} already: revoke it, or choose another name."
            ) from None
    if as_json:
        print_json({"name": name, "token": token, "scopes": sorted(scopes), "days": days or None})
        return 0
    OUT.print(token, markup=False, highlight=False)
    ERR.print(
        f"Keep it now: it is not shown again. It ends {f'in {days} days' if days else 'when it is revoked'}."
    )
    return 0


def list_tokens(as_json: bool, config: Path | None) -> int:
    """Print every token without its secret; 0."""
    settings = load_settings(config)
    with opened_ledger(settings) as ledger:
        found = Tokens(ledger.engine).all()
    now = datetime.now(UTC)
    if as_json:
        print_json(
            {
                "tokens": [
                    {
                        "name": one.name,
                        "backend": one.backend,
                        "companies": one.companies,
                        "scopes": one.scopes,
                        "made_at": one.made_at.isoformat(),
                        "expires_at": one.expires_at and one.expires_at.isoformat(),
                        "used_at": one.used_at and one.used_at.isoformat(),
                    }
                    for one in found
                ]
            }
        )
        return 0
    if not found:
        OUT.print("There are no tokens. `vouch token create NAME --scope …` makes one.")
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("name", "odoo", "may", "ends", "last used"):
        table.add_column(heading, overflow="fold")
    for one in found:
        ended = one.expires_at is not None and one.expires_at <= now
        ends = f"{one.expires_at:%Y-%m-%d}" if one.expires_at else "when revoked"
        table.add_row(
            escape(one.name),
            escape(one.backend),
            ", ".join(one.scopes),
            f"[red]ended {ends}[/]" if ended else ends,
            f"{one.used_at:%Y-%m-%d %H:%M} UTC" if one.used_at else "never",
        )
    OUT.print(table)
    return 0


def revoke_token(name: str, config: Path | None) -> int:
    """End a token at once; 0. Raises SettingsError where there is none of that name."""
    settings = load_settings(config)
    with opened_ledger(settings) as ledger:
        if not Tokens(ledger.engine).revoke(name, f"person:{getpass.getuser()}"):
            raise SettingsError(f"There is no token {name}: see `vouch token list`.")
    OUT.print(f"{name} opens nothing any more.", markup=False)
    return 0
