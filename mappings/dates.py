"""Day or month first: what the page alone leaves open, the vendor's country settles."""

from __future__ import annotations

import re
from datetime import date

from inference.invoice import Field
from mappings.erp_data import Partner

SETTLED = 0.95
CONTRADICTED = 0.5

MONTH_FIRST = frozenset({"US", "FM", "MH", "PW"})
"""Where numeric dates have the month first (Unicode CLDR, short date formats)."""

MIXED = frozenset({"CA", "CN", "GH", "HU", "JP", "KE", "KR", "KY", "LT", "MN", "PH", "PR", "SE", "TW", "ZA"})
"""Where both orders are met, or a date of this form is a foreign one: the country settles nothing."""

_NUMERIC = re.compile(r"\D*(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}\D*")


def printed_parts(found: Field) -> tuple[int, int] | None:
    """The first two numbers of a printed date where either can be the month; None where only one can."""
    printed = found.evidence[0].text if found.evidence else None
    parts = _NUMERIC.fullmatch(printed or "")
    if parts is None:
        return None
    first, second = int(parts[1]), int(parts[2])
    return (first, second) if max(first, second) <= 12 and first != second else None


def expected_month(found: Field, vendor: Partner | None) -> int | None:
    """The number that is the month as dates are written in the vendor's country; None where that settles nothing."""
    parts = printed_parts(found)
    if parts is None or vendor is None or not vendor.country or vendor.country in MIXED:
        return None
    return parts[0] if vendor.country in MONTH_FIRST else parts[1]


def with_country(found: Field, vendor: Partner | None) -> tuple[float, str]:
    """The confidence of a printed date once the vendor's country is known, and a sentence."""
    month = expected_month(found, vendor)
    if month is None or vendor is None or not isinstance(found.value, date):
        return found.confidence, "As printed."
    printed = found.evidence[0].text
    order = "month first" if vendor.country in MONTH_FIRST else "day first"
    if found.value.month == month:
        return max(found.confidence, SETTLED), f"“{printed}” with the {order}, as usual in {vendor.country}."
    reason = f"“{printed}” was read as {found.value}, but dates in {vendor.country} have the {order}."
    return min(found.confidence, CONTRADICTED), reason
