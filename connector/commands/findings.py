"""What `vouch doctor` tells of one thing that it examined."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, WARNING, BAD = "good", "warning", "bad"
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined: how it is, in a sentence; `exit_code` is that of the error behind a bad one."""

    subject: str
    status: str
    message: str
    exit_code: int = 0
