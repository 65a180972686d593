"""What can go wrong, by exit code. Each message names the cause and the remedy."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of ``python -m deploy.odoo`` (2 is a wrong command line)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNSUPPORTED_MACHINE = 3
    NO_DISK_SPACE = 4
    DOWNLOAD_FAILED = 5
    NO_POSTGRESQL = 6
    PORT_TAKEN = 7
    NOT_STARTED = 8
    DATABASE = 9
    NOT_RUNNING = 10


class OdooSetupError(Exception):
    """A step that could not be done; `code` is the exit code of the command."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code
