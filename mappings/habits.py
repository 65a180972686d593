"""What is usual for a vendor: the size of its bills and their currency.

Amounts are compared as logarithms, since bills vary by factors, with the modified z-score (Iglewicz and Hoaglin 1993,
How to Detect and Handle Outliers): 0.6745 · |x − median| / MAD over 3.5 is outside. The median of the absolute
deviations (MAD) is taken as `LEAST_SPREAD` at least, so that a flat rate that rises is no outlier; with it, a bill
must be 2.8 times the median or more away.
"""

from __future__ import annotations

from collections import Counter
from math import log
from statistics import median

from inference.invoice import Check
from mappings.case import BILL, Case, failed, money, not_applicable, passed
from mappings.erp_data import Bill, Partner

FEWEST_BILLS = 5
LEAST_SPREAD = 0.2
OUTSIDE = 3.5
NORMAL = 0.6745


def check_habits(case: Case, vendor: Partner | None) -> list[Check]:
    """Total and currency against the vendor's posted bills."""
    if vendor is None:
        return []
    bills = [bill for bill in case.index.bills_of(vendor.id) if _comparable(case, bill)]
    return [_total(case, vendor, bills), _currency(case, vendor, bills)]


def _comparable(case: Case, bill: Bill) -> bool:
    own = case.record.model == BILL and bill.id == case.record.id
    return bill.state == "posted" and (bill.move_type == "in_refund") == case.is_credit and not own


def _total(case: Case, vendor: Partner, bills: list[Bill]) -> Check:
    total = case.paper.total if case.paper else None
    sums = [
        bill.amount_total for bill in bills if bill.currency_id == case.currency.id and bill.amount_total > 0
    ]
    if total is None or total <= 0 or len(sums) < FEWEST_BILLS:
        return not_applicable("total_habit", f"Fewer than {FEWEST_BILLS} posted bills tell what is usual.")
    logs = [log(amount) for amount in sums]
    middle = median(logs)
    spread = max(LEAST_SPREAD, median(abs(value - middle) for value in logs))
    usual = money(median(sums))
    if NORMAL * abs(log(total) - middle) / spread <= OUTSIDE or min(sums) <= total <= max(sums):
        return passed(
            "total_habit", f"The total fits {vendor.name}'s {len(sums)} posted bills, {usual} in the middle."
        )
    text = (
        f"The total {money(total)} is far from what {vendor.name} bills: {len(sums)} posted bills from "
        f"{money(min(sums))} to {money(max(sums))}, {usual} in the middle."
    )
    return failed("total_habit", text)


def _currency(case: Case, vendor: Partner, bills: list[Bill]) -> Check:
    used = Counter(bill.currency_id for bill in bills if bill.currency_id)
    if case.reading.text("currency") is None or used.total() < FEWEST_BILLS:
        return not_applicable("currency_habit", f"Fewer than {FEWEST_BILLS} posted bills tell what is usual.")
    if case.currency.id in used:
        return passed("currency_habit", f"{vendor.name} bills in {case.currency.name}.")
    names = " or ".join(sorted(case.index.currency_name(currency) for currency in used))
    text = f"The document is in {case.currency.name}; all {used.total()} posted bills of {vendor.name} are in {names}."
    return failed("currency_habit", text)
