"""Who the documents of a Backend are for, and what is known of the papers that come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.readers import Recipient
from mappings.layout_hints import layout_hints

if TYPE_CHECKING:
    from mappings.index import ErpIndex
    from mappings.memory import Memory


def recipient(index: ErpIndex, memory: Memory) -> Recipient:
    """The Backend's own companies, which are never the seller, and where people pointed on vendors' papers."""
    companies = index.data.companies
    return Recipient(
        names=tuple(company.name for company in companies),
        tax_ids=tuple(company.vat for company in companies if company.vat),
        accounts=tuple(number for company in companies for number in company.accounts),
        country=companies[0].country if companies else "",
        hints=layout_hints(memory, index),
    )
