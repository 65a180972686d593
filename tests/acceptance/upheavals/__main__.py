"""`python -m tests.acceptance.upheavals [TIMES] [WORD…]`: Odoo goes down, comes back and is updated under load, and a table.

A word keeps to the upheavals whose names hold it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.odoo.installation import Installation
from tests.acceptance.upheavals.stand import standing
from tests.acceptance.upheavals.upheavals import UPHEAVALS, Went, through


def main(words: Sequence[str]) -> int:
    """Go through all, print what came of it; 1 where anything was not as it must be."""
    times = int(words[0]) if words and words[0].isdecimal() else 3
    chosen = [one for one in UPHEAVALS if all(word in one.name for word in words if not word.isdecimal())]
    installation = Installation()
    installation.start()
    found: list[Went] = []
    with (
        tempfile.TemporaryDirectory(prefix="upheavals") as folder,
        standing(installation, Path(folder)) as stand,
    ):
        for at in range(times):
            for upheaval in chosen:
                if at and "installed" in upheaval.name:
                    continue
                begun = time.monotonic()
                went = through(stand, upheaval)
                found.append(went)
                print(
                    f"{upheaval.name}: {time.monotonic() - begun:.0f} s, {went}", file=sys.stderr, flush=True
                )
    _print(found)
    return int(any(went.problems for went in found))


def _print(found: Sequence[Went]) -> None:
    print("| what happens to Odoo | times | documents | put off, then done | not as it must be |")
    print("|---|---|---|---|---|")
    for name in [*dict.fromkeys(went.upheaval.name for went in found), "all"]:
        ours = [went for went in found if name in (went.upheaval.name, "all")]
        documents, told = sum(went.documents for went in ours), sum(len(went.told) for went in ours)
        print(
            f"| {name} | {len(ours)} | {documents} | {told} | {sum(bool(went.problems) for went in ours)} |"
        )
    for told in sorted({one for went in found for one in went.told}):
        print(told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
