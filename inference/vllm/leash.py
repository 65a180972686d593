"""Run a program that ends with whoever started it, also where that one is killed: ``leash.py COMMAND…``.

Standard input is the leash: its other end is held by the starter, and the system lets go of it however the starter
ends. Started by path and from the standard library alone, in a session of its own (`held`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO

GRACE_SECONDS = 10.0


def held(
    words: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program on a leash, in a session and group of its own; its log goes to `output`, else where ours goes."""
    # Every word is ours or the owner's, and no shell reads them.
    return subprocess.Popen(  # noqa: S603
        [sys.executable, __file__, *words],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        env=environment,
        start_new_session=True,
    )


def main() -> int:
    """Run the command to its end and return its exit code; end all of the group when the leash is let go."""
    # A handler, not SIG_IGN: the program must not inherit it. It gets the signal itself, and we wait for its end.
    signal.signal(signal.SIGTERM, lambda _sign, _frame: None)
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603
    threading.Thread(target=_watch, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _watch() -> None:
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
