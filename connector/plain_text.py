"""Text of documents and mails as it is put before people: on the screen, in Odoo's chatter, in logs, on a terminal."""

from __future__ import annotations

import unicodedata

UNSEEN = "\ufffd"
# What looks like a line's end to a log, a terminal or a note: also the separators of Unicode.
_BREAKS = dict.fromkeys(map(ord, "\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"), " ")


def plain(text: str) -> str:
    """Text of a document with what would be invisible or turn the direction of writing made visible.

    Bidirectional controls and zero-width characters can make two different names look the same (Unicode TR 36).
    Soft hyphens go; joiners stay where a script needs them.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(text, at, char) for at, char in enumerate(text))


def one_line(text: str, most: int) -> str:
    """`plain` on one line of at most `most` characters: nothing in it can begin a line of its own."""
    words = plain(" ".join(text[: 4 * most].translate(_BREAKS).split()))
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def _visible(text: str, at: int, char: str) -> str:
    if char == "\xad":
        return ""
    if char in "\u200c\u200d" and at and ord(text[at - 1]) >= 0x0590:
        return char
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") and char not in "\t\n\r"
    return UNSEEN if hidden else char
