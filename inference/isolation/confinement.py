"""What a process that reads hostile files is made to give up: files it could write, memory without bound, the network,
other programs. All of it is asked of the kernel without any right, and holds for the rest of the process's life."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from pathlib import Path

# <linux/prctl.h>, <linux/seccomp.h>
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # with EPERM
# <linux/filter.h>: load a word, jump where equal, jump where greater or equal, return
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
# <linux/audit.h>, and the numbers of socket, connect, execve, execveat, ptrace, process_vm_readv, process_vm_writev,
# io_uring_setup in the tables of each machine
_MACHINES = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 310, 311, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 270, 271, 425)),
}
_X32 = 0x40000000
STATUS = Path("/proc/self/status")


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


def cut_off() -> str:
    """Take sockets, other programs and other processes' memory away (seccomp); what is in the way, or nothing.

    To be called before a second thread is started: threads have the filter of the one that starts them.
    """
    machine = _MACHINES.get(platform.uname().machine)
    if sys.platform != "linux" or machine is None:
        return f"this is known for Linux on {' and '.join(_MACHINES)} only"
    libc = ctypes.CDLL(None, use_errno=True)
    code = _program(*machine)
    instructions = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(instructions))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_PR_SET_SECCOMP, _FILTER, program, 0, 0):
        return f"the kernel refuses it: {os.strerror(ctypes.get_errno())}"
    return ""


def _program(architecture: int, refused: tuple[int, ...]) -> bytes:
    """Instructions of <linux/filter.h> over `struct seccomp_data`: the call's number, then the architecture."""
    last = len(refused) + 5  # the step that refuses; jumps count from the step after their own
    steps = [
        (_LOAD, 0, 0, 4),
        (_IF_EQUAL, 0, last - 2, architecture),
        (_LOAD, 0, 0, 0),
        (_IF_AT_LEAST, last - 4, 0, _X32),
        *((_IF_EQUAL, last - at - 1, 0, number) for at, number in enumerate(refused, 4)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _lower(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))
