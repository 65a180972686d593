"""What a process that reads documents must be able to read itself: the program and its libraries, fonts, time zones,
and what the machine says of its processors and memory."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_LIBRARIES = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
)
# Where Pillow and pdfium look.
_FONTS = ("/usr/share/fonts", "/usr/share/X11/fonts", "/usr/local/share/fonts", "~/.local/share/fonts")
_SYSTEM = (
    "/dev/null",
    "/dev/urandom",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/proc/self/status",
    "/proc/self/statm",
    "/proc/self/maps",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    # How many processors the container lets it have.
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
    "/sys/fs/cgroup/cpuset/cpuset.cpus",
)
_PLACES = ("stdlib", "platstdlib", "purelib", "platlib")


def needed() -> Iterator[Path]:
    """Files, and folders with all that is in them; some may not be there.

    Of a folder on the path that is not made for installed packages, such as the one of a checkout, only the packages
    that are in use: settings and data may lie beside them.
    """
    yield from (Path(os.path.expanduser(place)) for place in (*_LIBRARIES, *_FONTS, *_SYSTEM))
    for prefix in {sys.prefix, sys.base_prefix}:
        yield Path(prefix, "lib")
    yield from {Path(sysconfig.get_path(name)) for name in _PLACES}
    searched = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    yield from (Path(place) for place in searched if Path(place).is_absolute())
    yield from (place for place in map(Path, sys.path) if place.is_absolute() and _holds_packages(place))
    yield from _in_use()


def _holds_packages(place: Path) -> bool:
    """Whether a place on the path is an archive, or a folder into which packages are installed."""
    if not os.path.isdir(place) or place.name in ("site-packages", "dist-packages"):
        return True
    return os.access(place, os.R_OK) and any(name.endswith(".dist-info") for name in os.listdir(place))


def _in_use() -> Iterator[Path]:
    """The folders of the packages, and the files of the modules, that were imported until now and are not installed."""
    installed = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in _PLACES)
    for name, module in list(sys.modules.items()):
        if "." not in name:
            folders: list[str] = list(getattr(module, "__path__", ()))
            file: str | None = getattr(module, "__file__", None)
            places = folders or ([file] if file else [])
            yield from (Path(place) for place in places if not place.startswith(installed))
