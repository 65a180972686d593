"""The process that reads documents may die, hang or lie: the one that asks goes on."""

from __future__ import annotations

import ctypes
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas
from typer.testing import CliRunner

from connector.cli import app
from inference.document import open_document
from inference.errors import (
    BrokenReading,
    DamagedDocument,
    EncryptedDocument,
    OversizedDocument,
    ReaderUnavailable,
    SlowDocument,
)
from inference.invoice import Reading
from inference.isolation import Sandbox, sandbox
from inference.isolation.confinement import STATUS
from inference.page import Limits
from inference.reading import read_document
from tests.samples import bad, degrade
from tests.samples.collection import freight
from tests.samples.facturx_data import facturx_pdf, invoice_xml

ROOT = Path(__file__).parents[2]
# A process in which the library that opens documents does what an attacker would have it do.
TAKEN_OVER = """
import os, resource, socket, subprocess, time
from inference.isolation import child
def open_document(data, name, limits):
    def tried(attack):
        try:
            attack()
        except OSError as error:
            return type(error).__name__
        return "it worked"
    match data:
        case b"hang": time.sleep(60)
        case b"die": os.abort()
        case b"eat": raise child.OversizedDocument(str(len(bytearray(10**10))))
        case b"grow":
            held = []
            while True:
                held.append(b"x" * 10**7)
                time.sleep(0.001)
                if len(held) == 100: time.sleep(60)
        case b"lie": os.write(4, b"\\0\\0\\0\\2\\0\\0\\0\\0{}")
        case b"spin": 1 // 0
    attacks = {
        "connect": lambda: socket.create_connection(("127.0.0.1", 9)),
        "socket": lambda: socket.socket(socket.AF_UNIX),
        "program": lambda: subprocess.run(["true"]),
        "file": lambda: open("attack", "wb", buffering=0).write(b"x" * 100),
    }
    beside, service = os.environ["PYTHONPATH"] + "/pyproject.toml", os.getppid()
    if data == b"look": attacks = {
        "ledger": lambda: open("ledger.db", "rb"),
        "key": lambda: open("odoo.key", "rb"),
        "beside the program": lambda: open(beside, "rb"),
        "users": lambda: open("/etc/passwd", "rb"),
        "variables": lambda: open(f"/proc/{service}/environ", "rb"),
        "memory": lambda: open(f"/proc/{service}/mem", "r+b", buffering=0),
        "home": lambda: os.listdir(os.path.expanduser("~")),
        "folder": lambda: os.listdir("."),
        "new": lambda: os.open("new", os.O_CREAT | os.O_WRONLY),
        "write": lambda: os.open("ledger.db", os.O_WRONLY),
        "empty": lambda: os.truncate("ledger.db", 0),
        "delete": lambda: os.unlink("ledger.db"),
        "move": lambda: os.rename("ledger.db", "gone"),
        "link": lambda: os.link("ledger.db", "linked"),
        "rights": lambda: os.chmod("ledger.db", 0o666),
        "owner": lambda: os.chown("ledger.db", os.getuid(), os.getgid()),
        "times": lambda: os.utime("ledger.db", (0, 0)),
        "mark": lambda: os.setxattr("ledger.db", "user.a", b"b"),
        "signal": lambda: os.kill(service, 0),
        "all": lambda: os.kill(-1, 0),
        "limits": lambda: resource.prlimit(service, resource.RLIMIT_CORE),
    }
    found = {name: tried(attack) for name, attack in attacks.items()}
    links = [os.readlink(f"/proc/self/fd/{number}") for number in range(99) if os.path.lexists(f"/proc/self/fd/{number}")]
    found["open"] = [link for link in links if not link.startswith(("pipe:", "/dev/null", "/proc/"))]
    found["secrets"] = [name for name in os.environ if "KEY" in name or "VOUCH" in name]
    raise child.DamagedDocument(repr(found))
child.open_document = open_document
child.main()
"""
# A process on a kernel that does not know what is asked of it.
NO_LANDLOCK = """
from inference.isolation import child, landlock
landlock._CREATE_RULESET = 5000
child.main()
"""
LANDLOCK = sys.platform == "linux" and ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


def bill() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842), invariant=True)
    for row, text in enumerate(["Acme Ltd", "Invoice 4711", "Invoice date 24.12.2026", "Total 119.00 EUR"]):
        canvas.drawString(90, 740 - 46 * row, text)
    canvas.save()
    return out.getvalue()


@pytest.fixture
def taken_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """From now on every process of a sandbox is one that was taken over; the folder it works in."""
    start = subprocess.Popen
    monkeypatch.setattr(
        sandbox.subprocess,
        "Popen",
        lambda command, **how: start([command[0], "-c", TAKEN_OVER], **how, cwd=tmp_path),
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("VOUCH_BACKENDS__MAIN__API_KEY", "secret")
    monkeypatch.setenv("OTHER_API_KEY", "secret")
    return tmp_path


def test_what_is_read_outside_is_what_is_read_inside_and_the_process_is_used_again() -> None:
    data = bill()
    inside = read_document(open_document(data, "bill.pdf"))
    with Sandbox() as outside:
        opened, reading = outside.read(data, "bill.pdf")
        first = outside._idle[0]._child.pid
        assert outside.open(data, "bill.pdf") == opened
        assert outside._idle[0]._child.pid == first
        with Image.open(io.BytesIO(outside.picture(data, 1, 500, 100_000) or b"")) as picture:
            assert picture.format == "WEBP"
            assert 480 < max(picture.size) <= 500
        assert outside.picture(data, 2, 500, 100_000) is None
    assert (opened.mime, opened.origin, opened.sizes) == ("application/pdf", "born-digital", ((595, 842),))
    assert reading.fields == Reading.from_json(json.loads(json.dumps(inside.as_json()))).fields
    assert reading.text("invoice_number") == "4711"


def test_an_error_of_the_document_has_its_name_and_the_process_goes_on() -> None:
    with Sandbox() as outside:
        for _ in range(2):
            with pytest.raises(EncryptedDocument, match="password"):
                outside.read(bad.encrypted_pdf(), "bill.pdf")
        assert outside.read(bill(), "bill.pdf")[1].text("invoice_number") == "4711"


def test_who_takes_the_process_over_finds_no_network_no_program_no_file_and_no_secret(
    taken_over: Path,
) -> None:
    with Sandbox() as outside:
        assert outside.start().network == ""
        with pytest.raises(DamagedDocument) as raised:
            outside.read(b"attack", "bill.pdf")
    found = eval(str(raised.value))  # our own repr, from our own code above
    assert found.pop("file") == ("PermissionError" if LANDLOCK else "OSError")
    assert found == {
        "connect": "PermissionError",
        "socket": "PermissionError",
        "program": "PermissionError",
        "open": [],
        "secrets": [],
    }
    assert not (taken_over / "attack").exists() or (taken_over / "attack").stat().st_size == 0


@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock, or does not let it be used")
def test_who_takes_the_process_over_reads_and_changes_no_file_and_reaches_no_process(
    taken_over: Path,
) -> None:
    ledger, key = taken_over / "ledger.db", taken_over / "odoo.key"
    for file in (ledger, key):
        file.write_bytes(b"secret")
        file.chmod(0o600)
    before = ledger.stat()
    with Sandbox() as outside:
        assert outside.start() == ("", "")
        with pytest.raises(DamagedDocument) as raised:
            outside.read(b"look", "bill.pdf")
    found = eval(str(raised.value))  # our own repr, from our own code above
    assert (found.pop("open"), found.pop("secrets")) == ([], [])
    assert {name for name, ended in found.items() if ended != "PermissionError"} == set()
    assert len(found) == 21
    assert sorted(file.name for file in taken_over.iterdir()) == ["ledger.db", "odoo.key"]
    after = ledger.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert ledger.read_bytes() == b"secret"


def test_documents_of_every_kind_are_read_in_a_confined_process() -> None:
    """Most libraries, fonts and models are loaded only when they are needed, with what may still be read."""
    pillow_heif.register_heif_opener()
    pdf, owed = bill(), freight(date(2026, 12, 24))
    [page] = degrade.pages(pdf, dpi=90)
    with Sandbox() as outside:
        assert outside.start().network == ""
        assert outside.read(degrade.jpeg(page, quality=90), "bill")[1].text("invoice_number") == "4711"
        for kind in ("PNG", "TIFF", "WEBP", "HEIF", "AVIF"):
            assert outside.picture(bad.picture(kind), 1, 500, 100_000)
        assert outside.picture(bad.ofd(), 1, 500, 100_000)
        assert [token.text for token in outside.words(bad.ofd(), 1) or ()] == ["123456"]
        for data in (invoice_xml(owed), facturx_pdf(owed, pdf)):
            assert outside.read(data, "bill")[1].text("invoice_number") == owed.number
        assert len(outside.open(outside.part(bad.many_pages(3), 2, 3), "bill").sizes) == 2
        shown = outside.shown(pdf, "bill", outside.read(pdf, "bill")[1])
        assert "page_shows" in {check.id for check in shown.checks}


def test_where_the_kernel_takes_no_files_away_documents_are_read_and_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start = subprocess.Popen
    monkeypatch.setattr(
        sandbox.subprocess,
        "Popen",
        lambda command, **how: start([command[0], "-c", NO_LANDLOCK], **how, cwd=ROOT),
    )
    with Sandbox() as outside:
        network, files = outside.start()
        assert (network, "Landlock" in files) == ("", True)
        assert outside.read(bill(), "bill.pdf")[1].text("invoice_number") == "4711"
    monkeypatch.setenv("VOUCH_DATA_DIR", str(tmp_path))
    told = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)["findings"]
    [reading] = [finding for finding in told if finding["subject"] == "reading"]
    assert reading["status"] == "warning"
    assert files in reading["message"]
    assert "lsm=" in reading["message"]


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        (b"hang", SlowDocument, "longer than 1 seconds"),
        (b"die", BrokenReading, "SIGABRT"),
        (b"eat", OversizedDocument, "2000 MB of memory"),
        (b"lie", BrokenReading, "no reader says"),
        (b"spin", BrokenReading, "ZeroDivisionError"),
    ],
)
def test_a_process_that_hangs_dies_eats_or_lies_costs_one_document(
    taken_over: Path, data: bytes, error: type[Exception], says: str
) -> None:
    with Sandbox(Limits(seconds=1)) as outside:
        started = time.monotonic()
        with pytest.raises(error, match=says):
            outside.read(data, "bill.pdf")
        assert time.monotonic() - started < 5
        with pytest.raises(DamagedDocument):
            outside.read(b"attack", "bill.pdf")


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the memory of another process")
def test_memory_that_grows_is_bounded_before_its_address_space_ends(taken_over: Path) -> None:
    """A gigabyte that is used is too much of 500 MB, though 2,500 MB could be addressed; then the process would wait."""
    with Sandbox(Limits(seconds=50, memory_megabytes=500)) as outside:
        with pytest.raises(OversizedDocument, match="500 MB of memory"):
            outside.read(b"grow", "bill.pdf")
        with pytest.raises(DamagedDocument):
            outside.read(b"attack", "bill.pdf")


def test_a_process_that_was_killed_while_idle_costs_nothing() -> None:
    with Sandbox() as outside:
        outside.start()
        child = outside._idle[0]._child
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert outside.read(bill(), "bill.pdf")[1].text("invoice_number") == "4711"


def test_a_process_that_cannot_start_is_nobodys_documents_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.sys, "executable", "/bin/false")
    with Sandbox() as outside, pytest.raises(ReaderUnavailable, match="exit code 1"):
        outside.read(bill(), "bill.pdf")


def test_threads_share_a_sandbox() -> None:
    read: list[str | None] = []
    with Sandbox(processes=2) as outside:
        jobs = [
            threading.Thread(
                target=lambda: read.append(outside.read(bill(), "b.pdf")[1].text("invoice_number"))
            )
            for _ in range(6)
        ]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        assert len(outside._idle) <= 2
    assert read == ["4711"] * 6


def test_what_is_at_work_while_the_sandbox_is_closed_ends_with_its_question() -> None:
    outside = Sandbox(processes=2)
    with outside._process() as process:
        outside.close()
        assert process.ask({"ask": "memory", "name": ""}, b"")[0]["megabytes"] > 0
    assert process.is_gone
    assert outside._idle == []
    with pytest.raises(ReaderUnavailable, match="ending"):
        outside.start()


def test_the_process_ends_with_the_one_that_asked(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom inference.isolation import Sandbox\ns = Sandbox()\ns.start()\n"
        "print(s._idle[0]._child.pid, flush=True)\nos._exit(0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    pid = int(run.stdout)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _lives(pid):
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
