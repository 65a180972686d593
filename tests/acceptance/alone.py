"""Run inside of a network namespace (`unshare --net --mount`): a command that reaches two places, and who else it tried.

`python -m tests.acceptance.alone SPEC` with the JSON of `Spec`. Every address there is leads back to this namespace, and
every packet that is not to or from one of the two places is written down: nothing leaves, nothing is overlooked.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

RESOLVER = "192.0.2.53"
LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Spec:
    """`places`: ports on the loopback, by the Unix socket that leads to the place outside. `own`: a port of the command."""

    places: dict[str, str]
    own: int
    command: list[str]
    seen: str


def set_up(folder: Path) -> None:
    """Loopback up, every address local, and a resolver that nobody answers for."""
    for words in (
        "link set lo up",
        "route add local default dev lo",
        "-6 route add local default dev lo",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    resolver = folder / "resolv.conf"
    resolver.write_text(f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n")
    subprocess.run(["mount", "--bind", resolver, os.path.realpath("/etc/resolv.conf")], check=True)


class Watch:
    """Writes down every packet of the namespace that does not belong to an allowed port of the loopback."""

    def __init__(self, allowed: set[int], seen: Path) -> None:
        self._allowed, self._seen = allowed, seen
        self._known: set[str] = set()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(3))  # ETH_P_ALL
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            data, (_, protocol, *_) = self._socket.recvfrom(65535)
            told = self._told(data, protocol)
            if told and told not in self._known:
                self._known.add(told)
                with self._seen.open("a") as file:
                    file.write(told + "\n")

    def _told(self, data: bytes, protocol: int) -> str:
        if protocol == 0x86DD:
            kind, near, far = data[6], socket.inet_ntop(10, data[8:24]), socket.inet_ntop(10, data[24:40])
            rest = data[40:]
        elif protocol == 0x0800:
            kind, near, far = data[9], socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
            rest = data[4 * (data[0] & 15) :]
        else:
            return f"protocol {protocol:#x}"
        ports = struct.unpack("!HH", rest[:4]) if kind in (6, 17) and len(rest) >= 4 else (0, 0)
        if kind == 6 and near == far == LOCAL and self._allowed & set(ports):
            return ""
        if kind == 17 and ports[1] == 53:
            return f"name {self._name(rest[8 + 12 :])}"
        if kind == 6 and rest[13] & 0x12 != 0x02:
            return ""  # only who begins a connection is told of, not the answer that refuses it
        return "" if kind in (1, 58) else f"{ {6: 'tcp', 17: 'udp'}.get(kind, kind) } {far}:{ports[1]}"

    @staticmethod
    def _name(question: bytes) -> str:
        parts: list[str] = []
        with suppress(IndexError):
            while length := question[0]:
                parts.append(question[1 : 1 + length].decode("ascii", "replace"))
                question = question[1 + length :]
        return ".".join(parts)


def relay(port: int, path: str) -> None:
    """Everything that comes to a port of the loopback goes to a Unix socket."""
    server = socket.create_server((LOCAL, port))

    def accept() -> None:
        while True:
            near, _ = server.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(path)
            join(near, far)

    threading.Thread(target=accept, daemon=True).start()


def join(near: socket.socket, far: socket.socket) -> None:
    """Pass bytes both ways until either end closes."""

    def passing(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def both() -> None:
        with near, far:
            back = threading.Thread(target=passing, args=(far, near), daemon=True)
            back.start()
            passing(near, far)
            back.join()

    threading.Thread(target=both, daemon=True).start()


def main() -> int:
    """Set the namespace up, run the command in it, end with its exit code."""
    spec = Spec(**json.loads(Path(sys.argv[1]).read_text()))
    set_up(Path(sys.argv[1]).parent)
    for port, path in spec.places.items():
        relay(int(port), path)
    Watch({spec.own, *map(int, spec.places)}, Path(spec.seen))
    return subprocess.run(spec.command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
