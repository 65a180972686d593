"""How the C library keeps the memory of a service that runs for months.

glibc gives each thread an arena of its own, eight for each processor, and takes ever larger blocks from them after the
first of a size was freed: threads that show pages of some megabytes in turn leave holes, and the process grows though
nothing holds on to them. See mallopt(3), https://man7.org/linux/man-pages/man3/mallopt.3.html.
"""

from __future__ import annotations

import ctypes
import os

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""From <malloc.h>."""

ARENAS = 2
LARGE = 1_000_000
"""Bytes. A block of this size is asked of the system and given back to it by itself; so is a free end of the heap."""


def keep_small() -> bool:
    """Let few arenas serve all threads and large blocks go back to the system; whether this C library can.

    For the start of a process: threads keep the arenas that they have.
    """
    if not _is_glibc():
        return False
    mallopt = ctypes.CDLL(None).mallopt
    wanted = {_M_ARENA_MAX: ARENAS, _M_MMAP_THRESHOLD: LARGE, _M_TRIM_THRESHOLD: LARGE}
    return all(mallopt(name, value) for name, value in wanted.items())


def _is_glibc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (AttributeError, OSError, ValueError):
        return False


__all__ = ["LARGE", "keep_small"]
