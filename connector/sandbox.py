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
    chosen = reader or reading.reader
    # The model is asked from outside of it; inside, the layout reader finds words and a second opinion.
    inside = "layout" if chosen == "vlm" else chosen
    with Sandbox(reading.limits, inside, processes) as sandbox, unavailable_is_fatal():
        yield sandbox


@contextmanager
def unavailable_is_fatal() -> Generator[None]:
    """A reader that cannot be started stops everything: FatalError."""
    try:
        yield
    except ReaderUnavailable as error:
        raise FatalError(str(error)) from error
