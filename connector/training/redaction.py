"""What is blacked out of a page and left out of its answer: payment accounts, e-mail, telephone, names of persons.

Words are known by their form (IBAN, e-mail address, number after a telephone's label) and names by the word before them;
a name that stands alone is not known as one. docs/training.md says so too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from inference.identifiers import find_ibans
from inference.textrow import text_rows

if TYPE_CHECKING:
    from inference.invoice import Box
    from inference.isolation import PageView
    from inference.page import Token

TERMS = frozenset({"payment_account", "payment_bic", "seller_email", "buyer_reference"})
"""Terms that are left out of the answer, and whose places are blacked out."""

EMAIL = re.compile(r"[^\s@<>()]+@[^\s@<>()]+\.\w+")
TELEPHONE = re.compile(r"\+\d[\d ()/.-]{6,}\d")
PHONE_LABELS = frozenset(
    [
        "tel",
        "tel.",
        "telefon",
        "telephone",
        "phone",
        "fon",
        "fax",
        "telefax",
        "mobil",
        "mobile",
        "handy",
        "tél",
        "tél.",
        "teléfono",
        "telefono",
        "电话",
        "手机",
        "传真",
    ]
)
NAME_LABELS = frozenset(
    [
        "contact",
        "ansprechpartner",
        "ansprechpartnerin",
        "sachbearbeiter",
        "sachbearbeiterin",
        "bearbeiter",
        "attn",
        "attn.",
        "attention",
        "herr",
        "herrn",
        "frau",
        "mr",
        "mr.",
        "mrs",
        "mrs.",
        "ms",
        "ms.",
        "mme",
        "monsieur",
        "madame",
        "interlocuteur",
        "contacto",
        "contatto",
        "联系人",
        "经办人",
        "开票人",
        "收款人",
        "复核",
    ]
)
MOST_NAME_WORDS = 3


def secret_boxes(page: PageView) -> Iterator[Box]:
    """The places on a page that tell an account, an address, a number or a person."""
    for row in text_rows(page):
        spans = [found.span() for found in EMAIL.finditer(row.text)]
        spans += [found.span() for found in TELEPHONE.finditer(row.text)]
        spans += [span for found in find_ibans(row.text) for span in _written(row.text, found.value)]
        for token, start in zip(row.tokens, row.starts, strict=True):
            end = start + len(token.text)
            if any(start < last and first < end for first, last in spans):
                yield token.box
        yield from (token.box for token in _labelled(row.tokens))


def _written(text: str, value: str) -> Iterator[tuple[int, int]]:
    """Where a value stands in a text, spaced or not."""
    spaced = r"\s*".join(re.escape(char) for char in value)
    return (found.span() for found in re.finditer(spaced, text, re.IGNORECASE))


def _labelled(tokens: Sequence[Token]) -> Iterator[Token]:
    for at, token in enumerate(tokens):
        label = token.text.strip().rstrip(":：").casefold()
        behind = tokens[at + 1 :]
        if label in PHONE_LABELS:
            yield from _while(behind, _is_of_a_number)
        elif label in NAME_LABELS:
            yield from list(_while(behind, _is_of_a_name))[:MOST_NAME_WORDS]


def _is_of_a_number(text: str) -> bool:
    return any(char.isdigit() for char in text) or not text.strip("()/-.:")


def _is_of_a_name(text: str) -> bool:
    return text[:1].isalpha() and not any(char.isdigit() for char in text)


def _while(tokens: Iterable[Token], holds: Callable[[str], bool]) -> Iterator[Token]:
    for token in tokens:
        if not holds(token.text):
            return
        yield token


def without_secrets(texts: Mapping[str, str]) -> dict[str, str]:
    """Texts by Term without those of `TERMS`, and without accounts, addresses and numbers in the others."""
    return {term: "" if term in TERMS else _cleaned(text) for term, text in texts.items()}


def _cleaned(text: str) -> str:
    for found in find_ibans(text):
        for start, end in reversed(list(_written(text, found.value))):
            text = text[:start] + text[end:]
    return " ".join(TELEPHONE.sub(" ", EMAIL.sub(" ", text)).split())
