"""Sentences that the code writes in English, in another language: told again by their patterns.

The ledger keeps reasons and Checks as sentences. A pattern such as `The {label} could not be read.` knows one again, and
what stands in its braces is put over into the other language's sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PLACE = re.compile(r"\{(\w+)\}")
LONGEST = 2000
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
            f"(?P<{part}>{'.*?' if at == 1 and not parts[0] else '.+?'})" if at % 2 else re.escape(part)
            for at, part in enumerate(parts)
        )
        return cls(parts[0], re.compile(shape, re.DOTALL), text)


@dataclass(frozen=True)
class Sentences:
    """The patterns of one language, and words that stand in their places. Safe to share between threads."""

    patterns: tuple[Pattern, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    _kept: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Sentences:
        """From a file of `locales/sentences`: the more of a pattern is fixed, the sooner it is tried."""
        found = [Pattern.of(english, text) for english, text in node.get("sentences", {}).items()]
        found.sort(key=lambda one: -len(PLACE.sub("", one.shape.pattern)))
        return cls(tuple(found), node.get("words", {}))

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
        """The sentence in this language, None where no pattern knows it."""
        for pattern in self.patterns:
            found = pattern.shape.fullmatch(sentence) if sentence.startswith(pattern.start) else None
            if found:
                return pattern.text.format(
                    **{name: self._put(value) for name, value in found.groupdict().items()}
                )
        return None

    def _put(self, value: str) -> str:
        if value in self.words:
            return self.words[value]
        if value.endswith(": "):
            # What a sentence begins with, such as the line that it is about.
            return self._put(value[:-2]) + self.words.get(": ", ": ")
        if (whole := self.find(value)) is not None:
            return whole
        inner = self.find(f"{value}.")
        return inner.rstrip("。.") if inner else value
