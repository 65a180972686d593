"""The commands about who gets in: `token`."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.options import BackendOption, ConfigOption, JsonOption

app = typer.Typer()


token = typer.Typer(help="API tokens for programs.", no_args_is_help=True)
app.add_typer(token, name="token")


@token.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="A name to know it by.", show_default=False)],
    scope: Annotated[list[str], typer.Option(help="What it may do; give it several times. See docs/api.md.")],
    company: Annotated[
        list[int] | None, typer.Option(help="Only this company of Odoo, by id; all when left out.")
    ] = None,
    days: Annotated[int, typer.Option(min=0, max=3650, help="How long it lasts; 0: until revoked.")] = 365,
    backend: BackendOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Make a token and show it, this once."""
    from connector.commands.token import make_token

    raise typer.Exit(make_token(name, scope, company or [], days, backend, json, config))


@token.command("list")
def token_list(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show every token: what it may do, until when, and when it was last used."""
    from connector.commands.token import list_tokens

    raise typer.Exit(list_tokens(json, config))


@token.command("revoke")
def token_revoke(
    name: Annotated[str, typer.Argument(help="The token's name.", show_default=False)],
    config: ConfigOption = None,
) -> None:
    """End a token at once."""
    from connector.commands.token import revoke_token

    raise typer.Exit(revoke_token(name, config))
