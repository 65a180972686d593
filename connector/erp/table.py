"""The records of one search in Odoo, kept from round to round: only those that changed are fetched again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from connector.erp import values
from connector.erp.wire import Row

Record = TypeVar("Record")

OVERLAP = timedelta(minutes=10)
"""Odoo stamps a change with the beginning of its transaction, which may end so much later."""

WHOLE_AFTER = timedelta(hours=6)
"""Read all again after this: some values change with no stamp, such as properties before Odoo 18."""

MANY = 1000


class Search(Protocol):
    """What a Table asks of Odoo."""

    def rows(self, model: str, domain: Sequence[Any], names: str) -> list[Row]:
        """Every row of a search with the named fields, by id."""
        ...

    def count(self, model: str, domain: Sequence[Any]) -> int:
        """How many rows a search has."""
        ...


class Table(Generic[Record]):
    """Records by id, in the order of their ids. `records` stays the same object while nothing changed."""

    def __init__(self, search: Search, model: str, names: str, build: Callable[[Row], Record]) -> None:
        self._search, self._model, self._names, self._build = search, model, names, build
        self._by_id: dict[int, Record] = {}
        self._since: datetime | None = None
        self._whole: datetime | None = None
        self.records: tuple[Record, ...] = ()

    def refresh(self, domain: Sequence[Any], now: datetime) -> bool:
        """Follow Odoo; whether anything changed. `now` is the server's time before the first question.

        What was written since the last time is fetched; where the number of records is another than that makes, the
        ids are compared, so that what was deleted or archived leaves, and what came without a new stamp is found.
        """
        if self._since is None or self._whole is None or now - self._whole > WHOLE_AFTER:
            rows = self._search.rows(self._model, domain, self._names)
            changed = self._drop({int(row["id"]) for row in rows})
            changed |= self._keep(rows)
            self._whole = now
        else:
            stamp = values.stamp(self._since - OVERLAP)
            written = self._search.rows(self._model, [*domain, ("write_date", ">=", stamp)], self._names)
            changed = self._keep(written)
            if self._search.count(self._model, domain) != len(self._by_id):
                changed |= self._compare(domain)
        self._since = now
        if changed:
            self.records = tuple(
                record for _, record in sorted(self._by_id.items(), key=lambda item: item[0])
            )
        return changed

    def forget(self) -> None:
        """Read all again the next time."""
        self._whole = None

    def _compare(self, domain: Sequence[Any]) -> bool:
        ids = {int(row["id"]) for row in self._search.rows(self._model, domain, "id")}
        changed = self._drop(ids)
        new = sorted(ids - self._by_id.keys())
        for start in range(0, len(new), MANY):
            part = [*domain, ("id", "in", new[start : start + MANY])]
            changed |= self._keep(self._search.rows(self._model, part, self._names))
        return changed

    def _drop(self, but: set[int]) -> bool:
        gone = self._by_id.keys() - but
        for number in gone:
            del self._by_id[number]
        return bool(gone)

    def _keep(self, rows: Iterable[Row]) -> bool:
        changed = False
        for row in rows:
            number, record = int(row["id"]), self._build(row)
            # The object that is known stays where it says the same.
            if self._by_id.get(number) != record:
                self._by_id[number] = record
                changed = True
        return changed
