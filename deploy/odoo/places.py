"""Where everything lies, and under which names and ports."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from .failure import ExitCode, OdooSetupError

TEMPLATE = "vouch_template"
CHARTS = "vouch_charts"
ADMIN_LOGIN = "admin"
ADMIN_PASSWORD = "admin"
COMPANY_FILE = Path(__file__).with_name("company.toml")
DEFAULT_PORT = 8169

# Longest path of a Unix socket on Linux, without the closing zero byte.
_SOCKET_PATH_LIMIT = 107
_DATABASE_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class Places:
    """Folders and files of one installation, all below `cache` but, for root, the cluster."""

    cache: Path
    port: int
    cluster: Path

    @property
    def lock(self) -> Path:
        """Outside `cache`, so that it outlives an uninstall for which others wait."""
        return self.cache.with_suffix(".lock")

    @property
    def downloads(self) -> Path:
        return self.cache / "downloads"

    @property
    def root(self) -> Path:
        """The unpacked Debian packages."""
        return self.cache / "root"

    @property
    def venv(self) -> Path:
        return self.cache / "venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def odoo(self) -> Path:
        return self.root / "usr" / "bin" / "odoo"

    @property
    def packages(self) -> Path:
        """The folder for PYTHONPATH."""
        return self.root / "usr" / "lib" / "python3" / "dist-packages"

    @property
    def data(self) -> Path:
        """Odoo's data_dir: sessions and the file store of each database."""
        return self.cache / "data"

    @property
    def config(self) -> Path:
        return self.cache / "odoo.conf"

    @property
    def server_log(self) -> Path:
        return self.cache / "odoo.log"

    @property
    def prepare_log(self) -> Path:
        return self.cache / "prepare.log"

    @property
    def server_pid(self) -> Path:
        return self.cache / "odoo.pid"

    @property
    def keys(self) -> Path:
        return self.cache / "keys"

    @property
    def cluster_data(self) -> Path:
        return self.cluster / "data"

    @property
    def socket_folder(self) -> Path:
        return self.cluster / "socket"

    @property
    def cluster_log(self) -> Path:
        return self.cluster / "postgresql.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stamp(self, part: str) -> Path:
        """Written last: a part without its stamp is incomplete and made again."""
        return self.cache / f"{part}.stamp"

    def key_file(self, database: str) -> Path:
        return self.keys / f"{database}.key"

    def filestore(self, database: str) -> Path:
        return self.data / "filestore" / database


def places() -> Places:
    """The installation that VOUCH_CACHE and VOUCH_ODOO_PORT name.

    Raises OdooSetupError when the port is no port or the cache path is too long for a socket.
    """
    base = os.environ.get("VOUCH_CACHE", "").strip()
    cache = (Path(base).expanduser() if base else Path.home() / ".cache" / "vouch").absolute() / "odoo"
    cluster = _cluster_folder(cache)
    if len(str(cluster / "socket" / ".s.PGSQL.5432")) > _SOCKET_PATH_LIMIT:
        raise OdooSetupError(
            ExitCode.UNSUPPORTED_MACHINE,
            f"the cache path {cache} is too long for PostgreSQL's socket: set VOUCH_CACHE to a shorter path",
        )
    return Places(cache, _port(), cluster)


def check_database_name(name: str) -> str:
    """Return `name`; OdooSetupError unless it is lower-case letters, digits and underscores, at most 60."""
    if not _DATABASE_NAME.fullmatch(name):
        raise OdooSetupError(
            ExitCode.DATABASE,
            f"{name!r} is no usable database name: begin with a letter a-z, "
            "go on with a-z, 0-9 and _, at most 60 in all",
        )
    return name


def _port() -> int:
    text = os.environ.get("VOUCH_ODOO_PORT", "").strip() or str(DEFAULT_PORT)
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise OdooSetupError(
            ExitCode.USAGE, f"VOUCH_ODOO_PORT is {text!r}: set it to a number between 1024 and 65535"
        )
    return int(text)


def _cluster_folder(cache: Path) -> Path:
    """PostgreSQL refuses to run as root, and its user cannot pass through a private home folder."""
    if os.geteuid() != 0 or _others_may_pass(cache):
        return cache / "postgresql"
    name = hashlib.sha256(str(cache).encode()).hexdigest()[:12]
    return Path("/var/lib") / f"vouch-odoo-{name}"


def _others_may_pass(folder: Path) -> bool:
    existing = [parent for parent in (folder, *folder.parents) if parent.exists()]
    return all(parent.stat().st_mode & 0o001 for parent in existing)
