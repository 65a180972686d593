"""Seconds per page, words lost and memory of the embedded reader, beside other ways to read, in the same run."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from PIL import Image

from inference.document import open_document
from inference.isolation import Sandbox
from tests.samples import degrade
from tests.samples.designs import render
from tests.samples.generate import PDF, Sample, samples
from tests.samples.random_bills import random_bill

REPEATS = 5
SCANNED = (11, 23, 42, 77)
# Runs in a process of its own, which prints the most memory it ever had, in megabytes.
PLAIN = """
import io, sys
from PIL import Image
from inference.isolation.confinement import peak_megabytes
from tests.bench.reading import plain_rapidocr
plain_rapidocr()(Image.open(io.BytesIO(sys.stdin.buffer.read())))
print(peak_megabytes())
"""


def main() -> None:
    """Print a line per kind of page."""
    born_digital = [
        one for one in samples() if one.quality == "digital" and one.mimetype == PDF and one.name != "facturx"
    ]
    scanned = [one for one in samples() if one.name in ("german_scan", "english_photo")]
    text = per_page(bare_text, born_digital)
    with Sandbox() as sandbox:
        read = partial(_read, sandbox)
        read(scanned[0])  # loads what is loaded once
        digital = per_page(read, born_digital)
        show("born-digital page, read", digital, text, "bare text extraction")
        seen = per_page(read, scanned)
        plain = per_page(bare_ocr, scanned)
        show("scanned or photographed page, read", seen, plain, "rapidocr as it comes")
    lost, plain_lost = words_lost()
    print(
        f"  words lost on a degraded scan              {lost:7.1%}     {plain_lost:7.1%} rapidocr as it comes"
    )
    ours, plains = peak_memory(scanned)
    print(
        f"  most memory, {len(scanned)} scanned pages             {ours:7.0f} MB  {plains:7.0f} MB rapidocr as it comes, one page"
    )
    cold = cold_start(born_digital[0])
    show("cold start of `vouch read` on one page", cold, cold_python(), "starting Python")
    if find_spec("invoice2data"):
        show(
            "born-digital page, read",
            digital,
            per_page(templates, born_digital),
            "invoice2data",
        )


def show(what: str, seconds: float, base: float, of: str) -> None:
    """One line: seconds, and the ratio to a base measured in this run."""
    print(f"  {what:42} {seconds:7.3f} s   {seconds / base:7.1f} × {of} ({base:.3f} s)")


def per_page(work: Callable[[Sample], int], documents: Sequence[Sample], repeats: int = REPEATS) -> float:
    """The median over documents of the best of some repeats, per page."""
    return statistics.median(min(_timed(work, one) for _ in range(repeats)) for one in documents)


def _read(sandbox: Sandbox, sample: Sample) -> int:
    """As `vouch sync` does it, in the process that reads; the number of pages. The name is new each time: a document
    that was read last is kept."""
    opened, _ = sandbox.read(sample.data, f"{next(_names)}-{sample.filename}")
    return len(opened.sizes)


def bare_text(sample: Sample) -> int:
    """What pdfium alone needs to give the text."""
    pdf = pdfium.PdfDocument(sample.data)
    for page in pdf:
        page.get_textpage().get_text_bounded()
    return len(pdf)


def bare_ocr(sample: Sample) -> int:
    """What rapidocr needs with its own defaults on the same engine."""
    plain_rapidocr()(_pixels(sample))
    return 1


def templates(sample: Sample) -> int:
    """What invoice2data needs, where it is installed: it is no part of the project."""
    from invoice2data import extract_data
    from invoice2data.extract.loader import read_templates

    if not _templates:
        _templates.extend(read_templates())
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(sample.data)
        file.flush()
        extract_data(file.name, templates=_templates)
    return len(pdfium.PdfDocument(sample.data))


def words_lost() -> tuple[float, float]:
    """The shares of the words of the text layer that we, and rapidocr, do not find on its scan: grey, askew, 150 dpi."""
    of = found = plain = 0
    for seed in SCANNED:
        pdf = render(random_bill(seed))
        truth = _words(token.text for token in open_document(pdf, "bill.pdf").pages[0].tokens)
        scan = open_document(degrade.scan(pdf, seed, 150), "scan.pdf").pages[0]
        pixels = pdfium.PdfDocument(degrade.scan(pdf, seed, 150))[0].render(scale=200 / 72).to_pil()
        lines = plain_rapidocr()(pixels).txts or ()
        of += truth.total()
        found += (truth & _words(token.text for token in scan.tokens)).total()
        plain += (truth & _words(word for line in lines for word in line.split())).total()
    return 1 - found / of, 1 - plain / of


def _words(texts: Iterable[str]) -> Counter[str]:
    """Words without their punctuation, which recognition may put beside them. Ideographs count one by one: they are
    written without spaces, and where a text layer breaks them says nothing."""
    return Counter(
        word for text in texts for word in re.findall(r"[\u2e80-\uffff]|[^\W_\u2e80-\uffff]+", _folded(text))
    )


def _folded(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def peak_memory(scanned: Sequence[Sample]) -> tuple[float, float]:
    """The most megabytes resident of the process that reads, and of one that runs rapidocr once."""
    with Sandbox() as sandbox:
        for sample in scanned:
            sandbox.read(sample.data, sample.filename)
        ours = sandbox.peak_megabytes()
    out = BytesIO()
    _pixels(scanned[0]).save(out, "PNG")
    plain = subprocess.run(
        [sys.executable, "-c", PLAIN], input=out.getvalue(), capture_output=True, check=True
    )
    return ours, json.loads(plain.stdout)


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


_names = count()
_engines: list[Any] = []
_templates: list[Any] = []


def plain_rapidocr() -> Any:
    """RapidOCR with its own defaults on the engine that we use."""
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
