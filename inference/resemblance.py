"""Whether words recognised on a picture are the words that a file says stand there.

Recognition takes letters for digits that look alike and drops spaces and accents, so these count as the same. It does not
take one digit for another, or move a decimal mark.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from anyascii import anyascii
from rapidfuzz.fuzz import partial_ratio

from inference.invoice import Kind

# Letters that are read for digits and the other way round, each group as one of it.
_LOOK_ALIKE = str.maketrans("OoQDIilj|!SsBZzGbgq", "0000111111558226699")
_NUMBER = re.compile(r"\d(?:[.,'’]?\d)*")
# A word of digits, marks and letters that are read for digits.
_FIGURE = re.compile(r"(?=.*\d)[\dOoQDIilj|!SsBZzGbgq.,'’()+\-]+")
_CODE = re.compile(r"(?<![A-Z])[A-Z]{3}(?![A-Z])")
_FIGURES = (Kind.AMOUNT, Kind.QUANTITY, Kind.PERCENT)
LEAST_ALIKE = 75
"""Of 100, for names: recognition may drop a letter."""


class _Skeleton(NamedTuple):
    """Letters and digits of a text, look-alikes made one, and where each stands in it."""

    text: str
    origins: tuple[int, ...]


def same_words(said: str, seen: str, kind: Kind) -> bool:
    """Whether `seen` holds what is `said`, and not as a part of a longer number or word.

    What is said without any letter or digit that could be recognised counts as seen.
    """
    if kind in _FIGURES and any(char.isdigit() for char in said):
        return _numbers(said) <= _numbers(seen)
    if kind is Kind.CODE:
        # A currency may stand beside an amount; its sign is read for a letter.
        said = " ".join(_CODE.findall(said))
    ours, theirs = _skeleton(said), _skeleton(seen)
    if not ours.text or _unreadable(said):
        return True
    at = theirs.text.find(ours.text)
    while at >= 0:
        if _whole(seen, theirs, at, at + len(ours.text)):
            return True
        at = theirs.text.find(ours.text, at + 1)
    return kind is Kind.TEXT and partial_ratio(ours.text, theirs.text) >= LEAST_ALIKE


def _numbers(text: str) -> set[tuple[str, int]]:
    """The numbers in a text, each as its digits and how many of them stand after the last mark."""
    words = unicodedata.normalize("NFKC", text).split()
    plain = "".join(word.translate(_LOOK_ALIKE) if _FIGURE.fullmatch(word) else word for word in words)
    found = (match.group() for match in _NUMBER.finditer(plain))
    return {
        (re.sub(r"\D", "", one), len(re.split(r"\D", one)[-1]) if re.search(r"\D", one) else 0)
        for one in found
    }


def _skeleton(text: str) -> _Skeleton:
    letters: list[str] = []
    origins: list[int] = []
    for index, char in enumerate(text):
        for plain in anyascii(unicodedata.normalize("NFKC", char)).translate(_LOOK_ALIKE).upper():
            if plain.isalnum():
                letters.append(plain)
                origins.append(index)
    return _Skeleton("".join(letters), tuple(origins))


def _whole(text: str, skeleton: _Skeleton, start: int, end: int) -> bool:
    """Whether neither a digit goes on before or after digits, nor a letter before or after letters."""
    first, last = skeleton.origins[start], skeleton.origins[end - 1]
    before, after = text[first - 1 : first], text[last + 1 : last + 2]
    return not (_goes_on(before, text[first]) or _goes_on(after, text[last]))


def _goes_on(beside: str, edge: str) -> bool:
    return bool(beside) and ((beside.isdigit() and edge.isdigit()) or (beside.isalpha() and edge.isalpha()))


def _unreadable(text: str) -> bool:
    """Whether it is in an alphabet that is not recognised: anything but Latin and Chinese letters."""
    return any(char.isalpha() and not _recognised(char) for char in text)


def _recognised(char: str) -> bool:
    name = unicodedata.name(char, "")
    return name.startswith(("LATIN", "CJK", "FULLWIDTH LATIN", "HIRAGANA", "KATAKANA"))
