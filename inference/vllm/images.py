"""Pages as the model wants them: upright, padded to its square or shrunk to its limit, PNG in a data URI."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from inference.vllm.profile import ImagePolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.invoice import Box
    from inference.page import Page

MOST_DPI = 300
PAPER = (255, 255, 255)
# Beyond the places that are covered, as a share of the page.
MARGIN = 0.002
_FRAMES = 2
"""The processors of dynamic size count every pixel twice: an image is a video of two frames."""


@dataclass(frozen=True)
class PageImage:
    """An encoded image. `uuid` is the hash of its bytes: the server keeps images by it, and never asks whether it fits."""

    png: bytes

    @cached_property
    def uuid(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.png).hexdigest()

    @cached_property
    def data_uri(self) -> str:
        """The image itself: the server fetches nothing."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


def page_image(
    page: Page, policy: ImagePolicy, box: Box | None = None, covered: Sequence[Box] = ()
) -> PageImage:
    """A page as the model sees it, rendered near the size wanted so that little is resampled, with the places `covered`
    black; or, at full resolution, the part of it that `box` encloses.
    """
    if box is not None:
        return encode(_cut(page.image(dpi=MOST_DPI), box), policy)
    inches = max(page.width, page.height) / 72
    side = policy.square or _longest_side(policy, page.width / page.height)
    picture = page.image(dpi=max(72, min(MOST_DPI, round(side / inches))))
    return encode(_blacked_out(picture, covered) if covered else picture, policy)


def _blacked_out(picture: Image.Image, places: Sequence[Box]) -> Image.Image:
    """A copy of a page's picture with these places (fractions of the page) black."""
    shown = picture.convert("RGB")
    draw = ImageDraw.Draw(shown)
    for place in places:
        corner = (int((place.x0 - MARGIN) * shown.width), int((place.y0 - MARGIN) * shown.height))
        across = (round((place.x1 + MARGIN) * shown.width), round((place.y1 + MARGIN) * shown.height))
        draw.rectangle((*corner, *across), fill=(0, 0, 0))
    return shown


def _cut(picture: Image.Image, box: Box) -> Image.Image:
    left, top = int(box.x0 * picture.width), int(box.y0 * picture.height)
    right, bottom = round(box.x1 * picture.width), round(box.y1 * picture.height)
    return picture.crop((left, top, max(right, left + 1), max(bottom, top + 1)))


def encode(picture: Image.Image, policy: ImagePolicy) -> PageImage:
    """Fit a picture to the policy: shrunk with LANCZOS where it is too large, never enlarged, then padded to a square."""
    fitted = picture.convert("RGB")
    side = policy.square or _longest_side(policy, fitted.width / fitted.height)
    if max(fitted.size) > side:
        scale = side / max(fitted.size)
        size = (max(1, round(fitted.width * scale)), max(1, round(fitted.height * scale)))
        fitted = fitted.resize(size, Image.Resampling.LANCZOS)
    if policy.square:
        whole = max(fitted.size)
        padded = Image.new("RGB", (whole, whole), PAPER)
        padded.paste(fitted, (0, 0))
        fitted = padded
    out = BytesIO()
    fitted.save(out, "PNG", compress_level=1)
    return PageImage(out.getvalue())


def _longest_side(policy: ImagePolicy, proportion: float) -> int:
    """The longer side of a picture of that width over height with as many pixels as the policy takes."""
    pixels = policy.longest_edge / _FRAMES
    return int((pixels * max(proportion, 1 / proportion)) ** 0.5)
