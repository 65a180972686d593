"""The second look: doubtful header values are asked again, with only their part of the page, at full resolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inference.invoice import HEADER, Box, Evidence
from inference.readers.vlm.agreement import same
from inference.readers.vlm.answer import AnswerError, parse_values
from inference.readers.vlm.prompt import Language, harmless
from inference.readers.vlm.schema import HEADER_KEYS
from inference.vllm.client import Turn

if TYPE_CHECKING:
    from inference.invoice import Reading
    from inference.readers.vlm.asking import Asker, PageAnswer
    from inference.readers.vlm.certainty import Certainty
    from inference.readers.vlm.merge import Merged
    from inference.vllm.images import PageImage

MOST_CALLS = 2
MOST_TOKENS = 400
MARGIN = 0.03
"""What is shown around the places in question, as a fraction of the page."""

TOTALS = ("total_without_vat", "total_vat", "total_with_vat", "amount_due")
HEADS = (
    "invoice_number",
    "issue_date",
    "due_date",
    "seller_vat_id",
    "purchase_order_reference",
    "payment_account",
)
NEEDED = frozenset({"invoice_number", "issue_date", "total_with_vat"})
"""Without these nothing is filled: worth a look where only the layout Reader has them."""
_KEYS = {name: key for key, name in HEADER_KEYS.items()}

_ENGLISH = "This is a part of the page, enlarged. Read again, exactly as printed, and write “” for what it does not show:\n{keys}"
_CHINESE = "这是页面的局部放大图。请按原样重新抄录；图中没有的填 “”：\n{keys}"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Header Terms to ask again, and the part of the page that shows them."""

    page: int
    box: Box
    names: tuple[str, ...]

    def question(self, language: Language) -> str:
        """The words of the second question."""
        keys = "\n".join(f"{_KEYS[name]}: {HEADER[name].meaning}" for name in self.names)
        return (_CHINESE if language == "zh" else _ENGLISH).format(keys=keys)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its answer."""
        properties = {_KEYS[name]: {"type": "string"} for name in self.names}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }


def doubts(said: Merged, layout: Reading) -> tuple[Doubt, ...]:
    """What is worth a second look: values on which the Readers differ, that stand nowhere, or that are needed and only
    the layout Reader has; at most two parts of the document."""
    found: list[Doubt] = []
    for names in (TOTALS, HEADS):
        doubtful = tuple(name for name in names if _doubtful(name, said, layout))
        if not doubtful:
            continue
        places = [place for name in doubtful for place in _places(name, said, layout)]
        page = (
            places[0].page
            if places
            else max((said.header[n].page for n in doubtful if n in said.header), default=1)
        )
        boxes = [place.box for place in places if place.box and place.page == page]
        found.append(Doubt(page or 1, _around(boxes) if boxes else _usual(names), doubtful))
    return tuple(found[:MOST_CALLS])


async def look_again(
    asker: Asker, doubt: Doubt, crop: PageImage, first: PageAnswer, images: int
) -> tuple[Mapping[str, str], Mapping[str, Certainty]]:
    """The values, as printed, of a second look, by Term. Where a prompt may hold `images` of two, it goes on with the
    conversation about the page, so that only the crop is new to the server.

    Raises AnswerError, and what `Client.ask` raises.
    """
    turn = Turn("user", doubt.question(asker.language), (crop,))
    turns = [turn]
    if images > 1 and first.turns:
        asked, answered = first.turns
        turns = [asked, Turn("assistant", harmless(answered.text)), turn]
    told = await asker.ask(turns, doubt.schema(), MOST_TOKENS)
    if told.cut:
        raise AnswerError("the answer never ended")
    return parse_values(told.text, {_KEYS[name]: name for name in doubt.names}), told.certainties


def _doubtful(name: str, said: Merged, layout: Reading) -> bool:
    ours, theirs = said.header.get(name), layout.get(name)
    if ours is None:
        return theirs is not None and name in NEEDED
    if theirs is None:
        return ours.evidence is None
    return not same(HEADER[name], ours.value, theirs.value)


def _places(name: str, said: Merged, layout: Reading) -> list[Evidence]:
    ours, theirs = said.header.get(name), layout.get(name)
    places = [ours.evidence] if ours and ours.evidence else []
    return places + [proof for proof in (theirs.evidence if theirs else ()) if proof.box and proof.page]


def _around(boxes: list[Box]) -> Box:
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.union(box)
    # A value is read by its label, which stands to the left of it or above it.
    return Box(0.0, max(0.0, whole.y0 - 2 * MARGIN), 1.0, min(1.0, whole.y1 + MARGIN))


def _usual(names: tuple[str, ...]) -> Box:
    """Where values that nobody found are usually printed."""
    return Box(0.0, 0.4, 1.0, 1.0) if names is TOTALS else Box(0.0, 0.0, 1.0, 0.5)
