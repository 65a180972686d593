"""Calls to the kernel that a reader of documents never makes are refused (seccomp): sockets, other programs, other
processes' memory, and what Landlock leaves open: rights, owners and times of files, and other processes' limits and ends.

https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from typing import NamedTuple

# <linux/prctl.h>, <linux/seccomp.h>
_PR_SET_SECCOMP, _FILTER = 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # with EPERM
# <linux/filter.h>: load a word, jump where equal, jump where greater or equal, return
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
# Places in `struct seccomp_data`; all machines below store the low half of an argument first.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_X32 = 0x40000000


class _Machine(NamedTuple):
    """`architecture` is from <linux/audit.h>; the others are numbers from <asm/unistd.h>, of calls that are `refused`, and of
    those that are refused unless their first argument is 0 or the own process (`on_itself`)."""

    architecture: int
    refused: tuple[int, ...]
    on_itself: tuple[int, ...]


# Alike on both: socket, connect, execve, execveat, ptrace, process_vm_readv, process_vm_writev, io_uring_setup; truncate,
# fchmod, fchmodat, fchmodat2, fchown, fchownat, setxattr, lsetxattr, fsetxattr, setxattrat, removexattr, lremovexattr,
# fremovexattr, removexattrat, utimensat; tkill, pidfd_send_signal, pidfd_open, pidfd_getfd. Only the older has chmod,
# chown, lchown, utime, utimes, futimesat. On itself: kill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, prlimit64.
_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        (
            *(41, 42, 59, 322, 101, 310, 311, 425),
            *(76, 91, 268, 452, 93, 260, 188, 189, 190, 463, 197, 198, 199, 466, 280),
            *(200, 424, 434, 438),
            *(90, 92, 94, 132, 235, 261),
        ),
        (62, 234, 129, 297, 302),
    ),
    "aarch64": _Machine(
        0xC00000B7,
        (
            *(198, 203, 221, 281, 117, 270, 271, 425),
            *(45, 52, 53, 452, 55, 54, 5, 6, 7, 463, 14, 15, 16, 466, 88),
            *(130, 424, 434, 438),
        ),
        (129, 131, 138, 240, 261),
    ),
}


def refuse() -> str:
    """From now on these calls fail with EPERM; what is in the way, or nothing.

    To be called after `PR_SET_NO_NEW_PRIVS` and before a second thread is started.
    """
    machine = _MACHINES.get(platform.uname().machine)
    if sys.platform != "linux" or machine is None:
        return f"this is known for Linux on {' and '.join(_MACHINES)} only"
    libc = ctypes.CDLL(None, use_errno=True)
    code = _program(machine, os.getpid())
    instructions = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(instructions))
    if libc.prctl(_PR_SET_SECCOMP, _FILTER, program, 0, 0):
        return f"the kernel refuses it: {os.strerror(ctypes.get_errno())}"
    return ""


def _program(machine: _Machine, process: int) -> bytes:
    """Instructions of <linux/filter.h> over `struct seccomp_data`."""
    compared = (*machine.refused, *machine.on_itself)
    # The last six steps; jumps count from the step after their own, and only forward.
    allow = 4 + len(compared)
    look, refuse, allow_too = allow + 1, allow + 4, allow + 5
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 0, refuse - 2, machine.architecture),
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, refuse - 4, 0, _X32),
        *(
            (_IF_EQUAL, (look if number in machine.on_itself else refuse) - at - 1, 0, number)
            for at, number in enumerate(compared, 4)
        ),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_IF_EQUAL, allow_too - look - 2, 0, 0),
        (_IF_EQUAL, allow_too - look - 3, 0, process),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
