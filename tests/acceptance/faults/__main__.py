"""`python -m tests.acceptance.faults [WORD…]`: every fault on Odoo's side at every kind of RPC over both protocols, every
fault on the model server's side, and a table.

A word keeps to faults, kinds of RPC, protocols or sides (`json2`, `jsonrpc`, `model`, `vllm`) whose names hold it. `vllm`
is the model server's side with the real vLLM; it is tried only where it is named, or VOUCH_TEST_VLLM is `real`.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from connector.erp.wire import JSON2, JSONRPC
from deploy.odoo.installation import Installation
from deploy.vllm import development
from inference.vllm.profile import DEFAULT
from tests.acceptance.faults.catalogue import KINDS
from tests.acceptance.faults.model import opened, tried_at_model
from tests.acceptance.faults.model_kinds import MODEL_KINDS
from tests.acceptance.faults.service import COLD, STAGES, Outcome, Proxies, Service, tried
from tests.acceptance.own_odoo import OwnOdoo
from tests.integration.odoo_server import OdooDatabase, cloned
from tests.integration.vllm_server import VllmServer

MODEL, VLLM = "model", "vllm"
SLOW_MODEL = 240.0
"""Seconds that the real vLLM may take for a page on a busy machine without a card."""


def main(words: Sequence[str]) -> int:
    """Try all, print what came of it; 1 where anything was not as it must be."""
    odoo = Installation()
    odoo.start()
    with tempfile.TemporaryDirectory(prefix="faults") as folder, ThreadPoolExecutor(2) as pool:
        server = OwnOdoo(odoo, Path(folder))
        server.start()
        sides = [partial(_erp, odoo, server, protocol, words) for protocol in (JSON2, JSONRPC)]
        sides += [partial(_model, odoo, server, words, real=False)]
        if VLLM in words or os.environ.get("VOUCH_TEST_VLLM") == "real":
            sides += [partial(_model, odoo, server, words, real=True)]
        outcomes = [outcome for part in pool.map(_run, sides) for outcome in part]
        server.stop()
    _print(outcomes)
    return int(any(outcome.problems for outcome in outcomes))


def _run(side: Callable[[], list[Outcome]]) -> list[Outcome]:
    return side()


def _erp(odoo: Installation, server: OwnOdoo, protocol: str, words: Sequence[str]) -> list[Outcome]:
    cases = [
        (kind, stage)
        for kind in KINDS
        for stage in STAGES
        if protocol in kind.protocols
        and _asked(protocol, stage)
        and _wanted(words, kind.name, stage, protocol)
    ]
    if not cases:
        return []
    # A run that is broken off has tried some of everything.
    random.Random(7).shuffle(cases)
    with _database(odoo, server) as (database, folder):
        service, proxies = Service(database, folder, protocol), Proxies(server.url)
        found = [_told(protocol, partial(tried, service, proxies, *case)) for case in cases]
        service.close()
        proxies.close()
    return found


def _model(odoo: Installation, server: OwnOdoo, words: Sequence[str], *, real: bool) -> list[Outcome]:
    name, patience = (VLLM, SLOW_MODEL) if real else (MODEL, 60.0)
    kinds = [kind for kind in MODEL_KINDS if _wanted(words, kind.name, name)]
    if not kinds:
        return []
    with (
        _database(odoo, server) as (database, folder),
        _vllm(folder, real=real) as url,
        opened(database, folder / "model", url) as side,
    ):
        return [_told(name, partial(tried_at_model, side, kind, patience)) for kind in kinds]


@contextmanager
def _database(odoo: Installation, server: OwnOdoo) -> Iterator[tuple[OdooDatabase, Path]]:
    name = f"faults_{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="faults") as folder:
        yield server.serving(cloned(odoo, name)), Path(folder)
    odoo.drop(name)


@contextmanager
def _vllm(folder: Path, *, real: bool) -> Iterator[str]:
    """The address of the real vLLM; empty where it is not asked for."""
    if not real:
        yield ""
        return
    development.install()
    server = VllmServer(DEFAULT, folder / "vllm.log")
    server.start()
    try:
        yield server.url
    finally:
        server.kill(signal.SIGTERM)


def _told(side: str, case: Callable[[], Outcome]) -> Outcome:
    began = time.monotonic()
    outcome = case()
    took = time.monotonic() - began
    line = f"{side:8} {outcome.kind:32} {outcome.stage:11} {outcome.tries:3} {outcome.rounds:2} {took:5.1f}s"
    verdict = "; ".join(outcome.problems) or "ok"
    print(f"{line}  {verdict[:600]}", file=sys.stderr, flush=True)
    return outcome


def _asked(protocol: str, stage: str) -> bool:
    """What is asked once a connection is asked the same way over both protocols, but for the login."""
    return protocol != JSONRPC or stage not in COLD or stage == "login"


def _wanted(words: Sequence[str], *names: str) -> bool:
    return all(any(word in name for name in names) for word in words)


def _print(outcomes: list[Outcome]) -> None:
    for title, ours in (
        ("Odoo", [outcome for outcome in outcomes if outcome.stage != "model"]),
        ("the model server", [outcome for outcome in outcomes if outcome.stage == "model"]),
    ):
        print(f"\n| fault on the side of {title} | cases | requests hit | not as it must be |")
        print("|---|---|---|---|")
        for kind in dict.fromkeys(outcome.kind for outcome in ours):
            _row(kind, [outcome for outcome in ours if outcome.kind == kind])
        _row("all", ours)


def _row(name: str, outcomes: list[Outcome]) -> None:
    bad = sum(bool(outcome.problems) for outcome in outcomes)
    print(f"| {name} | {len(outcomes)} | {sum(outcome.tries for outcome in outcomes)} | {bad} |")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
