"""The whole installation as one object: what the command line and the test fixtures call.

Every method holds the installation's lock, may be repeated, and raises OdooSetupError with cause and remedy.
"""

import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from deploy.only_one import only_one

from . import databases
from .install import install, is_installed
from .places import CHARTS, TEMPLATE, Places, places
from .postgres import Cluster
from .server import server_pid, start_server, stop_server


@dataclass(frozen=True)
class State:
    """What is there and what runs; `server` is the pid of Odoo."""

    installed: bool
    cluster_runs: bool
    server: int | None
    databases: list[str]


class Installation:
    """Odoo, its PostgreSQL cluster and their databases below one cache folder."""

    def __init__(self, where: Places | None = None) -> None:
        self.places = where or places()

    def _alone(self) -> AbstractContextManager[None]:
        return only_one(self.places.lock, "another command is at work on this Odoo, waiting for it …")

    def install(self) -> None:
        """Bring Odoo, its Python environment and PostgreSQL."""
        with self._alone():
            install(self.places)

    def prepare(self) -> None:
        """Install, start PostgreSQL, and make or renew the template."""
        with self._alone():
            self._ready_cluster()

    def start(self, database: str | None = None) -> None:
        """Prepare, make `database` where it is missing, and start the server; returns when it answers."""
        with self._alone():
            cluster = self._ready_cluster()
            if database is not None and database not in cluster.databases():
                databases.clone(self.places, cluster, database)
            start_server(self.places)

    def stop(self) -> None:
        """Stop the server, then PostgreSQL."""
        with self._alone():
            stop_server(self.places)
            if self.places.cluster.exists():
                Cluster(self.places).stop()

    def clone(self, name: str, *, charts: bool = False) -> Path:
        """Make database `name` from the template and return its API key file.

        With `charts` it has a company for each of several countries' charts of accounts as well.
        """
        with self._alone():
            cluster = self._ready_cluster()
            if charts:
                databases.prepare_charts(self.places, cluster)
            databases.clone(self.places, cluster, name, CHARTS if charts else TEMPLATE)
        return self.places.key_file(name)

    def drop(self, name: str) -> None:
        """Remove database `name`; nothing to do when it is not there."""
        with self._alone():
            if self.places.cluster.exists():
                cluster = Cluster(self.places)
                cluster.start()
                databases.drop(self.places, cluster, name)

    def reset(self) -> None:
        """Stop the server and remove every database, the template too."""
        with self._alone():
            stop_server(self.places)
            if self.places.cluster.exists():
                cluster = Cluster(self.places)
                cluster.start()
                databases.reset(self.places, cluster)
                cluster.stop()

    def uninstall(self) -> None:
        """Stop everything and remove the cache folder and the cluster."""
        with self._alone():
            stop_server(self.places)
            if self.places.cluster.exists():
                Cluster(self.places).remove()
            if self.places.cache.exists():
                shutil.rmtree(self.places.cache)

    def state(self) -> State:
        """Look without waiting for another command."""
        cluster = Cluster(self.places) if self.places.cluster.exists() else None
        runs = cluster is not None and cluster.is_running()
        names = cluster.databases() if cluster and runs else []
        return State(is_installed(self.places), runs, server_pid(self.places), names)

    def _ready_cluster(self) -> Cluster:
        install(self.places)
        cluster = Cluster(self.places)
        cluster.start()
        databases.prepare(self.places, cluster)
        return cluster
