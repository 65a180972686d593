"""What `vouch eval` prints for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from connector.commands.output import OUT
from inference.evaluation.figures import by_set, figures
from inference.evaluation.folder import legible

if TYPE_CHECKING:
    from inference.evaluation.compare import Comparison
    from inference.evaluation.figures import Counts, Figures, Share
    from inference.evaluation.record import Record
    from inference.evaluation.targets import Reached

MOST_FAILURES, MOST_CHANGES = 20, 40
NOTHING = "–"


def show(record: Record, targets: Sequence[Reached], comparison: Comparison | None) -> None:
    """The figures of a run, its targets and what changed."""
    found = figures(record.outcomes)
    _show_summary(found)
    _show_fields(found)
    _show_sets(record)
    _show_failures(record)
    _show_unused(record)
    if targets:
        _show_targets(targets)
    if comparison:
        _show_comparison(comparison)


def _show_summary(found: Figures) -> None:
    table = _table("", "value", "95 % interval", "n")
    rows: list[tuple[str, Share]] = [
        ("header accuracy", found.header.accuracy),
        ("header precision", found.header.precision),
        ("documents with a clean header", found.clean),
        ("lines precision", found.lines.precision),
        ("lines recall", found.lines.recall),
        ("documents with exact lines", found.lines.exact),
        ("document type", found.type.accuracy),
        ("coverage at 1 % error", found.calibration.coverage),
    ]
    for name, share in rows:
        table.add_row(name, percent(share), _interval(share), str(share.n))
    table.add_row(
        "lines f1",
        f"{found.lines.f1:.3f}" if found.lines.recall.n else NOTHING,
        "",
        str(found.lines.recall.n),
    )
    table.add_row("calibration error (ECE)", f"{found.calibration.ece:.3f}", "", str(found.calibration.n))
    OUT.print(
        f"[bold]{found.documents} documents[/], {found.failed} not read; "
        f"median {found.median_ms:.0f} ms, mean {found.mean_ms:.0f} ms each"
    )
    OUT.print(table)


def _show_fields(found: Figures) -> None:
    table = _table("field", "n", "right", "wrong", "missing", "accuracy", "precision")
    for name, counts in found.fields.items():
        table.add_row(name, *_cells(counts))
    OUT.print(table)


def _show_sets(record: Record) -> None:
    table = _table("set", "documents", "values", "accuracy", "precision", "lines", "lines f1", "type", "ECE")
    for name, outcomes in by_set(record.outcomes).items():
        found = figures(outcomes)
        lines = found.lines.recall.n
        table.add_row(
            escape(name), str(found.documents), str(found.header.n), percent(found.header.accuracy),
            percent(found.header.precision), str(lines or NOTHING), f"{found.lines.f1:.3f}" if lines else NOTHING,
            percent(found.type.accuracy), f"{found.calibration.ece:.3f}" if found.calibration.n else NOTHING,
        )  # fmt: skip
    OUT.print(table)


def _show_failures(record: Record) -> None:
    failed = [outcome for outcome in record.outcomes if outcome.failure]
    for outcome in failed[:MOST_FAILURES]:
        reason, message = outcome.failure or ("", "")
        OUT.print(f"[red]not read[/] {escape(legible(f'{outcome.set}/{outcome.id}: {reason}: {message}'))}")
    if len(failed) > MOST_FAILURES:
        OUT.print(f"and {len(failed) - MOST_FAILURES} more that could not be read")


def _show_unused(record: Record) -> None:
    names = sorted({label for outcome in record.outcomes for label in outcome.unused})
    if names:
        OUT.print(
            f"Labels of the truth that nothing is read for: {escape(legible(', '.join(names)))}\n",
            style="dim",
        )


def _show_targets(targets: Sequence[Reached]) -> None:
    table = _table("target", "wanted", "reached", "n", "met")
    for one in targets:
        target, measured = one.target, one.measured
        sign = "≤" if target.most else "≥"
        table.add_row(
            escape(target.name or target.measure),
            f"{sign} {target.bound:g}",
            f"{measured.value:.3f}" if measured else NOTHING,
            str(measured.n) if measured else NOTHING,
            {True: "[green]yes[/]", False: "[red]no[/]", None: "not measured"}[one.met],
        )
    OUT.print(table)


def _show_comparison(found: Comparison) -> None:
    OUT.print(f"Against the older run, {found.common} documents in both")
    table = _table("measure", "before", "now", "difference", "95 % interval", "")
    for shift in found.shifts:
        table.add_row(
            shift.measure,
            f"{shift.old:.4f}",
            f"{shift.new:.4f}",
            f"{shift.new - shift.old:+.4f}",
            f"{shift.low:+.4f} … {shift.high:+.4f}",
            "[red]fell[/]" if shift.fell else "",
        )
    OUT.print(table)
    better = sum(change.better for change in found.values)
    OUT.print(f"{better} values better, {len(found.values) - better} worse")
    for change in sorted(found.values, key=lambda change: change.better)[:MOST_CHANGES]:
        mark = "[green]better[/]" if change.better else "[red]worse [/]"
        old, new = change.old.given or change.old.verdict, change.new.given or change.new.verdict
        words = f"{change.set}/{change.id} {change.new.name}: {old} → {new} (truth {change.new.truth})"
        OUT.print(f"  {mark} {escape(legible(words))}")
    if len(found.values) > MOST_CHANGES:
        OUT.print(f"  and {len(found.values) - MOST_CHANGES} more, all in --json and --html")


def percent(share: Share) -> str:
    """With one decimal; a dash where nothing was counted."""
    return f"{share.value:.1%}" if share.n else NOTHING


def _interval(share: Share) -> str:
    low, high = share.interval
    return f"{low:.1%} … {high:.1%}" if share.n else ""


def _cells(counts: Counts) -> tuple[str, ...]:
    numbers = (counts.n, counts.right, counts.wrong, counts.missing)
    return (*map(str, numbers), percent(counts.accuracy), percent(counts.precision))


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table
