"""How well documents are read: Readings scored against the truth, in figures, as a report and run against run.

In memory, for those who train or tune a reader:

    from inference.evaluation import Truth, figures, read_truth, score_document

    outcomes = [score_document(read_truth(file), reading) for file, reading in …]
    found = figures(outcomes)
    found.header.accuracy.value, found.header.precision.value, found.calibration.ece, found.lines.f1
    found.fields["total_with_vat"].accuracy.interval

`Truth.of_reading` makes a truth of a Reading that is known to be right; `score_document(truth, None)` counts all values
as missing. `same(kind, truth, given)` is the metric for one value and `same_line` for one line, both on plain strings.
"""

from inference.evaluation.figures import Figures, by_set, figures
from inference.evaluation.likeness import same, same_line
from inference.evaluation.outcome import Outcome, score_document
from inference.evaluation.truth import Truth, TruthError, parse_truth, read_truth

__all__ = [
    "Figures",
    "Outcome",
    "Truth",
    "TruthError",
    "by_set",
    "figures",
    "parse_truth",
    "read_truth",
    "same",
    "same_line",
    "score_document",
]
