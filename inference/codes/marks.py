"""The marks of an OFD fapiao as claims: the issuer's own names for texts on its pages, or for data in its head."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from inference.codes.claims import Claims, Collector
from inference.dates import parse_date
from inference.numbers import parse_amount
from inference.ofd_marks import NAME
from inference.xml import parse_xml

if TYPE_CHECKING:
    from inference.document import Document

_TERMS = {
    "invoice_code": ("InvoiceCode", "发票代码"),
    "invoice_number": ("InvoiceNo", "发票号码"),
    "issue_date": ("IssueDate", "开票日期"),
    "seller_name": ("SellerName", "销售方名称"),
    "seller_vat_id": ("SellerTaxID", "销售方纳税人识别号"),
    "buyer_name": ("BuyerName", "购买方名称"),
    "buyer_vat_id": ("BuyerTaxID", "购买方纳税人识别号"),
    "total_without_vat": ("TaxExclusiveTotalAmount", "合计金额"),
    "total_vat": ("TaxTotalAmount", "合计税额"),
    "total_with_vat": ("TaxInclusiveTotalAmount", "价税合计"),
}
SOURCE = "OFD's own data"


def marks_of(document: Document) -> Claims | None:
    """What the marks say; a name that is given differently twice says nothing."""
    attached = next((one for one in document.attached if one.name == NAME), None)
    if attached is None:
        return None
    texts: dict[str, set[str]] = defaultdict(set)
    for mark in parse_xml(attached.data).all("Mark"):
        texts[mark.attribute("name")].add(" ".join(mark.text.split()))
    found = Collector()
    for term, names in _TERMS.items():
        known = next((texts[name] for name in names if len(texts.get(name, ())) == 1), set[str]())
        for text in known:
            _put(found, term, text)
    found.text("CNY", "currency")
    return found.of(SOURCE)


def _put(found: Collector, term: str, text: str) -> None:
    if term.startswith("total_"):
        amount = parse_amount(text, ".")
        found.amount(format(amount, "f") if amount is not None else None, term)
    elif term == "issue_date":
        day = parse_date(text)
        found.day(day.isoformat() if day else None, r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)", term)
    else:
        found.text(text, term)
