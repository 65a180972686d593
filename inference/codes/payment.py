"""Codes for paying: Swiss QR-bill, EPC QR code (GiroCode, BCD), Slovenian UPN QR."""

from __future__ import annotations

import re
from datetime import date, timedelta

from inference.codes.claims import Claims, Collector
from inference.identifiers import iban_valid

_TO_PAY = ("amount_due", "total_with_vat")


def swiss(text: str) -> Claims | None:
    """Swiss QR-bill, versions 1 and 2 (SIX Implementation Guidelines QR-bill), with Swico S1 billing information."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[0] != "SPC" or len(lines) < 28 or not re.fullmatch(r"0[12]\d\d", lines[1]):
        return None
    # Version 1 has the due date between currency and debtor.
    shift = 1 if lines[1].startswith("01") else 0
    found = Collector()
    _put_account(found, lines[3])
    found.text(lines[5], "seller_name", weak=True)
    found.amount(lines[18], *_TO_PAY)
    if lines[19] in ("CHF", "EUR"):
        found.text(lines[19], "currency")
    if shift:
        found.day(lines[20], r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)", "due_date")
    kind, reference = (*lines[27 + shift : 29 + shift], "", "")[:2]
    if kind in ("QRR", "SCOR"):
        found.text(reference, "payment_reference")
    if len(lines) > 31 + shift:
        _put_billing(found, lines[31 + shift])
    return found.of("Swiss QR-bill")


def _put_billing(found: Collector, text: str) -> None:
    """Swico S1: `//S1/10/<number>/11/<yymmdd>/30/<UID>/40/<percent:days;…>`; a slash within is escaped."""
    if not text.startswith("//S1/"):
        return
    parts = [part.replace("\\/", "/").replace("\\\\", "\\") for part in re.split(r"(?<!\\)/", text[5:])]
    tags = dict(zip(parts[::2], parts[1::2], strict=False))
    found.text(tags.get("10"), "invoice_number")
    found.day(tags.get("11"), r"(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d)", "issue_date")
    if re.fullmatch(r"\d{9}", tags.get("30", "")):
        found.text(f"CHE{tags['30']}", "seller_vat_id")
    issued = re.fullmatch(r"(\d\d)(\d\d)(\d\d)", tags.get("11", ""))
    net = re.search(r"(?:^|;)0:(\d{1,3})(?:;|$)", tags.get("40", ""))
    if issued and net:
        try:
            due = date(2000 + int(issued[1]), int(issued[2]), int(issued[3])) + timedelta(int(net[1]))
        except ValueError:
            return
        found.day(due.isoformat(), r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)", "due_date")


def epc(text: str) -> Claims | None:
    """EPC069-12, versions 001 and 002 of the SEPA credit transfer code."""
    lines = [line.strip("\r") for line in text.split("\n")]
    if lines[0] != "BCD" or len(lines) < 7 or lines[3] != "SCT":
        return None
    _, _, _, _, bic, name, account, amount, _, reference, free, *_ = (*lines, *[""] * 12)
    found = Collector()
    _put_account(found, account)
    if re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", bic):
        found.text(bic, "payment_bic")
    found.text(name, "seller_name", weak=True)
    if amount.startswith("EUR"):
        found.amount(amount[3:], *_TO_PAY)
        found.text("EUR", "currency")
    # Some software writes free text where the structured reference (ISO 11649) belongs.
    structured = re.fullmatch(r"[A-Z0-9/-]{1,35}", reference) is not None
    found.text(reference, "payment_reference", weak=not structured)
    found.text(free, "payment_reference", "invoice_number", weak=True)
    return found.of("EPC QR code")


def slovenian(text: str) -> Claims | None:
    """UPN QR (Bank Association of Slovenia, technical standard UPN QR): 20 lines, the amount in cents."""
    lines = [line.strip("\r") for line in text.split("\n")]
    if lines[0] != "UPNQR" or len(lines) < 19:
        return None
    found = Collector()
    _put_account(found, lines[14])
    found.text(lines[16], "seller_name", weak=True)
    if re.fullmatch(r"\d{11}", lines[8]) and int(lines[8]):
        found.amount(f"{int(lines[8][:9])}.{lines[8][9:]}", *_TO_PAY)
        found.text("EUR", "currency")
    found.day(lines[13], r"(?P<d>\d\d)\.(?P<m>\d\d)\.(?P<y>\d{4})", "due_date")
    found.text(lines[15], "payment_reference")
    return found.of("UPN QR code")


def _put_account(found: Collector, text: str) -> None:
    account = text.replace(" ", "").upper()
    if iban_valid(account):
        found.text(account, "payment_account")
