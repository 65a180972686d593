"""Pictures: photographs and scans as PNG, JPEG, TIFF (many pages), WebP, AVIF, HEIC, BMP and GIF, by Pillow."""

from __future__ import annotations

import io
import warnings
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from inference.errors import DamagedDocument, OversizedDocument, UnsupportedDocument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.ocr import Recognised
    from inference.page import Limits, Token

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "AVIF", "BMP", "GIF")
HEIF = "HEIF"
POINTS_PER_INCH = 72
# The longer side of A4, assumed where a picture does not say its size or says one that no paper has.
LONGER_SIDE = 842.0
PAPER_SIDES = (200.0, 2400.0)
# Lines and dots that mails are decorated with.
LEAST_SIDE = 16
_MIMES = {"MPO": "image/jpeg", HEIF: "image/heic"}


class PicturePage:
    """One frame of a picture. A page that lies on its side or upside down is turned once its words are asked for."""

    ocr = True

    def __init__(self, picture: Picture, number: int) -> None:
        self.number = number
        self._picture = picture
        raster = picture.raster(number)
        dpi = picture.dpi or max(raster.size) * POINTS_PER_INCH / LONGER_SIDE
        if not PAPER_SIDES[0] <= max(raster.size) * POINTS_PER_INCH / dpi <= PAPER_SIDES[1]:
            dpi = max(raster.size) * POINTS_PER_INCH / LONGER_SIDE
        self._dpi = dpi
        self._size = raster.width * POINTS_PER_INCH / dpi, raster.height * POINTS_PER_INCH / dpi

    @cached_property
    def _recognised(self) -> Recognised:
        from inference.ocr import recognise

        return recognise(self._picture.raster(self.number))

    @property
    def width(self) -> float:
        """In points, upright."""
        return self._recognised.turn.size(*self._size)[0]

    @property
    def height(self) -> float:
        """In points, upright."""
        return self._recognised.turn.size(*self._size)[1]

    @property
    def tokens(self) -> Sequence[Token]:
        """The words in reading order, by OCR."""
        return self._recognised.tokens

    def image(self, dpi: int = 200) -> Image.Image:
        """The picture upright in RGB at `dpi`, never larger than it came."""
        raster = self._recognised.turn.image(self._picture.raster(self.number))
        if dpi >= self._dpi:
            return raster
        size = (
            max(1, round(raster.width * dpi / self._dpi)),
            max(1, round(raster.height * dpi / self._dpi)),
        )
        return raster.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


class Picture:
    """The bytes of a picture; keeps only the frame decoded last."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._last: tuple[int, Image.Image] | None = None
        self.dpi: float | None = None

    def frames(self) -> int:
        """How many frames there are, each within the limit of pixels. Raises OversizedDocument, DamagedDocument."""
        with _open(self._data) as image:
            dpi = image.info.get("dpi", (0, 0))[0]
            self.dpi = float(dpi) if dpi else None
            if image.format != "TIFF":
                self._require_pixels(image)
                return 1
            count = 0
            while count <= self._limits.pages:
                try:
                    image.seek(count)
                except EOFError:
                    return count
                except MemoryError:
                    raise
                except Exception as error:  # the decoders raise almost anything on hostile bytes
                    raise DamagedDocument(
                        f"The TIFF is damaged after page {count}. Ask the sender for it again."
                    ) from error
                self._require_pixels(image)
                count += 1
        raise OversizedDocument(
            f"The TIFF has more than {self._limits.pages} pages. Split it, or raise the limit of pages."
        )

    def raster(self, number: int) -> Image.Image:
        """Frame `number` (from 1) in RGB, turned as EXIF says, transparency on white. Raises DamagedDocument."""
        if self._last and self._last[0] == number:
            return self._last[1]
        with _open(self._data) as image:
            try:
                if number > 1:
                    image.seek(number - 1)
                raster = _rgb(ImageOps.exif_transpose(image))
            except MemoryError:
                raise
            except Exception as error:  # the decoders raise almost anything on hostile bytes
                raise DamagedDocument(
                    f"The picture breaks off or is damaged ({error}). Ask the sender for it again."
                ) from error
        self._last = number, raster
        return raster

    def _require_pixels(self, image: Image.Image) -> None:
        if min(image.size) < LEAST_SIDE:
            raise UnsupportedDocument(
                f"A picture of {image.width} × {image.height} pixels is no page. Ask the sender for a PDF or a photograph."
            )
        megapixels = image.width * image.height / 1e6
        if megapixels > self._limits.megapixels:
            raise OversizedDocument(
                f"The picture has {megapixels:.0f} megapixels, more than the limit of"
                f" {self._limits.megapixels:.0f}. Send it smaller, or raise the limit."
            )


def open_picture(data: bytes, limits: Limits) -> tuple[list[PicturePage], str]:
    """The pages and the MIME type. Raises DocumentError by cause; the first frame is decoded to be sure of it."""
    picture = Picture(data, limits)
    count = picture.frames()
    with _open(data) as image:
        mime = _MIMES.get(image.format or "", "") or Image.MIME[image.format or "PNG"]
    return [PicturePage(picture, number) for number in range(1, count + 1)], mime


def _open(data: bytes) -> Image.Image:
    """The header only: Pillow decodes on first use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
        try:
            return Image.open(io.BytesIO(data), formats=_formats(data))
        except MemoryError:
            raise
        except Image.DecompressionBombError as error:
            raise OversizedDocument(f"The picture is too large: {error} Send it smaller.") from error
        except Exception as error:  # the decoders raise almost anything on hostile bytes
            raise DamagedDocument(
                "The picture is damaged and cannot be opened. Ask the sender for it again."
            ) from error


def _formats(data: bytes) -> tuple[str, ...]:
    """The formats to try; telephones' HEIC has a library of its own, loaded where there is one to open."""
    if data[4:8] != b"ftyp" or data[8:12] in (b"avif", b"avis"):
        return FORMATS
    pillow_heif: Any = import_module("pillow_heif")  # it has no types

    # Thumbnails and depth maps are of no use, and each is one more thing to parse.
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    return (HEIF,)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # 16 bits and more a channel, which Pillow would clip rather than scale.
        import numpy

        values = numpy.asarray(image, dtype=numpy.float64)
        spread = max(float(values.max() - values.min()), 1.0)
        return Image.fromarray(((values - values.min()) * (255 / spread)).astype(numpy.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image.convert("RGBA"))
        return paper.convert("RGB")
    return image.convert("RGB")
