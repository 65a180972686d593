"""A PostgreSQL cluster of our own: Unix socket only, thrown away with the cache, so durability is off."""

import os
import pwd
import shutil
from pathlib import Path

from .failure import ExitCode, OdooSetupError
from .places import Places
from .processes import run, say, started

ROLE = "odoo"
SOCKET_PORT = 5432
_OLDEST = 13  # oldest PostgreSQL that Odoo 19 accepts

_SETTINGS = """
listen_addresses = ''
max_connections = 200
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum_naptime = 5min
"""


def programs() -> Path | None:
    """Folder of the newest PostgreSQL server on this machine, or None."""
    versions = sorted(
        (int(folder.name), folder / "bin")
        for folder in Path("/usr/lib/postgresql").glob("[0-9]*")
        if folder.name.isdecimal() and (folder / "bin" / "initdb").exists()
    )
    if versions and versions[-1][0] >= _OLDEST:
        return versions[-1][1]
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def install_server() -> None:
    """Install PostgreSQL from the machine's package manager where it is missing (needs root)."""
    if programs():
        return
    remedy = f"install PostgreSQL {_OLDEST} or newer yourself (apt-get install postgresql) and run this again"
    if os.geteuid() != 0:
        raise OdooSetupError(ExitCode.NO_POSTGRESQL, f"PostgreSQL is missing and this is not root: {remedy}")
    say("installing PostgreSQL from the machine's packages …")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], code=ExitCode.NO_POSTGRESQL, remedy=remedy, env=env)
    run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"],
        code=ExitCode.NO_POSTGRESQL,
        remedy=remedy,
        env=env,
    )
    if not programs():
        raise OdooSetupError(ExitCode.NO_POSTGRESQL, f"the machine's PostgreSQL is too old: {remedy}")


class Cluster:
    """The cluster of one installation and its databases."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._user, self._group = _server_user()

    def start(self) -> None:
        """Make the cluster where it is missing or half made, and start it; nothing to do when it runs."""
        install_server()
        if not self._is_initialised():
            self._initialise()
        if self.is_running():
            return
        self._forget_zombie()
        self._control("start", "-w", "-t", "60", "-l", str(self._places.cluster_log))

    def stop(self) -> None:
        """Stop the cluster; nothing to do when it does not run."""
        if programs() and self.is_running():
            self._control("stop", "-m", "fast", "-w", "-t", "60")

    def is_running(self) -> bool:
        """Ask the server itself: a postmaster.pid may be stale."""
        ready = programs()
        if ready is None or not self._places.socket_folder.exists():
            return False
        try:
            self.ask("SELECT 1")
        except OdooSetupError:
            return False
        return True

    def remove(self) -> None:
        """Stop the cluster and remove every database with it."""
        self.stop()
        shutil.rmtree(self._places.cluster, ignore_errors=True)

    def databases(self) -> list[str]:
        """Names of all databases but PostgreSQL's own."""
        answer = self.ask(
            "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres','template0','template1')"
        )
        return sorted(answer.split())

    def ask(self, statement: str, database: str = "postgres") -> str:
        """Run one SQL statement of ours (names are checked before) and return psql's bare answer."""
        return self._program(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
            "-h", str(self._places.socket_folder), "-p", str(SOCKET_PORT), "-U", ROLE, "-d", database, "-c", statement,
        )  # fmt: skip

    def copy(self, source: str, name: str) -> None:
        """Create `name` as a copy of `source`, to which nobody may be connected."""
        self.ask(f'CREATE DATABASE "{name}" TEMPLATE "{source}" STRATEGY file_copy')

    def drop(self, name: str) -> None:
        """Drop `name` and end its connections; nothing to do when it is not there."""
        self.ask(f"UPDATE pg_database SET datistemplate = false WHERE datname = '{name}'")
        self.ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def close_to_visitors(self, name: str) -> None:
        """Make `name` a template that no session can open, so that it can always be copied."""
        self.ask(
            f"UPDATE pg_database SET datistemplate = true, datallowconn = false WHERE datname = '{name}'"
        )

    def _is_initialised(self) -> bool:
        return (self._places.cluster / "complete").exists()

    def _initialise(self) -> None:
        say("making a PostgreSQL cluster …")
        folder = self._places.cluster
        shutil.rmtree(folder, ignore_errors=True)
        for each in (folder, self._places.socket_folder):
            each.mkdir(parents=True, mode=0o700)
            os.chown(each, self._user, self._group)
        self._program("initdb", "-D", str(self._places.cluster_data), "-U", ROLE, "--auth=trust",
                      "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")  # fmt: skip
        settings = (
            f"{_SETTINGS}port = {SOCKET_PORT}\nunix_socket_directories = '{self._places.socket_folder}'\n"
        )
        with (self._places.cluster_data / "postgresql.conf").open("a") as file:
            file.write(settings)
        (folder / "complete").touch()

    def _forget_zombie(self) -> None:
        """A killed server that nobody has reaped keeps its pid, and PostgreSQL would take it for alive."""
        file = self._places.cluster_data / "postmaster.pid"
        if file.exists():
            pid = int(file.read_text().split()[0])
            if Path(f"/proc/{pid}").exists() and started(pid) is None:
                file.unlink()
                for left in self._places.socket_folder.iterdir():
                    left.unlink()

    def _control(self, *words: str) -> str:
        return self._program("pg_ctl", "-D", str(self._places.cluster_data), *words)

    def _program(self, name: str, *words: str) -> str:
        folder = programs()
        if folder is None:
            raise OdooSetupError(
                ExitCode.NO_POSTGRESQL, "PostgreSQL is missing: run `python -m deploy.odoo install`"
            )
        switch = os.geteuid() == 0
        return run(
            [folder / name, *words],
            code=ExitCode.NOT_STARTED,
            remedy=f"see {self._places.cluster_log}",
            user=self._user if switch else None,
            group=self._group if switch else None,
            cwd=Path("/"),
            timeout=120,
        )


def _server_user() -> tuple[int, int]:
    """PostgreSQL refuses root: then its own account `postgres`, which its package makes."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        install_server()
        account = pwd.getpwnam("postgres")
    return account.pw_uid, account.pw_gid
