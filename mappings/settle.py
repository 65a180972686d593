"""What the page alone leaves open, settled by the vendor: whose dollar or crown it is, and which number is the month."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from babel.numbers import get_territory_currencies

from inference.invoice import HEADER_TERMS, Field, Kind, Reading
from inference.numbers import AMBIGUOUS_SIGNS
from mappings.case import Case
from mappings.dates import CONTRADICTED, SETTLED, expected_month, printed_parts
from mappings.erp_data import Partner
from mappings.payment import FUTURE_DAYS, LONGEST_TERM_DAYS

_SHARED = re.compile(r"(?<![A-Za-z])\$|[¥￥元]|(?<![^\W\d_])kr(?![^\W\d_])\.?", re.IGNORECASE)
_TOTALS = ("total_with_vat", "amount_due", "total_without_vat", "total_vat")
DISPUTED = 0.5
# How sure each voice is alone. A dollar abroad is the American one often.
PARTNER, MANY_BILLS, ONE_BILL, ORDERS, AT_HOME, DOLLAR_ABROAD, ONLY_ONE = (
    0.97,
    0.95,
    0.9,
    0.93,
    0.93,
    0.8,
    0.95,
)
SWAPPED, BY_ORDER_OF_BILLS = 0.92, 0.9
LATE_DAYS = 31
"""A bill may be dated so long before the vendor's last one and still come after it."""


def settled(case: Case, vendor: Partner | None) -> Case:
    """The case with currency and dates as the vendor settles them; each keeps its place on the page."""
    case = _with_currency(case, vendor)
    for name in ("issue_date", "due_date"):
        case = _with_date(case, vendor, name)
    return case


def _with(case: Case, name: str, found: Field) -> Case:
    return replace(case, reading=replace(case.reading, fields={**case.reading.fields, name: found}))


# -- currency -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Voice:
    code: str
    sure: float
    why: str


def _with_currency(case: Case, vendor: Partner | None) -> Case:
    shared = _shared_sign(case.reading)
    if shared is None:
        return case
    sign, term, proof = shared
    fitting = [code for code in AMBIGUOUS_SIGNS[sign] if _possible(case, code)]
    voices = [voice for voice in _voices(case, vendor, sign, fitting) if voice.code in fitting]
    if not voices:
        return case
    best = max(voices, key=lambda voice: voice.sure)
    others = [voice for voice in voices if voice.code != best.code]
    why = f"“{sign}” is {best.code}: {best.why}"
    sure = best.sure
    if others:
        sure, why = DISPUTED, f"{why}; but {others[0].code}: {others[0].why}"
    value = Field(best.code, sure, proof.evidence, raw=proof.raw, note=f"{why}.")
    return replace(_with(case, "currency", value), currency_term=term)


def _shared_sign(reading: Reading) -> tuple[str, str, Field] | None:
    """A sign of several currencies, the term that it stands at, and its Field; None where a code is printed."""
    own = reading.get("currency")
    terms = ("currency",) if own else _TOTALS
    for term in terms:
        found = reading.get(term)
        if found is None or not found.evidence or found.evidence[0].xpath:
            continue
        text = found.evidence[0].text or found.raw
        hit = _SHARED.search(text)
        if hit and not (own and str(own.value) in text):
            return hit[0].lower(), term, found
    return None


def _possible(case: Case, code: str) -> bool:
    """Whether Odoo has the currency and the printed amounts are whole numbers of its smallest one."""
    currency = case.index.currency_by_code.get(code)
    if currency is None:
        return False
    names = (term.name for term in HEADER_TERMS if term.kind is Kind.AMOUNT)
    amounts = (case.reading.amount(name) for name in names)
    return all(amount % currency.rounding == 0 for amount in amounts if isinstance(amount, Decimal))


def _voices(case: Case, vendor: Partner | None, sign: str, fitting: list[str]) -> Iterator[_Voice]:
    printed = case.reading.get("currency")
    if printed is not None:
        note = printed.note.rstrip(".") or "the page points to it"
        yield _Voice(str(printed.value), printed.confidence, note)
    if len(fitting) == 1:
        yield _Voice(fitting[0], ONLY_ONE, "the amounts fit no other of its currencies")
    if vendor is None:
        return
    names = {currency.id: code for code, currency in case.index.currency_by_code.items()}
    if code := names.get(vendor.purchase_currency_id or 0):
        yield _Voice(code, PARTNER, f"Odoo has it as the currency of {vendor.name}")
    bills = Counter(b.currency_id for b in case.index.bills_of(vendor.id) if b.state == "posted")
    used = [(names[one], count) for one, count in bills.items() if one in names]
    if len(used) == 1:
        [(code, count)] = used
        plural = "s are" if count > 1 else " is"
        sure = MANY_BILLS if count > 1 else ONE_BILL
        yield _Voice(code, sure, f"{count} posted bill{plural} in it")
    ordered = {names.get(order.currency_id, "") for order in case.index.orders_of(vendor.id)}
    if len(ordered) == 1:
        yield _Voice(ordered.pop(), ORDERS, f"the open orders at {vendor.name} are in it")
    if vendor.country and (code := _of_country(vendor.country)):
        abroad = sign == "$" and vendor.country != "US"
        yield _Voice(code, DOLLAR_ABROAD if abroad else AT_HOME, f"{vendor.name} is in {vendor.country}")


def _of_country(country: str) -> str:
    try:
        return next(iter(get_territory_currencies(country)), "")
    except KeyError:
        return ""


# -- dates ----------------------------------------------------------------------------------------------------------


def _with_date(case: Case, vendor: Partner | None, name: str) -> Case:
    found = case.reading.get(name)
    value = found.value if found else None
    if found is None or vendor is None or not isinstance(value, date) or printed_parts(found) is None:
        return case
    other = value.replace(month=value.day, day=value.month)
    votes = list(_votes(case, vendor, name, value, other))
    if not votes:
        return case
    reasons = "; ".join(dict.fromkeys(why for _, why in votes))
    printed = found.evidence[0].text
    if all(kept for kept, _ in votes):
        sure = BY_ORDER_OF_BILLS if reasons == _LATER else SETTLED
        return _with(
            case,
            name,
            replace(found, confidence=max(found.confidence, sure), note=f"“{printed}”: {reasons}."),
        )
    if not any(kept for kept, _ in votes) and len(votes) > 1:
        note = f"“{printed}” is {other}, not {value}: {reasons}."
        return _with(case, name, replace(found, value=other, confidence=SWAPPED, note=note))
    note = f"“{printed}” can be {value} or {other}: {reasons}."
    return _with(case, name, found.doubted(CONTRADICTED, note))


_LATER = "it comes after the vendor's last bill"


def _votes(case: Case, vendor: Partner, name: str, value: date, other: date) -> Iterator[tuple[bool, str]]:
    """Whether each thing that tells the two readings apart speaks for the first, and why."""
    found = case.reading.fields[name]
    month = expected_month(found, vendor)
    if month is not None:
        yield value.month == month, f"dates in {vendor.country} are written so"
    if name == "issue_date":
        latest = case.today + timedelta(days=FUTURE_DAYS)
        yield from _one_of(value <= latest, other <= latest, "the other day is in the future")
        yield from _by_bills(case, vendor, value, other)
    term = case.index.terms.get(vendor.payment_term_id or 0)
    issued, due = case.reading.day("issue_date"), case.reading.day("due_date")
    if issued is None or due is None:
        return
    if name == "due_date":
        longest = issued + timedelta(days=LONGEST_TERM_DAYS)
        in_time = (issued <= day <= longest for day in (value, other))
        yield from _one_of(*in_time, why="it is due after it was issued")
    if term is None or term.days is None:
        return
    days, why = timedelta(days=term.days), f"the payment term {term.name} says the same"
    if name == "issue_date":
        dues = _readings(case.reading.fields["due_date"], due)
        yield from _one_of(value + days in dues, other + days in dues, why)
    else:
        yield from _one_of(issued + days == value, issued + days == other, why)


def _by_bills(case: Case, vendor: Partner, value: date, other: date) -> Iterator[tuple[bool, str]]:
    days = [b.invoice_date for b in case.index.bills_of(vendor.id) if b.state == "posted" and b.invoice_date]
    if days:
        after = max(days) - timedelta(days=LATE_DAYS)
        latest = case.today + timedelta(days=FUTURE_DAYS)
        yield from _one_of(after <= value <= latest, after <= other <= latest, _LATER)


def _readings(found: Field, day: date) -> tuple[date, ...]:
    return (day, day.replace(month=day.day, day=day.month)) if printed_parts(found) else (day,)


def _one_of(first: bool, second: bool, why: str) -> Iterator[tuple[bool, str]]:
    """A vote where exactly one of the readings fits."""
    if first != second:
        yield first, why
