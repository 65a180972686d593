"""What the model says of a page, each value with its place there: what stands nowhere on the page proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inference.invoice import HEADER, LINE, VAT, Evidence, Field, Term, Value
from inference.readers.vlm.confidence import Signs
from inference.readers.vlm.schema import DOCUMENT_TYPE, HEADER_KEYS, LINE_KEYS, VAT_KEYS
from inference.readers.vlm.values import Conventions, unit_in, values_of

if TYPE_CHECKING:
    from inference.grounding import Finder, Found
    from inference.invoice import Reading
    from inference.readers.vlm.answer import Answer
    from inference.readers.vlm.certainty import Certainty

LINE_REACH = 0.04
"""How far below or above its name, as a fraction of the page, the figures of a line may stand."""

_ANCHORS = ("item_name", "item_seller_id", "line_net_amount", "line_total_with_vat")
_TAX_ANCHORS = ("vat_amount", "taxable_amount")


@dataclass(frozen=True, slots=True)
class Said:
    """A value that the model wrote for a page, as printed (`raw`), and where it stands there, if anywhere."""

    value: Value
    raw: str
    page: int
    evidence: Evidence | None = None
    certainty: Certainty | None = None
    ambiguous: bool = False
    two_ways: bool = False
    seen_again: bool = False

    def signs(self, *, placed: bool = False, layout: float | None = None, checks: int = 0) -> Signs:
        """What speaks for it; `placed` where another Reader found its place, see Signs for the others."""
        return Signs(
            self.certainty,
            placed or self.evidence is not None,
            self.ambiguous and not placed,
            self.two_ways,
            self.seen_again,
            layout,
            checks,
        )


SaidRow = Mapping[str, Said]


@dataclass(frozen=True, slots=True)
class PageSaid:
    """All that the model says of one page. `complete` is False where lines are missing."""

    page: int
    header: SaidRow
    taxes: tuple[SaidRow, ...] = ()
    lines: tuple[SaidRow, ...] = ()
    complete: bool = True


class Placer:
    """Gives the values of one page's answer their types and places."""

    def __init__(self, page: int, finder: Finder, conventions: Conventions, layout: Reading) -> None:
        self._page, self._finder, self._conventions = page, finder, conventions
        self._near = {name: _place_on(page, found) for name, found in layout.fields.items()}

    def placed(self, answer: Answer, certainties: Mapping[str, Certainty]) -> PageSaid:
        """The answer with types and places; values that are none of their kind are left out."""
        above: Evidence | None = None
        lines: list[SaidRow] = []
        for index, row in enumerate(answer.lines):
            said = self._row(_with_unit(row), LINE, LINE_KEYS, f"lines[{index}].", certainties)
            line, anchor = self._on_row(said, LINE, _ANCHORS, above)
            above = anchor or above
            lines.append(line)
        taxes: list[SaidRow] = []
        for index, row in enumerate(answer.taxes):
            said = self._row(row, VAT, VAT_KEYS, f"taxes[{index}].", certainties)
            taxes.append(self._on_row(said, VAT, _TAX_ANCHORS, None)[0])
        return PageSaid(
            self._page,
            self.header(answer.header, certainties),
            tuple(row for row in taxes if row),
            tuple(row for row in lines if row),
            answer.complete,
        )

    def header(self, texts: Mapping[str, str], certainties: Mapping[str, Certainty]) -> SaidRow:
        """Header values by Term."""
        found: dict[str, Said] = {}
        for key, name in HEADER_KEYS.items():
            if name in texts and (said := self._header_value(HEADER[name], texts[name])):
                found[name] = _sure(said, certainties.get(key))
        return found

    def _header_value(self, term: Term, raw: str) -> Said | None:
        values = values_of(term, raw, self._conventions)
        if term.name == DOCUMENT_TYPE:
            return Said(values[0], raw, self._page) if values else None
        near = self._near.get(term.name)
        placed = [
            (value, place) for value in values if (place := self._finder.find(value, term.kind, near=near))
        ]
        return self._said(raw, values, placed)

    def _said(self, raw: str, values: tuple[Value, ...], placed: list[tuple[Value, Found]]) -> Said | None:
        if not values:
            return None
        if not placed:
            return Said(values[0], raw, self._page, two_ways=len(values) > 1)
        value, place = placed[0]
        return Said(
            value,
            raw,
            self._page,
            place.evidence,
            ambiguous=place.ambiguous,
            two_ways=len(placed) > 1,
        )

    def _row(
        self,
        row: Mapping[str, str],
        terms: Mapping[str, Term],
        keys: Mapping[str, str],
        path: str,
        certainties: Mapping[str, Certainty],
    ) -> dict[str, Said]:
        """A row's values without their places."""
        found: dict[str, Said] = {}
        for key, name in keys.items():
            if name not in row:
                continue
            values = values_of(terms[name], row[name], self._conventions)
            if said := self._said(row[name], values, []):
                found[name] = _sure(said, certainties.get(path + key))
        return found

    def _on_row(
        self,
        row: SaidRow,
        terms: Mapping[str, Term],
        anchors: tuple[str, ...],
        above: Evidence | None,
    ) -> tuple[SaidRow, Evidence | None]:
        """The row with places near its anchor, the rarest of its values; elsewhere they are another row's."""
        anchor = self._anchor(row, terms, anchors, above)
        if anchor is None or anchor.box is None:
            return row, None
        found: dict[str, Said] = {}
        for name, said in row.items():
            values = values_of(terms[name], said.raw, self._conventions)
            placed: list[tuple[Value, Found]] = []
            for value in values:
                place = self._finder.find(value, terms[name].kind, near=anchor)
                if place and place.evidence.box and _beside(place.evidence, anchor):
                    placed.append((value, place))
            again = self._said(said.raw, values, placed)
            found[name] = _sure(again, said.certainty) if again else said
        return found, anchor

    def _anchor(
        self, row: SaidRow, terms: Mapping[str, Term], anchors: tuple[str, ...], above: Evidence | None
    ) -> Evidence | None:
        best: tuple[int, Evidence] | None = None
        for name in anchors:
            said = row.get(name)
            place = self._finder.find(said.value, terms[name].kind, below=above) if said else None
            if place and (best is None or place.places < best[0]):
                best = (place.places, place.evidence)
        return best[1] if best else None


def _with_unit(row: Mapping[str, str]) -> Mapping[str, str]:
    """A unit that was written behind its quantity is one too."""
    if "unit" in row or "quantity" not in row or not (unit := unit_in(row["quantity"])):
        return row
    return {**row, "unit": unit}


def _sure(said: Said, certainty: Certainty | None) -> Said:
    return replace(said, certainty=certainty) if certainty else said


def _place_on(page: int, found: Field) -> Evidence | None:
    return next((proof for proof in found.evidence if proof.page == page and proof.box), None)


def _beside(place: Evidence, anchor: Evidence) -> bool:
    one, other = place.box, anchor.box
    if one is None or other is None or place.page != anchor.page:
        return False
    return max(one.y0 - other.y1, other.y0 - one.y1) <= LINE_REACH
