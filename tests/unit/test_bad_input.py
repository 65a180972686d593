"""Files made to do harm, and files larger than any bill: a named error in time, and nothing else happens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inference.errors import (
    BrokenReading,
    DamagedDocument,
    DocumentError,
    EncryptedDocument,
    OversizedDocument,
    SlowDocument,
    UnsupportedDocument,
)
from inference.isolation import Sandbox
from inference.page import Limits
from tests.samples import bad

SECONDS = 10.0
MOST_MEGABYTES = 1000


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(Limits(seconds=SECONDS)) as sandbox:
        yield sandbox


REFUSED: dict[str, tuple[Callable[[], bytes], type[DocumentError]]] = {
    "encrypted": (bad.encrypted_pdf, EncryptedDocument),
    "500 pages": (bad.many_pages, OversizedDocument),
    "no pages": (bad.no_pages, DamagedDocument),
    "1 x 1 png": (lambda: bad.picture("PNG", (1, 1)), UnsupportedDocument),
    "1 x 1 gif": (lambda: bad.picture("GIF", (1, 1)), UnsupportedDocument),
    "30,000 x 30,000 png": (lambda: bad.png_of(30_000), OversizedDocument),
    "30,000 x 30,000 jpeg": (lambda: bad.jpeg_of(30_000), OversizedDocument),
    "30,000 x 30,000 tiff": (lambda: bad.tiff_of(30_000), OversizedDocument),
    "30,000 x 30,000 heic": (lambda: bad.heic_of(30_000), DocumentError),
    "7,000 x 7,000 tiff of nothing": (lambda: bad.tiff_of(7_000), DamagedDocument),
    "png comment of 200 MB": (bad.png_text_bomb, DamagedDocument),
    "jpeg of 4,000 scans": (bad.jpeg_of_many_scans, DocumentError),
    "entity bomb": (bad.xml_entity_bomb, DocumentError),
    "external file": (bad.xml_external_entity, UnsupportedDocument),
    "external page": (lambda: bad.xml_external_entity("http://127.0.0.1:9/"), UnsupportedDocument),
    "nested xml": (bad.xml_nested, DamagedDocument),
    "ofd bomb": (bad.ofd_bomb, OversizedDocument),
    "ofd out of its folder": (lambda: bad.ofd(root="../../../../etc/passwd"), DamagedDocument),
    "ofd at the root": (lambda: bad.ofd(root="/etc/passwd"), DamagedDocument),
    "ofd symbolic link": (bad.ofd_symlink, DamagedDocument),
    "ofd entity": (lambda: bad.ofd(Doc_0__Page_xml=bad.xml_external_entity()), DocumentError),
    "truncated pdf": (lambda: bad.pdf_that_acts()[:-300], DamagedDocument),
    "truncated heic": (lambda: bad.picture("HEIF", (640, 480))[:-60], DamagedDocument),
    "truncated webp": (lambda: bad.picture("WEBP", (640, 480))[:-60], DamagedDocument),
    "truncated ofd": (lambda: bad.ofd()[:-60], DocumentError),
    "spreadsheet": (bad.spreadsheet, UnsupportedDocument),
    "web page": (bad.html, UnsupportedDocument),
}


@pytest.mark.parametrize(("make", "error"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_by_name_in_time_and_in_little_memory(
    outside: Sandbox, make: Callable[[], bytes], error: type[DocumentError]
) -> None:
    data = make()
    started = time.monotonic()
    with pytest.raises(error) as raised:
        outside.read(data, "bill.pdf")
    assert not isinstance(raised.value, BrokenReading)
    assert time.monotonic() - started < SECONDS + 2
    assert str(raised.value).endswith(".")
    if not isinstance(raised.value, SlowDocument):
        assert outside.peak_megabytes() < MOST_MEGABYTES


@pytest.mark.parametrize(
    "make", [lambda: bad.pdf_page_of(30_000), lambda: bad.pdf_page_of(14_400)], ids=["30,000", "14,400"]
)
def test_a_page_as_large_as_a_field_is_drawn_small(outside: Sandbox, make: Callable[[], bytes]) -> None:
    data = make()
    opened, _ = outside.read(data, "poster.pdf")
    assert opened.sizes[0]
    assert len(outside.picture(data, 1, 1900, 200_000) or b"") > 100
    assert outside.peak_megabytes() < MOST_MEGABYTES


def test_an_image_of_half_a_gigabyte_within_a_page_ends_in_time(outside: Sandbox) -> None:
    data = bad.pdf_with_image_of(12_000)
    started = time.monotonic()
    with contextlib.suppress(DocumentError):
        outside.read(data, "scan.pdf")
    assert time.monotonic() - started < SECONDS + 2


def test_what_a_pdf_wants_to_do_is_not_done_and_the_bill_is_read(
    outside: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Sandbox(Limits(seconds=SECONDS)) as fresh:
        _, reading = fresh.read(bad.pdf_that_acts(), "bill.pdf")
    assert reading.text("invoice_number") == "4711"
    assert list(tmp_path.iterdir()) == []
