"""Where values stand on a vendor's papers, as people pointed: Lessons of it, and hints for the reader."""

from __future__ import annotations

from datetime import date

from inference.invoice import HEADER
from inference.readers import Hint
from mappings.index import ErpIndex
from mappings.memory import Kind, Lesson, Memory, subject

HERE = (1,)
"""The choice of such a Lesson: yes, here."""


def layout_lesson(
    vendor_id: int, vendor: str, term: str, label: str, document: str, on: date, set_by: str = ""
) -> Lesson | None:
    """A person pointed at what stands by these words as the value of `term`; None where the words tell nothing.

    `vendor_id` is the commercial partner whose paper it is, `document` tells documents apart, `label` is what
    `inference.readers.layout.hints.label_beside` gives for the place that was pointed at.
    """
    about = subject(Kind.LAYOUT, term, label, vendor_id)
    if about is None or not vendor_id or term not in HEADER:
        return None
    return Lesson(about, label, HERE, term.replace("_", " "), document, on, vendor, set_by)


def layout_hints(memory: Memory, index: ErpIndex) -> tuple[Hint, ...]:
    """What Memory knows of papers, with what each vendor's are known by: tax id, name and bank accounts."""
    found: list[Hint] = []
    for entry in memory.entries():
        about = entry.subject
        partner = index.partners.get(about.vendor_id)
        if about.kind is not Kind.LAYOUT or partner is None or entry.times <= entry.against:
            continue
        accounts = (account.number for account in index.accounts_of(partner.id))
        sellers = tuple(text for text in (partner.vat, partner.name, *accounts) if text)
        found.append(Hint(about.term, entry.printed, sellers, entry.is_sure))
    return tuple(found)
