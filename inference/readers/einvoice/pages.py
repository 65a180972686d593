"""The pages beside the data: where the data's values stand on them, and whether they say the same.

People look at the page, machines at the data; a forger changes the one that nobody looks at. A page that merely lacks
a value says nothing against it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from rapidfuzz.fuzz import partial_ratio

from inference.checks import page_agrees
from inference.confidence import FAILED_CHECK
from inference.grounding import Finder, fold
from inference.identifiers import find_ibans
from inference.invoice import HEADER, LINE, VAT, Evidence, Field, Kind, Reading, Row, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inference.document import Document
    from inference.invoice import Term
    from inference.page import Page
    from inference.readers import Recipient
    from inference.xml import Node

SURE = 0.8
"""How sure the layout reader must be of what the page says, before that speaks against the data."""
MOST_SCANS = 2
"""Scanned pages that are read only to be compared; more would take longer than a person's look."""
ALIKE = 60
"""Names that share this much (0–100) are a firm and its trading name, not two firms."""

COMPARED: Mapping[str, str] = {
    "invoice_number": "invoice number",
    "issue_date": "date of issue",
    "due_date": "due date",
    "currency": "currency",
    "seller_name": "seller",
    "seller_vat_id": "seller's VAT id",
    "payment_account": "payment account",
    "total_without_vat": "net total",
    "total_vat": "total VAT",
    "total_with_vat": "total",
    "amount_due": "amount due",
}
"""What is compared, and what people call it."""

_WITHOUT_PLACE = frozenset(
    {
        "document_type",
        "seller_country",
        "line_id",
        "line_status",
        "unit",
        "vat_category",
        "purchase_order_line",
    }
)
_RIGHTMOST = frozenset({"line_net_amount", "line_total_with_vat"})
"""The values that end a line, where the same figure is also its quantity or price."""
_LINE_REACH = 0.04
"""How far below or above its name, as a fraction of the page, the figures of a line may stand."""


def beside_pages(reading: Reading, root: Node, document: Document, recipient: Recipient) -> Reading:
    """The Reading with places on the pages added to its evidence, and the Check `page_agrees`.

    Fields that the page contradicts are doubted, with the sentence why.
    """
    pages = _comparable(document.pages)
    if not pages:
        return reading
    finder = Finder(pages)
    if finder.empty:
        return reading
    placed = _placed(reading, finder)
    said = _contradictions(placed, root, replace(document, pages=pages), finder, recipient)
    fields = {
        name: found.doubted(FAILED_CHECK, said[name]) if name in said else found
        for name, found in placed.fields.items()
    }
    return replace(placed, fields=fields, checks=(*placed.checks, page_agrees(said)))


def _comparable(pages: Sequence[Page]) -> list[Page]:
    """The pages with a text layer; scans only where there is nothing else and they are few."""
    digital = [page for page in pages if not page.ocr]
    return digital or (list(pages) if len(pages) <= MOST_SCANS else [])


def _placed(reading: Reading, finder: Finder) -> Reading:
    fields = {name: _with_place(found, HEADER[name], finder) for name, found in reading.fields.items()}
    taxes = [
        {n: _with_place(f, VAT[n], finder, _anchor(row, finder)) for n, f in row.items()}
        for row in reading.vat_breakdown
    ]
    lines: list[Row] = []
    above: Evidence | None = None
    for line in reading.lines:
        anchor = _line_anchor(line, finder, above)
        shown = _apart({n: _on_line(f, LINE[n], finder, anchor) for n, f in line.items()})
        above = _lowest(shown) or anchor or above
        lines.append(shown)
    return replace(reading, fields=fields, lines=tuple(lines), vat_breakdown=tuple(taxes))


def _with_place(found: Field, term: Term, finder: Finder, near: Evidence | None = None) -> Field:
    if term.name in _WITHOUT_PLACE or found.value == 0:
        return found
    place = finder.find(found.value, term.kind, near=near)
    if place is not None and place.ambiguous:
        place = finder.find(found.value, term.kind, labels=_labels(term.name))
    if place is None and term.name == "seller_address":
        # The parts of an address stand on several lines, in the order of the country.
        place = finder.find(found.evidence[0].text or "", term.kind)
    if place is None:
        return found
    return replace(found, evidence=(*found.evidence, place.evidence))


def _labels(name: str) -> frozenset[str]:
    from inference.readers.layout.lexicon import lexicon

    words = lexicon()
    named = {p for p, meanings in words.labels.items() if any(meaning.term == name for meaning in meanings)}
    return frozenset(named | words.amount_words.get(_AMOUNT_WORDS.get(name, ""), frozenset()))


_AMOUNT_WORDS = {
    "total_without_vat": "net",
    "total_vat": "vat",
    "total_with_vat": "total",
    "amount_due": "due",
}


def _anchor(row: Row, finder: Finder) -> Evidence | None:
    """Where a VAT row stands: its VAT is the figure least likely to stand elsewhere."""
    found = row.get("vat_amount")
    place = finder.find(found.value, Kind.AMOUNT) if found and found.value else None
    return place.evidence if place else None


def _line_anchor(line: Row, finder: Finder, above: Evidence | None) -> Evidence | None:
    """Where a line stands: by the rarest of its values, below the line before where that helps."""
    best: tuple[int, Evidence] | None = None
    for name in ("item_name", "item_seller_id", "item_standard_id", "line_net_amount"):
        found = line.get(name)
        place = finder.find(found.value, LINE[name].kind, below=above) if found and found.value else None
        if place and (best is None or place.places < best[0]):
            best = (place.places, place.evidence)
    return best[1] if best else None


def _on_line(found: Field, term: Term, finder: Finder, anchor: Evidence | None) -> Field:
    """A line's value with its place on the line's own rows; elsewhere it is another line's."""
    if anchor is None or anchor.box is None or term.name in _WITHOUT_PLACE:
        return found
    near = anchor
    if term.name in _RIGHTMOST:
        near = replace(anchor, box=anchor.box._replace(x0=1.0, x1=1.0))
    place = finder.find(found.value, term.kind, near=near)
    if place is None or place.evidence.box is None or place.evidence.page != anchor.page:
        return found
    box = place.evidence.box
    if max(box.y0 - anchor.box.y1, anchor.box.y0 - box.y1) > _LINE_REACH:
        return found
    return replace(found, evidence=(*found.evidence, place.evidence))


def _apart(line: Row) -> Row:
    """Without a place for the VAT rate where it is the quantity's: rates are often not printed per line."""
    rate = line.get("vat_rate")
    taken = {proof for name, found in line.items() if name != "vat_rate" for proof in found.evidence}
    if rate is None or not taken.intersection(rate.evidence):
        return line
    return {**line, "vat_rate": replace(rate, evidence=tuple(p for p in rate.evidence if p not in taken))}


def _lowest(line: Row) -> Evidence | None:
    """The last place of a line's values: the next line begins below it."""
    places = [(p.page, p.box.y1, p) for found in line.values() for p in found.evidence if p.page and p.box]
    return max(places, key=lambda place: place[:2])[2] if places else None


def _contradictions(
    reading: Reading, root: Node, document: Document, finder: Finder, recipient: Recipient
) -> dict[str, str]:
    """A sentence for each field that the pages contradict: they lack the data's value and give another."""
    lacking = [
        name
        for name in COMPARED
        if (found := reading.get(name)) and not any(proof.page for proof in found.evidence)
    ]
    if not lacking:
        return {}
    known = _Known(root)
    said: dict[str, str] = {}
    if "payment_account" in lacking and (other := _other_iban(finder, known)):
        said["payment_account"] = _sentence("payment_account", reading, other)
    rest = [name for name in lacking if name not in said and reading.fields[name].value != 0]
    if not rest:
        return said
    from inference.readers.layout import LayoutReader

    page = LayoutReader().read(document, recipient)
    for name in rest:
        printed = page.get(name)
        if printed is None or printed.confidence < SURE or known.holds(printed.value):
            continue
        if name != "seller_name" or _another_firm(reading, printed, finder):
            said[name] = _sentence(name, reading, printed)
    return said


class _Known:
    """Everything the data says: a value that the page has from there is no other one, whatever it is called."""

    def __init__(self, root: Node) -> None:
        texts = [node.text for node in root.descendants("*") if node.text]
        self._folded = {fold(text) for text in texts}
        self._amounts = {abs(number) for text in texts if (number := _decimal(text)) is not None}

    def holds(self, value: Value) -> bool:
        """Whether the data has this value anywhere."""
        if isinstance(value, Decimal):
            return abs(value) in self._amounts
        if isinstance(value, date):
            return any(text.startswith(value.strftime("%Y%m%d")) for text in self._folded)
        return fold(value) in self._folded


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _other_iban(finder: Finder, known: _Known) -> Field | None:
    """An IBAN on the page, right by its check digits, that the data does not have."""
    for number, text in finder.texts():
        for found in find_ibans(text):
            if found.valid and not known.holds(found.value):
                return Field(found.value, 1.0, (Evidence(page=number, text=text[found.start : found.end]),))
    return None


def _another_firm(reading: Reading, printed: Field, finder: Finder) -> bool:
    """Whether the page names another seller, not the same under its trading name."""
    for name in ("seller_vat_id", "seller_tax_id", "seller_registration", "payment_account"):
        found = reading.get(name)
        if found and any(proof.page for proof in found.evidence):
            return False
    ours, theirs = str(reading.fields["seller_name"].value), str(printed.value)
    if partial_ratio(fold(ours), fold(theirs)) >= ALIKE:
        return False
    return not any(finder.find(word, Kind.TEXT) for word in ours.split() if len(word) >= 5)


def _sentence(name: str, reading: Reading, printed: Field) -> str:
    place = next((proof.page for proof in printed.evidence if proof.page), None)
    where = f"page {place} says" if place else "the page says"
    return (
        f"The data gives {reading.fields[name].value} as the {COMPARED[name]}, but {where} {printed.value}."
    )
