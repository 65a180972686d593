"""Command line: ``python -m deploy.odoo COMMAND`` from the repository root. Answers on stdout, progress on stderr."""

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence

from . import databases
from .failure import ExitCode, OdooSetupError
from .install import install, is_installed
from .places import ADMIN_LOGIN, ADMIN_PASSWORD, DEFAULT_PORT, TEMPLATE, Places, places
from .postgres import Cluster
from .processes import only_one, say
from .server import server_pid, start_server, stop_server

_DEFAULT_DATABASE = "vouch_dev"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        here = places()
        if options.command == "status":
            return _status(here)
        with only_one(here.lock):
            _COMMANDS[options.command](here, options)
    except OdooSetupError as error:
        say(f"error: {error}")
        return int(error.code)
    except KeyboardInterrupt:
        say("interrupted: run the same command again, it goes on where it was")
        return int(ExitCode.FAILED)
    return int(ExitCode.OK)


def ready_cluster(here: Places) -> Cluster:
    """Everything installed, the cluster running, the template up to date."""
    install(here)
    cluster = Cluster(here)
    cluster.start()
    databases.prepare(here, cluster)
    return cluster


def _install(here: Places, _: argparse.Namespace) -> None:
    install(here)


def _prepare(here: Places, _: argparse.Namespace) -> None:
    ready_cluster(here)


def _start(here: Places, options: argparse.Namespace) -> None:
    cluster = ready_cluster(here)
    if options.database not in cluster.databases():
        databases.clone(here, cluster, options.database)
    start_server(here)
    _describe(here, options.database)


def _stop(here: Places, _: argparse.Namespace) -> None:
    stop_server(here)
    Cluster(here).stop()


def _clone(here: Places, options: argparse.Namespace) -> None:
    databases.clone(here, ready_cluster(here), options.name)
    _describe(here, options.name)


def _drop(here: Places, options: argparse.Namespace) -> None:
    cluster = Cluster(here)
    cluster.start()
    databases.drop(here, cluster, options.name)


def _reset(here: Places, _: argparse.Namespace) -> None:
    stop_server(here)
    cluster = Cluster(here)
    cluster.start()
    databases.reset(here, cluster)
    cluster.stop()


def _uninstall(here: Places, _: argparse.Namespace) -> None:
    stop_server(here)
    if here.cluster.exists():
        Cluster(here).remove()
    shutil.rmtree(here.cache)


def _status(here: Places) -> int:
    cluster = Cluster(here) if here.cluster.exists() else None
    alive = cluster is not None and cluster.is_running()
    pid = server_pid(here)
    print(f"installed   {'yes' if is_installed(here) else 'no'} ({here.cache})")
    print(f"postgresql  {'running' if alive else 'stopped'} ({here.cluster})")
    print(f"odoo        {f'running, pid {pid}, {here.url}' if pid else 'stopped'}")
    if cluster and alive:
        for name in cluster.databases():
            print(f"database    {name}")
    return int(ExitCode.OK if pid and alive else ExitCode.NOT_RUNNING)


def _describe(here: Places, database: str) -> None:
    print(f"url       {here.url}/web?db={database}")
    print(f"database  {database}")
    print("logins    vouch / vouch, accountant / accountant, " f"{ADMIN_LOGIN} / {ADMIN_PASSWORD}")
    print(f"api key   {here.key_file(database)}  (user vouch)")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.odoo",
        description=__doc__,
        epilog=f"VOUCH_CACHE and VOUCH_ODOO_PORT (default {DEFAULT_PORT}) choose folder and port.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("install", help="bring Odoo 19, its Python environment and PostgreSQL")
    commands.add_parser("prepare", help=f"make or renew the template database {TEMPLATE}")
    start = commands.add_parser("start", help="everything above, then start the server and wait until it answers")
    start.add_argument("--database", default=_DEFAULT_DATABASE, help="made from the template when missing")
    commands.add_parser("stop", help="stop the server and PostgreSQL")
    commands.add_parser("status", help="what is installed and running (exit code 10 when it is not running)")
    for name, text in (("clone", "make a database from the template"), ("drop", "remove a database")):
        commands.add_parser(name, help=text).add_argument("name", metavar="NAME")
    commands.add_parser("reset", help="stop the server and remove every database")
    commands.add_parser("uninstall", help="stop everything and remove the cache folder")
    return parser


_COMMANDS: dict[str, Callable[[Places, argparse.Namespace], None]] = {
    "install": _install,
    "prepare": _prepare,
    "start": _start,
    "stop": _stop,
    "clone": _clone,
    "drop": _drop,
    "reset": _reset,
    "uninstall": _uninstall,
}

if __name__ == "__main__":
    sys.exit(main())
