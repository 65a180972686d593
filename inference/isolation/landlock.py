"""Files are taken away by Landlock (Linux 5.13): what may still be read is named, everything else is refused, whoever owns
it. So are TCP, and sockets and signals to other processes, where the kernel is new enough.

https://docs.kernel.org/userspace-api/landlock.html; numbers from <linux/landlock.h>, the calls' from <asm/unistd.h>.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# Rights over files that each version of the interface knows: from running one (bit 0) to making a link (12), then
# moving, truncating, and control of devices.
_FILES = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_NETWORK = {4: 0b11}  # bind, connect
_OTHERS = {6: 0b11}  # abstract sockets, signals
_REFUSALS = {
    errno.ENOSYS: "this Linux has no Landlock, or the container's rules hide it",
    errno.EOPNOTSUPP: "Landlock is switched off where this Linux starts",
    errno.EPERM: "the container's rules forbid Landlock",
}
PROCESSES = Path("/proc")
_held: list[int] = []
"""Entries of /proc are made anew, with another identity that no rule knows, unless somebody has them open."""


def close_files(readable: Iterable[Path]) -> str:
    """From now on only what is at or beneath these paths can be opened, and only to be read; what is in the way, or
    nothing. What is not there is passed over.

    To be called after `PR_SET_NO_NEW_PRIVS` and before a second thread is started.
    """
    if sys.platform != "linux":
        return "this is known for Linux only"
    version = _call(_CREATE_RULESET, None, 0, _VERSION)
    if version < 0:
        return _refusal()
    files, network, others = (_known(rights, version) for rights in (_FILES, _NETWORK, _OTHERS))
    attributes = struct.pack("QQQ", files, network, others)
    ruleset = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return _refusal()
    try:
        refused = not all(_allow(ruleset, path) for path in readable) or _call(_RESTRICT_SELF, ruleset, 0) < 0
        return _refusal() if refused else ""
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path) -> bool:
    """Whether the rule that lets `path` be read was taken."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return True
    rights = _READ_FILE | _READ_DIR if stat.S_ISDIR(os.fstat(place).st_mode) else _READ_FILE
    taken = _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0) == 0
    if path.is_relative_to(PROCESSES):
        _held.append(place)
    else:
        os.close(place)
    return taken


def _known(rights: dict[int, int], version: int) -> int:
    return sum(bits for since, bits in rights.items() if since <= version)


def _call(number: int, *arguments: bytes | int | None) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return call(
        ctypes.c_long(number), *(ctypes.c_long(one) if isinstance(one, int) else one for one in arguments)
    )


def _refusal() -> str:
    number = ctypes.get_errno()
    return _REFUSALS.get(number, f"the kernel refuses it: {os.strerror(number)}")
