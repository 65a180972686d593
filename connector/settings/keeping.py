"""How long documents are kept, and what may leave the ledger."""

from __future__ import annotations

from pydantic import Field

from connector.settings.section import Section


class RetentionSettings(Section):
    """How long documents and what they say are kept; see docs/retention.md."""

    documents_days: int | None = Field(
        default=None,
        ge=1,
        description="Documents are deleted so many days after they were settled; empty: never. Odoo keeps its own.",
    )
    readings_days: int | None = Field(
        default=None,
        ge=1,
        description="So many days after they were settled what was read, proposed and written is emptied; empty: never.",
    )


class TrainingSettings(Section):
    """Approved bills as examples to fine-tune a model on; see docs/training.md."""

    allow_export: bool = Field(
        default=False, description="`vouch export training` may write bills and their pages to a folder."
    )
    redact: bool = Field(
        default=True,
        description="Black out payment accounts, e-mail addresses, telephone numbers and names of persons in it.",
    )
    without_vendors: tuple[str, ...] = Field(
        default=(), description="Vendors, by tax id or name, whose bills are left out."
    )
