"""The looks that a document can have: one module each, with `draw(bill, paper)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.samples.bill import Bill
from tests.samples.designs import (
    boxed,
    captions,
    compact,
    dense,
    din5008,
    dunning,
    facture,
    faktura,
    fapiao,
    form,
    grouped,
    leaders,
    minimal,
    modern,
    plain,
    purchase,
    reminder,
    till,
)
from tests.samples.paper import Paper

Draw = Callable[[Bill, Paper], None]
DESIGNS: Mapping[str, Draw] = {
    "din5008": din5008.draw,
    "modern": modern.draw,
    "facture": facture.draw,
    "fapiao": fapiao.draw,
    "compact": compact.draw,
    "boxed": boxed.draw,
    "dense": dense.draw,
    "reminder": reminder.draw,
    "form": form.draw,
    "faktura": faktura.draw,
    "minimal": minimal.draw,
    "grouped": grouped.draw,
    "captions": captions.draw,
    "leaders": leaders.draw,
    "plain": plain.draw,
    "till": till.draw,
    "purchase": purchase.draw,
    "dunning": dunning.draw,
}
# Width and height of the sheet in millimetres, and the family used where the bill names none.
SHEETS: Mapping[str, tuple[float, float, str]] = {
    "din5008": (210, 297, "sans"),
    "modern": (210, 297, "opensans"),
    "facture": (210, 297, "caladea"),
    "fapiao": (210, 140, "song"),
    "compact": (210, 297, "carlito"),
    "boxed": (215.9, 279.4, "serif"),
    "dense": (210, 297, "roboto"),
    "reminder": (210, 297, "sans"),
    "form": (210, 297, "sans"),
    "faktura": (210, 297, "serif"),
    "minimal": (210, 297, "lato"),
    "grouped": (210, 297, "carlito"),
    "captions": (210, 297, "opensans"),
    "leaders": (210, 297, "serif"),
    "plain": (210, 297, "carlito"),
    "till": (80, 230, "mono"),
    "purchase": (210, 297, "sans"),
    "dunning": (210, 297, "sans"),
}


def render(bill: Bill) -> bytes:
    """The PDF of a bill, the same bytes each time. Raises FontUnavailable."""
    return drawn(bill).done()


def drawn(bill: Bill) -> Paper:
    """The pages of a bill, not yet written. Raises FontUnavailable."""
    width, height, usual = SHEETS[bill.design]
    family = bill.family or usual
    first = Paper(family, width, height)
    DESIGNS[bill.design](bill, first)
    if first.number == 1:
        return first
    again = Paper(family, width, height, count=first.number)
    DESIGNS[bill.design](bill, again)
    return again
