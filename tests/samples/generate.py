"""Sample documents with their truth. `python -m tests.samples.generate OUTDIR` writes them as files."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tests.samples import bad, collection, company, degrade
from tests.samples.bill import Bill
from tests.samples.designs import render
from tests.samples.facturx_data import facturx_pdf
from tests.samples.fonts import FontUnavailable

TODAY = date(2026, 11, 15)
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Expected = Literal["fill", "review", "skip"]
Target = Literal["mail", "bill", "refund", "order"]
Quality = Literal["digital", "scan", "photo"]


@dataclass(frozen=True)
class Sample:
    """A document as it arrives.

    `truth` has "vendor" (the name in company.toml, or the unknown vendor's), "fields", "lines" and "vat_breakdown" by
    the names of `inference.invoice`: what the page says, ISO dates, decimal strings. `expected` is what a correct
    product decides, `reason` why, in words. `target` is how it arrives: by mail alias, or attached to a draft
    vendor bill, a draft vendor refund or the purchase order named in `order`.
    """

    name: str
    filename: str
    mimetype: str
    data: bytes
    truth: dict[str, Any]
    expected: Expected
    reason: str
    target: Target = "mail"
    order: str | None = None
    quality: Quality = "digital"

    def as_json(self) -> dict[str, Any]:
        """All but the bytes."""
        return {
            "name": self.name, "filename": self.filename, "mimetype": self.mimetype, "quality": self.quality,
            "expected": self.expected, "reason": self.reason, "target": self.target, "order": self.order,
        } | self.truth  # fmt: skip


@cache
def samples(today: date = TODAY) -> tuple[Sample, ...]:
    """The sample documents, dated in the weeks before `today`; the same bytes each time. Raises FontUnavailable."""
    c = collection
    return (
        _pdf("english", c.english(today), "fill", "known vendor, everything adds up"),
        _pdf("german_discounts", c.german(today), "fill", "known vendor, two rates, discounts on lines"),
        _pdf("french", c.french(today), "fill", "known vendor, everything adds up"),
        _pdf("chinese_fapiao", c.chinese(today), "fill", "known vendor, everything adds up"),
        _scan("german_scan", c.freight(today), "fill", "a clean scan of a known vendor's bill"),
        _photo("english_photo", c.software(today), "fill", "a legible photograph of a known vendor's bill"),
        _pdf("credit_note_mail", c.credit_german(today), "review", "a credit note on a draft vendor bill"),
        _pdf("credit_note_refund", c.credit_english(today), "fill", "a credit note on a draft refund", "refund"),
        _pdf("multi_page", c.wholesale(today), "fill", "three pages, totals carried forward"),
        _facturx("facturx", c.transport(today), "fill", "its own data, exact", "bill"),
        _pdf("duplicate", c.posted_again("2026-0817", "2026-00817"), "review", "booked already as 2026-0817"),
        _pdf("changed_account", c.other_account(today), "review", "the bank account is not the vendor's known one"),
        _owed("reverse_charge", c.reverse_charged(today), "fill", "we owe the VAT: the tax that adds nothing"),
        _ruined("unreadable", c.unreadable(today), "review", "nobody can read it"),
        _pdf("order_billed", c.ordered(today), "fill", "equals what order P00103 received"),
        _pdf("order_dearer", c.dearer(today), "review", "ARB-20-300 costs 36.20, order P00102 says 34.50"),
        _reminder("reminder", c.overdue(today), "skip", "a reminder, not a bill"),
        _pdf("order_confirmation", c.confirmation(today), "fill", "confirms order P00101 as it is", "order", "P00101"),
        _pdf("quotation", c.quotation(today), "review", "has the lines of the empty order P00105, but a number that is not sure", "order", "P00105"),
        _pdf("look_alike", c.look_alike(today), "fill", "Nordlicht Elektrik, not Nordlicht Elektronik"),
        _pdf("unknown_vendor", c.stranger(today), "review", "Odoo does not know the vendor"),
    )  # fmt: skip


@cache
def taught(today: date = TODAY) -> tuple[Sample, ...]:
    """Three bills of a known vendor under a name that Odoo does not have, to be sent one after the other.

    A person enters and posts the first two; the third is filled. Raises FontUnavailable.
    """
    first, second, third = collection.taught(today)
    vendor = {"vendor": company.vendor("fuhrwerk").name}
    found = (
        _pdf("trade_name_first", first, "review", "Odoo does not know the name"),
        _pdf("trade_name_second", second, "review", "the name was seen once"),
        _pdf("trade_name_third", third, "fill", "the name was seen twice"),
    )
    return tuple(replace(sample, truth=sample.truth | vendor) for sample in found)


@cache
def bad_inputs() -> tuple[Sample, ...]:
    """Files that must end as skipped or failed with a sentence, and stop nothing else. Raises FontUnavailable."""
    whole = render(collection.english(TODAY))
    return (
        _bad("encrypted", "Invoice_4711_protected.pdf", PDF, bad.encrypted_pdf(), "needs a password"),
        _bad("empty", "scan0001.pdf", PDF, b"", "has no bytes"),
        _bad("truncated", "Invoice_INV-11206_part.pdf", PDF, whole[: len(whole) // 3], "is cut off"),
        _bad("html", "Rechnung_4711.pdf", PDF, bad.html(), "is a web page"),
        _bad("huge_image", "scan_60mp.png", PNG, bad.huge_png(), "has 60 megapixels"),
        _bad("spreadsheet", "items.xlsx", SHEET, bad.spreadsheet(), "is a spreadsheet"),
        _bad(
            "archive", "invoices.zip", "application/zip", bad.packed({"invoice.pdf": whole}), "is an archive"
        ),
    )


def write(folder: Path, today: date = TODAY) -> list[Path]:
    """Write every sample and NAME.truth.json beside it; bad inputs go to the folder `bad`. Returns the documents."""
    written: list[Path] = []
    for place, group in ((folder, samples(today)), (folder / "bad", bad_inputs())):
        place.mkdir(parents=True, exist_ok=True)
        for sample in group:
            document = place / sample.filename
            document.write_bytes(sample.data)
            truth = json.dumps(sample.as_json(), ensure_ascii=False, indent=1)
            (place / f"{sample.name}.truth.json").write_text(truth + "\n", encoding="utf-8")
            written.append(document)
    return written


def main() -> int:
    """Write the samples; 0, or 1 with a sentence on stderr where a font cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.samples.generate", description=__doc__)
    parser.add_argument("outdir", type=Path, help="where to write")
    parser.add_argument("--today", type=date.fromisoformat, default=TODAY, help="the day the bills arrive")
    asked = parser.parse_args()
    try:
        written = write(asked.outdir, asked.today)
    except FontUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(written)} documents in {asked.outdir}")
    return 0


def _pdf(
    name: str, bill: Bill, expected: Expected, reason: str, target: Target = "mail", order: str | None = None
) -> Sample:
    return Sample(name, _filename(bill), PDF, render(bill), bill.truth(), expected, reason, target, order)


def _scan(name: str, bill: Bill, expected: Expected, reason: str) -> Sample:
    data = degrade.scan(render(bill), seed=5, stamped="EINGEGANGEN")
    return Sample(name, "SCAN_20261113_0907.pdf", PDF, data, bill.truth(), expected, reason, quality="scan")


def _photo(name: str, bill: Bill, expected: Expected, reason: str) -> Sample:
    data = degrade.photo(render(bill), seed=6)
    return Sample(name, "IMG_4471.jpg", JPEG, data, bill.truth(), expected, reason, quality="photo")


def _ruined(name: str, bill: Bill, expected: Expected, reason: str) -> Sample:
    data = degrade.ruined(render(bill), seed=12)
    return Sample(name, "IMG_4479.jpg", JPEG, data, bill.truth(), expected, reason, quality="photo")


def _facturx(name: str, bill: Bill, expected: Expected, reason: str, target: Target) -> Sample:
    data = facturx_pdf(bill, render(bill))
    return Sample(name, _filename(bill), PDF, data, bill.truth(), expected, reason, target)


def _owed(name: str, bill: Bill, expected: Expected, reason: str) -> Sample:
    """A bill whose note says that the buyer owes the VAT."""
    sample = _pdf(name, bill, expected, reason)
    said = {"vat_category": "AE", "exemption_reason": bill.notes[0]}
    rows = [row | said for row in sample.truth["vat_breakdown"]]
    return replace(sample, truth=sample.truth | {"vat_breakdown": rows})


def _reminder(name: str, bill: Bill, expected: Expected, reason: str) -> Sample:
    truth = collection.overdue_truth(bill)
    return Sample(name, "Zahlungserinnerung.pdf", PDF, render(bill), truth, expected, reason)


def _bad(name: str, filename: str, mimetype: str, data: bytes, reason: str) -> Sample:
    return Sample(name, filename, mimetype, data, {}, "skip", f"the file {reason}")


def _filename(bill: Bill) -> str:
    """The file name a vendor's program would give."""
    word = {"de_DE": "Rechnung", "fr_FR": "Facture", "nl_NL": "Factuur", "zh_CN": "dzfp"}.get(
        bill.seller.language, "Invoice"
    )
    word = {
        "credit_note": "CreditNote", "order_confirmation": "Auftragsbestaetigung", "quotation": "Quote",
    }.get(bill.document_type, word)  # fmt: skip
    return f"{word}_{bill.number.replace('/', '-').replace(' ', '')}.pdf"


if __name__ == "__main__":
    sys.exit(main())
