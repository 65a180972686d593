"""`vouch eval`: how well a folder of documents is read, against its truth. No Odoo, no ledger."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from connector.commands.eval_tables import show
from connector.commands.output import ERR, print_json, progress
from connector.errors import FatalError, RegressionError, SettingsError
from connector.model import model_errors, opened_vision, require_reader
from connector.sandbox import reader_inside, unavailable_is_fatal
from connector.settings import load_settings
from inference.evaluation.compare import compare
from inference.evaluation.folder import FolderError, find_cases
from inference.evaluation.record import Record, RecordError, read_record
from inference.evaluation.report import Gallery, render_report
from inference.evaluation.run import Plan, run
from inference.evaluation.targets import TargetsError, reached, read_targets
from inference.evaluation.truth import TruthError

if TYPE_CHECKING:
    from inference.evaluation.compare import Comparison
    from inference.evaluation.folder import Case
    from inference.evaluation.outcome import Outcome
    from inference.evaluation.targets import Reached, Target

TARGETS = "targets.toml"
INTERRUPTED = 130
STDOUT = Path("-")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line; see its help."""

    folder: Path
    document: str = "doc"
    sets: Sequence[str] = ()
    reader: str = "auto"
    jobs: int = 0
    seconds: float = 0.0
    targets: Path | None = None
    compare: Path | None = None
    gate: bool = False
    html: Path | None = None
    json: Path | None = None
    predictions: Path | None = None
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A run with what was reached of the targets, what changed since an older run, and pictures of mistakes."""

    record: Record
    targets: list[Reached]
    comparison: Comparison | None
    gallery: Gallery


def eval_folder(request: Request) -> int:
    """Evaluate, print and write what was asked for; the exit code: 0, or 130 where a person interrupted it.

    Raises RegressionError with `gate`, SettingsError for a wrong option, FatalError for a folder, truth, targets
    file or older run that cannot be understood.
    """
    evaluated = evaluate(request)
    _write(request, evaluated)
    if request.json == STDOUT:
        print_json(evaluated.record.as_json(evaluated.targets, evaluated.comparison))
    else:
        show(evaluated.record, evaluated.targets, evaluated.comparison)
    if evaluated.record.interrupted:
        return INTERRUPTED
    if request.gate and (reasons := _reasons(evaluated)):
        raise RegressionError(f"The gate is closed: {'; '.join(reasons)}.")
    return 0


def evaluate(request: Request) -> Evaluated:
    """Read the folder's documents and score them. Raises as `eval_folder`."""
    require_reader(request.reader)
    try:
        cases = find_cases(request.folder, request.document, request.sets)
        wanted = _targets(request)
        older = read_record(request.compare) if request.compare else None
        if request.gate and not wanted and older is None:
            raise SettingsError(
                "--gate needs something to hold against: --compare OLD.json or --targets FILE."
            )
        outcomes, gallery = _read(cases, request)
    except (FolderError, TruthError, TargetsError, RecordError) as error:
        raise FatalError(str(error)) from error
    record = Record(
        version("vouch"),
        request.folder.resolve().name,
        request.document,
        request.reader,
        datetime.now(UTC).isoformat(timespec="seconds"),
        len(cases),
        tuple(outcomes),
    )
    comparison = compare(older.outcomes, outcomes) if older else None
    return Evaluated(record, reached(wanted, outcomes), comparison, gallery)


def _targets(request: Request) -> list[Target]:
    own = request.folder / TARGETS
    file = request.targets or (own if own.exists() else None)
    return read_targets(file) if file else []


def _read(cases: Sequence[Case], request: Request) -> tuple[list[Outcome], Gallery]:
    """The outcomes in the order of the cases; Ctrl-C ends the reading and keeps what is done."""
    settings = load_settings(request.config)
    limits = settings.reading.limits
    with opened_vision(settings, request.reader) as vision:
        plan = Plan(
            reader=reader_inside(request.reader),
            jobs=request.jobs or len(os.sched_getaffinity(0)),
            limits=replace(limits, seconds=request.seconds or limits.seconds),
            predictions=request.predictions,
            pictures=request.html is not None,
            vision=vision,
        )
        return _read_by(plan, cases)


def _read_by(plan: Plan, cases: Sequence[Case]) -> tuple[list[Outcome], Gallery]:
    done: dict[int, Outcome] = {}
    gallery = Gallery()
    results = run(cases, plan)
    try:
        with unavailable_is_fatal(), model_errors(), progress() as bar:
            task = bar.add_task("Reading", total=len(cases))
            for place, scored in results:
                done[place] = scored.outcome
                gallery.add(scored)
                bar.update(task, advance=1, description=f"Read {escape(cases[place].id[:40])}")
    except KeyboardInterrupt:
        ERR.print(f"Interrupted: {len(done)} of {len(cases)} documents count.")
    finally:
        results.close()
    return [done[place] for place in sorted(done)], gallery


def _write(request: Request, evaluated: Evaluated) -> None:
    record, targets, comparison = evaluated.record, evaluated.targets, evaluated.comparison
    contents: list[tuple[Path, str]] = []
    if request.json and request.json != STDOUT:
        node = record.as_json(targets, comparison)
        contents.append((request.json, json.dumps(node, ensure_ascii=False, indent=1) + "\n"))
    if request.html:
        contents.append((request.html, render_report(record, targets, comparison, evaluated.gallery)))
    for file, content in contents:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise FatalError(f"{file} cannot be written: {error.strerror}. Choose another place.") from error
        ERR.print(f"Written: {escape(str(file))}", soft_wrap=True)


def _reasons(evaluated: Evaluated) -> list[str]:
    fell = evaluated.comparison.fell if evaluated.comparison else []
    missed = [one.target.name or one.target.measure for one in evaluated.targets if one.met is False]
    return [f"{measure} is worse than before, beyond what chance explains" for measure in fell] + [
        f"target missed: {name}" for name in missed
    ]
