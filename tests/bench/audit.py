"""What the audit costs: a document's way through the ledger with it and without, as a ratio of one run.

`python -m tests.bench.audit [DOCUMENTS]`
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import event
from sqlalchemy.orm import Session

from connector.ledger import audit
from connector.ledger.chain import Chain
from connector.ledger.migrate import open_ledger
from tests.unit.test_audit import settled

LISTENERS = (("after_flush", audit._collect), ("before_commit", audit._append))  # pyright: ignore


def seconds(folder: Path, documents: int) -> float:
    """How long so many documents take from poll to review."""
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    begun = time.perf_counter()
    for number in range(1, documents + 1):
        settled(ledger, number)
    taken = time.perf_counter() - begun
    ledger.close()
    return taken


def main(documents: int = 300) -> None:
    """Print both times, their ratio, and the speed of verifying."""
    taken: dict[bool, float] = {True: 0.0, False: 0.0}
    for part in range(4):
        audited = part % 2 == 0
        for name, listener in LISTENERS if not audited else ():
            event.remove(Session, name, listener)
        with TemporaryDirectory() as folder:
            taken[audited] += seconds(Path(folder), documents)
            if audited and part == 0:
                ledger = open_ledger(f"sqlite:///{Path(folder) / 'ledger.db'}")
                begun = time.perf_counter()
                count, found = Chain(ledger.engine).verify()
                assert not found
                verified = count / (time.perf_counter() - begun)
                print(f"verified: {count} entries, {verified:,.0f} a second")
                ledger.close()
        for name, listener in LISTENERS if not audited else ():
            event.listen(Session, name, listener)
    print(
        f"with the audit {taken[True] / taken[False]:.2f} x the time without ({2 * documents} documents each)"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
