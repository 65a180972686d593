"""Partners by the likeness of their names: few of very many are compared, chosen by the pairs of letters they share."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor

import numpy as np
from rapidfuzz import fuzz, process

from mappings.erp_data import Partner
from mappings.names import Variant, name_variants

SHORTEST = 2
"""Fewer letters are too little to know a vendor by."""

EPSILON = 1e-9
FEWEST_GONE = 1000
"""So many forgotten names are kept before the rest is put in order."""


class NameSearch:
    """Partners by the likeness of their names, in every variant and order of words.

    Names that are alike share pairs of neighbouring letters: where `ratio` (2 · longest common subsequence / both
    lengths) is r, each letter that is only in the one takes two pairs at most, each that is only in the other one. Names
    with fewer pairs in common than that leaves are not compared (count filtering: Gravano and others, VLDB 2001).
    """

    def __init__(self, partners: Iterable[Partner] = ()) -> None:
        self._clear()
        for partner in partners:
            self.add(partner)

    def _clear(self) -> None:
        self._forms: list[str | None] = []
        self._owners: list[tuple[Partner, float]] = []
        self._lengths = array("H")
        self._with_pair: dict[str, array[int]] = {}
        self._places: dict[int, list[int]] = {}
        self._gone = 0

    def add(self, partner: Partner) -> None:
        """Make a partner findable."""
        places = self._places.setdefault(id(partner), [])
        for text, weight in forms_of(partner.name):
            place = len(self._forms)
            self._forms.append(text)
            self._owners.append((partner, weight))
            self._lengths.append(min(len(text), 65535))
            for pair in _pairs(text):
                self._with_pair.setdefault(pair, array("I")).append(place)
            places.append(place)

    def remove(self, partner: Partner) -> None:
        """Forget a partner that was added."""
        for place in self._places.pop(id(partner), []):
            self._forms[place] = None
            self._gone += 1
        if self._gone > max(FEWEST_GONE, len(self._forms) // 2):
            known = {id(one): one for one, _ in self._owners if id(one) in self._places}
            self._clear()
            for one in known.values():
                self.add(one)

    def find(self, name: str, cutoff: float) -> list[tuple[Partner, float]]:
        """Each partner whose name is at least so like (`name_similarity`, 0–1), with the likeness, best first."""
        found: dict[int, tuple[Partner, float]] = {}
        for query, weight in forms_of(name):
            if len(query) < SHORTEST:
                continue
            least = cutoff / weight
            places = self._alike(query, least)
            forms = [self._forms[place] for place in places]
            hits = process.extract(query, forms, scorer=fuzz.ratio, limit=None, score_cutoff=100 * least)
            for _, score, position in hits:
                partner, counts = self._owners[places[position]]
                alike = score / 100 * weight * counts
                if alike >= max(cutoff, found.get(partner.id, (partner, 0.0))[1]):
                    found[partner.id] = partner, alike
        return sorted(found.values(), key=lambda item: (-item[1], item[0].id))

    def _alike(self, query: str, least: float) -> list[int]:
        """The places of the names of a length, and with so many pairs in common, that their ratio can be that."""
        pairs = _pairs(query)
        fewest, shortest, longest = _bounds(len(query), least)
        lengths = np.frombuffer(self._lengths, np.uint16)
        # A pair that the name has twice is counted once.
        if (fewest := fewest - (len(query) + 1 - len(pairs))) <= 0:
            return np.flatnonzero((lengths >= shortest) & (lengths <= longest)).tolist()
        shared = [
            np.frombuffer(self._with_pair[pair], np.uint32) for pair in pairs if pair in self._with_pair
        ]
        if not shared:
            return []
        places = np.flatnonzero(np.bincount(np.concatenate(shared)) >= fewest)
        lengths = lengths[places]
        return places[(lengths >= shortest) & (lengths <= longest)].tolist()


def _pairs(text: str) -> frozenset[str]:
    """The pairs of neighbouring letters, with where the name begins and ends."""
    return frozenset(one + other for one, other in pairwise(f"\x02{text}\x03"))


@lru_cache(maxsize=4096)
def _bounds(length: int, least: float) -> tuple[int, int, int]:
    """For a name of that length: the fewest pairs in common with one of at least that ratio, and how long such a one is."""
    r = min(1.0, least) - EPSILON
    shortest, longest = ceil(length * r / (2 - r)), floor(length * (2 - r) / r)
    common = (
        3 * ceil(r * (length + other) / 2) - length - other + 1 for other in range(shortest, longest + 1)
    )
    return min(common), shortest, longest


def forms_of(name: str) -> list[Variant]:
    """The variants of a name, each also with its words sorted."""
    found: dict[str, float] = {}
    for text, weight in name_variants(name):
        for form in (text, " ".join(sorted(text.split()))):
            found[form] = max(weight, found.get(form, 0.0))
    return [Variant(form, weight) for form, weight in found.items()]
