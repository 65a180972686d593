"""Items findable by key, kept up to date item by item."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Identified(Protocol):
    """A record with the id that the ERP gave it."""

    @property
    def id(self) -> int:
        """The ERP's id."""
        ...


Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item", bound=Identified)


class Lookup(Generic[Key, Item]):
    """The items under each of their keys, by id, whatever the order in which they came and went."""

    def __init__(self, keys: Callable[[Item], Iterable[Key]], items: Iterable[Item] = ()) -> None:
        self._keys = keys
        self._items: dict[Key, list[Item]] = {}
        self.update((), items)

    def update(self, gone: Iterable[Item], come: Iterable[Item]) -> None:
        """Take items out and put others in. What goes must be the objects that came."""
        touched: set[Key] = set()
        for item in gone:
            for key in set(self._keys(item)):
                self._items[key] = [one for one in self._items[key] if one is not item]
                touched.add(key)
        for item in come:
            for key in set(self._keys(item)):
                self._items.setdefault(key, []).append(item)
                touched.add(key)
        for key in touched:
            if found := self._items[key]:
                found.sort(key=_id)
            else:
                del self._items[key]

    def get(self, key: Key, default: list[Item] | None = None) -> list[Item]:
        """The items under a key; none where there are none."""
        return self._items.get(key) or default or []

    def __contains__(self, key: Key) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[Key]:
        return iter(self._items)


def _id(item: Identified) -> int:
    return item.id


def changes(before: tuple[Item, ...], after: tuple[Item, ...]) -> tuple[list[Item], list[Item]]:
    """The objects that are only in `before` and only in `after`: what goes and what comes."""
    if before is after:
        return [], []
    old, new = {id(item) for item in before}, {id(item) for item in after}
    gone = [item for item in before if id(item) not in new]
    return gone, [item for item in after if id(item) not in old]
