"""The model and the layout Reader side by side: two who read the same thing in different ways, or who differ.

A value that both have, with its place on the page, may be sure. One that only one of them has is not, and one that
they read differently is doubted, with what the other one saw as its note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from rapidfuzz.fuzz import ratio, token_set_ratio

from inference.invoice import Field, Kind, Row, Term, Value, value_as_json
from inference.readers.vlm.confidence import ALONE, BY_HAND, DISPUTED, Calibration
from inference.readers.vlm.placing import Said, SaidRow
from inference.readers.vlm.schema import DOCUMENT_TYPE
from inference.textrow import fold

ALIKE = 90
"""Names and texts that share this much (0–100) are the same, read with a slip."""
_SHORTEST_PART = 4
NOWHERE_NOTE = "The model reads it, but it stands nowhere on the page."
ONLY_LAYOUT_NOTE = "The model does not read it."
ONLY_MODEL_NOTE = "Only the model reads it."
NOTHING_CHECKED: Mapping[str, int] = MappingProxyType({})


def same(term: Term, one: Value, other: Value) -> bool:
    """Whether two values of a Term mean the same: numbers and dates exactly, identifiers but for signs between, names
    also where one Reader has only a part, texts but for a slip."""
    if isinstance(one, Decimal | date) or isinstance(other, Decimal | date):
        return one == other
    first, second = fold(one), fold(other)
    if first == second:
        return bool(first) or one == other
    if term.kind is not Kind.TEXT:
        return False
    shorter, longer = sorted((first, second), key=len)
    if len(shorter) >= _SHORTEST_PART and longer.startswith(shorter):
        return True
    # The end of a name may be no more than its legal form.
    if 3 * len(shorter) >= 2 * len(longer) and longer.endswith(shorter):
        return True
    if not shorter:
        return False
    return ratio(first, second) >= ALIKE or (
        min(len(one.split()), len(other.split())) > 2
        and token_set_ratio(one.casefold(), other.casefold()) >= ALIKE
    )


def header_of(
    said: SaidRow,
    layout: Mapping[str, Field],
    terms: Mapping[str, Term],
    asked: frozenset[str],
    calibration: Calibration = BY_HAND,
    checks: Mapping[str, int] = NOTHING_CHECKED,
) -> dict[str, Field]:
    """One Field for each Term that either has. What the model was not `asked` for stays the layout Reader's. `checks`
    say of a Term that those about it passed (1) or failed (−1)."""
    found: dict[str, Field] = {}
    for name in [*layout, *(name for name in said if name not in layout)]:
        theirs, ours = layout.get(name), said.get(name)
        if theirs is None and ours is not None:
            found[name] = _only_model(ours, calibration, checks.get(name, 0))
        elif theirs is not None and ours is None:
            found[name] = theirs.doubted(ALONE, ONLY_LAYOUT_NOTE) if name in asked else theirs
        elif theirs is not None and ours is not None:
            found[name] = both(terms[name], ours, theirs, calibration, checks.get(name, 0))
    return found


def both(
    term: Term, said: Said, layout: Field, calibration: Calibration = BY_HAND, checked: int = 0
) -> Field:
    """The Field of a value that both Readers have something for."""
    if same(term, said.value, layout.value):
        placed = any(proof.box for proof in layout.evidence)
        signs = said.signs(placed=placed, layout=layout.confidence, checks=checked)
        confidence = calibration.probability(signs)
        evidence = layout.evidence or ((said.evidence,) if said.evidence else ())
        note = layout.note if confidence < ALONE else ""
        return replace(layout, confidence=confidence, evidence=evidence, note=note, signs=signs.as_json())
    # What was checked are the values as they stand, so it must not change which of two stands.
    mine = said.evidence is not None and calibration.probability(said.signs()) > layout.confidence
    if mine:
        note = f"The layout reader reads “{_short(layout.value)}”."
        return replace(_only_model(said, calibration), note=note, signs={}).doubted(DISPUTED, note)
    # What a document is, no words of it need say.
    nowhere = "" if said.evidence or term.name == DOCUMENT_TYPE else ", which stands nowhere on the page"
    note = f"The model reads “{_short(said.value)}”{nowhere}."
    doubted = layout.doubted(DISPUTED, note)
    return doubted if doubted is not layout else replace(layout, note=layout.note or note)


def rows_of(said: Sequence[SaidRow]) -> tuple[Row, ...]:
    """The model's rows as Fields, with nobody else's word on them."""
    return tuple({name: replace(_only_model(one), signs={}) for name, one in row.items()} for row in said)


def settled_rows(
    base: Sequence[Row], other: Sequence[Row], terms: Mapping[str, Term], keys: Sequence[tuple[str, ...]]
) -> tuple[Row, ...]:
    """The rows of one Reader with the other's word on each: both have it, they differ, or only one has it.

    Rows belong together, in order, where all values named by one of the `keys` are the same.
    """
    partners = _aligned(base, other, terms, keys)
    return tuple(
        _settled(row, partner, terms) if partner else _capped(row)
        for row, partner in zip(base, partners, strict=True)
    )


def _settled(row: Row, partner: Row, terms: Mapping[str, Term]) -> Row:
    found: dict[str, Field] = {}
    for name in [*row, *(name for name in partner if name not in row)]:
        ours, theirs = row.get(name), partner.get(name)
        only = ours or theirs
        if ours and theirs and same(terms[name], ours.value, theirs.value):
            found[name] = _confirmed(ours, theirs)
        elif ours and theirs:
            found[name] = ours.doubted(DISPUTED, f"The other reader reads “{_short(theirs.value)}”.")
        elif only:
            found[name] = only.doubted(ALONE, "Only one of two readers reads it.")
    return found


def _confirmed(one: Field, other: Field) -> Field:
    """A row's value that both have: nearly as sure as if their mistakes were independent, if it has a place."""
    placed = one if one.evidence else other
    if not placed.evidence:
        return one
    confidence = 1 - (1 - one.confidence) * (1 - other.confidence)
    return replace(one, evidence=placed.evidence, confidence=min(0.97, confidence), note="")


def _capped(row: Row) -> Row:
    return {
        name: found.doubted(ALONE, "Only one of two readers has this line.") for name, found in row.items()
    }


def _aligned(
    base: Sequence[Row], other: Sequence[Row], terms: Mapping[str, Term], keys: Sequence[tuple[str, ...]]
) -> list[Row | None]:
    found: list[Row | None] = []
    start = 0
    for row in base:
        position = next(
            (i for i in range(start, len(other)) if any(_same_by(row, other[i], terms, key) for key in keys)),
            None,
        )
        found.append(None if position is None else other[position])
        start = start if position is None else position + 1
    return found


def _same_by(one: Row, other: Row, terms: Mapping[str, Term], names: Sequence[str]) -> bool:
    return all(
        name in one and name in other and same(terms[name], one[name].value, other[name].value)
        for name in names
    )


def _only_model(said: Said, calibration: Calibration = BY_HAND, checked: int = 0) -> Field:
    signs = said.signs(checks=checked)
    note = ONLY_MODEL_NOTE if said.evidence else NOWHERE_NOTE
    evidence = (said.evidence,) if said.evidence else ()
    return Field(said.value, calibration.probability(signs), evidence, said.raw, note, signs.as_json())


def _short(value: Value) -> str:
    text = value_as_json(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
