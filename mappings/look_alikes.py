"""Names and domains made to look like those of a vendor that Odoo knows, letter for letter, but are not theirs."""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz.distance import OSA

from inference.invoice import Check
from mappings.case import Case, failed, passed
from mappings.erp_data import Partner
from mappings.folding import domain_of, skeleton
from mappings.names import name_core

_MIXED = frozenset({"LATIN", "CYRILLIC", "GREEK"})
_WORD = re.compile(r"[^\W\d_]+")
SURE_DOMAIN = 0.90
NEAR_LETTERS = 2
SHORTEST_NAME = 6


def mixed_word(text: str) -> str | None:
    """The first word that mixes Latin with Cyrillic or Greek letters, as honest names do not."""
    for word in _WORD.findall(unicodedata.normalize("NFKC", text)):
        if len({_alphabet(letter) for letter in word} & _MIXED) > 1:
            return word
    return None


def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def check_look_alike(case: Case, vendor: Partner | None) -> Check:
    """Neither name nor domain imitates a vendor's."""
    why = _name(case, vendor) or (_domain(case, vendor) if vendor else None)
    if why:
        return failed("vendor_look_alike", why)
    return passed("vendor_look_alike", "Neither name nor domain imitates a vendor's.")


def check_number(case: Case) -> Check:
    """The document's number is written in one alphabet."""
    number = case.reading.text("invoice_number") or ""
    if mixed_word(number):
        text = f"The number {number} mixes alphabets: it is written to look like another."
        return failed("number_look_alike", text)
    return passed("number_look_alike", "The number is written in one alphabet.")


def _name(case: Case, vendor: Partner | None) -> str | None:
    name = case.reading.text("seller_name") or ""
    if not any(_alphabet(letter) in ("CYRILLIC", "GREEK") for letter in name):
        return None
    if word := mixed_word(name):
        meant = f", like {vendor.name}" if vendor else ""
        return f"The name {name} mixes alphabets in {word!r}: it is written to look like another{meant}."
    for partner, _ in case.index.vendors_named(skeleton(name)):
        if name_core(partner.name) == name_core(skeleton(name)) != name_core(name):
            return f"The name {name} looks like {partner.name}, but is written in another alphabet."
    return None


def _domain(case: Case, vendor: Partner) -> str | None:
    known = case.index.domains_of(vendor.id)
    for term in ("seller_email", "seller_website"):
        found = case.reading.get(term)
        domain = domain_of(case.reading.text(term) or "")
        if not domain or found is None or found.confidence < SURE_DOMAIN or domain in known:
            continue
        for other in known:
            if _near(domain, other):
                return f"The document's domain {domain} looks like {other}, which is {vendor.name}'s, but is not the same."
    return None


def _near(domain: str, other: str) -> bool:
    """A letter or two apart, or equal once look-alikes are one; another ending (`.com` for `.de`) is no imitation."""
    one, two = domain.rpartition(".")[0], other.rpartition(".")[0]
    if one == two:
        return False
    if _drawn(one) == _drawn(two):
        return True
    return min(len(one), len(two)) >= SHORTEST_NAME and OSA.distance(one, two) <= NEAR_LETTERS


def _drawn(text: str) -> str:
    """As the eye takes it at a glance."""
    plain = skeleton(text.encode("ascii", "ignore").decode() if text.isascii() else text).casefold()
    for written, seen in (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l")):
        plain = plain.replace(written, seen)
    return plain
