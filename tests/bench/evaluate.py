"""`make eval DIR=…`: a folder evaluated against this project's targets, as it is, by its e-invoices, and as scans.

Each run leaves its report and its JSON; the JSON of the last time is what the next one is compared with.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.table import Table

from connector.commands.eval import Request, eval_folder
from connector.commands.output import OUT
from connector.errors import FatalError, VouchError
from inference.evaluation.record import read_record
from inference.evaluation.targets import Reached, reached, read_targets
from tests.bench.degraded import write_scans

TARGETS = Path(__file__).parent / "targets"
RUNS = ("pages", "e-invoices", "scans")
WITH_DATA = "with-xml"


def evaluate(folder: Path, out: Path, name: str, jobs: int) -> list[Reached]:
    """One of the runs: its figures are printed, its files written to `out`, its targets returned."""
    document = WITH_DATA if name == "e-invoices" else "doc"
    if name == "scans":
        write_scans(folder, out / "scanned", sets=_sets(name, folder), jobs=jobs or None)
        folder = out / "scanned"
    record, targets = out / f"{name}.json", TARGETS / f"{name}.toml"
    before = out / f"{name}.before.json"
    if record.exists():
        record.replace(before)
    OUT.rule(name)
    eval_folder(
        Request(
            folder,
            document=document,
            jobs=jobs,
            targets=targets,
            compare=before if before.exists() else None,
            html=out / f"{name}.html",
            json=record,
        )
    )
    return reached(read_targets(targets), read_record(record).outcomes)


def _sets(name: str, folder: Path) -> list[str]:
    """The sets that the targets of this run ask for and the folder has."""
    wanted = {one for target in read_targets(TARGETS / f"{name}.toml") for one in target.sets}
    return sorted(one for one in wanted if (folder / one).is_dir())


def main() -> int:
    """Print what was reached of each target; 0, or the exit code of what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.evaluate", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="documents with truth")
    parser.add_argument("--out", type=Path, default=Path(".vouch/eval"), help="where reports go")
    parser.add_argument("--only", action="append", choices=RUNS, help="only this run; may be repeated")
    parser.add_argument("--jobs", type=int, default=0, help="processes; 0: as many as cores")
    asked = parser.parse_args()
    rows: list[tuple[str, Reached]] = []
    for name in asked.only or RUNS:
        try:
            rows += [(name, one) for one in evaluate(asked.folder, asked.out, name, asked.jobs)]
        except FatalError as error:  # A folder need not have every kind of document.
            print(f"{name}: {error}", file=sys.stderr)
        except VouchError as error:
            print(error, file=sys.stderr)
            return error.exit_code
    _show(rows)
    return 0 if rows else 2


def _show(rows: list[tuple[str, Reached]]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("target", no_wrap=True)
    table.add_column("run", no_wrap=True)
    for name in ("wanted", "reached", "95 % interval", "n", "met"):
        table.add_column(name, justify="right", no_wrap=True)
    for run, one in rows:
        target, measured = one.target, one.measured
        interval = measured.interval if measured else None
        table.add_row(
            target.name,
            run,
            f"{'≤' if target.most else '≥'} {target.bound:.1%}",
            f"{measured.value:.1%}" if measured else "–",
            f"{interval[0]:.1%} … {interval[1]:.1%}" if interval else "",
            str(measured.n) if measured else "–",
            {True: "[green]yes[/]", False: "[red]no[/]", None: "not measured"}[one.met],
        )
    OUT.rule("targets")
    OUT.print(table)


if __name__ == "__main__":
    sys.exit(main())
