"""How a vendor's bills are booked: every printed line, or one line per tax."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mappings.erp_data import Partner, PostedLine
from mappings.folding import alnum, fold_tax_id

# So many of a vendor's last bills, all alike, are a habit; fewer lines than these are not worth joining.
FEWEST_BILLS, LAST_BILLS = 4, 8
FEWEST_LINES = 3


class LineStyle(StrEnum):
    """`auto` does as the vendor's posted bills were booked; `order` wants lines only where they are an order's."""

    AUTO = "auto"
    DETAILED = "detailed"
    PER_TAX = "per_tax"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class LineStyles:
    """The owner's wish, for all vendors and for single ones, by tax id or name."""

    default: LineStyle = LineStyle.AUTO
    vendors: Mapping[str, LineStyle] = field(default_factory=dict[str, LineStyle])

    def of(self, vendor: Partner | None) -> LineStyle:
        """The style for a vendor's bills."""
        if vendor is None:
            return self.default
        by_key = {alnum(key): style for key, style in self.vendors.items()}
        keys = (fold_tax_id(vendor.vat), alnum(vendor.name))
        return next((by_key[key] for key in keys if key and key in by_key), self.default)


def is_per_tax(style: LineStyle, history: Sequence[PostedLine], *, ordered: bool) -> bool:
    """Whether a bill becomes one line per tax. Lines that are an order's stay: what is billed of it hangs on them."""
    if ordered or style is LineStyle.DETAILED:
        return False
    return style in (LineStyle.PER_TAX, LineStyle.ORDER) or is_habit(history)


def is_habit(history: Sequence[PostedLine]) -> bool:
    """Whether each of the vendor's last bills has as many lines as it has taxes."""
    bills: defaultdict[int, list[PostedLine]] = defaultdict(list)
    for line in history:
        if line.bill_id and line.date:
            bills[line.bill_id].append(line)
    last = sorted(bills, key=lambda bill: (max(x.date for x in bills[bill] if x.date), bill))[-LAST_BILLS:]
    alike = (len(bills[bill]) == len({line.tax_ids for line in bills[bill]}) for bill in last)
    return len(last) >= FEWEST_BILLS and all(alike)
