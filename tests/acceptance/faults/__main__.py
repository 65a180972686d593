"""`python -m tests.acceptance.faults [WORD…]`: every fault at every kind of RPC over both protocols, and a table.

A word keeps to faults, kinds of RPC or protocols whose names hold it.
"""

from __future__ import annotations

import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from connector.erp.wire import JSON2, JSONRPC
from deploy.odoo.installation import Installation
from tests.acceptance.faults.catalogue import KINDS, Kind
from tests.acceptance.faults.service import COLD, STAGES, Outcome, Proxies, Service, tried
from tests.acceptance.own_odoo import OwnOdoo
from tests.integration.odoo_server import cloned


def main(words: Sequence[str]) -> int:
    """Try all, print what came of it; 1 where anything was not as it must be."""
    odoo = Installation()
    odoo.start()
    with tempfile.TemporaryDirectory(prefix="faults") as folder, ThreadPoolExecutor(2) as pool:
        server = OwnOdoo(odoo, Path(folder))
        server.start()
        parts = pool.map(lambda protocol: _all(odoo, server, protocol, words), (JSON2, JSONRPC))
        outcomes = [outcome for part in parts for outcome in part]
        server.stop()
    _print(outcomes)
    return int(any(outcome.problems for outcome in outcomes))


def _all(odoo: Installation, server: OwnOdoo, protocol: str, words: Sequence[str]) -> list[Outcome]:
    name = f"faults_{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="faults") as folder:
        service = Service(server.serving(cloned(odoo, name)), Path(folder), protocol)
        proxies = Proxies(server.url)
        found: list[Outcome] = []
        for kind in KINDS:
            for stage in STAGES:
                if not _wanted(kind, stage, protocol, words):
                    continue
                began = time.monotonic()
                outcome = tried(service, proxies, kind, stage)
                found.append(outcome)
                verdict = "; ".join(outcome.problems) or "ok"
                took = time.monotonic() - began
                line = f"{protocol:8} {kind.name:32} {stage:11} {outcome.tries:3} {outcome.rounds:2} {took:5.1f}s"
                print(f"{line}  {verdict[:600]}", file=sys.stderr, flush=True)
        service.close()
        proxies.close()
    odoo.drop(name)
    return found


def _wanted(kind: Kind, stage: str, protocol: str, words: Sequence[str]) -> bool:
    """What is asked once a connection is asked the same way over both protocols, but for the login."""
    if protocol not in kind.protocols or (protocol == JSONRPC and stage in COLD and stage != "login"):
        return False
    return all(any(word in part for part in (kind.name, stage, protocol)) for word in words)


def _print(outcomes: list[Outcome]) -> None:
    print("| fault | kinds of RPC × protocols | requests hit | not as it must be |")
    print("|---|---|---|---|")
    for kind in dict.fromkeys(outcome.kind for outcome in outcomes):
        ours = [outcome for outcome in outcomes if outcome.kind == kind]
        bad = sum(bool(outcome.problems) for outcome in ours)
        print(f"| {kind} | {len(ours)} | {sum(outcome.tries for outcome in ours)} | {bad} |")
    bad = sum(bool(outcome.problems) for outcome in outcomes)
    print(f"| all | {len(outcomes)} | {sum(outcome.tries for outcome in outcomes)} | {bad} |")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
