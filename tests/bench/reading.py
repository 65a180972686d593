"""Seconds per page of the embedded reader, beside the bare library calls below it, in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image

from inference.document import open_document
from inference.page import Limits
from inference.reading import make_readers, read_document
from tests.samples.generate import PDF, Sample, samples

REPEATS = 5


def main() -> None:
    """Print a line per kind of page."""
    born_digital = [
        one for one in samples() if one.quality == "digital" and one.mimetype == PDF and one.name != "facturx"
    ]
    scanned = [one for one in samples() if one.name in ("german_scan", "english_photo")]
    text = per_page(bare_text, born_digital)
    show("born-digital page, read", per_page(read, born_digital), text, "bare text extraction")
    read(scanned[0])
    plain = per_page(bare_ocr, scanned)
    show("scanned or photographed page, read", per_page(read, scanned, 2), plain, "rapidocr as it comes")
    cold = cold_start(born_digital[0])
    show("cold start of `vouch read` on one page", cold, cold_python(), "starting Python")


def show(what: str, seconds: float, base: float, of: str) -> None:
    """One line: seconds, and the ratio to a base measured in this run."""
    print(f"  {what:42} {seconds:7.3f} s   {seconds / base:7.1f} × {of} ({base:.3f} s)")


def per_page(work: Callable[[Sample], int], documents: Sequence[Sample], repeats: int = REPEATS) -> float:
    """The median over documents of the best of some repeats, per page."""
    return statistics.median(min(_timed(work, one) for _ in range(repeats)) for one in documents)


def read(sample: Sample) -> int:
    """As `vouch read` does it; the number of pages."""
    document = open_document(sample.data, sample.filename, Limits())
    read_document(document, readers=make_readers("layout"))
    return len(document.pages)


def bare_text(sample: Sample) -> int:
    """What pdfium alone needs to give the text."""
    pdf = pdfium.PdfDocument(sample.data)
    for page in pdf:
        page.get_textpage().get_text_bounded()
    return len(pdf)


def bare_ocr(sample: Sample) -> int:
    """What rapidocr needs with its own defaults on the same engine."""
    engine = _plain_rapidocr()
    engine(_pixels(sample))
    return 1


def cold_start(sample: Sample) -> float:
    """Wall time of a fresh `vouch read`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / sample.filename
        file.write_bytes(sample.data)
        command = [sys.executable, "-m", "connector.cli", "read", str(file)]
        return min(_command(command) for _ in range(3))


def cold_python() -> float:
    """Wall time of a Python that does nothing."""
    return min(_command([sys.executable, "-c", "pass"]) for _ in range(3))


def _command(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def _timed(work: Callable[[Sample], int], sample: Sample) -> float:
    started = time.perf_counter()
    pages = work(sample)
    return (time.perf_counter() - started) / pages


_engines: list[object] = []


def _plain_rapidocr():
    if not _engines:
        from rapidocr import EngineType, RapidOCR

        kinds = {f"{part}.engine_type": EngineType.OPENVINO for part in ("Det", "Cls", "Rec")}
        _engines.append(RapidOCR(params=kinds | {"Global.log_level": "warning"}))
    return _engines[0]


def _pixels(sample: Sample) -> Image.Image:
    if sample.mimetype == PDF:
        return pdfium.PdfDocument(sample.data)[0].render(scale=200 / 72).to_pil()
    return Image.open(BytesIO(sample.data)).convert("RGB")


if __name__ == "__main__":
    main()
