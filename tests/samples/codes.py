"""QR codes that bills carry, by the standards of their countries, and bills with a code stamped on them."""

from __future__ import annotations

import base64
import json
from io import BytesIO

import pikepdf
import zxingcpp
from PIL import Image
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.samples.bill import Bill


def epc(bill: Bill, reference: str = "") -> str:
    """EPC069-12 (GiroCode)."""
    seller = bill.seller
    lines = ["BCD", "002", "1", "SCT", seller.bic, seller.name[:70], seller.account]
    return "\n".join([*lines, f"EUR{bill.total_with_vat:f}", "", reference, "", ""])


def swiss(bill: Bill, account: str, reference: str, version: str = "0200") -> str:
    """Swiss QR-bill with Swico billing information; version 0100 has the due date before the debtor."""
    seller, buyer = bill.seller, bill.buyer
    creditor = ["S", seller.name[:70], seller.street[:70], "", seller.zip, seller.city, "CH"]
    debtor = ["S", buyer.name[:70], buyer.street[:70], "", buyer.zip, buyer.city, buyer.country]
    due = [bill.due_date.isoformat() if bill.due_date else ""] if version.startswith("01") else []
    number = bill.number.replace("\\", "\\\\").replace("/", "\\/")
    days = f"/40/0:{(bill.due_date - bill.issue_date).days}" if bill.due_date else ""
    swico = f"//S1/10/{number}/11/{bill.issue_date:%y%m%d}{days}"
    amount = [f"{bill.total_with_vat:f}", bill.currency]
    parts = ["SPC", version, "1", account, *creditor, *[""] * 7, *amount, *due, *debtor]
    return "\r\n".join([*parts, "QRR", reference, "", "EPD", swico])


def fapiao(bill: Bill, kind: str) -> str:
    """The code of a fapiao; kinds 31 and 32 give the amount with tax, 01, 04 and 10 the one without."""
    amount = bill.total_with_vat if kind in ("31", "32") else bill.total_without_vat
    return f"01,{kind},,{bill.number},{amount:f},{bill.issue_date:%Y%m%d},,7B2C"


def indian(bill: Bill) -> str:
    """An IRP code: a JSON Web Token with a signature of no worth."""
    data = {
        "SellerGstin": bill.seller.vat_id, "BuyerGstin": "URP", "DocNo": bill.number, "DocTyp": "INV",
        "DocDt": f"{bill.issue_date:%d/%m/%Y}", "TotInvVal": float(bill.total_with_vat), "ItemCnt": len(bill.lines),
    }  # fmt: skip
    parts = [{"alg": "RS256", "typ": "JWT"}, {"data": json.dumps(data), "iss": "NIC"}]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, "c2lnbmF0dXJl"])


def saudi(bill: Bill, vat_number: str) -> str:
    """A ZATCA code: tag, length, value in base64."""
    values = (
        bill.seller.name, vat_number, f"{bill.issue_date}T10:00:00Z", f"{bill.total_with_vat:f}", f"{bill.total_vat:f}",
    )  # fmt: skip
    raw = b"".join(bytes([tag, len(v.encode())]) + v.encode() for tag, v in enumerate(values, 1))
    return base64.b64encode(raw).decode()


def turkish(bill: Bill, tax_number: str) -> str:
    """The JSON of an e-Fatura."""
    node = {
        "vkntckn": tax_number, "avkntckn": "1111111111", "senaryo": "TICARIFATURA", "tip": "SATIS",
        "tarih": bill.issue_date.isoformat(), "no": bill.number, "ettn": "0b6bd0a2-7c4c-4f0e-9a57-6b7b7e0c6c11",
        "parabirimi": "TRY", "malhizmettoplam": f"{bill.total_without_vat:f}",
        "vergidahil": f"{bill.total_with_vat:f}", "odenecek": f"{bill.total_with_vat:f}",
    }  # fmt: skip
    return json.dumps(node)


def portuguese(bill: Bill) -> str:
    """An ATCUD code."""
    parts = {
        "A": bill.seller.vat_id.removeprefix("PT"), "B": "999999990", "C": "PT", "D": "FT", "E": "N",
        "F": f"{bill.issue_date:%Y%m%d}", "G": f"FT {bill.number}", "H": "CSDF7T5H-35", "I1": "PT",
        "N": f"{bill.total_vat:f}", "O": f"{bill.total_with_vat:f}", "Q": "YhGV", "R": "0001",
    }  # fmt: skip
    return "*".join(f"{key}:{value}" for key, value in parts.items())


def slovenian(bill: Bill, account: str, reference: str) -> str:
    """A UPN QR code."""
    cents = f"{int(bill.total_with_vat * 100):011d}"
    due = f"{bill.due_date:%d.%m.%Y}" if bill.due_date else ""
    lines = [
        "UPNQR",
        "",
        "",
        "",
        "",
        "Kupec",
        "Cesta 1",
        "1000 Ljubljana",
        cents,
        "",
        "",
        "COST",
        bill.number,
        due,
    ]
    lines += [account, reference, bill.seller.name[:33], bill.seller.street[:33], bill.seller.city[:33]]
    return "\n".join([*lines, f"{sum(map(len, lines)) + 19:03d}", ""])


def stamped(
    pdf: bytes, text: str, size: float = 40 * mm, at: tuple[float, float] = (150 * mm, 8 * mm)
) -> bytes:
    """The PDF with a QR code of `size` points on its last page, its lower left corner at `at`."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=4)).convert("L")
    out, layer = BytesIO(), BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        page = document.pages[-1]
        canvas = Canvas(layer, pagesize=tuple(float(side) for side in page.mediabox[2:]), invariant=True)
        canvas.drawImage(ImageReader(image), *at, size, size)
        canvas.save()
        with pikepdf.open(layer) as code_page:
            page.add_overlay(code_page.pages[0])
            document.save(out, deterministic_id=True)
    return out.getvalue()
