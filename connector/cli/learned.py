"""The commands about what was learned: `memory`, `shadow`."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.options import BackendOption, ConfigOption, JsonOption

app = typer.Typer()


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
