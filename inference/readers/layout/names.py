"""Names of companies and addresses as text: what looks like one, and which are alike."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

from inference.readers.layout.lexicon import fold, lexicon, pieces

POSTCODE = re.compile(r"(?<!\d)(?:[A-Z]{1,2}[ -])?\d{4,6}(?:[ -]\d{3,4})?(?!\d)")

TOWN = re.compile(
    # Postcode and town: "80331 München", "B-1000 Bruxelles", "00-950 Warszawa", "117 58 Liljeholmen".
    r"(?:^|[\s,])(?:[A-Z]{1,2}[ -])?(?:\d{5}|\d{4}(?: ?[A-Z]{2})?|\d{2}-\d{3}|\d{3} \d{2})\s+[^\W\d_a-z][^\d]{2,}"
    r"|^\d{5} [^\W\d_]{3}[^\d]*$"
    r"|(?:^|\s)\d{2}\.?\d{3}-\d{3}[\s,-]+[^\W\d_]{3}"
    # Town and postcode: "Austin, TX 78701", "Leeds LS1 4AB", "ON M5H 2H7", "Mumbai - 400001".
    r"|[,\s][A-Z]{2}\.?,?\s+\d{4}\w(?:-\d{4})?\s*$|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b"
    r"|[^\W\d_]{3} ?[,-] ?\d{3} ?\d{3}\.?$|^[a-z]{3,} \d{6}$"
    r"|[省市].{0,12}[区县市路街]"
)

SEPARATOR = re.compile(r"\s+[-–—•·|∙*●⋅]\s+|\s*[•·|●⋅]\s*|,\s+")

CONTACT = re.compile(r"@|www\.|https?:|\+\d{2}|(?:tel|fax|phone|mobil|fon)\b[.:]?", re.IGNORECASE)

CONTACT_AFTER = re.compile(
    r"(?<=\w.)[\s,;|–-]+(?:[\w.+-]+@[\w-]|www\.|https?:|(?:tel|fax|phone|fon)\b[.:]?)", re.IGNORECASE
)
"""A mail address, a website or a telephone behind a name in the same line."""

SIGNED = re.compile(r"^(?:for(?: and on behalf of)?|signed by|per pro)[\s:]+(?=[A-Z])")
"""What stands before a company's name over its signature."""

ONLY_SALUTATION = re.compile(r"^\s*(?:herrn?|frau|firma|an|mr|mrs|ms|company)\.?\s*$", re.IGNORECASE)

SALUTATION = re.compile(
    r"^(?:herrn?|frau|mr|mrs|ms|m\.|mme|firma|company(?=:)|attn|z\.? ?hd\.?|c/o|an|to|spett\.?le)\b[.:]?\s*",
    re.IGNORECASE,
)


def joint(text: str) -> str:
    """What joins two rows of a name: nothing between ideographs."""
    return " " if text[-1:].isascii() else ""


def clean_name(text: str) -> str:
    name = re.sub(r"\s+", " ", text).strip(" :：,;|*-–•·")
    return SALUTATION.sub("", name) if len(name.split()) > 1 else name


def plausible_name(text: str) -> bool:
    letters = sum(c.isalpha() for c in text)
    if letters < 2 or (letters < 3 and text.isascii()) or len(text) > 120:
        return False
    if _NUMBERED.search(text) or _PAGE.match(text):
        return False
    return letters > 0.45 * sum(not c.isspace() for c in text) and not CONTACT.search(text)


_NUMBERED = re.compile(r"[:：]\s*(?=\w*\d\w*\d\w*\d)\w+")
"""What a colon and a number follow: "PAN : 26CORPP3939N1"."""

_PAGE = re.compile(r"(?:page|seite|p[áa]gina|pag|strona|sida|side|blad|folio)\W*\d", re.IGNORECASE)

HOUSE_LAST = re.compile(r"[^\W\d_]{3}[^\d]* \d{1,4} ?[a-zA-Z]?$")
"""Words and a number, as a street with its house."""

_HOUSE_FIRST = re.compile(r"^[1-9]\d{0,4}[a-z]?,? [^\W\d_]{2,} [^\W\d_]{2,}")


_STREETS = (
    "strasse", "strase", "str", "weg", "platz", "gasse", "allee", "damm", "ufer", "straat", "laan", "gracht", "plein", "dreef",
    "steenweg", "gatan", "vagen", "gade", "vej", "gata", "gaten", "veien",
)  # fmt: skip
"""What the names of streets end with where they are one word."""


def is_address(text: str) -> bool:
    words = {piece.folded for piece in pieces(text)}
    street = any(word in lexicon().streets or (word.endswith(_STREETS) and len(word) > 6) for word in words)
    if TOWN.search(text) or (street and any(c.isdigit() for c in text)):
        return True
    return bool(_HOUSE_FIRST.match(text)) and not names_a_company(text)


def has_legal_form(text: str) -> bool:
    """Whether a legal form of a company is among the words ("GmbH", "S.à r.l.", "有限公司"), not the first."""
    return _has_word(text, lexicon().legal_forms)


def told(text: str) -> float:
    """The share of its letters that phrases of the lexicon cover: 1 for "Customer Address", 0 for a name."""
    words = [piece.folded for piece in pieces(text)]
    tables = (lexicon().labels, lexicon().columns, lexicon().titles)
    covered = place = 0
    while place < len(words):
        for count in range(min(5, len(words) - place), 0, -1):
            key = "".join(words[place : place + count])
            if any(key in phrases for phrases in tables):
                covered += len(key)
                place += count
                break
        else:
            place += 1
    return covered / max(1, sum(map(len, words)))


def names_a_company(text: str) -> bool:
    """Whether a legal form or a word that companies like in their names is among the words."""
    return _has_word(text, lexicon().legal_forms | lexicon().company)


def _has_word(text: str, wanted: frozenset[str]) -> bool:
    words = [piece.folded for piece in pieces(text)]
    runs = [
        (first, "".join(words[first : first + count]))
        for count in (1, 2, 3, 4)
        for first in range(len(words) - count + 1)
    ]
    return any(run in wanted and (first > 0 or not run.isascii()) for first, run in runs)


def resembles(text: str, domain: str) -> float:
    name = fold(text)
    if len(name) < 3:
        return 0.0
    if domain in name or (len(name) >= 5 and name in domain):
        return 1.0
    first = pieces(text)[0].folded if pieces(text) else ""
    if len(first) >= 4 and (first in domain or domain in first):
        return 0.7
    return 0.5 if fuzz.partial_ratio(name, domain) > 88 and len(domain) >= 6 else 0.0


def alike(one: str, other: str) -> bool:
    a, b = fold(one), fold(other)
    if not a or not b:
        return False
    short, long = sorted((a, b), key=len)
    return (
        a == b
        or (len(short) >= 5 and short in long and len(short) > 0.5 * len(long))
        or fuzz.ratio(a, b) > 85
    )
