"""`python -m tests.acceptance.interleavings [COUNT] [SEED] [bare] [queue]`: people's edits between the service's RPCs, and a table.

`bare` leaves out the action of `vouch prepare`, by which Odoo compares a record in the moment of writing. With `queue` the RPCs
are those of another person, who settles the bill in the review queue.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from connector.erp.wire import JSON2
from deploy.odoo.installation import Installation
from tests.acceptance.faults.proxy import Proxy
from tests.acceptance.faults.service import Service
from tests.acceptance.interleavings.approvals import Settled, Wish, settle, wishes
from tests.acceptance.interleavings.edits import Place
from tests.acceptance.interleavings.schedule import Plan, Played, guard, place_in, plans, play
from tests.acceptance.own_odoo import OwnOdoo
from tests.integration.odoo_server import cloned

BATCH = 20


def main(words: Sequence[str]) -> int:
    """Play them, print what came of it; 1 where anything was not as it must be."""
    count = int(words[0]) if words else 1000
    seed = int(words[1]) if len(words) > 1 else 1
    odoo = Installation()
    odoo.start()
    found = played_on(odoo, count, seed, guards="bare" not in words, queue="queue" in words)
    _print(found)
    return int(any(played.problems for played in found))


def played_on(
    installation: Installation, count: int, seed: int, *, guards: bool, queue: bool
) -> Sequence[Played]:
    """So many interleavings on a database of their own."""
    name = f"beside_{uuid.uuid4().hex[:8]}"
    found: list[Played] = []
    with tempfile.TemporaryDirectory(prefix="interleavings") as folder:
        server = OwnOdoo(installation, Path(folder))
        server.start()
        database = server.serving(cloned(installation, name))
        data = Path(folder) / "data"
        data.mkdir()
        service = Service(database, data, JSON2)
        place = place_in(service.odoo)
        if guards:
            guard(database)
        proxy = Proxy(database.url)
        waiting: Iterator[Plan | Wish] = wishes(count, seed) if queue else plans(count, seed)
        while batch := list(islice(waiting, BATCH)):
            service.connect(proxy.url, anew=False)
            new = _play(service, proxy, place, batch)
            found += new
            for played in new:
                for problem in played.problems:
                    where = f"{played.plan.edit.name}, {played.plan.place} {played.plan.at} {played.call}"
                    print(
                        f"{where}: {problem} [{played.state}: {played.message}]", file=sys.stderr, flush=True
                    )
            print(
                f"{len(found)} played, {sum(bool(p.problems) for p in found)} bad",
                file=sys.stderr,
                flush=True,
            )
        proxy.close()
        service.close()
        server.stop()
    installation.drop(name)
    return found


def _play(service: Service, proxy: Proxy, place: Place, batch: Sequence[Plan | Wish]) -> Sequence[Played]:
    plans = [one for one in batch if isinstance(one, Plan)]
    if plans:
        return play(service, proxy, service.odoo, place, plans)
    return settle(service, proxy, place, [one for one in batch if isinstance(one, Wish)])


def _print(found: Sequence[Played]) -> None:
    print(
        "| what the person does | interleavings | between last look and write | refused by Odoo | lost or not told |"
    )
    print("|---|---|---|---|---|")
    for name in dict.fromkeys(played.plan.edit.name for played in found):
        ours = [played for played in found if played.plan.edit.name == name]
        print(_row(name, ours))
    print(_row("all", found))
    print(dict(Counter(played.state for played in found)))
    settled = [one for one in found if isinstance(one, Settled)]
    if settled:
        print(dict(Counter(f"{one.verdict} {one.status} {one.answer}".strip() for one in settled)))
    windows = sorted(played.window for played in found if played.window and played.plan.place != "while")
    if windows:
        median, most = statistics.median(windows), windows[int(len(windows) * 0.95)]
        print(
            f"from the last look to the end of the write: median {median:.3f} s, 95 % {most:.3f} s of {len(windows)}"
        )


def _row(name: str, ours: Sequence[Played]) -> str:
    window = sum(played.in_window for played in ours)
    refused = sum(bool(played.refused) for played in ours)
    bad = sum(bool(played.problems) for played in ours)
    return f"| {name} | {len(ours)} | {window} | {refused} | {bad} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
