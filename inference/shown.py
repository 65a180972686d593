"""What a page shows where its text layer has a value.

A PDF may hold words that nobody sees (drawn invisibly, in the colour of the paper, under a picture, cut off), and fonts
whose letters are other ones than they claim to be. Readers take the words, people see the picture. So before anything is
filled the places of its values are looked at: each needs ink, and what decides a bill is read again from the picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inference.checks import page_shows
from inference.confidence import FAILED_CHECK
from inference.invoice import HEADER, LINE, VAT
from inference.resemblance import same_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from PIL.Image import Image

    from inference.document import Document
    from inference.invoice import Box, Field, Kind, Reading, Row
    from inference.page import Page, Token

READ_AGAIN: Mapping[str, str] = {
    "invoice_number": "invoice number",
    "issue_date": "date of issue",
    "due_date": "due date",
    "currency": "currency",
    "seller_name": "seller",
    "seller_vat_id": "seller's VAT id",
    "seller_tax_id": "seller's tax number",
    "payment_account": "payment account",
    "payment_reference": "payment reference",
    "purchase_order_reference": "order number",
    "total_without_vat": "net total",
    "total_vat": "total VAT",
    "total_with_vat": "total",
    "amount_due": "amount due",
}
"""What is read again from the picture, and what people call it. Lines need ink only: they add up to the totals."""
PDF, OFD = "application/pdf", "application/ofd"
DPI, WHOLE_DPI = 150, 200
LEAST_CONTRAST = 40
"""Of 255, in any colour; pale grey print has 100."""
LEAST_POINTS, LEAST_PIXELS = 3.0, 5
"""Height of words below which nobody reads them."""
MOST_ELONGATED = 60
"""Breadth by height of a strip that is read; a line of print across a page has 50."""
ASIDE = 0.6
"""How far beside the words is read too, as a share of their height: a value may be part of a longer one."""
MOST_PAGES = 2
"""Pages that are read as a whole where a strip says something else."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _Claim:
    """A value of the text layer, and where it stands: in `table` (empty for the header), row `row`."""

    name: str
    kind: Kind
    text: str
    page: int
    box: Box
    table: str = ""
    row: int = 0

    @property
    def key(self) -> tuple[str, int, str]:
        return self.table, self.row, self.name

    @property
    def called(self) -> str:
        name = READ_AGAIN.get(self.name, self.name.replace("_", " "))
        where = {"lines": "line", "vat": "VAT row"}.get(self.table)
        return f"{name} of {where} {self.row + 1}" if where else name

    @property
    def decides(self) -> bool:
        return not self.table and self.name in READ_AGAIN


def looked_at(reading: Reading, document: Document) -> Reading:
    """The Reading with the Check `page_shows`, and doubts on the values that the pages do not show.

    Not applicable where no value is from a text layer. Costs as much as reading the document once or twice more: a strip
    is recognised for each of the values of `READ_AGAIN`, and a page as a whole where a strip says something else.
    """
    pages = {page.number: page for page in document.pages} if document.mime in (PDF, OFD) else {}
    claims = [
        _as_printed(claim, tokens)
        for claim in _claims(reading)
        if claim.page in pages and (tokens := _of_layer(claim, pages[claim.page]))
    ]
    # An OFD is drawn from its words, with fonts of this machine: to read them again would prove nothing.
    wrong = _contradicted(claims, pages, read=document.mime == PDF)
    said = page_shows(list(wrong.values())[:1], asked=bool(claims))
    return replace(
        reading,
        fields=_doubted("", 0, reading.fields, wrong),
        lines=tuple(_doubted("lines", i, row, wrong) for i, row in enumerate(reading.lines)),
        vat_breakdown=tuple(_doubted("vat", i, row, wrong) for i, row in enumerate(reading.vat_breakdown)),
        checks=(*reading.checks, said),
    )


def _claims(reading: Reading) -> Iterator[_Claim]:
    yield from _of_row("", 0, reading.fields, {name: term.kind for name, term in HEADER.items()})
    kinds = {name: term.kind for name, term in LINE.items()}
    for position, row in enumerate(reading.lines):
        yield from _of_row("lines", position, row, kinds)
    kinds = {name: term.kind for name, term in VAT.items()}
    for position, row in enumerate(reading.vat_breakdown):
        yield from _of_row("vat", position, row, kinds)


def _of_row(table: str, position: int, row: Row, kinds: Mapping[str, Kind]) -> Iterator[_Claim]:
    for name, found in row.items():
        for proof in found.evidence:
            if proof.page is not None and proof.box is not None and proof.text:
                yield _Claim(name, kinds[name], proof.text, proof.page, proof.box, table, position)


def _of_layer(claim: _Claim, page: Page) -> list[Token]:
    """The words of the text layer that stand there: recognised words and codes were seen on the picture already."""
    return [token for token in page.tokens if token.score == 1.0 and _within(token.box, claim.box)]


def _as_printed(claim: _Claim, tokens: Iterable[Token]) -> _Claim:
    """With the marks that touch it in the text layer, among them its sign: amounts are looked for without."""
    words = r"\s*".join(map(re.escape, claim.text.split()))
    found = re.search(rf"[^\w\s]*{words}[^\w\s]*", " ".join(token.text for token in tokens))
    return replace(claim, text=found.group()) if found else claim


def _contradicted(
    claims: Iterable[_Claim], pages: Mapping[int, Page], *, read: bool
) -> dict[tuple[str, int, str], str]:
    """A sentence for each value that a page does not show, page by page since each is drawn once; where they are not to
    be `read`, each needs ink only."""
    wrong: dict[tuple[str, int, str], str] = {}
    whole = 0
    for number in sorted({claim.page for claim in claims}):
        page, drawn = pages[number], pages[number].image(DPI)
        strips: list[tuple[_Claim, Image]] = []
        for claim in (one for one in claims if one.page == number):
            strip = _strip(claim, page, drawn)
            if strip is None:
                wrong[claim.key] = (
                    f"The file has “{_clip(claim.text)}” as the {claim.called} in words that the page does not show."
                )
            elif read and claim.decides:
                strips.append((claim, strip))
        differing = _differing(strips)
        if differing and whole < MOST_PAGES:
            whole += 1
            differing = _differing_on_page(differing, page)
        for claim, seen in differing:
            said = f"The file has “{_clip(claim.text)}” as the {claim.called}, but page {number} shows"
            wrong[claim.key] = (
                f"{said} “{_clip(seen)}” there." if seen.strip() else f"{said} something else there."
            )
    return wrong


def _strip(claim: _Claim, page: Page, drawn: Image) -> Image | None:
    """The words as drawn, with a little of what stands beside them; None where nobody could read them."""
    x0, y0, x1, y1 = (
        claim.box.x0 * drawn.width,
        claim.box.y0 * drawn.height,
        claim.box.x1 * drawn.width,
        claim.box.y1 * drawn.height,
    )
    high = y1 - y0
    if (claim.box.y1 - claim.box.y0) * page.height < LEAST_POINTS or high < LEAST_PIXELS or x1 - x0 < 1:
        return None
    inner = drawn.crop((int(x0), int(y0 + high / 5), int(x1) + 1, int(y1 - high / 5) + 1))
    if all(most - least < LEAST_CONTRAST for least, most in inner.getextrema()):  # type: ignore[misc]
        return None
    margin = ASIDE * high
    return drawn.crop(
        (
            max(0, int(x0 - margin)),
            max(0, int(y0 - high / 10)),
            min(drawn.width, int(x1 + margin) + 1),
            min(drawn.height, int(y1 + high / 10) + 1),
        )
    )


def _differing(strips: list[tuple[_Claim, Image]]) -> list[tuple[_Claim, str]]:
    if not strips:
        return []
    from inference.ocr import read_strips

    # The same words may stand for several values; a strip of a whole paragraph is left to the look at the page.
    places = {claim.box: strip for claim, strip in strips if strip.width <= MOST_ELONGATED * strip.height}
    seen = dict(zip(places, read_strips(list(places.values())), strict=True))
    texts = [(claim, seen.get(claim.box, "")) for claim, _ in strips]
    return [(claim, text) for claim, text in texts if not same_words(claim.text, text, claim.kind)]


def _differing_on_page(differing: list[tuple[_Claim, str]], page: Page) -> list[tuple[_Claim, str]]:
    """Those that recognition of the whole page, which sees where a line begins and ends, does not find there either."""
    from inference.ocr import recognise

    tokens, turn = recognise(page.image(WHOLE_DPI))
    if turn.quarters or turn.tilt:
        return differing
    left: list[tuple[_Claim, str]] = []
    for claim, strip in differing:
        box = claim.box
        aside = ASIDE * (box.y1 - box.y0) * page.height / page.width
        around = box._replace(x0=box.x0 - aside, x1=box.x1 + aside)
        seen = " ".join(token.text for token in tokens if _touch(token.box, around))
        if not same_words(claim.text, seen, claim.kind):
            left.append((claim, seen or strip))
    return left


def _doubted(
    table: str, position: int, row: Row, wrong: Mapping[tuple[str, int, str], str]
) -> dict[str, Field]:
    return {
        name: found.doubted(FAILED_CHECK, wrong[table, position, name])
        if (table, position, name) in wrong
        else found
        for name, found in row.items()
    }


def _within(inner: Box, outer: Box) -> bool:
    x, y = (inner.x0 + inner.x1) / 2, (inner.y0 + inner.y1) / 2
    within = outer.x0 <= x <= outer.x1 and outer.y0 <= y <= outer.y1
    x, y = (outer.x0 + outer.x1) / 2, (outer.y0 + outer.y1) / 2
    return within or (inner.x0 <= x <= inner.x1 and inner.y0 <= y <= inner.y1)


def _touch(one: Box, other: Box) -> bool:
    """Whether they share more than half of the lower one's height, and some breadth."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    down = min(one.y1, other.y1) - max(one.y0, other.y0)
    return across > 0 and down > 0.5 * min(one.y1 - one.y0, other.y1 - other.y0)


def _clip(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SHOWN else words[: _SHOWN - 1] + "…"
