"""What can go wrong while a Document is opened and read. Each message names the cause and the remedy."""


class DocumentError(Exception):
    """This document cannot be read; others can. `reason` is a short stable word for ledgers and metrics."""

    reason = "unreadable"


class EncryptedDocument(DocumentError):
    """The file needs a password that we do not have."""

    reason = "encrypted"


class DamagedDocument(DocumentError):
    """The file is empty, truncated, or not what its content claims to be."""

    reason = "damaged"


class UnsupportedDocument(DocumentError):
    """The file is of a type that is not a bill on paper: a spreadsheet, a video, an archive."""

    reason = "unsupported"


class OversizedDocument(DocumentError):
    """The file is beyond a limit of the settings: bytes, pages or pixels."""

    reason = "oversized"


class SlowDocument(DocumentError):
    """Reading the file took longer than the settings allow."""

    reason = "slow"


class BrokenReading(DocumentError):
    """The process that read the file died of it, or met a defect."""

    reason = "broken"


class ReaderUnavailable(Exception):
    """No document can be read: the process that reads cannot be started. Not the fault of a document."""
