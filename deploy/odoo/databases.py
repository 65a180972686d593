"""The templates, and the databases copied from them."""

import hashlib
import os
import shutil
import time
import tomllib
from pathlib import Path

from .failure import ExitCode, OdooSetupError
from .install import is_installed
from .odoo_command import run_odoo, write_config
from .places import CHARTS, COMPANY_FILE, TEMPLATE, Places, check_database_name
from .postgres import Cluster
from .processes import say

_SEED = Path(__file__).with_name("seed.py")
_CHARTS_SEED = Path(__file__).with_name("charts.py")
_BUILDING = "vouch_template_building"
_CHARTS_MODULES = "l10n_de,l10n_fr_account,l10n_cn,l10n_us_account"


def prepare(places: Places, cluster: Cluster) -> None:
    """Make the template database where it is missing, incomplete, or older than company.toml or the seed.

    The cluster must run. Takes about a minute when there is work to do.
    """
    stamp = places.stamp("template")
    mark = _template_mark(places)
    if stamp.exists() and stamp.read_text() == mark and TEMPLATE in cluster.databases():
        return
    say("preparing the template database (a minute or two) …")
    stamp.unlink(missing_ok=True)
    places.prepare_log.unlink(missing_ok=True)
    for name in (_BUILDING, TEMPLATE):
        _remove(places, cluster, name)
    write_config(places)
    modules = ",".join(tomllib.loads(COMPANY_FILE.read_text())["modules"])
    run_odoo(places, "server", "-d", _BUILDING, "-i", modules, "--no-http", "--stop-after-init")
    places.keys.mkdir(mode=0o700, exist_ok=True)
    run_odoo(
        places,
        "shell",
        "-d",
        _BUILDING,
        "--no-http",
        stdin=_SEED.read_text(),
        extra={"SEED_COMPANY": str(COMPANY_FILE), "SEED_KEY_FILE": str(places.key_file(TEMPLATE))},
    )
    _keep_as(places, cluster, TEMPLATE)
    stamp.write_text(mark)


def prepare_charts(places: Places, cluster: Cluster) -> None:
    """Make the template with a company for each chart of accounts in `charts.py`, where it is missing or older.

    The template must be there. Takes about two minutes when there is work to do.
    """
    stamp = places.stamp("charts")
    mark = hashlib.sha256(_template_mark(places).encode() + _CHARTS_SEED.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == mark and CHARTS in cluster.databases():
        return
    say("preparing the database of charts of accounts (two minutes) …")
    stamp.unlink(missing_ok=True)
    for name in (_BUILDING, CHARTS):
        _remove(places, cluster, name)
    _copy(places, cluster, TEMPLATE, _BUILDING)
    write_config(places)
    run_odoo(places, "server", "-d", _BUILDING, "-i", _CHARTS_MODULES, "--no-http", "--stop-after-init")
    run_odoo(places, "shell", "-d", _BUILDING, "--no-http", stdin=_CHARTS_SEED.read_text())
    shutil.copyfile(places.key_file(TEMPLATE), _private(places.key_file(CHARTS)))
    _keep_as(places, cluster, CHARTS)
    stamp.write_text(mark)


def _keep_as(places: Places, cluster: Cluster, template: str) -> None:
    """Give the finished building its name and close it, so that it can always be copied."""
    cluster.ask(f'ALTER DATABASE "{_BUILDING}" RENAME TO "{template}"')
    places.filestore(_BUILDING).rename(places.filestore(template))
    cluster.close_to_visitors(template)


def clone(places: Places, cluster: Cluster, name: str, template: str = TEMPLATE) -> None:
    """Make database `name`, a copy of the template with its files and its API key.

    Raises OdooSetupError when `name` is there already, is no fit name, or the template is missing.
    """
    check_database_name(name)
    there = cluster.databases()
    if template not in there or not places.stamp(template.removeprefix("vouch_")).exists():
        raise OdooSetupError(
            ExitCode.DATABASE, "there is no template database: run `python -m deploy.odoo prepare`"
        )
    if name in there:
        raise OdooSetupError(
            ExitCode.DATABASE, f"database {name} is there already: drop it first, or choose another name"
        )
    _copy(places, cluster, template, name)
    shutil.copyfile(places.key_file(template), _private(places.key_file(name)))
    _outdate_server_caches(cluster, name)


def _copy(places: Places, cluster: Cluster, template: str, name: str) -> None:
    shutil.rmtree(places.filestore(name), ignore_errors=True)
    # Stored files are named by their content and never changed, so hard links are enough.
    shutil.copytree(places.filestore(template), places.filestore(name), copy_function=os.link)
    cluster.copy(template, name)


def drop(places: Places, cluster: Cluster, name: str) -> None:
    """Remove database `name` with its files and key; nothing to do when it is not there."""
    check_database_name(name)
    if name in (TEMPLATE, CHARTS):
        raise OdooSetupError(
            ExitCode.DATABASE, "the templates are kept: `python -m deploy.odoo reset` removes them too"
        )
    _remove(places, cluster, name)


def reset(places: Places, cluster: Cluster) -> None:
    """Remove every database, the template too."""
    for name in cluster.databases():
        _remove(places, cluster, name)
    shutil.rmtree(places.data, ignore_errors=True)
    shutil.rmtree(places.keys, ignore_errors=True)
    for part in ("template", "charts"):
        places.stamp(part).unlink(missing_ok=True)


def _remove(places: Places, cluster: Cluster, name: str) -> None:
    cluster.drop(name)
    shutil.rmtree(places.filestore(name), ignore_errors=True)
    places.key_file(name).unlink(missing_ok=True)


def _template_mark(places: Places) -> str:
    """Changes with everything the template is made of."""
    if not is_installed(places):
        raise OdooSetupError(ExitCode.FAILED, "Odoo is not installed: run `python -m deploy.odoo install`")
    parts = (COMPANY_FILE, _SEED, places.stamp("root"), places.stamp("venv"))
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def _private(file: Path) -> Path:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.touch(mode=0o600)
    return file


def _outdate_server_caches(cluster: Cluster, name: str) -> None:
    """A server that knew an older database of this name must not trust its caches: move Odoo's signals on."""
    signal = time.time_ns() // 1_000_000_000
    tables = cluster.ask(
        r"SELECT tablename FROM pg_tables WHERE tablename LIKE 'orm\_signaling\_%'", name
    ).split()
    cluster.ask(" ".join(f"INSERT INTO {table} (id) VALUES ({signal});" for table in tables), name)
    cluster.ask(
        " ".join(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {signal});" for table in tables),
        name,
    )
