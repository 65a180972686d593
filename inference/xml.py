"""XML from outside, parsed with entities, DTDs and the network off."""

from __future__ import annotations

import re
import unicodedata
from importlib import import_module
from typing import TYPE_CHECKING, Any

from inference.errors import DamagedDocument, OversizedDocument, UnsupportedDocument

if TYPE_CHECKING:
    from collections.abc import Iterator

etree: Any = import_module("lxml.etree")  # it has no types

MOST_BYTES = 20_000_000
_STEP = re.compile(r"(?P<names>[\w|-]+)(?:\[@(?P<attribute>\w+)=(?P<value>[^\]]+)\])?")


class Node:
    """An element. Names are local names: the standards in use differ in prefixes and namespace versions only."""

    __slots__ = ("_element",)

    def __init__(self, element: Any) -> None:
        self._element = element

    @property
    def name(self) -> str:
        """The local name."""
        return etree.QName(self._element).localname

    @property
    def namespace(self) -> str:
        """The namespace's URI, or an empty string."""
        return etree.QName(self._element).namespace or ""

    @property
    def text(self) -> str:
        """The element's own text as people see it, without white space at the ends."""
        return _seen(self._element.text or "")

    @property
    def path(self) -> str:
        """The absolute XPath, with an index where there are several, in the document's own prefixes."""
        return self._element.getroottree().getpath(self._element)

    def attribute(self, name: str) -> str:
        """The attribute's value, or an empty string."""
        return _seen(self._element.get(name) or "")

    def children(self) -> Iterator[Node]:
        """The elements directly within."""
        return (Node(child) for child in self._element if isinstance(child.tag, str))

    def descendants(self, name: str) -> Iterator[Node]:
        """Every element of that local name within, in document order."""
        return (Node(found) for found in self._element.iter("{*}" + name))

    def all(self, path: str) -> list[Node]:
        """The elements at `path`: local names parted by `/`; `A|B` is either, `A[@scheme=VA]` asks an attribute."""
        found: list[Node] = [self]
        for step in path.split("/"):
            match = _STEP.fullmatch(step)
            if match is None:
                raise ValueError(f"not a path: {path}")
            names = match["names"].split("|")
            found = [
                child
                for node in found
                for child in node.children()
                if child.name in names
                and (match["attribute"] is None or child.attribute(match["attribute"]) == match["value"])
            ]
        return found

    def first(self, *paths: str) -> Node | None:
        """The first element with text at the first of `paths` that has one."""
        for path in paths:
            for node in self.all(path):
                if node.text:
                    return node
        return None


def parse_xml(data: bytes) -> Node:
    """The root element.

    Raises OversizedDocument, DamagedDocument, or UnsupportedDocument for a document type declaration, which no
    invoice standard has and which is the way in for entity attacks.
    """
    if len(data) > MOST_BYTES:
        raise OversizedDocument(
            f"The XML has {len(data) / 1e6:.0f} MB, more than the limit of {MOST_BYTES / 1e6:.0f}."
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        # Some writers put a line before the declaration, which XML forbids and everybody accepts.
        root = etree.fromstring(data.lstrip(b" \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DamagedDocument(f"The XML is damaged ({error}). Ask the sender for it again.") from error
    if root.getroottree().docinfo.doctype:
        raise UnsupportedDocument(
            "The XML declares a document type, which an e-invoice never does. Ask the sender for a plain one."
        )
    return Node(root)


def _seen(text: str) -> str:
    """Without what nobody sees: marks that turn the direction of writing, characters of no width, control characters."""
    if not text.isascii() or not text.isprintable():
        text = "".join(char for char in text if char in "\t\n\r" or unicodedata.category(char)[0] != "C")
    return text.strip()
