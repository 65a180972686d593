"""A second Odoo server on the databases of the development Odoo, so that long runs wait for nobody else."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from deploy.odoo.installation import Installation
from deploy.odoo.odoo_command import environment
from deploy.odoo.places import Places
from inference.vllm.leash import held
from tests.integration.odoo_server import OdooDatabase

STARTS_IN_SECONDS = 300
UPDATES = 10


@dataclass
class OwnOdoo:
    """One server process on a port of its own; `folder` takes its settings and log.

    `changes` are settings in place of those of the development Odoo.
    """

    installation: Installation
    folder: Path
    port: int = 0
    changes: Mapping[str, object] = field(default_factory=dict[str, object])
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = self.port or int(listening.getsockname()[1])
        settings = self._places.config.read_text()
        for name, value in {"http_port": self.port, **self.changes}.items():
            settings = re.sub(rf"(?m)^{name} = .*\n", "", settings) + f"{name} = {value}\n"
        (self.folder / "odoo.conf").write_text(settings)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serving(self, database: OdooDatabase) -> OdooDatabase:
        """The same database at this server's address."""
        return replace(database, url=self.url)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "odoo.log").open("ab") as log:
            self._process = held(self._words("server"), environment(self._places), log)
        end = time.monotonic() + STARTS_IN_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/web/version", timeout=10, trust_env=False).is_success:
                    return
            time.sleep(0.3)
        raise AssertionError((self.folder / "odoo.log").read_text(errors="replace")[-3000:])

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End it and what it started; SIGKILL as a crash does."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, sign)
            self._process.communicate(timeout=STARTS_IN_SECONDS)

    def update(self, database: str, *words: str) -> None:
        """Install or update apps (`-i`, `-u`) in a process of its own, as administrators do, beside the server.

        Odoo gives it up whole where somebody writes the same rows meanwhile: then it is begun again, as they do.
        """
        path = self.folder / "update.log"
        for _ in range(UPDATES):
            with path.open("wb") as log:
                asked = self._words("server", "-d", database, "--no-http", "--stop-after-init", *words)
                with held(asked, environment(self._places), log) as process:
                    code = process.wait(4 * STARTS_IN_SECONDS)
            said = path.read_text(errors="replace")
            if code == 0:
                return
            assert "could not serialize access" in said or "deadlock detected" in said, said[-3000:]
        raise AssertionError(f"{UPDATES} updates were given up")

    def _words(self, *words: str) -> list[str]:
        places = self._places
        return [
            str(places.python),
            "-W",
            "ignore",
            str(places.odoo),
            *words,
            "-c",
            str(self.folder / "odoo.conf"),
        ]

    @property
    def _places(self) -> Places:
        return self.installation.places
