"""Several bills in one file: where, by the looks of its pages, the next one begins.

A page begins a bill only where much speaks for it: a number and a total of its own, the number before not mentioned,
and a page count that starts again, a blank page before it, or a title, date or seller of its own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from inference.invoice import PageRange, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from inference.document import Document
    from inference.page import Page, Token

SURE = 0.5
"""The confidence from which a number or total counts as the page's own."""
HEAD = 0.5
"""The share of the page, from the top, in which a bill gives its number."""
_TOTALS = ("total_with_vat", "amount_due")
_COUNTED = re.compile(
    r"(?:\b(?:page|seite|blatt|p[aá]gina|p[aá]g|strona|str|side|sida|blad|folha|fl|hoja|foglio|feuille)\b\s*[.:]?\s*"
    r"(?P<at>\d{1,3})(?:\s*(?:of|von|sur|de|di|van|z|ze|af|av|/|\|)\s*(?P<of>\d{1,3}))?(?![\d.,]))"
    r"|第\s*(?P<cn_at>\d{1,3})\s*[页頁](?:\s*[/,，]?\s*共\s*(?P<cn_of>\d{1,3}))?",
    re.IGNORECASE,
)


class Count(NamedTuple):
    """What a page says of its place: “Page 2 of 3”; `of` is None where only the page is counted."""

    at: int
    of: int | None


def bills_in(document: Document, read: Callable[[Document], Reading]) -> tuple[PageRange, ...]:
    """The pages of each bill that `document` seems to hold, with what speaks for it; empty where it is one.

    `read` reads a Document of some of the pages.
    """
    starts: list[tuple[int, str]] = []
    current = _first(document, read)
    for before, page in _neighbours(document.pages):
        if current is None or _goes_on(page, current):
            continue
        own = read(replace(document, pages=(page,), attached=()))
        if reason := _begins(before, page, own, current):
            starts.append((page.number, reason))
            current = own
    return _ranges(document, starts) if starts else ()


def page_count(tokens: Sequence[Token]) -> Count | None:
    """The place that a page gives itself, the most telling where it says several."""
    text = " ".join(token.text for token in tokens)
    counts = [
        Count(int(found["at"] or found["cn_at"]), int(of) if (of := found["of"] or found["cn_of"]) else None)
        for found in _COUNTED.finditer(text)
    ]
    believable = [count for count in counts if count.at >= 1 and (count.of is None or count.at <= count.of)]
    return max(believable, key=lambda count: count.of is not None, default=None)


def _first(document: Document, read: Callable[[Document], Reading]) -> Reading | None:
    """What the first page with words says of its bill; None where that has no number, so that nothing can differ."""
    page = next((page for page in document.pages if page.tokens), None)
    if page is None or len(document.pages) < 2:
        return None
    found = read(replace(document, pages=(page,), attached=()))
    return found if found.get("invoice_number") else None


def _neighbours(pages: Sequence[Page]) -> Iterator[tuple[Page, Page]]:
    """Each page with words after the first, and the one before it."""
    seen = False
    for index, page in enumerate(pages):
        if seen and page.tokens:
            yield pages[index - 1], page
        seen = seen or bool(page.tokens)


def _goes_on(page: Page, current: Reading) -> bool:
    """Whether the page says itself that it is no first page, or names the bill before it."""
    count = page_count(page.tokens)
    if count is not None and count.at > 1:
        return True
    number = r"[\W_]*".join(_folded(current.text("invoice_number")))
    text = " ".join(token.text for token in page.tokens).casefold()
    return re.search(rf"(?<!\w){number}(?!\w)", text) is not None


def _begins(before: Page, page: Page, own: Reading, current: Reading) -> str:
    """Why the page begins another bill, or an empty string."""
    number = own.get("invoice_number")
    if number is None or number.confidence < SURE or not _in_head(own):
        return ""
    totals = [found for name in _TOTALS if (found := own.get(name)) and found.confidence >= SURE]
    if not totals:
        return ""
    reasons: list[str] = []
    count = page_count(page.tokens)
    if count is not None and page_count(before.tokens) is not None:
        reasons.append("the pages are counted anew")
    if not before.tokens:
        reasons.append("a blank page stands before it")
    for name, said in (("issue_date", "another date"), ("seller_name", "another seller")):
        found, known = own.get(name), current.get(name)
        if (
            found
            and known
            and found.confidence >= SURE
            and _folded(str(found.value)) != _folded(str(known.value))
        ):
            reasons.append(said)
    if "document_type" in own and own.fields["document_type"].evidence:
        reasons.append("a title and a total of its own")
    if not reasons:
        return ""
    return f"number {number.value} instead of {current.text('invoice_number')}, {', '.join(reasons)}"


def _in_head(own: Reading) -> bool:
    boxes = [evidence.box for evidence in own.fields["invoice_number"].evidence if evidence.box]
    return any(box.y0 < HEAD for box in boxes)


def _folded(text: str | None) -> str:
    return "".join(char for char in (text or "").casefold() if char.isalnum())


def _ranges(document: Document, starts: list[tuple[int, str]]) -> tuple[PageRange, ...]:
    firsts = [(document.pages[0].number, "the first bill"), *starts]
    lasts = [number - 1 for number, _ in starts] + [document.pages[-1].number]
    return tuple(PageRange(first, last, reason) for (first, reason), last in zip(firsts, lasts, strict=True))
