"""Every opener against mutated files, for a bounded time: nothing but a named error comes out.

VOUCH_TEST_FUZZ_SECONDS sets the time (30 by default), for a long run by hand.
"""

from __future__ import annotations

import functools
import io
import os
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

import pikepdf
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from inference.errors import BrokenReading, DocumentError
from inference.isolation import Sandbox
from inference.page import Limits
from tests.samples import bad
from tests.samples.designs import render
from tests.samples.facturx_data import facturx_pdf, invoice_xml
from tests.samples.random_bills import random_bill

SECONDS = float(os.environ.get("VOUCH_TEST_FUZZ_SECONDS", "30"))
EXAMPLES = 50
# What parsers stumble over: signs, ends, and numbers at the edge of their width.
TOKENS = (
    b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"-1", b"99999999999", b"1e308", b"nan", b"<<", b">>",
    b"endobj", b"stream", b"/Length 0", b"/Kids [1 0 R]", b"1 0 R", b"<!ENTITY", b"]]>", b"&#0;", b"PK\x03\x04", b"IDAT", b"\xff\xda",
)  # fmt: skip

pillow_heif.register_heif_opener()


@functools.cache
def samples() -> tuple[bytes, ...]:
    """One valid file at least of every format and of every way to pack it."""
    bill = random_bill(7, "din5008")
    pdf, xml = render(bill), invoice_xml(bill)
    packed = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(packed, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=True)
    image = Image.effect_noise((90, 120), 80)
    frames = {"save_all": True, "append_images": [image.rotate(90)]}
    return (
        pdf, packed.getvalue(), facturx_pdf(bill, pdf), scan(image), bad.pdf_that_acts(),
        xml, bad.ofd(), bad.ofd(Doc_0__x_xml=xml),
        saved(image, "PNG"), saved(image.convert("P"), "PNG"), saved(image, "JPEG"), saved(image, "JPEG", progressive=True),
        saved(image.convert("CMYK"), "JPEG"), saved(image, "TIFF", compression="tiff_lzw"),
        saved(image, "TIFF", compression="jpeg", **frames), saved(image.convert("1"), "TIFF", compression="group4"),
        saved(image.convert("F"), "TIFF"), saved(image, "WEBP"), saved(image, "AVIF"), saved(image.convert("RGB"), "HEIF"),
        saved(image, "GIF"), saved(image, "BMP"),
    )  # fmt: skip


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)  # type: ignore[arg-type]
    return out.getvalue()


def scan(image: Image.Image) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(300, 400), invariant=True)
    canvas.drawImage(ImageReader(image), 0, 0, 300, 400)
    canvas.save()
    return out.getvalue()


def mutated(number: int) -> bytes:
    """A valid file with bits flipped, parts lost, doubled or taken from another file, or cut short; places are as
    likely at the end as in the header, which no shrinking strategy would give."""
    rng = Random(number)
    data = bytearray(rng.choice(samples()))
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data) or 1)
        length = rng.choice((rng.randint(1, 8), rng.randint(1, 4000)))
        match rng.randint(0, 5):
            case 0 if data:
                data[at] ^= 1 << rng.randint(0, 7)
            case 1:
                data[at : at + rng.randint(0, 12)] = rng.choice(TOKENS)
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                other = rng.choice(samples())
                start = rng.randrange(len(other))
                data[at : at + length] = other[start : start + length]
            case _ if rng.random() < 0.1:
                del data[at:]
            case _:
                data[at : at + 4] = rng.randbytes(rng.randint(1, 8))
    return bytes(data)


@pytest.fixture(scope="module")
def outside() -> Iterator[Sandbox]:
    with Sandbox(Limits(seconds=20, megapixels=4, pages=10)) as sandbox:
        yield sandbox


def read_through(sandbox: Sandbox, data: bytes) -> None:
    """Open, draw and read, but for what needs recognition, which is no parser."""
    opened = sandbox.open(data, "bill")
    if None in opened.sizes:
        return
    if opened.sizes:
        sandbox.picture(data, 1, 400, 100_000)
    sandbox.read(data, "bill")


@pytest.mark.timeout(SECONDS + 300)
def test_nothing_but_a_named_error_comes_out_of_a_mutated_file(outside: Sandbox) -> None:
    refused: list[str] = []

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    @given(st.integers(0, 2**64 - 1).map(mutated))
    def fuzz(data: bytes) -> None:
        try:
            read_through(outside, data)
        except BrokenReading as error:
            raise AssertionError(f"a defect, or a library that died: {error}") from error
        except DocumentError as error:
            refused.append(error.reason)

    end, rounds = time.monotonic() + SECONDS, 0
    while rounds == 0 or time.monotonic() < end:
        # Each round its own examples, the same ones on every machine.
        seed(rounds)(fuzz)()
        rounds += 1
    print(f"{rounds * EXAMPLES} files; refused: {dict(Counter(refused))}")
    assert "damaged" in refused


@pytest.mark.parametrize("number", range(22))
def test_the_files_that_are_mutated_are_valid(outside: Sandbox, number: int) -> None:
    assert len(samples()) == 22
    outside.open(samples()[number], "bill")
