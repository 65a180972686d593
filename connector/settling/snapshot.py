"""An ERP record as it was when it was read, kept in the ledger, and what is different in it now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mappings.erp_data import Distribution, Record, RecordLine, Scalar

_AMOUNTS = ("amount_untaxed", "amount_tax", "amount_total")


@dataclass(frozen=True, slots=True)
class Change:
    """One value of a record that is not as it was read; `field` as in the review's JSON: `ref`, `lines.41.quantity`,
    `lines.41` for a line that came or went."""

    field: str
    was: Scalar
    now: Scalar


def record_as_json(record: Record) -> dict[str, Any]:
    """A JSON object from which `record_from_json` makes the same Record."""
    return {
        one.name: _plain(getattr(record, one.name))
        for one in fields(Record)
        if one.name not in ("values", "lines")
    } | {
        "values": {name: _plain(value) for name, value in record.values.items()},
        "lines": [
            {one.name: _plain(getattr(line, one.name)) for one in fields(RecordLine)} for line in record.lines
        ],
    }


def record_from_json(node: Mapping[str, Any]) -> Record:
    """The inverse of `record_as_json`."""
    found = {name: _typed(value) for name, value in node.items() if name not in ("values", "lines")}
    return Record(
        **found,
        values={name: _typed(value) for name, value in node["values"].items()},
        lines=tuple(
            RecordLine(**{name: _typed(value) for name, value in line.items()}) for line in node["lines"]
        ),
    )


def changes(was: Record, now: Record) -> tuple[Change, ...]:
    """What is different in header, lines and totals; empty where only the stamp is."""
    return tuple(_changes(was, now))


def _changes(was: Record, now: Record) -> Iterator[Change]:
    if was.state != now.state:
        yield Change("state", was.state, now.state)
    if was.kind != now.kind:
        yield Change("move_type", was.kind, now.kind)
    if was.company_id != now.company_id:
        yield Change("company_id", was.company_id, now.company_id)
    for name in {**was.values, **now.values}:
        before, after = was.values.get(name), now.values.get(name)
        if before != after:
            yield Change(name, before, after)
    old, new = ({line.id: line for line in record.lines} for record in (was, now))
    for number in {**old, **new}:
        before, after = old.get(number), new.get(number)
        if before is None or after is None:
            yield Change(f"lines.{number}", before and before.name, after and after.name)
            continue
        for one in fields(RecordLine):
            if getattr(before, one.name) != getattr(after, one.name):
                yield Change(
                    f"lines.{number}.{one.name}", getattr(before, one.name), getattr(after, one.name)
                )
    for name in _AMOUNTS:
        if getattr(was, name) != getattr(now, name):
            yield Change(name, getattr(was, name), getattr(now, name))


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return {"time": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
        case Distribution():
            return {"distribution": [[key, str(percent)] for key, percent in value.parts]}
        case tuple():
            return [_plain(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def _typed(value: Any) -> Any:
    match value:
        case {"time": text}:
            return datetime.fromisoformat(text)
        case {"date": text}:
            return date.fromisoformat(text)
        case {"decimal": text}:
            return Decimal(text)
        case {"distribution": parts}:
            return Distribution(tuple((key, Decimal(percent)) for key, percent in parts))
        case list():
            return tuple(_typed(one) for one in value)  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value
