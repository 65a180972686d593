"""The command `vouch`. Answers go to stdout, progress and logs to stderr; exit codes are in docs/cli.md."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from connector.errors import VouchError

app = typer.Typer(
    name="vouch",
    help="Reads the bills and orders attached in Odoo, fills the drafts, and asks a person where it is not sure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file; else VOUCH_CONFIG, else ./vouch.toml."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
BackendOption = Annotated[
    str | None,
    typer.Option("--backend", "-b", help="Name of the Odoo in the settings; needed where there are several."),
]


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
def doctor(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Check settings, ledger, reading and every Odoo, and say what is wrong and how to mend it."""
    from connector.commands.doctor import examine

    raise typer.Exit(examine(json, config))


memory = typer.Typer(help="What was learned: show it, set it by hand, forget it.", no_args_is_help=True)
app.add_typer(memory, name="memory")


@memory.command("list")
def memory_list(
    vendor: Annotated[str, typer.Option(help="Only of vendors with this in their name.")] = "",
    kind: Annotated[str, typer.Option(help="Only vendor, account, product, tax or layout.")] = "",
    backend: BackendOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what is remembered, how sure, and since when."""
    from connector.commands.memory import list_memory

    raise typer.Exit(list_memory(vendor, kind, backend, json, config))


@memory.command("forget")
def memory_forget(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids as `vouch memory list` shows them.")] = None,
    vendor: Annotated[str, typer.Option(help="All of the vendors with this in their name.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All that is remembered.")] = False,
    backend: BackendOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Forget for good; only later bills teach it again."""
    from connector.commands.memory import forget_memory

    raise typer.Exit(forget_memory(ids or [], vendor, everything, backend, json, config))


@memory.command("set")
def memory_set(
    kind: Annotated[str, typer.Argument(help="vendor, account, product, tax or layout.", show_default=False)],
    words: Annotated[
        str, typer.Argument(help="The words as bills print them; for a tax the rate.", show_default=False)
    ],
    to: Annotated[
        str, typer.Argument(help="Name, code or number of the record in Odoo.", show_default=False)
    ],
    vendor: Annotated[str, typer.Option(help="Whose lines: the vendor's name or number.")] = "",
    term: Annotated[
        str,
        typer.Option(
            help="For a vendor: what the words are: seller_name, seller_vat_id, seller_email and so on."
        ),
    ] = "seller_name",
    company: Annotated[int | None, typer.Option(help="Number of the company; else the first.")] = None,
    backend: BackendOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Set by hand what bills with these words are to get, in place of what was learned."""
    from connector.commands.memory import set_memory

    raise typer.Exit(set_memory(kind, words, to, vendor, term, company, backend, json, config))


shadow = typer.Typer(
    help="Vendors whose bills go to a person although they are sure, and how that would have gone.",
    no_args_is_help=True,
)
app.add_typer(shadow, name="shadow")
VendorArgument = Annotated[str, typer.Argument(help="The vendor's name or number.", show_default=False)]


@shadow.command("list")
def shadow_list(backend: BackendOption = None, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show every vendor with posted bills: in shadow or not, and what would have been filled."""
    from connector.commands.shadow import list_shadow

    raise typer.Exit(list_shadow(backend, json, config))


@shadow.command("on")
def shadow_on(
    vendor: VendorArgument,
    backend: BackendOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """From now on a person sees each bill of the vendor first."""
    from connector.commands.shadow import switch_shadow

    raise typer.Exit(switch_shadow(vendor, True, backend, json, config))


@shadow.command("off")
def shadow_off(
    vendor: VendorArgument,
    backend: BackendOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """From now on sure bills of the vendor are filled."""
    from connector.commands.shadow import switch_shadow

    raise typer.Exit(switch_shadow(vendor, False, backend, json, config))


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


vllm = typer.Typer(help="Start the model server, on the machine with the GPU.", no_args_is_help=True)
app.add_typer(vllm, name="vllm")


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


@vllm.command("command")
def vllm_command(
    gpu_memory: Annotated[float, typer.Option(min=1, help="The card's memory in GiB: 16, 24, 48, 80.")],
    profile: Annotated[str, typer.Option(help="The model's profile; see docs/vllm.md.")] = "glm-4v-9b",
    model: Annotated[str, typer.Option(help="Folder with the weights, instead of the published name.")] = "",
    host: Annotated[
        str, typer.Option(help="Address to listen on; this machine only by default.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    json: JsonOption = False,
) -> None:
    """Print the exact line that starts vLLM with that model on that card, and why."""
    from connector.commands.vllm import print_command

    raise typer.Exit(print_command(profile, gpu_memory, model, host, port, json))


@vllm.command("serve")
def vllm_serve(
    gpu_memory: Annotated[float, typer.Option(min=1, help="The card's memory in GiB: 16, 24, 48, 80.")],
    profile: Annotated[str, typer.Option(help="The model's profile; see docs/vllm.md.")] = "glm-4v-9b",
    model: Annotated[str, typer.Option(help="Folder with the weights, instead of the published name.")] = "",
    host: Annotated[
        str, typer.Option(help="Address to listen on; this machine only by default.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    api_key_file: Annotated[
        Path | None, typer.Option(help="File with the key that clients must know; else VLLM_API_KEY.")
    ] = None,
) -> None:
    """Run vLLM with that model in the foreground: says when it is ready, ends it when it no longer answers."""
    from connector.commands.vllm import serve_model

    raise typer.Exit(serve_model(profile, gpu_memory, model, host, port, api_key_file))


def main() -> None:
    """Run the command line; an error with a name ends in one sentence and its exit code."""
    try:
        app()
    except VouchError as error:
        sys.stderr.write(f"vouch: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
