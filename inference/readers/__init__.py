"""Readers: a Document in, a Reading out. One port, one folder each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from inference.document import Document
    from inference.invoice import Reading


@dataclass(frozen=True, slots=True)
class Hint:
    """What people pointed at on one seller's papers: the value of `term` stands beside or below the words `label`.

    `sellers` are what the papers are known by: tax ids, bank accounts and the name, as they are printed. `sure` says that
    it was pointed at more than once.
    """

    term: str
    label: str
    sellers: tuple[str, ...]
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who receives the documents (the user's own company): never the seller on a bill. All parts optional.

    `hints` are what people taught about the papers that come.
    """

    names: tuple[str, ...] = ()
    tax_ids: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    country: str = ""
    hints: tuple[Hint, ...] = ()


class Reader(Protocol):
    """Turns a Document into a Reading. `name` is what `--reader` and the ledger call it."""

    name: str

    def reads(self, document: Document) -> bool:
        """Whether this Reader can say anything about the Document, cheaply."""
        ...

    def read(self, document: Document, recipient: Recipient) -> Reading:
        """Read the whole Document. Raises DocumentError where its content cannot be read."""
        ...
