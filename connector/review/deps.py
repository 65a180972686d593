"""What the web app is given. It builds nothing of this itself, so tests and the service wire it alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from connector.erp.port import Erp
from connector.judgement import Owner
from connector.ledger.documents import DocumentStore
from connector.ledger.sessions import Lifetime
from connector.ledger.store import Ledger, utc_now
from connector.settling.desk import SettlingDesk

if TYPE_CHECKING:
    from connector.erp.people import People
    from connector.pipeline import Pipeline
    from connector.uploads import Uploads
    from inference.isolation import Sandbox


def not_at_all(_backend: str) -> None:
    """Nobody polls."""


def no_problems() -> Sequence[str]:
    """Nothing else to check."""
    return ()


def no_erp(_backend: str) -> Erp | None:
    """No Backend is configured."""
    return None


@dataclass(frozen=True, slots=True)
class SignIn:
    """That people must sign in: who lets them in, by Backend, and how long that lasts."""

    people: Mapping[str, People]
    lifetime: Lifetime = field(default_factory=Lifetime)


@dataclass(frozen=True, slots=True)
class ReviewDeps:
    """The dependencies of `create_app`.

    `record_url(backend, model, id)` is the address of a record in the ERP's web client, None where the backend is
    not configured any more. `backends` says for each Backend how old its last poll may be before the service is
    not ready. `problems` adds sentences of its own to `/readyz`. `hosts` are names besides the loopback ones under
    which people reach the server. `sure` is the confidence from which a value is filled without a person. `sandbox` draws pages.
    `erp(backend)` is the Backend's ERP, None where it is not configured any more; `pipelines` do the matching and writing
    for bills that people settle here, who may post them too with `posting`.
    `requests_per_minute` is for each person, API token, or address that nobody signed in from.
    `key_warnings` says for each Backend how long before its end the API key is told of.
    `uploads` puts documents into ERPs; `poll_soon(backend)` asks for a poll at once.
    Without `sign_in` everybody who reaches the server may see and change everything.
    `attribution` is what the licence of a model in use wants shown. `owner` is what the owner set of the policy,
    `minutes_by_hand` how long a bill takes by hand as they say.
    """

    ledger: Ledger
    documents: DocumentStore
    record_url: Callable[[str, str, int], str | None]
    backends: Mapping[str, timedelta]
    sandbox: Sandbox
    problems: Callable[[], Sequence[str]] = no_problems
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    hosts: tuple[str, ...] = ()
    language: str = "en"
    sure: float = 0.90
    attribution: str = ""
    erp: Callable[[str], Erp | None] = no_erp
    owner: Owner = field(default_factory=Owner)
    minutes_by_hand: float | None = None
    sign_in: SignIn | None = None
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict[str, "Pipeline"])
    posting: bool = False
    requests_per_minute: int = 1200
    uploads: Uploads | None = None
    poll_soon: Callable[[str], None] = not_at_all
    key_warnings: Mapping[str, timedelta] = field(default_factory=dict[str, timedelta])
    max_upload_bytes: int = 40 << 20
    clock: Callable[[], datetime] = utc_now

    @property
    def desk(self) -> SettlingDesk:
        """Where people settle bills."""
        return SettlingDesk(self.ledger, self.pipelines, self.sure, self.posting, self.clock)
