"""ERP records that a person names on the command line: by number, code or name."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connector.bootstrap import connection
from connector.erp.odoo import OdooErp
from connector.errors import SettingsError
from mappings.folding import plain
from mappings.index import ErpIndex
from mappings.memory import Kind

if TYPE_CHECKING:
    from connector.settings import Settings

MOST_NAMED = 5
Named = tuple[int, str, tuple[str, ...]]
"""An id, what Odoo shows for it, and what people call it."""


@contextmanager
def fresh_index(settings: Settings, backend: str) -> Generator[ErpIndex]:
    """The data of an Odoo as it is now."""
    erp = OdooErp(connection(backend, settings.backends[backend], settings))
    try:
        yield ErpIndex(erp.erp_data())
    finally:
        erp.close()


def chosen_record(index: ErpIndex, kind: Kind, words: str) -> tuple[int, str]:
    """Id and label of the one record of that kind. Raises SettingsError where there is none, or several."""
    return _only(_records(index, kind), words, kind)


def chosen_vendor(index: ErpIndex, words: str) -> tuple[int, str]:
    """Id and name of the one commercial partner, neither ourselves nor one of our people."""
    return _only(_records(index, Kind.VENDOR), words, Kind.VENDOR)


def _records(index: ErpIndex, kind: Kind) -> Iterator[Named]:
    if kind is Kind.VENDOR:
        for one in index.data.partners:
            if one.id == index.commercial(one.id) and one.id not in index.own:
                yield one.id, one.name, (one.name,)
    elif kind is Kind.ACCOUNT:
        for one in index.data.accounts:
            label = f"{one.code} {one.name}".strip()
            yield one.id, label, (one.code, one.name, label)
    elif kind is Kind.PRODUCT:
        for one in index.data.products:
            yield one.id, one.name, (one.default_code, one.name)
    else:
        for one in index.data.taxes:
            if one.active:
                yield one.id, one.name, (one.name,)


def _only(records: Iterable[Named], words: str, kind: Kind) -> tuple[int, str]:
    known, wanted = list(records), plain(words)
    steps: tuple[Callable[[Named], bool], ...] = (
        lambda one: any(plain(name) == wanted for name in one[2] if name),
        lambda one: str(one[0]) == words,
        lambda one: any(wanted in plain(name) for name in one[2] if name),
    )
    for fits in steps:
        found = [one for one in known if fits(one)]
        if len(found) == 1:
            return found[0][:2]
        if found:
            names = ", ".join(f"{label} ({number})" for number, label, _ in found[:MOST_NAMED])
            raise SettingsError(f"“{words}” could be several: {names}. Give the number in parentheses.")
    raise SettingsError(f"Odoo has no {kind} “{words}”: give its name, code or number.")
