"""Pages made worse, as scanners, printers and telephones do: seeded, on RGB arrays of shape (height, width, 3)."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pypdfium2
from cv2.typing import MatLike
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

Image = MatLike
WHITE = (255, 255, 255)


def pages(pdf: bytes, dpi: int = 200) -> list[Image]:
    """The pages of a PDF as images."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [np.array(page.render(scale=dpi / 72).to_pil().convert("RGB")) for page in document]
    finally:
        document.close()


def rotate(image: Image, degrees: float) -> Image:
    """Turned around the middle, as a page fed askew; the paper stays the same size."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=WHITE)


def noise(image: Image, rng: np.random.Generator, sigma: float = 6.0, dust: float = 0.00003) -> Image:
    """Gaussian noise of `sigma` grey levels, and dark specks on the fraction `dust` of the pixels."""
    noisy = image.astype(np.float32) + rng.normal(0, sigma, image.shape[:2]).astype(np.float32)[..., None]
    specks = (rng.random(image.shape[:2]) < dust).astype(np.uint8)
    specks = cv2.dilate(specks, np.ones((2, 2), np.uint8))
    noisy[specks > 0] *= 0.35
    return np.clip(noisy, 0, 255).astype(np.uint8)


def blur(image: Image, sigma: float) -> Image:
    """Out of focus by `sigma` pixels."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def motion(image: Image, length: int, degrees: float) -> Image:
    """Shaken over `length` pixels in one direction."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1.0 / length
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), degrees, 1.0)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-6))


def perspective(
    image: Image, rng: np.random.Generator, strength: float = 0.05, table: tuple[int, int, int] = (96, 84, 72)
) -> Image:
    """Photographed from an angle on a table; each corner moves by up to `strength` of the width."""
    height, width = image.shape[:2]
    margin = int(width * 0.06)
    size = (width + 2 * margin, height + 2 * margin)
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    shift = rng.uniform(-strength, strength, (4, 2)).astype(np.float32) * width
    target = source + margin + np.clip(shift, -margin, margin)
    bent = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    return cv2.warpPerspective(image, bent, size, flags=cv2.INTER_CUBIC, borderValue=table)


def shadow(image: Image, rng: np.random.Generator, depth: float = 0.4) -> Image:
    """A soft shadow from one side, darkening by up to `depth`."""
    height, width = image.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    slope = (across * np.cos(angle) + down * np.sin(angle) + 1.4) / 2.8
    light = 1 - depth / (1 + np.exp(-8 * (slope - rng.uniform(0.4, 0.6))))
    return np.clip(image * light[..., None], 0, 255).astype(np.uint8)


def dim(image: Image, light: float, contrast: float = 1.0) -> Image:
    """Too little light: contrast around the middle grey, then brightness, both as factors."""
    return np.clip(((image.astype(np.float32) - 128) * contrast + 128) * light, 0, 255).astype(np.uint8)


def shrink(image: Image, factor: float) -> Image:
    """Fewer pixels."""
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def stamp(
    image: Image,
    words: str,
    at: tuple[float, float],
    degrees: float = 12,
    ink: tuple[int, int, int] = (40, 60, 160),
) -> Image:
    """A rubber stamp over the text, its middle at the fractions `at` of width and height."""
    height, width = image.shape[:2]
    layer = np.zeros((height, width), np.uint8)
    scale = width / 1400
    font, thickness = cv2.FONT_HERSHEY_DUPLEX, max(1, int(3 * scale))
    (wide, high), _ = cv2.getTextSize(words, font, scale * 1.4, thickness)
    x, y = int(at[0] * width - wide / 2), int(at[1] * height + high / 2)
    cv2.putText(layer, words, (x, y), font, scale * 1.4, 255, thickness, cv2.LINE_AA)
    edge = int(18 * scale)
    cv2.rectangle(layer, (x - edge, y - high - edge), (x + wide + edge, y + edge), 255, thickness)
    turn = cv2.getRotationMatrix2D((at[0] * width, at[1] * height), degrees, 1.0)
    cover = (cv2.warpAffine(layer, turn, (width, height)).astype(np.float32) / 255 * 0.75)[..., None]
    return np.clip(image * (1 - cover) + np.array(ink, np.float32) * cover, 0, 255).astype(np.uint8)


def jpeg(image: Image, quality: int = 60) -> bytes:
    """The image as a JPEG file."""
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise ValueError("OpenCV could not write the JPEG")
    return data.tobytes()


def pdf_of_images(images: list[Image], dpi: int = 200, quality: int = 60) -> bytes:
    """A PDF without text, one JPEG a page, as scanners make it."""
    out = BytesIO()
    canvas = Canvas(out, invariant=1)
    for image in images:
        size = (image.shape[1] * 72 / dpi, image.shape[0] * 72 / dpi)
        canvas.setPageSize(size)
        canvas.drawImage(ImageReader(BytesIO(jpeg(image, quality))), 0, 0, *size)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def scan(pdf: bytes, seed: int, dpi: int = 200, quality: int = 60, stamped: str = "") -> bytes:
    """A PDF printed and scanned: grey, up to 1.5 degrees askew, noisy, as JPEG of that quality."""
    rng = np.random.default_rng(seed)
    scanned: list[Image] = []
    for page in pages(pdf, dpi):
        inked = stamp(page, stamped, (0.3, 0.66)) if stamped else page
        grey = cv2.cvtColor(cv2.cvtColor(inked, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        askew = rotate(grey, float(rng.uniform(0.4, 1.5) * rng.choice([-1, 1])))
        scanned.append(noise(blur(askew, 0.6), rng))
    return pdf_of_images(scanned, dpi, quality)


def photo(pdf: bytes, seed: int, dpi: int = 170, quality: int = 75) -> bytes:
    """The first page photographed by hand: perspective, shadow, a little blur, noise; a JPEG."""
    rng = np.random.default_rng(seed)
    page = perspective(pages(pdf, dpi)[0], rng, 0.04)
    return jpeg(noise(blur(shadow(page, rng, 0.35), 0.8), rng, 4, 0), quality)


def ruined(pdf: bytes, seed: int) -> bytes:
    """A photograph nobody can read: far too dark, shaken, few pixels."""
    rng = np.random.default_rng(seed)
    page = perspective(pages(pdf, 72)[0], rng, 0.05)
    page = motion(blur(page, 1.8), 9, 25)
    return jpeg(noise(dim(shadow(shrink(page, 0.6), rng, 0.6), 0.4, 0.5), rng, 12, 0), 25)
