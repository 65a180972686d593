"""What other programs that we start get of our environment."""

from __future__ import annotations

import os

OWN = "VOUCH_"
"""How the names of Vouch's own variables begin."""


def for_others() -> dict[str, str]:
    """Our environment without Vouch's own variables: they hold secrets that are none of theirs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
