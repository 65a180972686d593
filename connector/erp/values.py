"""Odoo's JSON values to typed ones and back. Times in Odoo are UTC without saying so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connector.errors import SkippableError
from mappings.erp_data import Distribution


def many2one(value: Any) -> int | None:
    """An id, from an id, a pair of id and name, or a nested record; None where empty."""
    if isinstance(value, dict):
        value = value.get("id")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if isinstance(value, list):
        value = value[0] if value else None  # pyright: ignore[reportUnknownVariableType]
    return int(value) if value else None  # pyright: ignore[reportUnknownArgumentType]


def many(value: Iterable[Any] | None) -> tuple[int, ...]:
    """The ids of an x2many value."""
    return tuple(many2one(item) or 0 for item in value or ())


def text(value: Any) -> str:
    """Text, empty for Odoo's False."""
    return value if isinstance(value, str) else ""


def decimal(value: Any) -> Decimal:
    """A float of Odoo's with the noise beyond its 15 digits cut off."""
    return Decimal(format(float(value or 0), ".15g"))


def distribution(value: Any) -> Distribution | None:
    """An analytic distribution from `{"12": 100.0}`; None where it is empty."""
    if not isinstance(value, dict):
        return None
    parts = sorted((str(key), decimal(percent)) for key, percent in value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return Distribution(tuple(parts)) if parts else None


def day(value: Any) -> date | None:
    """A date from `2026-11-21`."""
    return date.fromisoformat(value) if value else None


def moment(value: Any) -> datetime | None:
    """An aware time from `2026-11-21 21:51:32`, which is UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None


def stamp(value: datetime) -> str:
    """An aware time as Odoo writes it, to the second."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def for_odoo(name: str, value: Any) -> Any:
    """One value as JSON for `write`: ISO dates, numbers, `[[6, 0, ids]]` for a tuple of ids, False for None."""
    if value is None:
        return False
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Distribution):
        return {key: float(percent) for key, percent in value.parts}
    if isinstance(value, tuple):
        return [[6, 0, list(value)]]  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, Decimal):
        number = float(value)
        if Decimal(format(number, ".15g")) != value:
            raise SkippableError(f"{name} {value} has more digits than Odoo can keep", "refused")
        return number
    return value


def vals(values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A `vals` object; `names` renames the fields that this version of Odoo calls otherwise."""
    renamed = names or {}
    return {renamed.get(name, name): for_odoo(name, value) for name, value in values.items()}
