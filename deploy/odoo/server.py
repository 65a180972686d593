"""The one Odoo server: it serves every database of the cluster but the template."""

import json
import socket
import time
import urllib.error
import urllib.request

from .failure import ExitCode, OdooSetupError
from .odoo_command import command, environment, write_config
from .places import Places
from .processes import running, say, start_background, stop_background

_READY_WITHIN = 90


def start_server(places: Places) -> None:
    """Start the server unless it runs, and wait until it answers.

    Raises OdooSetupError when the port is taken by another program or the server does not come up.
    """
    if running(places.server_pid):
        if _version(places) is not None:
            return
        # Started but deaf: hung, or running on the port of an earlier setting.
        say("the running Odoo does not answer on this port, starting it again …")
        stop_background(places.server_pid)
    _check_port(places)
    write_config(places)
    say("starting Odoo …")
    start_background(
        command(places, "server"),
        pid_file=places.server_pid,
        log=places.server_log,
        env=environment(places),
        cwd=places.cache,
    )
    _wait_until_ready(places)


def stop_server(places: Places) -> bool:
    return stop_background(places.server_pid)


def server_pid(places: Places) -> int | None:
    return running(places.server_pid)


def _wait_until_ready(places: Places) -> None:
    end = time.monotonic() + _READY_WITHIN
    while time.monotonic() < end:
        if running(places.server_pid) is None:
            break
        if _version(places) is not None:
            return
        time.sleep(0.2)
    stop_background(places.server_pid)
    tail = "\n".join(places.server_log.read_text(errors="replace").splitlines()[-12:])
    raise OdooSetupError(ExitCode.NOT_STARTED, f"Odoo did not come up: see {places.server_log}\n{tail}")


def _version(places: Places) -> str | None:
    """Odoo's version as the running server tells it, or None while it does not answer."""
    try:
        with urllib.request.urlopen(f"{places.url}/web/version", timeout=5) as answer:
            return str(json.load(answer)["version"])
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return None


def _check_port(places: Places) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", places.port))
        except OSError as error:
            raise OdooSetupError(
                ExitCode.PORT_TAKEN,
                f"port {places.port} is taken by another program: end it, or set VOUCH_ODOO_PORT to a free port",
            ) from error
