"""Free TrueType fonts for the samples, taken from Debian packages into the cache folder; the system is not changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from deploy.only_one import only_one

SYSTEM = Path("/usr/share/fonts")
FALLBACKS = ("hei", "carlito")
"""The families that draw what another family has no glyph for, the first that has it."""


class FontUnavailable(RuntimeError):
    """A font of the samples cannot be had on this machine; the message says which package and what to do."""


class Face(NamedTuple):
    """The Debian package of a family and its files; a family without a bold face draws both with `regular`."""

    package: str
    regular: str
    bold: str


# Licences: Liberation, Carlito, Lato SIL OFL; Caladea, Open Sans, Roboto Apache-2.0; AR PL fonts Arphic Public
# License; WenQuanYi Micro Hei Apache-2.0 or GPL-3 with font exception.
FAMILIES = {
    "sans": Face("fonts-liberation", "LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
    "serif": Face("fonts-liberation", "LiberationSerif-Regular.ttf", "LiberationSerif-Bold.ttf"),
    "mono": Face("fonts-liberation", "LiberationMono-Regular.ttf", "LiberationMono-Bold.ttf"),
    "carlito": Face("fonts-crosextra-carlito", "Carlito-Regular.ttf", "Carlito-Bold.ttf"),
    "caladea": Face("fonts-crosextra-caladea", "Caladea-Regular.ttf", "Caladea-Bold.ttf"),
    "opensans": Face("fonts-open-sans", "OpenSans-Regular.ttf", "OpenSans-Bold.ttf"),
    "lato": Face("fonts-lato", "Lato-Regular.ttf", "Lato-Bold.ttf"),
    "roboto": Face("fonts-roboto-unhinted", "Roboto-Regular.ttf", "Roboto-Bold.ttf"),
    "hei": Face("fonts-wqy-microhei", "wqy-microhei.ttc", "wqy-microhei.ttc"),
    "song": Face("fonts-arphic-gbsn00lp", "gbsn00lp.ttf", "gbsn00lp.ttf"),
    "kai": Face("fonts-arphic-gkai00mp", "gkai00mp.ttf", "gkai00mp.ttf"),
}


@cache
def font(family: str, bold: bool = False) -> str:
    """The reportlab name of a registered face. Raises FontUnavailable."""
    face = FAMILIES[family]
    file = face.bold if bold else face.regular
    name = Path(file).stem
    try:
        pdfmetrics.registerFont(TTFont(name, str(_file(face.package, file))))
    except TTFError as error:
        raise FontUnavailable(f"{file} of the package {face.package} cannot be embedded: {error}") from error
    return name


@cache
def glyphs(name: str) -> frozenset[int]:
    """The code points that a registered face can draw."""
    return frozenset(pdfmetrics.getFont(name).face.charToGlyph)


@cache
def font_for(letter: str, family: str, bold: bool = False) -> str:
    """The registered face that draws a letter: the family's own, or a fallback."""
    faces = (font(family, bold), *map(font, FALLBACKS))
    return next((face for face in faces if ord(letter) in glyphs(face)), faces[1])


def folder() -> Path:
    """Where unpacked fonts are kept."""
    root = os.environ.get("VOUCH_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "vouch") / "fonts"


def _file(package: str, file: str) -> Path:
    """The font file: unpacked before, installed on the system, or from the package."""
    kept = folder() / package
    for place in (kept, SYSTEM):
        if found := _found(place, file):
            return found
    with only_one(folder() / "lock"):
        if not kept.is_dir():
            _unpack(package, kept)
    if found := _found(kept, file):
        return found
    raise FontUnavailable(f"The package {package} of this Debian release has no {file}.")


def _found(place: Path, file: str) -> Path | None:
    return next(iter(sorted(place.rglob(file))), None) if place.is_dir() else None


def _unpack(package: str, target: Path) -> None:
    """Download a package with apt and unpack it into `target`, in one step visible to others."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise FontUnavailable(
            f"The samples need the fonts of the Debian package {package}, and this machine has no apt. "
            f"Unpack the package into {target}."
        )
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        _download(package, work)
        archive = next(Path(work).glob("*.deb"))
        unpacked = Path(work) / "unpacked"
        _run(["dpkg", "-x", str(archive), str(unpacked)], work, package)
        unpacked.rename(target)


def _download(package: str, place: str) -> None:
    """The package's file in `place`: by the machine's package lists, or by lists of our own where those are not there."""
    try:
        _run(["apt-get", "download", package], place, package)
    except FontUnavailable:
        lists, cached = folder() / "apt" / "lists", folder() / "apt" / "cache"
        for made in (lists / "partial", cached / "archives" / "partial"):
            made.mkdir(parents=True, exist_ok=True)
        # Neither root nor the system's own lists are needed for a look-up of our own.
        apart = [
            "-o",
            f"Dir::State::Lists={lists}",
            "-o",
            f"Dir::Cache={cached}",
            "-o",
            "APT::Sandbox::User=",
        ]
        _run(["apt-get", *apart, "update"], place, package)
        _run(["apt-get", *apart, "download", package], place, package)


def _run(command: list[str], place: str, package: str) -> None:
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise FontUnavailable(
            f"The fonts of the Debian package {package} cannot be had: {done.stderr.strip()} "
            "Run `apt-get update` and look at the machine's package sources."
        )
