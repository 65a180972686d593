"""What of an OFD page a person can see: colours, and what covers what. Words alone say nothing of that.

Source: GB/T 33190-2016, clauses 8.2 (draw parameters), 8.3 (colours), 9 (paths), 10 (images) and 11 (texts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from inference.xml import Node

BLACK, PAPER = (0, 0, 0), (255, 255, 255)
OPAQUE = 255
USUAL_BREADTH = 0.353
HEAD = 4096
"""Bytes of a picture in which it says whether it has a clear colour."""
DEPTH = 8
"""Draw parameters that hang on one another."""
# PNG (ISO/IEC 15948): where the colour type stands, and those with an alpha channel.
_PNG, _COLOUR_TYPE, _WITH_ALPHA = b"\x89PNG\r\n\x1a\n", 25, (4, 6)


class Ink(NamedTuple):
    """A colour (RGB, 0–255) and how much of what is below it covers (0–255)."""

    colour: tuple[int, int, int] = BLACK
    alpha: int = OPAQUE

    @property
    def on_paper(self) -> tuple[int, int, int]:
        """The colour as it looks on white."""
        return tuple(round(255 - (255 - one) * self.alpha / OPAQUE) for one in self.colour)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Resources:
    """What the pages refer to by id: draw parameters, fonts that the file brings along, pictures with clear parts."""

    parameters: Mapping[str, Node] = field(default_factory=dict[str, "Node"])
    own_fonts: frozenset[str] = frozenset()
    clear: frozenset[str] = frozenset()

    @classmethod
    def of(cls, roots: Iterable[Node], clear: Iterable[str]) -> Resources:
        """From the roots of resource files, and the ids of pictures with clear parts."""
        trees = tuple(roots)
        return cls(
            {node.attribute("ID"): node for root in trees for node in root.descendants("DrawParam")},
            frozenset(
                node.attribute("ID")
                for root in trees
                for node in root.descendants("Font")
                if any(True for _ in node.descendants("FontFile"))
            ),
            frozenset(clear),
        )

    def ink(self, node: Node, layer: Node, kind: str = "FillColor") -> Ink | None:
        """What an object is filled or, with `StrokeColor`, drawn with; None where it cannot be told."""
        for place in self._places(node, layer):
            for colour in place.all(kind):
                return _ink(colour, node)
        return Ink(BLACK, _alpha(node))

    def breadth(self, node: Node, layer: Node) -> float:
        """Of a line, in millimetres before the object's own scale."""
        for place in self._places(node, layer):
            if width := place.attribute("LineWidth"):
                return float(width)
        return USUAL_BREADTH

    def _places(self, node: Node, layer: Node) -> list[Node]:
        own, around = (self._chain(one.attribute("DrawParam")) for one in (node, layer))
        return [node, *own, *around]

    def _chain(self, number: str) -> list[Node]:
        found: list[Node] = []
        while number in self.parameters and len(found) < DEPTH:
            found.append(self.parameters[number])
            number = found[-1].attribute("Relative")
        return found


def text_ink(node: Node, layer: Node, resources: Resources) -> Ink | None:
    """What a text is written in; None where nobody sees it, or cannot know what its letters look like."""
    hidden = node.attribute("Visible").lower() == "false" or node.attribute("Fill").lower() == "false"
    # A font of the file's own draws for a letter what it likes; a clip cuts off what it likes.
    if (
        hidden
        or node.attribute("Font") in resources.own_fonts
        or node.all("CGTransform")
        or node.all("Clips")
    ):
        return None
    return resources.ink(node, layer)


def covers(node: Node, layer: Node, resources: Resources) -> Ink | None:
    """What a path or a picture hides all below it with; None where it does not."""
    if node.attribute("Visible").lower() == "false":
        return None
    if node.name == "ImageObject":
        clear = node.attribute("ResourceID") in resources.clear
        return None if clear or _alpha(node) < OPAQUE else Ink((200, 200, 200))
    if node.attribute("Fill").lower() != "true":
        return None
    found = resources.ink(node, layer)
    return found if found is None or found.alpha == OPAQUE else None


def has_clear_parts(picture: bytes) -> bool:
    """Whether a picture lets what is below it through, such as a seal: a PNG with alpha or a clear colour."""
    if not picture.startswith(_PNG):
        return False
    return picture[_COLOUR_TYPE] in _WITH_ALPHA or b"tRNS" in picture[:HEAD]


def _ink(colour: Node, node: Node) -> Ink | None:
    """A colour of one (grey), three (RGB) or four (CMYK) parts; None for patterns, shades and palettes."""
    try:
        parts = [
            int(one[1:], 16) if one.startswith("#") else round(float(one))
            for one in colour.attribute("Value").split()
        ]
    except ValueError:
        return None
    alpha = _alpha(node) * _alpha(colour) // OPAQUE
    match [min(255, max(0, part)) for part in parts]:
        case [grey]:
            return Ink((grey, grey, grey), alpha)
        case [red, green, blue]:
            return Ink((red, green, blue), alpha)
        case [cyan, magenta, yellow, key]:
            kept = 255 - key
            return Ink(tuple((255 - one) * kept // 255 for one in (cyan, magenta, yellow)), alpha)  # type: ignore[arg-type]
        case _:
            return None


def _alpha(node: Node) -> int:
    text = node.attribute("Alpha")
    return min(OPAQUE, max(0, int(text))) if text.isdecimal() else OPAQUE
