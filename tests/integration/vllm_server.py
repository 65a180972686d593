"""A real vLLM server for tests: the CPU build with tiny random weights, one per profile and session."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from deploy.vllm import development
from inference.vllm.leash import held
from inference.vllm.profile import DEFAULT

__all__ = ["KEY", "PROFILES", "VllmServer", "profile", "vllm_server"]

KEY = "a-key-for-tests"
PROFILES = (DEFAULT, "glm-4.6v-flash", "glm-ocr")
"""One of each architecture."""
STARTS_IN_SECONDS = 300


@dataclass
class VllmServer:
    """One server process; it may be killed and started again on the same port."""

    profile: str
    log: Path
    port: int = field(default=0)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers. Raises TimeoutError with the end of its log."""
        self.port = self.port or _free_port()
        words = development.command(self.profile, self.port)
        with self.log.open("ab") as log:
            self.process = held(words, development.environment(KEY), log)
        deadline = time.monotonic() + STARTS_IN_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.answers():
                return
            time.sleep(0.5)
        raise TimeoutError(f"vLLM did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """End the server and the engine that it started."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, sign)
            self.process.communicate(timeout=60)


@pytest.fixture(scope="session", params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    """Each architecture; tests that take it run together, so that its server is started once for them."""
    return str(request.param)


@pytest.fixture(scope="session")
def vllm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], VllmServer]]:
    """Gives the running server of a profile, started on first use; one at a time, since each takes 3 GB."""
    if os.environ.get("VOUCH_TEST_VLLM") == "none":
        pytest.skip("VOUCH_TEST_VLLM=none")
    development.install()
    running: list[VllmServer] = []

    def serve(profile: str) -> VllmServer:
        if running and running[-1].profile == profile and running[-1].answers():
            return running[-1]
        for server in running:
            server.kill(signal.SIGTERM)
        running.append(VllmServer(profile, tmp_path_factory.mktemp("vllm") / "log"))
        running[-1].start()
        return running[-1]

    yield serve
    for server in running:
        server.kill(signal.SIGTERM)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
