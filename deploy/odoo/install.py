"""Odoo 19 from Debian's packages, unpacked beside the system, with a Python environment of its own."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from .failure import ExitCode, OdooSetupError
from .places import Places
from .postgres import install_server
from .processes import run, say

_HERE = Path(__file__).parent
_LOCK = _HERE / "requirements.lock"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DEFAULT_MIRROR = "http://deb.debian.org/debian"
_NEEDED_GB = 6

# Package and suite. Odoo 19 is only in sid; its web client draws Font Awesome 4.7 icons, which sid no longer has.
_PACKAGES = (
    ("odoo-19", "sid"),
    ("libjs-jquery", "sid"),
    ("libjs-jquery-form", "sid"),
    ("libjs-underscore", "sid"),
    ("fonts-montserrat", "sid"),
    ("fonts-roboto-unhinted", "sid"),
    ("fonts-inconsolata", "sid"),
    ("fonts-ocr-b", "sid"),
    ("fonts-font-awesome", "bookworm"),
)


def install(places: Places) -> None:
    """Bring everything that is missing or incomplete; nothing to do when all is there.

    Raises OdooSetupError: no Debian, no disk space, no network, no PostgreSQL.
    """
    install_server()
    if not _is_complete(places, "root", _packages_mark()):
        _check_machine(places)
        _unpack_packages(places)
        _complete(places, "root", _packages_mark())
    if not _is_complete(places, "venv", _venv_mark()):
        _make_venv(places)
        _complete(places, "venv", _venv_mark())


def is_installed(places: Places) -> bool:
    return _is_complete(places, "root", _packages_mark()) and _is_complete(places, "venv", _venv_mark())


def _is_complete(places: Places, part: str, mark: str) -> bool:
    stamp = places.stamp(part)
    return stamp.exists() and stamp.read_text() == mark and (places.cache / part).is_dir()


def _complete(places: Places, part: str, mark: str) -> None:
    places.stamp(part).write_text(mark)


def _packages_mark() -> str:
    return hashlib.sha256(repr(_PACKAGES).encode()).hexdigest()


def _venv_mark() -> str:
    return hashlib.sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()


def _check_machine(places: Places) -> None:
    missing = [tool for tool in ("apt-get", "apt-cache", "dpkg-deb") if not shutil.which(tool)]
    if missing or not _KEYRING.exists():
        lacking = ", ".join([*missing, *([] if _KEYRING.exists() else [str(_KEYRING)])])
        raise OdooSetupError(
            ExitCode.UNSUPPORTED_MACHINE,
            f"a local Odoo needs Debian's package tools and archive keys ({lacking} missing on {platform.platform()}): "
            "use a Debian machine (package debian-archive-keyring), or point VOUCH_TEST_ODOO_URL at another Odoo",
        )
    places.cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(places.cache).free / 1e9
    if free < _NEEDED_GB:
        raise OdooSetupError(
            ExitCode.NO_DISK_SPACE,
            f"{places.cache} has {free:.1f} GB free, {_NEEDED_GB} GB are needed: "
            "free some, or set VOUCH_CACHE to a folder on a larger disk",
        )


def _unpack_packages(places: Places) -> None:
    """Fetch with apt, which checks Debian's signatures, from lists of our own: the system stays as it is."""
    say("fetching Odoo 19 from Debian (about 130 MB) …")
    for folder in (places.root, places.downloads):
        shutil.rmtree(folder, ignore_errors=True)
    lists = places.downloads / "lists"
    archives = places.downloads / "archives"
    for folder in (lists / "partial", archives / "partial"):
        folder.mkdir(parents=True)
    mirror = _mirror()
    sources = places.downloads / "sources.list"
    suites = sorted({suite for _, suite in _PACKAGES})
    sources.write_text("".join(f"deb [signed-by={_KEYRING}] {mirror} {suite} main\n" for suite in suites))
    options = ["-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=-",
               "-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={places.downloads}",
               "-o", f"Dir::Cache::Archives={archives}", "-o", "APT::Sandbox::User="]  # fmt: skip
    remedy = f"is {mirror} reachable from here (proxy, firewall)? VOUCH_DEBIAN_MIRROR names another mirror"
    # apt-get update only warns of an unreachable mirror unless told that any error counts.
    run(
        ["apt-get", *options, "update", "-qq", "--error-on=any"], code=ExitCode.DOWNLOAD_FAILED, remedy=remedy
    )
    wanted = [f"{name}/{suite}" for name, suite in _PACKAGES]
    run(
        ["apt-get", *options, "download", "-qq", *wanted],
        code=ExitCode.DOWNLOAD_FAILED,
        remedy=remedy,
        cwd=archives,
    )
    say("unpacking …")
    for package in sorted(archives.glob("*.deb")):
        run(
            ["dpkg-deb", "-x", package, places.root],
            code=ExitCode.FAILED,
            remedy=f"is {places.root} writable?",
        )
    shutil.rmtree(places.downloads)


def _mirror() -> str:
    """The Debian mirror this machine uses already, so that its proxy and policy hold here too."""
    chosen = os.environ.get("VOUCH_DEBIAN_MIRROR", "").strip()
    if chosen:
        return chosen
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(LABEL)|$(REPO_URI)"],
        capture_output=True,
        text=True,
        check=False,
    )
    uris = [line.partition("|")[2] for line in listed.stdout.splitlines() if line.startswith("Debian|")]
    return uris[0].rstrip("/") if uris else _DEFAULT_MIRROR


def _make_venv(places: Places) -> None:
    say("making Odoo's Python environment …")
    shutil.rmtree(places.venv, ignore_errors=True)
    remedy = "is the package index reachable from here (proxy, firewall, pip's index settings)?"
    run(
        [sys.executable, "-m", "venv", places.venv],
        code=ExitCode.UNSUPPORTED_MACHINE,
        remedy="install Python's venv module (apt-get install python3-venv)",
    )
    run(
        [places.python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", _LOCK],
        code=ExitCode.DOWNLOAD_FAILED,
        remedy=remedy,
    )  # fmt: skip
