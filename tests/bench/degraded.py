"""The PDFs of an evaluation folder as scans, with their truth: `python -m tests.bench.degraded DIR OUT [--set NAME]…`

Each is rendered at 150, 200 or 300 dpi, made grey, turned by up to 3 degrees, blurred a little, made noisy, and kept as
JPEG of quality 60: chosen at random, but the same for the same document each time. `vouch eval OUT` measures them.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from inference.evaluation.folder import TRUTH, Case, FolderError, find_cases
from tests.samples import degrade

MOST_PAGES = 10
RESOLUTIONS = (150, 200, 300)
MOST_SKEW = 3.0


def worsened(pdf: bytes, seed: int) -> bytes:
    """The first pages of a PDF as a scan."""
    rng = np.random.default_rng(seed)
    dpi = int(rng.choice(RESOLUTIONS))
    scanned: list[degrade.Image] = []
    for page in degrade.pages(pdf, dpi)[:MOST_PAGES]:
        grey = cv2.cvtColor(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        askew = degrade.rotate(grey, float(rng.uniform(-MOST_SKEW, MOST_SKEW)))
        scanned.append(degrade.noise(degrade.blur(askew, 0.6 if dpi > 150 else 0.4), rng))
    return degrade.pdf_of_images(scanned, dpi, 60)


def write_scan(case: Case, out: Path) -> bool:
    """Write a document's scan and its truth into `out`; False where it is no PDF. One that is there is kept."""
    data = case.document.read_bytes()
    if b"%PDF-" not in data[:1024]:
        return False
    place = out / case.set / case.id
    place.mkdir(parents=True, exist_ok=True)
    scan = place / "doc.pdf"
    if not scan.exists():
        part = scan.with_suffix(".part")
        part.write_bytes(worsened(data, zlib.crc32(case.id.encode())))
        part.rename(scan)
    shutil.copyfile(case.truth, place / TRUTH)
    return True


def write_scans(folder: Path, out: Path, sets: Sequence[str] = (), jobs: int | None = None) -> int:
    """Write all scans; how many there are. Raises FolderError."""
    cases = find_cases(folder, sets=sets)
    with ProcessPoolExecutor(jobs) as pool:
        return sum(_shown(pool.map(write_scan, cases, [out] * len(cases)), len(cases)))


def _shown(done: Iterator[bool], total: int) -> Iterator[bool]:
    for place, one in enumerate(done, 1):
        sys.stderr.write(f"\r{place} of {total} documents" + ("\n" if place == total else ""))
        yield one


def main() -> int:
    """Write the scans; 0, or 2 with a sentence on stderr where there is nothing to scan."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.degraded", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="documents with truth")
    parser.add_argument("out", type=Path, metavar="OUT", help="where to write the scans")
    parser.add_argument("--set", dest="sets", action="append", default=[], help="only this set")
    parser.add_argument("--jobs", type=int, help="processes; as many as cores when left out")
    asked = parser.parse_args()
    try:
        print(f"{write_scans(asked.folder, asked.out, asked.sets, asked.jobs)} scans in {asked.out}")
    except FolderError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
