"""What a backup says of itself: its last member, so that one without it is not whole."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.errors import FatalError

NAME = "manifest.json"
SQLITE, POSTGRESQL = "ledger.db", "ledger.pgdump"
DOCUMENTS = "documents/"
FORMAT = 1


class Manifest(BaseModel):
    """`at` is the point in time that the ledger is of, `ledger_sha256` the hash of its member; a document's is its name.

    `missing` are documents that the ledger names and the folder lacked, `audit` is the audit's end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = Field(ge=1)
    vouch: str = Field(max_length=64)
    revision: str = Field(max_length=32)
    ledger: str = Field(max_length=32)
    ledger_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    at: datetime
    audit: str = Field(max_length=100)
    documents: int = Field(ge=0)
    missing: tuple[str, ...] = ()

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """From JSON. Raises FatalError for anything else, and for a format of a newer version."""
        try:
            found = cls.model_validate_json(data)
        except ValidationError as error:
            raise FatalError(f"The backup's {NAME} is damaged. Take another backup.") from error
        if found.format != FORMAT:
            raise FatalError(
                f"The backup was made by a newer Vouch (format {found.format}). Restore it with that version."
            )
        return found
