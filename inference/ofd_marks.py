"""What an OFD fapiao says of itself besides its pages: custom data in its head, and tags that name its texts.

Source: GB/T 33190-2016, clauses 7.4 (CustomDatas) and 16 (custom tags); the names are those of the tax system.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from inference.errors import DocumentError
from inference.page import Attached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from inference.xml import Node

NAME = "ofd-marks.xml"
ROOT = "OfdMarks"
MOST_MARKS = 500


def marks(
    root: Node, document: Node, folder: str, layers: Iterable[Node], read: Callable[[str], Node]
) -> Attached | None:
    """The marks as XML, `<OfdMarks><Mark name="BuyerName">…`, with the texts that they point at; None where there are none.

    `read` gives the root of a file of the package and raises KeyError where it is missing.
    """
    found = [*_custom_data(root), *_tags(document, folder, _texts(layers), read)][:MOST_MARKS]
    if not found:
        return None
    nodes = (f"<Mark name={quoteattr(name)}>{escape(text)}</Mark>" for name, text in found)
    return Attached(NAME, f"<{ROOT}>{''.join(nodes)}</{ROOT}>".encode())


def _custom_data(root: Node) -> Iterator[tuple[str, str]]:
    for node in root.all("DocBody/DocInfo/CustomDatas/CustomData"):
        if node.text and node.attribute("Name"):
            yield node.attribute("Name"), node.text


def _tags(
    document: Node, folder: str, texts: dict[str, str], read: Callable[[str], Node]
) -> Iterator[tuple[str, str]]:
    listed = document.first("CustomTags")
    if listed is None:
        return
    path = posixpath.normpath(posixpath.join(folder, listed.text))
    try:
        files = [node.text for node in read(path).all("CustomTag/FileLoc") if node.text]
        trees = [read(posixpath.normpath(posixpath.join(posixpath.dirname(path), file))) for file in files]
    except (DocumentError, KeyError):
        return  # some writers leave tags broken; the page has all they say
    for tree in trees:
        for node in tree.descendants("*"):
            parts = [texts[ref.text] for ref in node.all("ObjectRef") if ref.text in texts]
            if parts:
                yield node.name, "".join(parts)


def _texts(layers: Iterable[Node]) -> dict[str, str]:
    """The texts of the pages by the ids of their objects."""
    return {
        node.attribute("ID"): "".join(code.text for code in node.all("TextCode"))
        for layer in layers
        for node in layer.descendants("TextObject")
    }
