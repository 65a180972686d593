"""The commands about the model server: `vllm`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import JsonOption

app = typer.Typer()


vllm = typer.Typer(help="Start the model server, on the machine with the GPU.", no_args_is_help=True)
app.add_typer(vllm, name="vllm")


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
