"""How many honest bills are doubted by the look at their pages before a fill, and what the look costs.

`python -m tests.bench.shown DIR` looks at every PDF and OFD below DIR that has words of its own, by the folders in DIR.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from inference.checks import PAGE_SHOWS
from inference.document import open_document
from inference.errors import DocumentError
from inference.invoice import Status
from inference.reading import read_document
from inference.shown import looked_at


@dataclass
class Tally:
    """The documents of one set; `read` and `look` are seconds of processor for each that was looked at."""

    unread: int = 0
    nothing_said: int = 0
    doubted: list[str] = field(default_factory=list[str])
    read: list[float] = field(default_factory=list[float])
    look: list[float] = field(default_factory=list[float])

    def add(self, other: Tally) -> None:
        """Count those of another set too."""
        self.unread, self.nothing_said = self.unread + other.unread, self.nothing_said + other.nothing_said
        self.doubted, self.read, self.look = (
            self.doubted + other.doubted,
            self.read + other.read,
            self.look + other.look,
        )

    def line(self, name: str) -> str:
        """A line of the table."""
        looked = len(self.look)
        figures = f"{name:16}{looked:7}{len(self.doubted):9}{self.nothing_said:9}{self.unread:8}"
        if not looked:
            return figures
        ratio = sum(self.look) / sum(self.read)
        return (
            f"{figures}{len(self.doubted) / looked:8.1%}{1000 * median(self.look):8.0f} ms"
            f"{1000 * median(self.read):8.0f} ms{ratio:8.2f}"
        )


def tried(file: Path, tally: Tally) -> None:
    """Read a document and look at its pages."""
    started = time.process_time()
    try:
        document = open_document(file.read_bytes(), file.name)
        reading = read_document(document)
    except DocumentError:
        tally.unread += 1
        return
    read = time.process_time()
    check = next(one for one in looked_at(reading, document).checks if one.id == PAGE_SHOWS)
    if check.status is Status.NOT_APPLICABLE:
        tally.nothing_said += 1
        return
    tally.read.append(read - started)
    tally.look.append(time.process_time() - read)
    if check.status is Status.FAIL:
        tally.doubted.append(f"{file}: {check.message}")


def main(folder: Path) -> None:
    """Print how many were looked at and doubted by set, and CPU time of the look beside that of the reading."""
    sets: dict[str, Tally] = defaultdict(Tally)
    for file in sorted(one for one in folder.rglob("*") if one.suffix in (".pdf", ".ofd")):
        tried(file, sets[file.relative_to(folder).parts[0]])
    print(
        f"{'set':16}{'looked':>7}{'doubted':>9}{'scans':>9}{'unread':>8}{'rate':>8}{'look':>11}{'reading':>11}{'ratio':>8}"
    )
    whole = Tally()
    for name, tally in sets.items():
        print(tally.line(name))
        whole.add(tally)
    print(whole.line("all"))
    print("\n".join(whole.doubted))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
