"""Reading + ERP data -> Proposal: the entry for bills and for orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from inference.invoice import Reading
from mappings.bills import propose_bill
from mappings.case import ORDER, Case, SeenDocument, Tolerance, failed
from mappings.erp_data import Record
from mappings.field_map import FieldMap, default_map
from mappings.index import ErpIndex
from mappings.line_styles import LineStyles
from mappings.memory import Memory
from mappings.orders import propose_order
from mappings.proposal import Proposal

MOST_LINES = 1000
"""Lines that are matched one by one; Odoo takes minutes for more, and so does matching them."""


def propose(
    reading: Reading,
    record: Record,
    index: ErpIndex,
    today: date,
    memory: Memory | None = None,
    seen: tuple[SeenDocument, ...] = (),
    tolerance: Tolerance | None = None,
    fields: FieldMap | None = None,
    line_styles: LineStyles | None = None,
    vendor_id: int | None = None,
) -> Proposal:
    """What to write on the record, and every reason to doubt it. Pure: no I/O, same input, same Proposal.

    `memory` is what people taught; none where it is left out. `seen` are earlier documents that are this one again.
    `tolerance` is for bills against orders. `fields` is the declared mapping, the one that comes with Vouch where it is
    left out; `line_styles` says how vendors' bills are booked. `vendor_id` is the vendor that a person chose.

    Raises KeyError where `index` does not hold the record's company or its currency.
    """
    many = len(reading.lines) > MOST_LINES
    case = Case(
        replace(reading, lines=()) if many else reading,
        record,
        index,
        today,
        memory or Memory(),
        seen,
        tolerance or Tolerance(),
        fields or default_map(),
        line_styles or LineStyles(),
        vendor_id=vendor_id,
    )
    found = propose_order(case) if record.model == ORDER else propose_bill(case)
    if not many:
        return found
    text = f"The document has {len(reading.lines)} lines, more than {MOST_LINES}: import them in Odoo."
    return replace(found, checks=(failed("line_count", text), *found.checks))
