"""Odoo's own command lines: configuration file, environment, shell."""

import os
from collections.abc import Mapping
from pathlib import Path

from .failure import ExitCode
from .places import Places
from .postgres import ROLE, SOCKET_PORT
from .processes import run


def write_config(places: Places) -> None:
    """Loopback only, no database list, no scheduled actions: tests decide what runs."""
    places.data.mkdir(parents=True, exist_ok=True)
    lines = {
        "data_dir": places.data,
        "db_host": places.socket_folder,
        "db_port": SOCKET_PORT,
        "db_user": ROLE,
        "db_maxconn": 64,
        "http_interface": "127.0.0.1",
        "http_port": places.port,
        "list_db": False,
        "max_cron_threads": 0,
        "workers": 0,
        "without_demo": True,
        "limit_time_real": 600,
        # Odoo keeps one registry per 15 MB of this; a registry of ours takes 5 MB.
        "limit_memory_soft": 5 << 30,
        "limit_memory_hard": 8 << 30,
    }
    body = "\n".join(f"{name} = {value}" for name, value in lines.items())
    places.config.write_text(f"[options]\n{body}\n")


def environment(places: Places, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without its own Python and PostgreSQL settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PG", "ODOO", "VIRTUAL_ENV", "VOUCH_"))
    }
    return {**kept, "PYTHONPATH": str(places.packages), "LC_ALL": "C.UTF-8", "TZ": "UTC", **(extra or {})}


def command(places: Places, *words: str) -> list[str | Path]:
    return [places.python, "-W", "ignore", places.odoo, *words, "-c", str(places.config)]


def run_odoo(
    places: Places, *words: str, stdin: str | None = None, extra: Mapping[str, str] | None = None
) -> None:
    """Run Odoo to its end, its log in prepare.log."""
    run(
        command(places, *words),
        code=ExitCode.NOT_STARTED,
        remedy=f"see {places.prepare_log}",
        cwd=places.cache,
        env=environment(places, extra),
        stdin=stdin,
        log=places.prepare_log,
        timeout=1200,
    )
