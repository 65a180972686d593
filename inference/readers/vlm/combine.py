"""One Reading from what the model says and what the layout Reader found, with every check and its doubts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from inference.checks import failed_lines, run_checks
from inference.confidence import CONCERNS, doubt_amounts, doubt_failed, doubt_failed_lines
from inference.invoice import HEADER, LINE, VAT, Check, Reading, Row, Status
from inference.readers.vlm.agreement import header_of, rows_of, settled_rows
from inference.readers.vlm.confidence import BY_HAND, Calibration
from inference.readers.vlm.schema import HEADER_KEYS

if TYPE_CHECKING:
    from inference.readers.vlm.merge import Merged

NAME = "vlm"
ASKED = frozenset(HEADER_KEYS.values())

_LINE_KEYS = (
    ("line_net_amount",),
    ("line_total_with_vat",),
    ("quantity", "net_price"),
    ("item_seller_id",),
    ("item_name",),
)
_MOST_NAMED = 5
_TAX_KEYS = (("vat_rate",), ("vat_amount",))


def combined(
    said: Merged, layout: Reading, checks: Sequence[Check] = (), calibration: Calibration = BY_HAND
) -> Reading:
    """The Reading of both. `checks` are those of asking the model: pages that it could not answer."""
    fields = header_of(said.header, layout.fields, HEADER, ASKED, calibration)
    model = rows_of(said.lines)
    lines = _lines(replace(layout, lines=model), layout)
    taxes = rows_of(said.taxes)
    if layout.vat_breakdown:
        taxes = settled_rows(layout.vat_breakdown, taxes, VAT, _TAX_KEYS)
    reading = replace(layout, reader=NAME, fields=fields, lines=lines, vat_breakdown=taxes)
    # What the checks say of the values is a sign of its own; it changes confidences, never values.
    told = outcomes(run_checks(reading))
    reading = replace(reading, fields=header_of(said.header, layout.fields, HEADER, ASKED, calibration, told))
    cut = [_lines_missing(page) for page in said.cut_pages]
    return _checked(reading, layout, (*checks, *cut))


def outcomes(checks: Sequence[Check]) -> dict[str, int]:
    """By header Term: 1 where checks about it passed, −1 where one failed; what none is about is left out."""
    found: dict[str, int] = {}
    for check in checks:
        if check.status is not Status.NOT_APPLICABLE:
            said = 1 if check.status is Status.PASS else -1
            found |= {name: min(said, found.get(name, said)) for name in CONCERNS.get(check.id, ())}
    return found


def unanswered(page: int, why: str) -> Check:
    """The Check of a page for which the model gave no answer that can be used."""
    return Check("model_answer", Status.FAIL, f"The model gave no usable answer for page {page}: {why}.")


def no_time(pages: Collection[int]) -> Check:
    """The Check of pages for which the model had no time."""
    numbers = ", ".join(str(number) for number in sorted(pages)[:_MOST_NAMED])
    named = f"{numbers} and {len(pages) - _MOST_NAMED} more" if len(pages) > _MOST_NAMED else numbers
    return Check(
        "model_time",
        Status.FAIL,
        f"The model had no time for page {named}: it took longer than vlm.document_seconds allows for a document.",
    )


def _lines_missing(page: int) -> Check:
    return Check(
        "model_lines",
        Status.FAIL,
        f"Page {page} has more lines than the model could write: some are missing.",
    )


def _lines(model: Reading, layout: Reading) -> tuple[Row, ...]:
    """The lines of the Reader whose lines add up, else of the one with more of them proven on the page."""
    if not model.lines or not layout.lines:
        lines = model.lines or layout.lines
        return settled_rows(lines, (), LINE, _LINE_KEYS)
    first, second = (model, layout) if _worth(model) >= _worth(layout) else (layout, model)
    return settled_rows(first.lines, second.lines, LINE, _LINE_KEYS)


def _worth(reading: Reading) -> tuple[int, float]:
    sums = {check.id: check.status for check in run_checks(reading)}
    fields = [found for line in reading.lines for found in line.values()]
    proven = sum(bool(found.evidence) for found in fields) / max(1, len(fields))
    status = sums["lines_sum"]
    return (2 if status is Status.PASS else 0 if status is Status.FAIL else 1), proven


def _checked(reading: Reading, layout: Reading, more: Sequence[Check]) -> Reading:
    """The Reading with its checks and what failed doubted. Codes and splits were looked for by the layout Reader."""
    checks = run_checks(reading)
    ours = {check.id for check in checks}
    kept = tuple(check for check in layout.checks if check.id not in ours)
    failed = {check.id: check.message for check in checks if check.status is Status.FAIL}
    lines = reading.lines
    if "line_arithmetic" in failed:
        lines = doubt_failed_lines(lines, failed_lines(reading), failed["line_arithmetic"])
    if "lines_sum" in failed:
        lines = doubt_amounts(lines, failed["lines_sum"])
    fields = doubt_failed(reading.fields, checks)
    return replace(reading, fields=fields, lines=lines, checks=(*more, *kept, *checks))
