"""How commands speak: one JSON document on stdout, or text for people; progress on stderr."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from connector.plain_text import plain


class _Safe(Console):
    """A console that text of documents cannot speak to: rich's own colours are added after this."""

    def render_str(self, text: str, **how: Any) -> Text:
        """Text with its markup, without control characters."""
        return super().render_str(plain(text), **how)


# Where stdout is a file or a pipe, tables get room instead of the 80 columns of a terminal that is not there.
OUT = _Safe(highlight=False, width=None if sys.stdout.isatty() else 160)
ERR = _Safe(stderr=True, highlight=False)


def print_json(node: Any) -> None:
    """One JSON document on stdout, which may be a terminal: what cannot be seen is written as its number."""
    told = json.dumps(node, ensure_ascii=False, indent=1) + "\n"
    sys.stdout.write(
        "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in told)
    )


def progress() -> Progress:
    """A progress bar on stderr that vanishes when done; silent where stderr is no terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=ERR,
        transient=True,
        disable=not ERR.is_terminal,
    )
