"""Text from outside, wherever it is put: it begins no line of its own, speaks to no terminal, and computes nothing."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.markup import escape
from rich.table import Table as RichTable

from connector import notes
from connector.commands.output import OUT, print_json
from connector.erp.effects import keys, markup
from connector.insight import Table
from connector.plain_text import one_line, plain
from connector.review.insight import csv_of
from inference.invoice import Evidence, Field, Reading
from mappings.folding import misread_key, reference_keys
from tests.samples.hostile.texts import TEXTS
from tests.unit.mappings_builder import paper_bill
from tests.unit.test_traps import Situation

ROOT = Path(__file__).parents[2]
NOTHING = cast(Any, SimpleNamespace(lines=(), vat={}))
any_text = st.one_of(st.sampled_from(TEXTS), st.text(max_size=60))


def breaks(text: str) -> bool:
    """Whether a log, a terminal or a browser would see a second line, an escape or another direction in it."""
    return len(text.splitlines()) > 1 or any(
        unicodedata.category(char) in ("Cc", "Cs") or unicodedata.bidirectional(char) in BIDI for char in text
    )


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(any_text, st.integers(8, 200))
def test_one_line_is_one_line(text: str, most: int) -> None:
    found = one_line(text, most)
    assert len(found) <= most
    assert not breaks(found)


@given(any_text, any_text)
def test_a_note_has_the_lines_that_the_code_gives_it_and_no_tag_of_a_document(name: str, said: str) -> None:
    field = Field(f"Acme {said}", 0.99, (Evidence(1, None, said),))
    note = notes.filled(name, Reading("layout", {"seller_name": field}), NOTHING)
    assert len(note.split("\n")) == 2
    left = notes.left_to_person(name, [f"The seller is {said}."])
    assert len(left.split("\n")) == 2
    for text in (note, left):
        html = markup(text)
        assert html.count("<") == 2 * html.count("<p>")
        assert not keys(html)


LOGGED = """
import logging, structlog
from connector.logs import configure_logs
from connector.settings import Settings
from tests.samples.hostile.texts import TEXTS
configure_logs(Settings())
for text in TEXTS:
    structlog.get_logger().info(f"seen {text}", document=text, cause=f"{text}.")
    logging.getLogger("library").warning("cannot open %s", text)
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_an_event_is_one_line_of_the_log(form: str, tmp_path: Path) -> None:
    variables = {**os.environ, "VOUCH_LOG_FORMAT": form, "VOUCH_DATA_DIR": str(tmp_path), "PYTHONUTF8": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", LOGGED], cwd=ROOT, env=variables, capture_output=True, check=True
    )
    *lines, last = ran.stderr.decode().split("\n")
    assert last == ""
    assert len(lines) == 2 * len(TEXTS)
    assert not any(breaks(line) for line in lines)
    assert max(map(len, lines)) < 10_000
    for line in lines[::2]:
        assert "seen" in (json.loads(line)["event"] if form == "json" else line)


@given(st.lists(any_text, min_size=1, max_size=3))
def test_no_cell_of_an_export_is_a_formula(texts: list[str]) -> None:
    table = Table("vendors", ("name", "n"), tuple((text, 1) for text in texts), 1)
    rows = list(csv.reader(io.StringIO(csv_of(table), newline="")))[1:]
    assert len(rows) == len(texts)
    for (cell, _), text in zip(rows, texts, strict=True):
        assert cell.replace("'", "") == text.replace("'", "")
        assert not cell.strip(" \0\ufeff\u200b").startswith(
            ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
        )


@pytest.mark.parametrize("apart", [";", "\t"])
@pytest.mark.parametrize(
    "text", ["Acme;=1+1", "Acme; @SUM(A1)", 'Acme;\t"=1', "a\tb\t＝1", "Acme\r\n;-1", ";=1"]
)
def test_no_cell_of_an_export_is_a_formula_where_cells_are_parted_otherwise(text: str, apart: str) -> None:
    """Spreadsheets of many languages part by semicolons, and some files are opened as if tabs did."""
    written = csv_of(Table("vendors", ("vendor", "name", "n"), ((text, text, 1),), 1))
    for row in csv.reader(io.StringIO(written, newline=""), delimiter=apart):
        for cell in row:
            assert not cell.strip(" \0\ufeff\u200b").startswith(
                ("=", "+", "-", "@", "＝", "＋", "－", "＠")
            ), cell
    # Without a parser that knows quotes, too.
    assert not re.search(r"[;\t\n][\s]*[=+\-@＝＋－＠]", written)


@pytest.mark.parametrize(
    "written",
    [
        "ІNV-2026-0817",
        "INV\u200b-2026-0817",
        "ＩＮＶ－２０２６－０８１７",
        "INV-٢٠٢٦-٠٨١٧",
        "\u202eINV-2026-0817",
        "inv‐2026‐0817",
    ],
)
def test_a_number_is_known_again_under_its_disguise(written: str) -> None:
    assert reference_keys(written) & reference_keys("INV-2026-0817")
    assert misread_key(written) == misread_key("INV-2026-0817")


def test_a_number_of_two_alphabets_goes_to_a_person_and_a_cyrillic_one_does_not() -> None:
    said = Situation(paper_bill(invoice_number="ІNV-0901", payment_account="")).decide().reasons
    assert any("mixes alphabets: it is written to look like another" in reason for reason in said)
    honest = Situation(paper_bill(invoice_number="СФ-0901", payment_account="")).decide().reasons
    assert not any("alphabets" in reason for reason in honest)


@given(st.text(max_size=80))
def test_plain_text_shows_what_it_hides(text: str) -> None:
    shown = plain(text)
    assert not any(unicodedata.bidirectional(char) in BIDI for char in shown)
    if text.isascii() and text.isprintable():
        assert shown == text


@given(any_text, any_text)
def test_json_on_a_terminal_speaks_to_it_neither(name: str, said: str) -> None:
    node = {"name": name, "fields": [{"value": said, said: 1}], "total": "1.00"}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        print_json(node)
    told = printed.getvalue()
    assert json.loads(told) == node
    assert told.encode()
    assert not any(breaks(line) for line in told.split("\n"))


def test_a_terminal_is_not_spoken_to() -> None:
    with OUT.capture() as printed:
        for text in TEXTS:
            OUT.print(escape(text))
            table = RichTable("name")
            table.add_row(escape(text))
            OUT.print(table)
    assert not any(breaks(line) for line in printed.get().split("\n"))
