"""Nothing leaves the house: the whole service in a network namespace that reaches Odoo and the model server, no one else."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.odoo.administrator import Administrator, MailedFile
from deploy.odoo.installation import Installation
from tests.acceptance.alone import LOCAL, join
from tests.acceptance.command import settings_for, vouch, wait_for
from tests.integration.odoo_server import cloned
from tests.integration.recorded_model import KEY, RecordedModel, true_answer
from tests.samples.generate import samples

ROOT = Path(__file__).parents[2]
SAMPLES = {sample.name: sample for sample in samples()}
ISOLATED = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.acceptance.alone"]
TRIES = (
    "import socket, urllib.request\n"
    "for reach in (lambda: socket.create_connection(('203.0.113.9', 443), 2),"
    " lambda: socket.create_connection(('2001:db8::9', 443), 2),"
    " lambda: urllib.request.urlopen('http://telemetry.example/', timeout=2),"
    " lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('198.51.100.7', 123))):\n"
    "    try: reach()\n"
    "    except OSError: pass\n"
)


@pytest.fixture(scope="module")
def _isolation() -> None:
    """Skips, with the reason, where this machine does not let us make a namespace."""
    if sys.platform != "linux":
        pytest.skip("network namespaces are Linux's")
    for words in (
        ["unshare", "--net", "--mount", "true"],
        ["unshare", "--net", "ip", "link", "set", "lo", "up"],
    ):
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            pytest.skip(f"{error.filename} is not installed (util-linux, iproute2)")
        if done.returncode:
            pytest.skip(f"no network namespace can be made here, which takes root: {done.stderr.strip()}")


def outside(path: str, port: int) -> None:
    """What comes to a Unix socket goes to a port of this machine."""

    def accept() -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            ready.set()
            while True:
                near, _ = server.accept()
                join(near, socket.create_connection((LOCAL, port)))

    ready = threading.Event()
    threading.Thread(target=accept, daemon=True).start()
    ready.wait()


def isolated(folder: Path, places: dict[int, int], own: int, command: list[str]) -> Path:
    """Writes the spec of a run; the paths of what was seen and of the spec are `seen` and `spec` in the folder."""
    lines = {str(port): str(folder / f"{port}.sock") for port in places}
    for port, target in places.items():
        outside(lines[str(port)], target)
    spec = {"places": lines, "own": own, "command": command, "seen": str(folder / "seen")}
    (folder / "seen").touch()
    (folder / "spec").write_text(json.dumps(spec))
    return folder / "spec"


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a name short enough for Unix sockets."""
    folder = Path(f"/tmp/vouch-{uuid.uuid4().hex[:8]}")
    folder.mkdir(mode=0o700)
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


def free_port() -> int:
    with socket.create_server((LOCAL, 0)) as server:
        return server.getsockname()[1]


@pytest.mark.usefixtures("_isolation")
def test_whoever_tries_to_get_out_is_seen(short: Path) -> None:
    """The watch itself: without this the test below could not fail."""
    spec = isolated(short, {}, free_port(), [sys.executable, "-c", TRIES])
    assert subprocess.run([*ISOLATED, spec], cwd=ROOT, check=False).returncode == 0
    seen = set((short / "seen").read_text().splitlines())
    assert {
        "tcp 203.0.113.9:443",
        "tcp 2001:db8::9:443",
        "name telemetry.example",
        "udp 198.51.100.7:123",
    } <= seen


@pytest.mark.usefixtures("_isolation")
def test_the_service_reaches_odoo_and_the_model_and_tries_nothing_else(
    short: Path, development_odoo: Installation
) -> None:
    name = f"test_{uuid.uuid4().hex[:12]}"
    database = cloned(development_odoo, name)
    odoo = Administrator(database.url, name)
    sure, doubtful = (
        SAMPLES["look_alike"],
        next(s for s in samples() if (s.expected, s.target) == ("review", "mail")),
    )
    bills = [odoo.draft_bill(MailedFile(s.filename, s.mimetype, s.data)) for s in (sure, doubtful)]
    with ExitStack() as stack:
        stack.callback(development_odoo.drop, name)
        model = stack.enter_context(
            RecordedModel(lambda asked: true_answer(sure.truth, asked.keys)).serving()
        )
        web, odoo_port = free_port(), urlsplit(database.url).port or 80
        environment = {
            **os.environ,
            **settings_for(database, "json2", short / "data"),
            "VOUCH_VLM__URL": model.url,
            "VOUCH_VLM__API_KEY": KEY,
            "VOUCH_WEB__PORT": str(web),
            "VOUCH_RETENTION__DOCUMENTS_DAYS": "30",
            "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": "2",
        }
        command = [sys.executable, "-m", "connector.cli", "run"]
        spec = isolated(short, {odoo_port: odoo_port, model.port: model.port}, web, command)
        ours = {name: value for name, value in environment.items() if name.startswith("VOUCH_")}
        service = subprocess.Popen([*ISOLATED, spec], cwd=ROOT, env=environment, start_new_session=True)
        try:

            def done() -> bool:
                assert service.poll() is None, "the service ended by itself"
                if not (short / "data" / "ledger.db").exists():
                    return False
                told = vouch(ours, "status", "--json")
                states = json.loads(told.stdout)["documents"] if told.returncode == 0 else {}
                return states.get("filled", 0) + states.get("in_review", 0) == len(bills)

            wait_for(lambda: done() or None, 240)
        finally:
            os.killpg(service.pid, signal.SIGTERM)
            service.wait(60)
    assert model.asked, "the model was not asked"
    assert (short / "seen").read_text().splitlines() == []
    told = vouch(ours, "status", "--json")
    documents = json.loads(told.stdout)["documents"]
    assert (documents["filled"], documents["in_review"]) == (1, 1)
