"""Chinese fapiao: the form of their numbers, and whose tax id they must bear.

A fapiao has a code of 10 or 12 digits and a number of 8; a fully digitalised one has a number of 20 digits and no code
(State Taxation Administration, announcement 2024 No. 11). One for a company bears the company's tax id (2017 No. 16).
"""

from __future__ import annotations

import re

from inference.invoice import Check, Reading
from mappings.case import Case, failed, not_applicable, passed
from mappings.erp_data import Partner
from mappings.folding import alnum

DIGITAL, PAPER, CODES = 20, 8, (10, 12)
_CREDIT_CODE = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{2}\d{6}[0-9A-HJ-NP-RTUW-Y]{10}")


def fapiao_key(reading: Reading) -> str | None:
    """Code and number, which no other fapiao has; None where the document is none or they are not whole."""
    number, code = alnum(reading.text("invoice_number") or ""), alnum(reading.text("invoice_code") or "")
    if number.isdigit() and len(number) == DIGITAL and not code:
        return number
    return f"{code}{number}" if not _malformed(number, code) else None


def _malformed(number: str, code: str) -> bool:
    return not (number.isdigit() and len(number) == PAPER and code.isdigit() and len(code) in CODES)


def check_fapiao(case: Case, vendor: Partner | None) -> list[Check]:
    """Nothing where the document is no fapiao; else its number's form and the buyer's tax id."""
    reading = case.reading
    number, code = alnum(reading.text("invoice_number") or ""), alnum(reading.text("invoice_code") or "")
    if not code and not (_is_chinese(reading, vendor) and number.isdigit() and len(number) > 2 * PAPER):
        return []
    return [_number(number, code, fapiao_key(reading)), _buyer(case)]


def _is_chinese(reading: Reading, vendor: Partner | None) -> bool:
    ids = (reading.text("seller_vat_id"), reading.text("seller_tax_id"), vendor.vat if vendor else "")
    credit_code = any(_CREDIT_CODE.fullmatch(alnum(text or "").removeprefix("CN")) for text in ids)
    return credit_code or reading.text("seller_country") == "CN" or bool(vendor and vendor.country == "CN")


def _number(number: str, code: str, key: str | None) -> Check:
    if key:
        return passed("fapiao_number", f"The fapiao number {number} is whole.")
    if code:
        text = (
            f"The fapiao has the code {code} and the number {number}: a code has {CODES[0]} or {CODES[1]} digits, "
            f"the number {PAPER}."
        )
    else:
        text = f"The fapiao number {number} has {len(number)} digits, a digital fapiao has {DIGITAL}."
    return failed("fapiao_number", text)


def _buyer(case: Case) -> Check:
    if case.company.country != "CN":
        return not_applicable("fapiao_buyer", f"{case.company.name} is not a Chinese company.")
    if case.reading.text("buyer_vat_id"):
        return passed("fapiao_buyer", "The fapiao bears a buyer's tax ID.")
    return failed(
        "fapiao_buyer", f"The fapiao does not bear the tax ID of {case.company.name}: it cannot be deducted."
    )
