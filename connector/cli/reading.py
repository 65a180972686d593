"""The commands that read documents: `read`, `propose`, `eval`, `replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import BackendOption, ConfigOption, JsonOption

app = typer.Typer()


@app.command()
def read(
    files: Annotated[list[Path], typer.Argument(help="PDF, picture or e-invoice files.", show_default=False)],
    reader: Annotated[str, typer.Option(help="auto, einvoice, layout or vlm.")] = "auto",
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Read documents and show what was found, with the place that proves it. Needs no Odoo."""
    from connector.commands.read import read_files

    raise typer.Exit(read_files(files, reader, json, config))


@app.command()
def propose(
    file: Annotated[Path, typer.Argument(help="PDF, picture or e-invoice file.", show_default=False)],
    record: Annotated[
        str | None,
        typer.Option(help="Record in Odoo to hold it against, such as account.move/42; else an empty draft."),
    ] = None,
    reader: Annotated[
        str, typer.Option(help="auto, einvoice, layout or vlm; auto is that of the settings.")
    ] = "auto",
    backend: BackendOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Read a document and explain, value by value, what would be written in Odoo and why. Writes nothing."""
    from connector.commands.propose import propose_file

    raise typer.Exit(propose_file(file, record, reader, backend, json, config))


@app.command("eval")
def evaluate(
    folder: Annotated[
        Path, typer.Argument(help="Documents with truth beside them; see docs/eval.md.", show_default=False)
    ],
    sets: Annotated[list[str] | None, typer.Option("--set", help="Only this set; may be repeated.")] = None,
    document: Annotated[
        str, typer.Option(help="Name, without its ending, of the file to read in each document's folder.")
    ] = "doc",
    reader: Annotated[str, typer.Option(help="auto, einvoice, layout or vlm.")] = "auto",
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: as many as there are cores.")] = 0,
    seconds: Annotated[
        float, typer.Option(min=0, help="The longest that one document may take; 0: as the settings say.")
    ] = 0,
    targets: Annotated[
        Path | None, typer.Option(help="Targets to hold against; else DIR/targets.toml where there is one.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="An older run's JSON: what got better and worse.")
    ] = None,
    gate: Annotated[
        bool, typer.Option("--gate", help="End with 7 where a measure fell or a target is missed.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report here, one file.")] = None,
    json: Annotated[
        Path | None, typer.Option("--json", help="Write the run here, for --compare; - prints it.")
    ] = None,
    predictions: Annotated[Path | None, typer.Option(help="Write each Reading as JSON in here.")] = None,
    config: ConfigOption = None,
) -> None:
    """Read a folder of documents with truth, and say how well: per field and per set, lines, calibration."""
    from connector.commands.eval import Request, eval_folder

    asked = Request(
        folder, document, sets or (), reader, jobs, seconds, targets, compare, gate, html, json, predictions, config
    )  # fmt: skip
    raise typer.Exit(eval_folder(asked))


@app.command()
def replay(
    sample: Annotated[
        int, typer.Option(min=1, help="So many of the bills posted last, of every Odoo.")
    ] = 100,
    reader: Annotated[str, typer.Option(help="Another reader: auto, einvoice, layout or vlm.")] = "",
    model: Annotated[str, typer.Option(help="Another model, by the name that the server knows it by.")] = "",
    accept: Annotated[
        bool, typer.Option("--accept", help="Let it fill bills even where something fell.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Read posted bills again with this version, model and prompt, and let it fill bills where nothing fell."""
    from connector.commands.replay import replay as replay_bills

    raise typer.Exit(replay_bills(sample, reader, model, accept, json, config))
