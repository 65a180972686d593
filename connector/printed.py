"""The totals that a document prints, and whether a record shows them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from connector.erp.port import BILL

if TYPE_CHECKING:
    from mappings.erp_data import Record
    from mappings.proposal import Proposal


def printed(proposal: Proposal) -> dict[str, str]:
    """The totals that the record must show after a fill, as the document prints them."""
    paper = proposal.paper
    if paper is None or not proposal.lines or proposal.model != BILL:
        return {}
    totals = {"untaxed": paper.untaxed, "tax": paper.tax, "total": paper.total}
    return {name: str(amount) for name, amount in totals.items() if amount is not None}


def differences(paper: Mapping[str, str], record: Record) -> str:
    """A sentence where the record's totals are not the document's; empty where they are."""
    shown = {"untaxed": record.amount_untaxed, "tax": record.amount_tax, "total": record.amount_total}
    wrong = [name for name, amount in paper.items() if Decimal(amount) != shown[name]]
    return " ".join(f"Odoo computed {name} {shown[name]}, the document says {paper[name]}." for name in wrong)
