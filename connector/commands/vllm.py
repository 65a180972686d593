"""`vouch vllm`: start the model server on a card, or see how."""

from __future__ import annotations

import os
from pathlib import Path

from connector.commands.output import ERR, OUT, print_json
from connector.errors import FatalError, SettingsError
from inference.vllm.client import Endpoint
from inference.vllm.process import ServerError, serve
from inference.vllm.profile import load_profile
from inference.vllm.serving import KEY_VARIABLE, Plan, plan

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
WARM_UP_SECONDS = 600.0


def print_command(profile: str, gigabytes: float, model: str, host: str, port: int, as_json: bool) -> int:
    """Print the exact line that serves a profile on a card, with the reason for each part as comments."""
    made = make_plan(profile, gigabytes, model, host, port)
    if as_json:
        print_json(
            {"command": made.command(), "arguments": list(made.arguments), "reasons": list(made.reasons)}
        )
        return 0
    for reason in made.reasons:
        OUT.print(f"# {reason}", soft_wrap=True, markup=False)
    OUT.print(f"# The key that clients must know comes from {KEY_VARIABLE}.", soft_wrap=True, markup=False)
    OUT.print(made.command(), soft_wrap=True, markup=False)
    return 0


def serve_model(
    profile: str, gigabytes: float, model: str, host: str, port: int, key_file: Path | None
) -> int:
    """Run the server in the foreground until it is stopped; its exit code. Raises FatalError where it cannot run."""
    made = make_plan(profile, gigabytes, model, host, port)
    key = _key(key_file)
    if not key and host not in LOCAL:
        raise SettingsError(
            f"Without a key everyone who reaches {host} may use the model: give --api-key-file, or listen on 127.0.0.1."
        )
    served = load_profile(profile)
    if served.licence and served.licence.condition:
        ERR.print(f"{served.licence.name}: {served.licence.condition}", soft_wrap=True, markup=False)
    address = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    endpoint = Endpoint(f"http://{address}:{port}", served, key=key, timeout_seconds=WARM_UP_SECONDS)
    try:
        return serve(made, endpoint, lambda text: ERR.print(text, soft_wrap=True, markup=False))
    except ServerError as error:
        raise FatalError(str(error)) from error


def _key(file: Path | None) -> str:
    if file is None:
        return os.environ.get(KEY_VARIABLE, "")
    try:
        return file.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The key file {file} cannot be read: {error}. Check its path and rights."
        ) from error


def make_plan(profile: str, gigabytes: float, model: str, host: str, port: int) -> Plan:
    """The plan of `inference.vllm.serving`. Raises SettingsError for an unknown profile or too small a card."""
    try:
        return plan(load_profile(profile), gigabytes, model=model, host=host, port=port)
    except ValueError as error:
        raise SettingsError(str(error)) from error
