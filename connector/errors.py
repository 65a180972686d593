"""Errors named by reaction. The message says the cause and the remedy."""


class VouchError(Exception):
    """Something went wrong that has a name. `exit_code` is what the command line ends with."""

    exit_code = 1


class FatalError(VouchError):
    """Stop and tell the person: nothing can go on until they mend it."""

    exit_code = 3


class SettingsError(FatalError):
    """A setting is missing or wrong."""

    exit_code = 2


class AccessError(FatalError):
    """The ERP does not let us in, or does not grant a right that is needed."""

    exit_code = 4


class RetriableError(VouchError):
    """Again, later: the ERP or a server is away or busy."""

    exit_code = 5


class AwayError(RetriableError):
    """The ERP or the model server does not answer: other documents need not be tried now either."""


class FailsError(RetriableError):
    """A server is well and fails in this: later, but not for ever, since what it fails in may be this document."""


class LedgerAway(AwayError):
    """The ledger's database does not answer, cannot be written, or is locked by another program."""


class NoRoom(AwayError):
    """The disk is full: all goes on by itself once there is room."""


class LedgerFull(LedgerAway, NoRoom):
    """The disk of the ledger is full."""


class OutcomeUnknown(RetriableError):
    """A write was sent and no usable answer came back: ask whether it happened before trying again."""


class SkippableError(VouchError):
    """This document only: the rest goes on. `reason` is a short stable word for the ledger."""

    exit_code = 6

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class UnreadableError(SkippableError):
    """The document's bytes cannot be had or are not for reading; a person is told."""


class RegressionError(VouchError):
    """An evaluation came out worse than it may."""

    exit_code = 7


class AuditError(VouchError):
    """The audit is not whole: something was changed or removed behind Vouch's back."""

    exit_code = 8


class ConflictError(SkippableError):
    """A person changed the record since it was read; theirs stands."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "conflict")
