"""What was killed where, and what was broken afterwards."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.crash.office import Ended, Office, Point

MATCHING = ("res.", "product.", "purchase.order", "account.account", "account.analytic", "account.fiscal")
MATCHING += ("account.journal", "account.payment", "account.tax", "account.move/search", "account.move.line/")
"""What is only fetched for matching, by the first bill of a process."""
KINDS = {"commit": "commit", "call": "request", "file": "file", "in": "in a request", "random": "random time"}


@dataclass
class Tally:
    """Kills by what was interrupted and by kind of point, and what was broken afterwards. `share`: of the points one in so
    many is tried. `seed`: of what is left to chance, also of which one. `every`: where a stage tries some of its points only,
    it tries all."""

    share: int = 1
    seed: int = 1
    every: bool = False
    kills: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict[str, Counter[str]](Counter))
    names: Counter[str] = field(default_factory=Counter[str])
    missed: int = 0
    losses: list[str] = field(default_factory=list[str])
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def note(self, stage: str, ended: Ended, kind: str = "") -> bool:
        """Count a kill; False where the process ended before it came to its point."""
        if ended.killed:
            self.kills[stage][KINDS[(kind or ended.point).partition(" ")[0]]] += 1
            self.names[kind or ended.point] += 1
        self.missed += not ended.killed
        return ended.killed

    @property
    def count(self) -> int:
        """All kills."""
        return sum(sum(kinds.values()) for kinds in self.kills.values())

    def chosen(self, points: Sequence[str], *, matching: bool = False, of: int = 1) -> list[Point]:
        """The points to die at, one of each `of` × `share` in a row; those where data for matching is fetched only where
        asked for, and only those then."""
        reads = tuple(f"call {model}" for model in MATCHING)
        met, found = Counter[str](), list[Point]()
        for name in points:
            met[name] += 1
            if name.startswith(reads) == matching:
                found.append(Point(name, met[name]))
        step, rng = self.share * (1 if self.every else of), random.Random(self.seed)
        return [rng.choice(found[at : at + step]) for at in range(0, len(found), step)]

    def add(self, other: Tally) -> None:
        """What another one counted, too."""
        self.kills.update(other.kills)
        self.names.update(other.names)
        self.seconds.update(other.seconds)
        self.missed += other.missed
        self.losses += other.losses

    @contextmanager
    def held(self, stage: str, office: Office, untouched: Any = None) -> Generator[None]:
        """After this block all goes quiet, and everything is as it must be; what is not is a loss."""
        begun, before = time.monotonic(), len(self.losses)
        yield
        office.settle()
        self.losses += [f"{stage}: {sentence}" for sentence in office.broken(untouched)]
        self.seconds[stage] = time.monotonic() - begun
        print(
            f"{self.told(stage)}  {len(self.losses) - before} losses",
            *self.losses[before:],
            sep="\n  ",
            flush=True,
        )

    def told(self, stage: str) -> str:
        """One line of the table."""
        kinds = self.kills[stage]
        cells = " ".join(f"{kinds[kind]:>12}" for kind in KINDS.values())
        return f"{stage:<44} {cells} {sum(kinds.values()):>6} {self.seconds.get(stage, 0):>6.0f} s"

    def table(self) -> str:
        """All lines, with their sums."""
        heads = " ".join(f"{kind:>12}" for kind in KINDS.values())
        sums = Counter[str]()
        for kinds in self.kills.values():
            sums.update(kinds)
        self.kills["all"] = sums
        self.seconds["all"] = sum(self.seconds.values())
        lines = [f"{'killed in':<44} {heads}    all   time", *(self.told(stage) for stage in self.kills)]
        del self.kills["all"]
        return "\n".join(lines)
