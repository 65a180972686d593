"""What a process that reads hostile files is made to give up: files of others, files it could write, memory without bound,
the network, other programs and processes. All of it is asked of the kernel without any right, and holds for the rest of
the process's life."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import NamedTuple

from inference.isolation import calls
from inference.isolation.landlock import close_files
from inference.isolation.needed import needed

_PR_SET_NO_NEW_PRIVS = 38  # <linux/prctl.h>
STATUS = Path("/proc/self/status")
_THREADS = Path("/proc/self/task")


class Gaps(NamedTuple):
    """What could not be taken from a process, and why: that it could reach the `network`, that it could read, empty and
    delete other `files`. Empty where it was taken."""

    network: str
    files: str


def limit_resources(addressed_megabytes: int) -> None:
    """No file can be written, no core is left, and the address space stays under `addressed_megabytes`."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_AS, addressed_megabytes * 1_000_000)


def limit_cpu(seconds: float) -> None:
    """From now on so many seconds of every core, so that an orphan does not spin for ever."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds * (os.cpu_count() or 1)) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


def peak_megabytes() -> float:
    """The most memory this process ever had. Linux counts into `ru_maxrss` what its parent had when it forked, so there
    the kernel's own mark of this program counts (proc(5), VmHWM)."""
    if STATUS.exists():
        marks = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        return float(marks["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def confine() -> Gaps:
    """Take from this process what it does not need (Landlock, seccomp); what could not be taken.

    To be called before a second thread is started: threads are bound as the one is that starts them.
    """
    if sys.platform == "linux":
        if _THREADS.exists() and len(os.listdir(_THREADS)) > 1:
            return Gaps(*["another thread was started before"] * 2)
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    files = close_files(needed())
    return Gaps(calls.refuse(), files)


def _lower(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))
