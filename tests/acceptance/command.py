"""Run the command `vouch` as a user does, against a test's own Odoo database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx

from tests.integration.odoo_server import OdooDatabase

Found = TypeVar("Found")


def wait_for(what: Callable[[], Found | None], seconds: float = 60) -> Found:
    """What `what` finds, once it finds something."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"waited {seconds:g} s in vain"
        time.sleep(0.2)
    return found


def vouch(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "connector.cli", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def start(environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    """The command, left running."""
    return subprocess.Popen(
        [sys.executable, "-m", "connector.cli", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def web(environment: Mapping[str, str]) -> Generator[str]:
    """`vouch web` with these settings; its address, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    process = start({**environment, "VOUCH_WEB__PORT": str(port)}, "web")
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            return httpx.get(f"{url}/healthz").is_success
        except httpx.TransportError:
            return False

    wait_for(answers, 120)
    yield url
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)


def settings_for(database: OdooDatabase, protocol: str, data: Path) -> dict[str, str]:
    """The variables that point `vouch` at a database over one of the two protocols."""
    secrets = {"json2": {"API_KEY": database.api_key}, "jsonrpc": {"PASSWORD": database.password}}[protocol]
    return {
        "VOUCH_DATA_DIR": str(data),
        "VOUCH_LOG_LEVEL": "warning",
        "VOUCH_BACKENDS__MAIN__URL": database.url,
        "VOUCH_BACKENDS__MAIN__DATABASE": database.database,
        "VOUCH_BACKENDS__MAIN__LOGIN": database.login,
        "VOUCH_BACKENDS__MAIN__PROTOCOL": protocol,
        "VOUCH_BACKENDS__MAIN__REVIEWER": "accountant",
        # The development Odoo answers in a moment, so a broken write need not be waited for as long.
        "VOUCH_BACKENDS__MAIN__LONGEST_REQUEST_SECONDS": "3",
        **{f"VOUCH_BACKENDS__MAIN__{name}": value for name, value in secrets.items()},
    }
