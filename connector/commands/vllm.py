"""`vouch vllm`: how to start the model server on a card."""

from __future__ import annotations

from connector.commands.output import OUT, print_json
from connector.errors import SettingsError
from inference.vllm.profile import load_profile
from inference.vllm.serving import KEY_VARIABLE, Plan, plan


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


def make_plan(profile: str, gigabytes: float, model: str, host: str, port: int) -> Plan:
    """The plan of `inference.vllm.serving`. Raises SettingsError for an unknown profile or too small a card."""
    try:
        return plan(load_profile(profile), gigabytes, model=model, host=host, port=port)
    except ValueError as error:
        raise SettingsError(str(error)) from error
