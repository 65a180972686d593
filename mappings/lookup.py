"""Items findable by key and names by likeness, kept up to date item by item."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from rapidfuzz import fuzz, process

from mappings.erp_data import Partner
from mappings.names import Variant, name_variants


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


class NameSearch:
    """Partners by the likeness of their names, in every variant and order of words."""

    def __init__(self, partners: Iterable[Partner] = ()) -> None:
        self._forms: list[str | None] = []
        self._owners: list[tuple[Partner, float]] = []
        self._places: dict[int, list[int]] = {}
        self._free: list[int] = []
        for partner in partners:
            self.add(partner)

    def add(self, partner: Partner) -> None:
        """Make a partner findable."""
        places = self._places.setdefault(id(partner), [])
        for text, weight in forms_of(partner.name):
            if self._free:
                place = self._free.pop()
                self._forms[place], self._owners[place] = text, (partner, weight)
            else:
                place = len(self._forms)
                self._forms.append(text)
                self._owners.append((partner, weight))
            places.append(place)

    def remove(self, partner: Partner) -> None:
        """Forget a partner that was added."""
        for place in self._places.pop(id(partner), []):
            self._forms[place] = None
            self._free.append(place)

    def find(self, name: str, cutoff: float) -> list[tuple[Partner, float]]:
        """Each partner whose name is at least so like (`name_similarity`, 0–1), with the likeness, best first."""
        found: dict[int, tuple[Partner, float]] = {}
        for query, weight in forms_of(name):
            if len(query) < 2:
                continue
            least = cutoff * 100 / weight
            hits = process.extract(query, self._forms, scorer=fuzz.ratio, limit=None, score_cutoff=least)
            for _, score, place in hits:
                partner, counts = self._owners[place]
                alike = score / 100 * weight * counts
                if alike >= max(cutoff, found.get(partner.id, (partner, 0.0))[1]):
                    found[partner.id] = partner, alike
        return sorted(found.values(), key=lambda item: (-item[1], item[0].id))


def forms_of(name: str) -> list[Variant]:
    """The variants of a name, each also with its words sorted."""
    found: dict[str, float] = {}
    for text, weight in name_variants(name):
        for form in (text, " ".join(sorted(text.split()))):
            found[form] = max(weight, found.get(form, 0.0))
    return [Variant(form, weight) for form, weight in found.items()]
