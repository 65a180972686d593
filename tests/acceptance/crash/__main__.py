"""`python -m tests.acceptance.crash`: the real command killed at every point, on a real Odoo; 1 where anything was lost."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from deploy.odoo.installation import Installation
from tests.acceptance.crash import lessons, lives, stages
from tests.acceptance.crash.office import Office, opened
from tests.acceptance.crash.tally import Tally
from tests.acceptance.many import damaged_files, doubtful_bills, sure_bills

IN_WRITE = (0.005, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
LIVES = 20
SHADOW = {"VOUCH_POLICY__SHADOW_BILLS": "99"}
"""Sure bills are held back for a person too."""


def rounds(tally: Tally, office: Office) -> None:
    """Rounds that fill, ask and set aside, also while Odoo works on the write."""
    today = datetime.now().astimezone().date()
    sure, doubtful = sure_bills(today), doubtful_bills(today)
    stages.passages(tally, office, "round that fills", sure)
    stages.passages(tally, office, "round that asks a person", doubtful, of=2)
    stages.passages(tally, office, "round that cannot read", damaged_files(), of=2)
    stages.in_writes(tally, office, "while Odoo fills", sure, IN_WRITE)
    stages.in_writes(tally, office, "while Odoo makes the to-do", doubtful, IN_WRITE)


def taking_up(tally: Tally, office: Office) -> None:
    """Killed again while that is taken up which a kill around the write left."""
    sure = sure_bills(datetime.now().astimezone().date())
    stages.recoveries(tally, office, "taking up what was interrupted", sure)


def keeping(tally: Tally, office: Office) -> None:
    """Uploads, purge and backup."""
    sure = sure_bills(datetime.now().astimezone().date(), 2001)
    stages.uploads(tally, office, "upload", sure)
    stages.pushes(tally, office, "push", sure)
    stages.purges(tally, office, "purge", sure)
    stages.backups(tally, office, "backup")


def looking(tally: Tally, office: Office) -> None:
    """Polls, learning, and the first bill of a process."""
    today = datetime.now().astimezone().date()
    sure = sure_bills(today, 501)
    stages.polls(tally, office, "poll", sure)
    lessons.lessons(tally, office, "learning", sure_bills(today, 701), doubtful_bills(today, 701))
    stages.passages(tally, office, "first bill of a process", sure, matching=True, of=8)


def living(tally: Tally, office: Office) -> None:
    """The whole service at any moment."""
    today = datetime.now().astimezone().date()
    sure, doubtful = sure_bills(today, 2501), doubtful_bills(today, 2501)
    lives.lives(tally, office, "service, at any moment", sure, doubtful, max(1, LIVES // tally.share))


def settling(tally: Tally, office: Office) -> None:
    """A person's verdicts."""
    sure = sure_bills(datetime.now().astimezone().date(), 1001)
    for verdict in stages.VERDICTS:
        stages.verdicts(tally, office, verdict, sure)


def small(tally: Tally, office: Office) -> None:
    """The passages that fill and ask, one in four of their points, for another protocol or another ledger."""
    today = datetime.now().astimezone().date()
    stages.passages(tally, office, f"round that fills, {office.kind}", sure_bills(today, 1501), of=4)
    stages.passages(
        tally, office, f"round that asks a person, {office.kind}", doubtful_bills(today, 1501), of=4
    )


# Those that take longest begin first.
PARTS: dict[str, tuple[Callable[[Tally, Office], None], str, bool, dict[str, str]]] = {
    "rounds": (rounds, "json2", False, {}),
    "settling": (settling, "json2", False, SHADOW),
    "living": (living, "json2", False, {}),
    "looking": (looking, "json2", False, {}),
    "taking-up": (taking_up, "json2", False, {}),
    "keeping": (keeping, "json2", False, {}),
    "jsonrpc": (small, "jsonrpc", False, {}),
    "postgresql": (small, "json2", True, {}),
}


def play(installation: Installation, name: str, tally: Tally) -> Tally:
    """A part, in a database and a ledger of its own. What breaks it off is a loss, and the other parts go on."""
    part, protocol, postgres, changes = PARTS[name]
    try:
        with (
            tempfile.TemporaryDirectory(prefix="vouch-crash-") as folder,
            # All parts write in one Odoo.
            opened(installation, Path(folder), protocol, postgres=postgres, longest_request=12) as office,
        ):
            office.environment |= changes
            office.kind = name
            part(tally, office)
    except Exception:
        tally.losses.append(f"{name} broke off: {traceback.format_exc()}")
        print(tally.losses[-1], flush=True)
    return tally


def main() -> int:
    """Run the parts; 1 where anything was lost or made twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.crash", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="a part (several times)")
    parser.add_argument("--share", type=int, default=1, help="try one point in so many")
    parser.add_argument(
        "--every", action="store_true", help="try all points, where one in a few is enough otherwise"
    )
    parser.add_argument(
        "--seed", type=int, default=time.time_ns() % 100_000, help="of the moments and points chosen"
    )
    parser.add_argument("--at-once", type=int, default=len(PARTS), help="so many parts at the same time")
    asked = parser.parse_args()
    installation, begun = Installation(), time.monotonic()
    installation.start()
    print(f"seed {asked.seed}", flush=True)
    tally = Tally(asked.share, asked.seed, asked.every)
    with ThreadPoolExecutor(asked.at_once) as pool:
        for played in pool.map(
            lambda name: play(installation, name, Tally(asked.share, asked.seed, asked.every)),
            asked.only or PARTS,
        ):
            tally.add(played)
    print(f"\n{tally.table()}")
    print(f"{tally.count} kills, {tally.missed} processes ended before their point,", end=" ")
    print(f"{len(tally.losses)} losses, {(time.monotonic() - begun) / 60:.0f} minutes, seed {asked.seed}")
    for loss in tally.losses:
        print(f"  {loss}")
    return 1 if tally.losses else 0


if __name__ == "__main__":
    sys.exit(main())
