"""An Odoo server of a test's own beside the shared one, on a database of the same cluster: with addons, or other settings."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import httpx

from deploy.odoo.installation import Installation
from deploy.odoo.odoo_command import command, environment
from tests.integration.odoo_server import OdooDatabase, cloned

ADDONS = Path(__file__).parents[1] / "odoo_addons"
READY_WITHIN = 300


@contextmanager
def private_odoo(installation: Installation, *addons: str) -> Generator[OdooDatabase]:
    """A fresh database with these addons of ours installed, served by a process that ends with the block."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    shared = cloned(installation, name)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = ["server", "-d", name, "--http-port", str(port), "--addons-path", str(ADDONS)]
    words += ["-i", ",".join(addons)] if addons else []
    places = installation.places
    with TemporaryFile() as log:
        server = subprocess.Popen(
            command(places, *words), env=environment(places), cwd=places.cache, stdout=log, stderr=log
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(server, f"{url}/web/version", log)
            yield OdooDatabase(
                url,
                name,
                shared.login,
                shared.password,
                shared.api_key,
                shared.admin_login,
                shared.admin_password,
            )
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            installation.drop(name)


def _wait(server: subprocess.Popen[bytes], address: str, log: object) -> None:
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            if httpx.get(address, timeout=10).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    log.seek(0)  # type: ignore[attr-defined]
    raise AssertionError(log.read().decode(errors="replace")[-3000:])  # type: ignore[attr-defined]
