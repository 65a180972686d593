"""The command `vouch`. Answers go to stdout, progress and logs to stderr; exit codes are in docs/cli.md."""

from __future__ import annotations

import sys

import typer

from connector.cli import access, keeping, learned, model_server, reading, service
from connector.errors import VouchError

app = typer.Typer(
    name="vouch",
    help="Reads the bills and orders attached in Odoo, fills the drafts, and asks a person where it is not sure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# `--help` shows them in this order.
for commands in (reading, service, keeping, learned, access, model_server):
    app.add_typer(commands.app)


def main() -> None:
    """Run the command line; an error with a name ends in one sentence and its exit code."""
    try:
        app()
    except VouchError as error:
        sys.stderr.write(f"vouch: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
