"""Whether a value read is the value that is really there: the agreed metric, value by value.

Amounts may differ by half a cent; dates must be the same day; identifiers and codes are compared without case,
signs, leading zeros and a country's two letters; names by containment or likeness, because a legal form or a second
line may be left out. A line is right when its amount (± 0.01), its quantity (± 0.001) and its description agree.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher

from inference.invoice import Kind

CENT, HALF_CENT, THOUSANDTH = Decimal("0.01"), Decimal("0.005"), Decimal("0.001")
NAME_LIKENESS, ITEM_LIKENESS = 0.85, 0.6
# Shorter names are contained in others by chance; shorter identifiers may be nothing but two letters and digits.
LEAST_NAME, LEAST_IDENTIFIER = 4, 7

Line = Mapping[str, str]
"""The values of a line as plain strings, by the names of their Terms."""


def same(kind: Kind, truth: str, given: str) -> bool:
    """Whether `given` is right where `truth` is on the page; both as plain strings."""
    match kind:
        case Kind.AMOUNT | Kind.QUANTITY | Kind.PERCENT:
            return _near(truth, given, HALF_CENT)
        case Kind.DATE:
            return truth[:10] == given[:10]
        case Kind.IDENTIFIER | Kind.CODE:
            return _same_identifier(fold(truth).lstrip("0"), fold(given).lstrip("0"))
        case Kind.TEXT:
            return _same_name(fold(truth), fold(given))


def same_line(truth: Line, given: Line) -> bool:
    """Whether a line read is that line of the truth; what the truth does not say is not asked."""
    for name, tolerance in (("line_net_amount", CENT), ("quantity", THOUSANDTH)):
        if name in truth and not _near(truth[name], given.get(name, ""), tolerance):
            return False
    wanted, found = fold(truth.get("item_name", "")), fold(given.get("item_name", ""))
    if not wanted:
        return True
    return bool(found) and (found in wanted or wanted in found or _likeness(wanted, found) >= ITEM_LIKENESS)


def pair_lines(truth: Sequence[Line], given: Sequence[Line]) -> list[tuple[int, int]]:
    """Positions of the lines of the truth and the lines read that are right for them, each used once."""
    pairs: list[tuple[int, int]] = []
    left = list(range(len(given)))
    for wanted, line in enumerate(truth):
        found = next((place for place in left if same_line(line, given[place])), None)
        if found is not None:
            left.remove(found)
            pairs.append((wanted, found))
    return pairs


def fold(text: str) -> str:
    """Letters and digits only, without case and width."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in spread if letter.isalnum())


def _same_identifier(truth: str, given: str) -> bool:
    if truth == given:
        return True
    country = r"^[a-z]{2}"
    return len(truth) >= LEAST_IDENTIFIER and re.sub(country, "", truth) == re.sub(country, "", given)


def _same_name(truth: str, given: str) -> bool:
    if not truth or not given:
        return False
    short, long = sorted((truth, given), key=len)
    contained = len(short) >= LEAST_NAME and short in long
    return truth == given or contained or _likeness(truth, given) >= NAME_LIKENESS


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _near(truth: str, given: str, tolerance: Decimal) -> bool:
    one, other = _number(truth), _number(given)
    return one is not None and other is not None and abs(one - other) <= tolerance


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(" ", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
