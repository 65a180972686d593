"""The form as a person approves it becomes what is written: values, lines, what it must add up to, what was corrected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector.settling.form import ORDERED, TOTALS, Cell, Line
from mappings.case import BILL
from mappings.erp_data import Distribution, Scalar
from mappings.naming import named
from mappings.proposal import scalar_as_json

if TYPE_CHECKING:
    from connector.settling.work import Work

NOON = time(12, tzinfo=UTC)
DUE, TERM = "invoice_date_due", "invoice_payment_term_id"
MOMENTS = frozenset({"date_planned"})
MOST_TOLD = 20


class Incomplete(Exception):
    """A bill cannot be written without this value."""

    def __init__(self, target: str, label: str) -> None:
        super().__init__(f"The {label} is missing.")
        self.target = target


@dataclass(frozen=True, slots=True)
class Approved:
    """What is written, and what must be there afterwards: `expected` header values as JSON, `totals` by name."""

    values: Mapping[str, Scalar]
    lines: tuple[Mapping[str, Scalar], ...]
    removed: tuple[int, ...]
    vat: Mapping[int, Decimal]
    expected: Mapping[str, Any]
    totals: Mapping[str, str]
    corrections: tuple[dict[str, Any], ...]
    told: tuple[str, ...]


def approved(work: Work) -> Approved:
    """What the person sees, ready to be written. Raises Incomplete where a value that Odoo needs is missing."""
    form, folded = work.folded.form, work.folded
    for cell in form.cells():
        if cell.required and cell.name not in TOTALS and cell.value in (None, ""):
            raise Incomplete(cell.target, work.ground.fields.label(cell.name))
    values = dict(_header(work))
    predicted = folded.predicted
    totals: dict[str, str] = {}
    if predicted is not None and form.model == BILL and form.lines:
        amounts = {"untaxed": predicted.untaxed, "tax": predicted.tax, "total": predicted.total}
        totals = {name: str(amount) for name, amount in amounts.items() if amount is not None}
    found = tuple(_corrections(work))
    return Approved(
        values=values,
        lines=tuple(_lines(work, moved=bool({"partner_id", "currency_id"} & values.keys()))),
        removed=tuple(line.id for line in form.removed if line.id is not None),
        vat={int(group): Decimal(str(node["value"])) for group, node in folded.vat.items()},
        expected={name: scalar_as_json(value) for name, value in values.items()},
        totals=totals,
        corrections=found,
        told=tuple(_told(work, found)),
    )


def _header(work: Work) -> Iterator[tuple[str, Scalar]]:
    form = work.folded.form
    proposed: Mapping[str, Any] = work.folded.body.get("values", {})
    shown: set[str] = set()
    for cell in form.header.values():
        if cell.name in TOTALS or cell.name == ORDERED:
            continue
        shown.add(cell.name)
        if cell.edited or cell.name in proposed:
            yield cell.name, typed(cell)
    hidden = {name: node["value"] for name, node in proposed.items() if name not in shown}
    due = form.header.get(DUE)
    if due is not None and due.edited and due.value:
        # A payment term would put its own day in place of the person's.
        hidden[TERM] = None
    yield from hidden.items()


def _lines(work: Work, *, moved: bool) -> Iterator[Mapping[str, Scalar]]:
    """Lines to add and to change; where the vendor or currency changes, Odoo must not compute the others anew."""
    for line in work.folded.form.lines:
        if line.id is None:
            yield {cell.name: typed(cell) for cell in line.cells.values() if _says_something(cell)}
        elif work.folded.form.model == BILL:
            if line.changed or moved:
                yield {"id": line.id} | {cell.name: typed(cell) for cell in _kept(line)}
        elif changed := [cell for cell in line.cells.values() if cell.edited or cell.proposed]:
            yield {"id": line.id} | {cell.name: typed(cell) for cell in changed}


def _kept(line: Line) -> Iterator[Cell]:
    yield from (cell for cell in line.cells.values() if _says_something(cell) or cell.edited)


def _says_something(cell: Cell) -> bool:
    if cell.name == "discount":
        return cell.edited or Decimal(str(cell.value or 0)) != 0
    return cell.value not in (None, "")


def typed(cell: Cell) -> Scalar:
    """A Cell's value as Odoo gets it."""
    value = cell.value
    if value is None or value == "":
        return () if cell.kind == "records" else None
    match cell.kind:
        case "date":
            day = date.fromisoformat(str(value))
            return datetime.combine(day, NOON) if cell.name in MOMENTS else day
        case "amount" | "quantity" | "percent":
            return Decimal(str(value))
        case "record":
            return int(value)
        case "records":
            return tuple(value)
        case _:
            if isinstance(value, Mapping):
                parts: Mapping[str, str] = value  # pyright: ignore[reportUnknownVariableType]
                return Distribution(tuple((key, Decimal(percent)) for key, percent in parts.items()))
            return " ".join(str(value).split())


# -- corrections ------------------------------------------------------------------------------------------------------------


def _corrections(work: Work) -> Iterator[dict[str, Any]]:
    """What the person changed of what was proposed; added and taken away lines by their description."""
    form, base = work.folded.form, work.folded.base
    for cell in form.cells():
        if not cell.edited:
            continue
        before = base.cell(cell.target)
        was = before.value if before else None
        if _same(cell, was):
            continue
        place = cell.evidence[0] if cell.evidence else {}
        yield {
            "target": cell.target,
            "term": cell.term,
            "before": was,
            "after": cell.value,
            "page": place.get("page"),
            "box": place.get("box"),
        }
    for line in form.removed:
        name = line.cells["name"].value
        yield {
            "target": f"lines.{line.key}",
            "term": "lines",
            "before": name,
            "after": None,
            "page": None,
            "box": None,
        }


def _same(cell: Cell, was: Any) -> bool:
    if cell.kind in ("amount", "quantity", "percent") and None not in (cell.value, was):
        return Decimal(str(cell.value)) == Decimal(str(was))
    return cell.value == was or (cell.value in (None, "", []) and was in (None, "", []))


def _told(work: Work, corrections: tuple[dict[str, Any], ...]) -> Iterator[str]:
    """The corrections in words, for the note."""
    for one in corrections[:MOST_TOLD]:
        target = str(one["target"])
        cell = work.folded.form.cell(target) if target.count(".") != 1 else None
        name = target.rpartition(".")[2]
        label = work.ground.fields.label(name) if cell else "line"
        where = f" of line {target.split('.')[1]}" if target.count(".") == 2 else ""
        was, now = (_worded(work, cell, one[side]) for side in ("before", "after"))
        yield f"{label[:1].upper()}{label[1:]}{where}: {was} → {now}"
    if len(corrections) > MOST_TOLD:
        yield f"And {len(corrections) - MOST_TOLD} more."


def _worded(work: Work, cell: Cell | None, value: Any) -> str:
    if value in (None, "", []):
        return "–"
    if cell is None or work.ground.index is None or cell.kind not in ("record", "records"):
        return str(value)
    if cell.name == ORDERED:
        order = work.ground.index.orders.get(value)
        return order.name if order else str(value)
    return named(work.ground.index, cell.name, tuple(value) if isinstance(value, list) else value)  # pyright: ignore[reportUnknownArgumentType]
