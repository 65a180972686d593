"""`vouch vllm serve` with a program in vLLM's place that speaks its wire: started, warmed up, ended, never left over."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.integration.recorded_model import KEY

ROOT = Path(__file__).parents[2]
STAND_IN = """#!{python}
import os, sys, time
sys.path.insert(0, {root!r})
from tests.integration.recorded_model import RecordedModel
arguments = sys.argv[1:]
assert arguments[0] == "serve" and {key!r} not in " ".join(arguments)
assert os.environ["VLLM_API_KEY"] == {key!r} and os.environ["VLLM_NO_USAGE_STATS"] == "1"
print("its log", flush=True)
if {broken}:
    sys.exit(7)
model = RecordedModel(lambda asked: '{{"a": ""}}', port=int(arguments[arguments.index("--port") + 1]))
with model.serving():
    while len(model.asked) < 1:
        time.sleep(0.05)
    print("warmed up", model.asked[0].images, flush=True)
    time.sleep(600)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "key").write_text(KEY + "\n")
    return [
        sys.executable, "-m", "connector.cli", "vllm", "serve", "--gpu-memory", "80",
        "--port", str(free_port()), "--api-key-file", str(tmp_path / "key"),
    ]  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def stand_in(folder: Path, *, broken: bool = False) -> None:
    file = folder / "vllm"
    file.write_text(STAND_IN.format(python=sys.executable, root=str(ROOT), key=KEY, broken=broken))
    file.chmod(0o755)


def test_it_says_when_it_is_ready_and_leaves_nothing_behind(
    tmp_path: Path, words: list[str], environment: dict[str, str]
) -> None:
    stand_in(tmp_path)
    log = tmp_path / "log"
    with log.open("wb") as out:
        running = subprocess.Popen(words, env=environment, stdout=out, stderr=out, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while "is ready at" not in log.read_text() and time.monotonic() < deadline:
        assert running.poll() is None, log.read_text()
        time.sleep(0.1)
    said = log.read_text()
    assert "Built with glm-4" in said
    assert "its log" in said
    assert "warmed up 1" in said
    assert KEY not in said
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0
    port = words[words.index("--port") + 1]
    assert not answers(port)


def test_killed_itself_it_takes_the_server_with_it(
    tmp_path: Path, words: list[str], environment: dict[str, str]
) -> None:
    stand_in(tmp_path)
    running = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, cwd=tmp_path)
    assert running.stderr
    assert any(b"is ready at" in line for line in running.stderr)
    running.kill()
    running.communicate()
    port = words[words.index("--port") + 1]
    deadline = time.monotonic() + 20
    while answers(port):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_a_server_that_ends_by_itself_is_an_error_with_a_remedy(
    tmp_path: Path, words: list[str], environment: dict[str, str]
) -> None:
    stand_in(tmp_path, broken=True)
    done = subprocess.run(words, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 3
    assert "exit code 7" in done.stderr
    assert "nvidia-smi" in done.stderr


@pytest.mark.parametrize(
    ("more", "code", "remedy"),
    [
        (["--gpu-memory", "4"], 2, "glm-ocr"),
        (["--profile", "openai-compatible"], 2, "names no model"),
        (["--host", "0.0.0.0", "--api-key-file", "/dev/null"], 2, "--api-key-file"),
        ([], 3, "vouch[vllm]"),
    ],
)
def test_what_cannot_be_served_says_what_can(
    words: list[str], more: list[str], code: int, remedy: str, tmp_path: Path
) -> None:
    environment = {**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*words, *more], env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == code, done.stderr
    assert remedy in done.stderr
