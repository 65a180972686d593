"""The commands about what is kept: `backup`, `restore`, `purge`, `person`, `audit`, `export`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import ConfigOption, JsonOption

app = typer.Typer()


@app.command()
def backup(
    file: Annotated[
        Path, typer.Argument(help="File to write; it must not be there yet.", show_default=False)
    ],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write the ledger and its documents, as they are at one moment, into one file. The service may run."""
    from connector.commands.backup import write_backup

    raise typer.Exit(write_backup(file, json, config))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that vouch backup wrote.", show_default=False)],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put a backup back where there is no ledger yet. The service must not run."""
    from connector.commands.backup import restore_backup

    raise typer.Exit(restore_backup(file, json, config))


@app.command()
def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Delete documents, and what was read of them, that are settled for longer than retention.* says."""
    from connector.commands.retention import purge_old

    raise typer.Exit(purge_old(dry_run, json, config))


person = typer.Typer(help="What is kept of a person: find it, erase it.", no_args_is_help=True)
app.add_typer(person, name="person")
WordsArgument = Annotated[
    list[str],
    typer.Argument(
        help="Names, e-mail addresses, accounts, telephone numbers; each in quotes.", show_default=False
    ),
]
PagesOption = Annotated[
    bool,
    typer.Option("--pages/--no-pages", help="Also read the pages of every document kept; takes its time."),
]


@person.command("find")
def person_find(
    words: WordsArgument, pages: PagesOption = True, json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Show where a person's data is: ledger, documents, kept answers, sessions, and the records in Odoo."""
    from connector.commands.retention import find_person

    raise typer.Exit(find_person(words, pages, json, config))


@person.command("erase")
def person_erase(
    words: WordsArgument,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it is only shown what would go.")
    ] = False,
    pages: PagesOption = True,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Take a person's data out of everything that Vouch keeps, for good. Bills in Odoo stay."""
    from connector.commands.retention import erase_person

    raise typer.Exit(erase_person(words, yes, pages, json, config))


audit = typer.Typer(
    help="The audit: what was done, by whom and when, as a chain that shows every change.",
    no_args_is_help=True,
)
app.add_typer(audit, name="audit")


@audit.command("verify")
def audit_verify(
    anchor: Annotated[
        str, typer.Option(help="An anchor that was kept (NUMBER:HASH), or a file that holds it.")
    ] = "",
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say whether any entry was changed, removed or put in; with an anchor also whether the end was cut."""
    from connector.commands.audit import verify_audit

    raise typer.Exit(verify_audit(anchor, json, config))


@audit.command("anchor")
def audit_anchor(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Print where the audit ends. Keep it on another machine, for `verify --anchor`."""
    from connector.commands.audit import print_anchor

    raise typer.Exit(print_anchor(json, config))


@audit.command("list")
def audit_list(
    document: Annotated[int | None, typer.Option(help="Only of the document with this number.")] = None,
    action: Annotated[str, typer.Option(help="Only actions that begin so, such as effect.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="So many of the newest.")] = 50,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the newest entries, last first."""
    from connector.commands.audit import list_audit

    raise typer.Exit(list_audit(document, action, limit, json, config))


export = typer.Typer(help="Take out of the ledger what others need.", no_args_is_help=True)
app.add_typer(export, name="export")


@export.command("training")
def export_training(
    folder: Annotated[
        Path, typer.Argument(help="An empty folder, or one that is not there yet.", show_default=False)
    ],
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only bills approved or posted from this day on."),
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write approved bills as JSONL and page images, to fine-tune a vision model on. Off unless training.allow_export."""
    from connector.commands.export import export_training as export_approved

    raise typer.Exit(export_approved(folder, since, json, config))
