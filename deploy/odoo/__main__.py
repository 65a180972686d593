"""Command line: ``python -m deploy.odoo COMMAND`` from the repository root. Answers on stdout, progress on stderr."""

import argparse
import sys
from collections.abc import Sequence

from .failure import ExitCode, OdooSetupError
from .installation import Installation
from .places import ADMIN_LOGIN, ADMIN_PASSWORD, DEFAULT_PORT, TEMPLATE
from .processes import say

_DEFAULT_DATABASE = "vouch_dev"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see `ExitCode`)."""
    options = _parser().parse_args(arguments)
    try:
        return int(_obey(Installation(), options))
    except OdooSetupError as error:
        say(f"error: {error}")
        return int(error.code)
    except KeyboardInterrupt:
        say("interrupted: run the same command again, it makes anew what is incomplete")
        return int(ExitCode.FAILED)


def _obey(odoo: Installation, options: argparse.Namespace) -> ExitCode:
    match options.command:
        case "start":
            odoo.start(options.database)
            _describe(odoo, options.database)
        case "clone":
            odoo.clone(options.name)
            _describe(odoo, options.name)
        case "drop":
            odoo.drop(options.name)
        case "status":
            return _status(odoo)
        case simple:
            getattr(odoo, simple)()
    return ExitCode.OK


def _describe(odoo: Installation, database: str) -> None:
    print(f"url       {odoo.places.url}/web?db={database}")
    print(f"database  {database}")
    print(f"logins    vouch / vouch, accountant / accountant, {ADMIN_LOGIN} / {ADMIN_PASSWORD}")
    print(f"api key   {odoo.places.key_file(database)}  (user vouch)")


def _status(odoo: Installation) -> ExitCode:
    state = odoo.state()
    server = f"running, pid {state.server}, {odoo.places.url}" if state.server else "stopped"
    print(f"installed   {'yes' if state.installed else 'no'} ({odoo.places.cache})")
    print(f"postgresql  {'running' if state.cluster_runs else 'stopped'} ({odoo.places.cluster})")
    print(f"odoo        {server}")
    for name in state.databases:
        print(f"database    {name}")
    return ExitCode.OK if state.server and state.cluster_runs else ExitCode.NOT_RUNNING


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.odoo",
        description="A real Odoo 19 for development, tests and the demo.",
        epilog=f"VOUCH_CACHE chooses the folder, VOUCH_ODOO_PORT the port (default {DEFAULT_PORT}).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("install", help="bring Odoo 19, its Python environment and PostgreSQL")
    commands.add_parser("prepare", help=f"make or renew the template database {TEMPLATE}")
    start = commands.add_parser(
        "start", help="all of the above, then start the server and wait until it answers"
    )
    start.add_argument(
        "--database", default=_DEFAULT_DATABASE, help="made from the template when it is missing"
    )
    commands.add_parser("stop", help="stop the server and PostgreSQL")
    commands.add_parser("status", help="what is installed and running (exit code 10 when it does not run)")
    for name, text in (("clone", "make a database from the template"), ("drop", "remove a database")):
        commands.add_parser(name, help=text).add_argument("name", metavar="NAME")
    commands.add_parser("reset", help="stop the server and remove every database")
    commands.add_parser("uninstall", help="stop everything and remove the cache folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
