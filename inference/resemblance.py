"""Whether words recognised on a picture are the words that a file says stand there.

Recognition takes letters for digits that look alike and drops spaces and accents, so these count as the same. It does not
take one digit for another, move a decimal mark, or lose a sign.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import NamedTuple

from anyascii import anyascii
from rapidfuzz.fuzz import partial_ratio

from inference.invoice import Kind

# Letters that are read for digits and the other way round, each group as one of it.
_LOOK_ALIKE = str.maketrans("OoQDIilj|!SsBZzGbgq", "0000111111558226699")
# Words are set apart by a blank; within a number recognition makes them up.
_NUMBER = re.compile(r"\d(?: *[.,'’]? *\d)*")
# What a minus is printed with, and what it is read for before a figure.
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−﹣一~", "-"))
# What stands before and after the digits of a number that is negative: with the sign of a currency between them or not.
_MONEY = r"(?:(?:[^\W\d_]{1,3}|[€$£¥₹]) ?)?"
_MINUS = re.compile(rf"(?<!\d)(?:-|\(-\)){_MONEY}$|\( ?{_MONEY}$")
_PERHAPS_MINUS = re.compile(rf"- +{_MONEY}$|\d-$")
_AFTER_MINUS = re.compile(r"-(?!\w)| ?(?:CR|Cr)\b")
_BRACKET = re.compile(rf" ?{_MONEY}\)")
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
        theirs_by_digits = _numbers(seen)
        return all(
            any(_same_sign(one, other) for other in theirs_by_digits.get(digits, ()))
            for digits, ours_of_them in _numbers(said).items()
            for one in ours_of_them
        )
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


class _Sign(Enum):
    """Whether a number is printed as a negative one; a dash set apart from it may be a minus or not."""

    PLUS = "plus"
    MINUS = "minus"
    PERHAPS = "perhaps"


def _same_sign(said: _Sign, seen: _Sign) -> bool:
    """What is said with a dash is shown with one; the picture may have a dash beside the number that is no sign."""
    return seen is _Sign.PERHAPS or (seen is _Sign.PLUS) == (said is _Sign.PLUS)


def _numbers(text: str) -> dict[tuple[str, int], set[_Sign]]:
    """The numbers in a text, each as its digits and how many of them stand after the last mark, with its signs."""
    words = unicodedata.normalize("NFKC", text).translate(_DASHES).split()
    plain = " ".join(word.translate(_LOOK_ALIKE) if _FIGURE.fullmatch(word) else word for word in words)
    found: dict[tuple[str, int], set[_Sign]] = {}
    for match in _NUMBER.finditer(plain):
        one = match.group().replace(" ", "")
        places = len(re.split(r"\D", one)[-1]) if re.search(r"\D", one) else 0
        sign = _sign(plain[: match.start()], plain[match.end() :], bracketed=places > 0)
        found.setdefault((re.sub(r"\D", "", one), places), set()).add(sign)
    return found


def _sign(before: str, after: str, *, bracketed: bool) -> _Sign:
    """The sign of a number by what stands around its digits; a whole number in brackets is a remark."""
    minus = _MINUS.search(before)
    if minus and minus.group()[0] == "(" and "-" not in minus.group():
        minus = bracketed and _BRACKET.match(after)
    if minus or _AFTER_MINUS.match(after):
        return _Sign.MINUS
    return _Sign.PERHAPS if _PERHAPS_MINUS.search(before) else _Sign.PLUS


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
