"""Log lines on stderr, for people or as JSON; stdout belongs to the answer of a command."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

from connector.plain_text import one_line

if TYPE_CHECKING:
    from connector.settings import Settings


MOST_CHARACTERS = 2000
"""Of a value in a log line: names of attachments may be as long as a mail."""


def configure_logs(settings: Settings) -> None:
    """Set up structlog, and keep the libraries below quiet unless they warn."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING))
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default one prints local variables: passwords and what documents say.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _one_line_each,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if settings.log_format == "json" else _unchanged,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


class _OneLine(logging.Formatter):
    """What libraries log, on one line whatever a document or a mail had them say."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line without what follows of an exception."""
        return one_line(super().formatMessage(record), MOST_CHARACTERS)


def _one_line_each(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """No value ends its line or speaks to the terminal (OWASP, Log Injection)."""
    return {
        name: one_line(value, MOST_CHARACTERS) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _unchanged(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return event
