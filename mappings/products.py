"""The product that a line names, by exact codes only: a name alone is no proof."""

from __future__ import annotations

from collections.abc import Iterator

from inference.invoice import Row, as_text
from mappings.case import Case, confidence, confirmed, term
from mappings.erp_data import Partner, Product
from mappings.folding import alnum
from mappings.index import ErpIndex
from mappings.learned import learned_product, prefer
from mappings.proposal import ProposedValue

VENDOR_CODE, BARCODE, OWN_CODE, VENDOR_NAME = 0.99, 0.98, 0.97, 0.95


def find_product(case: Case, position: int, vendor: Partner | None) -> ProposedValue | None:
    """What a person chose for it before, else the one product under the vendor's code, the barcode, our code or the
    vendor's own name, else None."""
    return prefer(learned_product(case, vendor, position), _by_code(case, position, vendor))


def _by_code(case: Case, position: int, vendor: Partner | None) -> ProposedValue | None:
    row = case.reading.lines[position]
    for name, score, what, found in _tries(case.index, row, vendor.id if vendor else 0):
        unique = {product.id: product for product in found}
        if len(unique) == 1:
            product = next(iter(unique.values()))
            sure = min(score, confirmed(confidence([row.get(name)])))
            reason = f"{product.name}: {as_text(row.get(name))} is {what}."
            return ProposedValue(product.id, sure, reason, (term("lines", position, name),))
    return None


def _tries(index: ErpIndex, row: Row, vendor_id: int) -> Iterator[tuple[str, float, str, list[Product]]]:
    def code(name: str) -> str:
        return alnum(as_text(row.get(name)) or "")

    ours = (vendor_id, code("item_seller_id"))
    yield "item_seller_id", VENDOR_CODE, "the vendor's code", index.by_vendor_code.get(ours, [])
    barcode = index.by_barcode.get(code("item_standard_id"), [])
    yield "item_standard_id", BARCODE, "the barcode", barcode
    yield "item_buyer_id", OWN_CODE, "our code", index.by_default_code.get(code("item_buyer_id"), [])
    named = index.by_vendor_name.get((vendor_id, code("item_name")), [])
    yield "item_name", VENDOR_NAME, "the vendor's name for it", named
