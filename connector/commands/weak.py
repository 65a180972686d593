"""Settings that work and yet are weak: each with what can come of it, and the remedy."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import make_url

from connector.commands.findings import LOCAL, WARNING, Finding
from connector.errors import SettingsError
from connector.execution.clock import BELIEVED, span
from connector.ledger.chain import Chain
from connector.ledger.states import JobState
from connector.ledger.tokens import Tokens
from connector.purging import put_off
from connector.settings.load import settings_file

if TYPE_CHECKING:
    from connector.ledger.store import Ledger
    from connector.settings import BackendSettings, Settings

OTHERS_READ = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
BACKUP_EVERY = timedelta(days=7)
SHORTEST_KEY = 16
TLS = frozenset({"require", "verify-ca", "verify-full"})
"""What makes libpq refuse a connection in the clear: https://www.postgresql.org/docs/current/libpq-ssl.html"""
NETWORK_FILE_SYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "fuse.sshfs",
    "9p",
    "ceph",
    "fuse.glusterfs",
    "lustre",
    "afs",
    "ocfs2",
)
SUPPORTED_MAJOR = 17
"""Odoo supports its three newest main versions: https://www.odoo.com/documentation/19.0/administration/supported_versions.html"""
MOUNTS = Path("/proc/self/mountinfo")


def weak_files(settings: Settings, config: Path | None) -> Generator[Finding]:
    """Files that others on this machine may read or change, and secrets where they do not belong."""
    file = settings_file(config)
    if file and _mode(file) & OTHERS_WRITE:
        yield _weak(
            "settings",
            f"others on this machine may change {file}, and so whom Vouch talks to: chmod 600 {file}",
        )
    password = make_url(settings.ledger).password
    if file and password and "VOUCH_LEDGER_URL" not in os.environ:
        yield _weak(
            "settings",
            f"the password of the ledger's database stands in {file}: give the whole address in the variable "
            "VOUCH_LEDGER_URL, or put the password into ~/.pgpass",
        )
        if _mode(file) & OTHERS_READ:
            yield _weak(
                "settings", f"others on this machine may read {file} with that password: chmod 600 {file}"
            )
    for part in ("ledger.db", "ledger.db-wal", "documents", "answers"):
        path = settings.folder / part
        if path.exists() and _mode(path) & stat.S_IRWXO and _mode(settings.folder) & stat.S_IXOTH:
            yield _weak(
                "ledger", f"everyone on this machine may look into {path}: chmod -R go= {settings.folder}"
            )


def weak_place(settings: Settings) -> Generator[Finding]:
    """A ledger where SQLite's locks cannot be relied on, or whose database is reached in the clear."""
    url = make_url(settings.ledger)
    if url.get_backend_name() != "sqlite":
        host = url.host or str(url.query.get("host", ""))
        if host and not host.startswith("/") and host not in LOCAL and url.query.get("sslmode") not in TLS:
            yield _weak(
                "ledger",
                f"the ledger's database on {host} may be reached without TLS: where it is on another machine, its password and "
                "what documents say can be read on the way; add ?sslmode=verify-full to ledger_url",
            )
        return
    kind = file_system(settings.folder)
    if kind.startswith(NETWORK_FILE_SYSTEMS):
        yield _weak(
            "ledger",
            f"{settings.folder} is on a network file system ({kind}), on which SQLite's ledger can be damaged: put data_dir "
            "on a disk of this machine, or the ledger into PostgreSQL (ledger_url)",
        )


def weak_keeping(settings: Settings, ledger: Ledger) -> Generator[Finding]:
    """Documents that are kept for ever, and work that no backup has."""
    counts = ledger.counts()
    if counts.get(JobState.FILLED, 0) + counts.get(JobState.SKIPPED, 0) == 0:
        return
    if settings.retention.documents_days is None:
        yield _weak(
            "retention",
            "documents are kept for ever, also after they are settled: set retention.documents_days (Odoo keeps its own); "
            "see docs/retention.md",
        )
    if why := put_off(ledger.engine):
        yield _weak("retention", why)
    made = Chain(ledger.engine).newest(1, action="backup.made")
    newest = datetime.fromisoformat(made[0].at) if made else None
    if newest is None or datetime.now(UTC) - newest > BACKUP_EVERY:
        last = f"the last backup is of {newest:%Y-%m-%d}" if newest else "there is no backup"
        yield _weak("backup", f"{last}: run `vouch backup FILE` each night; see docs/backup.md")


def weak_clock(name: str, ours: datetime, theirs: datetime | None) -> Generator[Finding]:
    """A clock by which documents would be deleted at the wrong time, and sessions and to-dos end."""
    apart = ours - theirs if theirs else timedelta()
    if abs(apart) > BELIEVED:
        yield _weak(
            name,
            f"this machine's clock is {span(apart)} {'ahead of' if apart > timedelta() else 'behind'} the one there: set right "
            "the one that is wrong (`timedatectl` says whether it is kept right); until then nothing is purged by age",
        )


def weak_web(settings: Settings) -> Generator[Finding]:
    """Who may stand between people and the screens."""
    web = settings.web
    if not web.enabled:
        return
    if web.host not in LOCAL and urlsplit(settings.web_url).scheme == "https":
        yield _weak(
            "web",
            f"the server listens on {web.host}:{web.port} in plain http, beside the https address: let it listen on the "
            "proxy's side only (web.host), or let a firewall admit nobody but the proxy",
        )
    if any(proxy in ("*", "0.0.0.0/0", "::/0") for proxy in web.proxies):
        yield _weak(
            "web",
            "web.proxies believes everybody about who calls: waits after wrong passwords can be got round; name the proxy's "
            "own address",
        )


def weak_tokens(ledger: Ledger) -> Generator[Finding]:
    """API tokens that are good for more than is safe where they stand."""
    for token in Tokens(ledger.engine).all():
        if "hooks:write" in token.scopes and len(token.scopes) > 1:
            yield _weak(
                "tokens",
                f"the API token {token.name} may call from Odoo and also {', '.join(s for s in token.scopes if s != 'hooks:write')}: "
                "it stands in Odoo's automation rule and log; make one with the scope hooks:write alone, and revoke this one",
            )
        elif token.expires_at is None and token.scopes != ["hooks:write"]:
            yield _weak(
                "tokens",
                f"the API token {token.name} never ends: make one with --days, and revoke this one",
            )


def weak_model_key(settings: Settings) -> Generator[Finding]:
    """A key of the model server that others can read or guess."""
    yield from _readers("model", settings.vlm.api_key_file)
    if settings.vlm.url is None or (settings.vlm.url.host or "") in LOCAL:
        return
    try:
        key = settings.vlm.key()
    except SettingsError:
        return  # said where the model is asked
    if len(key) < SHORTEST_KEY:
        said = "asks for no key" if not key else f"has a key of {len(key)} characters"
        yield _weak(
            "model",
            f"the model server {said}, and is reached over the network: make one with "
            "`head -c 32 /dev/urandom | base64` and give it to both; see docs/vllm.md",
        )


def weak_backend(name: str, backend: BackendSettings) -> Generator[Finding]:
    """How one Odoo is reached, and where its secret lies."""
    if backend.url.scheme == "http" and (backend.url.host or "") not in LOCAL:
        yield _weak(name, "the address is plain http: bills and the key travel unencrypted; use https")
    if not backend.verify_tls:
        yield _weak(name, "verify_tls is off: anyone on the way can pose as this Odoo; name a ca_file")
    yield from _readers(name, backend.api_key_file, backend.password_file)
    if backend.rotate_key and backend.api_key_file:
        key = backend.api_key_file.expanduser()
        if key.is_symlink() or not os.access(key.parent, os.W_OK):
            yield _weak(
                name,
                f"rotate_key is on, but {key} cannot be replaced: let it be a file of its own in a folder that Vouch may "
                "write to",
            )


def weak_odoo(name: str, major: int, version: str) -> Generator[Finding]:
    """An Odoo that gets no more corrections."""
    if major < SUPPORTED_MAJOR:
        yield _weak(
            name,
            f"Odoo {version} is older than the versions that its maker supports: it gets no security corrections; upgrade it",
        )


def file_system(path: Path) -> str:
    """The kind of file system that a path is on; empty where this machine does not tell."""
    try:
        lines = MOUNTS.read_text("utf-8").splitlines()
    except OSError:
        return ""
    place, found = path.resolve(), ("", "")
    for line in lines:
        before, _, after = line.partition(" - ")
        mounted = before.split()[4].replace("\\040", " ")
        if place.is_relative_to(mounted) and len(mounted) >= len(found[0]):
            found = (mounted, after.split()[0])
    return found[1]


def _readers(subject: str, *files: Path | None) -> Generator[Finding]:
    """Who else may read a file with a secret."""
    for file in (found for file in files if file and (found := file.expanduser()).exists()):
        if _mode(file) & stat.S_IRWXO:
            yield _weak(subject, f"everyone on this machine can read {file}: chmod 600 {file}")
        # What is somebody else's (a Secret of Kubernetes) can be read by its group alone.
        elif _mode(file) & stat.S_IRWXG and file.stat().st_uid == os.getuid():
            yield _weak(subject, f"a whole group of this machine can read {file}: chmod 600 {file}")


def _mode(path: Path) -> int:
    return path.stat().st_mode


def _weak(subject: str, message: str) -> Finding:
    return Finding(subject, WARNING, message)
