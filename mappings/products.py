"""The product that a line names: by codes, by what the vendor's earlier lines were, or by its very name."""

from __future__ import annotations

from collections.abc import Iterator

from stdnum import ean

from inference.invoice import Row, as_text
from mappings.case import Case, confidence, confirmed, term
from mappings.erp_data import Partner, PostedLine, Product
from mappings.folding import alnum, most_similar
from mappings.index import ErpIndex
from mappings.learned import learned_product, prefer
from mappings.proposal import ProposedValue

VENDOR_CODE, BARCODE, OWN_CODE, VENDOR_NAME = 0.99, 0.98, 0.97, 0.95
# Our code in the vendor's column is one that the vendor took over from us, or chance.
OUR_CODE_AS_THEIRS, EARLIER, NAME = 0.85, 0.93, 0.75
SAME_TEXT, SHORTEST_CODE, SHORTEST_NAME = 0.96, 4, 6


def find_product(case: Case, position: int, vendor: Partner | None) -> ProposedValue | None:
    """What a person chose for it before, else the one product under the vendor's code, the barcode, our code or the
    vendor's own name, else that of the vendor's earlier lines that are called the same, else the one of that very name.

    Earlier lines of the same name without a product say that there is none.
    """
    found = _by_code(case, position, vendor)
    if found is None:
        earlier = _earlier(case, position, vendor)
        found = _by_history(case, position, earlier) if earlier else _by_name(case, position)
    return prefer(learned_product(case, vendor, position), found)


def _earlier(case: Case, position: int, vendor: Partner | None) -> list[PostedLine]:
    """The vendor's posted lines that are called like this one."""
    words = as_text(case.reading.lines[position].get("item_name"))
    if vendor is None or not words:
        return []
    lines = case.index.history(vendor.id, case.company.id)
    alike = most_similar(words, case.index.history_texts(vendor.id, case.company.id), SAME_TEXT)
    return [lines[i] for i in sorted(alike)]


def _by_history(case: Case, position: int, earlier: list[PostedLine]) -> ProposedValue | None:
    """The product of all earlier lines of that name."""
    ids = {line.product_id for line in earlier}
    product = case.index.products.get(next(iter(ids)) or 0) if len(ids) == 1 else None
    if product is None:
        return None
    sure = min(EARLIER, confirmed(confidence([case.reading.lines[position].get("item_name")])))
    reason = f"{product.name}, as on {len(earlier)} earlier lines of that name."
    return ProposedValue(product.id, sure, reason, (term("lines", position, "item_name"),))


def _by_name(case: Case, position: int) -> ProposedValue | None:
    """The one product of exactly that name: a suggestion, since two vendors may mean two things by it."""
    found = case.reading.lines[position].get("item_name")
    words = alnum(as_text(found) or "")
    same = case.index.by_product_name.get(words, []) if len(words) >= SHORTEST_NAME else []
    if len(same) != 1 or found is None:
        return None
    sure = min(NAME, found.confidence)
    return ProposedValue(
        same[0].id,
        sure,
        f"{same[0].name} is the product of that name.",
        (term("lines", position, "item_name"),),
    )


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
    theirs = code("item_seller_id")
    if len(theirs) >= SHORTEST_CODE:
        yield "item_seller_id", OUR_CODE_AS_THEIRS, "our code", index.by_default_code.get(theirs, [])
        yield (
            "item_seller_id",
            BARCODE,
            "the barcode",
            index.by_barcode.get(theirs, []) if ean.is_valid(theirs) else [],
        )
    named = index.by_vendor_name.get((vendor_id, code("item_name")), [])
    yield "item_name", VENDOR_NAME, "the vendor's name for it", named
