"""Sentences that the code writes in English, in another language: told again by their patterns.

The ledger keeps reasons and Checks as sentences. A pattern such as `The {label} could not be read.` knows one again, and
what stands in its braces is put over into the other language's sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

PLACE = re.compile(r"\{(\w+)\}")
LONGEST = 1000
DEPTH = 6
"""Sentences within sentences that are put over."""
MOST_TRIES = 150
"""Tries for one sentence; what takes more is shown as it is."""
MOST_PARTS = 8
"""Sentences one after the other, or parts of one, that are looked for: what a document prints could have any number."""
CODE = "_code"
"""A place whose name ends so holds the code of a country or a currency."""
TOLD = "_told"
"""A place whose name ends so must be known itself: a pattern of little else would fit everything."""
KEPT = 4096


@dataclass(frozen=True)
class Pattern:
    """A sentence's pattern and its text in another language; `start` is what every such sentence begins with."""

    start: str
    shape: re.Pattern[str]
    text: str

    @classmethod
    def of(cls, english: str, text: str) -> Pattern:
        """Raises ValueError where the two do not have the same places."""
        if sorted(PLACE.findall(english)) != sorted(PLACE.findall(text)):
            raise ValueError(f"{english!r} and {text!r} do not have the same places")
        parts = PLACE.split(english)
        # What a sentence begins with may be missing, such as the line in front of a difference.
        shape = "".join(
            f"(?P<{part}>{_wanted(part, at == 1 and not parts[0])})" if at % 2 else re.escape(part)
            for at, part in enumerate(parts)
        )
        return cls(parts[0], re.compile(shape, re.DOTALL), text)


@dataclass(frozen=True, slots=True)
class _Effort:
    """How deep sentences may still stand within each other, and how many tries are `left` for all of them."""

    depth: int
    left: list[int]

    def worth(self) -> bool:
        self.left[0] -= 1
        return self.depth > 0 and self.left[0] > 0

    def deeper(self) -> _Effort:
        return _Effort(self.depth - 1, self.left)


def _wanted(place: str, may_be_missing: bool) -> str:
    if place.endswith(CODE):
        return "[A-Z]{2,3}"
    return ".*?" if may_be_missing else ".+?"


@dataclass(frozen=True)
class Sentences:
    """The patterns of one language, and words that stand in their places. Safe to share between threads."""

    patterns: tuple[Pattern, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    _kept: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Sentences:
        """From a file of `locales/sentences`: the more of a pattern is fixed, the sooner it is tried."""
        known: Mapping[str, str] = node.get("sentences", {})
        order = sorted(known, key=lambda english: -len(PLACE.sub("", english)))
        return cls(tuple(Pattern.of(english, known[english]) for english in order), node.get("words", {}))

    def say(self, sentence: str) -> str:
        """The sentence in this language; as it is where no pattern knows it."""
        if not self.patterns or len(sentence) > LONGEST:
            return sentence
        known = self._kept.get(sentence)
        if known is None:
            known = self.find(sentence) or sentence
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[sentence] = known
        return known

    def find(self, sentence: str) -> str | None:
        """The sentence in this language, or several one after the other; None where no pattern knows them."""
        return self._find(sentence, _Effort(DEPTH, [MOST_TRIES]))

    def _find(self, sentence: str, effort: _Effort) -> str | None:
        if not effort.worth():
            return None
        for end in islice(re.finditer(r"\.(?= )", sentence), MOST_PARTS):
            first = self._find(sentence[: end.end()], effort.deeper())
            if (
                first is not None
                # What follows stands beside it and not within it: it is no deeper.
                and (rest := self._find(sentence[end.end() + 1 :], effort)) is not None
            ):
                return first + self.words.get(" ", " ") + rest
        for pattern in self.patterns:
            found = pattern.shape.fullmatch(sentence) if sentence.startswith(pattern.start) else None
            if found and (told := self._filled(pattern, found.groupdict(), effort)) is not None:
                return told
        return None

    def _filled(self, pattern: Pattern, places: Mapping[str, str], effort: _Effort) -> str | None:
        """The other language's sentence, None where a place that must be told again is not known."""
        filled: dict[str, str] = {}
        for name, value in places.items():
            told = self._told(value, effort.deeper())
            if told is None and name.endswith(TOLD):
                return None
            filled[name] = value if told is None else told
        return pattern.text.format(**filled)

    def _told(self, value: str, effort: _Effort) -> str | None:
        """A word, a sentence, a part of one, or several parts; None where it is not known."""
        if value in self.words:
            return self.words[value]
        if value.endswith(": "):
            # What a sentence begins with, such as the line that it is about.
            return (self._told(value[:-2], effort) or value[:-2]) + self.words.get(": ", ": ")
        if (whole := self._find(value, effort)) is not None:
            return whole
        if (inner := self._find(f"{value}.", effort)) is not None:
            return inner.rstrip("。.")
        for joint in ("; ", ", ", " and "):
            parts = value.split(joint)
            if 1 < len(parts) <= MOST_PARTS:
                known = [told for part in parts if (told := self._told(part, effort.deeper())) is not None]
                if len(known) == len(parts):
                    return self.words.get(joint, joint).join(known)
        return None
