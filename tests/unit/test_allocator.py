"""What the C library keeps of what a service no longer needs, in processes of their own."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

WORK = """
import ctypes, json, re, sys, tempfile, threading
from connector.execution.allocator import LARGE, keep_small

assert sys.argv[1] == "as it comes" or keep_small()
libc = ctypes.CDLL(None)
libc.fopen.restype = libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = libc.fclose.argtypes = [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.free(libc.malloc(20 * LARGE))
all_there, seen = threading.Barrier(8), threading.Barrier(9)

def work():
    all_there.wait()
    large = libc.malloc(2 * LARGE)
    seen.wait()
    seen.wait()
    libc.free(large)

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
seen.wait()
with tempfile.NamedTemporaryFile() as told:
    file = libc.fopen(told.name.encode(), b"w")
    libc.malloc_info(0, file)
    libc.fclose(file)
    said = told.read().decode()
seen.wait()
[mapped] = re.findall(r'<total type="mmap" count="(\\d+)"', said)
print(json.dumps({"arenas": said.count("<heap "), "mapped": int(mapped)}))
"""


def kept(how: str) -> dict[str, int]:
    """What is kept while eight threads hold a large block each, after a larger one was given back."""
    ran = subprocess.run(
        [sys.executable, "-c", WORK, how], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_threads_share_two_arenas_and_large_blocks_go_back_to_the_system() -> None:
    small = kept("small")
    assert small["arenas"] <= 2
    assert small["mapped"] >= 8
    usual = kept("as it comes")
    assert usual["arenas"] > 2
    assert usual["mapped"] < 8
