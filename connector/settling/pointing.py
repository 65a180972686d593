"""Where people pointed on the page for a value that was read wrong: what stands beside it teaches the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import structlog
from structlog.typing import FilteringBoundLogger

from connector.settling.edits import Place, SetValue
from inference.errors import DocumentError
from inference.invoice import Box
from inference.page import Token
from inference.readers.layout.hints import HINTED, label_beside
from mappings.folding import alnum
from mappings.layout_hints import layout_lesson

if TYPE_CHECKING:
    from connector.settling.approval import Approved
    from connector.settling.work import Work
    from mappings.erp_data import Record
    from mappings.index import ErpIndex
    from mappings.memory import Lesson

Words = Callable[[int], Sequence[Token] | None]
"""The words of a page (from 1) with their places; None where there is none. May raise DocumentError."""

log: FilteringBoundLogger = structlog.get_logger()


def labels(work: Work, made: Approved, words: Words) -> dict[str, str]:
    """By Term what stands beside the place of each corrected number and date of the header; only where the words at the
    place are those that were taken over."""
    last = {edit.target: edit for edit in work.edits if isinstance(edit, SetValue)}
    found: dict[str, str] = {}
    for one in made.corrections:
        edit, term = last.get(str(one["target"])), str(one["term"])
        if edit is None or edit.evidence is None or term not in HINTED:
            continue
        try:
            page = words(edit.evidence.page) or ()
        except DocumentError as error:
            log.warning("not learned where it stands", job=work.case.job.id, cause=str(error))
            continue
        if _stands_there(edit, edit.evidence, page) and (
            label := label_beside(page, Box(*edit.evidence.box))
        ):
            found[term] = label
    return found


def _stands_there(edit: SetValue, place: Place, page: Sequence[Token]) -> bool:
    x0, y0, x1, y1 = place.box
    inside = [
        word.text
        for word in page
        if x0 <= (word.box.x0 + word.box.x1) / 2 <= x1 and y0 <= (word.box.y0 + word.box.y1) / 2 <= y1
    ]
    text, value = alnum("".join(inside)), str(edit.value or "")
    if not text or text != alnum(place.text):
        return False
    return _is_day(value) or alnum(value) in text


def _is_day(value: str) -> bool:
    try:
        return bool(date.fromisoformat(value))
    except ValueError:
        return False


def lessons(
    pointed: Mapping[str, str], after: Record, index: ErpIndex, document: str, on: date
) -> Iterator[Lesson]:
    """The Lessons of an approved bill, about the vendor that it has now."""
    partner = after.values.get("partner_id")
    if not isinstance(partner, int):
        return
    vendor = index.commercial(partner)
    for term, label in pointed.items():
        lesson = layout_lesson(vendor, index.partner_name(vendor), term, label, document, on)
        if lesson is not None:
            yield lesson
