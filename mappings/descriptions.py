"""Descriptions as a person would type them: what OCR and the page's rules leave around the words is taken away."""

from __future__ import annotations

import re
import unicodedata

from mappings.folding import one_line

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn"}
# Replacement character, box drawing, block elements, geometric shapes.
_DRAWN = re.compile(r"[\ufffd\u2500-\u257f\u2580-\u259f\u25a0-\u25ff]")
# Leaders and rules: three or more of one sign, or of a mixture of dots and lines.
_LEADERS = re.compile(r"[.·…_\-–—=~*•|:]{3,}|(?:[.·_] ){3,}")
_BAR = re.compile(r"[|¦]+")
_BULLETS = "•·‣◦∙▪▸►✓✔☐~_="
# A dash, star or dot before a word is litter only where it stands alone: "-20 °C" and "*医疗*" begin with one.
_HEAD = re.compile(rf"^(?:[{_BULLETS}]+|[-–—*.,:;!'`´]+(?=\s|$))\s*")
_TAIL = re.compile(rf"\s*(?:[{_BULLETS}]+|(?:(?<=\s)|^)[-–—*.,:;!'`´]+|[,;:]+)$")


def cleaned(text: str) -> str:
    """The text on one line without litter; letters and digits are never touched.

    Litter are control characters, drawn lines, leaders of dots, bars between columns, and bullets and stray signs at
    the ends. A text that is nothing else becomes empty. Cleaning a second time changes nothing.
    """
    kept = "".join(
        c if c in "\n\t" or unicodedata.category(c) not in _INVISIBLE else "" for c in one_line(text)
    )
    before = None
    while before != kept:
        before = kept
        for litter in (_DRAWN, _LEADERS, _BAR):
            kept = litter.sub(" ", kept)
        kept = _TAIL.sub("", _HEAD.sub("", one_line(kept)))
    return kept if any(c.isalnum() for c in kept) else ""
