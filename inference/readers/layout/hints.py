"""Labels that people pointed at on a seller's papers, which the lexicon does not have, and where values stand by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from inference.invoice import Box
from inference.page import Token
from inference.readers import Hint
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import DATE_TERMS, IDENTIFIER_TERMS, Context, best_of, labelled_findings
from inference.readers.layout.labels import find_phrases
from inference.readers.layout.lexicon import Meaning, Phrases, fold
from inference.readers.layout.rows import Sheet

HINTED = (*IDENTIFIER_TERMS, *DATE_TERMS)
"""Of these a label tells which is which; amounts are told apart by what they add up to."""

ONCE, SURE = 0.80, 0.97
"""The most that a value is worth where a person pointed so once, and more often."""

SHORTEST_ID, SHORTEST_NAME, SHORTEST_LABEL = 8, 6, 3
MOST_WORDS = 5
WORD_GAP, LINE_GAP = 1.2, 3.0
"""In heights of the value: words further apart are of different columns; a label stands so far above at most."""


def hinted(context: Context, hints: Iterable[Hint]) -> dict[str, tuple[Finding, float, str]]:
    """By term the finding that the hints for these papers lead to, the most that it is worth, and why."""
    found: dict[str, tuple[Finding, float, str]] = {}
    for hint in hints:
        if (
            hint.term not in HINTED
            or len(fold(hint.label)) < SHORTEST_LABEL
            or not _is_of(context.sheet, hint)
        ):
            continue
        phrases: Phrases = {fold(hint.label): (Meaning(hint.term, 1.0),)}
        labels = {row.index: find_phrases(row, phrases) for row in context.sheet.rows}
        best = best_of([f for f in labelled_findings(replace(context, labels=labels)) if f.term == hint.term])
        worth = SURE if hint.sure else ONCE
        if best and worth > found.get(hint.term, (best, 0.0, ""))[1]:
            times = "before" if hint.sure else "once"
            found[hint.term] = best, worth, f"It stands by “{hint.label}”, where you pointed {times}."
    return found


def _is_of(sheet: Sheet, hint: Hint) -> bool:
    """Whether something that the seller's papers are known by stands on these."""
    known = [fold(text) for text in hint.sellers]
    rows = [fold(row.text) for row in sheet.rows]
    long_enough = [text for text in known if len(text) >= (SHORTEST_NAME if text.isalpha() else SHORTEST_ID)]
    return any(text in row for text in long_enough for row in rows)


def label_beside(words: Sequence[Token], box: Box) -> str:
    """The words left of a place on a page, else those above it, without the colon; empty where there are none.

    `words` are those of the page, `box` is where the value stands, both in fractions of it.
    """
    height = max(box.y1 - box.y0, 1e-6)
    left = [word for word in words if word.box.x1 <= box.x0 + height / 4 and _overlap(word.box, box) > 0.5]
    if text := _label(_runs(left, height)[-1:]):
        return text
    above = [
        word
        for word in words
        if word.box.y1 <= box.y0 + height / 4
        and box.y0 - word.box.y1 < LINE_GAP * height
        and word.box.x0 < box.x1
        and word.box.x1 > box.x0
    ]
    lowest = max(above, key=lambda word: word.box.y1, default=None)
    if lowest is None:
        return ""
    line = [word for word in words if _overlap(word.box, lowest.box) > 0.5]
    return _label([run for run in _runs(line, height) if lowest in run])


def _overlap(one: Box, other: Box) -> float:
    """How much of the lower of the two heights is shared."""
    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
    return shared / max(min(one.y1 - one.y0, other.y1 - other.y0), 1e-6)


def _runs(words: Iterable[Token], height: float) -> list[list[Token]]:
    """The words of a line, parted where they are far apart or a colon ends a label."""
    runs: list[list[Token]] = []
    for word in sorted(words, key=lambda word: word.box.x0):
        last = runs[-1][-1] if runs else None
        if last is None or word.box.x0 - last.box.x1 > WORD_GAP * height or last.text.endswith((":", "：")):
            runs.append([])
        runs[-1].append(word)
    return runs


def _label(runs: Sequence[Sequence[Token]]) -> str:
    """A run as a label: its last words, without the colon."""
    text = " ".join(word.text for run in runs for word in run[-MOST_WORDS:]).strip(" :：.")
    return text if sum(c.isalpha() for c in text) >= SHORTEST_LABEL else ""
