"""The sandbox that the settings ask for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connector.errors import FatalError
from inference.errors import ReaderUnavailable
from inference.isolation import Sandbox

if TYPE_CHECKING:
    from connector.settings import Settings


@contextmanager
def opened_sandbox(settings: Settings, reader: str = "", processes: int = 1) -> Generator[Sandbox]:
    """A Sandbox with the limits of the settings, ended at the end. Its processes start with the first document.

    Raises FatalError where none can be started.
    """
    reading = settings.reading
    chosen = reader_inside(reader or reading.reader)
    with Sandbox(reading.limits, chosen, processes) as sandbox, unavailable_is_fatal():
        yield sandbox


def reader_inside(reader: str) -> str:
    """The reader that works inside of a sandbox. A model is asked from outside of it; the layout reader finds words
    for it, and a second opinion."""
    return "layout" if reader == "vlm" else reader


@contextmanager
def unavailable_is_fatal() -> Generator[None]:
    """A reader that cannot be started stops everything: FatalError."""
    try:
        yield
    except ReaderUnavailable as error:
        raise FatalError(str(error)) from error
