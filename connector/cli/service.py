"""The commands that run Vouch and watch over it: `sync`, `run`, `web`, `push`, `status`, `retry`, `prepare`, `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import BackendOption, ConfigOption, JsonOption

app = typer.Typer()


@app.command()
def sync(
    once: Annotated[bool, typer.Option("--once", help="End after one round.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Poll Odoo and work on what is new: one round with --once, else on the schedule, without a web server."""
    from connector.commands.work import sync_on_schedule, sync_once

    raise typer.Exit(sync_once(config, json) if once else sync_on_schedule(config))


@app.command()
def run(config: ConfigOption = None) -> None:
    """Poll on the schedule, work, and serve the review queue, in one process."""
    from connector.commands.work import run_all

    raise typer.Exit(run_all(config))


@app.command()
def web(config: ConfigOption = None) -> None:
    """Serve the review queue only."""
    from connector.commands.work import run_web

    raise typer.Exit(run_web(config))


@app.command()
def push(
    files: Annotated[
        list[Path], typer.Argument(help="Bills to put into Odoo, one draft each.", show_default=False)
    ],
    refund: Annotated[bool, typer.Option("--refund", help="Make vendor refunds (credit notes).")] = False,
    backend: BackendOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put documents into Odoo as new draft bills; the next round reads them."""
    from connector.commands.push import push_files

    raise typer.Exit(push_files(files, refund, backend, json, config))


@app.command()
def status(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show what the ledger knows: documents by state, the last polls, what failed."""
    from connector.commands.status import show_status

    raise typer.Exit(show_status(json, config))


@app.command()
def retry(
    documents: Annotated[
        list[int] | None,
        typer.Argument(help="Numbers of documents (see status); all failed ones when left out."),
    ] = None,
    skipped: Annotated[bool, typer.Option("--skipped", help="Also those that were skipped.")] = False,
    review: Annotated[bool, typer.Option("--review", help="Also those that wait in review.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Send failed documents through again, and waiting ones at once. The next round works on them."""
    from connector.commands.status import retry_documents

    raise typer.Exit(retry_documents(documents, skipped, review, json, config))


@app.command()
def prepare(
    login: Annotated[str, typer.Option(help="An administrator's login.", prompt="Administrator's login")],
    password: Annotated[
        str,
        typer.Option(
            help="Asked for when left out; not kept.", prompt=True, hide_input=True, envvar="ODOO_PASSWORD"
        ),
    ],
    backend: BackendOption = None,
    config: ConfigOption = None,
) -> None:
    """Once per Odoo 19, as its administrator: let Vouch see the images that come by mail."""
    from connector.commands.prepare import prepare_odoo

    raise typer.Exit(prepare_odoo(login, password, backend, config))


@app.command()
def doctor(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Check settings, ledger, reading and every Odoo, and say what is wrong and how to mend it."""
    from connector.commands.doctor import examine

    raise typer.Exit(examine(json, config))
