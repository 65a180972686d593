"""Characters put together into words in reading order, the same way for a text layer, OCR and OFD."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from inference.invoice import Box
from inference.page import Token
from inference.upright import turned_box

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A gap of this share of the character height ends a word: a space is about 0.25 em, kerning stays under 0.1.
WORD_GAP = 0.15
# Where the file is also thought to have a space there, less will do.
LIKELY_WORD_GAP = 0.1
# Compatibility forms that mean the plain character: ligatures, full and half width, radicals, mathematical letters.
# Superscripts and fractions are left alone: "19,00²" must not become "19,002".
_FOLDED = (
    (0x2E80, 0x2FDF),
    (0xF900, 0xFAFF),
    (0xFB00, 0xFB4F),
    (0xFF01, 0xFFEF),
    (0x1D400, 0x1D7FF),
)


class Character(NamedTuple):
    """One character, its box (x0, y0, x1, y1) in points on the page, and the direction its line is read in: quarter
    turns counter-clockwise from left-to-right (1 runs up the page, 2 stands on its head, 3 runs down). White space
    ends a word; no text at all stands for a place where a space is likely."""

    text: str
    box: tuple[float, float, float, float]
    direction: int = 0


def clean(text: str) -> str:
    """`text` without control, format, private-use and unassigned characters, compatibility forms made plain."""
    if text.isascii() and text.isprintable():
        return text
    kept = (_plain(char) for char in text if char != "\ufffd" and unicodedata.category(char)[0] != "C")
    return "".join(kept)


def _plain(char: str) -> str:
    code = ord(char)
    if any(first <= code <= last for first, last in _FOLDED):
        return unicodedata.normalize("NFKC", char)
    return char


def reading_direction(characters: Iterable[Character]) -> int:
    """The direction that most letters and digits are read in."""
    counts = Counter(character.direction for character in characters if character.text.isalnum())
    return counts.most_common(1)[0][0] if counts else 0


def words(characters: Iterable[Character], width: float, height: float) -> list[Token]:
    """The words of a page of `width` × `height` points, in reading order. Characters come as the file draws them.

    White space ends a word, and so does a gap, a new line or another direction.
    """
    found: list[list[Character]] = []
    widest = WORD_GAP
    for character in characters:
        if not character.text:
            widest = LIKELY_WORD_GAP
            continue
        if character.text.isspace():
            found.append([])
            continue
        # Words are put together with the page turned so that the line is read from left to right.
        level = character._replace(box=turned_box(character.box, -character.direction, width, height))
        if found and found[-1] and _continues(found[-1][-1], level, widest):
            found[-1].append(level)
        else:
            found.append([level])
        widest = WORD_GAP
    whole = _spaced_out_joined([word for word in found if word])
    tokens = (_token(word, width, height) for word in whole)
    return reading_order(_without_repeats(token for token in tokens if token is not None))


def _spaced_out_joined(found: Iterable[list[Character]]) -> list[list[Character]]:
    """Headings in s p a c e d   l e t t e r s are one word: four or more, evenly set, most of them letters."""
    whole: list[list[Character]] = []
    run: list[list[Character]] = []

    def flush() -> None:
        letters = [word[0] for word in run]
        spaced_out = len(run) >= 4 and 2 * sum(c.text.isalpha() for c in letters) > len(run)
        whole.extend([letters] if spaced_out else run)
        run.clear()

    for word in found:
        if run and not (len(word) == 1 and _evenly_set([single[0] for single in run[-2:]], word[0])):
            flush()
        if len(word) == 1:
            run.append(word)
        else:
            whole.append(word)
    flush()
    return whole


def _evenly_set(last: Sequence[Character], new: Character) -> bool:
    """Whether `new` stands on the line of `last`, less than its height away, at the distance that those have."""
    box, before = new.box, last[-1].box
    size = box[3] - box[1]
    if new.direction != last[-1].direction or abs(before[1] - box[1]) > 0.1 * size:
        return False
    steps = [b.box[0] - a.box[2] for a, b in pairwise([*last, new])]
    return 0 < steps[-1] < size and max(steps) - min(steps) < 0.25 * size


def _continues(last: Character, new: Character, widest: float) -> bool:
    if last.direction != new.direction:
        return False
    _, last_y0, last_x1, last_y1 = last.box
    new_x0, new_y0, _, new_y1 = new.box
    if new.box == last.box:
        return True  # the letters of a ligature share its box
    low, size = sorted((last_y1 - last_y0, new_y1 - new_y0))
    overlap = min(last_y1, new_y1) - max(last_y0, new_y0)
    if overlap < 0.5 * low:
        return False
    # Of two fonts the smaller one counts; a sign that has only its ink for a box does not.
    size = low if low > 0.55 * size else size
    return -0.5 * size < new_x0 - last_x1 < widest * size


def _token(word: Sequence[Character], width: float, height: float) -> Token | None:
    x0, y0 = min(c.box[0] for c in word), min(c.box[1] for c in word)
    x1, y1 = max(c.box[2] for c in word), max(c.box[3] for c in word)
    quarters = word[0].direction
    side = (height, width) if quarters % 2 else (width, height)
    x0, y0, x1, y1 = turned_box((x0, y0, x1, y1), quarters, *side)
    if not (0 <= x0 + x1 <= 2 * width and 0 <= y0 + y1 <= 2 * height):
        return None  # outside the page: nobody sees it
    box = Box(max(x0 / width, 0.0), max(y0 / height, 0.0), min(x1 / width, 1.0), min(y1 / height, 1.0))
    return Token("".join(c.text for c in word), box)


def _without_repeats(tokens: Iterable[Token]) -> list[Token]:
    """Some writers make bold by drawing a word twice, a hair apart: one of them is enough."""
    kept: dict[tuple[str, int, int], Token] = {}
    for token in tokens:
        column, row = round(token.box.x0 * 500), round(token.box.y0 * 500)
        near = ((token.text, column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        if not any(key in kept for key in near):
            kept[token.text, column, row] = token
    return list(kept.values())


def reading_order(tokens: Iterable[Token]) -> list[Token]:
    """Line by line from the top, each line from the left.

    A word belongs to the line whose last word it overlaps by half its height.
    """
    lines: list[list[Token]] = []
    for token in sorted(tokens, key=lambda t: (t.box.y0 + t.box.y1) / 2):
        middle = (token.box.y0 + token.box.y1) / 2
        # The lines are sorted by height, so only the last few can still take a word.
        for line in reversed(lines[-4:]):
            tallest = max(line, key=lambda t: t.box.y1 - t.box.y0).box
            own = token.box.y1 - token.box.y0
            overlap = min(tallest.y1, token.box.y1) - max(tallest.y0, token.box.y0)
            if overlap >= 0.5 * min(own, tallest.y1 - tallest.y0) and abs(
                middle - (line[0].box.y0 + line[0].box.y1) / 2
            ) < 0.6 * max(own, line[0].box.y1 - line[0].box.y0):
                line.append(token)
                break
        else:
            lines.append([token])
    return [token for line in lines for token in sorted(line, key=lambda t: t.box.x0)]


def merged(first: Sequence[Token], second: Iterable[Token]) -> list[Token]:
    """`first`, and of `second` what stands nowhere on it, in reading order."""
    return reading_order(
        [*first, *(token for token in second if not any(_shares_place(token, one) for one in first))]
    )


def _shares_place(one: Token, other: Token) -> bool:
    """Whether the middle of either is within the other."""
    return _within(one.box, other.box) or _within(other.box, one.box)


def _within(inner: Box, outer: Box) -> bool:
    x, y = (inner.x0 + inner.x1) / 2, (inner.y0 + inner.y1) / 2
    return outer.x0 <= x <= outer.x1 and outer.y0 <= y <= outer.y1
