"""`vouch doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

import stat
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.markup import escape

from connector.bootstrap import connection, opened_ledger
from connector.commands import weak
from connector.commands.findings import BAD, GOOD, LOCAL, WARNING, Finding
from connector.commands.output import OUT, print_json
from connector.erp.keys import BY_HAND
from connector.erp.odoo import connect
from connector.erp.people import is_administrator
from connector.errors import AccessError, AwayError, FatalError, VouchError
from connector.ledger.judged import JudgedValues
from connector.ledger.key_ends import KeyEnds
from connector.ledger.tokens import Tokens
from connector.model import opened_reader, unacknowledged
from connector.sandbox import opened_sandbox
from connector.settings import load_settings
from inference.readers.vlm.learning import LEAST_VALUES
from inference.vllm.errors import ModelAway, ModelMisconfigured
from mappings.field_map import Entry, FieldMap

if TYPE_CHECKING:
    from connector.settings import BackendSettings, Settings


def examine(as_json: bool, config: Path | None) -> int:
    """Print the findings; 0, or the exit code of the first bad one."""
    findings = list(_findings(config))
    if as_json:
        print_json(
            {"findings": [{"subject": f.subject, "status": f.status, "message": f.message} for f in findings]}
        )
    else:
        marks = {GOOD: "[green]✓[/]", WARNING: "[yellow]![/]", BAD: "[red]✗[/]"}
        for finding in findings:
            OUT.print(f"{marks[finding.status]} {escape(finding.subject)}: {escape(finding.message)}")
    return next((finding.exit_code for finding in findings if finding.status == BAD), 0)


def _findings(config: Path | None) -> Generator[Finding]:
    try:
        settings = load_settings(config)
    except VouchError as error:
        yield _bad("settings", error)
        return
    yield Finding("settings", GOOD, f"understood; data in {settings.folder}")
    yield from weak.weak_files(settings, config)
    yield from _reading(settings)
    yield from _ledger(settings)
    yield from weak.weak_place(settings)
    yield from _web(settings)
    yield from _tokens(settings)
    if settings.vlm.url is not None:
        yield from _model(settings)
    if not settings.backends:
        yield Finding(
            "odoo",
            BAD,
            "no Odoo is set: add a [backends.NAME] section to vouch.toml; see docs/settings.md",
            2,
        )
    for name, backend in settings.backends.items():
        yield from weak.weak_backend(name, backend)
        yield from _backend(name, backend, settings)


def _reading(settings: Settings) -> Generator[Finding]:
    try:
        with opened_sandbox(settings) as sandbox:
            gaps = sandbox.start()
    except VouchError as error:
        yield _bad("reading", error)
        return
    if gaps.network:
        yield Finding(
            "reading",
            WARNING,
            f"the process that opens documents is not cut off from the network: {gaps.network}; "
            "let a firewall do it, or run Vouch on another machine",
        )
    if gaps.files:
        yield Finding(
            "reading",
            WARNING,
            "a document that takes over the process that opens it could read, empty and delete what Vouch's user may: "
            f"{gaps.files}; use a Linux of 5.13 or later with Landlock on (lsm= of its boot line), in a container whose "
            "rules allow it, or give Vouch a machine of its own",
        )
    if not any(gaps):
        yield Finding("reading", GOOD, "documents are opened in a process without network, files and secrets")


def _ledger(settings: Settings) -> Generator[Finding]:
    try:
        with opened_ledger(settings) as ledger:
            counts = ledger.counts()
            weaknesses = [*weak.weak_keeping(settings, ledger), *weak.weak_tokens(ledger)]
    except (VouchError, OSError) as error:
        yield _bad("ledger", error)
        return
    yield Finding("ledger", GOOD, f"{sum(counts.values())} documents")
    yield from weaknesses
    if settings.folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding(
            "ledger",
            WARNING,
            f"others on this machine may look into {settings.folder}: chmod 700 {settings.folder}",
        )


def _web(settings: Settings) -> Generator[Finding]:
    """Who can reach the screens, and over what."""
    web = settings.web
    if not web.enabled:
        return
    if not web.sign_in:
        yield Finding(
            "web",
            WARNING,
            "web.sign_in is off: everybody on this machine sees and changes everything; leave it on where others use it too",
        )
    yield from weak.weak_web(settings)
    address = urlsplit(settings.web_url)
    if address.scheme == "http" and (address.hostname or "") not in LOCAL:
        yield Finding(
            "web",
            WARNING,
            f"people sign in over plain http at {settings.web_url}: passwords and documents can be read on the way; put a "
            "proxy with TLS before it and set web.url to its https address",
        )
    elif web.sign_in:
        yield Finding("web", GOOD, f"people sign in with their login of Odoo at {settings.web_url}")


def _tokens(settings: Settings) -> Generator[Finding]:
    """API tokens that end soon, or have ended."""
    try:
        with opened_ledger(settings) as ledger:
            tokens = Tokens(ledger.engine).all()
    except (VouchError, OSError):
        return  # said where the ledger is examined
    now = datetime.now(UTC)
    for token in tokens:
        if token.expires_at is None or token.expires_at - now >= timedelta(days=14):
            continue
        ends = "has ended" if token.expires_at <= now else f"ends on {token.expires_at:%Y-%m-%d}"
        yield Finding(
            "tokens",
            WARNING,
            f"the API token {token.name} {ends}: revoke it and make another with `vouch token create`",
        )


def _model(settings: Settings) -> Generator[Finding]:
    """The model server: where documents go; reachable, ours, with room enough; what its licence asks."""
    yield from _model_place(settings)
    yield from weak.weak_model_key(settings)
    try:
        with opened_reader(settings) as reader:
            place, context = reader.endpoint, reader.check()
    except ModelMisconfigured as error:
        yield Finding("model", BAD, str(error), FatalError.exit_code)
        return
    except ModelAway as error:
        yield Finding("model", BAD, str(error), AwayError.exit_code)
        return
    except VouchError as error:
        yield _bad("model", error)
        return
    profile = place.profile
    shown = (
        f"; shown to users: {licence.attribution}"
        if (licence := profile.licence) and licence.attribution
        else ""
    )
    yield Finding("model", GOOD, f"{profile.title} answers at {place.url} as {place.served_model}{shown}")
    if 0 < context < profile.context:
        yield Finding(
            "model",
            WARNING,
            f"it is served with {context} tokens of context, and its profile counts on {profile.context}: long pages "
            f"will not fit; start it with --max-model-len {profile.context}",
        )
    yield from _model_confidence(settings, place.served_model)
    if condition := unacknowledged(settings):
        yield Finding("model", WARNING, condition)


def _model_confidence(settings: Settings, model: str) -> Generator[Finding]:
    """On how many reviewed values its confidences stand."""
    try:
        with opened_ledger(settings) as ledger:
            reviewed = JudgedValues(ledger.engine).count(model)
    except (VouchError, OSError):
        return  # said where the ledger is examined
    said = (
        f"confidences stand on {reviewed} reviewed values of {model}"
        if reviewed >= LEAST_VALUES
        else f"confidences are as set by hand: {reviewed} reviewed values of {model}, they learn from {LEAST_VALUES} on"
    )
    yield Finding("model", GOOD, said)


def _model_place(settings: Settings) -> Generator[Finding]:
    url = settings.vlm.url
    host = (url.host if url else None) or ""
    if host not in LOCAL:
        yield Finding("model", WARNING, f"documents leave this machine: their pages are sent to {host}")
        if url and url.scheme == "http":
            yield Finding(
                "model", WARNING, "the address is plain http: pages and the key travel unencrypted; use https"
            )


def _backend(name: str, backend: BackendSettings, settings: Settings) -> Generator[Finding]:
    try:
        erp = connect(connection(name, backend, settings), backend.field_map())
        try:
            found, fields = erp.capabilities(), erp.field_map()
            administrator = is_administrator(erp)
            ours, theirs = datetime.now(UTC), erp.clock()
            if backend.reviewer:
                erp.user_id(backend.reviewer)
        finally:
            erp.close()
    except VouchError as error:
        yield _bad(name, error)
        return
    count = len(found.companies)
    companies = f"{count} {'company' if count == 1 else 'companies'}"
    yield Finding(name, GOOD, f"Odoo {found.version} over {found.protocol} as {found.login}, {companies}")
    yield _mapping(name, fields)
    for missing in found.missing_rights:
        yield Finding(name, BAD, missing, AccessError.exit_code)
    if not backend.reviewer:
        yield Finding(
            name,
            WARNING,
            f"no reviewer is set: where a record has no responsible, its activity goes to {found.login}, "
            f"which nobody reads; set backends.{name}.reviewer to somebody's login",
        )
    if administrator:
        yield Finding(
            name,
            WARNING,
            f"Vouch logs in as {found.login}, an administrator: give it a user of its own with only the rights it needs",
        )
    yield from weak.weak_clock(name, ours, theirs)
    yield from weak.weak_odoo(name, found.major, found.version)
    ends = found.key_expires
    if ends and ends - datetime.now(UTC) < timedelta(days=backend.key_warning_days):
        yield Finding(
            name, WARNING, f"the API key ends on {ends:%Y-%m-%d}: {_renewal(name, backend, settings)}"
        )


def _renewal(name: str, backend: BackendSettings, settings: Settings) -> str:
    """What is to be done about a key that ends."""
    if not backend.rotate_key:
        return f"{BY_HAND}, or let Vouch renew it (backends.{name}.rotate_key)"
    with opened_ledger(settings) as ledger:
        kept = KeyEnds(ledger.engine).of(name)
    return kept.message if kept and kept.message else "the service renews it at its next daily look"


def _mapping(name: str, fields: FieldMap) -> Finding:
    """What a file of the user's adds to the mapping."""
    if not fields.origin:
        return Finding(name, GOOD, "fields are filled as docs/mapping.md says; no mapping of your own is set")
    own = ", ".join(f"{entry.place} = {entry.source}{_kind(entry)}" for entry in fields.own())
    return Finding(
        name, GOOD, f"the mapping {fields.origin} fits this Odoo: {own or 'it only leaves fields out'}"
    )


def _kind(entry: Entry) -> str:
    found = f" of {entry.relation}, found by {' or '.join(entry.match)}" if entry.relation else ""
    return f" ({entry.type}{found}{', required' if entry.required else ''})"


def _bad(subject: str, error: Exception) -> Finding:
    return Finding(subject, BAD, str(error), error.exit_code if isinstance(error, VouchError) else 1)
